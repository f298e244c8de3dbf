//! `--on-finish`: whoever is to be told of a run's end is told of every end, and costs it nothing.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::case::{Ran, Test};
use crate::support::place::Place;
use crate::support::program::{TOKEN, program};
use crate::support::samples::notes_csv;
use crate::support::sandbox::Sandbox;

const ACTIVE: &str = "5a1e0001-0000-4000-8000-000000000027";
const OTHER: &str = "5a1e0001-0000-4000-8000-000000000015";
const QUIET: &str = "--rate 1000/s --summary none --progress none";

/// Writes what it is told, with its arguments and its environment, and says something on both streams.
const TELL: &str =
    "cat > told.json; printf '%s|' \"$@\" > arguments; env > environment; echo out; echo err >&2\n";

/// A place with a change and a script.
fn place(script: &str) -> std::rc::Rc<Place> {
    let place = Place::new();
    place.write("tell.sh", script);
    place.write("a.csv", notes_csv(&[ACTIVE]));
    place
}

fn told(place: &Place) -> Value {
    serde_json::from_str(&place.raw("told.json")).unwrap()
}

#[test]
fn every_end_is_told_with_its_summary() {
    let wrong = format!("id,notes,dealValue\n{ACTIVE},x,much\n");
    let closing = format!("id,substatus,statusReason\n{OTHER},Lost,Budget\n");
    let service = Sandbox::start("");
    for (command, input, code, state, words) in [
        ("apply a.csv --sandbox --out run", None, 0, "finished", "applied"),
        ("apply a.csv --sandbox --out run --plan", None, 0, "planned", "planned"),
        ("apply a.csv --sandbox --out run", Some(&wrong), 3, "finished", "invalid"),
        ("apply a.csv --sandbox --out run --finish-by 2020-01-01T00:00:00Z", None, 4, "stopped", "unsent"),
        // Consent is refused: the plan is kept.
        ("apply a.csv --out run", Some(&closing), 2, "planned", "planned"),
    ] {
        let place = place(TELL);
        input.iter().for_each(|input| place.write("a.csv", input));
        let line = format!("{command} {QUIET} --on-finish \"sh tell.sh a 'b c'\"");
        let ran = Test::at(&place, &line).service(&service.base).code(code).told_elsewhere().run();
        let told = told(&place);
        assert_eq!(place.raw("told.json"), place.raw("run/summary.json"), "{command}");
        assert_eq!((&told["state"], &told["exit_code"]), (&json!(state), &json!(code)), "{command}");
        assert_eq!(told["rows"][words], 1, "{command}: {told}");
        assert_eq!(place.raw("arguments"), "a|b c|");
        assert_eq!(ran.stdout, "", "its output is none of ours");
        for said in ["\nout\n", "\nerr\n"] {
            assert!(format!("\n{}", ran.stderr).contains(said), "{command}: {}", ran.stderr);
        }
        assert!(!ran.stderr.contains("--on-finish failed"), "{}", ran.stderr);
        let environment = place.raw("environment");
        assert!(
            !environment.contains(TOKEN) && !environment.contains("PARTNER_CENTER_TOKEN"),
            "{environment}"
        );
        assert!(environment.contains("REFERRAL_BULK_ENDPOINT="), "the rest of it is there");
        fs::remove_file(place.path("environment")).unwrap();
    }
}

/// What did not even begin is told as nothing, as `--summary json` tells it.
#[test]
fn what_fails_to_begin_is_told_too() {
    for (command, file, code) in [
        ("apply nowhere.csv --sandbox", "", 1),
        ("migrate nowhere.jsonl --sandbox", "", 1),
        ("resume nowhere", "", 1),
        ("apply a.csv --sandbox --rule nonsense=deny", "", 2),
        ("apply a.csv --sandbox --profile missing", "", 2),
        ("apply a.csv --sandbox", "[profile.default]\nrates = 1\n", 2),
    ] {
        let place = place(TELL);
        if !file.is_empty() {
            place.write("referral-bulk.toml", file);
        }
        let line = format!("{command} --summary none --on-finish 'sh tell.sh'");
        Test::at(&place, &line).code(code).told_elsewhere().run();
        let told = told(&place);
        let name = command.split(' ').next().unwrap();
        assert_eq!((&told["command"], &told["exit_code"]), (&json!(name), &json!(code)), "{command}: {told}");
        assert_eq!(told["rows"]["total"], 0, "{command}");
        fs::remove_file(place.path("environment")).unwrap();
    }
    // What can't be parsed names no command.
    let place = place(TELL);
    Test::at(&place, "apply --on-finish 'sh tell.sh' --bogus").code(2).told_elsewhere().run();
    assert!(!place.path("told.json").exists());
}

