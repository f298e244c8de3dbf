//! What is said to changes, what looks show, and what it comes to.

use Look::{Another, Before, Beside, Echo, Ours, Status, Theirs};
use Says::{Bare, With};

/// What a look at the referral finds.
#[derive(Debug, Clone, Copy)]
pub enum Look {
    /// It is as it was.
    Before,
    /// It carries the change, at another version.
    Ours,
    /// Somebody else wrote the field, at another version.
    Theirs,
    /// Somebody else wrote another field: another version, and the field as it was.
    Beside,
    /// It carries the change, at the version from before it.
    Echo,
    /// Another referral.
    Another,
    /// No referral, but this status.
    Status(&'static str),
}

/// What an attempt is answered.
#[derive(Debug, Clone, Copy)]
pub enum Says {
    /// A status, and no body.
    Bare(&'static str),
    /// A status, and a referral as a look would find it.
    With(&'static str, Look),
}

pub const LOST: Says = Bare("502 x");

/// Answers and looks in their order, the last of each for all that follow; and what it comes to, as
/// `OUTCOME CODE STATUS PATCHes+GETs`, with the look of the plan not counted.
pub type Case = (&'static [Says], &'static [Look], &'static str);

/// Planned from the live referral: its eTag goes along.
pub const BOUND: [Case; 54] = [
    // Lost, looked at, repeated, refused, looked at again.
    (&[LOST, Bare("400 x")], &[Before, Ours], "applied applied 200 2+2"),
    (&[LOST, Bare("400 x")], &[Before], "refused http-400 400 2+6"),
    (&[LOST, Bare("400 x")], &[Before, Theirs], "refused http-400 400 2+6"),
    (&[LOST, Bare("400 x")], &[Before, Another], "unknown in-doubt - 2+2"),
    (&[LOST, Bare("400 x")], &[Before, Status("404 x")], "unknown in-doubt 404 2+2"),
    (&[LOST, Bare("403 x")], &[Before, Ours], "applied applied 200 2+2"),
    (&[LOST, Bare("403 x")], &[Before], "refused http-403 403 2+6"),
    (&[LOST, Bare("403 x")], &[Before, Status("403 x")], "unknown in-doubt 403 2+2"),
    (&[LOST, Bare("404 x")], &[Before, Ours], "applied applied 200 2+2"),
    (&[LOST, Bare("404 x")], &[Before], "refused http-404 404 2+6"),
    (&[LOST, Bare("404 x")], &[Before, Status("404 x")], "unknown in-doubt 404 2+2"),
    (&[LOST, Bare("409 x")], &[Before, Ours], "applied applied 200 2+2"),
    (&[LOST, Bare("412 x")], &[Before, Ours], "applied applied 200 2+2"),
    (&[LOST, Bare("412 x")], &[Before, Theirs], "conflict http-412 412 2+6"),
    (&[LOST, Bare("412 x")], &[Before, Beside], "conflict http-412 412 2+6"),
    (&[LOST, Bare("412 x")], &[Before, Another], "unknown in-doubt - 2+2"),
    (&[LOST, Bare("412 x")], &[Before, Status("404 x")], "unknown in-doubt 404 2+2"),
    (&[LOST, Bare("423 x")], &[Before, Ours], "applied applied 200 5+2"),
    (&[LOST, Bare("423 x")], &[Before], "failed http-423 423 5+6"),
    (&[LOST, Bare("423 x")], &[Before, Theirs], "failed http-423 423 5+6"),
    (&[LOST, Bare("423 x")], &[Before, Another], "unknown in-doubt - 5+2"),
    // A lock that passes leaves the rest as it was.
    (&[LOST, Bare("423 x"), Bare("412 x")], &[Before, Ours], "applied applied 200 3+2"),
    (&[LOST, Bare("423 x"), With("200 x", Ours)], &[Before], "applied applied 200 3+1"),
    // Looks that lag behind: the version that was sent can't have been changed by somebody else.
    (&[LOST, Bare("412 x")], &[Before], "unknown in-doubt 412 2+6"),
    (&[LOST, Bare("412 x")], &[Before, Before, Before, Ours], "applied applied 200 2+4"),
    (&[LOST, Bare("412 x")], &[Before, Before, Theirs], "conflict http-412 412 2+6"),
    (&[LOST, Bare("400 x")], &[Before, Before, Before, Before, Ours], "applied applied 200 2+5"),
    (&[LOST, LOST, LOST, LOST, LOST], &[Before], "failed gave-up 502 5+9"),
    (&[LOST], &[Before, Before, Before, Before, Before, Before, Ours], "applied applied 200 5+7"),
    (&[Bare("409 x")], &[Before], "unknown in-doubt 409 1+5"),
    (&[Bare("412 x")], &[Before], "unknown in-doubt 412 1+5"),
    (&[Bare("412 x")], &[Before, Ours], "applied applied 200 1+2"),
    (&[Bare("412 x")], &[Before, Before, Theirs], "conflict http-412 412 1+3"),
    (&[Bare("412 x")], &[Before, Status("404 x")], "unknown in-doubt 404 1+2"),
    // Without doubt, a refusal is looked into only to show what stands there now.
    (&[Bare("400 x")], &[Ours], "refused http-400 400 1+0"),
    (&[Bare("404 x")], &[Ours], "refused http-404 404 1+0"),
    (&[Bare("412 x")], &[Ours], "conflict http-412 412 1+1"),
    (&[Bare("412 x")], &[Another], "conflict http-412 412 1+1"),
    (&[Bare("412 x")], &[Status("404 x")], "conflict http-412 412 1+1"),
    // Looking finds something else.
    (&[LOST], &[Another], "unknown in-doubt - 1+1"),
    (&[LOST], &[Status("404 x")], "unknown in-doubt 404 1+1"),
    (&[LOST], &[Beside], "conflict changed-meanwhile - 1+5"),
    // A yes that shows nothing, or something else, is looked at once more before it is sent again.
    (&[Bare("202 x")], &[Ours], "applied applied 200 1+1"),
    (&[Bare("202 x"), Bare("204 x")], &[Before, Ours], "applied applied 200 1+2"),
    (&[Bare("202 x"), Bare("204 x")], &[Before, Before, Ours], "applied applied 200 2+3"),
    (&[Bare("202 x")], &[Theirs], "conflict changed-meanwhile - 1+5"),
    (&[Bare("202 x")], &[Another], "unknown in-doubt - 1+1"),
    (&[With("200 x", Before), With("200 x", Ours)], &[Before], "applied applied 200 2+2"),
    (&[With("200 x", Another)], &[Theirs], "conflict changed-meanwhile - 1+5"),
    (&[With("200 x", Theirs)], &[Ours], "applied applied 200 1+1"),
    (&[Bare("204 x")], &[Before], "failed gave-up 204 5+13"),
    (&[Bare("204 x"), Bare("412 x")], &[Before, Before, Ours], "applied applied 200 2+3"),
    // A yes that shows the change at the version that was sent.
    (&[With("200 x", Echo)], &[Ours], "applied applied 200 1+1"),
    (&[With("200 x", Echo)], &[Echo], "unknown in-doubt - 1+5"),
];

/// Planned from a file without eTags: what was there is known, and nothing binds the change to it. What is sent
/// again is bound to the version that was read back.
pub const UNBOUND: [Case; 14] = [
    (&[LOST, Bare("400 x")], &[Before, Ours], "applied applied 200 2+2"),
    (&[LOST, Bare("400 x")], &[Before], "refused http-400 400 2+6"),
    (&[LOST, Bare("400 x")], &[Before, Another], "unknown in-doubt - 2+2"),
    (&[LOST, Bare("412 x")], &[Before, Ours], "applied applied 200 2+2"),
    (&[LOST, Bare("412 x")], &[Before, Theirs], "conflict http-412 412 2+6"),
    (&[LOST, Bare("412 x")], &[Before], "unknown in-doubt 412 2+6"),
    (&[LOST, Bare("412 x")], &[Before, Before, Ours], "applied applied 200 2+3"),
    (&[LOST, Bare("423 x")], &[Before, Ours], "applied applied 200 5+2"),
    (&[LOST, With("200 x", Ours)], &[Beside], "applied applied 200 2+1"),
    (&[Bare("204 x")], &[Ours], "applied applied 200 1+1"),
    (&[Bare("204 x")], &[Theirs], "conflict changed-meanwhile - 1+5"),
    (&[LOST], &[Theirs], "conflict changed-meanwhile - 1+5"),
    (&[LOST], &[Another], "unknown in-doubt - 1+1"),
    (&[Bare("202 x")], &[Ours], "applied applied 200 1+1"),
];

/// With `--on-conflict rebase`: sent again where the version moved and the field did not.
pub const REBASED: [Case; 17] = [
    (&[Bare("412 x"), Bare("204 x")], &[Beside, Ours], "applied rebased 200 2+2"),
    (&[Bare("412 x"), With("200 x", Ours)], &[Beside], "applied rebased 200 2+1"),
    (&[Bare("409 x"), With("200 x", Ours)], &[Beside], "applied rebased 200 2+1"),
    (&[Bare("204 x")], &[Beside], "conflict changed-meanwhile - 1+5"),
    (&[Bare("412 x")], &[Theirs], "conflict http-412 412 1+1"),
    (&[Bare("412 x")], &[Ours], "conflict http-412 412 1+1"),
    (&[Bare("412 x")], &[Another], "conflict http-412 412 1+1"),
    (&[Bare("412 x")], &[Status("404 x")], "conflict http-412 412 1+1"),
    // Changed once more before it arrives.
    (&[Bare("412 x"), Bare("412 x")], &[Beside, Theirs], "conflict http-412 412 2+2"),
    // Refused at the very version that is shown, or at one that it was bound to before.
    (&[Bare("412 x")], &[Before], "unknown in-doubt 412 1+5"),
    (&[Bare("412 x"), Bare("412 x")], &[Beside], "unknown in-doubt 412 2+6"),
    (&[Bare("412 x"), Bare("412 x")], &[Beside, Before], "unknown in-doubt 412 2+6"),
    (&[Bare("412 x"), With("200 x", Ours)], &[Before, Beside], "applied rebased 200 2+2"),
    // The first attempt was lost: it may have been made, and undone by whoever made the next version.
    (&[LOST], &[Beside], "conflict changed-meanwhile - 1+5"),
    (&[LOST, Bare("412 x")], &[Before, Beside], "conflict http-412 412 2+6"),
    (&[LOST], &[Theirs], "conflict changed-meanwhile - 1+5"),
    (&[LOST], &[Ours], "applied applied 200 1+1"),
];
