//! What `check` learnt of a service, kept in the user's state directory for each endpoint and tenant.
//!
//! It is a hint: it may be old, or wrong. A plan that takes it is made of what the service answers all the same, and
//! only the number of requests differs. A file that can't be read as one is as good as none. No token and nobody's
//! data is in it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::disk;
use crate::domain::pointer::Pointer;

/// The directory within the user's state directory.
const FOLDER: &str = "services";
/// The version of the form.
const VERSION: u32 = 1;
/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// What was learnt of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learnt {
    version: u32,
    /// The base of the API.
    endpoint: String,
    /// The tenant that issued the token, where that is known.
    tenant: Option<String>,
    /// When it was learnt.
    pub learned_at: Timestamp,
    /// What list pages show.
    pub lists: LearntLists,
    /// What came of each condition that the list was filtered by.
    pub filters: Vec<LearntFilter>,
}

/// What list pages were seen to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearntLists {
    /// The number of referrals on the first page.
    pub on_page: u64,
    /// The number of all referrals, where a list was read to its end since, or tells it.
    pub referrals: Option<u64>,
    /// Whether any element carried a version.
    pub any_etags: bool,
    /// Members that a single read has and its list element lacks, as in `details.notes`; `None` where no element was
    /// compared.
    pub left_out: Option<Vec<String>>,
    /// Members with a value that the element shows as `null`.
    pub nulled: Vec<String>,
}

/// What came of a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearntFilter {
    /// What it is about.
    pub about: String,
    /// The word for what came of it.
    pub verdict: String,
}

/// The service that something is learnt of.
#[derive(Debug, Clone, Copy)]
pub struct ServiceKey<'a> {
    /// The base of the API.
    pub endpoint: &'a str,
    /// The tenant that issued the token, where that is known.
    pub tenant: Option<&'a str>,
}

/// Why what was learnt can't be used.
#[derive(Debug, thiserror::Error)]
pub enum UnreadLearnt {
    /// The file can't be read.
    #[error("it cannot be read ({0})")]
    Io(#[from] io::Error),
    /// It holds something else.
    #[error("it is damaged, or of another version")]
    Form,
}

impl ServiceKey<'_> {
    /// Returns the file that holds what was learnt.
    pub fn file(&self, state_dir: &Path) -> PathBuf {
        state_dir.join(FOLDER).join(self.file_name())
    }

    /// Returns the name of a file in which something is kept of the service.
    pub fn file_name(&self) -> String {
        let tenant = self.tenant.unwrap_or_default();
        let sum = Sha256::digest(format!("{}\n{tenant}", self.endpoint).as_bytes());
        let name: String = sum.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{name}.json")
    }
}

/// Keeps how many referrals there are, beside what was learnt of the service before; else that would say little.
///
/// # Errors
/// Where there is a file and it can't be used, or be written.
pub fn keep_total(state_dir: &Path, key: ServiceKey<'_>, referrals: u64) -> Result<(), UnreadLearnt> {
    let Some(mut learnt) = read(state_dir, key)? else { return Ok(()) };
    learnt.lists.referrals = Some(referrals);
    Ok(learnt.keep(state_dir)?)
}

/// Whether anything was ever learnt, of whatever service.
pub fn is_anything_kept(state_dir: &Path) -> bool {
    state_dir.join(FOLDER).is_dir()
}

/// Returns what was learnt of a service; `None` where nothing was.
///
/// # Errors
/// Where there is a file and it can't be used.
pub fn read(state_dir: &Path, key: ServiceKey<'_>) -> Result<Option<Learnt>, UnreadLearnt> {
    let file = match disk::open_regular(File::options().read(true), &key.file(state_dir)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text)?;
    let learnt: Learnt = serde_json::from_str(&text).map_err(|_| UnreadLearnt::Form)?;
    let is_its = learnt.endpoint == key.endpoint && learnt.tenant.as_deref() == key.tenant;
    if learnt.version == VERSION && is_its { Ok(Some(learnt)) } else { Err(UnreadLearnt::Form) }
}

impl Learnt {
    /// Makes what was learnt of a service.
    pub fn of(
        key: ServiceKey<'_>,
        learned_at: Timestamp,
        lists: LearntLists,
        filters: Vec<LearntFilter>,
    ) -> Self {
        let tenant = key.tenant.map(ToOwned::to_owned);
        Self { version: VERSION, endpoint: key.endpoint.to_owned(), tenant, learned_at, lists, filters }
    }

    /// Keeps it in the place of what was learnt before.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn keep(&self, state_dir: &Path) -> io::Result<()> {
        let key = ServiceKey { endpoint: &self.endpoint, tenant: self.tenant.as_deref() };
        let path = key.file(state_dir);
        let folder = state_dir.join(FOLDER);
        disk::take_private_directory(state_dir)?;
        disk::take_private_directory(&folder)?;
        let mut file = tempfile::Builder::new().prefix(".learnt.").tempfile_in(&folder)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.write_all(b"\n")?;
        disk::put(file, &path)
    }
}

