//! Rows of Partner Center files: every column, and every sort of value.

use super::super::options::Options;
use super::super::record::Record;
use super::super::tests::{ID, findings, options, read_bytes, warnings};
use super::columns::{GoesTo, Naming, TABLE};
use crate::domain::account::RowText;
use crate::domain::change::Joining;
use crate::domain::decimal::DecimalSign;
use crate::domain::format::Format;
use crate::domain::level::Level;
use crate::domain::rules::{Levels, Rule};
use crate::domain::value::Condition;

fn portal() -> Options {
    options(Format::PortalCsv)
}

/// The rows of a file with these columns beside those that tell it, and how reading it ended.
fn read(header: &str, rows: &[&str], options: &Options) -> (Vec<Record>, Result<super::super::Read, String>) {
    let lines: String = rows.iter().map(|row| format!("{ID},{row}\n")).collect();
    let text = format!("Referral ID,Deal Name,Partner Referral Status,{header}\n{lines}");
    let (rows, end) = read_bytes(text.as_bytes(), options);
    (rows, end.map_err(|problems| problems[0].message.clone()))
}

/// The only row with one cell in one column.
fn row(column: &str, cell: &str) -> Record {
    let cell = format!(",,\"{}\"", cell.replace('"', "\"\""));
    let (mut rows, end) = read(column, &[&cell], &portal());
    end.unwrap();
    rows.remove(0)
}

/// What a row asks for, or why it can't be read.
fn asked(row: &Record) -> String {
    let Ok(draft) = &row.parsed else { return findings(row) };
    if findings(row) != "ok" {
        return findings(row);
    }
    let mut asked = Vec::new();
    asked.extend(draft.status.as_ref().map(|status| status.value.name().to_owned()));
    asked.extend(draft.substatus.as_ref().map(|stage| stage.value.substatus().to_owned()));
    asked.extend(draft.sets.iter().map(|set| {
        let (path, wanted) = &set.value;
        let mark = match wanted.condition() {
            Condition::Always => "",
            Condition::OtherDay => "~",
            Condition::Closing => "?",
        };
        format!("{path}{mark}={}", wanted.raw().get())
    }));
    asked.extend(draft.appends.iter().map(|append| {
        let append = &append.value;
        let mark = match append.joining {
            Joining::Append => "+",
            Joining::Update => "*",
            Joining::First => "!",
        };
        format!("{}{mark}={}", append.field.pointer(), append.element.get())
    }));
    asked.extend(
        draft
            .shown
            .iter()
            .map(|shown| format!("({} {})", shown.value.counterpart.pointer(), shown.value.text)),
    );
    asked.join(" ")
}

#[test]
fn every_column_of_the_table_is_read_as_it_says() {
    for column in TABLE {
        let name = match column.naming {
            Naming::Whole => column.name.to_owned(),
            Naming::Numbered => format!("{} 7", column.name),
            Naming::Beginning => format!("{} 7 *", column.name),
        };
        let told_by = ["Referral ID", "Deal Name", "Partner Referral Status"].contains(&column.name);
        let (rows, end) = read(if told_by { "Errors" } else { &name }, &[",,x"], &portal());
        let notes = end.unwrap().notes.join("\n");
        assert!(!notes.contains("unknown"), "{name}: {notes}");
        if column.goes_to == GoesTo::Nothing {
            assert_eq!(asked(&rows[0]), "", "{name}");
        }
    }
}

