//! Steps of carrying out an item that are neither an attempt nor its outcome: what was waited for, how the referral
//! was looked at to settle it, and what followed from a failure.
//!
//! They are on record so that the life of a row can be told later, and nothing is decided by them: a step that a crash
//! took away is one that is not told. They serialise with `serde`, so their names are part of the ledger's format. No
//! step holds a text of the service or of an input.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::referral::ETag;

/// One step in carrying out an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The number of the attempt that it belongs to, where it belongs to one.
    pub attempt: Option<u64>,
    /// What was done, and when.
    pub taken: StepTaken,
}

/// What was done in a step, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTaken {
    /// When it was over.
    pub at: Timestamp,
    /// What was done.
    #[serde(flatten)]
    pub kind: StepKind,
}

/// What was done in a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum StepKind {
    /// The item waited before the attempt.
    Waited(Waits),
    /// What followed from the failure of the attempt was decided.
    Decided {
        /// What followed.
        next: NextMove,
    },
    /// The referral was read, to find out what became of an attempt.
    Looked(Look),
    /// A list page showed the change, which the service had answered with a yes alone.
    Listed {
        /// The version at which it was shown.
        etag: ETag,
    },
    /// The change was made anew for the version that the referral has now.
    Rebased {
        /// The version that it was bound to before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<ETag>,
        /// The version that it is bound to now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<ETag>,
    },
    /// An intent was withdrawn before anything was sent for it, since the run was stopped.
    Withdrawn,
}

impl StepKind {
    /// Returns how long was waited in the step, where anything was waited for.
    pub fn waits(&self) -> Option<Waits> {
        match self {
            Self::Waited(waits) => Some(*waits),
            Self::Looked(look) => Some(look.waits),
            Self::Decided { .. } | Self::Listed { .. } | Self::Rebased { .. } | Self::Withdrawn => None,
        }
    }
}

/// How long a request waited, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "snake_case")]
pub struct Waits {
    /// For the rate limit.
    #[serde(with = "milliseconds", skip_serializing_if = "is_short")]
    pub rate: Duration,
    /// For the end of a pause that the service had asked for.
    #[serde(with = "milliseconds", skip_serializing_if = "is_short")]
    pub pause: Duration,
    /// For the circuit breaker, which held requests back since others failed.
    #[serde(with = "milliseconds", skip_serializing_if = "is_short")]
    pub held_back: Duration,
    /// After a failure or before another look, of its own accord.
    #[serde(with = "milliseconds", skip_serializing_if = "is_short")]
    pub back_off: Duration,
}

/// The shortest wait that is worth a record.
const NOTEWORTHY: Duration = Duration::from_millis(1);

fn is_short(wait: &Duration) -> bool {
    *wait < NOTEWORTHY
}

impl Waits {
    /// Whether any of the waits is worth a record: a millisecond, or longer.
    pub fn are_noteworthy(&self) -> bool {
        let Self { rate, pause, held_back, back_off } = self;
        [rate, pause, held_back, back_off].into_iter().any(|wait| !is_short(wait))
    }

    /// Adds other waits to these.
    pub fn add(&mut self, other: Self) {
        self.rate += other.rate;
        self.pause += other.pause;
        self.held_back += other.held_back;
        self.back_off += other.back_off;
    }
}

/// What followed from the failure of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NextMove {
    /// It is sent again, as it was not applied.
    SendAgain,
    /// It is sent again without counting as a try, since all requests were throttled.
    SendAfterPause,
    /// It is sent again without counting as a try, since the token was refused.
    SendWithToken,
    /// The referral is read back first: the change may have been written.
    ReadBack,
    /// The referral is read back first: the service refused the change, for a reason that may be another version or an
    /// earlier attempt.
    Recheck,
    /// Nothing more is sent: the service refused the change.
    EndRefused,
    /// Nothing more is sent: it was tried often enough.
    GiveUp,
    /// Nothing more is sent for now: the run was stopped.
    Stop,
}

