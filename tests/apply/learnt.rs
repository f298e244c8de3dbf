//! What `check` learnt makes plans cheaper, and decides nothing: a plan is the same with a true hint, a false one, and
//! none.

use std::cell::Cell;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;

/// What is known of the service when a plan is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hint {
    None,
    /// As `check` found it.
    True,
    /// That lists carry no eTags.
    NoEtags,
    /// That lists leave out all that the rows are about.
    LeftOut,
    /// That there are many pages, which show the eTags.
    Many,
    /// That lists show everything.
    Whole,
}

/// The files of what was learnt.
fn kept(place: &Place) -> Vec<PathBuf> {
    let files = place.files().into_iter();
    files
        .filter(|(name, _)| name.starts_with("state/referral-bulk/services/"))
        .map(|(_, path)| path)
        .collect()
}

/// A command that knows where the user's files are.
fn with_state(test: Test, place: &Rc<Place>, base: &str) -> Test {
    test.service(base).env("XDG_STATE_HOME", place.path("state").to_str().unwrap()).told_elsewhere()
}

/// A service, and what `check` learnt of it.
struct Known {
    place: Rc<Place>,
    sandbox: Sandbox,
    learnt: Value,
    plans: Cell<usize>,
}

impl Known {
    /// A service with 150 referrals.
    fn of(options: &[&str]) -> Self {
        let place = Place::new();
        let seed: Vec<Value> = (0..150).map(|number| referral(number, "Active", "Accepted")).collect();
        let sandbox = Sandbox::seeded(&place, &seed, options);
        with_state(Test::at(&place, "check --rate 1000/s"), &place, &sandbox.base).run();
        let [file] = &kept(&place)[..] else { panic!("one service, one file: {:?}", kept(&place)) };
        let learnt = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        Self { place, sandbox, learnt, plans: Cell::default() }
    }

    /// Plans rows with a hint. Answers with the lines of the plan, and how many pages and single referrals were read.
    fn planned(&self, rows: &str, hint: Hint) -> (Vec<String>, (u64, u64)) {
        let mut learnt = self.learnt.clone();
        let lists = &mut learnt["lists"];
        match hint {
            Hint::None | Hint::True => {}
            Hint::NoEtags => lists["any_etags"] = json!(false),
            Hint::LeftOut => lists["left_out"] = json!(["details", "status", "team"]),
            Hint::Many => {
                lists["any_etags"] = json!(true);
                lists["referrals"] = json!(100_000);
            }
            Hint::Whole => {
                lists["any_etags"] = json!(true);
                lists["left_out"] = json!([]);
            }
        }
        fs::write(&kept(&self.place)[0], learnt.to_string()).unwrap();
        self.place.write("rows.jsonl", rows);
        let run = format!("run-{}", self.plans.replace(self.plans.get() + 1));
        let line = format!("apply rows.jsonl --plan --out {run} --rate 1000/s --concurrency 2");
        let mut command = unchecked(&self.place, &line);
        command.env("PARTNER_CENTER_TOKEN", TOKEN).env("REFERRAL_BULK_ENDPOINT", &self.sandbox.base);
        if hint != Hint::None {
            command.env("XDG_STATE_HOME", self.place.path("state"));
        }
        // Some of the rows may be wrong, and are planned as that.
        let ended = crate::support::program::run(command, "");
        assert!(matches!(ended.code, Some(0 | 3)), "{}", ended.stderr);
        let notes = ended.stderr.matches("note: lists ").count();
        assert!(notes <= usize::from(hint != Hint::None), "{}", ended.stderr);
        let summary: Value = serde_json::from_str(&self.place.raw(&format!("{run}/summary.json"))).unwrap();
        let count = |name: &str| summary["requests"][name].as_u64().unwrap();
        let plan = self.place.raw(&format!("{run}/plan.jsonl"));
        (plan.lines().map(ToOwned::to_owned).collect(), (count("list"), count("get")))
    }
}

/// Rows that give each of these referrals a note; those in `same` have it already.
fn rows(changed: std::ops::Range<usize>, same: std::ops::Range<usize>) -> String {
    let row =
        |number: usize, note: String| format!("{}\n", json!({"id": id(number), "details": {"notes": note}}));
    let changed = changed.map(|number| row(number, "Called on Monday".to_owned()));
    changed.chain(same.map(|number| row(number, format!("Note {number}")))).collect()
}

#[test]
fn a_plan_is_the_same_whatever_is_thought_of_the_service() {
    let absent = format!("{}\n", json!({"id": id(9_000), "details": {"notes": "x"}}));
    let engagement = "e6000000-0000-4000-8000-000000000005";
    let engagement = format!("{}\n", json!({"id": engagement, "details": {"notes": "x"}}));
    let closed = format!("{}\n", json!({"id": id(3), "status": "New", "substatus": "Received"}));
    for (options, rows) in [
        (&[][..], rows(0..4, 4..6)),
        (&[], rows(140..144, 0..0)),
        (&["--list-without-etags"], rows(0..6, 0..0)),
        (&["--list-without-etags"], rows(0..3, 3..20)),
        (&["--list-without-etags"], rows(120..125, 10..12)),
        (&["--list-omits", "details"], rows(0..5, 5..7)),
        (&["--list-omits", "details"], rows(0..2, 0..0) + &absent + &closed),
        (&["--list-omits", "details"], rows(0..3, 0..0) + &engagement),
        (&["--list-nulls", "details", "--list-without-etags"], rows(2..8, 0..0)),
    ] {
        let known = Known::of(options);
        let (wanted, _) = known.planned(&rows, Hint::None);
        for hint in [Hint::True, Hint::NoEtags, Hint::LeftOut, Hint::Many, Hint::Whole] {
            let (got, _) = known.planned(&rows, hint);
            assert_eq!(got, wanted, "{options:?} with {hint:?} and {rows}");
        }
    }
}

