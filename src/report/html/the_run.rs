//! The run: what was asked, by whom, from which files and with whose consent, and what was written of it.

use askama::Template;

use super::super::format::{counted, grouped};
use super::super::summary::{Requests, Seconds};
use super::super::text::wave_sizes;
use super::chain::{Checksum, Link, chain};
use super::facts::PageFacts;
use super::kind::Kind;
use super::sent::SentSoFar;
use super::words::to_the_second;
use crate::domain::account::input_name;
use crate::domain::verification::{Verification, VerifiedStanding};

#[derive(Template)]
#[template(path = "the_run.html", config = "src/report/html/askama.toml")]
struct Section {
    title: &'static str,
    chain: Vec<Link>,
    facts: Vec<Fact>,
    tables: [Files; 2],
}

/// A fact about the run.
struct Fact {
    name: &'static str,
    is_wide: bool,
    pieces: Vec<Piece>,
}

/// A piece of a fact: text or code.
struct Piece {
    text: String,
    is_code: bool,
    ends_line: bool,
}

/// Files with rows and checksums.
struct Files {
    title: &'static str,
    files: Vec<NamedFile>,
}

struct NamedFile {
    name: String,
    rows: Option<String>,
    sha256: Checksum,
}

/// Returns the section.
///
/// # Errors
/// Where a template can't be rendered, which is a defect.
pub(super) fn the_run(facts: &PageFacts<'_>, sent: &SentSoFar) -> Result<String, askama::Error> {
    Section {
        title: title(Kind::of(facts.phase)),
        chain: chain(facts, sent),
        facts: all_facts(facts),
        tables: [inputs(facts), written(facts)],
    }
    .render()
}

/// Returns the name of the section.
pub(super) fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Plan => "The plan",
        Kind::Run => "The run",
    }
}

fn text(text: impl Into<String>) -> Piece {
    Piece { text: text.into(), is_code: false, ends_line: false }
}

fn code(text: impl Into<String>) -> Piece {
    Piece { text: text.into(), is_code: true, ends_line: false }
}

fn fact(name: &'static str, pieces: Vec<Piece>) -> Fact {
    Fact { name, is_wide: false, pieces }
}

fn all_facts(facts: &PageFacts<'_>) -> Vec<Fact> {
    let PageFacts { summary, spec, texts, .. } = facts;
    let mut told = vec![asked(facts), fact("Run", vec![code(texts.plain(&summary.run))])];
    let accounts = facts.consent.map(|consent| &consent.accounts);
    let signed_in = accounts.and_then(|accounts| accounts.service.as_ref());
    told.extend(signed_in.map(|account| fact("Signed in", vec![text(texts.free(account))])));
    let user = accounts.and_then(|accounts| accounts.machine.clone().or_else(|| accounts.number()));
    told.extend(user.map(|user| fact("User", vec![text(texts.plain(&user))])));
    told.extend(summary.reason.as_ref().map(|reason| fact("Reason", vec![text(texts.free(reason))])));
    told.push(fact(
        "Service",
        if spec.is_rehearsal() {
            vec![text("a sandbox in the process itself: this is a rehearsal")]
        } else {
            vec![code(texts.plain(&spec.target))]
        },
    ));
    told.push(fact("Requests", vec![text(requests(summary.requests))]));
    told.push(fact("Time", vec![text(seconds(summary.seconds))]));
    // Of a damaged run no sum need be a number.
    let rows = summary.inputs.iter().map(|input| input.rows).fold(0, u64::saturating_add);
    told.push(fact(
        "Rows",
        vec![text(format!("{} in, {} accounted for", grouped(rows), grouped(summary.rows.total)))],
    ));
    told.extend(
        summary.order.as_ref().map(|order| fact("Order", vec![text(texts.plain(&order.to_string()))])),
    );
    told.extend(summary.waves.as_ref().map(|waves| {
        fact("Waves", vec![text(format!("{}, each read back before the next", wave_sizes(waves)))])
    }));
    told.extend(facts.verified.map(|verified| fact("Verified", vec![text(standing(verified))])));
    told.push(fact("Program", vec![text(format!("referral-bulk {}", texts.plain(&spec.program)))]));
    told.push(personal_data(facts));
    told
}

/// Returns the commands that the run was planned with, as far as they are on record.
fn asked(facts: &PageFacts<'_>) -> Fact {
    let line = |command: &String| Piece { ends_line: true, ..code(facts.texts.free(command)) };
    let mut pieces: Vec<Piece> = facts.commands.asked.iter().map(line).collect();
    pieces.push(text("Only what decides the plan is kept; options of speed are not."));
    Fact { name: "Command", is_wide: true, pieces }
}

