//! Faults: which requests fail on demand, and how.
//!
//! A fault is written `WHEN=WHAT`. Faults apply to the requests that carry a token and are within the
//! quota; each counts the requests that it matches.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use axum::http::StatusCode;
use uuid::Uuid;

/// A fault, written as in `patch@ID#2=500+applied`.
///
/// * `WHEN` is `get`, `list`, `patch` or `any`; then, if wanted, `@ID` for one referral; then `#N`,
///   `#N-M` or `#*` for the N-th matching request (from 1), a range of them, or all. Without `#` it
///   is the first.
/// * `WHAT` is `STATUS`, `STATUS:SECONDS` with a `Retry-After`, `hang`, `cut`, `html`, `garbage`, or a false
///   success: `bare` (204 without a body), `error` (200 with an error as body), `stale` (200 with the referral as
///   it was before its last change, as where reads lag behind). These happen instead of the request; with
///   `+applied`, after it was carried out. So does `echo`: 200 with the change as if it was made, at the version
///   from before it.
/// * With `edited` (another user changes the referral just before), `slow:MILLISECONDS` and `ignores:POINTER`
///   (all
///   of a change is applied but what concerns that member), the request is carried out in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    on: RequestFilter,
    id: Option<Uuid>,
    turns: RangeInclusive<u64>,
    effect: FaultEffect,
}

/// The reason why a text is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// It has no `=`.
    #[error("\"{0}\" is no fault: write WHEN=WHAT, as in patch#2=500")]
    NoEquals(String),
    /// The kind of request is unknown.
    #[error("\"{0}\" is no sort of request: use get, list, patch or any")]
    RequestFilter(String),
    /// The text after `@` is no GUID.
    #[error("\"{0}\" is no referral's id: after @ stands a GUID")]
    Id(String),
    /// A list concerns no single referral.
    #[error("a list is about no single referral: leave out @ID, \"edited\" and \"stale\"")]
    List,
    /// The effect applies to a PATCH only.
    #[error("only a patch can meet \"{0}\"")]
    Patch(String),
    /// The text after `#` is no number or range.
    #[error("\"{0}\" is no turn: after # stands N, N-M or *, counted from 1")]
    Turns(String),
    /// The effect is unknown.
    #[error(
        "\"{0}\" is no fault's effect: use a status from 400 to 599, STATUS:SECONDS, hang, cut, html, \
         garbage, bare, error, stale, echo, edited, ignores:POINTER or slow:MILLISECONDS"
    )]
    FaultKind(String),
    /// The effect itself determines whether the request is carried out.
    #[error("\"{0}\" cannot be +applied: edited, ignores and slow say by themselves what is carried out")]
    Applied(String),
}

/// The kind of requests that a fault applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestFilter {
    Get,
    List,
    Patch,
    Any,
}

/// What a fault does to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FaultEffect {
    pub what: FaultKind,
    /// Whether the request is carried out first.
    pub applied: bool,
}

/// The kind of a fault; [`Fault`] describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FaultKind {
    Status { status: StatusCode, retry_after: Option<u64> },
    Hang,
    Cut,
    Html,
    Garbage,
    Bare,
    Error,
    Stale,
    Echo,
    Edited,
    Ignores(String),
    Slow(Duration),
}

impl FaultKind {
    /// Returns whether it concerns one referral, so that it cannot apply to a list.
    fn is_about_one(&self) -> bool {
        matches!(self, Self::Edited | Self::Stale)
    }

    /// Returns whether it applies to a PATCH only.
    fn is_of_changes(&self) -> bool {
        matches!(self, Self::Echo | Self::Ignores(_))
    }
}

/// The kind of a request, with the referral that it names; an id that is no GUID is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Get(Option<Uuid>),
    List,
    Patch(Option<Uuid>),
    Other,
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (when, what) =
            text.trim().split_once('=').ok_or_else(|| FaultError::NoEquals(text.to_owned()))?;
        let (when, turns) = match when.split_once('#') {
            Some((when, turns)) => (when, parse_turns(turns)?),
            None => (when, 1..=1),
        };
        let (on, id) = match when.split_once('@') {
            Some((on, id)) => (on, Some(Uuid::try_parse(id).map_err(|_| FaultError::Id(id.to_owned()))?)),
            None => (when, None),
        };
        let on = match on {
            "get" => RequestFilter::Get,
            "list" => RequestFilter::List,
            "patch" => RequestFilter::Patch,
            "any" => RequestFilter::Any,
            _ => return Err(FaultError::RequestFilter(on.to_owned())),
        };
        let effect: FaultEffect = what.parse()?;
        if on == RequestFilter::List && (id.is_some() || effect.what.is_about_one()) {
            return Err(FaultError::List);
        }
        if on != RequestFilter::Patch && effect.what.is_of_changes() {
            return Err(FaultError::Patch(what.to_owned()));
        }
        Ok(Self { on, id, turns, effect })
    }
}

