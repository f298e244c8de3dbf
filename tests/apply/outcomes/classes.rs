//! What rows can come to: one class for each way.

pub const COLUMNS: [&str; 11] = [
    "id",
    "eTag",
    "status",
    "substatus",
    "statusReason",
    "dealValue",
    "currency",
    "closingDateTime",
    "salesStage",
    "details.notes",
    "team.add",
];

/// What a row says, by column; `{n}` is its referral's number.
pub type Cells = &'static [(&'static str, &'static str)];

/// How a referral ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// As it was.
    Before,
    /// As its rows want it.
    Ours,
    /// As somebody else wrote it.
    Theirs,
    /// There is none.
    Nowhere,
}

/// Referrals that are alike, what rows want of them, and what becomes of that.
pub struct Class {
    pub count: usize,
    pub stands: (&'static str, &'static str),
    /// Members that the referral has instead of the usual ones; `null` for an absent one is `"-"`.
    pub with: &'static [(&'static str, &'static str)],
    pub rows: &'static [Cells],
    pub faults: &'static [&'static str],
    /// `OUTCOME CODE STATUS`, of every row or of each; `-` is no status.
    pub wanted: &'static [&'static str],
    pub end: End,
    pub patches: usize,
    pub gets: usize,
}

pub const ACTIVE: (&str, &str) = ("Active", "Accepted");
pub const RECEIVED: (&str, &str) = ("New", "Received");
pub const PENDING: (&str, &str) = ("New", "Pending");
pub const LOST: (&str, &str) = ("Closed", "Lost");

pub const MEMBER: &str = "Ann, Lee, +49 30 1, ann@example.com";
pub const NOTES: Cells = &[("details.notes", "Called {n} again; \"yes\", she said – grüß Gott")];

pub const APPLIED: Class = Class {
    count: 0,
    stands: ACTIVE,
    with: &[],
    rows: &[NOTES],
    faults: &[],
    wanted: &["applied applied 200"],
    end: End::Ours,
    patches: 1,
    gets: 0,
};
pub const NOT_SENT: Class = Class { end: End::Before, patches: 0, ..APPLIED };
pub const REFUSED: Class = Class { end: End::Before, ..APPLIED };