/// Returns requests by kind; kinds without any are left out.
fn requests(requests: Requests) -> String {
    let Requests { total, get, list, patch, token, throttled, retried } = requests;
    let of = |kinds: &[(u64, &str)]| {
        let kinds = kinds.iter().filter(|(count, _)| *count > 0);
        kinds.map(|(count, kind)| format!("{} {kind}", grouped(*count))).collect::<Vec<_>>().join(", ")
    };
    let kinds = of(&[(list, "list"), (get, "get"), (patch, "patch"), (token, "token")]);
    let told = if kinds.is_empty() { grouped(total) } else { format!("{}: {kinds}", grouped(total)) };
    let troubles = of(&[(throttled, "throttled"), (retried, "retried")]);
    let among =
        [(patch == 0).then(|| "none that writes".to_owned()), (!troubles.is_empty()).then_some(troubles)];
    let among: Vec<String> = among.into_iter().flatten().collect();
    if among.is_empty() { told } else { format!("{told}; {}", among.join(", ")) }
}

/// Returns where the time went.
fn seconds(Seconds { total, waiting_for_rate, paused_by_server, held_back }: Seconds) -> String {
    let waits = [
        (waiting_for_rate, "waiting for the rate"),
        (paused_by_server, "paused by the service"),
        (held_back, "held back by failures"),
    ];
    // What would be told as 0.0 is left out.
    let waits = waits.into_iter().filter(|(seconds, _)| *seconds >= 0.05);
    let waits: Vec<String> = waits.map(|(seconds, what)| format!("{seconds:.1} s {what}")).collect();
    if waits.is_empty() { format!("{total:.1} s") } else { format!("{total:.1} s; {}", waits.join(", ")) }
}

/// Returns what the last verification found, and when.
fn standing(verified: &Verification) -> String {
    let Verification { at, ended, wave, counts, left, in_doubt, .. } = verified;
    let when = match ended {
        Some(ended) => to_the_second(*ended),
        None => format!("begun on {}, and not ended", to_the_second(*at)),
    };
    let when = wave.map_or(when.clone(), |wave| format!("{when}, after wave {wave}"));
    if verified.is_all_ours() && ended.is_some() {
        return format!("{when}: {}, all as the run wrote them", counted(counts.total(), "referral"));
    }
    let mut told: Vec<String> = VerifiedStanding::ALL
        .into_iter()
        .map(|standing| (counts.of(standing), standing))
        .filter(|(count, _)| *count > 0)
        .map(|(count, standing)| format!("{} {}", grouped(count), standing_words(standing)))
        .collect();
    told.extend((*left > 0).then(|| format!("{} not looked at", grouped(*left))));
    told.extend(
        (*in_doubt > 0).then(|| format!("{} in doubt, so that nothing can be compared", grouped(*in_doubt))),
    );
    if told.is_empty() { when } else { format!("{when}: {}", told.join(", ")) }
}

fn standing_words(standing: VerifiedStanding) -> &'static str {
    match standing {
        VerifiedStanding::StillOurs => "as the run wrote them",
        VerifiedStanding::ChangedSince => "changed since",
        VerifiedStanding::Gone => "gone",
        VerifiedStanding::NotReadable => "not readable",
    }
}

fn personal_data(facts: &PageFacts<'_>) -> Fact {
    let pieces = if facts.texts.reveal() {
        vec![
            text("E-mail addresses, phone numbers and members’ names are written out. "),
            code(&facts.commands.report),
            text(" masks them."),
        ]
    } else {
        vec![
            text(
                "E-mail addresses, phone numbers and members’ names are masked where they are told by themselves; \
                 notes and other free text are masked as far as they can be recognised. ",
            ),
            code(&facts.commands.reveal),
            text(" writes them out."),
        ]
    };
    Fact { name: "Personal data", is_wide: true, pieces }
}

fn inputs(facts: &PageFacts<'_>) -> Files {
    let file = |input: &super::super::summary::InputSummary| NamedFile {
        name: facts.texts.plain(input_name(&input.path)),
        rows: Some(grouped(input.rows)),
        sha256: Checksum::of(&input.sha256),
    };
    Files { title: "Input", files: facts.summary.inputs.iter().map(file).collect() }
}

