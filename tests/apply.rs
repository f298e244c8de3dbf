//! Every command as a user meets it: what it prints, how it exits, and what it leaves in files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;
#[path = "apply/typed.rs"]
mod typed;

use std::fs;
use std::process::Command;
use std::rc::Rc;

use regex::Regex;
use serde_json::Value;
use support::case::{Ran, Test, golden};
use support::place::Place;
use support::program::{Ended, program};
use support::referrals::{id, referral};
use support::samples::sample;
use support::sandbox::Sandbox;
use support::sha256::sha256;
use support::tap::Tap;
use support::wire::{self, Wire};

/// Against a sandbox in the same process, fast, and without the advice that depends on today's date.
const REHEARSE: &str =
    "--sandbox --rate 1000/s --out run --rule early-win=allow --rule closing-date-past=allow";
/// The same, with nothing printed that a test is not about.
const QUIET: &str = "--sandbox --rate 1000/s --out run --summary none --progress none";

/// What is said where settings lie beside the input.
const USED: &str = "note: referral-bulk.toml of the current directory is used: [profile.default]\n";

/// Samples that may be accepted, changed, and closed.
const NEW: &str = "5a1e0001-0000-4000-8000-000000000003";
const ACTIVE: &str = "5a1e0001-0000-4000-8000-000000000015";
const OTHER: &str = "5a1e0001-0000-4000-8000-000000000027";

const ROW_FILES: [&str; 6] = [
    "run/success.csv",
    "run/conflict.csv",
    "run/error.csv",
    "run/outcomes.jsonl",
    "run/plan.jsonl",
    "run/summary.json",
];

/// A CSV of notes for some referrals.
fn notes(ids: &[&str]) -> String {
    ids.iter().fold("id,details.notes\n".to_owned(), |text, id| text + &format!("{id},Called on Monday\n"))
}

/// Samples that are Active, as many as are wanted.
fn active(count: usize) -> Vec<&'static str> {
    const ACTIVE: [&str; 8] = [
        "5a1e0001-0000-4000-8000-000000000015",
        "5a1e0001-0000-4000-8000-000000000016",
        "5a1e0001-0000-4000-8000-000000000023",
        "5a1e0001-0000-4000-8000-000000000024",
        "5a1e0001-0000-4000-8000-000000000025",
        "5a1e0001-0000-4000-8000-000000000026",
        "5a1e0001-0000-4000-8000-000000000027",
        "5a1e0001-0000-4000-8000-000000000028",
    ];
    ACTIVE[..count].to_vec()
}

