//! Lines, and the rows that they make.

use super::*;

#[test]
fn everything_wrong_with_a_row_is_told_at_once() {
    let row = only(&format!("id,status,details.dealValue,details.currency\n{ID},Actve,1e5,euro\n"), &csv());
    assert_eq!(findings(&row), "type@2 type@3 type@4");
    let Err(rejected) = &row.parsed else { panic!() };
    assert_eq!(rejected.id.map(|id| id.to_string()).as_deref(), Some(ID));
    assert_eq!(rejected.findings[0].message, "\"Actve\" is no status");
    assert_eq!(
        rejected.findings[0].hint.as_ref().map(Wording::as_str),
        Some("did you mean Active? known are New, Active, Closed")
    );
    assert!(rejected.findings.iter().all(|finding| finding.place.line == 2 && finding.hint.is_some()));
}

#[test]
fn rows_out_of_form_are_findings() {
    for (text, wanted) in [
        (format!("{ID},a"), "ok"),
        (format!("{ID},a,b,c"), "ragged-row@4"),
        (format!("{ID},a,b, ,c"), "ragged-row@4"),
        (format!("{ID},a,b,, "), "ok"),
        (ID.to_owned(), "ok"),
        (format!("{ID},\"a\"b,c"), "ragged-row@2"),
        (format!("{ID},\"a\"  ,c"), "ok"),
        (format!("{ID}, \"a\",\t\"c\" "), "ok"),
        (format!("{ID}, \"a\" b,c"), "ragged-row@2"),
        (format!("{ID},a,b,{UNSOUND}"), "ragged-row@4"),
        (format!("{ID},,,,{UNSOUND}"), "ragged-row@5"),
        ("# a,b".to_owned(), "id@1"),
        ("// a".to_owned(), "id@1"),
        (",# a,b".to_owned(), "id@1"),
        ("Total,,12500".to_owned(), "id@1"),
        (",Grand Total,".to_owned(), "id@2"),
        ("Summe:,5".to_owned(), "id@1"),
        ("Confidential - do not distribute".to_owned(), "id@1"),
        (",\"two words\",".to_owned(), "id@2"),
        ("word".to_owned(), "id@1"),
        ("id,statusReason,salesStage".to_owned(), "id@1"),
        (format!("{ID};a;b"), "ragged-row@1"),
        (format!("{ID}\ta"), "ragged-row@1"),
        (format!("\"{ID},\"\"a, b\"\",c\""), "ragged-row@1"),
        ("R-1,,".to_owned(), "id@1"),
        ("R-1,x,".to_owned(), "id@1"),
        (format!("{ID},,"), "ok"),
        (format!("https://partner.example.com/referrals/{ID},,"), "ok"),
    ] {
        let row = only(&format!("id,statusReason,salesStage\n{text}\n"), &csv());
        assert_eq!(findings(&row), wanted, "{text}");
        if let Err(rejected) = &row.parsed {
            assert!(rejected.findings.iter().all(|finding| finding.hint.is_some()), "{text}");
        }
    }
}

/// What is said of lines that are no rows, from the third on, behind a row that is one.
#[test]
fn a_line_that_is_no_row_is_told_as_what_it_is() {
    for (line, wanted) in [
        ("# x", "line 3 is no row: it looks like a comment"),
        ("Total,5", "line 3 is no row: it looks like a line of totals"),
        ("id,notes", "line 3 is no row: it repeats the header"),
        ("no more rows", "line 3 is no row: it looks like a note, such as a title or a footer"),
        ("ID;x", "line 3 is no row: its cells are separated by ';', those of the header by commas"),
        ("\"ID,x\"", "line 3 is no row: all of it is one quoted cell"),
    ] {
        let text = format!("id,notes\nID,x\n{line}\n").replace("ID", ID);
        let (rows, _) = read_bytes(text.as_bytes(), &csv());
        assert!(rows[0].parsed.is_ok(), "{line}");
        let findings = &rows[1].parsed.as_ref().unwrap_err().findings;
        assert_eq!((findings.len(), findings[0].message.as_str()), (1, wanted), "{line}");
    }
}

/// Rows as `line:finding@column`, and what is noted of the file.
fn check_file(text: &str, wanted: &[&str], notes: &[&str]) {
    let text = text.replace("ID", ID);
    let (rows, end) = read_bytes(text.as_bytes(), &csv());
    let told = |row: &Record| format!("{}:{}", row.place.line, findings(row));
    assert_eq!(rows.iter().map(told).collect::<Vec<_>>(), wanted, "{text}");
    let end = end.unwrap();
    assert_eq!(end.info.rows, rows.len() as u64);
    let notes: Vec<String> = notes.iter().map(|note| format!("standard input: {note}")).collect();
    assert_eq!(end.notes, notes, "{text}");
}

