//! The rate that a service bore last, kept in the user's state directory for each endpoint and tenant, so that the next
//! run with `--rate auto` begins with it.
//!
//! It is a hint, and counts less the older it is. A file that can't be read as one, or holds what can't be, is as good
//! as none: the diagnostics say so, and the run begins as the first one did. Reading and changing are kept apart, since
//! a service may bear more of the one. No token and nobody's data is in it. Of several processes the one that ends last
//! is remembered.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::{debug, info};

use super::environment::Environment;
use super::learnt::ServiceKey;
use super::target::Target;
use crate::api::Client;
use crate::disk;
use crate::pace::{BorneRate, Pace, Pacing};

/// The version of the form.
const VERSION: u32 = 1;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 14;

/// The age up to which a rate counts in full.
const FRESH: Duration = Duration::from_hours(24);

/// The time after which an older one counts half, a quarter after twice as long, and so on.
const HALF_LIFE: Duration = Duration::from_hours(7 * 24);

/// The age after which it counts no more.
const LONGEST: Duration = Duration::from_hours(60 * 24);

/// The rates that can be: requests a second.
const POSSIBLE: std::ops::RangeInclusive<f64> = 1.0 / 3600.0..=1_000_000.0;

/// What requests were for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Reading alone.
    Reading,
    /// Changing, and what is read meanwhile.
    Changing,
}

/// What is remembered of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    version: u32,
    /// The base of the API.
    endpoint: String,
    /// The tenant that issued the token, where that is known.
    tenant: Option<String>,
    reading: Option<RememberedRate>,
    changing: Option<RememberedRate>,
}

/// A rate, and when it was borne.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RememberedRate {
    per_second: f64,
    /// Whether the service throttles what is faster.
    is_limit: bool,
    at: Timestamp,
}

/// Why what is remembered can't be used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("unreadable")]
    Io(#[from] io::Error),
    #[error("damaged")]
    Damaged,
    #[error("of another version")]
    Version,
    #[error("of another service")]
    Elsewhere,
    #[error("of the future")]
    Future,
    #[error("impossible")]
    Impossible,
}

/// Begins with the rate that the service bore last, where the rate is found by the program and that is remembered.
pub async fn begin(
    purpose: Use,
    pace: &Pace,
    pacing: Pacing,
    client: &Client,
    target: &Target,
    environment: &Environment<'_>,
) {
    let Some((state_dir, endpoint)) = place(pacing, target, environment) else { return };
    if !folder(state_dir).is_dir() {
        return;
    }
    let tenant = tokio::select! {
        biased;
        () = environment.stop.wait() => return,
        tenant = tenant(client) => tenant,
    };
    let Some(tenant) = tenant else { return };
    let key = ServiceKey { endpoint: &endpoint, tenant: tenant.as_deref() };
    let now = (environment.clock)();
    match read(state_dir, key).and_then(|remembered| remembered.map_or(Ok(None), |it| it.hint(purpose, now)))
    {
        Ok(None) => {}
        Ok(Some(borne)) => {
            info!(per_second = borne.per_second, is_limit = borne.is_limit, "rate remembered");
            pace.begin_at(borne);
        }
        Err(why) => info!(%why, "remembered rate not used"),
    }
}

/// Keeps the rate that the service bore. That it can't be kept costs nothing but the hint.
pub async fn keep(
    purpose: Use,
    pace: &Pace,
    pacing: Pacing,
    client: &Client,
    target: &Target,
    environment: &Environment<'_>,
) {
    let Some((state_dir, endpoint)) = place(pacing, target, environment) else { return };
    let Some(borne) = pace.borne().filter(|borne| POSSIBLE.contains(&borne.per_second)) else { return };
    // No token is fetched at the end of a run, only to know whose it would be.
    if !client.has_token() {
        return;
    }
    let Some(tenant) = tenant(client).await else { return };
    let key = ServiceKey { endpoint: &endpoint, tenant: tenant.as_deref() };
    let rate = RememberedRate {
        per_second: (borne.per_second * 1000.0).round() / 1000.0,
        is_limit: borne.is_limit,
        at: (environment.clock)(),
    };
    match remember(state_dir, key, purpose, rate) {
        Ok(()) => debug!(per_second = rate.per_second, "rate kept"),
        Err(why) => info!(%why, "rate not kept"),
    }
}

/// A rate that a run would begin with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beginning {
    /// The rate, in requests a second.
    pub per_second: f64,
    /// When the service bore what it follows from.
    pub borne_at: Timestamp,
}

/// Returns the rate that a run with `--rate auto` would begin to change referrals with, where one is remembered.
pub fn beginning(target: &Target, tenant: Option<&str>, environment: &Environment<'_>) -> Option<Beginning> {
    let (state_dir, endpoint) = place(Pacing::Auto, target, environment)?;
    let remembered = read(state_dir, ServiceKey { endpoint: &endpoint, tenant }).ok()??;
    let rate = remembered.rate(Use::Changing)?;
    let per_second = rate.hint((environment.clock)()).ok()??.per_second;
    Some(Beginning { per_second, borne_at: rate.at })
}

