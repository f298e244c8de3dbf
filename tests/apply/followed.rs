//! `--progress json`: a program that follows a command gets all that it says as events, on every way out.

use nix::sys::signal::Signal;
use serde_json::json;

use super::*;
use crate::support::schemas::Schema;

/// Holds a stream to what always holds of it, and returns its events: each line is one, of the form of the schema, in the
/// order of time; the first says what begins, and the last one, which comes nowhere else, how it ended.
#[track_caller]
fn events(stderr: &str, command: &str, code: Option<i32>) -> Vec<Value> {
    let events = Schema::of("progress").check_lines(stderr);
    let times: Vec<jiff::Timestamp> =
        events.iter().map(|event| event["at"].as_str().unwrap().parse().unwrap()).collect();
    assert!(times.is_sorted(), "{stderr}");
    let named = named(&events);
    assert_eq!((named[0], &events[0]["command"]), ("started", &json!(command)), "{stderr}");
    let ends: Vec<usize> =
        (0..named.len()).filter(|at| ["finished", "stopped"].contains(&named[*at])).collect();
    assert_eq!(ends, [named.len() - 1], "{stderr}");
    let (last, next) = (&events[ends[0]], events.iter().rfind(|event| event["event"] == "next"));
    assert_eq!(last["exit_code"].as_i64(), code.map(i64::from), "{stderr}");
    assert_eq!(last["next"], next.map_or(Value::Null, |next| next["text"].clone()), "{stderr}");
    events
}

