//! What somebody sees who sits at a terminal: what is said while a bar stands stays readable, the bar says why it
//! doesn't go on, and where nothing can be drawn there are plain lines.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::rc::Rc;

use nix::sys::signal::Signal;
use regex::Regex;
use serde_json::json;
use support::place::Place;
use support::referrals::{id, referral};
use support::sandbox::Sandbox;
use support::screen::{Screen, unbroken};
use support::tap::Tap;

const XTERM: &[(&str, &str)] = &[("TERM", "xterm-256color")];

const STOPPING: &str = "stopping: requests in flight are awaited; again not to wait for them";

/// A service, a line to it, and eight changes.
struct World {
    home: Rc<Place>,
    _service: Sandbox,
    tap: Tap,
}

impl World {
    fn new(faults: &[&str]) -> Self {
        let home = Place::new();
        let seed: Vec<_> = (0..8).map(|number| referral(number, "Active", "Accepted")).collect();
        let row = |number| format!("{}\n", json!({ "id": id(number), "details": { "notes": "Ours" } }));
        home.write("changes.jsonl", (0..8).map(row).collect::<String>());
        let options: Vec<&str> = faults.iter().flat_map(|fault| ["--fault", fault]).collect();
        let service = Sandbox::seeded(&home, &seed, &options);
        let tap = Tap::on(&service);
        Self { home, _service: service, tap }
    }

    fn apply(&self, columns: u16, variables: &[(&str, &str)], more: &str) -> Screen {
        let pace = "--rate 100000/s --timeout 10m --summary none --yes";
        let command =
            format!("apply changes.jsonl --out run --endpoint {} {pace} {more}", self.tap.endpoint());
        Screen::start(&self.home, &command, columns, variables)
    }

    /// A run that has changed three of eight, and gets no further until it is released.
    fn stands_at_three(&self, columns: u16, variables: &[(&str, &str)]) -> Screen {
        self.tap.let_patches_through(3);
        let screen = self.apply(columns, variables, "--concurrency 1");
        self.tap.has_seen_patches(4);
        screen.shows("3 of 8 referrals, ");
        screen
    }
}

/// The lines that are to be seen, by how they begin.
#[track_caller]
fn lines_begin(text: &str, wanted: &[&str]) {
    let lines: Vec<&str> = text.lines().collect();
    let fits =
        lines.len() == wanted.len() && lines.iter().zip(wanted).all(|(line, word)| line.starts_with(word));
    assert!(fits, "wanted {wanted:?} in\n{text}");
}

#[test]
fn a_bar_is_shown_and_taken_away() {
    let world = World::new(&[]);
    world.tap.hold(&["GET"]);
    let screen = world.apply(120, XTERM, "--concurrency 1");
    screen.shows("8 rows read, 0 referrals looked at");
    // What was held back goes on once the tap looks again.
    world.tap.hold(&[]);
    world.tap.let_patches_through(3);
    screen.shows("3 of 8 referrals, ");
    screen.is_drawn_again("3 of 8 referrals, ");
    lines_begin(&screen.text(), &["plan for http://", "█"]);
    world.tap.release();
    let (code, text, _) = screen.wait();
    assert_eq!(code, Some(0), "{text}");
    lines_begin(&text, &["plan for http://"]);
}

#[test]
fn what_is_said_above_a_bar_stays_there() {
    let world = World::new(&[]);
    let mut screen = world.stands_at_three(120, XTERM);
    // As a terminal shows what interrupts.
    screen.types("^C");
    screen.signal(Signal::SIGINT);
    screen.shows(STOPPING);
    screen.shows("3 of 8 referrals, stopping");
    screen.is_drawn_again("3 of 8 referrals, stopping");
    lines_begin(&screen.text(), &["plan for http://", STOPPING, "█"]);
    world.tap.release();
    let (code, text, _) = screen.wait();
    assert_eq!(code, Some(4), "{text}");
    lines_begin(&text, &["plan for http://", STOPPING, "stopped: interrupted", "next: "]);
}

#[test]
fn whoever_leaves_at_once_leaves_no_bar_behind() {
    let world = World::new(&[]);
    let screen = world.stands_at_three(120, XTERM);
    let leaving = "leaving: requests in flight are not awaited; again to leave without reports";
    for said in [STOPPING, leaving] {
        screen.signal(Signal::SIGINT);
        screen.shows(said);
    }
    let (code, text, _) = screen.wait();
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains(STOPPING) && text.contains(leaving), "{text}");
    assert!(text.lines().last().unwrap().starts_with("next: ") && !text.contains("of 8 referrals"), "{text}");
}

/// What is long goes through a pager, whichever the environment names, and none where it names none.
#[test]
fn a_run_is_shown_through_a_pager() {
    let world = World::new(&[]);
    let plan =
        format!("apply changes.jsonl --plan --out run --endpoint {} --summary none", world.tap.endpoint());
    assert_eq!(Screen::start(&world.home, &plan, 120, XTERM).wait().0, Some(0));
    let shown = |pager: &str| {
        let variables = [XTERM, &[("PAGER", pager)]].concat();
        let (code, text, _) = Screen::start(&world.home, "show run --all", 120, &variables).wait();
        assert_eq!(code, Some(0), "{pager}: {text}");
        text
    };
    let plain = shown("");
    assert_eq!(plain.matches("\"Ours\"").count(), 8, "{plain}");
    assert_eq!(shown("cat"), plain);
    assert_eq!(shown("/nowhere/pager"), plain, "it is done without");
    let paged = shown("sed 's/^/| /'");
    assert_eq!(paged.matches("\n|").count(), plain.matches('\n').count(), "{paged}");
    // Whoever leaves the pager early has seen enough.
    assert_eq!(shown("head -n 1"), "apply run: planned, nothing was sent");
    assert_eq!(shown("true"), "");
}