fn place<'a>(pacing: Pacing, target: &Target, environment: &Environment<'a>) -> Option<(&'a Path, String)> {
    match (pacing, target) {
        (Pacing::Auto, Target::Service(endpoint, _)) => {
            Some((environment.state_dir?, endpoint.as_str().to_owned()))
        }
        // A sandbox inside this process ends with it.
        (Pacing::Fixed(_), _) | (_, Target::Sandbox(_)) => None,
    }
}

/// Returns the tenant that issued the token, where the token says so; `None` where there is no token.
async fn tenant(client: &Client) -> Option<Option<String>> {
    let claims = client.token_claims().await.ok()?;
    Some(claims.and_then(|claims| claims.tenant))
}

fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join("rates")
}

fn file(state_dir: &Path, key: ServiceKey<'_>) -> PathBuf {
    folder(state_dir).join(key.file_name())
}

fn read(state_dir: &Path, key: ServiceKey<'_>) -> Result<Option<Remembered>, Unusable> {
    let file = match disk::open_regular(File::options().read(true), &file(state_dir, key)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes)?;
    let remembered: Remembered = serde_json::from_slice(&bytes).map_err(|_| Unusable::Damaged)?;
    if remembered.version != VERSION {
        return Err(Unusable::Version);
    }
    let is_its = remembered.endpoint == key.endpoint && remembered.tenant.as_deref() == key.tenant;
    if is_its { Ok(Some(remembered)) } else { Err(Unusable::Elsewhere) }
}

fn remember(
    state_dir: &Path,
    key: ServiceKey<'_>,
    purpose: Use,
    rate: RememberedRate,
) -> Result<(), Unusable> {
    // What can't be used is replaced.
    let before = read(state_dir, key).ok().flatten();
    let (mut reading, mut changing) = before.map_or((None, None), |it| (it.reading, it.changing));
    match purpose {
        Use::Reading => reading = Some(rate),
        Use::Changing => changing = Some(rate),
    }
    let remembered = Remembered {
        version: VERSION,
        endpoint: key.endpoint.to_owned(),
        tenant: key.tenant.map(ToOwned::to_owned),
        reading,
        changing,
    };
    disk::take_private_directory(state_dir)?;
    disk::take_private_directory(&folder(state_dir))?;
    let mut new = tempfile::Builder::new().prefix(".rate.").tempfile_in(folder(state_dir))?;
    new.write_all(&serde_json::to_vec(&remembered).map_err(io::Error::from)?)?;
    new.write_all(b"\n")?;
    Ok(disk::put(new, &file(state_dir, key))?)
}

impl Remembered {
    /// Returns the rate to begin with.
    fn hint(&self, purpose: Use, now: Timestamp) -> Result<Option<BorneRate>, Unusable> {
        self.rate(purpose).map_or(Ok(None), |rate| rate.hint(now))
    }

    /// Returns the rate that counts. What was borne in changing is borne in reading; the other way round it is a better
    /// guess than none.
    fn rate(&self, purpose: Use) -> Option<RememberedRate> {
        match purpose {
            Use::Reading => self.reading.or(self.changing),
            Use::Changing => self.changing.or(self.reading),
        }
    }
}