#[test]
fn every_sort_of_value() {
    for (column, cell, wanted) in [
        ("Partner Referral Substatus", "Won", "Won"),
        ("Partner Referral Substatus", "lost", "Lost"),
        ("Partner Referral Substatus", "Error", "type@4"),
        ("Partner Referral Substatus", "Created", "type@4"),
        ("Partner Referral Substatus", "Negotiated", "type@4"),
        ("Partner Referral Substatus", "\\N", "type@4"),
        ("Sales Stage", "40%", "/salesStage=\"40\""),
        ("Sales Stage", "Propose", "/salesStage=\"Propose\""),
        ("Sales Stage", "0.4", "type@4"),
        ("Sales Stage", "#REF!", "spreadsheet-error@4"),
        ("Estimated Close Date", "1/30/2028", "/details/closingDateTime~=\"2028-01-30T00:00:00Z\""),
        ("Estimated Close Date", "31.12.2026", "type@4"),
        ("Estimated Deal Value", "12,563.50", "/details/dealValue=12563.50"),
        ("Estimated Deal Value", "$12,563.50", "type@4"),
        ("Estimated Deal Value", "12.500", "decimal-sign@4"),
        ("Currency", "EUR", "/details/currency=\"EUR\""),
        ("CRM ID", "000123", "/externalReferenceId=\"000123\""),
        ("CRM ID", "'-12", "/externalReferenceId=\"-12\""),
        ("CRM ID", "'12", "/externalReferenceId=\"'12\""),
        ("Marketing Campaign ID", "C-1", "/campaignId=\"C-1\""),
        ("Notes", "'=SUM(A1)", "/details/notes=\"=SUM(A1)\""),
        ("Notes", "#NAME?", "spreadsheet-error@4"),
        ("Notes", "\\N", "clear@4"),
        (
            "Share with Microsoft sales team",
            "yes",
            "/consent/consentToShareReferralWithMicrosoftSellers=true",
        ),
        ("Share with Microsoft sales team", "No", "(/consent/consentToShareReferralWithMicrosoftSellers No)"),
        ("Share with Microsoft sales team", "true", "type@4"),
        ("Solution 1", "SOL-1", "/details/requirements/solutions*={\"id\":\"SOL-1\"}"),
        ("Solution 2", "a,b,c,d,e", "type@4"),
        (
            "Team member 3",
            "Ann, Lee, +1 555 0100, ann@example.com",
            "/team*={\"firstName\":\"Ann\",\"lastName\":\"Lee\",\"phoneNumber\":\"+1 555 0100\",\"email\":\"ann@example.com\"}",
        ),
        ("Team member 3", "Ann, Lee, ann@example.com", "type@4"),
        (
            "Customer Contact Email Address",
            "a@example.com",
            "/customerProfile/team!={\"email\":\"a@example.com\"}",
        ),
        ("Customer Contact Email Address", "a at example", "type@4"),
        ("Customer Name", "Contoso", "(/customerProfile/name Contoso)"),
        ("Engagement ID", "E", "(/engagementId E)"),
        ("Created Date *", "1/2/2026", "(/createdDateTime 2026-01-02)"),
        // Columns that any change file may have stand beside the file's own.
        ("statusReason", "No budget", "/statusReason=\"No budget\""),
        ("eTag", "\"v1\"", ""),
        ("result.outcome", "invalid", ""),
    ] {
        assert_eq!(asked(&row(column, cell)), wanted, "{column}: {cell}");
    }
    let no_address = row("Customer Contact Last Name", "Lee");
    assert_eq!((asked(&no_address).as_str(), warnings(&no_address).as_str()), ("", "portal-read-only@4"));
}

