//! What the program hears of a request.

use std::time::Duration;

use referral_bulk::domain::exchange::{Failure, Refusal, Reply};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fault::{Fate, Fault};
use super::truth::referral;
use super::world::Answer;

/// Of a request that the service never heard of, or hears of later.
pub fn without_arrival(fate: Fate) -> Answer {
    match fate.fault {
        Some(Fault::NotSent) => Err(Failure::NotSent { message: "the connection was refused".to_owned() }),
        Some(Fault::ServerError | Fault::ProxyPage) => server_error(fate),
        Some(Fault::Unready) => unready(fate),
        _ => no_answer(fate),
    }
}

/// Of a request that has come to nothing.
pub fn without_effect(now: &Value, fate: Fate) -> Answer {
    let pick = |from: &[(u16, &'static str)]| from[usize::try_from(fate.variant).unwrap() % from.len()];
    match fate.fault.expect("all else has an effect") {
        Fault::Refused => {
            let (status, code) =
                pick(&[(400, "badRequest"), (403, "forbidden"), (404, "notFound"), (422, "")]);
            refusal(status, code, None)
        }
        Fault::Locked => refusal(423, "locked", None),
        Fault::Unauthorized => refusal(401, "unauthorized", None),
        Fault::Conflict => conflict(fate),
        Fault::Throttled => throttled(fate.variant, pause(fate)),
        Fault::Unready => unready(fate),
        Fault::Stale => yes(now.to_string()),
        Fault::Hollow => no_content(),
        Fault::Garbage | Fault::AnotherReferral => not_it(fate),
        Fault::ServerError | Fault::ProxyPage => server_error(fate),
        Fault::NotSent
        | Fault::Reset
        | Fault::TimeOut
        | Fault::Half
        | Fault::Echo
        | Fault::Ignored
        | Fault::Overwritten => no_answer(fate),
    }
}

/// Of a change that was made.
pub fn after_writing(before: &Value, after: &Value, is_bare: bool, fate: Fate) -> Answer {
    match fate.fault {
        None | Some(Fault::Overwritten | Fault::Ignored) if is_bare => yes_alone(after, fate),
        None | Some(Fault::Overwritten | Fault::Ignored) => yes(after.to_string()),
        Some(Fault::Stale) => yes(before.to_string()),
        Some(Fault::Echo) => echo(before, after),
        Some(_) => without_effect(after, fate),
    }
}

/// The change as if it was made, at the version from before it.
pub fn echo(before: &Value, after: &Value) -> Answer {
    let mut echo = after.clone();
    echo["eTag"] = before["eTag"].clone();
    yes(echo.to_string())
}

/// Of a request to read something.
pub fn to_read(now: &Value, fate: Fate) -> Answer {
    match fate.fault {
        None => yes(now.to_string()),
        // The client takes what holds no JSON object for no answer.
        Some(Fault::Garbage | Fault::Hollow) => no_answer(fate),
        Some(_) => without_effect(now, fate),
    }
}

/// That the referral was changed, in one of the ways of the service.
pub fn conflict(fate: Fate) -> Answer {
    match fate.variant % 4 {
        0 => refusal(409, "conflict", None),
        1 => refusal(400, "2055", None),
        _ => refusal(412, "preconditionFailed", None),
    }
}

pub fn malformed(why: &str) -> Answer {
    refusal(400, why, None)
}

pub fn throttled(variant: u64, seconds: Option<u64>) -> Answer {
    let status = if variant.is_multiple_of(3) && seconds.is_none() { 509 } else { 429 };
    refusal(status, "throttled", seconds)
}

/// 503 that says when to come back.
fn unready(fate: Fate) -> Answer {
    refusal(503, "unready", pause(fate).or(Some(1)))
}

/// For how long the service asks to be left alone.
fn pause(fate: Fate) -> Option<u64> {
    [None, Some(0), Some(2), Some(7), Some(3_600)][usize::try_from(fate.variant % 5).unwrap()]
}

pub fn no_token() -> Failure {
    Failure::NoToken { message: "no token is to be had".into(), needs_sign_in: None }
}

pub fn refusal(status: u16, code: &str, seconds: Option<u64>) -> Answer {
    let codes: Vec<String> = (!code.is_empty()).then(|| code.to_owned()).into_iter().collect();
    Err(Failure::Answered(Refusal {
        status,
        code: codes.first().cloned(),
        codes,
        message: format!("HTTP {status}"),
        retry_after: seconds.map(Duration::from_secs),
    }))
}

fn server_error(fate: Fate) -> Answer {
    let status = [500, 502, 503, 504, 408, 599][usize::try_from(fate.variant % 6).unwrap()];
    refusal(if fate.fault == Some(Fault::ProxyPage) { 502 } else { status }, "", None)
}

fn no_answer(fate: Fate) -> Answer {
    Err(Failure::NoAnswer { message: format!("{:?}", fate.fault) })
}

/// A body that is not the referral.
fn not_it(fate: Fate) -> Answer {
    let other = referral(usize::MAX >> 16, "Active", "Accepted").to_string();
    if fate.fault == Some(Fault::AnotherReferral) {
        return yes(other);
    }
    let error = r#"{"error":{"code":"Busy","message":"try later"}}"#;
    yes(["<html>", "{\"id\":", "{}", "ok", "", error][usize::try_from(fate.variant % 6).unwrap()].to_owned())
}

fn yes(body: String) -> Answer {
    Ok(Reply { status: 200, body, etag: None, client_request_id: Uuid::nil() })
}

/// A yes that shows nothing of the change.
fn yes_alone(after: &Value, fate: Fate) -> Answer {
    match fate.variant % 4 {
        0 => yes(json!({ "id": after["id"], "eTag": after["eTag"] }).to_string()),
        1 => yes(String::new()),
        _ => no_content(),
    }
}

fn no_content() -> Answer {
    Ok(Reply { status: 204, body: String::new(), etag: None, client_request_id: Uuid::nil() })
}