/// One look at a referral, to find out what became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// What was found.
    pub found: Found,
    /// The version that the referral was found at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<ETag>,
    /// The HTTP status of the answer, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The `client-request-id` of the request, where it was answered with the referral.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<Uuid>,
    /// Whether it was too early to conclude, so that the referral is looked at once more.
    #[serde(default)]
    pub again: bool,
    /// What was waited for before the look.
    #[serde(default)]
    pub waits: Waits,
}

/// What a look at a referral showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// It carries the change.
    Applied,
    /// It carries some of the change.
    Partial,
    /// It is as it was planned from.
    NotApplied,
    /// It carries some of the change at the very version that was sent.
    Contradictory,
    /// It is neither as planned from nor as wanted.
    Conflict,
    /// It doesn't carry the change, and nothing tells whether sending it again would overwrite or repeat something.
    CannotTell,
    /// The answer held something else than the referral.
    SomethingElse,
    /// The referral could not be read.
    Unreadable,
}

/// Durations as whole milliseconds.
mod milliseconds {
    use super::{Deserialize, Deserializer, Duration, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(kind: StepKind) -> StepTaken {
        StepTaken { at: "2026-01-02T03:04:05Z".parse().unwrap(), kind }
    }

    fn etag(text: &str) -> Option<ETag> {
        Some(ETag::from_input(text).unwrap())
    }

    #[test]
    fn what_is_on_record_comes_back() {
        let ms = Duration::from_millis;
        let waits = Waits { rate: ms(1_500), back_off: ms(500), ..Waits::default() };
        let look = Look {
            found: Found::NotApplied,
            etag: etag("v2"),
            status: Some(200),
            client_request_id: Some(Uuid::nil()),
            again: true,
            waits,
        };
        let bare = Look {
            found: Found::Unreadable,
            etag: None,
            status: None,
            client_request_id: None,
            again: false,
            waits: Waits::default(),
        };
        for (kind, wanted) in [
            (StepKind::Waited(waits), r#""step":"waited","rate":1500,"back_off":500"#),
            (
                StepKind::Decided { next: NextMove::SendAfterPause },
                r#""step":"decided","next":"send-after-pause""#,
            ),
            (
                StepKind::Looked(look),
                r#""step":"looked","found":"not-applied","etag":"\"v2\"","status":200,"client_request_id":"00000000-0000-0000-0000-000000000000","again":true,"waits":{"rate":1500,"back_off":500}"#,
            ),
            (StepKind::Looked(bare), r#""step":"looked","found":"unreadable","again":false,"waits":{}"#),
            (StepKind::Listed { etag: etag("v2").unwrap() }, r#""step":"listed","etag":"\"v2\"""#),
            (StepKind::Rebased { from: etag("v1"), to: None }, r#""step":"rebased","from":"\"v1\"""#),
            (StepKind::Withdrawn, r#""step":"withdrawn""#),
        ] {
            let taken = taken(kind);
            let text = serde_json::to_string(&taken).unwrap();
            assert_eq!(text, format!(r#"{{"at":"2026-01-02T03:04:05Z",{wanted}}}"#));
            assert_eq!(serde_json::from_str::<StepTaken>(&text).unwrap(), taken);
        }
    }

    #[test]
    fn a_wait_of_less_than_a_millisecond_is_none() {
        let micros = Duration::from_micros;
        for (waits, wanted) in [
            (Waits::default(), false),
            (Waits { rate: micros(999), pause: micros(999), ..Waits::default() }, false),
            (Waits { held_back: micros(1_000), ..Waits::default() }, true),
            (Waits { back_off: Duration::from_secs(60), ..Waits::default() }, true),
        ] {
            assert_eq!(waits.are_noteworthy(), wanted, "{waits:?}");
        }
        let mut sum = Waits { rate: micros(600), ..Waits::default() };
        sum.add(Waits { rate: micros(600), back_off: micros(1), ..Waits::default() });
        assert_eq!(sum, Waits { rate: micros(1_200), back_off: micros(1), ..Waits::default() });
    }
}