/// The note about a command that came to no good end, and how it ends.
fn warned(ran: &Ran) -> String {
    let warning = "warning: the command of --on-finish ";
    let lines: Vec<&str> = ran.stderr.lines().filter_map(|line| line.strip_prefix(warning)).collect();
    assert!(lines.len() <= 1, "{}", ran.stderr);
    lines.concat().replace("; the run is as it was told, and so is the exit code", "")
}

#[test]
fn whatever_becomes_of_it_costs_the_run_nothing() {
    for (script, command, wanted) in [
        ("exit 0\n", "sh tell.sh", ""),
        ("exit 7\n", "sh tell.sh", "failed (exit status: 7)"),
        ("kill -9 $$\n", "sh tell.sh", "failed (signal: 9 (SIGKILL))"),
        ("", "./nowhere", "cannot be started: No such file or directory (os error 2)"),
        // It leaves something running that holds its streams.
        ("while [ -e tell.sh ]; do sleep 1; done & exit 0\n", "sh tell.sh", ""),
    ] {
        let place = place(script);
        let line = format!("apply a.csv --sandbox --out run {QUIET} --on-finish '{command}'");
        let ran = Test::at(&place, &line).told_elsewhere().run();
        assert_eq!(warned(&ran), wanted, "{script}{command}");
        assert_eq!(ran.outcomes("run"), "1 applied");
    }
    // What is no command is told before anything begins.
    for (command, why) in [("'x", "it has a quote that is not closed"), ("  ", "it names no program")] {
        let stderr = format!(
            "error: --on-finish: {why}\nhint: write a program and its arguments, as a shell takes them, as in \"./notify \
             ops\"\n"
        );
        let place = place("");
        let line = format!("apply a.csv --sandbox --on-finish \"{command}\"");
        Test::at(&place, &line).code(2).stderr(&stderr).run();
    }
}

/// Nobody holds the run any more, and all of it is written.
#[test]
fn it_may_report_the_run_and_the_next_command_stays_the_last_line() {
    let program = program();
    let program = program.get_program().to_str().unwrap();
    let script = format!(
        "cat > /dev/null; {program} report run > reported 2> /dev/null; {program} resume run --sandbox > resumed 2> /dev/null\n"
    );
    let place = place(&script);
    let line = format!("apply a.csv --sandbox --out run --plan {QUIET} --on-finish 'sh tell.sh'");
    let ran = Test::at(&place, &line).told_elsewhere().run();
    assert!(place.raw("reported").starts_with("apply run: planned"), "{}", ran.stderr);
    assert!(place.raw("resumed").starts_with("apply run: finished"), "{}", ran.stderr);
    // It is typed again, as the other options of sending are.
    assert_eq!(ran.next(), "resume run --rate 1000/s --on-finish 'sh tell.sh'");
    assert_eq!(warned(&ran), "");
}

#[test]
fn an_interrupt_ends_the_waiting() {
    let place = place("cat > /dev/null; echo waiting; exec sleep 600\n");
    let line = format!("apply a.csv --sandbox --out run {QUIET}");
    let arguments: Vec<&str> = line.split(' ').chain(["--on-finish", "sh tell.sh"]).collect();
    let running = place.start(&arguments);
    running.says("waiting\n");
    running.signal(Signal::SIGINT);
    let ended = running.wait().expect(0);
    let warning = "warning: the command of --on-finish was interrupted; the run is as it was told, and so is the exit code\n";
    assert!(ended.stderr.ends_with(warning), "{}", ended.stderr);
    assert_eq!(place.run_of("run").outcomes(), "1 applied");
}

/// The settings file names programs that are run, so it has to be the user's own.
#[test]
fn a_profile_may_name_it() {
    use std::os::unix::fs::PermissionsExt;
    let place = place(TELL);
    let file = "[profile.default]\non-finish = \"sh tell.sh of-the-file\"\n[profile.quiet]\n";
    place.write("referral-bulk.toml", file);
    let apply = |out: &str| format!("apply a.csv --sandbox --out {out} {QUIET}");
    Test::at(&place, &apply("one")).told_elsewhere().run();
    assert_eq!(place.raw("arguments"), "of-the-file|");
    Test::at(&place, &format!("{} --on-finish 'sh tell.sh of-the-flag'", apply("two")))
        .told_elsewhere()
        .run();
    assert_eq!(place.raw("arguments"), "of-the-flag|");
    let shown = Test::at(&place, "config show").told_elsewhere().run();
    let line = shown.stdout.lines().find(|line| line.starts_with("on-finish ")).unwrap().to_owned();
    assert!(line.contains("set, and not shown") && line.contains("referral-bulk.toml:2"), "{line}");
    for name in ["told.json", "arguments", "environment"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    Test::at(&place, &format!("{} --profile quiet", apply("three"))).told_elsewhere().run();
    fs::set_permissions(place.path("referral-bulk.toml"), fs::Permissions::from_mode(0o666)).unwrap();
    Test::at(&place, &apply("four")).code(2).told_elsewhere().run();
    assert!(!place.path("told.json").exists(), "somebody else's command is not run");
}
