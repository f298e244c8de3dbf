//! The line of `check` about the sign-in: whose token it is, for which tenant, until when, and whether it is taken.

use jiff::{SignedDuration, Timestamp};

use super::facts::Facts;
use super::inquiry::{Inquiry, TokenSeen};
use super::line::CheckLine;
use super::times::plainly;
use crate::api::{ActsFor, TokenClaims};
use crate::commands::next_command::{CommandLine, spelled};
use crate::domain::exchange::{Failure, Refusal};
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// The subject of the line.
pub const SUBJECT: &str = "sign-in";

/// The service that a token has to be for.
const AUDIENCE: &str = "https://api.partner.microsoft.com";

const NOTHING_SENT: &str = "a run would stop before its first request";

/// What to do where a sign-in is kept and another one wouldn't help: the remedy stands with what is wrong.
const TOLD: &str = "do what is said there; the sign-in itself need not be made again";

/// How a token that ends soon is told of.
const SOON: SignedDuration = SignedDuration::from_mins(5);

/// Returns what to do where another token can't be obtained without the user: `again` signs in, where the token comes
/// from a sign-in that is kept.
fn sources(again: Option<&CommandLine>) -> Wording {
    match again {
        Some(again) => again.to_string().into(),
        None => Wording::from("set PARTNER_CENTER_TOKEN, or name a source with ")
            .name(Setting::TokenCommand)
            .say(" or ")
            .name(Setting::TokenFile),
    }
}

/// Returns the line. `now` is the time by the service's clock, where it tells it, and `again` the command that signs in
/// where the token comes from a sign-in that is kept.
pub fn line(inquiry: &Inquiry, now: Timestamp, again: Option<&CommandLine>) -> CheckLine {
    match &inquiry.token {
        TokenSeen::Missing(why) => {
            let hint = why.problems.iter().flat_map(|problem| &problem.hints).next();
            CheckLine::mend(
                SUBJECT,
                why.to_string(),
                NOTHING_SENT,
                hint.cloned().unwrap_or_else(|| sources(again)),
            )
        }
        TokenSeen::Failed(failure) => CheckLine::mend(
            SUBJECT,
            format!("there is no token to send: {}", spelled(&failure.wording())),
            NOTHING_SENT,
            match (again, failure.needs_sign_in()) {
                (Some(again), Some(_)) => format!("sign in again: {again}"),
                (Some(_), None) => TOLD.to_owned(),
                (None, _) => "see to where the token comes from".to_owned(),
            },
        ),
        TokenSeen::Unasked => CheckLine::note(SUBJECT, "the token was not fetched", "nothing is known of it"),
        TokenSeen::Unneeded => {
            CheckLine::ok(SUBJECT, "the sandbox takes any token", "a rehearsal needs no sign-in")
        }
        TokenSeen::Opaque => {
            refused(inquiry, "a token that does not say whose it is", again).unwrap_or_else(|| {
                CheckLine::note(
                    SUBJECT,
                    "a token that is no JWT: whose it is, in which tenant and until when can't be told",
                    "a run sends it all the same; the service alone knows when it ends",
                )
            })
        }
        TokenSeen::Claims(claims) => {
            let line = of_claims(claims, inquiry, now, again);
            line.facts(facts(claims))
        }
    }
}

fn facts(claims: &TokenClaims) -> Facts {
    let TokenClaims { audience, tenant, account, ends, acts_for, permits } = claims.clone();
    let user = match acts_for {
        ActsFor::User => Some(true),
        ActsFor::App => Some(false),
        ActsFor::Untold => None,
    };
    Facts::SignIn { account, tenant, audience, ends, user, permits }
}