impl RememberedRate {
    fn hint(self, now: Timestamp) -> Result<Option<BorneRate>, Unusable> {
        if !POSSIBLE.contains(&self.per_second) {
            return Err(Unusable::Impossible);
        }
        let age = Duration::try_from(now.duration_since(self.at)).map_err(|_| Unusable::Future)?;
        if age > LONGEST {
            return Ok(None);
        }
        let half_lives = age.saturating_sub(FRESH).div_duration_f64(HALF_LIFE);
        let per_second = self.per_second * 0.5_f64.powf(half_lives);
        // What was a limit long ago is none to keep to.
        Ok(Some(BorneRate { per_second, is_limit: self.is_limit && age <= FRESH }))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const KEY: ServiceKey<'_> = ServiceKey { endpoint: "https://example.com/v1.0", tenant: Some("t-1") };
    const NOON: &str = "2026-03-01T12:00:00Z";

    fn noon() -> Timestamp {
        NOON.parse().unwrap()
    }

    fn rate(per_second: f64) -> RememberedRate {
        RememberedRate { per_second, is_limit: true, at: noon() }
    }

    fn hint(state: &Path, purpose: Use) -> Result<Option<BorneRate>, String> {
        let hint = read(state, KEY).and_then(|it| it.map_or(Ok(None), |it| it.hint(purpose, noon())));
        hint.map_err(|why| why.to_string())
    }

    #[test]
    fn reading_and_changing_are_kept_apart() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let limit = |per_second| Ok(Some(BorneRate { per_second, is_limit: true }));
        assert_eq!(hint(&state, Use::Changing), Ok(None));
        remember(&state, KEY, Use::Reading, rate(90.0)).unwrap();
        assert_eq!(hint(&state, Use::Changing), limit(90.0), "a guess");
        remember(&state, KEY, Use::Changing, rate(38.8)).unwrap();
        assert_eq!(hint(&state, Use::Changing), limit(38.8));
        assert_eq!(hint(&state, Use::Reading), limit(90.0));
        let text = fs::read_to_string(file(&state, KEY)).unwrap();
        assert_eq!(
            text,
            "{\"version\":1,\"endpoint\":\"https://example.com/v1.0\",\"tenant\":\"t-1\",\
             \"reading\":{\"per_second\":90.0,\"is_limit\":true,\"at\":\"2026-03-01T12:00:00Z\"},\
             \"changing\":{\"per_second\":38.8,\"is_limit\":true,\"at\":\"2026-03-01T12:00:00Z\"}}\n"
        );
        let other = ServiceKey { tenant: None, ..KEY };
        assert!(read(&state, other).unwrap().is_none(), "of one tenant");
        fs::copy(file(&state, KEY), file(&state, other)).unwrap();
        assert!(matches!(read(&state, other), Err(Unusable::Elsewhere)), "it says whose it is");
    }

    #[cfg(unix)]
    #[test]
    fn it_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        remember(&state, KEY, Use::Changing, rate(40.0)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(&state), mode(&folder(&state)), mode(&file(&state, KEY))], [0o700, 0o700, 0o600]);
    }

    #[test]
    fn an_old_rate_counts_less() {
        let hours = |hours: i64| noon() + jiff::SignedDuration::from_hours(hours);
        for (age, wanted) in [
            (0, Some((40.0, true))),
            (24, Some((40.0, true))),
            (24 + 7 * 24, Some((20.0, false))),
            (24 + 14 * 24, Some((10.0, false))),
            (60 * 24 + 1, None),
        ] {
            let hint = rate(40.0).hint(hours(age)).unwrap();
            let hint = hint.map(|borne| ((borne.per_second * 1000.0).round() / 1000.0, borne.is_limit));
            assert_eq!(hint, wanted, "after {age} hours");
        }
    }

    #[test]
    fn what_cannot_be_is_no_hint() {
        let dir = tempfile::tempdir().unwrap();
        remember(dir.path(), KEY, Use::Changing, rate(40.0)).unwrap();
        let whole = fs::read_to_string(file(dir.path(), KEY)).unwrap();
        for (what, text, wanted) in [
            ("empty", String::new(), "damaged"),
            ("half", whole[..whole.len() / 2].to_owned(), "damaged"),
            ("not a number", whole.replace("40.0", "NaN"), "damaged"),
            ("infinite", whole.replace("40.0", "1e999"), "damaged"),
            ("a text", whole.replace("40.0", "\"40\""), "damaged"),
            ("a list", format!("[{whole}]"), "damaged"),
            ("huge", " ".repeat(1 << 20) + &whole, "damaged"),
            ("deep", "[".repeat(10_000), "damaged"),
            ("no text", "\u{0}".repeat(50), "damaged"),
            ("a member more", whole.replace("\"reading\"", "\"more\":1,\"reading\""), "damaged"),
            ("too fast", whole.replace("40.0", "1e9"), "impossible"),
            ("zero", whole.replace("40.0", "0.0"), "impossible"),
            ("negative", whole.replace("40.0", "-40.0"), "impossible"),
            ("of tomorrow", whole.replace("2026-03-01", "2026-03-02"), "of the future"),
            ("newer", whole.replace("\"version\":1", "\"version\":2"), "of another version"),
        ] {
            fs::write(file(dir.path(), KEY), &text).unwrap();
            assert_eq!(hint(dir.path(), Use::Changing), Err(wanted.to_owned()), "{what}");
            remember(dir.path(), KEY, Use::Reading, rate(1.0)).unwrap();
            assert!(hint(dir.path(), Use::Reading).is_ok(), "{what}: it is replaced");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        remember(dir.path(), KEY, Use::Changing, rate(40.0)).unwrap();
        let path = file(dir.path(), KEY);
        fs::rename(&path, dir.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), &path).unwrap();
        assert_eq!(hint(dir.path(), Use::Changing), Err("unreadable".to_owned()));
        remember(dir.path(), KEY, Use::Changing, rate(1.0)).unwrap();
        assert!(!path.is_symlink(), "it is replaced, and what it led to is not");
        assert!(fs::read_to_string(dir.path().join("elsewhere")).unwrap().contains("40.0"));
    }
}
