//! A legacy PUT payload: a referral as a whole, as an integration would have written it.

use super::change::Placed;
use super::finding::Place;
use super::referral::{ETag, ReferralId};

/// One payload, read and not yet compared with anything.
#[derive(Debug, Clone)]
pub struct Payload {
    /// The referral that it was written for.
    pub id: ReferralId,
    /// Where it begins.
    pub place: Place,
    /// The version that it was made from.
    pub etag: Option<Placed<ETag>>,
    /// The referral as a JSON object: member names in camelCase, status and substatus as words, no
    /// name twice in one object, and everything else as it was written.
    pub body: Box<str>,
}