/// The program, where what holds after every run can't.
fn unchecked(place: &Place, line: &str) -> Command {
    let mut command = program();
    command.args(line.split(' ')).current_dir(place.root());
    command
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

mod samples {
    use super::*;

    #[test]
    fn a_quarter_end_goes_through() {
        let ran = Test::new(&format!("apply quarter-end.csv {REHEARSE}"))
            .sample("quarter-end.csv")
            .snapshot("quarter_end_csv", ROW_FILES)
            .run();
        assert_eq!(ran.outcomes("run"), "23 applied, 1 unchanged");
    }

    #[test]
    fn as_json_lines_it_is_the_same_plan() {
        let lines = Test::new(&format!("apply quarter-end.jsonl {REHEARSE}"))
            .sample("quarter-end.jsonl")
            .snapshot("quarter_end_jsonl", ["run/success.jsonl", "run/conflict.jsonl", "run/error.jsonl"])
            .run();
        assert_eq!(lines.outcomes("run"), "23 applied, 1 unchanged");
        let cells = Test::new(&format!("apply quarter-end.csv {QUIET}"))
            .sample("quarter-end.csv")
            .stderr("warning[set-expired]: 1 row, the first at quarter-end.csv:10: the service expires referrals by itself\n")
            .run();
        let plan = |ran: &Ran| -> Vec<Value> {
            let mut items = json_lines(&ran.place.raw("run/plan.jsonl"));
            items.iter_mut().for_each(|item| drop(item.as_object_mut().unwrap().remove("rows")));
            items.iter_mut().for_each(|item| drop(item.as_object_mut().unwrap().remove("findings")));
            items
        };
        assert!(plan(&lines) == plan(&cells), "the two plans differ");
    }

    #[test]
    fn mistakes_are_told_and_the_rest_is_applied() {
        Test::new(&format!("apply quarter-end-mistakes.csv {REHEARSE}"))
            .sample("quarter-end-mistakes.csv")
            .code(3)
            .snapshot("mistakes", ROW_FILES)
            .run();
    }

    #[test]
    fn every_rule_is_broken_once() {
        Test::new("apply invalid.csv --sandbox --rate 1000/s --out run --rule early-win=allow")
            .sample("invalid.csv")
            .code(3)
            .snapshot("invalid", ROW_FILES)
            .run();
    }
}

mod plan_and_resume {
    use super::*;

    #[test]
    fn a_plan_is_carried_out_later_exactly() {
        let planned = Test::new(&format!("apply quarter-end.csv --plan {REHEARSE}"))
            .sample("quarter-end.csv")
            .snapshot("plan_quarter_end", ["run/success.csv", "run/summary.json"])
            .run();
        assert_eq!(planned.summary("run")["requests"]["patch"], 0);
        let plan = plan_as_summarised(&planned);

        let resumed =
            planned.then("resume run --rate 1000/s").snapshot("resume_quarter_end", ROW_FILES).run();
        assert_eq!(plan_as_summarised(&resumed), plan, "carrying a plan out does not change it");
        assert_eq!(resumed.outcomes("run"), "23 applied, 1 unchanged");

        resumed.then("resume run").snapshot("resume_finished", []).run();
    }

    /// The plan's SHA-256 as the summary tells it, which is that of the file.
    fn plan_as_summarised(ran: &Ran) -> String {
        let told = ran.summary("run")["plan_sha256"].as_str().unwrap().to_owned();
        assert_eq!(told, sha256(ran.place.raw("run/plan.jsonl")));
        told
    }

    #[test]
    fn inputs_are_told_by_their_sha256() {
        let text = notes(&[ACTIVE]);
        let ran = Test::new(&format!("apply a.csv {QUIET}")).file("a.csv", &text).run();
        assert_eq!(ran.summary("run")["inputs"][0]["sha256"], sha256(&text));
    }

    #[test]
    fn what_is_no_run_is_no_run() {
        for command in ["resume", "report"] {
            for run in ["nothing", "empty", "a.csv"] {
                let place = Place::new();
                fs::create_dir(place.path("empty")).unwrap();
                Test::at(&place, &format!("{command} {run}"))
                    .file("a.csv", "id\n")
                    .code(1)
                    .stderr(&format!("error: {run} holds no run\n"))
                    .run();
                assert_eq!(fs::read_dir(place.path("empty")).unwrap().count(), 0);
            }
        }
    }

    #[test]
    fn a_broken_ledger_is_told() {
        for command in ["resume", "report"] {
            Test::new(&format!("{command} run"))
                .file("run/run.sqlite", "no database at all")
                .code(1)
                .stderr(
                    "error: run/run.sqlite is damaged: file is not a database\n\
                     hint: nothing more is sent from it: put the run's directory back from a copy, or plan the \
                     same input again with another --out, which finds unchanged what was written already\n",
                )
                .run();
        }
    }

    #[test]
    fn a_plan_goes_where_it_was_made_for() {
        let sandbox = Sandbox::start("");
        let before = sandbox.referrals();
        let planned = Test::new("apply a.csv --plan --rate 1000/s --out run --summary none")
            .file("a.csv", notes(&[ACTIVE]))
            .service(&sandbox.base)
            .stderr(
                "plan for http://127.0.0.1:[PORT]/v1.0: 1 referral to change – see run/plan.jsonl\n\
                 next: referral-bulk resume run --rate 1000/s\n",
            )
            .run();
        let elsewhere = "http://127.0.0.1:9/v1.0";
        let refused = "error: the run was planned for http://127.0.0.1:[PORT]/v1.0, not for ";
        let hint = "hint: leave out where to send: the run remembers it\n";
        planned
            .then(&format!("resume run --yes --endpoint {elsewhere}"))
            .service(&sandbox.base)
            .code(2)
            .stderr(&format!("{refused}http://127.0.0.1:[PORT]/v1.0\n{hint}"))
            .run();
        planned.then("resume run --sandbox").code(2).stderr(&format!("{refused}sandbox\n{hint}")).run();
        assert_eq!(sandbox.referrals(), before);
        planned
            .then("resume run --yes --rate 1000/s --summary none --progress none")
            .service(&sandbox.base)
            .run();
        assert_eq!(sandbox.referral(ACTIVE)["details"]["notes"], "Called on Monday");
    }

    /// Where other runs go by default says nothing about a run that was planned already.
    #[test]
    fn a_plan_goes_where_it_was_made_for_whatever_is_set_since() {
        let elsewhere = Wire::serve(|_| wire::answer("204 No Content", "", ""));
        let profile = format!("[profile.default]\nendpoint = \"{}\"\n", elsewhere.base);
        for (variable, file, flags) in
            [("set", "", ""), ("", profile.as_str(), ""), ("set", &profile, ""), ("set", &profile, "typed")]
        {
            let sandbox = Sandbox::start("");
            let planned = Test::new("apply a.csv --plan --rate 1000/s --out run --summary none")
                .file("a.csv", notes(&[ACTIVE]))
                .service(&sandbox.base)
                .stderr(
                    "plan for http://127.0.0.1:[PORT]/v1.0: 1 referral to change – see run/plan.jsonl\n\
                     next: referral-bulk resume run --rate 1000/s\n",
                )
                .run();
            let resume = "resume run --yes --rate 1000/s --summary none --progress none";
            let flags = if flags.is_empty() { String::new() } else { format!("--endpoint {}", sandbox.base) };
            let resumed = planned
                .then(&format!("{resume} {flags}"))
                .file("referral-bulk.toml", file)
                .service(if variable.is_empty() { "" } else { &elsewhere.base })
                .stderr(if file.is_empty() { "" } else { USED })
                .run();
            assert_eq!(resumed.outcomes("run"), "1 applied", "{variable} {file} {flags}");
            assert_eq!(sandbox.referral(ACTIVE)["details"]["notes"], "Called on Monday");
        }
        let rehearsed = Test::new(&format!("apply a.csv --plan {QUIET}")).file("a.csv", notes(&[ACTIVE]));
        let rehearsed = rehearsed.stderr("next: referral-bulk resume run --rate 1000/s\n").run();
        let resumed = rehearsed
            .then("resume run --rate 1000/s --summary none --progress none")
            .file("referral-bulk.toml", profile)
            .service(&elsewhere.base)
            .stderr(USED)
            .run();
        assert_eq!(resumed.outcomes("run"), "1 applied");
        assert_eq!(elsewhere.asked().len(), 0);
    }

    #[test]
    fn a_rehearsal_is_not_carried_out_for_real() {
        let planned = Test::new(&format!("apply a.csv --plan {QUIET}")).file("a.csv", notes(&[ACTIVE]));
        let planned = planned.stderr("next: referral-bulk resume run --rate 1000/s\n").run();
        planned
            .then("resume run --endpoint http://127.0.0.1:9/v1.0 --yes")
            .code(2)
            .stderr(
                "error: the run was planned for sandbox, not for http://127.0.0.1:[PORT]/v1.0\n\
                 hint: leave out where to send: the run remembers it\n",
            )
            .run();
    }

    #[test]
    fn a_plan_without_a_look_needs_no_service() {
        Test::new("apply a.csv --plan --state none --out run")
            .file("a.csv", notes(&[ACTIVE]))
            .snapshot("plan_state_none", ["run/plan.jsonl"])
            .run();
    }
}

mod reports {
    use super::*;

    /// A report that can't be written hides neither what was done nor how it ended.
    #[test]
    fn what_cannot_be_written_is_told_and_written_later() {
        for name in ["success.csv", "conflict.csv", "error.csv", "outcomes.jsonl", "summary.json"] {
            let planned = Test::new(&format!("apply a.csv --plan {QUIET}")).file("a.csv", notes(&[ACTIVE]));
            let planned = planned.stderr("next: referral-bulk resume run --rate 1000/s\n").run();
            let in_the_way = planned.place.path("run").join(name);
            fs::remove_file(&in_the_way).unwrap();
            fs::create_dir(&in_the_way).unwrap();
            let ended = unchecked(&planned.place, "resume run --summary json --progress none").output();
            let Ended { code, stdout, stderr } = Ended::of(ended.unwrap());
            let told: Value = serde_json::from_str(&stdout).unwrap();
            assert_eq!((&told["exit_code"], &told["rows"]["applied"]), (&1.into(), &1.into()), "{told}");
            // Without the summary nobody knows whose the reports of the plan are.
            let kept = |report: &str| {
                let now = report.replace('.', ".edited-1.");
                format!("note: run/{report} may hold somebody's changes: it is kept as run/{now}\n")
            };
            let rows = ["success.csv", "conflict.csv", "error.csv", "outcomes.jsonl"];
            let notes: String = match name {
                "summary.json" => rows.iter().map(|report| kept(report)).collect(),
                _ => String::new(),
            };
            // Nothing behind the first that fails, but for the summary, which is written in any case.
            let unwritten = match rows.iter().position(|row| *row == name) {
                Some(first) => &rows[first..],
                None => &[name],
            };
            let wanted = format!(
                "{notes}error: cannot write run/{name}: Is a directory (os error 21)\n\
                 hint: not written: {}; see to space and permissions in the run's directory, then: \
                 referral-bulk report run\n",
                unwritten.join(", ")
            );
            assert_eq!((code, stderr), (Some(1), wanted), "{name}");
            // What is there by such a name would tell of the plan, as if nothing had been sent.
            for report in unwritten {
                assert!(!planned.place.path("run").join(report).is_file(), "{report} is left");
            }
            fs::remove_dir(&in_the_way).unwrap();
            let ran = planned.then("report run --summary none").run();
            assert_eq!(ran.outcomes("run"), "1 applied");
        }
    }

    #[test]
    fn they_can_be_made_again() {
        let ran = Test::new(&format!("apply quarter-end-mistakes.csv {REHEARSE}"))
            .sample("quarter-end-mistakes.csv")
            .code(3)
            .snapshot("mistakes", ROW_FILES)
            .run();
        let read = || ROW_FILES.map(|name| ran.place.raw(name));
        let written = read();
        for name in ROW_FILES {
            fs::remove_file(ran.place.path(name)).unwrap();
        }
        let again = ran.then("report run").code(3).snapshot("report_mistakes", []).run();
        assert_eq!(read(), written);
        assert_eq!(again.stdout, ran.stdout);
    }

    #[test]
    fn a_run_keeps_its_directory_to_itself() {
        let ran = Test::new(&format!("apply a.csv {QUIET}")).file("a.csv", notes(&[ACTIVE])).run();
        let before = ran.place.raw("run/summary.json");
        ran.then(&format!("apply a.csv {QUIET}"))
            .code(2)
            .stderr(
                "error: run holds a run already\n\
                 hint: name another directory with --out, or see what became of that run: referral-bulk report run\n",
            )
            .run();
        assert_eq!(ran.place.raw("run/summary.json"), before);
    }

    #[test]
    fn without_a_name_it_is_named_by_the_time() {
        let ran = Test::new("apply a.csv --sandbox --rate 1000/s")
            .file("a.csv", notes(&[ACTIVE]))
            .snapshot("unnamed", []);
        // The snapshot's list of files has the time redacted like everything else.
        let ran = ran.run();
        let name = ran.place.files().into_keys().find(|name| name.ends_with("/summary.json")).unwrap();
        let wanted =
            regex::Regex::new(r"^reports/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-apply/summary\.json$").unwrap();
        assert!(wanted.is_match(&name), "{name}");
    }

    #[test]
    fn a_mixed_run_reports_in_both_forms() {
        let line =
            format!("{{\"id\":\"{OTHER}\",\"details\":{{\"notes\":\"From a line\"}}}}\n{{\"id\":7}}\n");
        Test::new(&format!("apply a.csv b.jsonl c.csv {REHEARSE}"))
            .file("a.csv", notes(&[ACTIVE, "5a1e"]))
            .file("b.jsonl", line)
            .file("c.csv", format!("Referral ID,CRM\n{NEW},x\n").replace("CRM", "externalReferenceId"))
            .code(3)
            .snapshot(
                "mixed",
                [
                    "run/success.csv",
                    "run/success.jsonl",
                    "run/error.csv",
                    "run/error.jsonl",
                    "run/outcomes.jsonl",
                    "run/plan.jsonl",
                    "run/summary.json",
                ],
            )
            .run();
    }

    #[test]
    fn rows_of_two_files_for_one_referral_become_one_document() {
        let ran = Test::new(&format!("apply a.csv b.csv {QUIET}"))
            .file("a.csv", notes(&[ACTIVE]))
            .file("b.csv", format!("id,salesStage\n{ACTIVE},Develop\n"))
            .run();
        assert_eq!(ran.outcomes("run"), "2 applied");
        assert_eq!(ran.summary("run")["requests"]["patch"], 1);
    }
}

mod what_is_shown {
    use super::*;

    #[test]
    fn a_summary_that_nobody_can_read_is_an_error() {
        let place = Place::new();
        place.write("a.csv", notes(&[ACTIVE]));
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let command = "apply a.csv --sandbox --rate 1000/s --progress none --summary json";
        let ended = Ended::of(unchecked(&place, command).stdout(full).output().unwrap()).expect(1);
        let wanted = "error: cannot write to standard output: No space left on device (os error 28)\n";
        assert_eq!(ended.stderr, wanted);
    }

    #[test]
    fn the_summary_is_one_line_of_json() {
        let ran = Test::new(&format!("apply quarter-end-mistakes.csv {REHEARSE} --summary json"))
            .sample("quarter-end-mistakes.csv")
            .code(3)
            .snapshot("summary_json", [])
            .run();
        assert_eq!(ran.stdout.matches('\n').count(), 1);
        assert_eq!(ran.stdout, ran.place.raw("run/summary.json"));
    }

    #[test]
    fn or_nothing() {
        Test::new(&format!("apply a.csv {QUIET}")).file("a.csv", notes(&[ACTIVE])).run();
    }

    /// A run of seven changes that gets no further than so many before a line is due. Answers standard error.
    fn told_in_between(
        faults: &[&str],
        let_through: usize,
        progress: &str,
        line: &str,
    ) -> (Rc<Place>, String) {
        let home = Place::new();
        let seed: Vec<_> = (0..7).map(|number| referral(number, "Active", "Accepted")).collect();
        let rows: String = (0..7).map(|number| format!("{},Called\n", id(number))).collect();
        home.write("a.csv", format!("id,notes\n{rows}"));
        let service = Sandbox::seeded(&home, &seed, faults);
        let tap = Tap::on(&service);
        tap.let_patches_through(let_through);
        let pace = "--rate 1000/s --concurrency 1 --timeout 10m";
        let command = format!("apply a.csv --yes {pace} --out run --summary none {progress}");
        let endpoint = tap.endpoint();
        let arguments: Vec<&str> = command.split_whitespace().chain(["--endpoint", &endpoint]).collect();
        let sending = home.start(&arguments);
        sending.says(line);
        tap.release();
        let ended = sending.wait().expect(0);
        (home, ended.stderr)
    }

    #[test]
    fn progress_is_plain_lines_or_nothing() {
        let line = Regex::new(r"(?m)^3 of 7 referrals, \d+\.\d/s, about \d+ (s|min) left(, .*)?$").unwrap();
        let plan = Regex::new(r"^plan for http://\S+: 7 referrals to change – see run/plan.jsonl$").unwrap();
        let lines = Regex::new(r"(?m)^(planning|\d of 7 referrals), .*$").unwrap();
        for progress in ["--progress plain", "--progress auto", ""] {
            let (_, said) = told_in_between(&[], 3, progress, "\n3 of 7 referrals, ");
            assert!(line.is_match(&said), "{progress}: {said}");
            assert!(plan.is_match(lines.replace_all(&said, "").trim()), "{progress}: {said}");
        }
        let quiet = "apply a.csv --sandbox --rate 1000/s --out run --summary none --progress none";
        Test::new(quiet).file("a.csv", notes(&active(7))).run();
    }

    /// One that was locked is repeated too, and nothing is before it is sent.
    #[test]
    fn progress_counts_what_was_retried_as_the_summary_does() {
        let fault = ["--fault", "patch#1=423"];
        let (home, said) = told_in_between(&fault, 2, "--progress plain", "\n1 of 7 referrals, ");
        let line = said.lines().find(|line| line.starts_with("1 of 7 referrals, ")).unwrap();
        let told = line.split(", ").find(|part| part.ends_with(" retried"));
        assert_eq!((told, home.run_of("run").count("/requests/retried")), (Some("1 retried"), 1), "{line}");
    }

    #[test]
    fn a_reason_is_kept() {
        let ran = Test::new(&format!("apply a.csv {REHEARSE} --reason 'quarter end, as agreed'"))
            .file("a.csv", notes(&[ACTIVE]))
            .snapshot("reason", [])
            .run();
        assert_eq!(ran.summary("run")["reason"], "quarter end, as agreed");
    }

    #[test]
    fn help_is_what_the_program_takes() {
        for command in ["", "apply", "migrate", "resume", "report", "sandbox", "completions", "man"] {
            let name = if command.is_empty() { "help".to_owned() } else { format!("help_{command}") };
            Test::new(&format!("{command} --help")).snapshot(&name, []).run();
        }
        let version = format!("referral-bulk {}\n", env!("CARGO_PKG_VERSION"));
        Test::new("--version").stdout(&version).run();
    }

    /// What bash offers for the last of these words.
    fn completed(words: &[&str]) -> Vec<String> {
        let (_, script, _) = support::program::plainly(&Place::new(), "completions bash");
        let place = Place::new();
        place.write("script", script);
        let words = words.join(" ");
        let ask = format!(
            "source ./script; COMP_WORDS=(referral-bulk {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _referral__bulk referral-bulk \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; \
             echo \"${{COMPREPLY[@]}}\""
        );
        let output =
            Command::new("bash").args(["--norc", "-c", &ask]).current_dir(place.root()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words}");
        String::from_utf8(output.stdout).unwrap().split_whitespace().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn bash_completes_commands_options_and_values() {
        for (words, wanted) in [
            (&["ap"][..], &["apply"][..]),
            (&["apply", "--max"], &["--max-errors", "--max-changes"]),
            (&["apply", "--summary", "t"], &["text"]),
            (&["resume", "--confirm"], &["--confirm-closing"]),
        ] {
            assert_eq!(completed(words), wanted, "{words:?}");
        }
    }

    #[test]
    fn completions_know_every_command() {
        for shell in ["bash", "zsh", "fish"] {
            let (code, script, said) =
                support::program::plainly(&Place::new(), &format!("completions {shell}"));
            assert_eq!((code, said.as_str()), (Some(0), ""), "{shell}");
            for word in
                ["apply", "migrate", "resume", "report", "sandbox", "completions", "man", "confirm-closing"]
            {
                assert!(script.contains(word), "{shell} lacks {word}");
            }
        }
    }

    #[test]
    fn manual_pages_are_written() {
        let ran = Test::new("man pages").run();
        let names: Vec<String> = ran.place.files().into_keys().collect();
        assert_eq!(
            names,
            [
                "pages/referral-bulk-apply.1",
                "pages/referral-bulk-completions.1",
                "pages/referral-bulk-man.1",
                "pages/referral-bulk-migrate.1",
                "pages/referral-bulk-report.1",
                "pages/referral-bulk-resume.1",
                "pages/referral-bulk-sandbox.1",
                "pages/referral-bulk.1",
            ]
        );
        assert!(ran.place.raw("pages/referral-bulk-apply.1").contains("confirm\\-closing"));
        let stderr = "error: cannot write into a.csv: File exists (os error 17)\n";
        Test::new("man a.csv").file("a.csv", "").code(1).stderr(stderr).run();
    }

    #[test]
    fn a_sandbox_serves_until_it_is_ended() {
        let sandbox = Sandbox::start("");
        assert_eq!(sandbox.referrals().len(), 40);
        let ended = sandbox.terminate().expect(0);
        assert_eq!(ended.stdout, "");
        assert_eq!(
            ended.stderr,
            "serving 40 referrals; any bearer token will do\n\
             press Ctrl-C to end\n\
             stopping: requests in flight are awaited; again not to wait for them\n"
        );
    }

    #[test]
    fn a_sandbox_without_seed_or_port_does_not_start() {
        Test::new("sandbox nothing.jsonl --port 0")
            .code(1)
            .stderr("error: cannot read nothing.jsonl: No such file or directory (os error 2)\n")
            .run();
        let sandbox = Sandbox::start("");
        let port = sandbox.base.trim_end_matches("/v1.0").rsplit(':').next().unwrap();
        Test::new(&format!("sandbox --port {port}"))
            .code(1)
            .stderr(
                "error: cannot serve on 127.0.0.1:[PORT]: Address already in use (os error 98)\n\
                 hint: choose another port, or 0 for any free one\n",
            )
            .run();
    }
}

mod inputs {
    use super::*;

    #[test]
    fn an_engagement_is_no_referral() {
        let engagement = "e6000001-0000-4000-8000-000000000015";
        let text = notes(&[ACTIVE, engagement]);
        let ran =
            Test::new(&format!("apply a.csv {QUIET}")).file("a.csv", text).code(3).told_elsewhere().run();
        let told = ran.place.raw("run/outcomes.jsonl");
        let hint = format!("this is the engagementId of referral {ACTIVE}: give the referral's own id");
        assert!(told.lines().nth(1).unwrap().contains(&hint), "{told}");
    }

    #[test]
    fn standard_input_is_a_file_too() {
        Test::new(&format!("apply - --format csv {REHEARSE}"))
            .stdin(notes(&[ACTIVE, "5a1e"]))
            .code(3)
            .snapshot("stdin_csv", ["run/error.csv", "run/outcomes.jsonl", "run/summary.json"])
            .run();
        let ran = Test::new(&format!("apply - --format jsonl {QUIET}"))
            .stdin(format!("{{\"id\":\"{ACTIVE}\",\"salesStage\":\"Develop\"}}"))
            .run();
        assert_eq!(ran.outcomes("run"), "1 applied");
    }

    /// What needs no look at the referrals is told in the order of the file, in every run.
    #[test]
    fn what_is_wrong_is_told_in_the_order_of_the_file() {
        let rows: String =
            (1..=10).map(|n| format!("5a1e0001-0000-4000-8000-0000000000{n:02},Closed\n")).collect();
        let place = Place::new();
        place.write("a.csv", format!("id,status\n{rows}"));
        let (code, _, said) = support::program::plainly(&place, "apply a.csv --plan --state none --out run");
        assert_eq!(code, Some(3));
        let places: Vec<&str> = said.lines().filter(|line| line.starts_with("  --> ")).collect();
        let wanted: Vec<String> = (2..=11).map(|line| format!("  --> a.csv:{line}:2")).collect();
        assert_eq!(places, wanted);
    }

    #[test]
    fn reports_are_fed_back() {
        let first = Test::new(&format!("apply quarter-end-mistakes.csv {QUIET}"))
            .sample("quarter-end-mistakes.csv")
            .code(3)
            .snapshot("feed_back_first", [])
            .run();
        assert_eq!(first.outcomes("run"), "6 applied, 1 conflict, 7 invalid, 1 refused");
        // As they are, the same rows go wrong in the same way.
        let again = first
            .then("apply run/error.csv run/conflict.csv --sandbox --rate 1000/s --out again --summary none");
        let again =
            again.code(3).snapshot("feed_back_uncorrected", ["again/error.csv", "again/conflict.csv"]).run();
        assert_eq!(again.outcomes("again"), "1 conflict, 7 invalid, 1 refused");
        // Corrected, they are applied.
        let corrections = [
            ("020,,New,Pending", "020,,Active,Accepted"),
            ("033,,Active,Accepted", "033,,Closed,Won"),
            ("021,,Closed,Accepted", "021,,Closed,Won"),
            ("000000000099,,Closed,Lost", "000000000016,,Closed,Lost"),
            (",12000,GBP", ",10000,GBP"),
            ("\"12,500\"", "12500"),
            ("EURO", "EUR"),
            ("e7a90001-0000-4000-8000-00000000dead", "e7a90001-0000-4000-8000-000000000024"),
        ];
        for name in ["run/error.csv", "run/conflict.csv"] {
            let mut text = first.place.raw(name);
            for (wrong, right) in corrections {
                // Only the first: what follows in the same line is what the report said of it.
                text = text.replacen(wrong, right, 1);
            }
            first.place.write(name, text);
        }
        let corrected = first
            .then("apply run/error.csv run/conflict.csv --sandbox --rate 1000/s --out right --summary none");
        let corrected = corrected.snapshot("feed_back_corrected", ["right/success.csv"]).run();
        // Two of the rows ask for what is so already, once they are right.
        assert_eq!(corrected.outcomes("right"), "7 applied, 2 unchanged");
    }

    /// The hint names what there is to do in the very file, and who does that has nothing in conflict any more.
    #[test]
    fn rows_in_conflict_are_fed_back_as_the_hint_says() {
        const STALE: &str = "e7a90001-0000-4000-8000-00000000dead";
        let csv = notes(&[ACTIVE]);
        let bound = format!("Id, ETAG ,notes\n{ACTIVE},{STALE},Called\n");
        let of_column = format!("id,If-Match,notes\n{ACTIVE}, ,Called\n");
        let json =
            |etag: &str| format!("{{\"id\":\"{ACTIVE}\",{etag}\"details\":{{\"notes\":\"Called\"}}}}\n");
        let (free, held) = (json(""), json(&format!("\"eTag\":\"{STALE}\",")));
        let member = format!("\"eTag\":\"{STALE}\",");
        for (form, content, remedy, wrong) in [
            ("csv", csv.as_str(), "", ""),
            ("csv", &of_column, "", ""),
            ("csv", &bound, ", empty its eTag", STALE),
            ("jsonl", &free, "", ""),
            ("jsonl", &held, ", take out its eTag", &member),
        ] {
            let sandbox = Sandbox::start("");
            let command = "--rate 1000/s --summary none --progress none";
            let plan = Test::new(&format!("apply a.{form} --plan --out run {command}"));
            let plan = plan.file(&format!("a.{form}"), content).service(&sandbox.base);
            let code = if wrong.is_empty() { 0 } else { 3 };
            let ran = plan.code(code).told_elsewhere().run();
            if wrong.is_empty() {
                let theirs = format!("id,details.notes\n{ACTIVE},Somebody else's\n");
                let other =
                    ran.then(&format!("apply b.csv --yes --out other {command}")).file("b.csv", theirs);
                other.service(&sandbox.base).run();
            }
            let resumed = ran.then(&format!("resume run --yes {command}")).service(&sandbox.base).code(3);
            let resumed = resumed.told_elsewhere().run();
            let next = format!(
                "next: see in conflict.{form} what others changed, keep what still holds{remedy} and feed it back: \
                 referral-bulk apply run/conflict.{form} "
            );
            assert!(resumed.stderr().lines().last().unwrap().starts_with(&next), "{}", resumed.stderr());

            let conflict = format!("run/conflict.{form}");
            let text = ran.place.raw(&conflict);
            ran.place.write(&conflict, text.replacen(wrong, "", 1));
            let again =
                ran.then(&format!("apply {conflict} --yes --out again {command}")).service(&sandbox.base);
            assert_eq!(again.told_elsewhere().run().outcomes("again"), "1 applied");
        }
    }

    /// But for the rows of two referrals: there it lacks what they would change.
    #[test]
    fn a_snapshot_file_is_a_state_too() {
        let ran = Test::new("apply quarter-end.csv --plan --state referrals.jsonl --out run --summary none")
            .sample("quarter-end.csv")
            .sample("referrals.jsonl")
            .code(3)
            .told_elsewhere()
            .run();
        let told = "plan for https://api.partner.microsoft.com/v1.0: 20 referrals to change, 9 of them closed for \
             good; nothing to send for 3 others – see run/plan.jsonl\n\
             warning[set-expired]: 1 row, the first at quarter-end.csv:10: the service expires referrals by \
             itself\n";
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
        assert_eq!(ran.outcomes("run"), "1 unchanged, 21 planned, 2 invalid");
        assert_eq!(ran.summary("run")["requests"]["total"], 0);
        let live = Test::new(&format!("apply quarter-end.csv --plan {QUIET}"))
            .sample("quarter-end.csv")
            .stderr(
                "warning[set-expired]: 1 row, the first at quarter-end.csv:10: the service expires referrals by itself\n\
                 next: referral-bulk resume run --rate 1000/s\n",
            )
            .run();
        let plan = |ran: &Ran| json_lines(&ran.place.raw("run/plan.jsonl"));
        let mut unseen = Vec::new();
        for (here, there) in plan(&ran).into_iter().zip(plan(&live)) {
            if here["code"] == "incomplete-state" {
                assert_eq!((&here["id"], &here["operations"]), (&there["id"], &Value::Array(Vec::new())));
                unseen.push(there["operations"][0]["path"].as_str().unwrap().to_owned());
            } else {
                assert_eq!(here, there);
            }
        }
        assert_eq!(
            unseen,
            ["/details", "/team"],
            "what only a look at the whole referral can show to be missing"
        );
    }

    #[test]
    fn what_a_snapshot_lacks_is_invalid() {
        Test::new("apply a.csv --plan --state referrals.jsonl --out run")
            .sample("referrals.jsonl")
            .file(
                "a.csv",
                notes(&[
                    ACTIVE,
                    "5a1e0001-0000-4000-8000-000000000099",
                    "e6000001-0000-4000-8000-000000000003",
                ]),
            )
            .code(3)
            .snapshot("state_unknown", ["run/error.csv"])
            .run();
    }

    #[test]
    fn a_state_that_cannot_be_read_is_told() {
        Test::new("apply a.csv --plan --state nothing.jsonl --out run")
            .file("a.csv", notes(&[ACTIVE]))
            .code(1)
            .stderr(
                "error: cannot read nothing.jsonl: No such file or directory (os error 2)\n\
                 hint: --state takes live, none, or a file of referrals: JSONL, a JSON array, or list pages\n",
            )
            .run();
        let ran = Test::new("apply a.csv --plan --state a.csv --out run")
            .file("a.csv", notes(&[ACTIVE]))
            .code(1)
            .stderr(
                "error: a.csv: line 1: no JSON object\n\
                 hint: --state takes live, none, or a file of referrals: JSONL, a JSON array, or list pages\n",
            )
            .run();
        assert_eq!(ran.place.files().into_keys().collect::<Vec<_>>(), ["a.csv"]);
    }
}

mod settings {
    use super::*;

    const WON: &str = "id,status,substatus\n5a1e0001-0000-4000-8000-000000000001,Closed,Won\n";
    const PROFILES: &str =
        "[profile.default]\nmax-changes = 0\n[profile.big]\nmax-changes = 5\nrate = \"1000/s\"\n";

    /// Every referral would be refused one by one.
    #[test]
    fn a_base_that_is_none_is_noticed() {
        let sandbox = Sandbox::start("");
        let base = sandbox.base.strip_suffix("/v1.0").unwrap();
        let ids: Vec<String> =
            (1..=12).map(|number| format!("5a1e0001-0000-4000-8000-{number:012}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let command = "apply a.csv --plan --rate 1000/s --out run --summary none --progress none";
        let few =
            Test::new(command).file("a.csv", notes(&ids[..9])).service(base).code(3).told_elsewhere().run();
        assert_eq!(few.outcomes("run"), "9 refused");
        let hint = format!(
            "hint: {base} has no list of referrals either: check the base of the API, which ends in /v1.0\n"
        );
        assert!(few.stderr.starts_with(&hint), "{}", few.stderr);
        let many = Test::new(command)
            .file("a.csv", notes(&ids))
            .service(base)
            .code(1)
            .stderr(
                "error: http://127.0.0.1:[PORT] has neither a list of referrals nor any of those looked for\n\
                 hint: check the base of the API, which ends in /v1.0\n",
            )
            .run();
        assert_eq!(many.place.files().into_keys().collect::<Vec<_>>(), ["a.csv"]);
    }

    #[test]
    fn a_rule_is_set_by_flag_or_file_and_the_flag_wins() {
        const DENY: &str = "[rules]\nclose-unaccepted = \"deny\"\n";
        for (file, flags, code, outcome, told) in [
            ("", "", 0, "1 applied", "what was warned of"),
            ("", "--rule close-unaccepted=deny", 3, "1 invalid", "what went wrong"),
            ("", "--rule close-unaccepted=allow", 0, "1 applied", ""),
            (DENY, "", 3, "1 invalid", "what went wrong"),
            (DENY, "--rule close-unaccepted=warn", 0, "1 applied", "what was warned of"),
            (DENY, "--rule close-unaccepted=allow", 0, "1 applied", ""),
        ] {
            let advice = "--rule early-win=allow --rule deal-value-missing=allow";
            let place = Place::new();
            place.write("a.csv", WON);
            place.write("referral-bulk.toml", file);
            let command = format!("apply a.csv --sandbox --rate 1000/s --out run {advice} {flags}");
            let (ended, shown, _) = support::program::plainly(&place, &command);
            assert_eq!(ended, Some(code), "{file} {flags}");
            let summary = serde_json::from_str(&place.raw("run/summary.json")).unwrap();
            assert_eq!(support::run_dir::outcomes(&summary), outcome, "{file} {flags}");
            for section in ["what was warned of", "what went wrong"] {
                assert_eq!(shown.contains(section), section == told, "{file} {flags}: {shown}");
            }
            assert_eq!(shown.contains(" close-unaccepted "), !told.is_empty(), "{file} {flags}: {shown}");
        }
    }

    #[test]
    fn wrong_settings_are_told_before_anything_happens() {
        let mut told = String::new();
        for (file, command) in [
            ("", "apply a.csv --sandbox --rule nonsense=deny"),
            ("", "apply a.csv --sandbox --rule transition"),
            ("", "apply a.csv --sandbox --rule transition=perhaps"),
            ("", "apply a.csv --sandbox --rule read-only-path=allow"),
            ("", "apply a.csv --sandbox --allow-path name"),
            ("", "apply a.csv --sandbox --allow-path /status"),
            ("", "apply a.csv --sandbox --allow-path /organizationName"),
            ("", "apply a.csv --sandbox --allow-path /team/0"),
            ("", "apply a.csv --sandbox --timeout soon"),
            ("", "apply a.csv --sandbox --timeout 0s"),
            ("", "apply a.csv --sandbox --max-errors none"),
            ("", "apply a.csv --sandbox --max-errors 0"),
            ("", "apply a.csv --sandbox --max-errors 101%"),
            ("", "apply a.csv --sandbox --finish-by tomorrow"),
            ("", "apply a.csv --sandbox --finish-by 2026-12-31"),
            ("", "apply a.csv --sandbox --rate 0/s"),
            ("", "apply a.csv --sandbox --concurrency 0"),
            ("", "apply a.csv --sandbox --endpoint https://example.com"),
            ("", "apply a.csv --sandbox --profile nobody"),
            ("", "apply a.csv --endpoint http://example.com/v1.0"),
            ("", "apply a.csv --endpoint https://user:pw@example.com/v1.0"),
            ("", "apply a.csv --token-command 'echo x' --token-file x"),
            ("", "apply - - --sandbox"),
            ("", "apply a.csv - --sandbox"),
            ("", "migrate - --sandbox"),
            ("", "apply"),
            ("", "nonsense"),
            ("[profile.default]\ntoken = \"x\"\n", "apply a.csv --sandbox"),
            ("[profile.default]\nrate = \"fast\"\n", "apply a.csv --sandbox"),
            ("[profil.default]\n", "apply a.csv --sandbox"),
            ("[rules]\nnonsense = \"deny\"\n", "apply a.csv --sandbox"),
            ("[rules]\ntransition = \"perhaps\"\n", "apply a.csv --sandbox"),
            ("[rules\n", "apply a.csv --sandbox"),
            (PROFILES, "apply a.csv --sandbox --profile nobody"),
        ] {
            let place = Place::new();
            place.write("a.csv", notes(&[ACTIVE]));
            if !file.is_empty() {
                place.write("referral-bulk.toml", file);
            }
            let (code, stdout, said) = support::program::plainly(&place, command);
            assert_eq!((code, stdout.as_str()), (Some(2), ""), "{command}");
            let left: Vec<String> = place.files().into_keys().collect();
            assert!(left.iter().all(|name| name == "a.csv" || name == "referral-bulk.toml"), "{left:?}");
            let file = if file.is_empty() { String::new() } else { format!("{file:?} ") };
            told += &format!("$ {file}{command}\n{said}\n");
        }
        golden("wrong_settings", &told);
    }

    /// Of the file's values none is shown: a token may stand there by mistake.
    #[test]
    fn a_wrong_setting_is_blamed_on_whoever_said_it() {
        const NO_TIME: &str = ": no length of time\nhint: write it as in 30s or 2m";
        const NO_NUMBER: &str =
            ": neither a number of rows nor a share of them\nhint: write it as in 100 or 5%";
        const NO_RATE: &str =
            ": a rate is a number of requests a second or a minute, or is found: write 2/s, 90/m or auto";
        const NO_FLIGHTS: &str = ": requests in flight are 1 to 1024\nhint: write it as in concurrency = 4";
        const NO_URL: &str =
            ": the endpoint begins neither with https:// nor, for this machine alone, with http://";
        const NO_COMMAND: &str = ": the token command is empty\nhint: write a program and its arguments, as a shell \
                                  takes them, as in \"token-tool print\"";
        const NO_FILE: &str = ": this names no file\nhint: name the file that holds a token, as in token.txt";
        const BY_CLAP: &str = "invalid value";
        const NONE: &str = "a value is required for";
        for (key, value, flag, told) in [
            ("timeout", "\"S3CRET\"", "--timeout S3CRET", NO_TIME),
            ("timeout", "\"0s\"", "--timeout 0s", NO_TIME),
            ("max-errors", "\"S3CRET\"", "--max-errors S3CRET", NO_NUMBER),
            ("rate", "\"S3CRET\"", BY_CLAP, NO_RATE),
            ("concurrency", "0", BY_CLAP, NO_FLIGHTS),
            ("concurrency", "1025", BY_CLAP, NO_FLIGHTS),
            ("concurrency", "70000", BY_CLAP, NO_FLIGHTS),
            ("endpoint", "\"ftp://S3CRET\"", "--endpoint", NO_URL),
            ("token-command", "\"\"", "--token-command", NO_COMMAND),
            ("token-file", "\"\"", NONE, NO_FILE),
        ] {
            for (profile, named) in [("default", ""), ("slow", " --profile slow")] {
                let file = format!("[profile.{profile}]\n{key} = {value}\n");
                let (code, _, stderr) = with_settings(&file, named);
                let wanted = format!("error: referral-bulk.toml: {key} of [profile.{profile}]{told}\n");
                assert_eq!((code, stderr), (Some(2), wanted), "{key} = {value}");
            }
            let typed = format!(" --{key} '{}'", value.trim_matches('"'));
            let (code, _, stderr) = with_settings("", &typed);
            let wanted = match flag {
                BY_CLAP => format!("error: {BY_CLAP} '{}' for '--{key} <", value.trim_matches('"')),
                NONE => format!("error: {NONE} '--{key} <"),
                flag => format!("error: {flag}{told}\n"),
            };
            assert!(code == Some(2) && stderr.starts_with(&wanted), "{typed}: {stderr}");
        }
        let test = Test::new("apply a.csv")
            .file("a.csv", notes(&[ACTIVE]))
            .env("REFERRAL_BULK_ENDPOINT", "ftp://S3CRET");
        test.code(2).stderr(&format!("error: REFERRAL_BULK_ENDPOINT{NO_URL}\n")).run();
        for (value, expected, column) in [("timeout = 5", "a string", 11), ("max-changes = \"5\"", "u64", 15)]
        {
            let (_, _, stderr) = with_settings(&format!("[profile.default]\n{value}\n"), "");
            let wanted = format!(
                "error: referral-bulk.toml: a value that does not fit here, expected {expected}\n  \
                 --> referral-bulk.toml:2:{column}\nhint: write texts in quotes and numbers without, below \
                 [profile.NAME], as in timeout = \"30s\" and concurrency = 4\n"
            );
            assert_eq!(stderr, wanted);
        }
    }

    /// What becomes of a plan with such a file of settings, and such flags.
    fn with_settings(file: &str, flags: &str) -> (Option<i32>, String, String) {
        let place = Place::new();
        place.write("a.csv", notes(&[ACTIVE]));
        place.write("referral-bulk.toml", file);
        support::program::plainly(&place, &format!("apply a.csv --plan --state none{flags}"))
    }

    #[test]
    fn a_profile_says_what_flags_would() {
        let run = |flags: &str| {
            Test::new(&format!(
                "apply a.csv --sandbox --rate 1000/s --out run --summary none --progress none {flags}"
            ))
            .file("a.csv", notes(&[ACTIVE]))
            .file("referral-bulk.toml", PROFILES)
        };
        run("--profile big").stderr(&USED.replace("default", "big")).run();
        run("--max-changes 1").stderr(USED).run();
        run("")
            .code(2)
            .stderr(
                "note: referral-bulk.toml of the current directory is used: [profile.default]\n\
                 error: the plan changes 1 referral, and max-changes of the profile allows 0\n\
                 hint: look at run/plan.jsonl, then: referral-bulk resume run --rate 1000/s --max-changes 1\n",
            )
            .run();
    }

    #[test]
    fn an_endpoint_comes_from_flag_environment_or_profile_in_this_order() {
        let sandbox = Sandbox::start("");
        let nowhere = "http://127.0.0.1:1/v1.0";
        for (flag, variable, profile) in [
            (sandbox.base.as_str(), nowhere, nowhere),
            ("", sandbox.base.as_str(), nowhere),
            ("", "", sandbox.base.as_str()),
        ] {
            let flag = if flag.is_empty() { String::new() } else { format!("--endpoint {flag}") };
            Test::new(&format!("apply a.csv --plan --out run --summary none {flag}"))
                .file("a.csv", notes(&[ACTIVE]))
                .file("referral-bulk.toml", format!("[profile.default]\nendpoint = \"{profile}\"\n"))
                .service(variable)
                .stderr(
                    "note: referral-bulk.toml of the current directory is used: [profile.default]\n\
                     plan for http://127.0.0.1:[PORT]/v1.0: 1 referral to change – see run/plan.jsonl\n\
                     next: referral-bulk resume run\n",
                )
                .run();
        }
    }

    #[test]
    fn a_token_comes_from_a_command_a_file_or_the_environment() {
        let sandbox = Sandbox::start("");
        let command = format!("apply a.csv --plan --out run --summary none --endpoint {}", sandbox.base);
        let run = |more: &str| {
            Test::new(&format!("{command} {more}"))
                .file("a.csv", notes(&[ACTIVE]))
                .file("token.txt", support::program::TOKEN)
        };
        let plan = "plan for http://127.0.0.1:[PORT]/v1.0: 1 referral to change – see run/plan.jsonl";
        let planned =
            |hint: &str, flags: &str| format!("{plan}\n{hint}next: referral-bulk resume run{flags}\n");
        run("--token-file token.txt").stderr(&planned("", " --token-file token.txt")).run();
        run("--token-command '/bin/cat token.txt'")
            .stderr(&planned("hint: give the same --token-command again\n", ""))
            .run();
        run("").env("PARTNER_CENTER_TOKEN", support::program::TOKEN).stderr(&planned("", "")).run();
        run("")
            .code(1)
            .stderr(
                "error: there is no token for http://127.0.0.1:[PORT]/v1.0\n\
                 hint: set PARTNER_CENTER_TOKEN, or name a source with --token-command or --token-file\n",
            )
            .run();
    }

    #[test]
    fn an_unconfirmed_path_is_opted_into() {
        let text = format!("id,name\n{ACTIVE},A better name\n");
        let refused = Test::new(&format!("apply a.csv {QUIET}")).file("a.csv", &text).code(3);
        let refused = refused.snapshot("path_unconfirmed", []).run();
        let again = "apply a.csv --plan --sandbox --rate 1000/s --out two --summary none --allow-path /name";
        let ran = refused
            .then(again)
            .stderr(
                "plan for sandbox: 1 referral to change – see two/plan.jsonl\n\
                 next: referral-bulk resume two --rate 1000/s\n",
            )
            .run();
        let plan = ran.place.raw("two/plan.jsonl");
        assert!(plan.contains(r#"[{"op":"replace","path":"/name","value":"A better name"}]"#), "{plan}");
        refused
            .then("apply a.csv --plan --sandbox --rate 1000/s --out three --summary none --rule unconfirmed-path=warn")
            .stderr(
                "plan for sandbox: 1 referral to change – see three/plan.jsonl\n\
                 warning[unconfirmed-path]: 1 row, the first at a.csv:2: \"/name\" is not documented as patchable\n\
                 next: referral-bulk resume three --rate 1000/s\n",
            )
            .run();
    }

    #[test]
    fn a_field_is_cleared_only_where_that_is_asked_for() {
        let text = format!("id,details.notes\n{ACTIVE},\\N\n");
        let refused = Test::new(&format!("apply a.csv {QUIET}")).file("a.csv", &text).code(3);
        let refused = refused.snapshot("clear_refused", []).run();
        let ran = refused
            .then("apply a.csv --sandbox --rate 1000/s --out two --summary none --progress none --clear")
            .run();
        let plan = ran.place.raw("two/plan.jsonl");
        assert!(plan.contains(r#"{"op":"replace","path":"/details/notes","value":null}"#), "{plan}");
    }
}

mod limits {
    use super::*;

    #[test]
    fn no_more_changes_than_allowed() {
        let ran = Test::new(&format!("apply a.csv {QUIET} --max-changes 1"))
            .file("a.csv", notes(&active(2)))
            .code(2)
            .stderr(
                "error: the plan changes 2 referrals, and --max-changes allows 1\n\
                 hint: look at run/plan.jsonl, then: referral-bulk resume run --rate 1000/s --max-changes 2\n",
            )
            .run();
        assert_eq!(ran.outcomes("run"), "2 planned");
        assert_eq!(ran.summary("run")["requests"]["patch"], 0);
        ran.then("resume run --rate 1000/s --summary none --progress none --max-changes 2").run();
        assert_eq!(ran.outcomes("run"), "2 applied");
    }

    /// A share is one of the rows that are to be sent, however few documents they make.
    #[test]
    fn a_share_of_errors_is_one_of_rows() {
        for (share, ends, wanted) in [("50%", 3, "2 refused, 4 applied"), ("33%", 4, "2 refused, 4 unsent")] {
            let sandbox = Sandbox::start("--fault patch#1=400");
            let stages = notes(&active(3)).replace("details.notes", "salesStage");
            let command = "apply a.csv b.csv --yes --rate 1000/s --concurrency 1 --out run --summary none";
            let ran = Test::new(&format!("{command} --progress none --max-errors {share}"))
                .file("a.csv", notes(&active(3)))
                .file("b.csv", stages)
                .service(&sandbox.base)
                .code(ends)
                .told_elsewhere()
                .run();
            let told: Vec<String> = ran.outcomes("run").split(", ").map(ToOwned::to_owned).collect();
            assert!(
                wanted.split(", ").all(|outcome| told.iter().any(|told| told == outcome)),
                "{share}: {told:?}"
            );
        }
    }

    /// A document that is refused costs each of its rows.
    #[test]
    fn errors_are_counted_in_rows() {
        let sandbox = Sandbox::start("--fault patch#*=400");
        let stages = notes(&active(3)).replace("details.notes", "salesStage");
        let stopped = Test::new(
            "apply a.csv b.csv --yes --rate 1000/s --concurrency 1 --out run --summary none --progress none \
             --max-errors 3",
        )
        .file("a.csv", notes(&active(3)))
        .file("b.csv", stages)
        .service(&sandbox.base)
        .code(4)
        .stderr(
            "stopped: 4 rows were refused, failed or taken in part, and --max-errors allows no more\n\
             hint: error.csv holds 4 rows to be corrected and fed back\n\
             next: referral-bulk resume run --rate 1000/s --concurrency 1 --max-errors 3\n",
        )
        .run();
        assert_eq!(stopped.outcomes("run"), "4 refused, 2 unsent");
    }

    #[test]
    fn so_many_errors_end_a_run_and_resume_carries_on() {
        for limit in ["2", "40%"] {
            let sandbox = Sandbox::start("--fault patch#1-2=400");
            let command =
                "apply a.csv --yes --rate 1000/s --concurrency 1 --out run --summary none --progress none";
            let stopped = Test::new(&format!("{command} --max-errors {limit}"))
                .file("a.csv", notes(&active(5)))
                .service(&sandbox.base)
                .code(4)
                .stderr(&format!(
                    "stopped: 2 rows were refused, failed or taken in part, and --max-errors allows no more\n\
                     hint: error.csv holds 2 rows to be corrected and fed back\n\
                     next: referral-bulk resume run --rate 1000/s --concurrency 1 --max-errors {limit}\n"
                ))
                .run();
            assert_eq!(stopped.outcomes("run"), "2 refused, 3 unsent");
            let resumed = stopped
                .then("resume run --yes --rate 1000/s --summary none --progress none")
                .service(&sandbox.base);
            let wanted = "next: correct error.csv and feed it back: \
                          referral-bulk apply run/error.csv --endpoint http://127.0.0.1:[PORT]/v1.0 --rate 1000/s\n";
            let resumed = resumed.code(3).stderr(wanted).run();
            assert_eq!(resumed.outcomes("run"), "3 applied, 2 refused");
        }
    }

    #[test]
    fn a_time_that_is_past_leaves_everything_for_resume() {
        let stopped = Test::new(&format!("apply a.csv {REHEARSE} --finish-by 2020-01-01T00:00:00Z"))
            .file("a.csv", notes(&active(3)))
            .code(4)
            .snapshot("finish_by_past", ["run/pending.csv", "run/summary.json"])
            .run();
        assert_eq!(stopped.summary("run")["requests"]["patch"], 0);
        let resumed =
            stopped.then("resume run --rate 1000/s").snapshot("finish_by_resumed", ["run/success.csv"]).run();
        assert_eq!(resumed.outcomes("run"), "3 applied");
        assert!(!resumed.place.files().contains_key("run/pending.csv"));
    }

    #[test]
    fn a_time_to_come_holds_for_the_next_command_too() {
        let planned = Test::new(&format!("apply a.csv {QUIET} --plan --finish-by 2999-01-01T00:00:00+01:00"))
            .file("a.csv", notes(&active(3)))
            .told_elsewhere()
            .run();
        let next = "resume run --rate 1000/s --finish-by 2998-12-31T23:00:00Z";
        assert_eq!(planned.stderr.lines().last(), Some(format!("next: referral-bulk {next}").as_str()));
        let resumed = planned.then(&format!("{next} --summary none --progress none")).told_elsewhere().run();
        assert_eq!(resumed.outcomes("run"), "3 applied");
    }

    #[test]
    fn where_nothing_is_to_be_sent_nothing_is_said_of_its_time() {
        let row = "id,substatus\n5a1e0001-0000-4000-8000-000000000015,Accepted\n";
        let command = format!("apply a.csv {QUIET} --finish-by 2999-01-01T00:00:00Z");
        let ran = Test::new(&command).file("a.csv", row).run();
        assert_eq!(ran.outcomes("run"), "1 unchanged");
    }

    #[test]
    fn a_number_of_closings_that_is_wrong_is_wrong_in_a_rehearsal_too() {
        Test::new(&format!("apply quarter-end.csv {QUIET} --confirm-closing 3"))
            .file("quarter-end.csv", sample("quarter-end.csv"))
            .code(2)
            .stderr(
                "warning[set-expired]: 1 row, the first at quarter-end.csv:10: the service expires referrals by itself\n\
                 error: --confirm-closing says 3, and the plan closes 10 referrals\n\
                 hint: look at run/plan.jsonl, then: referral-bulk resume run --rate 1000/s --confirm-closing 10\n",
            )
            .run();
    }
}
