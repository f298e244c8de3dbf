//! What is printed: summaries, help, completions and manual pages.

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
fn told_in_between(faults: &[&str], let_through: usize, progress: &str, line: &str) -> (Rc<Place>, String) {
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
    for command in [
        "",
        "apply",
        "migrate",
        "resume",
        "report",
        "undo",
        "show",
        "approve",
        "verify",
        "explain",
        "check",
        "config show",
        "ledger",
        "ledger init",
        "ledger upgrade",
        "ledger check",
        "ledger forget",
        "sandbox",
        "completions",
        "man",
    ] {
        let name = ["help"].into_iter().chain(command.split_whitespace()).collect::<Vec<_>>().join("_");
        Test::new(&format!("{command} --help")).snapshot(&name, []).run();
    }
    let version = format!("referral-bulk {}\n", env!("CARGO_PKG_VERSION"));
    Test::new("--version").stdout(&version).run();
}

/// What bash offers for the last of these words.
fn completed(words: &[&str]) -> Vec<String> {
    let (_, script, _) = plainly(&Place::new(), "completions bash");
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
        (&["ap"][..], &["apply", "approve"][..]),
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
        let (code, script, said) = plainly(&Place::new(), &format!("completions {shell}"));
        assert_eq!((code, said.as_str()), (Some(0), ""), "{shell}");
        for word in [
            "apply",
            "migrate",
            "resume",
            "report",
            "export",
            "undo",
            "show",
            "explain",
            "config",
            "ledger-password-command",
            "login",
            "logout",
            "device-code",
            "sandbox",
            "man",
            "confirm-closing",
        ] {
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
            "pages/referral-bulk-approve.1",
            "pages/referral-bulk-check.1",
            "pages/referral-bulk-completions.1",
            "pages/referral-bulk-config-show.1",
            "pages/referral-bulk-config.1",
            "pages/referral-bulk-explain.1",
            "pages/referral-bulk-export.1",
            "pages/referral-bulk-ledger-check.1",
            "pages/referral-bulk-ledger-forget.1",
            "pages/referral-bulk-ledger-init.1",
            "pages/referral-bulk-ledger-upgrade.1",
            "pages/referral-bulk-ledger.1",
            "pages/referral-bulk-login.1",
            "pages/referral-bulk-logout.1",
            "pages/referral-bulk-man.1",
            "pages/referral-bulk-migrate.1",
            "pages/referral-bulk-report.1",
            "pages/referral-bulk-resume.1",
            "pages/referral-bulk-sandbox.1",
            "pages/referral-bulk-show.1",
            "pages/referral-bulk-undo.1",
            "pages/referral-bulk-verify.1",
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
