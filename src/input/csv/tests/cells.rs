//! Cells of every sort of column.

use super::*;

/// A row with an id and one cell of a column, as `rule@column` or the set value.
fn check(options: &Options, column: &str, cell: &str, wanted: &str) {
    let row = only(&format!("id,{column}\n{ID},\"{}\"\n", cell.replace('"', "\"\"")), options);
    let got = match &row.parsed {
        Err(_) => findings(&row),
        Ok(draft) => {
            let sets = draft.sets.iter().map(|set| format!("{}={}", set.value.0, set.value.1.raw()));
            let adds = draft.appends.iter().map(|add| format!("{}+{}", add.value.key, add.value.element));
            let status = draft.status.iter().map(|status| status.value.name().to_owned());
            let substatus = draft.substatus.iter().map(|stage| stage.value.to_string());
            let etag = draft.etag.iter().map(|etag| etag.value.to_string());
            sets.chain(adds).chain(status).chain(substatus).chain(etag).collect::<Vec<_>>().join(" ")
        }
    };
    assert_eq!(got, wanted, "{column} {cell}");
}

#[test]
fn every_sort_of_column_takes_its_cells() {
    for (column, cell, wanted) in [
        ("dealValue", "10000.50", "/details/dealValue=10000.50"),
        ("dealValue", "0.10", "/details/dealValue=0.10"),
        ("dealValue", "1e400", "type@2"),
        ("dealValue", "ten", "type@2"),
        ("dealValue", "1\0", "type@2"),
        ("dealValue", "", ""),
        ("dealValue", "  ", ""),
        ("currency", "EUR", "/details/currency=\"EUR\""),
        ("currency", "eur", "type@2"),
        ("statusReason", " kept as is ", "/statusReason=\" kept as is \""),
        ("status", "active", "Active"),
        ("status", "None", "type@2"),
        ("status", "Won", "type@2"),
        ("status", "\\N", "type@2"),
        ("substatus", "WON", "Closed/Won"),
        ("substatus", "Accpeted", "type@2"),
        ("eTag", "abc-1", "\"abc-1\""),
        ("If-Match", "\"abc-1\"", "\"abc-1\""),
        ("eTag", "*", "type@2"),
        ("dealValue", "\\N", "clear@2"),
        ("engagementId", ID, "read-only-path@2"),
        ("engagementId", "", ""),
        ("name", "New name", "unconfirmed-path@2"),
        ("name", "", ""),
        (
            "team.add",
            "Ann, Lee, 1, ann@example.com; Bo, Ek,, bo@example.com",
            "ann@example.com+{\"firstName\":\"Ann\",\"lastName\":\"Lee\",\"phoneNumber\":\"1\",\"email\":\"ann@example.com\"} \
             bo@example.com+{\"firstName\":\"Bo\",\"lastName\":\"Ek\",\"email\":\"bo@example.com\"}",
        ),
        ("team.add", "Ann", "type@2"),
        ("team.add", "\\N", "type@2"),
        ("/team/-", "{\"email\":\"a@example.com\"}", "a@example.com+{\"email\":\"a@example.com\"}"),
        ("/team/-", "[]", "type@2"),
        ("/team/-", "Ann", "type@2"),
        ("/details/requirements/solutions/-", "{\"id\":\"S1\"}", "S1+{\"id\":\"S1\"}"),
        ("team", "[{\"email\":\"a@example.com\"}]", "/team=[{\"email\":\"a@example.com\"}]"),
        ("team", "Ann", "type@2"),
        ("result.code", "anything", ""),
    ] {
        check(&csv(), column, cell, wanted);
    }
    check(&csv(), "team", &"[".repeat(10_000), "size@2");
    check(&csv(), "/team/-", &"[".repeat(10_000), "size@2");
}

#[test]
fn clearing_and_opting_in_are_asked_for() {
    check(&clearing(), "dealValue", "\\N", "/details/dealValue=null");
    check(&clearing(), "team", "\\N", "/team=null");
    for column in ["status", "substatus", "eTag", "team.add"] {
        check(&clearing(), column, "\\N", "type@2");
    }
    assert_eq!(findings(&only("id,team\n\\N,\n", &clearing())), "type@1");
    let allowed = ["/name", "/custom/thing"].map(|text| Pointer::parse(text).unwrap());
    let allowing = Options { allow_paths: allowed.into(), ..csv() };
    check(&allowing, "name", "New", "/name=\"New\"");
    check(&allowing, "/custom/thing", "x", "/custom/thing=\"x\"");
    check(&allowing, "Custom.Thing", "x", "/custom/thing=\"x\"");
    check(&allowing, "qualification", "Direct", "unconfirmed-path@2");
    let address = Pointer::parse("/customerProfile/address").unwrap();
    let allowing = Options { allow_paths: [address].into(), ..csv() };
    check(&allowing, "city", "x", "/customerProfile/address/city=\"x\"");
    check(&allowing, "customerProfile.address", "{\"city\":\"x\"}", "type@2");
    let mut warning = csv();
    warning.levels.set(Rule::UnconfirmedPath, Level::Warn).unwrap();
    check(&warning, "name", "New", "/name=\"New\"");
    check(&warning, "consentToContact", "true", "/consent/consentToContact=true");
}

