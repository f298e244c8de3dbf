//! Connections that are refused, kept waiting, or used twice.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use super::service::{Script, State, endpoint};
use super::tables::{Bound, KINDS, of_kind};
use super::{APPLY, arguments, changes, told};
use crate::support::line::{Connection, serve, serve_on};
use crate::support::place::Place;
use crate::support::program::Ended;
use crate::support::raw::faults::Fault::*;
use crate::support::referrals::id;
use crate::support::waiting::each;

/// A run over four referrals that is planned without a request: from a snapshot with eTags, or blindly.
fn send_blind(home: &Place, endpoint: &str, bound: Bound, more: &str) -> Ended {
    changes(home, 4);
    let state = if bound == Bound::Yes { "snapshot.jsonl" } else { "none" };
    home.run(&arguments(APPLY, endpoint, state, &format!("--confirm-closing 1 {more}")))
}

/// Nobody listens. Nothing was sent, and that is known; the run waits for better times.
#[test]
fn where_nobody_listens() {
    each(&[Bound::Yes, Bound::No], |bound| {
        let (home, state) = (Place::new(), State::new(&[Script::default(); 4]));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let ended = send_blind(&home, &endpoint(address), *bound, "").expect(4);
        assert!(ended.stderr.contains("stopped: the service cannot be reached"), "{}", ended.stderr);
        assert_eq!(home.run_of("run").outcomes(), "4 unsent");

        let serving = Arc::clone(&state);
        serve_on(TcpListener::bind(address).unwrap(), move |connection| drop(serving.converse(connection)));
        home.run(&arguments("resume run", &endpoint(address), "", "--confirm-closing 1")).expect(0);
        let api = state.api();
        assert_eq!(home.run_of("run").outcomes(), "4 applied");
        for (number, kind) in KINDS.iter().enumerate() {
            let (patches, gets) = (api.count("PATCH", &id(number)), api.count("GET", &id(number)));
            assert_eq!((patches, gets, api.applied(&id(number)).len()), (1, 0, 1), "{kind}");
        }
    });
    // A plan that cannot look comes to nothing.
    let home = Place::new();
    changes(&home, 4);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let ended = home.run(&arguments(APPLY, &endpoint(address), "live", "--confirm-closing 1")).expect(1);
    assert!(ended.stderr.contains("cannot be reached"), "{}", ended.stderr);
    assert!(!home.path("run").exists());
}

/// The service goes away with the change, and nobody listens when it is to be read back. The doubt is kept
/// until somebody does.
#[test]
fn where_nobody_listens_any_more() {
    let mut cases = Vec::new();
    for bound in [Bound::Yes, Bound::No] {
        for is_carried_out in [false, true] {
            cases.extend((0..4).map(|number| (bound, is_carried_out, number)));
        }
    }
    each(&cases, |(bound, is_carried_out, number)| {
        let (home, state) = (Place::new(), State::new(&[Script::default(); 4]));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (once, carried_out) = (Arc::clone(&state), *is_carried_out);
        let serving = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            drop(listener);
            let request = Connection::new(stream).request().unwrap();
            once.api().note(&request);
            if carried_out {
                once.api().carry_out(&request);
            }
        });
        changes(&home, 4);
        let rows = std::fs::read_to_string(home.path("changes.jsonl")).unwrap();
        home.write("changes.jsonl", rows.lines().nth(*number).unwrap());
        let from = if *bound == Bound::Yes { "snapshot.jsonl" } else { "none" };
        let consent = format!("--confirm-closing {}", usize::from(KINDS[*number] == "close"));
        let ended = home.run(&arguments(APPLY, &endpoint(address), from, &consent)).expect(4);
        serving.join().unwrap();
        assert!(ended.stderr.contains("stopped: the service cannot be reached"), "{}", ended.stderr);
        assert_eq!(home.run_of("run").outcomes(), "1 unknown");

        let serving = Arc::clone(&state);
        serve_on(TcpListener::bind(address).unwrap(), move |connection| drop(serving.converse(connection)));
        let ended = home.run(&arguments("resume run", &endpoint(address), "", &consent));
        let wanted = match (is_carried_out, bound) {
            (true, _) => "applied 1+1 ours",
            (false, Bound::Yes) => "applied 2+1 ours",
            (false, Bound::No) => "unknown 1+1 before",
        };
        let outcomes = home.run_of("run").lines("outcomes.jsonl");
        let got = told(&state.api(), &outcomes[0], *number, *bound);
        let wanted = of_kind(wanted, KINDS[*number]);
        assert_eq!(got, wanted, "{bound:?} {is_carried_out} {}: {}", KINDS[*number], ended.stderr);
    });
}

