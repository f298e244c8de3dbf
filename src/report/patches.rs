//! The documents of a plan as a change file: JSON lines that `apply` takes, one per referral that would be
//! sent, in the order of the run.
//!
//! A document may begin with operations that only create an object for another operation to write into. They
//! change no field, so a change file has no place for them: `apply` creates them again where the referral needs
//! them, and so comes to the whole document.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::account::ItemAccount;
use crate::domain::item::Item;
use crate::domain::json::{self, Object};
use crate::domain::referral::{ETag, ReferralId};

use super::atomic_file::{AtomicFile, BUFFER, ReportError};
use super::findings::on_one_line;

/// The change file while it is written.
pub struct PatchFile {
    path: PathBuf,
    writer: BufWriter<AtomicFile>,
}

#[derive(Serialize)]
struct PatchLine<'a> {
    id: ReferralId,
    #[serde(rename = "eTag", skip_serializing_if = "Option::is_none")]
    etag: Option<&'a ETag>,
    patch: &'a RawValue,
}

impl PatchFile {
    /// Begins the file. It has another name until [`PatchFile::finish`].
    ///
    /// # Errors
    /// Where the file can't be created in its directory, which must exist.
    pub fn begin(path: &Path) -> Result<Self, ReportError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file = AtomicFile::begin(path.parent().unwrap_or(path), &name)?;
        Ok(Self { path: path.to_owned(), writer: BufWriter::with_capacity(BUFFER, file) })
    }

    /// Adds the next referral of the run, if it would be sent.
    ///
    /// # Errors
    /// Where writing fails. The file can't be used then, and has to be begun again.
    pub fn item(&mut self, account: &ItemAccount) -> Result<(), ReportError> {
        if account.planned.is_some() {
            return Ok(());
        }
        let item = &account.item;
        let patch = changing(item);
        let line = PatchLine { id: item.id, etag: item.etag.as_ref(), patch: &on_one_line(&patch) };
        let written = serde_json::to_writer(&mut self.writer, &line);
        let written = written.map_err(io::Error::from).and_then(|()| self.writer.write_all(b"\n"));
        written.map_err(|source| ReportError::Write { path: self.path.clone(), source })
    }

    /// Gives the file its name, if no other file has it.
    ///
    /// # Errors
    /// Where writing fails, or there is another file of that name by now, which stays as it is.
    pub fn finish(self) -> Result<(), ReportError> {
        let Self { path, writer } = self;
        let file =
            writer.into_inner().map_err(|error| ReportError::Write { path, source: error.into_error() })?;
        file.put_new().map(drop)
    }
}

/// Returns the operations of a document that change a field.
fn changing(item: &Item) -> Cow<'_, RawValue> {
    let all = json::elements(&item.patch).unwrap_or_default();
    let changes = |operation: &&RawValue| {
        let path = Object::from_raw(operation).and_then(|operation| json::string(operation.get("path")?));
        path.is_some_and(|path| {
            let field = path.strip_suffix("/-").unwrap_or(&path);
            item.changes.iter().any(|change| change.path.pointer().as_str() == field)
        })
    };
    let kept: Vec<&RawValue> = all.iter().copied().filter(changes).collect();
    if kept.len() == all.len() { Cow::Borrowed(&item.patch) } else { Cow::Owned(json::raw(&kept)) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use uuid::Uuid;

    use super::super::testing::{id, raw};
    use super::*;
    use crate::domain::fields::{Field, Path as FieldPath};
    use crate::domain::item::{Change, Effect};
    use crate::domain::outcome::{Outcome, Verdict};

    fn change(field: Field) -> Change {
        let (path, after) = (FieldPath::Known(field), raw("null"));
        Change { path, before: None, after, appended: Vec::new(), base: None, is_whole: false }
    }

    fn account<const N: usize>(
        number: u64,
        etag: Option<&str>,
        patch: &str,
        changed: [Field; N],
        planned: Option<Outcome>,
    ) -> ItemAccount {
        let item = Item {
            number,
            id: id(number),
            etag: etag.map(|etag| ETag::from_input(etag).unwrap()),
            is_bound: false,
            request_id: Uuid::nil(),
            patch: raw(patch),
            changes: changed.map(change).to_vec(),
            effect: Effect::Reversible,
            findings: Vec::new(),
        };
        let planned = planned.map(|outcome| Verdict::new(outcome, "code", "message"));
        ItemAccount {
            item,
            rows: Vec::new(),
            planned,
            audit: None,
            subject: None,
            matched: Vec::new(),
            turn: None,
            wave: None,
        }
    }

    fn write(path: &Path) -> Result<(), ReportError> {
        let mut file = PatchFile::begin(path)?;
        let appends = "[{\"op\":\"add\",\n \"path\":\"/team/-\",\"value\":{}}]";
        let makes_parents = r#"[{"op":"add","path":"/details","value":{}},
            {"op":"add","path":"/details/dealValue","value":1.50}]"#;
        for account in [
            account(3, Some("v1"), appends, [Field::Team], None),
            account(1, None, makes_parents, [Field::DealValue], None),
            account(2, Some("v1"), "[]", [], Some(Outcome::Unchanged)),
            account(4, Some("v1"), "[]", [Field::Notes], Some(Outcome::Conflict)),
        ] {
            file.item(&account)?;
        }
        file.finish()
    }

    #[test]
    fn a_line_for_whatever_would_be_sent() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.jsonl");
        write(&path).unwrap();
        let wanted = concat!(
            r#"{"id":"00000000-0000-0000-0000-000000000003","eTag":"\"v1\"","#,
            r#""patch":[{"op":"add","path":"/team/-","value":{}}]}"#,
            "\n",
            r#"{"id":"00000000-0000-0000-0000-000000000001","#,
            r#""patch":[{"op":"add","path":"/details/dealValue","value":1.50}]}"#,
            "\n",
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), wanted);
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_is_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.jsonl");
        fs::write(&path, "mine").unwrap();
        let error = write(&path).unwrap_err();
        let ReportError::Write { source, .. } = &error else { panic!("{error}") };
        assert_eq!(source.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(path).unwrap(), "mine");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