#[test]
fn what_has_no_content_is_skipped_and_counted() {
    let one = "skipped 1 row without content, the first in line 2";
    for (text, wanted, notes) in [
        ("id,notes\n,\nID,x\n", &["3:ok"][..], &[one][..]),
        ("id,notes\n , \u{a0}\nID,x\n", &["3:ok"], &[one]),
        ("id,notes\n\"\",\"\"\nID,x\n", &["3:ok"], &[one]),
        ("id,notes\n,,,,\nID,x\n,\n ", &["3:ok"], &["skipped 3 rows without content, the first in line 2"]),
        (",\nid,notes\nID,x\n", &["3:ok"], &["skipped 1 row without content, the first in line 1"]),
        ("id,result.code,notes\n,type,\nID,,x\n", &["3:ok"], &["ignored result.code", one]),
        ("id,notes\n\\N,\n\"\"x,\n", &["2:type@1", "3:ragged-row@1"], &[]),
        ("id,notes\n,\"\"\"\"\n", &["2:id@1"], &[]),
        ("id,,notes,\nID,,x,\n", &["2:ok"], &["skipped 2 columns without name and content, the first is B"]),
        ("id,,notes, \nID,,x,\nID,y,x\nID,,x,z\n", &["2:ok", "3:ragged-row@2", "4:ragged-row@4"], &[]),
        (
            "id,notes,,\nID,,\nID,x,,y\n",
            &["2:ok", "3:ragged-row@4"],
            &[
                "1 row ends before the last column, the first in line 2: what is missing is taken as empty",
                "skipped 1 column without name and content, the first is C",
            ],
        ),
    ] {
        check_file(text, wanted, notes);
    }
    let (rows, end) = read_bytes(format!("id,,notes,\n{ID},,x,\n").as_bytes(), &csv());
    assert_eq!(end.unwrap().info.columns, ["id", "", "notes", ""]);
    assert_eq!(cells(&rows[0]), [ID, "", "x", ""]);
    let row = only(&format!("id{}\n{ID}{}x\n", ",".repeat(30), ",".repeat(30)), &csv());
    assert_eq!(row.parsed.unwrap_err().findings[0].message, "column AE has no name, and holds \"x\"");
}

#[test]
fn a_short_row_is_one_unless_its_line_was_broken() {
    let one = "1 row ends before the last column, the first in line 2: what is missing is taken as empty";
    let blank = "skipped 1 row without content, the first in line 3";
    for (text, wanted, notes) in [
        ("id,dealValue,notes\nID,5\nID,6,x\n", &["2:ok", "3:ok"][..], &[one][..]),
        (
            "id,dealValue,notes\nID\nID,6\n",
            &["2:ok", "3:ok"],
            &["2 rows end before the last column, the first in line 2: what is missing is taken as empty"],
        ),
        ("id,notes,dealValue\nID,half a\nline,5\n", &["2:ragged-row@2", "3:id@1"], &[]),
        ("id,notes,dealValue\nID,half a\n\nline,5\n", &["2:ragged-row@2", "4:id@1"], &[]),
        ("id,notes,dealValue\nID,half a\n \n\n\nline,5\n", &["2:ragged-row@2", "6:id@1"], &[blank]),
        ("id,notes,dealValue\nID,half a\n,,\nline,5\n", &["2:ragged-row@2", "4:id@1"], &[blank]),
        ("id,notes,dealValue,currency\nID,half a\nline,5,EUR,\n", &["2:ragged-row@2", "3:id@1 type@3"], &[]),
        (
            "id,notes,dealValue\nID,half a\nline, and more, or less\n",
            &["2:ragged-row@2", "3:id@1 type@3"],
            &[],
        ),
        ("id,notes,dealValue\nID,x\n\nID,y,5\n", &["2:ok", "4:ok"], &[one]),
        ("id,notes,dealValue\nID,x\n\nTotal,,5\n", &["2:ok", "4:id@1"], &[one]),
        ("id,notes,dealValue\nID,half a\nline\n", &["2:ragged-row@2", "3:id@1"], &[]),
        ("id,notes,dealValue\nID,\"two\nlines\"\nline,5\n", &["2:ragged-row@2", "4:id@1"], &[]),
        ("id,notes,dealValue\nID,x\nTotal,,5\n", &["2:ok", "3:id@1"], &[one]),
        (
            "id,notes,dealValue\nID,x\n,,\n",
            &["2:ok"],
            &["skipped 1 row without content, the first in line 3", one],
        ),
        ("id,notes,dealValue\nID,x\nother,line,5\n", &["2:ragged-row@2", "3:id@1"], &[]),
        (
            "id,notes,dealValue\nID,x\n\nConfidential Information - Do Not Distribute\n",
            &["2:ok"],
            &[one, "line 4 is the footer of a report, and no data"],
        ),
        ("notes,id,dealValue\nx,ID\n", &["2:ok"], &[one]),
    ] {
        check_file(text, wanted, notes);
    }
}