/// A connection that breaks before anything is asked on it, when it is accepted; the change's, or the look's.
#[test]
fn on_a_connection_that_is_accepted_and_no_more() {
    let mut cases = Vec::new();
    for bound in [Bound::Yes, Bound::No] {
        for is_reset in [false, true] {
            for broken in [0, 1] {
                cases.extend((0..4).map(|number| (bound, is_reset, broken, number)));
            }
        }
    }
    each(&cases, |(bound, is_reset, broken, number)| {
        let home = Place::new();
        let mut scripts = [Script::default(); 4];
        if *broken == 1 {
            scripts[*number].change = Some((Page("502 Bad Gateway"), true));
        }
        let state = State::new(&scripts);
        let (serving, is_reset, broken) = (Arc::clone(&state), *is_reset, *broken);
        let accepted = Mutex::new(0);
        let address = serve(move |connection| {
            let turn = {
                let mut accepted = accepted.lock().unwrap();
                *accepted += 1;
                *accepted - 1
            };
            match (turn == broken, is_reset) {
                (true, true) => connection.reset(),
                (true, false) => drop(connection),
                (false, _) => drop(serving.converse(connection)),
            }
        });
        changes(&home, 4);
        let rows = std::fs::read_to_string(home.path("changes.jsonl")).unwrap();
        home.write("changes.jsonl", rows.lines().nth(*number).unwrap());
        let from = if *bound == Bound::Yes { "snapshot.jsonl" } else { "none" };
        let consent = format!("--confirm-closing {}", usize::from(KINDS[*number] == "close"));
        let ended = home.run(&arguments(APPLY, &endpoint(address), from, &consent));
        let outcome = &home.run_of("run").lines("outcomes.jsonl")[0];
        let api = state.api();
        let (patches, gets) = (api.count("PATCH", &id(*number)), api.count("GET", &id(*number)));
        let came = format!(
            "{} after {}: {patches}+{gets}, {} times",
            outcome["outcome"].as_str().unwrap(),
            outcome["attempts"],
            api.applied(&id(*number)).len()
        );
        // What broke was no request on the wire, and an attempt on record. Where it broke while the connection
        // came about, it is known that nothing was sent; else it is in doubt.
        let wanted: &[&str] = match (broken, bound, KINDS[*number]) {
            (0, Bound::Yes, _) | (0, _, "fill") => {
                &["applied after 2: 1+0, 1 times", "applied after 2: 1+1, 1 times"]
            }
            (0, Bound::No, _) => &["applied after 2: 1+0, 1 times", "unknown after 1: 0+1, 0 times"],
            _ => &["applied after 1: 1+1, 1 times"],
        };
        let case = format!("{bound:?} {is_reset} {broken} {}", KINDS[*number]);
        assert!(wanted.contains(&came.as_str()), "{case}: {came}, {}", ended.stderr);
    });
}

/// A connection that was kept alive and is closed before the next request: that one is made on another, and
/// nothing is in doubt. Where it breaks under the request, that is a doubt like any other, and not repeated
/// in secret.
#[test]
fn on_a_connection_that_was_kept_alive() {
    let mut cases = Vec::new();
    for bound in [Bound::Yes, Bound::No] {
        cases.extend([None, Some(Reset), Some(ResetUnread), Some(Close)].map(|fault| (bound, fault)));
    }
    each(&cases, |(bound, fault)| {
        let home = Place::new();
        // Each request comes on the connection of the one before, which has just been answered.
        let scripts = fault.map_or([Script::default(); 4], |fault| {
            let broken = Script { change: Some((fault, false)), ..Script::default() };
            [Script::default(), broken, broken, broken]
        });
        let state = State::new(&scripts);
        let (serving, closes) = (Arc::clone(&state), fault.is_none());
        let address = serve(move |mut connection| {
            if closes && let Some(request) = connection.request() {
                serving.api().note(&request);
                let answer = serving.api().carry_out(&request);
                connection.write_and_close(&answer.bytes());
            } else {
                drop(serving.converse(connection));
            }
        });
        // The end of the connection comes with the answer, and is taken in before the next request is due.
        let ended = send_blind(&home, &endpoint(address), *bound, "--concurrency 1 --rate 4/s");
        let outcomes = home.run_of("run").lines("outcomes.jsonl");
        for (number, outcome) in outcomes.iter().enumerate() {
            let wanted = match (fault.is_some() && number > 0, bound) {
                (false, _) => "applied 1+0 ours",
                (true, Bound::Yes) => "applied 2+1 ours",
                (true, Bound::No) => "unknown 1+1 before",
            };
            let got = told(&state.api(), outcome, number, *bound);
            let wanted = of_kind(wanted, KINDS[number]);
            assert_eq!(got, wanted, "{bound:?} {fault:?} {}: {}", KINDS[number], ended.stderr);
        }
    });
}

/// A server that serves one request on a connection and resets it at the next, without having said so. What
/// broke on a kept connection, and the look at what became of it, ride on new ones: of a run one request is
/// in doubt, or as many as there were in flight.
#[test]
fn on_a_server_that_resets_what_is_used_twice() {
    const ROWS: usize = 24;
    each(&[(1, Bound::Yes), (8, Bound::Yes), (1, Bound::No)], |(concurrency, bound)| {
        let (home, state) = (Place::new(), State::new(&[Script::default(); ROWS]));
        let serving = Arc::clone(&state);
        let address = serve(move |mut connection| {
            let Some(request) = connection.request() else { return };
            let answer = {
                let mut api = serving.api();
                api.note(&request);
                api.carry_out(&request)
            };
            if connection.write(answer.bytes()).is_ok() && connection.peek().is_some() {
                connection.reset();
            }
        });
        changes(&home, ROWS);
        let from = if *bound == Bound::Yes { "snapshot.jsonl" } else { "none" };
        let more = format!("--concurrency {concurrency} --confirm-closing {}", ROWS / 4);
        let ended = home.run(&arguments(APPLY, &endpoint(address), from, &more));
        let (run, api) = (home.run_of("run"), state.api());
        let attempts = run.count("/requests/patch");
        let reached = (0..ROWS).map(|number| api.count("PATCH", &id(number))).sum::<usize>() as u64;
        if *bound == Bound::Yes {
            assert_eq!(run.outcomes(), format!("{ROWS} applied"), "{}", ended.stderr);
            assert_eq!(reached, ROWS as u64, "each once");
            assert!((1..=concurrency * 2).contains(&(attempts - reached)), "{attempts} attempts");
        } else {
            // The second row and the eighteenth are additions, which can be repeated.
            assert_eq!(run.outcomes(), format!("{ROWS} applied"), "{}", ended.stderr);
            assert_eq!((attempts, reached), (ROWS as u64 + 2, ROWS as u64));
        }
    });
}
