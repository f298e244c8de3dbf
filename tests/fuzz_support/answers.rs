//! What the service answers, whatever that is: it is told what it was, nothing is claimed that it doesn't
//! bear out, and the token it was asked with is in nothing that is told.
//!
//! The client is asked as the program asks it, over a loopback connection: there is no other way in.

mod bytes;
mod service;
mod waits;

use std::cell::{Cell, OnceCell};
use std::time::Duration;

use bytes::Answer;
use jiff::Timestamp;
use referral_bulk::api::Page;
use referral_bulk::domain::exchange::{Failure, Journaled, Operation, Refusal, Reply};
use referral_bulk::domain::fields::{Field, Path};
use referral_bulk::domain::item::{Change, Effect, Item};
use referral_bulk::domain::referral::{ETag, ReferralId};
use referral_bulk::domain::snapshot::Snapshot;
use referral_bulk::engine::settle::{Reconciliation, reconcile};
use referral_bulk::pace::retry::{AfterPause, Decision, MAX_TRIES, TokenProblem, decide};
use referral_bulk::pace::{MAX_PAUSE, Pace, Pacing};
use serde_json::Value;
use serde_json::value::RawValue;
use service::{Sent, Service};
use uuid::Uuid;

use super::reading::is_for_people;

pub use waits::retry_after;

const TOKEN: &str = "eyJ0eXAi.s3cr3t-t0ken/value+x.x";
const ID: &str = "5a1e0001-0000-4000-8000-000000000001";

/// An answer as text: its status, its headers a line each, an empty line, its body.
pub fn reply(bytes: &[u8]) {
    let Some(answer) = Answer::of(bytes) else { return };
    with_service(|service| {
        service.will_answer(&answer.on_the_wire());
        let patched = service.runtime.block_on(service.client.patch(Sent));
        let got = service.runtime.block_on(service.client.get(id()));
        let listed = service.runtime.block_on(service.client.list(None));
        assert_eq!(service.take_asked().len(), 3, "a call is a request");
        of_patch(&answer, &patched);
        of_get(&answer, &got);
        of_list(&answer, &listed, service);
        for (operation, failure) in [
            (Operation::Write, patched.as_ref().err()),
            (Operation::Read, got.as_ref().err()),
            (Operation::Read, listed.as_ref().err()),
        ] {
            failure.into_iter().for_each(|failure| is_followed_up(operation, failure, service));
        }
    });
}

fn of_patch(answer: &Answer<'_>, patched: &Result<Reply, Failure>) {
    match patched {
        Err(Failure::NoAnswer { message }) => is_kept_to_itself(answer, message),
        Ok(reply) => {
            assert!(answer.is_success(), "{} is no yes", answer.status);
            assert_eq!(reply.status, answer.status);
            assert!(!answer.repeats_the_token(), "{reply:?}");
            assert_eq!(reply.body, String::from_utf8_lossy(answer.text()));
            assert_eq!(reply.client_request_id, Sent.client_request_id());
            let etag = reply.etag.as_ref().map(ETag::as_str);
            assert!(
                etag.is_none_or(|etag| answer.headers.iter().any(|(_, value)| *value == etag.as_bytes()))
            );
            bears_out(&reply.body);
        }
        Err(failure) => is_refusal(answer, failure),
    }
}

/// An answer that says yes and is none, since the token is in it.
fn is_kept_to_itself(answer: &Answer<'_>, message: &str) {
    assert!(answer.is_success() && message.contains("with the token in it"), "{message}");
    assert!(answer.repeats_the_token() || answer.has_escapes(), "{message}");
    is_for_people(message);
}

