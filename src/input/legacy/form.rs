//! The format in which a file holds its payloads.

use super::super::context::InputContext;
use super::super::error::Unusable;
use super::super::gzip::inner;
use super::http::is_request_line;
use crate::domain::format::Format;
use crate::domain::json::Object;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// How the form of payloads is said.
fn say_format() -> Wording {
    let say = Wording::from("say ").name(Setting::Format).say(" jsonl, ").name(Setting::Format);
    say.say(" json or ").name(Setting::Format).say(" http")
}

/// Returns the format that the user names or the extension stands for, before the file is opened.
///
/// # Errors
/// Where standard input comes without a format, or the format is CSV.
pub(super) fn named(context: &InputContext<'_>) -> Result<Option<Format>, Unusable> {
    match context.options.format {
        Some(Format::Csv | Format::PortalCsv | Format::Xlsx) => {
            Err(context.unusable("payloads don't come as CSV, nor in workbooks", Some(say_format())))
        }
        None if context.path == "-" => {
            Err(context.unusable("standard input has no extension that tells its form", Some(say_format())))
        }
        None => Ok(by_extension(context.path)),
        said => Ok(said),
    }
}

/// Returns the format that an extension stands for.
fn by_extension(path: &str) -> Option<Format> {
    let extension = inner(path).extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        "json" => Some(Format::Json),
        "http" | "rest" => Some(Format::Http),
        _ => None,
    }
}

/// Returns the format of a file that begins with `head`. A file with the extension of JSON lines may hold an
/// array all the same, unless the user named the format.
///
/// # Errors
/// Where it looks like no format of payloads.
pub(super) fn of(context: &InputContext<'_>, named: Option<Format>, head: &[u8]) -> Result<Format, Unusable> {
    match named {
        Some(format) if format != Format::Jsonl || context.options.format.is_some() => Ok(format),
        Some(_) => Ok(by_content(head).filter(|format| *format == Format::Json).unwrap_or(Format::Jsonl)),
        None => by_content(head).ok_or_else(|| {
            context
                .unusable("neither its extension nor its beginning tells the file's form", Some(say_format()))
        }),
    }
}

/// Returns the format that the beginning of a file shows.
fn by_content(head: &[u8]) -> Option<Format> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_remark = |line: &&str| line.starts_with("//") || line.starts_with(['#', '@']);
    let remarked = lines.clone().next().is_some_and(|line| line.starts_with(['#', '@']));
    let first = lines.find(|line| !is_remark(line))?;
    if is_request_line(first) || first.starts_with("http") {
        return Some(Format::Http);
    }
    match first.as_bytes()[0] {
        _ if remarked => None,
        b'[' => Some(Format::Json),
        // An object over several lines goes on with a name, JSON lines with another object.
        b'{' => {
            let ended =
                Object::parse(first).is_some() || lines.next().is_none_or(|line| line.starts_with('{'));
            Some(if ended { Format::Jsonl } else { Format::Json })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Options;
    use super::*;

    /// The form of a file, or `-`.
    fn form(path: &str, said: Option<Format>, head: &str) -> Option<Format> {
        let options = Options { format: said, ..Options::default() };
        let context = InputContext::new(path, 0, &options);
        named(&context).and_then(|named| of(&context, named, head.as_bytes())).ok()
    }

    #[test]
    fn the_form_is_said_or_told_by_extension_and_content() {
        const PRETTY: &str = "{\n  \"id\": \"x\"\n}";
        const PUT: &str = "PUT https://x/y HTTP/1.1";
        for (path, head, wanted) in [
            ("a.jsonl", "{}\n{}", Some(Format::Jsonl)),
            ("a.NDJSON", "{\"a\":\n{}", Some(Format::Jsonl)),
            ("a.jsonl", "[{}]", Some(Format::Json)),
            ("a.jsonl", PRETTY, Some(Format::Json)),
            ("a.jsonl", PUT, Some(Format::Jsonl)),
            ("a.jsonl", "{\"a\":tru", Some(Format::Jsonl)),
            ("dir.http/a.json", "{}\n{}", Some(Format::Json)),
            ("a.json", "", Some(Format::Json)),
            ("a.http", "{}", Some(Format::Http)),
            ("a.REST", "", Some(Format::Http)),
            ("a.json.gz", "", Some(Format::Json)),
            ("a.http.GZ", "{}", Some(Format::Http)),
            ("a.gz", "{}\n", Some(Format::Jsonl)),
            ("a", "{}\n", Some(Format::Jsonl)),
            ("a.txt", "\n // x\n[", Some(Format::Json)),
            ("a.txt", "{ // x\n\"id\":1", Some(Format::Json)),
            ("a.txt", PUT, Some(Format::Http)),
            ("a.txt", "### x\n# @name y\n@z = 1\nput {{base}}/x\n", Some(Format::Http)),
            ("a.txt", "# x\n{}", None),
            ("a.csv", "id,status\n", None),
            ("a", "", None),
            ("-", "{}", None),
        ] {
            assert_eq!(form(path, None, head), wanted, "{path}: {head}");
            assert_eq!(form(path, Some(Format::Jsonl), head), Some(Format::Jsonl));
            assert_eq!(form(path, Some(Format::Csv), head), None);
        }
    }
}