impl LearntLists {
    /// Returns how many pages the whole list has, where that is known.
    pub fn pages(&self) -> Option<u64> {
        Some(self.referrals?.div_ceil(self.on_page.max(1)))
    }

    /// Whether list elements were seen to show what people know a referral by.
    pub fn show_names(&self) -> bool {
        let hidden = self.left_out.iter().flatten().chain(&self.nulled);
        let names = ["name", "customerProfile", "customerProfile.name"];
        self.left_out.is_some() && hidden.into_iter().all(|hidden| !names.contains(&hidden.as_str()))
    }

    /// Whether list elements were seen to hide what is at a place: the member, or an object around it.
    pub fn hides(&self, pointer: &Pointer) -> bool {
        let path: Vec<_> = pointer.tokens().collect();
        let path = path.join(".");
        let is_within = |name: &String| {
            path.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.') && !name.is_empty())
        };
        let left_out = self.left_out.iter().flatten();
        left_out.clone().any(|name| *name == path || is_within(name)) || self.nulled.iter().any(is_within)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const KEY: ServiceKey<'_> = ServiceKey { endpoint: "https://example.com/v1.0", tenant: Some("t-1") };

    fn learnt() -> Learnt {
        let lists = LearntLists {
            on_page: 100,
            referrals: None,
            any_etags: false,
            left_out: Some(vec!["details".to_owned(), "team.title".to_owned(), "statusReason".to_owned()]),
            nulled: vec!["consent".to_owned(), "salesStage".to_owned()],
        };
        let filters = vec![LearntFilter { about: "status".to_owned(), verdict: "honoured".to_owned() }];
        Learnt::of(KEY, "2026-03-01T12:00:00Z".parse().unwrap(), lists, filters)
    }

    #[test]
    fn what_was_learnt_is_of_one_service_and_one_tenant() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        assert!(!is_anything_kept(&state) && read(&state, KEY).unwrap().is_none());
        learnt().keep(&state).unwrap();
        learnt().keep(&state).unwrap();
        assert!(is_anything_kept(&state));
        assert_eq!(read(&state, KEY).unwrap(), Some(learnt()));
        keep_total(&state, KEY, 201).unwrap();
        assert_eq!(read(&state, KEY).unwrap().unwrap().lists.pages(), Some(3));
        keep_total(&state, ServiceKey { tenant: None, ..KEY }, 201).unwrap();
        for other in [
            ServiceKey { tenant: None, ..KEY },
            ServiceKey { tenant: Some("t-2"), ..KEY },
            ServiceKey { endpoint: "https://example.org/v1.0", ..KEY },
        ] {
            assert!(read(&state, other).unwrap().is_none(), "{other:?}");
            fs::copy(KEY.file(&state), other.file(&state)).unwrap();
            assert!(matches!(read(&state, other), Err(UnreadLearnt::Form)), "it says whose it is: {other:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn it_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        learnt().keep(&state).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(&state), mode(&state.join(FOLDER)), mode(&KEY.file(&state))], [0o700, 0o700, 0o600]);
    }

    #[test]
    fn a_file_that_is_none_is_no_hint() {
        let dir = tempfile::tempdir().unwrap();
        learnt().keep(dir.path()).unwrap();
        let whole = fs::read_to_string(KEY.file(dir.path())).unwrap();
        for text in [
            String::new(),
            "{}".to_owned(),
            whole[..whole.len() / 2].to_owned(),
            whole.replace("\"version\":1", "\"version\":2"),
            whole.replace("\"on_page\":100", "\"on_page\":-1"),
            "\u{0}".repeat(50),
        ] {
            fs::write(KEY.file(dir.path()), &text).unwrap();
            assert!(matches!(read(dir.path(), KEY), Err(UnreadLearnt::Form)), "{text}");
        }
        fs::write(KEY.file(dir.path()), b"\xff").unwrap();
        assert!(matches!(read(dir.path(), KEY), Err(UnreadLearnt::Io(_))));
    }

    #[test]
    fn what_a_list_hides_is_hidden_with_all_below() {
        let lists = learnt().lists;
        for (pointer, wanted) in [
            ("/details", true),
            ("/details/notes", true),
            ("/detailsOfIt", false),
            ("/team", false),
            ("/team/-", false),
            ("/statusReason", true),
            ("/status", false),
            ("/consent/consentToContact", true),
            // A value that is shown as null is taken for null.
            ("/salesStage", false),
        ] {
            assert_eq!(lists.hides(&Pointer::parse(pointer).unwrap()), wanted, "{pointer}");
        }
    }
}