#[test]
fn rows_that_a_quote_takes_in_are_rows_of_their_own() {
    for (text, wanted) in [
        (
            "id,dealValue,notes\nID,5,\"a\nID,6,b\nID,7,c\"\n",
            &["2:ragged-row@3", "3:ragged-row@1", "4:ragged-row@1"][..],
        ),
        (
            "id,notes\nID,\"a\nID,b\nID,\"c\"\nID,d\n",
            &["2:ragged-row@2", "3:ragged-row@1", "4:ragged-row@1", "5:ok"],
        ),
        (
            "id,notes,dealValue\nID,\"a,5\nID,b,6\nID,\"c\",7\n",
            &["2:ragged-row@2", "3:ragged-row@1", "4:ragged-row@1"],
        ),
        ("id,notes\nID,\"a\nnot one\nID,b\"\n", &["2:ragged-row@2", "4:ragged-row@1"]),
        ("id,notes\nID,\"a\r\nID,b\r\n\"\nID,x\n", &["2:ragged-row@2", "3:ragged-row@1", "5:ok"]),
        ("id,notes\nID,\"see\nID\nand, so on\"\n", &["2:ok"]),
        ("id,notes\nID,\"one\ntwo, three\"\n", &["2:ok"]),
        ("notes,id\n\"a,ID\nb,ID\",ID\n", &["2:ragged-row@1", "3:ragged-row@1"]),
    ] {
        let text = text.replace("ID", ID);
        let (rows, _) = read_bytes(text.as_bytes(), &csv());
        let told = |row: &Record| format!("{}:{}", row.place.line, findings(row));
        assert_eq!(rows.iter().map(told).collect::<Vec<_>>(), wanted, "{text}");
        assert!(
            rows.iter().all(|row| row.parsed.as_ref().err().is_none_or(|rejected| rejected.id.is_some()))
        );
    }
    let text = format!("id,notes,dealValue\n{ID},\"a, b,5\n{ID},c,6\n{ID},\"d\",7\n");
    let (rows, _) = read_bytes(text.as_bytes(), &csv());
    assert_eq!(cells(&rows[0]), [ID, "a", " b", "5"]);
    assert_eq!(cells(&rows[1]), [ID, "c", "6"]);
    assert_eq!(cells(&rows[2]), [ID, "d\"", "7"]);
    let message = |row: &Record| row.parsed.as_ref().unwrap_err().findings[0].message.clone();
    assert_eq!(
        message(&rows[0]),
        "the quote that opens cell 2 on line 2 takes in 2 lines that look like rows"
    );
    assert_eq!(message(&rows[1]), "the line stands within the quoted cell 2 that opens on line 2");
}

#[test]
fn ragged_rows_keep_their_cells_and_name_their_referral() {
    let text = format!("id,result.code,statusReason\n{ID},x,a,b,c\n");
    let row = only(&text, &csv());
    assert_eq!(cells(&row), [ID, "a", "b", "c"]);
    let Err(rejected) = &row.parsed else { panic!() };
    assert!(rejected.id.is_some());
    assert_eq!(rejected.findings[0].message, "the row has 5 cells, the header has 3");
}

#[test]
fn a_nul_far_into_the_file_is_a_finding() {
    let row = only(&format!("id,statusReason\n{ID},a\0b\n"), &csv());
    assert_eq!(findings(&row), "type@2");
}

#[test]
fn a_row_beyond_measure_is_cut() {
    let cells_beyond = format!("id,statusReason\n{ID}{}\n{ID},fine\n", ",x".repeat(MAX_CELLS));
    let cell = format!(",{}", "x".repeat(MAX_CELL));
    let bytes_beyond = format!("id,statusReason\n{ID}{}\n{ID},fine\n", cell.repeat(17));
    for text in [cells_beyond, bytes_beyond] {
        let (rows, _) = read_bytes(text.as_bytes(), &csv());
        assert_eq!(rows.iter().map(findings).collect::<Vec<_>>(), ["size@1", "ok"]);
        assert!(matches!(&rows[0].parsed, Err(rejected) if rejected.id.is_some()));
    }
}

#[test]
fn lines_are_counted_through_blank_lines_and_cells_of_several() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["", "id,statusReason", "", &format!("{ID},\"one"), "two", "three\""].join(end)
            + end
            + end
            + &format!("{ID},x{end}{ID},y");
        let (rows, end_of_file) = read_bytes(text.as_bytes(), &csv());
        assert!(end_of_file.is_ok());
        assert_eq!(rows.iter().map(|row| row.place.line).collect::<Vec<_>>(), [4, 8, 9], "{end:?}");
        assert!(rows.iter().all(|row| findings(row) == "ok"));
    }
}

#[test]
fn a_lone_cr_ends_a_row_as_it_does_for_the_parser() {
    let text = format!("id,statusReason\n{ID},a\r{ID},b\n{ID},\"c\rd\"\n{ID},e\n");
    let (rows, _) = read_bytes(text.as_bytes(), &csv());
    assert_eq!(rows.iter().map(|row| row.place.line).collect::<Vec<_>>(), [2, 3, 4, 5]);
    assert_eq!(cells(&rows[2])[1], "c\rd");
}

#[test]
fn an_unclosed_quote_is_named_where_it_opens() {
    let text = format!("id,statusReason\n{ID},a\n{ID},\"b\n{ID},c\n");
    let (rows, end) = read_bytes(text.as_bytes(), &csv());
    assert_eq!(rows.len(), 1);
    let problems = end.unwrap_err();
    assert_eq!(problems[0].place, "standard input:3:2");
    assert_eq!(problems[0].message, "a quote opens here and is never closed");
}