#[test]
fn columns_for_the_same_field_agree_or_one_of_them_is_empty() {
    for (header, cells, wanted) in [
        ("id,dealValue,/details/dealValue", "ID,1,", "1"),
        ("id,dealValue,/details/dealValue", "ID,,2", "2"),
        ("id,dealValue,/details/dealValue", "ID,2, ", "2"),
        ("id,dealValue,/details/dealValue", "ID,1,1", "1"),
        ("id,dealValue,/details/dealValue", "ID,1,1.0", "contradiction@3"),
        ("id,dealValue,/details/dealValue", "ID,1,2", "contradiction@3"),
        ("id,dealValue,/details/dealValue", "ID,1,\\N", "contradiction@3"),
        ("id,dealValue,/details/dealValue", "ID,x,x", "type@2"),
        ("id,dealValue,details.dealValue,/details/dealValue", "ID,1,,2", "contradiction@4"),
        ("id,dealValue,details.dealValue,/details/dealValue", "ID,,2,2", "2"),
        ("id,dealValue,details.dealValue,/details/dealValue", "ID,1,2,3", "contradiction@3 contradiction@4"),
        ("id,Referral ID,dealValue", ",ID,1", "1"),
        ("id,Referral ID,dealValue", "ID,,1", "1"),
        ("id,Referral ID,dealValue", "ID,ID,1", "1"),
        ("id,Referral ID,dealValue", "ID,5a1e0001-0000-4000-8000-000000000001,1", "contradiction@2"),
        ("id,Referral ID,dealValue", ",,1", "id@1"),
        ("id,eTag,If-Match,dealValue", "ID,a,b,1", "contradiction@3"),
        ("id,eTag,If-Match,dealValue", "ID,,b,1", "1"),
        ("id,status,Status,dealValue", "ID,,Active,1", "1"),
        ("id,status,Status,dealValue", "ID,Closed,Active,1", "contradiction@3"),
        ("id,dealValue,/details/dealValue", "ID,1,2,3", "ragged-row@4"),
    ] {
        let row = only(&format!("{header}\n{}\n", cells.replace("ID", ID)), &csv());
        let got = match &row.parsed {
            Ok(draft) => draft.sets.iter().map(|set| set.value.1.raw().get()).collect::<String>(),
            Err(_) => findings(&row),
        };
        assert_eq!(got, wanted, "{header} {cells}");
        if let Err(rejected) = &row.parsed {
            assert!(rejected.findings.iter().all(|finding| finding.hint.is_some()));
        }
    }
    let row = only(&format!("id,dealValue,/details/dealValue\n{ID},1,2\n"), &csv());
    let message = r#"columns "dealValue" and "/details/dealValue" are for the same field, and give it different values"#;
    assert_eq!(row.parsed.unwrap_err().findings[0].message, message);
}

#[test]
fn bytes_that_are_no_text_are_a_finding_of_their_row() {
    let mut bytes = format!("id,statusReason,salesStage\n{ID},M").into_bytes();
    bytes.extend_from_slice(b"\xfcller,x\n");
    bytes.extend_from_slice(format!("{ID},fine,x\n").as_bytes());
    let (rows, end) = read_bytes(&bytes, &csv());
    assert_eq!(end.unwrap().info.rows, 2);
    assert_eq!(rows.iter().map(findings).collect::<Vec<_>>(), ["encoding@2", "ok"]);
    assert_eq!(cells(&rows[0])[1], "M\u{fffd}ller");
    let (rows, _) = read_bytes(b"id,statusReason\n\xff,x\n", &csv());
    assert_eq!(findings(&rows[0]), "encoding@1");
}

#[test]
fn the_mark_of_a_lost_character_is_a_finding_of_its_column() {
    for (cells, wanted) in [
        (format!("{ID},M\u{fffd}ller,x,y"), "encoding@2"),
        ("5a\u{fffd}1e,fine,x,y".to_owned(), "encoding@1"),
        (format!("{ID},fine,\u{fffd},y"), "ok"),
        (format!("{ID},M\u{fffd}ller,x"), "encoding@2"),
        (format!("{ID},fine,x,y,\u{fffd}"), "ragged-row@5 encoding@5"),
    ] {
        let row = only(&format!("id,statusReason,result.message,salesStage\n{cells}\n"), &csv());
        assert_eq!(findings(&row), wanted, "{cells}");
    }
    let row = only(&format!("id,statusReason\n{ID},M\u{fffd}ller\n"), &csv());
    let Err(rejected) = &row.parsed else { panic!() };
    let finding = &rejected.findings[0];
    assert_eq!(finding.message, "column \"statusReason\" holds U+FFFD, the mark of a lost character");
    assert_eq!(
        finding.hint.as_ref().map(Wording::as_str),
        Some("a character was lost when the file was saved in another encoding: type it again")
    );
}

#[test]
fn a_huge_cell_is_a_finding_and_reading_goes_on() {
    for quote in ["", "\""] {
        let huge = "é".repeat(10 * 1024 * 1024);
        let text = format!("id,statusReason\n{ID},{quote}{huge}{quote}\n{ID},fine\n");
        let (rows, _) = read_bytes(text.as_bytes(), &csv());
        assert_eq!(rows.iter().map(findings).collect::<Vec<_>>(), ["size@2", "ok"]);
        let shown = cells(&rows[0])[1];
        assert!(shown.starts_with('é') && shown.ends_with("… [cut: the cell is larger than 1 MiB]"));
        assert!(shown.len() < 300);
    }
}

#[test]
fn the_largest_cell_fits() {
    for (length, wanted) in [(watch::MAX_CELL, "ok"), (watch::MAX_CELL + 1, "size@2")] {
        let text = format!("id,statusReason\n{ID},{}\n", "x".repeat(length));
        assert_eq!(findings(&only(&text, &csv())), wanted);
        let text = format!("id,statusReason\n{ID},\"{}\"\n", "\"\"".repeat(length));
        assert_eq!(findings(&only(&text, &csv())), wanted);
    }
}
