//! What is next: what is left to do, and the command for each.

use askama::Template;

use super::facts::{NextStep, PageFacts};
use super::words::capital;

#[derive(Template)]
#[template(path = "next.html", config = "src/report/html/askama.toml")]
struct Section<'a> {
    steps: Vec<Step<'a>>,
}

struct Step<'a> {
    what: String,
    /// As it is typed: what can't be seen in it is escaped already, for the shell.
    command: &'a str,
    arguments: Vec<&'a str>,
}

/// Returns the section; an empty text where nothing is left to do.
///
/// # Errors
/// Where a template can't be rendered, which is a defect.
pub(super) fn next(facts: &PageFacts<'_>) -> Result<String, askama::Error> {
    if facts.commands.next.is_empty() {
        return Ok(String::new());
    }
    let steps = facts
        .commands
        .next
        .iter()
        .map(|NextStep { what, command }| Step {
            what: capital(&facts.texts.plain(what)),
            command,
            arguments: arguments(command),
        })
        .collect();
    Section { steps }.render()
}

/// Returns the arguments of a command line, which with spaces between them are the command line again. Spaces within
/// quotes, or behind a backslash, part nothing.
fn arguments(command: &str) -> Vec<&str> {
    let (mut quote, mut is_escaped) = (None, false);
    let parts = command.split(move |letter| {
        match (letter, quote) {
            _ if is_escaped => is_escaped = false,
            ('\\', None) => is_escaped = true,
            ('\'' | '"', None) => quote = Some(letter),
            (_, Some(open)) if open == letter => quote = None,
            (' ', None) => return true,
            _ => {}
        }
        false
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Facts;
    use super::*;
    use crate::domain::account::Phase;

    fn told(next: &[(&str, &str)]) -> String {
        let mut facts = Facts::of(Phase::Finished);
        facts.commands.next = next
            .iter()
            .map(|(what, command)| NextStep { what: (*what).to_owned(), command: (*command).to_owned() })
            .collect();
        super::next(&facts.facts()).unwrap()
    }

    #[test]
    fn nothing_left_to_do_has_no_section() {
        assert_eq!(told(&[]), "");
    }

    #[test]
    fn each_step_is_told_with_its_command_to_copy() {
        let steps = [
            ("correct error.csv and feed it back", "referral-bulk apply 'reports/r 1/error.csv' --clear"),
            ("see whether it still stands", "referral-bulk verify 'reports/r 1'"),
        ];
        insta::assert_snapshot!(told(&steps), @r##"
        <section class="part" id="next" aria-labelledby="next-title">
        <header><h2 id="next-title" tabindex="-1">What is next</h2><p>Followed to the letter, these lose no row and make no change twice. A profile, and options of how to send, are not on record: add your own.</p></header>
        <div class="stack"><ol class="next"><li><span>Correct error.csv and feed it back</span><span class="cmd"><code><span class="arg">referral-bulk</span> <span class="arg">apply</span> <span class="arg">&#39;reports/r 1/error.csv&#39;</span> <span class="arg">--clear</span></code><button type="button" class="copy" data-copy="referral-bulk apply &#39;reports/r 1/error.csv&#39; --clear" aria-label="Copy the command" title="Copy the command"><svg class="g" aria-hidden="true"><use href="#g-copy"/></svg></button></span></li><li><span>See whether it still stands</span><span class="cmd"><code><span class="arg">referral-bulk</span> <span class="arg">verify</span> <span class="arg">&#39;reports/r 1&#39;</span></code><button type="button" class="copy" data-copy="referral-bulk verify &#39;reports/r 1&#39;" aria-label="Copy the command" title="Copy the command"><svg class="g" aria-hidden="true"><use href="#g-copy"/></svg></button></span></li></ol></div>
        </section>
        "##);
    }

    #[test]
    fn a_command_breaks_between_its_arguments() {
        for (command, wanted) in [
            ("a", &["a"][..]),
            ("a --b c", &["a", "--b", "c"]),
            ("a 'b c' --d", &["a", "'b c'", "--d"]),
            ("a \"b 'c\" d", &["a", "\"b 'c\"", "d"]),
            ("a 'b'\\''s c' d", &["a", "'b'\\''s c'", "d"]),
            ("a b\\ c d", &["a", "b\\ c", "d"]),
            ("a 'b c", &["a", "'b c"]),
        ] {
            let arguments = arguments(command);
            assert_eq!(arguments, wanted, "{command}");
            assert_eq!(arguments.join(" "), command);
        }
    }

    #[test]
    fn a_hostile_name_stays_text() {
        let told = told(&[(
            "mend <script>\u{202e}.csv",
            r#"referral-bulk apply '"><img src=x onerror=alert(1)>.csv'"#,
        )]);
        assert!(!told.contains("<script") && !told.contains("<img") && !told.contains('\u{202e}'), "{told}");
        let command = "referral-bulk apply &#39;&#34;&#62;&#60;img src=x onerror=alert(1)&#62;.csv&#39;";
        assert!(told.contains(&format!("data-copy=\"{command}\"")), "{told}");
    }
}
