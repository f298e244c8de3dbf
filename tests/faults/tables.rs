//! Faults, and what they come to.

use crate::support::raw::faults::Fault::{self, *};

/// What a change does.
pub const KINDS: [&str; 4] = ["replace", "fill", "append", "close"];

/// Whether the change is bound to the version that it was planned from: by `If-Match`, or not at all because
/// nobody looked (`--state none`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    Yes,
    No,
}

/// A fault that meets a change once, whether the change is carried out all the same, and what it comes to
/// bound and free: `OUTCOME PATCHes+GETs STATE`, with the GETs of the plan not counted.
pub type Row = (Fault, bool, &'static str, &'static str);

/// In doubt, and not carried out.
pub const fn lost(fault: Fault) -> Row {
    (fault, false, "applied 2+1 ours", "unknown 1+1 before")
}

/// A yes that shows nothing, and is none: it is looked at once more before it is sent again, and four times
/// where it can't be.
pub const fn untrue(fault: Fault) -> Row {
    (fault, false, "applied 2+2 ours", "unknown 1+5 before")
}

/// In doubt, and carried out.
pub const fn arrived(fault: Fault) -> Row {
    (fault, true, "applied 1+1 ours", "applied 1+1 ours")
}

/// As good as no fault.
pub const fn fine(fault: Fault) -> Row {
    (fault, true, "applied 1+0 ours", "applied 1+0 ours")
}

/// A no.
pub const fn refused(fault: Fault) -> Row {
    (fault, false, "refused 1+0 before", "refused 1+0 before")
}

/// What is wanted of a change of this kind where a change in doubt that was not carried out is wanted to stay
/// unknown. A field that was unset, and still is, was not written: setting it again adds nothing twice.
pub fn of_kind(wanted: &str, kind: &str) -> String {
    let looks = wanted.strip_prefix("unknown 1+").and_then(|rest| rest.strip_suffix(" before"));
    match looks {
        Some("5") if kind == "fill" => "applied 2+2 ours".to_owned(),
        Some(looks) if kind == "fill" => format!("applied 2+{looks} ours"),
        _ => wanted.to_owned(),
    }
}

/// What meets a PATCH.
pub const CHANGES: [Row; 38] = [
    lost(ResetUnread),
    lost(Reset),
    arrived(Reset),
    lost(Close),
    arrived(Close),
    lost(HalfStatus),
    arrived(HalfStatus),
    lost(HalfHead),
    arrived(HalfHead),
    lost(HalfBody),
    arrived(HalfBody),
    lost(HalfChunk),
    arrived(HalfChunk),
    lost(Drip),
    arrived(Drip),
    lost(Silence),
    arrived(Silence),
    lost(Garbage),
    arrived(Garbage),
    lost(EndlessHead),
    arrived(EndlessHead),
    lost(EndlessInterim),
    arrived(EndlessInterim),
    lost(WrongEncoding),
    arrived(WrongEncoding),
    // A proxy that reaches nobody, and one that wants somebody to sign in.
    lost(Page("502 Bad Gateway")),
    arrived(Page("502 Bad Gateway")),
    untrue(Page("200 OK")),
    arrived(Page("200 OK")),
    lost(Early("500 Internal Server Error")),
    refused(Early("400 Bad Request")),
    refused(Redirect("301 Moved Permanently")),
    refused(Redirect("302 Found")),
    refused(Redirect("307 Temporary Redirect")),
    refused(Redirect("308 Permanent Redirect")),
    fine(Continue),
    fine(Interims),
    fine(TwoAnswers),
];

/// A yes that shows nothing, and whether it is true.
pub const TRUE: (Fault, bool) = (Bare("204 No Content"), true);
pub const UNTRUE: (Fault, bool) = (Bare("204 No Content"), false);

/// The same of an empty 200.
const EMPTY: (Fault, bool) = (Bare("200 OK"), true);
const EMPTY_UNTRUE: (Fault, bool) = (Bare("200 OK"), false);

/// Such yeses of one process, one after another, on a change of each kind; whether that is so at every attempt; and
/// what it comes to bound and free.
pub type Bares = (&'static str, [(Fault, bool); 4], bool, [&'static str; 4], [&'static str; 4]);

/// The first is looked at by itself, and the others where that was not true; else a page of the list shows them.
const CONFIRMED: [&str; 4] = ["applied 1+1 ours", "applied 1+0 ours", "applied 1+0 ours", "applied 1+0 ours"];

/// What none is true of, where nothing binds the change.
const UNTRUE_FREE: [&str; 4] =
    ["unknown 1+5 before", "applied 2+2 ours", "unknown 1+5 before", "unknown 1+5 before"];

/// One that is true is confirmed at another version, or where it is known what there was before.
pub const BARE: [Bares; 8] = [
    ("all are true", [TRUE; 4], false, CONFIRMED, CONFIRMED),
    ("all are true, and have a body all the same", [(BodyAfter204, true); 4], false, CONFIRMED, CONFIRMED),
    ("all are true, and empty", [EMPTY; 4], false, CONFIRMED, CONFIRMED),
    ("none is true, and all are empty", [EMPTY_UNTRUE; 4], false, ["applied 2+2 ours"; 4], UNTRUE_FREE),
    ("none is true", [UNTRUE; 4], false, ["applied 2+2 ours"; 4], UNTRUE_FREE),
    (
        "none ever is true",
        [UNTRUE; 4],
        true,
        ["failed 5+13 before"; 4],
        ["unknown 1+5 before", "failed 5+13 before", "unknown 1+5 before", "unknown 1+5 before"],
    ),
    (
        "all are true but the first",
        [UNTRUE, TRUE, TRUE, TRUE],
        false,
        ["applied 2+2 ours", "applied 1+1 ours", "applied 1+0 ours", "applied 1+0 ours"],
        ["unknown 1+5 before", "applied 1+1 ours", "applied 1+0 ours", "applied 1+0 ours"],
    ),
    (
        "none is true but the first",
        [TRUE, UNTRUE, UNTRUE, UNTRUE],
        false,
        ["applied 1+1 ours", "applied 2+2 ours", "applied 2+2 ours", "applied 2+2 ours"],
        ["applied 1+1 ours", "applied 2+2 ours", "unknown 1+5 before", "unknown 1+5 before"],
    ),
];

/// What meets a GET and leaves it without an answer, so that it is made again.
pub const NO_ANSWERS: [Fault; 20] = [
    ResetUnread,
    Reset,
    Close,
    HalfStatus,
    HalfHead,
    HalfBody,
    HalfChunk,
    Drip,
    Silence,
    Garbage,
    EndlessHead,
    EndlessInterim,
    WrongEncoding,
    Page("502 Bad Gateway"),
    Page("200 OK"),
    Early("500 Internal Server Error"),
    BodyAfter204,
    Bare("200 OK"),
    Bare("204 No Content"),
    Bare("408 Request Timeout"),
];

/// What meets a GET that is answered all the same.
pub const ANSWERS: [Fault; 3] = [Continue, Interims, TwoAnswers];

/// What meets a GET and says that it is of no use to ask again.
pub const NOES: [Fault; 4] = [
    Early("400 Bad Request"),
    Redirect("301 Moved Permanently"),
    Redirect("307 Temporary Redirect"),
    Page("404 Not Found"),
];