/// Nothing is taken for written that isn't there, and nothing for unwritten that doesn't show.
fn bears_out(body: &str) {
    let Ok(now) = Snapshot::whole(body) else { return };
    let Ok(value) = serde_json::from_str::<Value>(body) else { return };
    let notes = value["details"]["notes"].as_str();
    match reconcile(&item(), &now) {
        Reconciliation::Applied => assert_eq!(notes.map(str::trim), Some("Called"), "{body}"),
        Reconciliation::NotApplied => {
            assert!(now.etag() == item().etag.as_ref() || notes == Some("Before"), "{body}");
        }
        Reconciliation::Contradictory => {
            assert!(now.etag() == item().etag.as_ref() && notes.map(str::trim) == Some("Called"), "{body}");
        }
        Reconciliation::Partial => panic!("there is one field: {body}"),
        Reconciliation::Conflict | Reconciliation::CannotTell => assert_ne!(notes, Some("Called"), "{body}"),
    }
}

fn of_get(answer: &Answer<'_>, got: &Result<Reply, Failure>) {
    match got {
        Ok(reply) => {
            assert!(answer.is_success() && answer.members().is_some(), "{reply:?} is no referral");
            assert!(!answer.repeats_the_token(), "{reply:?}");
            assert_eq!(reply.body.as_bytes(), answer.text());
        }
        Err(Failure::NoAnswer { message }) if message.contains("with an error in it") => {
            let members = answer.members().expect("an error is an object");
            assert!(answer.is_success() && !members.contains_key("id"), "{message}");
            is_for_people(message);
        }
        Err(Failure::NoAnswer { message }) if answer.members().is_some() => {
            is_kept_to_itself(answer, message);
        }
        Err(Failure::NoAnswer { message }) => {
            assert!(answer.is_success(), "{message}");
            is_for_people(message);
        }
        Err(failure) => is_refusal(answer, failure),
    }
}

fn of_list(answer: &Answer<'_>, listed: &Result<Page, Failure>, service: &Service) {
    let members = answer.members().filter(|_| answer.is_success());
    match listed {
        Ok(page) => {
            assert!(!answer.repeats_the_token(), "{page:?}");
            let members = members.expect("a page is an object");
            assert!(members["value"].get().starts_with('['));
            let link = members.get("@odata.nextLink").filter(|link| link.get() != "null");
            assert_eq!(link.is_some(), page.next.is_some(), "there is more, or there isn't");
            assert_eq!(page.text.as_bytes(), answer.text());
            if page.next.is_some() {
                let _ = service.runtime.block_on(service.client.list(page.next.as_ref()));
                let asked = service.take_asked();
                let is_rebuilt = |line: &String| line.starts_with("GET /v1.0/engagements/referrals?");
                assert!(asked.len() == 1 && asked.iter().all(is_rebuilt), "{asked:?}");
            }
        }
        Err(Failure::NoAnswer { message }) => {
            assert!(answer.is_success());
            is_for_people(message);
        }
        Err(failure) => is_refusal(answer, failure),
    }
}

/// An answer that says no is told as it was, within bounds.
fn is_refusal(answer: &Answer<'_>, failure: &Failure) {
    let Failure::Answered(refusal) = failure else { panic!("{failure:?}") };
    assert!(!answer.is_success(), "{failure:?}");
    assert_eq!(refusal.status, answer.status);
    assert_eq!(refusal.code.as_ref(), refusal.codes.last());
    assert!(refusal.retry_after.is_none() || answer.has("retry-after"));
    assert!(refusal.message.chars().count() <= 500 && refusal.codes.len() <= 32, "{refusal:?}");
    is_for_people(&refusal.message);
    for code in &refusal.codes {
        assert!(code.chars().count() <= 100);
        is_for_people(code);
    }
    is_for_people(&failure.code());
    assert!(!format!("{failure:?}").contains(TOKEN), "the token is told: {failure:?}");
    assert!(!failure.message().contains(TOKEN), "the token is told: {}", failure.message());
}

