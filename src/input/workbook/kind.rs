//! What a file is that is read as a workbook and is none, told by its bytes.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use super::super::context::InputContext;
use super::super::error::Unusable;

/// How an archive begins.
const ARCHIVE: &[u8] = b"PK\x03\x04";

/// How a compound file begins, in which old workbooks are kept, and protected ones.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0";

/// What to do with a workbook of another kind.
pub(super) const SAVE_AS_XLSX: &str = "open it in the spreadsheet program and save it as .xlsx";

/// What to do with a file that is not whole.
pub(super) const AGAIN: &str = "copy or download it again, or save it anew in the spreadsheet program";

/// Returns whether a file that begins like this is an archive, as every workbook is.
pub(in super::super) fn is_archive(head: &[u8]) -> bool {
    head.starts_with(ARCHIVE)
}

/// Refuses a file that is no archive.
pub(super) fn check(context: &InputContext<'_>, file: &mut File) -> Result<(), Unusable> {
    let unreadable = |error: io::Error| context.unreadable(&error);
    let mut head = Vec::new();
    file.by_ref().take(512).read_to_end(&mut head).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    let refuse = |message: &str, hint: &str| Err(context.unusable(message, Some(hint.into())));
    if is_archive(&head) {
        return Ok(());
    }
    if head.starts_with(COMPOUND) {
        let is_protected = holds_encrypted_package(file).map_err(unreadable)?;
        file.rewind().map_err(unreadable)?;
        return if is_protected {
            let hint = "open it in the spreadsheet program, take the password away, and save it";
            refuse("the workbook is protected by a password", hint)
        } else {
            refuse("it is a workbook of the old kind (.xls)", SAVE_AS_XLSX)
        };
    }
    if head.is_empty() {
        return refuse("the file is empty", AGAIN);
    }
    if head.starts_with(b"PK") {
        return refuse("the file is an archive without a workbook in it", SAVE_AS_XLSX);
    }
    let text = head.trim_ascii_start();
    if text.starts_with(b"<") {
        let hint = "a page that asks to sign in may have been saved in its place: download the file again, or \
                    save it as .xlsx in the spreadsheet program";
        return refuse("the file is a web page, or XML, and no workbook", hint);
    }
    if std::str::from_utf8(&head).is_ok() || head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return refuse("the file is text, and no workbook", "give it the ending of its form, such as .csv");
    }
    refuse("the file is no workbook", SAVE_AS_XLSX)
}

/// Returns whether a compound file holds an encrypted workbook: the name of its stream stands in the directory,
/// in UTF-16.
fn holds_encrypted_package(file: &mut File) -> io::Result<bool> {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut reader = BufReader::new(file);
    let (mut window, mut block) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let count = reader.read(&mut block)?;
        if count == 0 {
            return Ok(false);
        }
        window.extend_from_slice(&block[..count]);
        if window.windows(name.len()).any(|bytes| bytes == name) {
            return Ok(true);
        }
        // The name may lie across two blocks.
        let rest = window.len().saturating_sub(name.len() - 1);
        window.drain(..rest);
    }
}

/// Returns what an archive is that holds no workbook that can be read, and what to do; told by the names and the
/// table of its parts, and by what it says that it is.
pub(super) fn of_archive<'n>(
    mut names: impl Iterator<Item = &'n str>,
    types: &str,
    says: &str,
) -> (&'static str, &'static str) {
    let holds = |what: &str| types.contains(what);
    if holds("sheet.binary") {
        return ("it is a binary workbook (.xlsb)", SAVE_AS_XLSX);
    }
    if says.contains("opendocument") {
        return if says.contains("spreadsheet") {
            ("it is a spreadsheet in another form (.ods)", SAVE_AS_XLSX)
        } else {
            ("it is a document, and no workbook", SAVE_AS_XLSX)
        };
    }
    if holds("wordprocessingml") || holds("presentationml") {
        return ("it is a document or a presentation, and no workbook", SAVE_AS_XLSX);
    }
    if names.any(|name| name.starts_with("index/") && name.ends_with(".iwa")) {
        return ("it is a spreadsheet in another form (.numbers)", "export it as Excel (.xlsx)");
    }
    ("the file is an archive without a workbook in it", "if the file is in the archive, unpack it first")
}
