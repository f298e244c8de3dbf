//! What differs from run to run, replaced by its name.

use std::path::Path;
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use regex::{Captures, Regex};

/// The beginnings of the samples' own GUIDs, which are the same in every run.
const SAMPLES: [&str; 4] = ["5a1e0001-", "e7a90001-", "e6000001-", "0c0ffee0-"];

static TIME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z").unwrap());
static FOLDER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"reports/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-").unwrap());
static GUID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap());
static SECONDS_LINE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^ seconds +[\d.]+  [\d.]+ waiting for the rate, [\d.]+ paused by the server(, [\d.]+ held back by failures)?$").unwrap()
});
static SECONDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#""(total|waiting_for_rate|paused_by_server|held_back)":\d+\.\d+"#).unwrap()
});
static WAITED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(\[TIME\] (?:attempt \d+|looked))( after [^:\n]*)?:").unwrap());
static WAITED_MS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""(waited_ms|waits)":\{[^}]*\}"#).unwrap());
static HOLDER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"( \((?:account|user) [^)\n]*\))?: to plan ").unwrap());
static USER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#""user_name":(?:null|"[^"]*"),"user":(?:null|\d+)"#).unwrap());
static SHA256: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9a-f]{64}\b").unwrap());
static PORT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(127\.0\.0\.1|localhost):\d+").unwrap());

/// A text without what differs from run to run.
pub fn redact(text: &str, place: &Path) -> String {
    let text = text.replace(place.to_str().unwrap(), "[DIR]");
    let text = TIME.replace_all(&text, |found: &Captures<'_>| {
        let time: Option<Timestamp> = found[0].parse().ok();
        if time.is_some_and(is_now) { "[TIME]".to_owned() } else { found[0].to_owned() }
    });
    let text = FOLDER.replace_all(&text, "reports/[TIME]-");
    let text = GUID.replace_all(&text, |found: &Captures<'_>| {
        let known = SAMPLES.iter().any(|sample| found[0].starts_with(sample));
        if known { found[0].to_owned() } else { "[GUID]".to_owned() }
    });
    let text =
        SECONDS_LINE.replace_all(&text, " seconds [S]  [S] waiting for the rate, [S] paused by the server");
    let text = SECONDS.replace_all(&text, "\"$1\":[S]");
    let text = WAITED.replace_all(&text, "$1 [WAITS]:");
    let text = WAITED_MS.replace_all(&text, "\"$1\":[WAITS]");
    let text = HOLDER.replace_all(&text, " [HOLDER]: to plan ");
    let text = USER.replace_all(&text, "\"user_name\":[NAME],\"user\":[USER]");
    let text = SHA256.replace_all(&text, "[SHA256]");
    PORT.replace_all(&text, "$1:[PORT]").into_owned()
}

/// Whether a time lies so near that only this run can have written it.
fn is_now(time: Timestamp) -> bool {
    let now = Timestamp::try_from(std::time::SystemTime::now()).unwrap();
    now.duration_since(time).abs() < SignedDuration::from_hours(1)
}
