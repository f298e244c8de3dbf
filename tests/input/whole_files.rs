//! Files that are no change files.

use super::*;

/// A file that is no change file: its name, its bytes.
fn cases() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let text = |text: &str| text.replace("GOOD", GOOD).replace("BAD", BAD).into_bytes();
    let utf16: Vec<u8> = "id,status\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        ("unknown column", "a.csv", text("id,stauts\nGOOD,Active\n")),
        ("several unknown columns", "a.csv", text("id,stauts,Deal Valu,zzz\nGOOD,Active,1,\n")),
        ("engagementId in place of id", "a.csv", text("engagementId,status\nGOOD,Active\n")),
        ("no id at all", "a.csv", text("status,notes\nActive,x\n")),
        ("a foreign column", "a.csv", text("id,foo\nGOOD,x\n")),
        ("a pointer that nobody knows", "a.csv", text("id,/custom/rank\nGOOD,x\n")),
        ("one name twice", "a.csv", text("id,dealValue,dealValue\nGOOD,1,2\n")),
        ("an element of a list", "a.csv", text("id,team/0/email\nGOOD,x\n")),
        ("an element of a list as pointer", "a.csv", text("id,/team/0\nGOOD,x\n")),
        ("a comment above the header", "a.csv", text("# made by a tool\nid,status\nGOOD,Active\n")),
        ("a title above the header", "a.csv", text("Referrals of Q4\n\nid;status\nGOOD;Active\n")),
        ("whole rows in quotes", "a.csv", text("\"id,status\"\n\"GOOD,Active\"\n")),
        ("a separator that the header doesn't have", "a.csv", text("sep=;\nid,status\nGOOD,Active\n")),
        ("a separator that is none", "a.csv", text("sep=x\nid,status\nGOOD,Active\n")),
        ("an ambiguous column", "a.csv", text("id,email\nGOOD,x\n")),
        ("no header", "a.csv", text("GOOD,Active\nBAD,Active\n")),
        ("empty", "a.csv", Vec::new()),
        ("nothing but a byte order mark", "a.csv", b"\xef\xbb\xbf".to_vec()),
        ("nothing but line ends", "a.csv", b"\r\n\n\r\n".to_vec()),
        ("binary", "a.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\0".to_vec()),
        ("binary lines", "a.jsonl", b"PK\x03\x04\0\0\0\0\0\0\0\0".to_vec()),
        ("UTF-16 without a mark", "a.csv", utf16),
        ("a spreadsheet", "a.csv", b"PK\x03\x04\x14\0\x06\0\x08\0".to_vec()),
        ("an old spreadsheet", "a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec()),
        ("gzip", "a.csv", b"\x1f\x8b\x08\0\0\0".to_vec()),
        ("PDF", "a.csv", b"%PDF-1.7\n%\xe2\xe3".to_vec()),
        ("a web page", "a.csv", b"<!DOCTYPE html>\n<html>sign in</html>\n".to_vec()),
        (
            "JSON lines in a CSV file",
            "a.csv",
            text("{\"id\":\"GOOD\",\"status\":\"Active\"}\n").repeat(1_000),
        ),
        ("a JSON array in a CSV file", "a.csv", text("[{\"id\":\"GOOD\"},\n{\"id\":\"BAD\"}]\n")),
        (
            "CSV in a file of JSON lines",
            "a.jsonl",
            [text("id,status\n"), text("GOOD,Active\n").repeat(1_000)].concat(),
        ),
        ("an object over several lines", "a.jsonl", text("{\n  \"id\": \"GOOD\"\n}\n")),
        ("an array over several lines", "a.jsonl", text("[\n  {\"id\": \"GOOD\"}\n]\n")),
        ("a header that is not UTF-8", "a.csv", b"id,d\xe9tails\nx,y\n".to_vec()),
        ("a header of 20 MB", "a.csv", [b"id,".to_vec(), vec![b'x'; 20 << 20], b"\n".to_vec()].concat()),
        ("a quote that is never closed", "a.csv", text("id,notes\nGOOD,fine\nBAD,\"never closed\nGOOD,x\n")),
        ("a header's quote that is never closed", "a.csv", text("id,\"status\nGOOD,Active\n")),
        ("text after a header's quote", "a.csv", text("id,\"sta\"tus\nGOOD,Active\n")),
        ("a spreadsheet's extension", "a.xlsx", text("id\n")),
        ("a packed file's extension", "a.csv.gz", text("id\n")),
        ("JSON's extension", "a.json", text("[]\n")),
        ("an unknown extension", "a.dat", text("id\n")),
        ("no extension", "changes", text("id\n")),
    ]
}

