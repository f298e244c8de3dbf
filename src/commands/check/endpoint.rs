//! The lines of `check` about where the service is, and what of it this account can read.

use super::facts::Facts;
use super::inquiry::{Inquiry, ListSeen};
use super::line::CheckLine;
use super::list_shape;
use crate::api::{Observed, Untrusted};
use crate::commands::check::times::plainly;
use crate::commands::target::Target;
use crate::domain::exchange::{Failure, Refusal};
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;
use crate::report::counted;

const ENDPOINT: &str = "endpoint";
const ROLE: &str = "role";

const NOTHING: &str = "nothing can be read or changed";

/// Returns the line about the endpoint.
pub fn line(target: &Target, inquiry: &Inquiry) -> CheckLine {
    let name = target.name();
    let answers = inquiry.log.answers();
    let failed = |failure: &Failure| unreached(&name, failure, inquiry.log.untrusted());
    let line = match &inquiry.list {
        ListSeen::Knocked(Ok(())) | ListSeen::Failed(Failure::NoAnswer { .. }) if is_page(&answers) => {
            page(&name)
        }
        ListSeen::Page(_) => answered(target, &answers),
        ListSeen::Knocked(Ok(())) => answered(target, &answers),
        ListSeen::Knocked(Err(failure)) => failed(failure),
        ListSeen::Failed(Failure::Answered(refusal)) => {
            odd(&name, refusal).unwrap_or_else(|| answered(target, &answers))
        }
        ListSeen::Failed(Failure::NoToken { .. }) => answered(target, &answers),
        ListSeen::Failed(failure) => failed(failure),
        ListSeen::Unasked => {
            CheckLine::note(ENDPOINT, format!("{name} was not asked"), "nothing is known of it")
        }
    };
    line.facts(answers.first().map(|first| Facts::Endpoint {
        tls: is_tls(target),
        protocol: first.protocol,
        status: first.status,
    }))
}

/// Whether the last answer is a yes that holds a page for people.
fn is_page(answers: &[Observed]) -> bool {
    answers.last().is_some_and(|last| last.is_page && (200..=299).contains(&last.status))
}

fn page(name: &str) -> CheckLine {
    let seen = format!("a page for people came in place of an answer of {name}");
    let todo = Wording::from(
        "if this network wants a sign-in, or a proxy does, sign in there with a browser; else check the address: ",
    )
    .name(Setting::Endpoint);
    CheckLine::mend(ENDPOINT, seen, NOTHING, todo)
}

/// Whether requests to the target go over TLS: only what is on this machine may do without.
fn is_tls(target: &Target) -> bool {
    matches!(target, Target::Service(endpoint, _) if endpoint.as_str().starts_with("https:"))
}

fn answered(target: &Target, answers: &[Observed]) -> CheckLine {
    let protocol = answers.first().map_or("HTTP", |first| first.protocol);
    let means = match target.kind() {
        "official" => "a run sends its requests there, and the token goes nowhere else",
        "loopback" => "a run sends its requests to this machine, and not to the real service",
        "other" => "a run sends its requests and the token there, and not to Microsoft's own address",
        _ => "a run stays in this process, and changes nothing at the service",
    };
    let way = if is_tls(target) { "over TLS" } else { "unencrypted on this machine" };
    let name = match target {
        Target::Sandbox(_) => "the sandbox".to_owned(),
        Target::Service(..) => target.name(),
    };
    CheckLine::ok(ENDPOINT, format!("{name} answers {way}, {protocol}"), means)
}

/// Returns the line where no answer came.
fn unreached(name: &str, failure: &Failure, untrusted: Option<Untrusted>) -> CheckLine {
    let todo = match (untrusted, failure) {
        (Some(Untrusted::Issuer | Untrusted::Other), _) => Wording::from(
            "where a company's proxy looks into TLS, have its certificate authority added to this machine's \
             certificates; else find out who answers there",
        ),
        (Some(Untrusted::Time), _) => Wording::from(
            "set this machine's clock; if it is right, the certificate has ended, or is not yet valid",
        ),
        (Some(Untrusted::Name), _) => {
            Wording::from("check the address, and whether a proxy answers in its place: ")
                .name(Setting::Endpoint)
        }
        (None, Failure::NotSent { .. }) => Wording::from(
            "check the address, the network, and the proxy that HTTPS_PROXY names, if there is one: ",
        )
        .name(Setting::Endpoint),
        (None, _) => {
            Wording::from("check whether the base ends in /v1.0 and what answers there, or give it longer: ")
                .name(Setting::Endpoint)
                .say(", ")
                .name(Setting::Timeout)
        }
    };
    let seen = match failure {
        Failure::NotSent { message } => format!("{name} cannot be reached: {message}"),
        failure => format!("{name} does not answer as the service does: {}", failure.message()),
    };
    CheckLine::mend(ENDPOINT, seen, NOTHING, todo)
}

