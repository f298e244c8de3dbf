//! The frame of the page: its head with policy and style, masthead and footer, and the script behind the data.
//!
//! It is written in two pieces, since the data between them is streamed. The policy lets nothing be loaded and
//! nothing be sent, and names the one style and the one script by the hash of exactly the bytes between their tags.

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::super::{outcomes, plan};
use super::kind::Kind;

/// The style, but for the line that has the run's name.
const STYLE: &str = include_str!("page.css");

/// The script.
const SCRIPT: &str = include_str!("page.js");

/// What the frame is filled with.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    /// The headline as plain text, for the title.
    pub(super) headline: String,
    /// The name of the run.
    pub(super) run: &'a str,
    /// The kind of page.
    pub(super) kind: Kind,
    /// The id and the name of each part that is there.
    pub(super) parts: Vec<(&'static str, &'static str)>,
    /// The command that makes the page again.
    pub(super) report: &'a str,
    /// The parts themselves, as HTML.
    pub(super) body: String,
}

#[derive(Template)]
#[template(path = "page.html", config = "src/report/html/askama.toml")]
struct Head<'a> {
    frame: &'a Frame<'a>,
    style: &'a str,
    style_hash: String,
    script_hash: String,
    /// The file that tells the same to programs.
    lines: &'static str,
}

/// Returns all that comes before the data.
///
/// # Errors
/// Where a template can't be rendered, which is a defect.
pub(super) fn head(frame: &Frame<'_>) -> Result<String, askama::Error> {
    let style = format!("{STYLE}{}", page_line(frame.run));
    let (style_hash, script_hash) = (hash(&style), hash(SCRIPT));
    let lines = match frame.kind {
        Kind::Plan => plan::NAME,
        Kind::Run => outcomes::NAME,
    };
    Head { frame, style: &style, style_hash, script_hash, lines }.render()
}

/// Returns all that comes behind the data.
pub(super) fn tail() -> String {
    format!("</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n")
}

/// Returns the line of the style that writes the run's name below each printed page.
fn page_line(run: &str) -> String {
    format!("@page {{ @bottom-left {{ content: {}; }} }}\n", css_text(&format!("referral-bulk  {run}")))
}

/// Returns a text as CSS writes it. All but letters, digits and some marks is escaped, so that no name can end it, or
/// the style.
fn css_text(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " ._-".contains(c);
    let escaped = |c: char| if is_plain(c) { c.to_string() } else { format!("\\{:06x} ", u32::from(c)) };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

/// Returns the hash by which a policy names a text.
fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Outcome;

    fn frame<'a>(run: &'a str, headline: &str) -> Frame<'a> {
        Frame {
            headline: headline.to_owned(),
            run,
            kind: Kind::Run,
            parts: vec![("run", "The run"), ("rows", "Rows")],
            report: "referral-bulk report 'reports/r 1'",
            body: "<section id=\"run\"></section>\n<section id=\"rows\"></section>\n".to_owned(),
        }
    }

    /// Returns what stands between the last of an opening text and the closing one behind it.
    fn between<'a>(text: &'a str, open: &str, close: &str) -> &'a str {
        text.rsplit_once(open).unwrap().1.split_once(close).unwrap().0
    }

    /// The page without style, script and symbols, and with the policy's hashes by name.
    fn told(page: &str) -> String {
        let (style, script) = (between(page, "<style>", "</style>"), between(page, "<script>", "</script>"));
        let symbols = format!("<defs>{}</defs>", between(page, "<defs>", "</defs>"));
        let hashes = [(hash(style), "STYLE"), (hash(script), "SCRIPT")];
        let page = page.replace(style, "…").replace(script, "…").replace(&symbols, "…");
        hashes.into_iter().fold(page, |page, (hash, name)| page.replace(&hash, name))
    }

    #[test]
    fn a_page_is_its_head_the_data_and_the_script() {
        let page = head(&frame("r 1", "9 of 12 referrals changed.")).unwrap() + "{}" + &tail();
        insta::assert_snapshot!(told(&page), @r##"
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-SCRIPT'; style-src 'sha256-STYLE'; base-uri 'none'; form-action 'none'">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="referrer" content="no-referrer">
        <title>9 of 12 referrals changed. – r 1</title>
        <style>…</style>
        </head>
        <body class="run">
        <svg class="sr" aria-hidden="true">…</svg>
        <a class="skip" href="#rows">To the rows</a>
        <header class="mast"><p class="brand"><b>referral-bulk</b><span>r 1</span></p>
        <nav aria-label="Parts"><ul><li><a href="#run">The run</a></li><li><a href="#rows">Rows</a></li></ul></nav>
        <button type="button" class="button" id="theme" aria-pressed="false"><svg class="g" aria-hidden="true"><use href="#g-theme"/></svg>Dark</button></header>
        <main>
        <section id="run"></section>
        <section id="rows"></section>
        </main>
        <footer class="foot"><p>This page loads nothing and sends nothing. <code>referral-bulk report &#39;reports/r 1&#39;</code> makes it again from the run’s ledger; for programs, the same is in <code>outcomes.jsonl</code> and <code>summary.json</code>.</p></footer>
        <script type="application/json" id="data">{}</script>
        <script>…</script>
        </body>
        </html>
        "##);
    }

    /// A browser hashes what it finds between the tags, once it has made line feeds of other line ends.
    #[test]
    fn the_policy_names_exactly_the_style_and_the_script() {
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains(['\r', '\0']), "a browser reads it otherwise");
        }
        for run in ["r", "ré 1", "</style><script>alert(1)</script>", "\"; } * { display: none"] {
            let page = head(&frame(run, "…")).unwrap() + "{}" + &tail();
            let count = |text: &str| page.matches(text).count();
            assert_eq!(
                [count("<style"), count("</style>"), count("<script"), count("</script>")],
                [1, 1, 2, 2]
            );
            let policy = format!(
                "content=\"default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; \
                 form-action 'none'\"",
                hash(between(&page, "<script>", "</script>")),
                hash(between(&page, "<style>", "</style>"))
            );
            assert!(page.contains(&policy), "{run}");
        }
    }

    #[test]
    fn a_name_cannot_leave_its_line_of_the_style() {
        for (run, wanted) in [
            ("2026-12-31T14-31-05Z-apply", "2026-12-31T14-31-05Z-apply"),
            ("my_run 1.2", "my_run 1.2"),
            ("a\"b\\", "a\\000022 b\\00005c "),
            ("</style>", "\\00003c \\00002f style\\00003e "),
            ("é😀\n", "\\0000e9 \\01f600 \\00000a "),
        ] {
            let wanted = format!("@page {{ @bottom-left {{ content: \"referral-bulk  {wanted}\"; }} }}\n");
            assert_eq!(page_line(run), wanted);
        }
    }

    #[test]
    fn hostile_names_stay_text() {
        let page = head(&frame("<img src=x onerror=alert(1)>", "</title><script>alert(1)</script>")).unwrap();
        for hostile in ["<img", "</title><script", "<script>alert"] {
            assert!(!page.contains(hostile), "{hostile}");
        }
    }

    #[test]
    fn every_outcome_has_its_shape() {
        let page = head(&frame("r", "…")).unwrap();
        for outcome in Outcome::ALL {
            assert!(page.contains(&format!("<symbol id=\"g-{}\" ", outcome.name())), "{}", outcome.name());
        }
        let used = ["copy", "chevron", "done", "theme", "deny", "warn"];
        assert!(used.iter().all(|name| page.contains(&format!("<symbol id=\"g-{name}\" "))));
    }
}
