//! `config show`: prints the settings that count, and where each comes from.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Serialize;

use super::connection;
use super::environment::Environment;
use super::remembered_rate;
use super::target::Target;
use crate::domain::characters::visible;
use crate::domain::exit::Exit;

/// The name of the setting that says where tokens come from.
pub const TOKEN: &str = "token";

/// The name of the setting that says how much is asked for.
const RATE: &str = "rate";

/// The options of `config show`.
#[derive(Debug, Serialize)]
pub struct ConfigShowOptions {
    /// The settings file, where there is one.
    pub file: Option<&'static str>,
    /// The settings.
    #[serde(rename = "settings")]
    pub rows: Vec<SettingRow>,
    /// The service, and where its tokens come from.
    #[serde(skip)]
    pub target: Target,
    /// Whether to print one JSON object.
    #[serde(skip)]
    pub json: bool,
}

/// A setting, its value, and where that comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingRow {
    /// Its name, as in `rate` or `rules.closed-edit`.
    pub name: String,
    /// Its value, where it has one; a secret is only said to be there.
    pub value: Option<String>,
    /// Where the value comes from: `default`, a flag, a variable, or the settings file with the line.
    pub origin: String,
    /// Where else values stand, which this one goes before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<String>,
    /// The rate, in requests a second, that a run begins with, where it is found and one is remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begins_at: Option<f64>,
}

/// The form of the JSON object, for programs that read it.
#[derive(Serialize)]
struct Printed<'a> {
    version: u32,
    #[serde(flatten)]
    options: &'a ConfigShowOptions,
}

/// Prints the settings. Nothing is read but them and who is signed in, and nothing is sent.
pub fn run(mut options: ConfigShowOptions, environment: &Environment<'_>) -> Exit {
    let console = environment.console;
    tell_sign_in(&mut options.rows, &options.target, environment);
    tell_beginning(&mut options.rows, &options.target, environment);
    if options.json {
        let line = serde_json::to_string(&Printed { version: 1, options: &options })
            .expect("numbers, texts and lists of them serialise");
        console.data(&format!("{line}\n"));
    } else {
        console.data(&table(&options.rows));
    }
    if options.file.is_none() {
        console.say("note: there is no referral-bulk.toml in the current directory");
    }
    Exit::Done
}

/// Says in the row of the token who is signed in, where tokens come from a sign-in that is kept.
pub fn tell_sign_in(rows: &mut [SettingRow], target: &Target, environment: &Environment<'_>) {
    let row = rows.iter_mut().find(|row| row.name == TOKEN);
    if let (Some(who), Some(row)) = (connection::signed_in(target, environment), row) {
        (row.value, row.origin) = (Some(who), "login".to_owned());
    }
}

/// Says in the row of a rate that is found what a run begins with. That is kept for each tenant, which only a sign-in
/// that is kept tells without a token.
fn tell_beginning(rows: &mut [SettingRow], target: &Target, environment: &Environment<'_>) {
    let row = rows.iter_mut().find(|row| row.name == RATE && row.value.as_deref() == Some("auto"));
    if let (Some(row), Some(tenant)) = (row, connection::signed_in_tenant(target, environment)) {
        let beginning = remembered_rate::beginning(target, Some(&tenant), environment);
        row.begins_at = beginning.map(|beginning| beginning.per_second);
    }
}

/// Returns the value for people.
fn shown(row: &SettingRow) -> Cow<'_, str> {
    let value = row.value.as_deref().unwrap_or("none");
    row.begins_at
        .map_or(value.into(), |per_second| format!("{value}, and begins at {per_second:.1}/s").into())
}

/// Returns the settings in columns: name, value, where it comes from.
fn table(rows: &[SettingRow]) -> String {
    let width = |of: fn(&SettingRow) -> Cow<'_, str>| {
        // One long value doesn't push the others' origins out of sight.
        const WIDEST: usize = 48;
        let widths = rows.iter().map(|row| visible(&of(row)).chars().count());
        widths.filter(|width| *width <= WIDEST).max().unwrap_or_default()
    };
    let (names, values) = (width(|row| Cow::Borrowed(&row.name)), width(shown));
    let mut text = String::new();
    for row in rows {
        let SettingRow { origin, over, .. } = row;
        let value = shown(row);
        let (name, value) = (visible(&row.name), visible(&value));
        let over = if over.is_empty() { String::new() } else { format!(", over {}", over.join(", ")) };
        writeln!(text, "{name:names$}  {value:values$}  {origin}{over}")
            .expect("writing to a string never fails");
    }
    text
}