#[test]
fn are_one_clear_error_and_leave_nothing_behind() {
    let service = service();
    let told = each(&cases(), |(name, file, bytes)| {
        let ran = Test::new(&format!("apply {file} {APPLY}"))
            .file(file, bytes)
            .service(&service.base)
            .code(1)
            .told_elsewhere()
            .run();
        assert_eq!(ran.stdout, "", "{name}");
        assert!(ran.stderr.contains(&format!("\n  --> {file}")), "{name} has no place: {}", ran.stderr);
        assert_eq!(ran.place.files().into_keys().collect::<Vec<_>>(), [*file], "{name}");
        format!("## {name}\n{}", ran.stderr())
    });
    assert_eq!(service.asked().len(), 0, "a service is asked before the files are read");
    golden("whole_files", &told.join("\n"));
}

#[test]
fn that_are_none_are_told() {
    let told = ["apply none.csv", "apply folder.csv", "apply folder --format csv", "apply good.csv none.csv"]
        .map(|command| {
            let place = Place::new();
            place.write("folder.csv/x", "");
            place.write("folder/x", "");
            place.write("good.csv", format!("id,status\n{GOOD},Active\n"));
            let ran =
                Test::at(&place, &format!("{command} --sandbox {APPLY}")).code(1).told_elsewhere().run();
            assert!(!place.path("run").exists(), "{command}");
            format!("$ {command}\n{}", ran.stderr())
        });
    golden("files_that_are_none", &told.join("\n"));
}

#[test]
fn without_rows_are_no_mistake() {
    for (file, text) in [
        ("a.csv", "id,status\n"),
        ("a.csv", "id"),
        ("a.csv", "id\n\n\n"),
        ("a.jsonl", "\n\n"),
        ("a.jsonl", ""),
    ] {
        let note = format!("note: {file}: the file has no rows, so it changes nothing\n");
        let test = Test::new(&format!("apply {file} --sandbox {APPLY}")).file(file, text);
        let ran = test.stderr(&note).run();
        assert_eq!(ran.summary("run")["rows"]["total"], 0, "{text:?}");
    }
}

/// The same two rows in every guise that spreadsheets give them.
#[test]
fn in_other_guises_are_read_and_said() {
    let text = format!("id,details.notes\n{GOOD},Grüße\n{BAD},\"two\nlines\"\n");
    let semicolons = text.replace(',', ";");
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
    };
    for (file, bytes, note) in [
        ("a.csv", text.clone().into_bytes(), ""),
        ("a.csv", format!("\u{feff}{text}").into_bytes(), "UTF-8 with byte order mark"),
        ("a.csv", utf16(u16::to_le_bytes), "UTF-16LE"),
        ("a.csv", utf16(u16::to_be_bytes), "UTF-16BE"),
        ("a.csv", semicolons.clone().into_bytes(), "separated by ';'"),
        ("a.tsv", text.replace(',', "\t").into_bytes(), "separated by tabs"),
        ("a.csv", text.replace('\n', "\r\n").into_bytes(), "CRLF line ends"),
        ("a.csv", text.replace("\"two\nlines\"", "two").replace('\n', "\r").into_bytes(), "CR line ends"),
        (
            "a.csv",
            format!("\u{feff}{}", semicolons.replace('\n', "\r\n")).into_bytes(),
            "UTF-8 with byte order mark, separated by ';', CRLF line ends",
        ),
    ] {
        let note = if note.is_empty() { String::new() } else { format!("note: {file}: {note}\n") };
        let ran = Test::new(&format!("apply {file} --sandbox {APPLY}")).file(file, bytes).stderr(&note).run();
        assert_eq!(ran.outcomes("run"), "2 applied", "{note}");
        assert!(ran.place.raw("run/plan.jsonl").contains("Grüße"), "{note}");
    }
}