/// Whoever ends the program from elsewhere ends the pager with it, and finds the terminal as it was.
#[test]
fn a_pager_ends_with_the_program() {
    let world = World::new(&[]);
    let plan =
        format!("apply changes.jsonl --plan --out run --endpoint {} --summary none", world.tap.endpoint());
    assert_eq!(Screen::start(&world.home, &plan, 120, XTERM).wait().0, Some(0));
    let shows = "stty -echo -icanon <&1; cat >/dev/null; echo the pager waits; ";
    world.home.write("pager.sh", format!("{shows} exec sleep 100000"));
    world.home.write("deaf.sh", format!("trap '' TERM; {shows} exec sleep 100000"));
    for (pager, signal) in
        [("pager.sh", Signal::SIGTERM), ("pager.sh", Signal::SIGHUP), ("deaf.sh", Signal::SIGTERM)]
    {
        let named = format!("sh {pager}");
        let variables = [XTERM, &[("PAGER", named.as_str())]].concat();
        let screen = Screen::start(&world.home, "show run --all", 120, &variables);
        screen.shows("the pager waits");
        assert!(!screen.echoes(), "{pager}");
        screen.signal(signal);
        support::waiting::until("the terminal is as it was", || {
            // Of two signals that come together one is heard, so a deaf one is told again and again.
            if pager == "deaf.sh" {
                screen.signal(signal);
            }
            screen.echoes().then_some(())
        });
        let (code, text, _) = screen.wait();
        // One that is told again may hear it while it is leaving already, and says so.
        let leaving = "\nleaving: requests in flight are not awaited; again to leave without reports";
        let text = if pager == "deaf.sh" { text.replace(leaving, "") } else { text };
        assert_eq!((code, text.as_str()), (Some(4), "the pager waits"), "{pager}");
    }
}

/// Neither a speed nor a forecast is true of a run that stands still.
#[test]
fn a_run_that_does_not_go_on_says_why() {
    let pause =
        "warning: the server asks for a longer pause than 600 s: waiting that long, then asking again";
    let held =
        "warning: one change after another gets no good answer (HTTP 500: Internal Server Error, as the";
    for (faults, concurrency, warning, bar) in [
        (["patch#3=429:3600"], 1, pause, "2 of 8 referrals, paused by the server for another 10 min"),
        (["patch#*=500"], 8, held, "0 of 8 referrals, held back, asking again in "),
    ] {
        let world = World::new(&faults);
        let screen = world.apply(120, XTERM, &format!("--concurrency {concurrency}"));
        screen.shows(warning);
        screen.shows(bar);
        screen.is_drawn_again(" of 8 referrals, ");
        let text = screen.text();
        assert!(text.contains(warning), "{text}");
        assert!(!text.contains("/s, about "), "{text}");
        screen.signal(Signal::SIGINT);
        screen.shows(STOPPING);
        assert_eq!(screen.wait().0, Some(4));
    }
}

/// Narrow terminals and wide ones, and those that are made narrower and wider meanwhile. No colour is ever used.
#[test]
fn words_stay_readable_however_wide_the_terminal_is() {
    let colour = Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    let plain = [("TERM", "xterm-256color"), ("NO_COLOR", "1")];
    for (columns, others, variables) in [
        (20, &[][..], XTERM),
        (40, &[], &plain),
        (57, &[], XTERM),
        (80, &[60, 100], XTERM),
        (200, &[81, 80, 79], &plain),
    ] {
        let world = World::new(&[]);
        let screen = world.stands_at_three(columns, variables);
        screen.signal(Signal::SIGINT);
        screen.shows(STOPPING);
        for columns in others {
            screen.resize(*columns);
            screen.is_drawn_again("3 of 8 referrals, stopping");
        }
        screen.is_drawn_again("3 of 8 ");
        // A terminal that was made narrower has lost the ends of its lines.
        let words = if others.is_empty() { STOPPING } else { "stopping: requests in flight are awaited" };
        let text = screen.text();
        assert_eq!(unbroken(&text).matches(&unbroken(words)).count(), 1, "{columns}\n{text}");
        world.tap.release();
        let (code, text, raw) = screen.wait();
        assert_eq!(code, Some(4), "{columns}\n{text}");
        assert!(unbroken(&text).contains(&unbroken(words)), "{columns}\n{text}");
        assert!(!colour.is_match(&raw), "{columns}: {raw:?}");
    }
}

#[test]
fn where_nothing_can_be_drawn_there_are_plain_lines() {
    let dumb: &[(&str, &str)] = &[("TERM", "dumb")];
    for (columns, variables) in [(80, &[][..]), (80, &[("TERM", "")]), (80, dumb), (0, XTERM)] {
        let world = World::new(&[]);
        let screen = world.stands_at_three(columns, variables);
        screen.signal(Signal::SIGINT);
        screen.shows(STOPPING);
        screen.shows("3 of 8 referrals, stopping");
        world.tap.release();
        let (code, text, raw) = screen.wait();
        assert_eq!(code, Some(4), "{text}");
        assert!(!raw.contains('\u{1b}'), "{variables:?} {columns}: {raw:?}");
    }
}