/// Returns the line where something else than the service answered, or it is out of order; `None` where the answer is
/// one about the token or the role.
fn odd(name: &str, refusal: &Refusal) -> Option<CheckLine> {
    let Refusal { status, message, retry_after, .. } = refusal;
    let todo = match status {
        403 if refusal.codes.is_empty() => {
            Wording::from(
                "a proxy or a firewall in between may have answered: ask who runs it to let requests to this \
                 address through; if nobody does, have the role of this account looked at in Partner Center: ",
            )
            .name(Setting::Endpoint)
        }
        401 | 403 => return None,
        404 => Wording::from("check the base of the API, which ends in /v1.0: ").name(Setting::Endpoint),
        300..=399 => {
            Wording::from("a redirect is not followed; a proxy may want a sign-in: check the address, ")
                .name(Setting::Endpoint)
        }
        429 | 503 | 509 => match retry_after {
            Some(pause) => format!("try again in {}", plainly(*pause)).into(),
            None if *status == 503 => "try again later; if it stays so, the service is out of order".into(),
            None => "try again later, when less is asked by the partner's other programs".into(),
        },
        500.. => "try again later; if it stays so, the service is out of order".into(),
        _ => Wording::from("check the base of the API: ").name(Setting::Endpoint),
    };
    Some(CheckLine::mend(ENDPOINT, format!("{name} answers {status} ({message})"), NOTHING, todo))
}

/// Returns the line about the role, as far as what is readable tells it.
pub fn role(list: &ListSeen) -> CheckLine {
    let untold = |why: &str| {
        CheckLine::note(ROLE, format!("not known: {why}"), "what this account may read is not known")
    };
    match list {
        ListSeen::Page(page) => match list_shape::referrals(page) {
            0 if !list_shape::elements(page).is_empty() => {
                untold("no element of the list has an id that is a GUID")
            }
            0 if page.next.is_some() => untold("the first page of the list is empty, and there are more"),
            count => readable(count, page.next.is_some()),
        },
        ListSeen::Failed(Failure::Answered(refusal)) if refusal.status == 403 && refusal.codes.is_empty() => {
            untold("what refuses the list does not answer as the service does")
        }
        ListSeen::Failed(Failure::Answered(refusal)) if refusal.status == 403 => {
            let code = refusal.code.as_deref().unwrap_or("no code");
            CheckLine::mend(
                ROLE,
                format!("the list of referrals is refused with 403 ({code}: {})", refusal.message),
                "this account can neither read nor change referrals",
                "have it given the role Referrals admin, or Referrals user, in Partner Center; where a \
                 conditional-access policy refuses it, ask its administrator",
            )
        }
        ListSeen::Failed(Failure::Answered(refusal)) => {
            untold(&format!("the list answers {}", refusal.status))
        }
        ListSeen::Failed(_) => untold("the list was not answered"),
        ListSeen::Knocked(_) => untold("without a token the service tells nothing"),
        ListSeen::Unasked => untold("the list was not asked for"),
    }
}

fn readable(count: u64, more: bool) -> CheckLine {
    let line = match count {
        0 => CheckLine::note(
            ROLE,
            "the list of referrals is empty",
            "the partner has none, or this account is on the team of none: rows would be refused as not visible",
        )
        .todo("if there are referrals, have this account given the role Referrals admin in Partner Center"),
        _ => CheckLine::ok(
            ROLE,
            format!("{}{} can be read", counted(count, "referral"), if more { " and more" } else { "" }),
            "whether as Referrals admin, or as Referrals user who sees the deals of their teams alone, can't be told by \
             reading; nor whether they may be changed",
        ),
    };
    line.facts(Facts::Role { readable: count })
}