#[test]
fn a_plan_that_knows_the_service_makes_fewer_requests() {
    for (options, rows, [none, right, wrong]) in [
        // A page that can spare nothing is not asked for.
        (&["--list-without-etags"][..], rows(0..9, 0..0), [(1, 9), (0, 9), (1, 9)]),
        (&["--list-omits", "details"], rows(0..9, 0..0), [(1, 9), (0, 9), (1, 9)]),
        (&["--list-without-etags"], rows(0..150, 0..0), [(2, 150), (0, 150), (2, 150)]),
        // What lists can spare is left to them: a wrong guess costs what was under way.
        (&["--list-without-etags"], rows(0..0, 0..150), [(2, 0), (2, 2), (2, 0)]),
        (&[], rows(0..9, 0..0), [(1, 0), (1, 0), (0, 9)]),
    ] {
        let wrong_hint = if options.is_empty() { Hint::NoEtags } else { Hint::Whole };
        let known = Known::of(options);
        for (hint, wanted) in [(Hint::None, none), (Hint::True, right), (wrong_hint, wrong)] {
            assert_eq!(known.planned(&rows, hint).1, wanted, "{options:?} with {hint:?}");
        }
    }
}

/// A list that was read to its end tells how many pages there are to look through in vain.
#[test]
fn few_rows_are_not_looked_for_on_many_pages() {
    let known = Known::of(&[]);
    let count = |seen: usize| known.planned(&rows(seen..seen + 2, 0..0), Hint::True).1;
    assert_eq!(count(140), (1, 2), "a check sees that there are more pages, and not how many");
    let seed: Vec<Value> = (0..350).map(|number| referral(number, "Active", "Accepted")).collect();
    let place = Place::new();
    let sandbox = Sandbox::seeded(&place, &seed, &[""; 0]);
    let run = |line: &str| with_state(Test::at(&place, line), &place, &sandbox.base).run();
    run("check --rate 1000/s");
    place.write("rows.jsonl", rows(320..323, 0..0));
    let requests = |out: &str| {
        let ran = run(&format!("apply rows.jsonl --plan --out {out} --rate 1000/s"));
        let summary = ran.summary(out);
        let count = |name: &str| summary["requests"][name].as_u64().unwrap();
        (count("list"), count("get"))
    };
    assert_eq!(requests("before"), (1, 3));
    run("export --out all.jsonl --rate 1000/s");
    assert_eq!(requests("after"), (0, 3));
    assert_eq!(place.raw("before/plan.jsonl"), place.raw("after/plan.jsonl"));
}

#[test]
fn what_is_learnt_is_kept_for_one_service_and_told() {
    let place = Place::new();
    let sandbox = Sandbox::start("--list-without-etags");
    let ran = with_state(Test::at(&place, "check --rate 1000/s"), &place, &sandbox.base).run();
    let [file] = &kept(&place)[..] else { panic!("{:?}", kept(&place)) };
    assert!(
        ran.stderr.starts_with("note: what lists show is kept in [") || ran.stderr.contains("/services/")
    );
    let learnt: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(learnt["endpoint"], json!(sandbox.base));
    assert_eq!(learnt["lists"]["any_etags"], json!(false));
    place.write("rows.jsonl", rows(0..0, 0..0) + &notes_for(&active(3)));
    let plan = |out: &str| {
        let test = Test::at(&place, &format!("apply rows.jsonl --plan --out {out} --rate 1000/s"));
        with_state(test, &place, &sandbox.base).run().stderr
    };
    let told = "referrals are read one by one, as long as each of them is to be changed\n";
    assert!(plan("first").contains(told));
    // Another service is another matter, and so is a file that is none.
    let other = Sandbox::start("");
    let test = Test::at(&place, "apply rows.jsonl --plan --out second --rate 1000/s");
    assert!(!with_state(test, &place, &other.base).run().stderr.contains("note: "));
    fs::write(file, "{}").unwrap();
    let stderr = plan("third");
    assert!(stderr.contains("note: what was learnt of the service is not used: "), "{stderr}");
    assert!(!stderr.contains(told), "{stderr}");
}

#[test]
fn where_there_is_no_place_for_it_nothing_is_kept() {
    let sandbox = Sandbox::start("");
    let ran = Test::new("check --rate 1000/s").service(&sandbox.base).told_elsewhere().run();
    assert!(
        ran.stderr.starts_with("note: what was learnt is not kept: nothing says where"),
        "{}",
        ran.stderr
    );
    let place = Place::new();
    place.write("state", "a file");
    let ran = with_state(Test::at(&place, "check --rate 1000/s"), &place, &sandbox.base).run();
    assert!(ran.stderr.contains("note: what was learnt is not kept: cannot write "), "{}", ran.stderr);
}

/// Rows that give each of these referrals a note.
fn notes_for(ids: &[&str]) -> String {
    ids.iter()
        .map(|id| format!("{}\n", json!({"id": id, "details": {"notes": "Called on Monday"}})))
        .collect()
}