fn written(facts: &PageFacts<'_>) -> Files {
    let file = |file: &super::super::manifest::FileSummary| NamedFile {
        name: facts.texts.plain(&file.path),
        rows: file.rows.map(grouped),
        sha256: Checksum::of(&file.sha256),
    };
    Files { title: "Written", files: facts.summary.files.iter().map(file).collect() }
}

#[cfg(test)]
mod tests {
    use super::super::super::manifest::FileSummary;
    use super::super::testing::Facts;
    use super::*;
    use crate::domain::account::Phase;
    use crate::domain::outcome::Outcome;
    use crate::domain::verification::StandingCounts;

    #[test]
    fn requests_are_told_by_kind() {
        let none = Requests { total: 0, get: 0, list: 0, patch: 0, token: 0, throttled: 0, retried: 0 };
        for (given, wanted) in [
            (none, "0; none that writes"),
            (Requests { total: 27, get: 18, list: 9, ..none }, "27: 9 list, 18 get; none that writes"),
            (
                Requests { total: 1_487, list: 15, get: 6, patch: 1_466, throttled: 8, retried: 2, ..none },
                "1,487: 15 list, 6 get, 1,466 patch; 8 throttled, 2 retried",
            ),
            (Requests { total: 3, patch: 2, token: 1, ..none }, "3: 2 patch, 1 token"),
        ] {
            assert_eq!(requests(given), wanted);
        }
    }

    #[test]
    fn waits_are_told_where_there_were_any() {
        let none = Seconds { total: 5.1, waiting_for_rate: 0.0, paused_by_server: 0.0, held_back: 0.0 };
        assert_eq!(seconds(none), "5.1 s");
        assert_eq!(seconds(Seconds { waiting_for_rate: 0.04, ..none }), "5.1 s");
        let all = Seconds { waiting_for_rate: 4.2, paused_by_server: 0.3, held_back: 0.15, ..none };
        assert_eq!(
            seconds(all),
            "5.1 s; 4.2 s waiting for the rate, 0.3 s paused by the service, 0.1 s held back by failures"
        );
    }

    #[test]
    fn a_verification_is_told_with_its_time() {
        let begun = Verification {
            at: "2027-01-02T09:00:00Z".parse().unwrap(),
            ended: Some("2027-01-02T09:01:00Z".parse().unwrap()),
            wave: None,
            counts: StandingCounts { still_ours: 9, changed_since: 0, gone: 0, not_readable: 0 },
            left: 0,
            in_doubt: 0,
            get: 0,
            list: 1,
        };
        let mixed = StandingCounts { still_ours: 9, changed_since: 2, gone: 1, not_readable: 1 };
        for (verification, wanted) in [
            (begun.clone(), "2 Jan 2027, 09:01:00 UTC: 9 referrals, all as the run wrote them"),
            (
                Verification { wave: Some(2), ..begun.clone() },
                "2 Jan 2027, 09:01:00 UTC, after wave 2: 9 referrals, all as the run wrote them",
            ),
            (
                Verification { ended: None, ..begun.clone() },
                "begun on 2 Jan 2027, 09:00:00 UTC, and not ended: 9 as the run wrote them",
            ),
            (
                Verification { counts: mixed, left: 3, in_doubt: 1, ..begun.clone() },
                "2 Jan 2027, 09:01:00 UTC: 9 as the run wrote them, 2 changed since, 1 gone, 1 not readable, 3 not looked at, \
                 1 in doubt, so that nothing can be compared",
            ),
        ] {
            assert_eq!(standing(&verification), wanted);
        }
    }

    fn filled(mut facts: Facts) -> Facts {
        facts.summary.files = vec![
            FileSummary {
                path: "success.csv".to_owned(),
                rows: Some(1_000),
                sha256: "0123456789abcdef".to_owned(),
            },
            FileSummary { path: "plan.jsonl".to_owned(), rows: None, sha256: "ab12".to_owned() },
        ];
        facts
    }