/// What follows from a failure never sends a change again that may have been written, and no wait is
/// longer than any that makes sense.
fn is_followed_up(operation: Operation, failure: &Failure, service: &Service) {
    for tries in 1..=MAX_TRIES + 1 {
        let decision = decide(operation, failure, tries);
        match (operation, failure) {
            (Operation::Write, Failure::Answered(refusal)) => follows_from(decision, refusal, tries),
            (Operation::Write, Failure::NoAnswer { .. }) => assert_eq!(decision, Decision::ReadBack),
            (Operation::Write, _) => panic!("an answer came: {failure:?}"),
            (Operation::Read, _) => {
                let is_of_writes = matches!(
                    decision,
                    Decision::ReadBack
                        | Decision::Conflict
                        | Decision::Pause { then: AfterPause::ReadBack, .. }
                );
                assert!(!is_of_writes, "{decision:?}");
            }
        }
        match decision {
            Decision::Again { after } => assert!(after <= Duration::from_secs(30), "{after:?}"),
            Decision::Pause { asked, .. } => {
                let taken = service.runtime.block_on(async {
                    let pace = Pace::new(Pacing::Auto);
                    pace.throttled(pace.turn().await, asked).length
                });
                assert!(!taken.is_zero() && taken <= MAX_PAUSE, "{asked:?} is {taken:?}");
                let kept = asked.is_none_or(|asked| asked.is_zero() || taken == asked.min(MAX_PAUSE));
                assert!(kept, "{asked:?} is {taken:?}");
            }
            _ => {}
        }
    }
}

fn follows_from(decision: Decision, refusal: &Refusal, tries: u32) {
    let status = refusal.status;
    let has = |wanted: &str| refusal.codes.iter().any(|code| code.eq_ignore_ascii_case(wanted));
    let is_done_with = (400..=499).contains(&status) && status != 408;
    let follows = match decision {
        Decision::Again { .. } => status == 423 && tries < MAX_TRIES,
        Decision::GiveUp => status == 423 && tries >= MAX_TRIES,
        Decision::Pause { asked, then } => {
            assert_eq!(asked, refusal.retry_after);
            match then {
                AfterPause::Again => matches!(status, 429 | 509),
                AfterPause::ReadBack => status == 503 && asked.is_some(),
            }
        }
        Decision::ReadBack => status == 408 || status >= 500,
        Decision::Conflict => is_done_with && (matches!(status, 409 | 412) || !refusal.codes.is_empty()),
        Decision::Refused => (300..=499).contains(&status),
        Decision::Renew => status == 401,
        Decision::Stop(TokenProblem::MfaRequired) => is_done_with && has("900421"),
        Decision::Stop(TokenProblem::ClaimsRequired) => is_done_with && has("insufficient_claims"),
        Decision::Stop(TokenProblem::NoToken) => false,
    };
    assert!(follows, "{decision:?} does not follow from {refusal:?}");
}

/// A change of the notes, from `Before` to `Called`.
fn item() -> Item {
    let raw = |text: &str| RawValue::from_string(text.to_owned()).expect("JSON");
    Item {
        number: 1,
        id: id(),
        etag: ETag::from_service("\"v1\"").ok(),
        is_bound: false,
        request_id: Uuid::nil(),
        patch: raw(Sent.document()),
        changes: vec![Change {
            path: Path::Known(Field::Notes),
            before: Some(raw("\"Before\"")),
            after: raw("\"Called\""),
            appended: Vec::new(),
            base: None,
            is_whole: false,
        }],
        effect: Effect::Reversible,
        findings: Vec::new(),
    }
}

fn id() -> ReferralId {
    ID.parse().expect("a GUID")
}

thread_local! {
    /// The time that dates are compared with.
    static NOW: Cell<Timestamp> = const { Cell::new(Timestamp::UNIX_EPOCH) };
    /// One service for all that a thread asks.
    static SERVICE: OnceCell<Service> = const { OnceCell::new() };
}

fn with_service(ask: impl FnOnce(&Service)) {
    SERVICE.with(|service| ask(service.get_or_init(Service::begin)));
}
