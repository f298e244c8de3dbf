//! What goes wrong with a request: whether the service does what it is asked, and what the program hears.

use super::rng::Rng;

/// How long the program waits for an answer, in milliseconds.
pub const TIMEOUT: u64 = 30_000;

/// What can go wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The connection is refused: it never left.
    NotSent,
    /// The connection breaks before the answer.
    Reset,
    /// No answer within the time.
    TimeOut,
    /// Half an answer.
    Half,
    /// 500, 502, 504, or 503 that doesn't say for how long.
    ServerError,
    /// 502 with a page of a proxy in it.
    ProxyPage,
    /// 200 with a body that is no referral.
    Garbage,
    /// 200 with the body of another referral.
    AnotherReferral,
    /// 200 with the referral as it was before the change.
    Stale,
    /// 204 from something before the service, which never hears of it.
    Hollow,
    /// 200 with the change as if it was made, at the version from before it.
    Echo,
    /// The service takes the change but for one of its fields.
    Ignored,
    /// The change is written, and somebody else changes the referral at once.
    Overwritten,
    /// 409, 412, or 400 with code 2055, although nobody changed anything.
    Conflict,
    /// 400, 403, 404 or 422.
    Refused,
    /// 423: not now.
    Locked,
    /// 429 or 509.
    Throttled,
    /// 503 with `Retry-After`.
    Unready,
    /// 401, although the token is good.
    Unauthorized,
}

impl Fault {
    pub const ALL: [Self; 19] = [
        Self::NotSent,
        Self::Reset,
        Self::TimeOut,
        Self::Half,
        Self::ServerError,
        Self::ProxyPage,
        Self::Garbage,
        Self::AnotherReferral,
        Self::Stale,
        Self::Hollow,
        Self::Echo,
        Self::Ignored,
        Self::Overwritten,
        Self::Conflict,
        Self::Refused,
        Self::Locked,
        Self::Throttled,
        Self::Unready,
        Self::Unauthorized,
    ];

    /// What the service does all the same.
    fn effect(self, rng: &mut Rng) -> Effect {
        match self {
            Self::NotSent
            | Self::Hollow
            | Self::Conflict
            | Self::Refused
            | Self::Locked
            | Self::Throttled
            | Self::Unauthorized => Effect::None,
            Self::Overwritten | Self::Ignored => Effect::Now,
            Self::Reset | Self::TimeOut | Self::ServerError | Self::ProxyPage | Self::Unready => {
                rng.pick(&[Effect::None, Effect::None, Effect::Now, Effect::Now, Effect::Late])
            }
            Self::Half | Self::Garbage | Self::AnotherReferral | Self::Stale | Self::Echo => {
                rng.pick(&[Effect::None, Effect::Now])
            }
        }
    }
}

/// Whether the service does what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    None,
    Now,
    /// When the program has heard already that it came to nothing.
    Late,
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    /// `None` where all goes well.
    pub fault: Option<Fault>,
    pub effect: Effect,
    /// When it takes effect, from now on.
    pub arrives: u64,
    /// When the program hears of it, from now on.
    pub ends: u64,
    /// Tells variants of a fault apart.
    pub variant: u64,
}

impl Fate {
    pub fn draw(fault: Option<Fault>, latency: (u64, u64), rng: &mut Rng) -> Self {
        let effect = fault.map_or(Effect::Now, |fault| fault.effect(rng));
        let mut arrives = rng.between(latency.0, latency.1);
        let mut ends = arrives + rng.between(latency.0, latency.1);
        match fault {
            Some(Fault::TimeOut) => {
                ends = TIMEOUT;
                arrives = arrives.min(TIMEOUT - 1);
            }
            Some(Fault::NotSent) => ends = rng.between(0, 5),
            _ => {}
        }
        if effect == Effect::Late {
            let latest = rng.pick(&[5, 1_000, 60_000]);
            arrives = ends + rng.between(1, latest);
        }
        Self { fault, effect, arrives, ends, variant: rng.below(1 << 32) }
    }

    /// Whether the service ever hears of it.
    pub fn arrives_at_all(self) -> bool {
        let lost = matches!(self.fault, Some(Fault::NotSent | Fault::Reset | Fault::TimeOut));
        !(lost && self.effect == Effect::None)
    }

    /// Whether the service says yes, although nothing came of it.
    pub fn says_yes(self) -> bool {
        matches!(self.fault, Some(Fault::Garbage | Fault::AnotherReferral | Fault::Stale | Fault::Echo))
    }
}