    #[test]
    fn a_finished_run() {
        let facts = filled(Facts::of(Phase::Finished).with(&[(Outcome::Applied, 1_000)]));
        insta::assert_snapshot!(the_run(&facts.facts(), &SentSoFar::default()).unwrap(), @r#"
        <section class="part" id="run" aria-labelledby="run-title">
        <header><h2 id="run-title" tabindex="-1">The run</h2><p>Consent is given to a plan, by its SHA-256. Nothing is sent that was not in it.</p></header>
        <div class="stack"><ol class="chain"><li class="done"><b>Planned</b><small>31 Dec 2026, 14:31:05 UTC</small><small>plan <code title="ab12">ab12</code></small></li>
        <li class="open"><b>Consent: none on record</b></li>
        <li class="done"><b>Nothing to send</b><small>finished, exit code 0</small></li>
        </ol>
        <dl class="facts"><div class="full"><dt>Command</dt><dd><code>referral-bulk apply changes.csv</code><br>Only what decides the plan is kept; options of speed are not.</dd></div>
        <div><dt>Run</dt><dd><code>reports/r 1</code></dd></div>
        <div><dt>Service</dt><dd><code>https://api.partner.example.com/v1.0</code></dd></div>
        <div><dt>Requests</dt><dd>12: 1 list, 1 get, 10 patch; 2 retried</dd></div>
        <div><dt>Time</dt><dd>5.1 s; 4.2 s waiting for the rate</dd></div>
        <div><dt>Rows</dt><dd>0 in, 1,000 accounted for</dd></div>
        <div><dt>Program</dt><dd>referral-bulk 0.1.0</dd></div>
        <div class="full"><dt>Personal data</dt><dd>E-mail addresses, phone numbers and members’ names are masked where they are told by themselves; notes and other free text are masked as far as they can be recognised. <code>referral-bulk report reports/r and reveal</code> writes them out.</dd></div>
        </dl>
        <div class="pair"><table class="grid"><thead><tr><th scope="col">Input</th><th scope="col" class="n">Rows</th><th scope="col" class="sha">SHA-256</th></tr></thead>
        <tbody><tr><th scope="row"><code>changes.csv</code></th><td class="n" data-th="Rows">0</td><td class="sha" data-th="SHA-256"><code title="sha of changes.csv">sha of chang</code></td></tr>
        </tbody></table>
        <table class="grid"><thead><tr><th scope="col">Written</th><th scope="col" class="n">Rows</th><th scope="col" class="sha">SHA-256</th></tr></thead>
        <tbody><tr><th scope="row"><code>success.csv</code></th><td class="n" data-th="Rows">1,000</td><td class="sha" data-th="SHA-256"><code title="0123456789abcdef">0123456789ab</code></td></tr>
        <tr><th scope="row"><code>plan.jsonl</code></th><td class="n nil" data-th="Rows">–</td><td class="sha" data-th="SHA-256"><code title="ab12">ab12</code></td></tr>
        </tbody></table>
        </div></div>
        </section>
        "#);
    }

    #[test]
    fn what_is_masked_is_told_with_the_way_to_see_it() {
        for (reveal, wanted) in [
            (
                false,
                "as far as they can be recognised. <code>referral-bulk report reports/r and reveal</code> writes them out.",
            ),
            (true, "are written out. <code>referral-bulk report reports/r</code> masks them."),
        ] {
            let mut facts = Facts::of(Phase::Finished);
            facts.texts = super::super::texts::Texts::new(reveal);
            facts.summary.reason = Some("asked by ada@partner.example.com".to_owned());
            facts.commands.asked =
                vec!["referral-bulk apply a.csv --reason 'asked by ada@partner.example.com'".to_owned()];
            let told = the_run(&facts.facts(), &SentSoFar::default()).unwrap();
            assert!(told.contains(wanted), "{told}");
            assert_eq!(told.matches("ada@partner").count(), if reveal { 2 } else { 0 }, "{told}");
        }
    }

    #[test]
    fn hostile_texts_stay_text() {
        const HOSTILE: &str = "<script>alert(1)</script>\u{202e}\" onclick=\"x";
        let mut facts = filled(Facts::of(Phase::Planned));
        facts.summary.run = HOSTILE.to_owned();
        facts.summary.reason = Some(HOSTILE.to_owned());
        facts.spec.target = HOSTILE.to_owned();
        facts.spec.program = HOSTILE.to_owned();
        facts.commands.asked = vec![HOSTILE.to_owned()];
        facts.summary.inputs[0].path = HOSTILE.to_owned();
        facts.summary.files[0].path = HOSTILE.to_owned();
        facts.summary.files[0].sha256 = HOSTILE.to_owned();
        let told = the_run(&facts.facts(), &SentSoFar::default()).unwrap();
        assert!(!told.contains("<script") && !told.contains("\" onclick"), "{told}");
        assert!(
            !told
                .replace(&askama::filters::escape(HOSTILE, askama::filters::Html).unwrap().to_string(), "")
                .contains('\u{202e}')
        );
    }
}