fn parse_turns(text: &str) -> Result<RangeInclusive<u64>, FaultError> {
    let turn = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|turn| digits && *turn > 0)
    };
    let turns = match text.split_once('-') {
        _ if text == "*" => Some(1..=u64::MAX),
        Some((first, last)) => turn(first).zip(turn(last)).map(|(first, last)| first..=last),
        None => turn(text).map(|only| only..=only),
    };
    turns.filter(|turns| !turns.is_empty()).ok_or_else(|| FaultError::Turns(text.to_owned()))
}

impl FromStr for FaultEffect {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, applied) = match text.strip_suffix("+applied") {
            Some(name) => (name, true),
            None => (text, false),
        };
        let what = parse_what(name).ok_or_else(|| FaultError::FaultKind(name.to_owned()))?;
        let settled = matches!(what, FaultKind::Edited | FaultKind::Slow(_) | FaultKind::Ignores(_));
        if applied && settled {
            return Err(FaultError::Applied(name.to_owned()));
        }
        Ok(Self { what, applied })
    }
}

fn parse_what(text: &str) -> Option<FaultKind> {
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    let status = |text: &str| {
        let code = number(text).filter(|code| (400..=599).contains(code))?;
        StatusCode::from_u16(code.try_into().ok()?).ok()
    };
    Some(match (text, text.split_once(':')) {
        ("hang", _) => FaultKind::Hang,
        ("cut", _) => FaultKind::Cut,
        ("html", _) => FaultKind::Html,
        ("garbage", _) => FaultKind::Garbage,
        ("bare", _) => FaultKind::Bare,
        ("error", _) => FaultKind::Error,
        ("stale", _) => FaultKind::Stale,
        ("echo", _) => FaultKind::Echo,
        ("edited", _) => FaultKind::Edited,
        (_, Some(("ignores", pointer))) if pointer.starts_with('/') => FaultKind::Ignores(pointer.to_owned()),
        (_, Some(("slow", millis))) => FaultKind::Slow(Duration::from_millis(number(millis)?)),
        (_, Some((code, seconds))) => {
            FaultKind::Status { status: status(code)?, retry_after: Some(number(seconds)?) }
        }
        (_, None) => FaultKind::Status { status: status(text)?, retry_after: None },
    })
}

impl Fault {
    fn is_about(&self, subject: Subject) -> bool {
        let id = match (self.on, subject) {
            (RequestFilter::Get | RequestFilter::Any, Subject::Get(id))
            | (RequestFilter::Patch | RequestFilter::Any, Subject::Patch(id)) => id,
            (RequestFilter::List | RequestFilter::Any, Subject::List) => None,
            _ => return false,
        };
        // A referral that the request doesn't name cannot be edited.
        let named = !self.effect.what.is_about_one() || id.is_some();
        named && self.id.is_none_or(|wanted| id == Some(wanted))
    }
}

/// The faults of a sandbox, with the number of requests that each has matched.
#[derive(Debug)]
pub(super) struct Faults(Vec<(Fault, u64)>);

impl Faults {
    pub(super) fn new(faults: Vec<Fault>) -> Self {
        Self(faults.into_iter().map(|fault| (fault, 0)).collect())
    }

