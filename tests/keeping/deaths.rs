//! Processes that die between two steps of a renewal.

use std::fs;

use nix::sys::signal::Signal;

use crate::authority::{Hold, refresh};
use crate::desk::Desk;

#[test]
fn a_process_that_dies_before_its_token_is_taken_loses_nothing() {
    let desk = Desk::new("file");
    desk.login();
    desk.authority.look(|state| state.held = Some(Hold::Before));
    let killed = desk.start("check");
    desk.authority.holds_one();
    killed.signal(Signal::SIGKILL);
    assert_eq!(killed.wait().code, None);
    // What the service does with the request of a process that is gone is lost with it, and here it does nothing.
    desk.authority.look(|state| {
        state.is_revoked = true;
        state.held = None;
    });
    crate::support::waiting::until("the end of the request", || {
        desk.authority.look(|state| (state.waiting == 0).then_some(()))
    });
    desk.authority.look(|state| state.is_revoked = false);
    desk.run("check").expect(0);
    assert_eq!(desk.authority.look(|state| state.issued), 2);
}

/// The one loss that can't be undone from here: the service has taken the token, and nobody hears the answer.
#[test]
fn a_process_that_dies_while_the_answer_is_on_its_way_is_told_to_sign_in() {
    let desk = Desk::new("file");
    desk.login();
    desk.authority.look(|state| state.held = Some(Hold::After));
    let killed = desk.start("check");
    desk.authority.holds_one();
    killed.signal(Signal::SIGKILL);
    assert_eq!(killed.wait().code, None);
    desk.authority.look(|state| state.held = None);
    let told = desk.run("check").expect(1);
    let all = format!("{}{}", told.stdout, told.stderr);
    assert!(all.contains("invalid_grant") && all.contains("sign in again"), "{all}");
    desk.authority.look(|state| state.is_revoked = false);
    desk.login();
    desk.run("check").expect(0);
}

/// A run that is interrupted while the service answers keeps what it answers.
#[test]
fn an_interrupted_process_waits_for_the_answer() {
    let desk = Desk::new("file");
    desk.login();
    desk.authority.look(|state| state.held = Some(Hold::After));
    let stopped = desk.start("export --out all.csv");
    desk.authority.holds_one();
    stopped.signal(Signal::SIGINT);
    stopped.says("stopping");
    desk.authority.look(|state| state.held = None);
    assert_eq!(stopped.wait().code, Some(4));
    let kept = fs::read_to_string(desk.file(".token").unwrap()).unwrap();
    assert_eq!(kept, format!("{}\n", refresh(2)));
    desk.run("check").expect(0);
}

/// The service never answers, and is no reason to keep somebody who wants the program to end.
#[test]
fn an_interrupted_process_does_not_wait_for_long() {
    let desk = Desk::new("file");
    desk.login();
    desk.authority.look(|state| state.held = Some(Hold::Before));
    let stopped = desk.start("export --out all.csv");
    desk.authority.holds_one();
    stopped.signal(Signal::SIGINT);
    assert_eq!(stopped.wait().code, Some(4));
    assert_eq!(
        desk.authority.look(|state| (state.waiting, state.asked)),
        (1, 1),
        "it was not awaited to its time-out"
    );
}

#[test]
fn an_interrupted_process_does_not_wait_for_a_service_that_is_busy() {
    let desk = Desk::new("file");
    desk.login();
    desk.authority.look(|state| state.busy = Some(25));
    let stopped = desk.start("export --out all.csv");
    desk.authority.was_asked();
    stopped.signal(Signal::SIGINT);
    assert_eq!(stopped.wait().code, Some(4));
    assert_eq!(desk.authority.look(|state| state.asked), 1);
    desk.authority.look(|state| state.busy = None);
    desk.run("check").expect(0);
}

#[test]
fn a_service_that_is_busy_for_long_is_told() {
    let desk = Desk::new("file");
    desk.login();
    desk.authority.look(|state| state.busy = Some(99_999_999));
    let told = desk.run("export --out all.csv");
    assert!(told.stderr.contains("the sign-in service is not available: HTTP 429"), "{}", told.stderr);
    assert_eq!(desk.authority.look(|state| state.asked), 1);
    desk.authority.look(|state| state.busy = None);
    desk.run("check").expect(0);
}

/// The process is killed at its first call of each kind that changes a file or syncs it, another at its second, and so
/// on. What the answer brought is written by then, or wasn't asked for yet.
#[test]
#[ignore = "needs strace"]
fn a_process_may_die_at_every_change_of_a_file() {
    let desk = Desk::new("file");
    desk.login();
    let mut deaths = 0;
    for call in ["fsync", "ftruncate", "rename", "unlink"] {
        for turn in 1.. {
            let calls = format!("trace={call}");
            let inject = format!("inject={call}:signal=KILL:when={turn}");
            let words = ["-f", "-qq", "-o", "trace", "-e", &calls, "-e", &inject];
            let killed = desk.through("strace", &words, "check");
            if killed.code == Some(0) {
                break;
            }
            deaths += 1;
            let next = desk.run("check");
            assert_eq!(next.code, Some(0), "{call} {turn}: {}{}", next.stdout, next.stderr);
        }
    }
    assert!(deaths >= 6, "{deaths}");
    assert!(desk.authority.look(|state| !state.is_revoked && state.issued > deaths));
    assert_eq!(desk.with_tokens(), [desk.file(".token").unwrap()]);
}
