//! What the README's commands print and write, the same every time.

use std::collections::BTreeMap;
use std::fs;

use regex::Regex;
use serde_json::{Value, json};

use super::{EXAMPLE, directory_with_samples, entries, read, root, run};
use crate::support::sha256::sha256;

/// What the README's first two commands read, and about how long each takes at the default rate.
pub const GOOD: (&str, &str) = ("samples/quarter-end.csv", "11.6  11.5 waiting");
pub const MISTAKES: (&str, &str) = ("samples/quarter-end-mistakes.csv", "3.6  3.5 waiting");

/// What one of the README's commands says, with what differs from run to run made the same.
pub struct Session {
    pub told: String,
    pub errors: String,
    pub files: BTreeMap<String, String>,
}

pub fn example() -> BTreeMap<String, String> {
    session(MISTAKES).files
}

pub fn example_as_kept() -> BTreeMap<String, String> {
    let text = |name: String| {
        let text = read(&format!("{EXAMPLE}/{name}"));
        (name, text)
    };
    entries(&root().join(EXAMPLE)).into_iter().map(text).collect()
}

pub fn session((file, seconds): (&str, &str)) -> Session {
    let dir = directory_with_samples();
    // The page is called by the last name.
    let path = dir.path().join(EXAMPLE);
    fs::remove_dir_all(&path).unwrap();
    let run_dir = path.to_str().unwrap();
    let output = run(dir.path(), &["apply", file, "--sandbox", "--progress", "none", "--out", run_dir]);
    let entries = entries(&path).into_iter().filter(|name| !name.starts_with("run."));
    let files = entries.map(|name| {
        let text = fs::read_to_string(path.join(&name)).unwrap();
        (name, same_every_time(&text.replace(run_dir, EXAMPLE)))
    });
    let files = with_checksums(with_page(files.collect()));
    let [told, errors] = [output.stdout, output.stderr]
        .map(|text| text.replace(run_dir, "reports/2026-01-31T09-00-00Z-apply"));
    // The rate that comes from the settings here is not what is shown.
    let used = "note: referral-bulk.toml of the current directory is used: [profile.default]\n";
    let errors = errors.strip_prefix(used).expect("the settings are told").to_owned();
    Session { told: with_seconds(&told, seconds), errors, files }
}