#[test]
fn a_price_is_written_as_the_numbers_of_its_file_are() {
    use DecimalSign::{Comma, Point};
    const HEADER: &str = "Estimated Deal Value,Solution 1";
    let price = |price: &str| format!(r#"/details/requirements/solutions*={{"id":"S","price":{price}}}"#);
    for (said, value, cell, wanted, is_in_doubt) in [
        (None, "", "1250.50", price("1250.50"), false),
        (None, "", "12.500", "decimal-sign@5".to_owned(), false),
        (Some(Comma), "", "12.500", price("12500"), false),
        (Some(Point), "", "12.500", price("12.500"), false),
        (Some(Comma), "", "1250.50", "type@5".to_owned(), false),
        (None, "\"7,5\"", "1250.50", format!("/details/dealValue=7.5 {}", price("1250.50")), true),
        (None, "7.5", "1250.50", format!("/details/dealValue=7.5 {}", price("1250.50")), false),
    ] {
        let options = Options { decimal: said, ..portal() };
        let (rows, end) = read(HEADER, &[&format!(",,{value},\"S,,{cell}\"")], &options);
        let got = (asked(&rows[0]), end.unwrap().contradiction.is_some());
        assert_eq!(got, (wanted, is_in_doubt), "{said:?} {value} {cell}");
    }
}

#[test]
fn a_reason_counts_with_a_closing_that_takes_one() {
    for (substatus, reason, wanted) in [
        ("Lost", "2", "Lost /statusReason?=\"No response\""),
        ("Declined", "8", "Declined /statusReason?=\"Others\""),
        ("Lost", "9", "type@5"),
        ("Lost", "Budget", "type@5"),
        ("Lost", "", "Lost"),
        ("Won", "2", "Won portal-read-only@5"),
        ("Won", "77", "Won portal-read-only@5"),
        ("Accepted", "2", "Accepted portal-read-only@5"),
        ("Won", "", "Won"),
        ("", "2", "/statusReason?=\"No response\""),
        ("", "77", "type@5"),
    ] {
        for column in ["Declined/Lost reason", "Declined/Lost/Error reason", "Decline/Lost/Error reason *"] {
            let header = format!("Partner Referral Substatus,{column}");
            let (rows, _) = read(&header, &[&format!(",,{substatus},{reason}")], &portal());
            let told = [asked(&rows[0]), warnings(&rows[0])].join(" ");
            assert_eq!(told.trim(), wanted, "{substatus} {reason}");
        }
    }
}

#[test]
fn a_row_without_ids_would_create_a_deal() {
    let header = "Referral ID,Engagement ID,Deal Name,Partner Referral Status\n";
    for (row, wanted) in [
        (",,New deal,New", "the row has neither a Referral ID nor an Engagement ID"),
        (",E-1,A deal,New", "the row has an Engagement ID, and no Referral ID"),
        ("R-1,E-1,A deal,New", "\"R-1\""),
    ] {
        let (rows, _) = read_bytes(format!("{header}{row}\n").as_bytes(), &portal());
        let rejected = rows[0].parsed.as_ref().unwrap_err();
        assert_eq!(rejected.findings.len(), 1, "{row}");
        assert!(rejected.findings[0].message.contains(wanted), "{row}: {:?}", rejected.findings);
    }
}

#[test]
fn the_name_of_a_deal_is_sent_where_the_user_opted_into_it() {
    let cells = ["New name,,"];
    let (rows, _) = read("Notes", &cells, &portal());
    assert_eq!(asked(&rows[0]), "(/name New name)");
    let mut opted = portal();
    opted.allow_paths.insert(crate::domain::pointer::Pointer::parse("/name").unwrap());
    assert_eq!(asked(&read("Notes", &cells, &opted).0[0]), "/name=\"New name\"");
    let mut levels = Levels::default();
    levels.set(Rule::UnconfirmedPath, Level::Warn).unwrap();
    assert_eq!(asked(&read("Notes", &cells, &Options { levels, ..portal() }).0[0]), "/name=\"New name\"");
}

#[test]
fn a_header_is_one_of_partner_centers_where_no_change_file_has_it() {
    let header = format!("Referral ID,Partner Referral Status\n{ID},Active\n");
    let told = |text: &str, options: &Options| {
        let (_, end) = read_bytes(text.as_bytes(), options);
        end.map(|read| read.info.format.name()).map_err(|problems| problems[0].message.clone())
    };
    let csv = options(Format::Csv);
    let named = header.replace("Status\n", "Status,Deal Name\n");
    let alone = Options { left_alone: vec!["Deal Name".to_owned()], ..csv.clone() };
    for (text, options, wanted) in [
        (&header, &csv, Ok("csv")),
        (&named, &csv, Ok("portal-csv")),
        (&named, &alone, Ok("csv")),
        (&named, &portal(), Ok("portal-csv")),
        (&header, &portal(), Err("the header is none of Partner Center's: it lacks Deal Name")),
        (&named.replace(",Deal", ",Notez,Deal"), &csv, Err("unknown column \"Notez\"")),
        (&named.replace(",Deal", ",Owner,Deal"), &csv, Ok("portal-csv")),
        (&named.replace(",Deal", ",Solution 51,Deal"), &csv, Err("unknown column \"Solution 51\"")),
        (&named.replace("Referral ID", "Engagement ID"), &csv, Err("no column holds the referral's id")),
        (&named.replace(",Deal", ",Notes,Notes,Deal"), &csv, Err("column \"Notes\" stands in column 3")),
        (
            &header.replace("Partner Referral Status", "Registration Type,Contract Value"),
            &csv,
            Err("the file holds"),
        ),
        (
            &header.replace("Partner Referral Status", "Deal Type\tDeal Direction").replace(',', "\t"),
            &csv,
            Err("the file is a download of"),
        ),
    ] {
        let got = told(text, options);
        match (&got, wanted) {
            (Ok(got), Ok(wanted)) => assert_eq!(*got, wanted, "{text}"),
            (Err(got), Err(wanted)) => assert!(got.starts_with(wanted), "{text}: {got}"),
            _ => panic!("{text}: {got:?}"),
        }
    }
}

#[test]
fn one_date_with_the_day_in_front_casts_doubt_on_all() {
    let (rows, end) = read("Estimated Close Date", &[",,03/04/2027", ",,31/12/2026"], &portal());
    assert_eq!(findings(&rows[1]), "type@4");
    let why = end.unwrap().date_contradiction.unwrap();
    assert_eq!(why, "how the file writes dates is in doubt: \"31/12/2026\" on line 3 has the day in front");
    for ragged in [",,31/12/2026,more", ",,and more,31-Dec-26"] {
        let (rows, end) = read("Estimated Close Date", &[",,03/04/2027", ragged], &portal());
        assert_eq!(findings(&rows[1]), "ragged-row@5");
        assert!(end.unwrap().date_contradiction.is_some(), "{ragged}");
        let (_, end) = read("Notes", &[",,03/04/2027", ragged], &portal());
        assert_eq!(end.unwrap().date_contradiction, None);
    }
    let (_, end) = read("Estimated Close Date", &[",,03/04/2027", ",,13/13/2026"], &portal());
    assert_eq!(end.unwrap().date_contradiction, None);
}

#[test]
fn letters_of_windows_1252_are_read() {
    let text = format!(
        "Referral ID,Deal Name,Partner Referral Status,Notes,Propri\u{e9}taire\n{ID},,,Gr\u{fc}\u{df}e €,\n"
    );
    let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(&text);
    let (rows, end) = read_bytes(&bytes, &portal());
    let end = end.unwrap();
    assert_eq!(asked(&rows[0]), "/details/notes=\"Grüße €\"");
    assert_eq!(end.info.form.encoding, crate::domain::text_form::Encoding::Utf8Marked);
    let RowText::Cells(cells) = &rows[0].text else { panic!() };
    assert_eq!(cells[3], "Grüße €");
    let mut mixed = bytes.clone().into_owned();
    mixed.extend(format!("{ID},,,Müller,\n").as_bytes());
    let (_, end) = read_bytes(&mixed, &portal());
    assert_eq!(end.unwrap_err()[0].message, "line 3 holds letters in UTF-8, and line 1 in another encoding");
    for (before, name, cell, wanted) in [
        (
            "",
            b"Propri\x8d".as_slice(),
            b"x".as_slice(),
            Some("the cell holds the byte 0x8d, which is no letter"),
        ),
        ("", b"Propri\xe9", b"Gr\xfc\xdfe", None),
        ("", b"Propri\xe9", "Grüße".as_bytes(), Some("line 2 holds letters in UTF-8, and line 1 in another")),
        (
            "",
            "Proprié".as_bytes(),
            b"Gr\xfc\xdfe",
            Some("line 1 holds letters in UTF-8, and line 2 in another"),
        ),
        ("\u{feff}", b"Propri\xe9", b"x", Some("the column name \"Propri\u{fffd}\" is not valid UTF-8")),
    ] {
        let header = format!("{before}Referral ID,Deal Name,Partner Referral Status,Notes,");
        let text = [header.as_bytes(), name, b"\n", ID.as_bytes(), b",,,", cell, b",\n"].concat();
        let (_, end) = read_bytes(&text, &portal());
        let got = end.err().map(|problems| problems[0].message.clone());
        let is_told = got.as_deref().zip(wanted).is_some_and(|(got, wanted)| got.starts_with(wanted));
        assert!(is_told || got.is_none() && wanted.is_none(), "{got:?}, wanted {wanted:?}");
    }
    let (rows, _) = read_bytes(
        &[b"id,notes\n".as_slice(), ID.as_bytes(), b",Gr\xfc\xdfe\n"].concat(),
        &options(Format::Csv),
    );
    assert_eq!(findings(&rows[0]), "encoding@2");
}

#[test]
fn a_file_in_another_language_is_read_by_what_its_columns_are_mapped_to() {
    let mapped = |column: &str, field: &str| crate::domain::run_spec::MappedColumn {
        column: column.to_owned(),
        field: field.to_owned(),
        from_settings: false,
    };
    let options = Options {
        mapped: vec![
            mapped("Empfehlungs-ID", "id"),
            mapped("Abschlussdatum", "closingDateTime"),
            mapped("Unterstatus", "substatus"),
            mapped("Grund", "statusReason"),
        ],
        ..portal()
    };
    let text =
        format!("Empfehlungs-ID;Firma;Unterstatus;Grund;Abschlussdatum\n{ID};Muster AG;Lost;2;1/30/2028\n");
    let (rows, end) = read_bytes(text.as_bytes(), &options);
    assert_eq!(end.unwrap().info.format, Format::PortalCsv);
    let wanted = "Lost /details/closingDateTime~=\"2028-01-30T00:00:00Z\" /statusReason?=\"No response\"";
    assert_eq!(asked(&rows[0]), wanted);
    let (_, end) = read_bytes(text.as_bytes(), &portal());
    let unsaid =
        read_bytes(text.replace("Empf", ";;Empf").as_bytes(), &super::super::tests::options(Format::Csv))
            .1
            .unwrap_err();
    assert_eq!(unsaid[0].message, "no column is known by its name");
    let problem = &end.unwrap_err()[0];
    assert!(problem.hint.as_ref().unwrap().as_str().contains("map COLUMN=FIELD"), "{problem:?}");
}

#[test]
fn what_is_no_letter_of_windows_1252_is_refused() {
    let file = |mark: &[u8], byte: u8| {
        let head = "Referral ID,Deal Name,Partner Referral Status,Notes\n";
        [mark, head.as_bytes(), ID.as_bytes(), b",,,G\xfc x", &[byte], b"\n"].concat()
    };
    for byte in 0x80..=0xff {
        let is_letter = ![0x81, 0x8d, 0x8f, 0x90, 0x9d].contains(&byte);
        let (_, end) = read_bytes(&file(b"", byte), &portal());
        let end = end.map(drop).map_err(|problems| (problems[0].place.clone(), problems[0].message.clone()));
        let why =
            format!("the cell holds the byte 0x{byte:02x}, which is no letter in UTF-8 nor in Windows-1252");
        assert_eq!(end.is_ok(), is_letter, "{byte:02x}");
        assert!(end.err().is_none_or(|(place, said)| place.ends_with(":2:4") && said == why), "{byte:02x}");
    }
    // With the mark of UTF-8, a broken letter is one.
    let (rows, end) = read_bytes(&file(b"\xef\xbb\xbf", b'y'), &portal());
    assert_eq!((asked(&rows[0]).as_str(), end.is_ok()), ("encoding@4", true));
}