    /// Counts a request for every fault that it matches, and returns the effect of the first one that
    /// applies.
    pub(super) fn meet(&mut self, subject: Subject) -> Option<FaultEffect> {
        let mut effect = None;
        for (fault, seen) in &mut self.0 {
            if fault.is_about(subject) {
                *seen += 1;
                if effect.is_none() && fault.turns.contains(seen) {
                    effect = Some(fault.effect.clone());
                }
            }
        }
        effect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Uuid = Uuid::from_u128(0xA);
    const B: Uuid = Uuid::from_u128(0xB);

    #[test]
    fn the_grammar() {
        let id = format!("get@{A}=404");
        for (text, wanted) in [
            ("patch=500", Ok(())),
            ("patch#2-4=503:1", Ok(())),
            ("any#*=slow:25", Ok(())),
            (id.as_str(), Ok(())),
            ("patch=hang+applied", Ok(())),
            ("patch=edited", Ok(())),
            ("list=garbage", Ok(())),
            ("patch", Err(FaultError::NoEquals("patch".into()))),
            ("put=500", Err(FaultError::RequestFilter("put".into()))),
            ("get@7=500", Err(FaultError::Id("7".into()))),
            ("get#0=500", Err(FaultError::Turns("0".into()))),
            ("get#3-2=500", Err(FaultError::Turns("3-2".into()))),
            ("get#=500", Err(FaultError::Turns(String::new()))),
            ("get#+1=500", Err(FaultError::Turns("+1".into()))),
            ("get=200", Err(FaultError::FaultKind("200".into()))),
            ("get=600", Err(FaultError::FaultKind("600".into()))),
            ("get=crash", Err(FaultError::FaultKind("crash".into()))),
            ("get=slow", Err(FaultError::FaultKind("slow".into()))),
            ("get=slow:5+applied", Err(FaultError::Applied("slow:5".into()))),
            ("patch=503:1+applied", Ok(())),
            ("patch=429:0+applied", Ok(())),
            ("patch=bare+applied", Ok(())),
            ("any#*=error", Ok(())),
            ("get#2-4=stale", Ok(())),
            ("patch=echo+applied", Ok(())),
            ("patch=ignores:/details/notes", Ok(())),
            ("patch=ignores:notes", Err(FaultError::FaultKind("ignores:notes".into()))),
            ("patch=ignores:/status+applied", Err(FaultError::Applied("ignores:/status".into()))),
            ("get=echo", Err(FaultError::Patch("echo".into()))),
            ("any=ignores:/status", Err(FaultError::Patch("ignores:/status".into()))),
            ("list=edited", Err(FaultError::List)),
            ("list=stale", Err(FaultError::List)),
        ] {
            assert_eq!(text.parse::<Fault>().map(drop), wanted, "{text}");
        }
        assert_eq!(format!("list@{A}=500").parse::<Fault>(), Err(FaultError::List));
    }

    /// Checks which of a series of requests, counted from 1, meet the fault.
    fn check(fault: &str, requests: &[Subject], wanted: &[usize]) {
        let mut faults = Faults::new(vec![fault.parse().unwrap()]);
        let met: Vec<usize> = requests
            .iter()
            .enumerate()
            .filter_map(|(at, subject)| faults.meet(*subject).map(|_| at + 1))
            .collect();
        assert_eq!(met, wanted, "{fault}");
    }

    #[test]
    fn turns_are_counted_over_matching_requests() {
        let requests = [
            Subject::List,
            Subject::Get(Some(A)),
            Subject::Patch(Some(A)),
            Subject::Other,
            Subject::Patch(Some(B)),
            Subject::Patch(None),
            Subject::Get(Some(B)),
            Subject::Patch(Some(B)),
        ];
        check("patch=500", &requests, &[3]);
        check("patch#*=500", &requests, &[3, 5, 6, 8]);
        check("patch#2-3=500", &requests, &[5, 6]);
        check(&format!("patch@{B}#2=500"), &requests, &[8]);
        check(&format!("any@{A}#*=500"), &requests, &[2, 3]);
        check("any#*=500", &requests, &[1, 2, 3, 5, 6, 7, 8]);
        check("any#*=edited", &requests, &[2, 3, 5, 7, 8]);
        check("list#*=500", &requests, &[1]);
        check("get#2=500", &requests, &[7]);
        check("get#9=500", &requests, &[]);
    }

    #[test]
    fn the_first_of_two_happens_and_both_count() {
        let mut faults = Faults::new(vec!["patch#1=hang".parse().unwrap(), "patch#1-2=cut".parse().unwrap()]);
        let mut meet = || faults.meet(Subject::Patch(Some(A))).map(|effect| effect.what);
        assert_eq!(meet(), Some(FaultKind::Hang));
        assert_eq!(meet(), Some(FaultKind::Cut));
        assert_eq!(meet(), None);
    }
}