fn of_claims(
    claims: &TokenClaims,
    inquiry: &Inquiry,
    now: Timestamp,
    again: Option<&CommandLine>,
) -> CheckLine {
    let whose = whose(claims, now);
    // What a token says of itself is one thing, and whether the service takes it another, which alone decides.
    let refused = refused(inquiry, &whose, again);
    let is_taken = inquiry.is_readable() && refused.is_none();
    let wrong = |what: String, means: &str, todo: Wording| match is_taken {
        true => CheckLine::note(
            SUBJECT,
            format!("{what}; {whose}"),
            "the service took it all the same, so a run can go",
        )
        .todo(todo),
        false => CheckLine::mend(SUBJECT, format!("{what}; {whose}"), means, todo),
    };
    let audience = claims.audience.join(", ");
    if !claims.audience.is_empty() && !claims.audience.iter().any(|audience| is_for_us(audience)) {
        return wrong(
            format!("the token is for {audience}, and not for {AUDIENCE}"),
            "the service refuses it, or does not know whose it is",
            format!("get a token for the scope {AUDIENCE}/.default").into(),
        );
    }
    if claims.acts_for == ActsFor::App {
        return wrong(
            "the token is an app's own, without a user".to_owned(),
            "the service takes tokens of signed-in users alone: an app by itself has no referrals role",
            "get the token by a sign-in of a user who has a referrals role".into(),
        );
    }
    if claims.ends.is_some_and(|ends| ends <= now) {
        return wrong(
            "the token has ended".to_owned(),
            "the service refuses it",
            Wording::from("sign in again: ").append(&sources(again)),
        );
    }
    if let Some(line) = refused {
        return line;
    }
    match claims.ends {
        Some(ends) if ends.duration_since(now) < SOON => CheckLine::note(
            SUBJECT,
            whose,
            "a run that takes longer needs another token; where its source has none, it stops and can be resumed",
        ),
        _ => CheckLine::ok(SUBJECT, whose, "requests are made as this account, and as far as its role goes"),
    }
}

/// Whether a token with this audience is for the service. An audience may also be the GUID of an app, of which
/// nothing can be told.
fn is_for_us(audience: &str) -> bool {
    audience.trim_end_matches('/').eq_ignore_ascii_case(AUDIENCE) || uuid::Uuid::try_parse(audience).is_ok()
}

/// Describes whose token it is, in which tenant, and until when.
fn whose(claims: &TokenClaims, now: Timestamp) -> String {
    let account = claims.account.as_deref().unwrap_or("an account that it does not name");
    let tenant = claims.tenant.as_deref().unwrap_or("not named");
    let ends = match claims.ends {
        None => "until when it does not say".to_owned(),
        Some(ends) => match std::time::Duration::try_from(ends.duration_since(now)) {
            Ok(left) if !left.is_zero() => format!("until {ends} (for {})", plainly(left)),
            _ => format!("until {ends}, which has passed"),
        },
    };
    format!("{account}, tenant {tenant}, {ends}")
}

/// Returns the line of a token that the service refuses; `None` where it takes it, or nothing is known of that.
fn refused(inquiry: &Inquiry, whose: &str, again: Option<&CommandLine>) -> Option<CheckLine> {
    let refusal = match inquiry.unread()? {
        Failure::NoToken { message, needs_sign_in } => {
            return Some(CheckLine::mend(
                SUBJECT,
                format!(
                    "the service refuses the token, and there is no other: {}; {whose}",
                    spelled(message)
                ),
                "a run would stop at its first request",
                if again.is_some() && needs_sign_in.is_none() {
                    TOLD.into()
                } else {
                    Wording::from("sign in again: ").append(&sources(again))
                },
            ));
        }
        Failure::Answered(refusal) => refusal,
        Failure::NotSent { .. } | Failure::NoAnswer { .. } => return None,
    };
    let told = |what: &str| match again {
        Some(again) => Wording::from(format!("{what}: {again}")),
        None => Wording::from(what),
    };
    let (means, todo) = match refusal {
        _ if has(refusal, "900421") => (
            "the token was issued without multi-factor authentication, which the service requires",
            told("sign in again with multi-factor authentication"),
        ),
        _ if has(refusal, "insufficient_claims") => (
            "a conditional-access policy wants another sign-in",
            told("sign in again, and use a token that has the claims that are asked for"),
        ),
        Refusal { status: 401, .. } => (
            "a run would stop at its first request",
            Wording::from("sign in again: ").append(&sources(again)),
        ),
        _ => return None,
    };
    // What the service says of claims may hold the challenge, which is meant for a sign-in.
    let said = if has(refusal, "insufficient_claims") { "insufficient_claims" } else { &refusal.message };
    let seen = format!("the service refuses the token with {} ({said}); {whose}", refusal.status);
    Some(CheckLine::mend(SUBJECT, seen, means, todo))
}

fn has(refusal: &Refusal, code: &str) -> bool {
    refusal.codes.iter().any(|known| known == code)
}