/// The files with a page that tells them as they are here.
fn with_page(mut files: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut page = page_same_every_time(&files["report.html"]);
    for (name, text) in &files {
        let cells =
            format!(r#"(<code>{name}</code></th><td[^>]*>[^<]*</td><td[^>]*><code title=")\w+(">)\w+"#);
        let sum = sha256(text);
        let told = format!("${{1}}{sum}${{2}}{}", &sum[..12]);
        page = Regex::new(&cells).unwrap().replace(&page, told).into_owned();
    }
    files.insert("report.html".to_owned(), page);
    files
}

/// A page without what its pace was, and with the same times whenever it is made.
fn page_same_every_time(page: &str) -> String {
    let mut page = page.to_owned();
    for (differs, same) in [
        (r"\d+ [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC", "31 January 2026, 09:00 UTC"),
        (
            r"\d+ [A-Z][a-z]+ \d{4}, \d\d:\d\d:\d\d to (\d+ [A-Z][a-z]+ \d{4}, )?\d\d:\d\d:\d\d UTC",
            "31 Jan 2026, 09:00:00 to 09:00:03 UTC",
        ),
        (r"\d+ [A-Z][a-z]+ \d{4}, \d\d:\d\d:\d\d UTC", "31 Jan 2026, 09:00:00 UTC"),
        ("<dt>Time</dt><dd>[^<]*</dd>", "<dt>Time</dt><dd>3.6 s; 3.5 s waiting for the rate</dd>"),
        (r##"<li><a href="#pace">Pace</a></li>"##, ""),
        (r#"(?s)<section [^>]*id="pace".*?</section>\n?"#, ""),
    ] {
        page = Regex::new(differs).unwrap().replace_all(&page, same).into_owned();
    }
    let (before, rest) = page.split_once(r#""rows":["#).unwrap();
    let (rows, after) = rest.split_once(r#"],"strings":"#).unwrap();
    let mut rows: Vec<Vec<Value>> = serde_json::from_str(&format!("[{rows}]")).unwrap();
    for row in &mut rows {
        // When it was settled, and how long each attempt took.
        const AT: usize = 10;
        row.get_mut(AT).into_iter().filter(|at| !at.is_null()).for_each(|at| *at = json!(0));
        let tries = row.get_mut(AT + 1).and_then(Value::as_array_mut).into_iter().flatten();
        tries.for_each(|attempt| attempt[2] = json!(0));
    }
    let rows = serde_json::to_string(&rows).unwrap().replace('<', "\\u003c");
    format!("{before}\"rows\":{}],\"strings\":{after}", rows.strip_suffix(']').unwrap())
}

/// The files with a summary that knows them as they are here.
fn with_checksums(mut files: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut summary = files["summary.json"].clone();
    for (name, text) in &files {
        let told = Regex::new(&format!(r#"("path":"{name}","rows":\w+,"sha256":")\w+"#)).unwrap();
        summary = told.replace(&summary, format!("${{1}}{}", sha256(text))).into_owned();
    }
    let (before, _) = summary.rsplit_once(",\"sha256\":").unwrap();
    let summary = format!("{before},\"sha256\":\"{}\"}}\n", sha256(before));
    files.insert("summary.json".to_owned(), summary);
    files
}

/// Times, the GUIDs of requests and durations, made the same. The samples' own GUIDs are made up and
/// stay: none is random.
fn same_every_time(text: &str) -> String {
    // A time of which the thousandths are zero has none.
    let time = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z").unwrap();
    let guid = Regex::new(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").unwrap();
    let seconds = Regex::new(r#""seconds":\{[^}]*\}"#).unwrap();
    let text = time.replace_all(text, "2026-01-31T09:00:00Z");
    let text = guid.replace_all(&text, |found: &regex::Captures<'_>| {
        let own = found[0].contains("-4000-8000-");
        if own { found[0].to_owned() } else { "00000000-0000-4000-8000-000000000000".to_owned() }
    });
    let same = r#""seconds":{"total":3.6,"waiting_for_rate":3.5,"paused_by_server":0.0,"held_back":0.0}"#;
    seconds.replace_all(&text, same).into_owned()
}

/// The summary with such seconds as it shows at the default rate; the numbers stay below each other.
fn with_seconds(told: &str, seconds: &str) -> String {
    let figure = Regex::new(r"^ (\s*[a-z]+)\s+([\d,.]+)(  .*)?$").unwrap();
    let figures: Vec<_> = told.lines().filter_map(|line| figure.captures(line)).collect();
    let number = |found: &regex::Captures<'_>| match &found[1] {
        "seconds" => seconds.split(' ').next().unwrap().len(),
        _ => found[2].len(),
    };
    let widths = (figures.iter().map(|found| found[1].len()).max(), figures.iter().map(number).max());
    let (Some(names), Some(numbers)) = widths else { panic!("no figures in {told}") };
    let mut lines = Vec::new();
    for line in told.lines() {
        let Some(found) = figure.captures(line) else {
            lines.push(line.to_owned());
            continue;
        };
        let (number, rest) = match &found[1] {
            "seconds" => seconds.split_once(' ').unwrap(),
            _ => (&found[2], found.get(3).map_or("", |rest| rest.as_str())),
        };
        let rest = match &found[1] {
            "seconds" => format!(" {rest} for the rate, 0.0 paused by the server"),
            _ => rest.to_owned(),
        };
        lines.push(format!(" {:names$}  {number:>numbers$}{rest}", &found[1]));
    }
    lines.join("\n")
}

pub fn names(files: &BTreeMap<String, String>) -> Vec<&String> {
    files.keys().collect()
}
