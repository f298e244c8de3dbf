//! Whole workbooks, made part by part.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::super::context::InputContext;
use super::super::tests::{ID, findings, options, read_bytes, spelled, warnings};
use super::super::{Options, Problem, Record};
use super::copy;
use super::package::{Limits, Package};
use crate::domain::account::RowText;
use crate::domain::format::Format;

const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml";

/// The formats of cells: none, a day, a duration.
const STYLES: &str = r#"<styleSheet><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd\ hh:mm"/></numFmts>
<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="46"/></cellXfs></styleSheet>"#;

/// A workbook while it is made.
pub(super) struct Book {
    parts: Vec<(String, Vec<u8>)>,
    sheets: String,
    links: String,
    epoch: &'static str,
    strings: String,
}

impl Book {
    pub fn new() -> Self {
        let [sheets, links, strings] = [(); 3].map(|()| String::new());
        Self { parts: Vec::new(), sheets, links, epoch: "", strings }
    }

    /// Adds a sheet with these rows, each `<row>…</row>`.
    pub fn sheet(self, name: &str, rows: &str) -> Self {
        self.part_of(name, "worksheet", "", &format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"))
    }

    /// Adds a sheet of this kind and state, with the text of its part.
    fn part_of(mut self, name: &str, kind: &str, state: &str, text: &str) -> Self {
        let number = self.parts.len() + 1;
        self.parts.push((format!("xl/worksheets/sheet{number}.xml"), text.as_bytes().to_vec()));
        self.sheets += &format!(r#"<sheet name="{name}" sheetId="{number}" {state} r:id="rId{number}"/>"#);
        self.links += &format!(
            r#"<Relationship Id="rId{number}" Type="http://x/relationships/{kind}" Target="worksheets/sheet{number}.xml"/>"#
        );
        self
    }

    fn strings(mut self, strings: &str) -> Self {
        strings.clone_into(&mut self.strings);
        self
    }

    fn since_1904(mut self) -> Self {
        self.epoch = r#"<workbookPr date1904="1"/>"#;
        self
    }

    /// Its bytes, with these parts in place of its own or besides them.
    fn with(&self, others: &[(&str, &[u8])]) -> Vec<u8> {
        let types =
            format!(r#"<Types><Override PartName="/xl/workbook.xml" ContentType="{WORKBOOK}"/></Types>"#);
        let link = r#"<Relationships><Relationship Id="rId1" Type="http://x/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
        let workbook = format!("<workbook>{}<sheets>{}</sheets></workbook>", self.epoch, self.sheets);
        let links = format!("<Relationships>{}</Relationships>", self.links);
        let strings = format!("<sst>{}</sst>", self.strings);
        let mut parts: Vec<(String, Vec<u8>)> = [
            ("[Content_Types].xml", types.as_str()),
            ("_rels/.rels", link),
            ("xl/workbook.xml", &workbook),
            ("xl/_rels/workbook.xml.rels", &links),
            ("xl/styles.xml", STYLES),
            ("xl/sharedStrings.xml", &strings),
        ]
        .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
        .into();
        parts.extend(self.parts.clone());
        for (name, bytes) in others {
            parts.retain(|(other, _)| other != name);
            parts.push(((*name).to_owned(), bytes.to_vec()));
        }
        packed(&parts)
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.with(&[])
    }
}

fn packed(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        archive.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A row of inline texts, from column A on.
fn texts(number: u32, cells: &[&str]) -> String {
    let cell = |text: &&str| format!(r#"<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>"#);
    format!(r#"<row r="{number}">{}</row>"#, cells.iter().map(cell).collect::<String>())
}

fn xlsx() -> Options {
    options(Format::Xlsx)
}

fn rows_of(bytes: &[u8], options: &Options) -> (Vec<Record>, Vec<String>) {
    let (rows, end) = read_bytes(bytes, options);
    let notes = end.unwrap_or_else(|problems| panic!("{problems:?}")).notes;
    (rows, notes.into_iter().map(|note| note.replace("standard input: ", "")).collect())
}

fn refused(bytes: &[u8], options: &Options) -> Problem {
    let (rows, end) = read_bytes(bytes, options);
    assert!(rows.is_empty(), "{rows:?}");
    let problem = end.unwrap_err().remove(0);
    assert!(problem.hint.is_some(), "{problem}");
    problem
}

/// A workbook with one row, of which the cell in column B is this one.
fn with_cell(column: &str, cell: &str) -> Book {
    let row = format!(r#"<row r="2"><c r="A2" t="inlineStr"><is><t>{ID}</t></is></c>{cell}</row>"#);
    Book::new()
        .sheet("Deals", &(texts(1, &["id", column]) + &row))
        .strings("<si><t>0123</t></si><si><r><t xml:space=\"preserve\">Call </t></r><r><t>Nora</t></r></si>")
}

/// Checks what a cell of a column comes to: what it sets, or what is found.
fn check(column: &str, cell: &str, wanted: &str) {
    let (rows, _) = rows_of(&with_cell(column, cell).bytes(), &xlsx());
    assert_eq!(rows.len(), 1, "{cell}");
    let got = match &rows[0].parsed {
        Ok(draft) => {
            let sets = draft.sets.iter().map(|set| set.value.1.raw().get().to_owned());
            sets.chain(draft.substatus.iter().map(|stage| stage.value.to_string()))
                .collect::<Vec<_>>()
                .join(" ")
        }
        Err(_) => findings(&rows[0]),
    };
    assert_eq!(got, wanted, "{column} {cell}");
}

#[test]
fn cells_are_read_by_their_type() {
    for (column, cell, wanted) in [
        ("dealValue", r#"<c r="B2"><v>12500.5</v></c>"#, "12500.5"),
        ("dealValue", r#"<c r="B2"><v>12.125</v></c>"#, "12.125"),
        ("dealValue", r#"<c r="B2" t="n"><v>1.25E3</v></c>"#, "1250"),
        ("dealValue", r#"<c r="B2" t="inlineStr"><is><t>12.125</t></is></c>"#, "decimal-sign@2"),
        ("dealValue", r#"<c r="B2"><v>123456789012345.5</v></c>"#, "123456789012345.5"),
        ("dealValue", r#"<c r="B2"><v>1234567890123456</v></c>"#, "type@2"),
        ("dealValue", r#"<c r="B2"><v>-1E15</v></c>"#, "type@2"),
        ("notes", r#"<c r="B2"><v>12345678901234567890</v></c>"#, "type@2"),
        ("dealValue", r#"<c r="B2" t="e"><v>#REF!</v></c>"#, "type@2"),
        ("dealValue", r#"<c r="B2" s="1"><v>46387</v></c>"#, "type@2"),
        ("dealValue", r#"<c r="B2"><f>A1*2</f><v>5</v></c>"#, "5"),
        ("dealValue", r#"<c r="B2"><f>A1*2</f></c>"#, "type@2"),
        ("dealValue", r#"<c r="B2"><f>A1*2</f><v></v></c>"#, "type@2"),
        ("dealValue", r#"<c r="B2" t="str"><f>IF(A1,1,"")</f><v></v></c>"#, ""),
        ("dealValue", r#"<c r="B2" s="1"/>"#, ""),
        ("closingDateTime", r#"<c r="B2" s="1"><v>46387</v></c>"#, "\"2026-12-31T00:00:00Z\""),
        ("closingDateTime", r#"<c r="B2" s="1"><v>46387.75</v></c>"#, "\"2026-12-31T18:00:00Z\""),
        ("closingDateTime", r#"<c r="B2" t="d"><v>2026-12-31T00:00:00</v></c>"#, "\"2026-12-31T00:00:00Z\""),
        ("closingDateTime", r#"<c r="B2"><v>46387</v></c>"#, "type@2"),
        ("closingDateTime", r#"<c r="B2" s="1"><v>0.5</v></c>"#, "type@2"),
        ("closingDateTime", r#"<c r="B2" s="2"><v>46387</v></c>"#, "type@2"),
        ("closingDateTime", r#"<c r="B2" t="inlineStr"><is><t>31.12.2026</t></is></c>"#, "type@2"),
        ("externalReferenceId", r#"<c r="B2" t="s"><v>0</v></c>"#, "\"0123\""),
        ("externalReferenceId", r#"<c r="B2"><v>123</v></c>"#, "type@2"),
        ("externalReferenceId", r#"<c r="B2"><v>12345678901234567890</v></c>"#, "type@2"),
        ("externalReferenceId", r#"<c r="B2" s="1"><v>46387</v></c>"#, "type@2"),
        ("externalReferenceId", r#"<c r="B2" t="b"><v>1</v></c>"#, "type@2"),
        ("campaignId", r#"<c r="B2"><v>7</v></c>"#, "type@2"),
        ("eTag", r#"<c r="B2"><v>7</v></c>"#, "type@2"),
        ("referralId", r#"<c r="B2"><v>7</v></c>"#, "id@2"),
        ("notes", r#"<c r="B2"><v>2026</v></c>"#, "\"2026\""),
        ("notes", r#"<c r="B2" t="s"><v>1</v></c>"#, "\"Call Nora\""),
        ("notes", r#"<c r="B2" t="str"><f>A1&amp;"x"</f><v>=x &amp; y</v></c>"#, "\"=x & y\""),
        ("notes", r#"<c r="B2" t="e"><v>#N/A</v></c>"#, "spreadsheet-error@2"),
        ("notes", r#"<c r="B2"><f>A1</f></c>"#, "type@2"),
        ("notes", r#"<c r="B2" s="2"><v>0.5</v></c>"#, "type@2"),
        ("substatus", r#"<c r="B2" t="inlineStr"><is><t>Lost</t></is></c>"#, "Closed/Lost"),
        ("consentToShareReferralWithMicrosoftSellers", r#"<c r="B2" t="b"><v>1</v></c>"#, "true"),
        ("result.code", r#"<c r="B2"><f>A1</f></c>"#, ""),
        ("(Do Not Modify) Opportunity", r#"<c r="B2"><f>A1</f></c>"#, ""),
    ] {
        check(column, cell, wanted);
    }
}

/// What the user says of text has nothing to do with a number that is typed as one.
#[test]
fn a_decimal_sign_is_that_of_text_alone() {
    use crate::domain::decimal::DecimalSign::Comma;
    let number = r#"<c r="B2"><v>12500.5</v></c>"#;
    let text = r#"<row r="3"><c r="A3" t="inlineStr"><is><t>0c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6f</t></is></c><c r="B3" t="inlineStr"><is><t>12,5</t></is></c></row>"#;
    let row = format!(r#"<row r="2"><c r="A2" t="inlineStr"><is><t>{ID}</t></is></c>{number}</row>"#);
    let book = Book::new().sheet("Deals", &(texts(1, &["id", "dealValue"]) + &row + text)).bytes();
    for decimal in [None, Some(Comma)] {
        let (rows, end) = read_bytes(&book, &Options { decimal, ..xlsx() });
        assert_eq!(rows.iter().map(findings).collect::<Vec<_>>(), ["ok", "ok"]);
        assert_eq!(end.unwrap().contradiction, None);
    }
}

/// What is said of a number that no day belongs to, though it is shown as one.
#[test]
fn a_number_that_is_no_day_is_told_as_that() {
    for (cell, wanted) in [
        (
            r#"<c r="B2" s="1"><v>-1</v></c>"#,
            "the cell shows the number -1 as a date, and there is no such day",
        ),
        (
            r#"<c r="B2" s="1"><v>60</v></c>"#,
            "the cell shows the number 60 as a date, and there is no such day",
        ),
        (
            r#"<c r="B2" s="1"><v>2958466</v></c>"#,
            "the cell shows the number 2958466 as a date, and there is no such day",
        ),
        (r#"<c r="B2" s="1"><v>0.5</v></c>"#, "the cell holds a time without a day"),
        (r#"<c r="B2" s="2"><v>1.5</v></c>"#, "the cell holds a time without a day"),
    ] {
        let (rows, _) = rows_of(&with_cell("closingDateTime", cell).bytes(), &xlsx());
        let found = &rows[0].parsed.as_ref().unwrap_err().findings[0];
        assert_eq!(found.message.as_str(), format!("/details/closingDateTime: {wanted}"));
    }
}

#[test]
fn dates_are_counted_from_1904_where_the_workbook_says_so() {
    let book = with_cell("closingDateTime", r#"<c r="B2" s="1"><v>44925</v></c>"#).since_1904();
    let (rows, _) = rows_of(&book.bytes(), &xlsx());
    let draft = rows[0].parsed.as_ref().unwrap();
    assert_eq!(draft.sets[0].value.1.raw().get(), "\"2026-12-31T00:00:00Z\"");
}

#[test]
fn rows_keep_their_places_and_types() {
    let sheet = [
        texts(1, &["Referrals"]),
        texts(3, &["id", "notes", "", "dealValue"]),
        format!(r#"<row r="4"><c r="A4" t="inlineStr"><is><t>{ID}</t></is></c><c r="D4"><v>5</v></c></row>"#),
        r#"<row r="5"><c r="A5" s="1"/></row>"#.to_owned(),
        texts(9, &["", "no id"]),
    ];
    let (rows, notes) = rows_of(&Book::new().sheet("Deals", &sheet.concat()).bytes(), &xlsx());
    assert_eq!(
        notes,
        [
            "the header is row 3; 1 row above it were not read",
            "skipped 4 rows without content, the first in row 5",
            "skipped 1 column without name and content, the first is C",
        ]
    );
    assert_eq!(rows.iter().map(|row| row.place.line).collect::<Vec<_>>(), [4, 9]);
    let RowText::Sheet(cells) = &rows[0].text else { panic!("a number is no text: {:?}", rows[0].text) };
    assert_eq!(serde_json::to_string(cells).unwrap(), format!(r#"["{ID}","","",{{"number":"5"}}]"#));
    assert_eq!(rows[1].text, RowText::Cells(vec![String::new(), "no id".to_owned()]));
    assert_eq!(warnings(&rows[0]), "");
}

#[test]
fn what_is_no_row_is_told_in_a_workbooks_words() {
    let data = texts(2, &[ID, "x"]);
    for (rows, rule, message) in [
        (
            texts(1, &["id", "notes"]) + &texts(2, &[ID, "x", "y"]),
            "ragged-row@3",
            "column C has no name, and holds \"y\"",
        ),
        (texts(1, &["id", "", "notes"]) + &data, "ragged-row@2", "column B has no name"),
        (
            texts(1, &["id", "notes"]) + &texts(2, &["Total", "5"]),
            "id@1",
            "row 2 is no row: it looks like a line of totals",
        ),
        (
            texts(1, &["id", "notes"]) + &texts(2, &[&format!("{ID};x")]),
            "ragged-row@1",
            "row 2 is no row: all of it stands in one cell, separated by ';'",
        ),
    ] {
        let (rows, _) = rows_of(&Book::new().sheet("Deals", &rows).bytes(), &xlsx());
        assert_eq!(findings(&rows[0]), rule, "{message}");
        let found = &rows[0].parsed.as_ref().unwrap_err().findings[0];
        assert!(found.message.starts_with(message), "{}", found.message);
    }
}

#[test]
fn the_first_sheet_that_is_seen_is_read_or_the_one_that_is_named() {
    let data = |note: &str| {
        let rows = texts(1, &["id", "notes"]) + &texts(2, &[ID, note]);
        format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")
    };
    let book = Book::new()
        .part_of("Chart", "chartsheet", "", "<chartsheet/>")
        .part_of("Lookup", "worksheet", r#"state="hidden""#, &data("hidden"))
        .part_of("Deals &amp; more", "worksheet", "", &data("seen"))
        .part_of("Old", "worksheet", "", &data("old"))
        .bytes();
    for (named, wanted, note) in [
        (
            None,
            "seen",
            "read the sheet \"Deals & more\"; not read: \"Chart\" (a chart), \"Lookup\" (hidden), \"Old\"",
        ),
        (
            Some("old "),
            "old",
            "read the sheet \"Old\"; not read: \"Chart\" (a chart), \"Lookup\" (hidden), \"Deals & more\"",
        ),
        (
            Some("Lookup"),
            "hidden",
            "read the sheet \"Lookup\", which is hidden; not read: \"Chart\" (a chart), \"Deals & more\", \"Old\"",
        ),
    ] {
        let (rows, notes) = rows_of(&book, &Options { sheet: named.map(str::to_owned), ..xlsx() });
        assert_eq!(rows[0].text, RowText::Cells(vec![ID.to_owned(), wanted.to_owned()]));
        assert_eq!(notes, [note]);
    }
    for (named, wanted) in
        [("New", "the workbook has no sheet \"New\""), ("Chart", "the sheet \"Chart\" is a chart")]
    {
        let problem = refused(&book, &Options { sheet: Some(named.to_owned()), ..xlsx() });
        assert!(problem.message.starts_with(wanted), "{problem}");
        let hint = spelled(problem.hint.as_ref().unwrap());
        assert_eq!(hint, "it has \"Lookup\", \"Deals & more\", \"Old\"");
    }
}

#[test]
fn a_workbook_without_a_table_is_refused() {
    let chart = Book::new().part_of("Chart", "chartsheet", "", "<chartsheet/>");
    let hidden = Book::new().part_of("Deals", "worksheet", r#"state="veryHidden""#, "<worksheet/>");
    let above = texts(1, &["x", ID]) + &texts(2, &["id"]);
    let many = (1..=11).map(|row| texts(row, &["a title"])).collect::<String>();
    for (book, wanted, place) in [
        (Book::new(), "the workbook has no sheet", ""),
        (chart, "the workbook has no sheet of cells, only charts", ""),
        (hidden, "the workbook shows no sheet of cells: all of them are hidden", ""),
        (Book::new().sheet("Deals", ""), "the sheet \"Deals\" is empty", ""),
        (
            Book::new().sheet("Deals", &texts(1, &["status", "notes"])),
            "no column holds the referral's id",
            ":A1",
        ),
        (Book::new().sheet("Deals", &texts(7, &["id", "stauts"])), "unknown column \"stauts\"", ":B7"),
        (
            Book::new().sheet("Deals", &above),
            "B1 in the sheet \"Deals\" holds a referral's id, and stands above",
            "",
        ),
        (Book::new().sheet("Deals", &texts(1, &[ID, "x"])), "the first line holds data", ":A1"),
        (
            Book::new().sheet("Deals", &(many.clone() + &texts(12, &["id"]))),
            "none of the first 10 rows of the sheet \"Deals\" names the columns",
            "",
        ),
        (Book::new().sheet("Deals", &(many + &texts(12, &["x"]))), "unknown column \"a title\"", ":A1"),
    ] {
        let problem = refused(&book.bytes(), &xlsx());
        assert!(problem.message.starts_with(wanted), "{problem} {wanted}");
        assert_eq!(problem.place, format!("standard input{place}"));
    }
}

#[test]
fn another_file_is_told_as_what_it_is() {
    let parts = |parts: &[(&str, &str)]| {
        let owned: Vec<_> =
            parts.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
        packed(&owned)
    };
    let types = |what: &str| parts(&[("[Content_Types].xml", &format!("<Types>{what}</Types>"))]);
    let protected: Vec<u8> = [&b"\xd0\xcf\x11\xe0"[..], &[0; 70_000]]
        .concat()
        .into_iter()
        .chain("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    for (bytes, wanted) in [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), "it is a workbook of the old kind (.xls)"),
        (protected, "the workbook is protected by a password"),
        (types("application/vnd.ms-excel.sheet.binary.macroEnabled.main"), "it is a binary workbook (.xlsb)"),
        (
            types("x.wordprocessingml.document.main+xml"),
            "it is a document or a presentation, and no workbook",
        ),
        (
            parts(&[("mimetype", "application/vnd.oasis.opendocument.spreadsheet")]),
            "it is a spreadsheet in another form (.ods)",
        ),
        (parts(&[("Index/Document.iwa", "")]), "it is a spreadsheet in another form (.numbers)"),
        (parts(&[("a.csv", "id")]), "the file is an archive without a workbook in it"),
        (parts(&[]), "the file is an archive without a workbook in it"),
        (b"PK\x03\x04".to_vec(), "the workbook is damaged, or its end is missing"),
        (b"id,status\n".to_vec(), "the file is text, and no workbook"),
        (
            "\u{feff}id".encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "the file is text, and no workbook",
        ),
        (b"<html>".to_vec(), "the file is a web page, or XML, and no workbook"),
        (b"\x89PNG\r\n\x1a\n\xff".to_vec(), "the file is no workbook"),
        (Vec::new(), "the file is empty"),
    ] {
        let problem = refused(&bytes, &xlsx());
        assert!(problem.message.starts_with(wanted), "{problem} {wanted}");
    }
}

#[test]
fn a_workbook_that_is_made_to_take_room_is_refused() {
    let book = with_cell("notes", r#"<c r="B2" t="s"><v>0</v></c>"#);
    let limits = Limits { free: 1 << 20, ratio: 20, strings: 1 << 18 };
    let blank = vec![b' '; 2 << 20];
    let tags = b"<c/>".repeat(1 << 19);
    let long = format!("<sst><si><t>{}</t></si></sst>", "x".repeat((1 << 20) + 1));
    let several = format!("<sst>{}</sst>", "<si><t>text</t></si>".repeat(1 << 14));
    let few = r#"<sst uniqueCount="4000000000"><si><t>a</t></si></sst>"#;
    for (name, bytes, wanted) in [
        ("xl/media/image1.png", &blank[..], Some("it unpacks to more than 20 times the size of the file")),
        ("xl/worksheets/sheet2.xml", &tags, Some("it unpacks to more than 20 times the size of the file")),
        ("xl/worksheets/sheet2.xml", &blank[..(1 << 20) - 9_999], None),
        ("xl/theme/theme1.xml", &long.as_bytes()[..(1 << 20) - 9_999], None),
        ("xl/sharedStrings.xml", several.as_bytes(), Some("its texts take more than 0 MiB")),
        ("xl/sharedStrings.xml", few.as_bytes(), Some("it says that it has more texts than it holds")),
    ] {
        assert_eq!(package_error(&book.with(&[(name, bytes)]), limits).as_deref(), wanted, "{name}");
    }
    let wanted = "a cell, or a tag, is larger than 1 MiB";
    let longer = Limits { free: 8 << 20, strings: 8 << 20, ..limits };
    for name in ["xl/sharedStrings.xml", "xl/worksheets/sheet2.xml", "xl/_rels/x.rels"] {
        let told = package_error(&book.with(&[(name, long.as_bytes())]), longer);
        assert_eq!(told.as_deref(), Some(wanted), "{name}");
    }
    // What nothing reads may be one long piece.
    for name in ["customXml/item1.xml", "xl/media/image1.png"] {
        assert_eq!(package_error(&book.with(&[(name, long.as_bytes())]), longer), None, "{name}");
    }
}

/// What is wrong with a part of a workbook, if anything is.
fn package_error(bytes: &[u8], limits: Limits) -> Option<String> {
    let options = xlsx();
    let context = InputContext::new("a.xlsx", 0, &options);
    let checked = copy::of(&context, bytes)
        .and_then(|file| Package::open(&context, file, limits)?.check_all_but("xl/worksheets/sheet1.xml"));
    let message = checked.err()?.problems()[0].message.clone();
    Some(
        message
            .rsplit_once("xml: ")
            .or(message.rsplit_once("png: "))
            .or(message.rsplit_once("rels: "))?
            .1
            .to_owned(),
    )
}

/// The sheet that is read is unpacked under the same limits.
#[test]
fn a_sheet_of_one_piece_is_refused() {
    let sheet = format!("<worksheet><sheetData>{}</sheetData></worksheet>", " ".repeat((1 << 20) + 1));
    let book = with_cell("notes", "");
    let problem = refused(&book.with(&[("xl/worksheets/sheet1.xml", sheet.as_bytes())]), &xlsx());
    assert!(problem.message.contains("a cell, or a tag, is larger than 1 MiB"), "{problem}");
}

#[test]
fn a_sheet_that_contradicts_itself_is_refused() {
    let header = texts(1, &["id", "notes"]);
    for (rows, wanted) in [
        (
            r#"<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>"#,
            "behind B2: its cells are not in order",
        ),
        (
            r#"<row r="2"><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>"#,
            "behind A2: its cells are not in order",
        ),
        (
            r#"<row r="3"><c r="A3"><v>1</v></c></row><row r="2"><c r="A2"/></row>"#,
            "behind A3: its cells are not in order",
        ),
        (r#"<row r="2"><c r="A2" t="s"><v>99</v></c></row>"#, "behind B1: "),
        (r#"<row r="2"><c r="A2" t="e"><v>#ODD</v></c></row>"#, "behind B1: "),
        (r#"<row r="99999999"/>"#, "99999999 is no place in a sheet"),
        (r#"<row r="2"><c r="A2"><v>1</c></row>"#, ""),
    ] {
        let (_, end) = read_bytes(&Book::new().sheet("Deals", &(header.clone() + rows)).bytes(), &xlsx());
        let problem = end.unwrap_err().remove(0);
        assert!(problem.message.contains(wanted) && problem.hint.is_some(), "{problem} {wanted}");
    }
}

/// Whatever is missing at the end, or differs in one byte, nothing is read that isn't there, and nothing panics.
#[test]
fn half_a_workbook_or_a_damaged_one_is_none() {
    let whole = with_cell("notes", r#"<c r="B2" t="s"><v>0</v></c>"#).bytes();
    let sound = RowText::Cells(vec![ID.to_owned(), "0123".to_owned()]);
    for length in (4..whole.len()).step_by(7) {
        let (rows, end) = read_bytes(&whole[..length], &xlsx());
        assert!(rows.is_empty() && end.is_err(), "{length}");
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        let (rows, _) = read_bytes(&bytes, &xlsx());
        assert!(rows.iter().all(|row| row.text == sound), "{at}: {rows:?}");
    }
}