fn named(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

/// The last event agrees with `summary.json`, and every event from the first plan on names the run.
#[track_caller]
fn agrees(events: &[Value], summary: &Value) {
    let last = events.last().unwrap();
    for member in ["state", "rows", "referrals", "requests", "run"] {
        assert_eq!(last[member], summary[member], "{member}");
    }
}

/// The words of an event as people are told them.
fn as_told(event: &Value) -> Option<String> {
    let text = event["text"].as_str()?;
    let rule = event["rule"].as_str().map_or(String::new(), |rule| format!("[{rule}]"));
    Some(match event["event"].as_str()? {
        "message" => text.to_owned(),
        named @ ("note" | "hint" | "next" | "warning" | "error") => format!("{named}{rule}: {text}"),
        _ => return None,
    })
}

#[test]
fn every_way_out_is_told_as_events_with_all_that_people_are_told() {
    let service = Sandbox::start("");
    let closing = format!("id,substatus,statusReason\n{ACTIVE},Lost,Budget\n");
    let wrong = format!("id,notes,dealValue\n{ACTIVE},x,much\n{OTHER},y,1\n");
    let notes = notes(&[ACTIVE, OTHER]);
    let sent = "started planning progress planned sending progress finished";
    let planned = "started planning progress planned finished";
    for (command, input, code, kinds) in [
        ("apply a.csv --sandbox", &notes, 0, sent),
        ("apply a.csv --sandbox --plan", &notes, 0, planned),
        ("apply a.csv --sandbox", &wrong, 3, sent),
        ("apply a.csv --sandbox --plan", &wrong, 3, planned),
        ("apply a.csv --plan --state none", &notes, 0, "started planning planned finished"),
        (
            "apply a.csv --sandbox --finish-by 2020-01-01T00:00:00Z",
            &notes,
            4,
            "started planning progress planned sending progress stopped",
        ),
        ("apply a.csv --sandbox --max-changes 1", &notes, 2, planned),
        // Consent is missing, the number is wrong.
        ("apply a.csv", &closing, 2, planned),
        ("apply a.csv --yes --confirm-closing 2", &closing, 2, planned),
        ("apply b.csv --sandbox", &notes, 1, "started planning finished"),
        ("apply a.csv --sandbox", &"id,nonsense\n".to_owned(), 1, "started planning finished"),
        ("apply a.csv --sandbox --rule nonsense=deny", &notes, 2, "started finished"),
        ("apply a.csv --sandbox --profile missing", &notes, 2, "started finished"),
        ("apply a.csv --sandbox --nonsense", &notes, 2, "started finished"),
        ("apply a.csv --sandbox --rate never", &notes, 2, "started finished"),
        ("apply", &notes, 2, "started finished"),
        ("apply a.csv --help", &notes, 0, "started finished"),
        ("resume nowhere", &notes, 1, "started finished"),
        ("report nowhere", &notes, 1, "started finished"),
        ("verify nowhere", &notes, 1, "started finished"),
        ("export --out a.jsonl --sandbox", &notes, 0, "started progress finished"),
        ("export --out a.csv --sandbox", &notes, 2, "started finished"),
    ] {
        let makes_run = command.starts_with("apply a.csv") && !command.contains("help");
        let line = |progress: &str| {
            let out = if makes_run { " --out run" } else { "" };
            let rate = if command.contains("rate") { "" } else { " --rate 1000/s" };
            let rate = if command.starts_with("report") { "" } else { rate };
            format!("{command}{rate}{out} --progress {progress}")
        };
        let ran = |progress| {
            let place = Place::new();
            place.write("a.csv", input);
            Test::at(&place, &line(progress)).service(&service.base).code(code).told_elsewhere().run()
        };
        let (followed, told) = (ran("json"), ran("plain"));
        let name = command.split(' ').next().unwrap();
        let events = events(&followed.stderr, name, Some(code));
        let own: Vec<&str> = named(&events)
            .into_iter()
            .filter(|name| {
                !["note", "warning", "error", "hint", "next", "message", "stopping"].contains(name)
            })
            .collect();
        assert_eq!(own.join(" "), kinds, "{command}: {}", followed.stderr);
        // Plain text has a usage error in clap's own words, which begin like an error's.
        let words: Vec<String> = events.iter().filter_map(as_told).collect();
        let words = words.iter().fold(String::new(), |words, said| words + said + "\n");
        let redacted = |text: &str, ran: &Ran| crate::support::redact::redact(text, ran.place.root());
        assert_eq!(
            redacted(&words, &followed).replace("--progress json", "--progress plain"),
            told.stderr(),
            "{command}"
        );
        assert_eq!(followed.stdout(), told.stdout(), "{command}");
        match followed.place.path("run/summary.json").exists() {
            true => agrees(&events, &followed.summary("run")),
            false => assert_eq!(events.last().unwrap()["rows"], Value::Null, "{command}"),
        }
    }
}

#[test]
fn progress_ends_with_every_outcome_and_the_plan_says_what_is_to_come() {
    let rows: String = active(6).iter().map(|id| format!("{id},Called on Monday\n")).collect();
    let (first, second) = (active(2)[0], active(2)[1]);
    let ran = Test::new(&format!("apply a.csv {REHEARSE} --progress json --summary json"))
        .file(
            "a.csv",
            format!("id,notes,substatus,statusReason\n{}", {
                let closing = format!("{first},,Lost,Budget\n{second},,nonsense,\n");
                closing + &rows.lines().skip(2).map(|row| format!("{row},,\n")).collect::<String>()
            }),
        )
        .code(3)
        .told_elsewhere()
        .run();
    let events = events(&ran.stderr, "apply", Some(3));
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    let planned = of("planned")[0];
    let figures = ["rows", "to_change", "to_close", "left", "left_to_close"].map(|name| &planned[name]);
    assert_eq!(figures, [6, 5, 1, 5, 1]);
    assert_eq!((&planned["target"], &planned["plan"]), (&json!("sandbox"), &json!("run/plan.jsonl")));
    let last = *of("progress").last().unwrap();
    assert_eq!((&last["work"], &last["done"], &last["total"]), (&json!("sending"), &json!(5), &json!(5)));
    assert_eq!((&last["outcomes"]["applied"], &last["waiting"]), (&json!(5), &Value::Null));
    assert_eq!(of("error")[0]["rule"], "type");
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    agrees(&events, &summary);
    Schema::of("summary").check(&summary);
    // From the plan on, every event names the run.
    let began = events.iter().position(|event| event["event"] == "planning").unwrap();
    assert!(events[..began].iter().all(|event| event["run"].is_null()), "{}", ran.stderr);
    assert!(events[began..].iter().all(|event| event["run"] == "run"), "{}", ran.stderr);
}

#[test]
fn throttles_and_pauses_are_events_that_the_summary_counts() {
    let service = Sandbox::start("--fault patch#1=429:1 --fault get#1=429:1 --fault list#1=429:1");
    let ran = Test::new("apply a.csv --yes --rate 1000/s --out run --progress json --summary none")
        .file("a.csv", notes(&active(3)))
        .service(&service.base)
        .told_elsewhere()
        .run();
    let events = events(&ran.stderr, "apply", Some(0));
    let summary = ran.summary("run");
    let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!(json!(count("throttled")), summary["requests"]["throttled"], "{}", ran.stderr);
    assert!(count("throttled") > 0 && count("paused") > 0, "{}", ran.stderr);
    let paused = events.iter().find(|event| event["event"] == "paused").unwrap();
    assert_eq!((&paused["seconds"], &paused["capped"]), (&json!(1.0), &json!(false)));
    agrees(&events, &summary);
}

#[test]
fn an_interrupted_run_says_that_it_stops_and_is_followed_to_its_end() {
    let service = Sandbox::start("");
    let tap = Tap::on(&service);
    let place = Place::new();
    place.write("a.csv", notes(&active(4)));
    tap.hold(&["PATCH"]);
    let pace = "--yes --rate 1000/s --concurrency 1 --timeout 10m --out run --progress json --summary none";
    let line = format!("apply a.csv {pace} --endpoint {}", tap.endpoint());
    let sending = place.start(&line.split(' ').collect::<Vec<_>>());
    tap.has_seen_patches(1);
    sending.signal(Signal::SIGINT);
    sending.says(r#""event":"stopping","text":"interrupted""#);
    tap.release();
    let ended = sending.wait();
    let stopped = events(&ended.stderr, "apply", Some(4));
    let last = stopped.last().unwrap();
    let told = ["event", "state", "run"].map(|member| last[member].as_str().unwrap());
    assert_eq!(told, ["stopped", "stopped", "run"]);
    assert_eq!((&last["rows"]["applied"], &last["rows"]["unsent"]), (&json!(1), &json!(3)));
    assert_eq!(stopped.iter().filter(|event| event["event"] == "stopping").count(), 1);
    agrees(&stopped, &place.run_of("run").summary());
    // Typed as it stands there, the next command goes on with the run.
    let next = last["next"].as_str().unwrap().strip_prefix("referral-bulk ").unwrap();
    let line = format!("{next} --progress json");
    let ended = place.run(&line.split(' ').collect::<Vec<_>>()).expect(0);
    let resumed = events(&ended.stderr, "resume", Some(0));
    let sending = resumed.iter().find(|event| event["event"] == "sending").unwrap();
    assert_eq!(sending["referrals"], 3);
    assert!(resumed.iter().all(|event| event["run"] == "run"), "{}", ended.stderr);
    agrees(&resumed, &place.run_of("run").summary());
    for (command, figures) in [
        (
            "verify run",
            Some(
                json!({"written":4,"still_ours":4,"changed_since":0,"gone":0,"not_readable":0,"left":0,"unknown":0}),
            ),
        ),
        ("report run", None),
    ] {
        let line = format!("{command} --progress json");
        let ended = place.run(&line.split(' ').collect::<Vec<_>>()).expect(0);
        let told = events(&ended.stderr, command.split(' ').next().unwrap(), Some(0));
        let last = told.last().unwrap();
        assert_eq!((&last["event"], &last["state"]), (&json!("finished"), &json!("finished")));
        assert_eq!(last.get("verified"), figures.as_ref());
    }
}

#[test]
fn waves_diagnostics_and_what_another_program_prints_are_events() {
    let service = Sandbox::start("");
    let ran = Test::new(
        "apply a.csv --yes --rate 1000/s --out run --waves 1,rest --progress json --summary none -v \
         --on-finish \"sh tell.sh\"",
    )
    .file("a.csv", notes(&active(3)))
    .file("tell.sh", "cat > told.json; echo '{\"event\":\"finished\"}'; echo err >&2\n")
    .service(&service.base)
    .told_elsewhere()
    .run();
    let events = events(&ran.stderr, "apply", Some(0));
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    let waves = of("wave");
    assert_eq!(waves.iter().map(|wave| &wave["number"]).collect::<Vec<_>>(), [1, 2]);
    let second = waves[1];
    assert_eq!((&second["of"], &second["stands"]), (&json!(2), &json!(true)));
    assert_eq!((&second["outcomes"]["applied"], &second["standings"]["still_ours"]), (&json!(2), &json!(2)));
    let mut printed: Vec<&str> = of("output").iter().map(|line| line["text"].as_str().unwrap()).collect();
    printed.sort_unstable();
    assert_eq!(printed, ["err", "{\"event\":\"finished\"}"]);
    let decisions = of("diagnostic");
    assert!(
        decisions.iter().any(|line| line["text"].as_str().unwrap().contains("planned")),
        "{}",
        ran.stderr
    );
    agrees(&events, &serde_json::from_str(&ran.place.raw("told.json")).unwrap());
}

/// What comes before the arguments make sense is told as events all the same; only a command that has no progress says
/// what is wrong in plain text.
#[test]
fn a_command_without_progress_tells_no_events() {
    for command in ["show nowhere --progress json", "aply a.csv --progress json", "--progress json"] {
        let ran = Test::new(command).code(2).told_elsewhere().run();
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
}