pub const CLASSES: [Class; 41] = [
    Class { count: 42, ..APPLIED },
    Class {
        count: 30,
        rows: &[&[
            ("status", "Closed"),
            ("substatus", "Won"),
            ("dealValue", "125{n}.5"),
            ("currency", "USD"),
            ("closingDateTime", "2031-03-31T00:00:00Z"),
        ]],
        ..APPLIED
    },
    Class { count: 15, rows: &[&[("substatus", "Lost"), ("statusReason", "Lost, on price")]], ..APPLIED },
    Class {
        count: 10,
        stands: RECEIVED,
        rows: &[&[("substatus", "Declined"), ("statusReason", "-5 is no budget")]],
        ..APPLIED
    },
    Class { count: 25, stands: RECEIVED, rows: &[&[("status", "Active")]], ..APPLIED },
    Class { count: 5, stands: PENDING, rows: &[&[("substatus", "Received")]], ..APPLIED },
    Class { count: 5, stands: LOST, ..APPLIED },
    Class { count: 10, rows: &[&[("team.add", MEMBER)]], ..APPLIED },
    Class {
        count: 5,
        rows: &[&[(
            "team.add",
            "Zoë, Ørsted, +1 555 0141, ZOE@partner.example.com; Bo, Ek, , bo@example.org",
        )]],
        ..APPLIED
    },
    Class { count: 5, with: &[("team", "-")], rows: &[&[("team.add", MEMBER)]], gets: 1, ..APPLIED },
    Class { count: 5, with: &[("team", "null")], rows: &[&[("team.add", MEMBER)]], gets: 1, ..APPLIED },
    Class {
        count: 3,
        with: &[("details", "-")],
        rows: &[&[("dealValue", "0.10"), ("details.notes", "New")]],
        gets: 1,
        ..APPLIED
    },
    Class { count: 3, with: &[("details", "null")], gets: 1, ..APPLIED },
    Class { count: 6, rows: &[NOTES, &[("substatus", "Won"), ("salesStage", "Close")]], ..APPLIED },
    Class { count: 8, rows: &[&[("eTag", "\"seed-{n}\""), ("salesStage", "Develop")]], ..APPLIED },
    Class { count: 3, faults: &["patch=500"], patches: 2, gets: 1, ..APPLIED },
    Class { count: 3, faults: &["patch=hang+applied"], gets: 1, ..APPLIED },
    Class { count: 2, faults: &["patch=cut"], patches: 2, gets: 1, ..APPLIED },
    Class { count: 2, faults: &["patch=429:1"], patches: 2, ..APPLIED },
    // Unchanged.
    Class {
        count: 20,
        rows: &[&[("status", "Active"), ("dealValue", "{value}.00"), ("details.notes", "Note {n}")]],
        wanted: &["unchanged unchanged -"],
        ..NOT_SENT
    },
    Class {
        count: 5,
        stands: LOST,
        rows: &[&[("status", "closed"), ("substatus", "Lost")]],
        wanted: &["unchanged unchanged -"],
        ..NOT_SENT
    },
    // Conflict.
    Class {
        count: 10,
        rows: &[&[("eTag", "\"older\""), ("salesStage", "Develop"), ("details.notes", "Ours")]],
        wanted: &["conflict stale-etag -"],
        ..NOT_SENT
    },
    Class {
        count: 10,
        rows: &[&[("salesStage", "Develop"), ("details.notes", "Ours")]],
        faults: &["patch=edited"],
        wanted: &["conflict resourceModified 412"],
        end: End::Theirs,
        gets: 1,
        ..APPLIED
    },
    // Invalid.
    Class { count: 6, rows: &[&[("dealValue", "12,x")]], wanted: &["invalid type -"], ..NOT_SENT },
    Class {
        count: 5,
        rows: &[&[("status", "Active"), ("substatus", "Won")]],
        wanted: &["invalid substatus-pair -"],
        ..NOT_SENT
    },
    Class {
        count: 4,
        rows: &[&[("salesStage", "Develop")], &[("salesStage", "Propose")]],
        wanted: &["invalid contradiction -"],
        ..NOT_SENT
    },
    Class {
        count: 3,
        rows: &[&[("id", "R-{n}"), ("salesStage", "Develop")]],
        wanted: &["invalid id -"],
        ..NOT_SENT
    },
    Class { count: 3, rows: &[&[("currency", "EURO")]], wanted: &["invalid type -"], ..NOT_SENT },
    Class {
        count: 3,
        rows: &[&[("salesStage", "Develop")], &[("dealValue", "much")]],
        wanted: &["invalid held -", "invalid type -"],
        ..NOT_SENT
    },
    // Refused.
    Class { count: 5, wanted: &["refused ReferralNotFound 404"], end: End::Nowhere, gets: 1, ..NOT_SENT },
    Class { count: 6, faults: &["patch=403"], wanted: &["refused Forbidden 403"], ..REFUSED },
    Class {
        count: 6,
        stands: LOST,
        rows: &[&[("status", "Active")]],
        wanted: &["refused TransitionNotAllowed 400"],
        ..REFUSED
    },
    // Failed.
    Class {
        count: 4,
        faults: &["patch#1-5=423"],
        wanted: &["failed ResourceLocked 423"],
        patches: 5,
        ..REFUSED
    },
    Class {
        count: 3,
        faults: &["patch#*=500"],
        wanted: &["failed gave-up 500"],
        patches: 5,
        gets: 9,
        ..REFUSED
    },
    // Unknown.
    Class {
        count: 3,
        faults: &["patch=hang+applied", "get#*=500"],
        wanted: &["unknown in-doubt 500"],
        gets: 5,
        ..APPLIED
    },
    Class {
        count: 2,
        faults: &["patch=cut+applied", "get#*=503"],
        wanted: &["unknown in-doubt 503"],
        gets: 5,
        ..APPLIED
    },
    Class {
        count: 2,
        faults: &["patch=504", "get#*=garbage"],
        wanted: &["unknown in-doubt -"],
        gets: 5,
        ..REFUSED
    },
    // Referrals that no row is about.
    Class { count: 11, rows: &[], ..NOT_SENT },
    Class { count: 7, stands: RECEIVED, rows: &[], ..NOT_SENT },
    Class { count: 3, stands: PENDING, rows: &[], ..NOT_SENT },
    Class { count: 4, stands: LOST, rows: &[], ..NOT_SENT },
];
