//! Reads one change file, from its beginning to its end.

use std::cell::RefCell;
use std::io;

use sha2::{Digest, Sha256};
use tracing::info;

use super::context::{InputContext, RowsSummary};
use super::decode::DecodedText;
use super::error::{InputError, Unusable};
use super::gzip::Content;
use super::options::Options;
use super::record::{Read, Record};
use super::{csv, decode, form, jsonl, workbook};
use crate::domain::excerpt::beginning;
use crate::domain::format::Format;
use crate::domain::text_form::{Encoding, TextForm};

/// Reads one change file and hands its data rows to `sink`, in file order.
///
/// The path `-` reads `stdin`, and needs `options.format`. `input` is the file's number in the run, counted
/// from 0, for the places of rows and findings.
///
/// # Errors
/// [`InputError::Unusable`] where the file as a whole is no change file; rows may have been delivered before.
/// [`InputError::Sink`] with the error of `sink`, after which nothing more is read.
pub fn read<E>(
    path: &str,
    stdin: Option<&mut dyn io::Read>,
    input: u32,
    options: &Options,
    sink: &mut dyn FnMut(Record) -> Result<(), E>,
) -> Result<Read, InputError<E>> {
    let context = InputContext::new(path, input, options);
    let bytes = match path {
        "-" => context.bytes(stdin)?,
        _ => Box::new(context.open()?),
    };
    let declared = form::declared(&context);
    if path == "-" {
        // Nothing is read of a stream before its form is known.
        declared.clone()?;
    }
    let hash = RefCell::new(Sha256::new());
    let mut content = context.content(bytes, &hash)?;
    let format = match declared {
        Ok(format) => format,
        Err(unknown) => {
            let head = content.head().map_err(|error| context.unreadable(&error))?;
            if workbook::is_archive(&head) { Format::Xlsx } else { return Err(unknown.into()) }
        }
    };
    context.format.set(format);
    let compressed = content.is_compressed.then(|| "compressed with gzip".to_owned());
    let (rows, mut form) = content_rows(&context, content, format, sink)?;
    let detected: Vec<String> = compressed.into_iter().chain(form.deviations()).collect();
    let mut notes = Vec::new();
    let name = context.name();
    if !detected.is_empty() {
        notes.push(format!("{name}: {}", detected.join(", ")));
    }
    if !rows.ignored.is_empty() {
        let ignored: Vec<String> = rows.ignored.iter().map(|column| beginning(column)).collect();
        notes.push(format!("{name}: ignored {}", ignored.join(", ")));
    }
    notes.extend(rows.notes.iter().map(|note| format!("{name}: {note}")));
    if rows.count == 0 {
        notes.push(format!("{name}: the file has no rows, so it changes nothing"));
    }
    info!(input, rows = rows.count, ?format, "a file was read");
    let format = if rows.is_portal && format == Format::Csv { Format::PortalCsv } else { format };
    if rows.is_windows_1252 {
        notes.push(format!(
            "{name}: read as Windows-1252, since it is not UTF-8; reports are written as UTF-8 with byte order mark"
        ));
        form.encoding = Encoding::Utf8Marked;
    }
    let (contradiction, date_contradiction) = (rows.contradiction.clone(), rows.date_contradiction.clone());
    Ok(Read { info: context.info(&hash, format, form, rows), notes, contradiction, date_contradiction })
}

/// Reads the content of a file in its format. Returns what comes of its rows, and the form of its text.
fn content_rows<E>(
    context: &InputContext<'_>,
    content: Content<'_>,
    format: Format,
    sink: &mut dyn FnMut(Record) -> Result<(), E>,
) -> Result<(RowsSummary, TextForm), InputError<E>> {
    match format {
        Format::Csv | Format::PortalCsv => {
            let text = text_of(context, content, format)?;
            let form = text.form;
            Ok((csv::read(context, text, sink)?, form))
        }
        Format::Jsonl => {
            let text = text_of(context, content, format)?;
            let form = text.form;
            Ok((jsonl::read(context, text, sink)?, form))
        }
        Format::Xlsx => Ok((workbook::read(context, content.bytes, sink)?, TextForm::default())),
        Format::Json | Format::Http => {
            let message = "this form holds legacy payloads, and apply reads CSV, JSONL and XLSX";
            Err(context.unusable(message, Some("give the file to migrate".into())).into())
        }
    }
}

/// Returns the text of a file.
fn text_of<'c>(
    context: &InputContext<'_>,
    content: Content<'c>,
    format: Format,
) -> Result<DecodedText<'c>, Unusable> {
    decode::open(content.bytes, format, Some(context)).map_err(|none| none.into_unusable(context))
}
