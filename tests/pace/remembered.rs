//! What a service bore is begun with in the next run, what is kept of it is the user's alone, and a file that holds
//! something else costs nothing. What answers say of limits is heeded.

use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::support::place::Place;
use crate::support::program::{Ended, program};
use crate::support::referrals::{id, referral};
use crate::support::sandbox::Sandbox;
use crate::support::waiting::each;

const COUNT: usize = 20;

/// A service, and a user who has changes for it.
fn service(options: &[&str]) -> (Rc<Place>, Sandbox) {
    let home = Place::new();
    let seed: Vec<Value> = (0..COUNT).map(|number| referral(number, "Active", "Accepted")).collect();
    let sandbox = Sandbox::seeded(&home, &seed, options);
    (home, sandbox)
}

/// A run with other changes each time, at a rate that is found.
fn run(home: &Place, service: &Sandbox, run: &str) -> Ended {
    let row = |number| format!("{}\n", json!({ "id": id(number), "details": { "notes": run } }));
    home.write("changes.jsonl", (0..COUNT).map(row).collect::<String>());
    let mut command = program();
    command.env("XDG_STATE_HOME", home.path("state"));
    let apply =
        ["apply", "changes.jsonl", "--out", run, "--endpoint", &service.base, "--yes", "--rate", "auto"];
    let ended =
        home.start_with(command, &[&apply[..], &["--progress", "none", "--timeout", "10m"]].concat()).wait();
    let ended = ended.expect(0);
    assert_eq!(home.run_of(run).outcomes(), format!("{COUNT} applied"), "{}", ended.stderr);
    ended
}

/// What `check` tells of the rate, as the JSON object and as text.
fn checked(home: &Place, service: &Sandbox) -> (Value, String) {
    let check = |json: &[&str]| {
        let mut command = program();
        command.env("XDG_STATE_HOME", home.path("state"));
        let arguments = ["check", "--endpoint", &service.base, "--rate", "auto", "--timeout", "10m"];
        home.start_with(command, &[&arguments[..], json].concat()).wait().expect(0).stdout
    };
    let told: Value = serde_json::from_str(&check(&["--json"])).unwrap();
    let lines = told["lines"].as_array().unwrap();
    let rate = lines.iter().find(|line| line["subject"] == "rate").unwrap();
    (rate["facts"]["begins_at"].clone(), check(&[]))
}

/// The files of what was borne.
fn kept(home: &Place) -> Vec<PathBuf> {
    let files = home.files().into_iter();
    files.filter(|(name, _)| name.starts_with("state/referral-bulk/rates/")).map(|(_, path)| path).collect()
}

fn read(home: &Place) -> (PathBuf, Value) {
    let [file] = &kept(home)[..] else { panic!("one service, one file: {:?}", kept(home)) };
    (file.clone(), serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap())
}

#[test]
fn the_next_run_begins_with_what_was_borne() {
    let (home, service) = service(&[]);
    assert_eq!(checked(&home, &service).0, Value::Null, "nothing is remembered");
    run(&home, &service, "first");
    let (file, mut kept) = read(&home);
    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&kept), ["changing", "endpoint", "reading", "tenant", "version"]);
    assert_eq!((&kept["version"], &kept["endpoint"]), (&json!(1), &json!(service.base)));
    assert_eq!(members(&kept["changing"]), ["at", "is_limit", "per_second"]);
    assert!(kept["changing"]["per_second"].as_f64().unwrap() >= 2.0, "{kept}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    }
    kept["changing"]["per_second"] = json!(50.0);
    kept["changing"]["is_limit"] = json!(true);
    fs::write(&file, kept.to_string()).unwrap();
    let (begins_at, told) = checked(&home, &service);
    assert_eq!(begins_at, json!(50.0));
    assert!(told.contains(", and begins at 50.0/s: it bore that, or more, on 2"), "{told}");
    let ended = run(&home, &service, "second");
    assert!(
        ended.stderr.contains("note: --rate auto met no limit, and ended at 50.0/s\n"),
        "{}",
        ended.stderr
    );
    assert!(home.raw("second/run.log").contains("rate remembered"), "{}", home.raw("second/run.log"));
}

#[test]
fn a_file_that_holds_something_else_costs_nothing_but_the_hint() {
    let (home, service) = service(&[]);
    run(&home, &service, "first");
    let (file, kept) = read(&home);
    let with = |per_second: Value| {
        let mut kept = kept.clone();
        for use_of_it in ["reading", "changing"] {
            kept[use_of_it] =
                json!({ "per_second": per_second, "is_limit": true, "at": kept["changing"]["at"] });
        }
        kept.to_string()
    };
    let mut future = kept.clone();
    future["changing"]["at"] = json!("9999-01-01T00:00:00Z");
    future["reading"] = future["changing"].clone();
    let cases = [
        ("nothing", String::new(), "damaged"),
        ("nan", with(json!(50.0)).replace("50.0", "NaN"), "damaged"),
        ("text", with(json!("50")), "damaged"),
        ("fast", with(json!(1e9)), "impossible"),
        ("still", with(json!(0.0)), "impossible"),
        ("future", future.to_string(), "of the future"),
        ("huge", format!("{}{}", " ".repeat(1 << 20), with(json!(50.0))), "damaged"),
    ];
    for (name, text, why) in cases {
        fs::write(&file, text).unwrap();
        let ended = run(&home, &service, name);
        assert!(!ended.stderr.contains("remembered"), "{name}: {}", ended.stderr);
        let log = home.raw(&format!("{name}/run.log"));
        assert!(log.contains("remembered rate not used") && log.contains(why), "{name}: {log}");
        assert!(read(&home).1["changing"]["per_second"].as_f64().unwrap() >= 2.0, "{name}: it is replaced");
    }
    // A name that belongs to something else.
    fs::remove_dir_all(home.path("state")).unwrap();
    home.write("state", "a file");
    run(&home, &service, "blocked");
    assert_eq!(home.raw("state"), "a file");
}

/// The service says what it grants, and is never asked for more.
#[test]
fn what_answers_say_of_limits_is_heeded() {
    let cases = [
        ("ratelimit", "40/s", "ended at 38.8/s"),
        ("x-ratelimit", "40/s", "ended at 37.8/s"),
        ("ratelimit", "300/m", "ended at 4.8/s"),
    ];
    each(&cases, |(form, quota, note)| {
        let (home, service) = service(&["--quota", quota, "--quota-headers", form]);
        let ended = run(&home, &service, "run");
        assert!(ended.stderr.contains(note), "{form} {quota}: {}", ended.stderr);
        assert_eq!(home.run_of("run").count("/requests/throttled"), 0, "{form} {quota}");
    });
}
