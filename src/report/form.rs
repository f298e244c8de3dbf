//! The form of row files: encoding, line ends and separator of their input, so that the program that wrote the
//! input opens them, too.
//!
//! Inputs of one format share their row files. The first of them decides then, and where another one differs,
//! planning notes it.

use std::io::{self, Write};

use crate::domain::account::{InputInfo, input_name};
use crate::domain::format::Format;
use crate::domain::text_form::{Encoding, TextForm};

use super::atomic_file::AtomicFile;

/// A file in the encoding of a form, for text that is written into it as UTF-8.
pub(super) struct FormedFile {
    file: AtomicFile,
    encoding: Encoding,
    /// The first bytes of a character whose last bytes were not written yet.
    held: Vec<u8>,
}

impl FormedFile {
    /// Begins the file with the byte order mark that the form has.
    pub(super) fn begin(mut file: AtomicFile, form: &TextForm) -> io::Result<Self> {
        let mark: &[u8] = match form.encoding {
            Encoding::Utf8 => b"",
            Encoding::Utf8Marked => b"\xef\xbb\xbf",
            Encoding::Utf16Le => b"\xff\xfe",
            Encoding::Utf16Be => b"\xfe\xff",
        };
        file.write_all(mark)?;
        Ok(Self { file, encoding: form.encoding, held: Vec::new() })
    }

    /// Returns the file, once everything is written.
    pub(super) fn into_atomic(self) -> AtomicFile {
        self.file
    }

    /// Writes UTF-8 as UTF-16 in this byte order.
    fn recoded(&mut self, bytes: &[u8], order: fn(u16) -> [u8; 2]) -> io::Result<()> {
        self.held.extend_from_slice(bytes);
        let text = match std::str::from_utf8(&self.held) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() => {
                std::str::from_utf8(&self.held[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        };
        let recoded: Vec<u8> = text.encode_utf16().flat_map(order).collect();
        self.file.write_all(&recoded)?;
        let done = text.len();
        self.held.drain(..done);
        Ok(())
    }
}

impl Write for FormedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.encoding {
            Encoding::Utf8 | Encoding::Utf8Marked => return self.file.write(bytes),
            Encoding::Utf16Le => self.recoded(bytes, u16::to_le_bytes)?,
            Encoding::Utf16Be => self.recoded(bytes, u16::to_be_bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The forms of the row files, by format.
#[derive(Debug, Default)]
pub struct SharedForms {
    csv: Option<SharedForm>,
    jsonl: Option<SharedForm>,
}

/// The form that the row files of one format share.
#[derive(Debug)]
struct SharedForm {
    /// The input that decides on it.
    first: String,
    form: TextForm,
    /// Whether another input has another form.
    differs: bool,
}

impl SharedForms {
    /// Returns the forms that the row files of these inputs have.
    pub fn of<'a>(inputs: impl IntoIterator<Item = &'a InputInfo>) -> Self {
        let mut forms = Self::default();
        inputs.into_iter().for_each(|input| forms.add(input));
        forms
    }

    /// Adds an input. Payloads in arrays and requests are given back as JSON lines in plain form, since their
    /// own form is none of lines.
    pub fn add(&mut self, input: &InputInfo) {
        let shared = match input.format {
            Format::Csv | Format::PortalCsv => &mut self.csv,
            Format::Jsonl => &mut self.jsonl,
            Format::Xlsx | Format::Json | Format::Http => return,
        };
        match shared {
            Some(shared) => shared.differs |= shared.form != input.form,
            None => {
                let first = input_name(&input.path).to_owned();
                *shared = Some(SharedForm { first, form: input.form, differs: false });
            }
        }
    }

    /// Returns the form of CSV files.
    pub(super) fn csv(&self) -> TextForm {
        self.csv.as_ref().map(|shared| shared.form).unwrap_or_default()
    }

    /// Returns the form of files of JSON lines.
    pub(super) fn jsonl(&self) -> TextForm {
        self.jsonl.as_ref().map(|shared| shared.form).unwrap_or_default()
    }

    /// Returns what to tell the user where inputs differ.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        let note = |shared: &SharedForm| {
            let told = shared.form.deviations();
            let told = if told.is_empty() { "plain UTF-8".to_owned() } else { told.join(", ") };
            format!("the inputs differ in form; reports are written as {} is: {told}", shared.first)
        };
        [&self.csv, &self.jsonl].into_iter().flatten().filter(|shared| shared.differs).map(note)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::shelf::Shelf;
    use super::super::testing::{csv_input, jsonl_input};
    use super::*;
    use crate::domain::text_form::{LineEnd, Separator};

    #[test]
    fn text_is_written_in_its_encoding_however_it_is_cut() {
        let text = "a,Zoë – 日本 𝄞\n";
        let utf_16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            format!("\u{feff}{text}").encode_utf16().flat_map(order).collect()
        };
        for (encoding, wanted) in [
            (Encoding::Utf8, text.as_bytes().to_vec()),
            (Encoding::Utf8Marked, format!("\u{feff}{text}").into_bytes()),
            (Encoding::Utf16Le, utf_16(u16::to_le_bytes)),
            (Encoding::Utf16Be, utf_16(u16::to_be_bytes)),
        ] {
            for size in 1..5 {
                let dir = tempfile::tempdir().unwrap();
                let form = TextForm { encoding, ..TextForm::default() };
                let mut file = FormedFile::begin(AtomicFile::begin(dir.path(), "a").unwrap(), &form).unwrap();
                text.as_bytes().chunks(size).for_each(|chunk| file.write_all(chunk).unwrap());
                file.into_atomic().put(&Shelf::take(dir.path(), || {})).unwrap();
                assert_eq!(fs::read(dir.path().join("a")).unwrap(), wanted, "{encoding:?} by {size}");
            }
        }
    }

    #[test]
    fn the_first_input_of_a_sort_decides() {
        let form = |separator| TextForm { separator, line_end: LineEnd::CrLf, ..TextForm::default() };
        let csv = |path, separator| InputInfo { form: form(separator), ..csv_input(path, &["id"], 1) };
        let json = InputInfo { format: Format::Json, form: form(Separator::TAB), ..jsonl_input("p.json", 1) };
        let plain = [csv_input("a.csv", &["id"], 1), csv_input("b.csv", &["id"], 1), json.clone()];
        let mixed = [
            json,
            jsonl_input("a.jsonl", 1),
            csv("b.csv", Separator::SEMICOLON),
            csv("c.csv", Separator::TAB),
            csv("d.csv", Separator::TAB),
        ];
        let forms = SharedForms::of(&plain);
        assert_eq!((forms.csv(), forms.jsonl()), Default::default());
        assert_eq!(forms.notes().count(), 0);
        let forms = SharedForms::of(&mixed);
        assert_eq!((forms.csv(), forms.jsonl()), (form(Separator::SEMICOLON), TextForm::default()));
        let note =
            "the inputs differ in form; reports are written as b.csv is: separated by ';', CRLF line ends";
        assert_eq!(forms.notes().collect::<Vec<_>>(), [note]);
    }
}
