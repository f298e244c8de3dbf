//! Reads one change file, from its beginning to its end.

use std::cell::RefCell;
use std::io;

use sha2::{Digest, Sha256};
use tracing::info;

use super::context::InputContext;
use super::error::InputError;
use super::options::Options;
use super::record::{Read, Record};
use super::{csv, decode, form, jsonl};
use crate::domain::account::Format;
use crate::domain::excerpt::beginning;
use crate::domain::text_form::Encoding;

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
    let context = InputContext { path, input, options };
    let bytes = match path {
        "-" => context.bytes(stdin)?,
        _ => Box::new(context.open()?),
    };
    let format = form::declared(&context)?;
    let hash = RefCell::new(Sha256::new());
    let content = context.content(bytes, &hash)?;
    let compressed = content.is_compressed.then(|| "compressed with gzip".to_owned());
    let text =
        decode::open(content.bytes, format, Some(&context)).map_err(|none| none.into_unusable(&context))?;
    let mut form = text.form;
    let detected: Vec<String> = compressed.into_iter().chain(form.deviations()).collect();
    let rows = match format {
        Format::Csv | Format::PortalCsv => csv::read(&context, text, sink)?,
        Format::Jsonl => jsonl::read(&context, text, sink)?,
        Format::Json | Format::Http => {
            let message = "this form holds legacy payloads, and apply reads CSV and JSONL";
            return Err(context.unusable(message, Some("give the file to migrate".into())).into());
        }
    };
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
