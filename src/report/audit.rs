//! The audit of a migration: the totals over all of its payloads.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::books::Imbalance;
use crate::domain::account::{InputInfo, RowAccount};
use crate::domain::audit::{Audit, Class};
use crate::domain::fields::{self, Resolved};
use crate::domain::pointer::Pointer;

/// The number of undocumented fields that are counted apart. Payloads may name any field, and must not be able
/// to fill the memory.
const MOST_UNKNOWN: usize = 100;

/// The longest name of such a field, in bytes.
const LONGEST_UNKNOWN: usize = 200;

/// The name under which all further fields are counted.
const OTHER_FIELDS: &str = "(other fields)";

/// The totals over a migration's payloads. They grow with the number of different fields, not of payloads.
#[derive(Debug, Clone, Default)]
pub struct Audits {
    classes: [u64; Class::ALL.len()],
    bytes: ByteCounts,
    changed: FieldTally,
    overwritten: FieldTally,
}

/// The section `audit` of `summary.json`, member by member as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AuditSummary {
    /// The number of payloads: the sum of all classes.
    pub payloads: u64,
    /// Payloads by class; all classes are there, in the order of reports.
    #[serde(serialize_with = "by_class")]
    #[schemars(with = "ClassCounts")]
    pub classes: [u64; Class::ALL.len()],
    /// The bytes of the PUTs, and of what replaces them.
    pub bytes: BytesSummary,
    /// The fields that the documents change, each with the number of documents, the most frequent first.
    pub changed: Vec<FieldCount>,
    /// The fields in which stale payloads would have overwritten a newer value, or may have.
    pub overwritten: Vec<FieldCount>,
}

/// Payloads by class, as they are written.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "the counts are written by a loop over all classes; this tells their form")]
struct ClassCounts {
    no_change: u64,
    safe: u64,
    stale: u64,
    closed: u64,
    not_expressible: u64,
    invalid: u64,
    not_compared: u64,
}

/// The bytes of payloads that a PATCH replaces, or that need no request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct BytesSummary {
    /// The number of these payloads.
    pub payloads: u64,
    /// The bytes of their bodies, each on one line.
    pub put: u64,
    /// The bytes of the documents that are sent instead.
    pub patch: u64,
    /// The share that need not be sent, from 0 to 1 with four decimals and never rounded up; `None` where
    /// nothing was PUT. It is negative where the documents are larger.
    pub saved: Option<f64>,
}

/// A field, and the number of payloads that it occurs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldCount {
    /// Its JSON Pointer; `(other fields)` for all that were not counted apart.
    pub field: String,
    /// The number of payloads.
    pub payloads: u64,
}

/// The sums behind a [`BytesSummary`].
#[derive(Debug, Clone, Copy, Default)]
struct ByteCounts {
    payloads: u64,
    put: u64,
    patch: u64,
}

/// The payloads of each field.
#[derive(Debug, Clone, Default)]
struct FieldTally {
    payloads: BTreeMap<Pointer, u64>,
    /// The number of undocumented fields among them.
    unknown: usize,
    /// The payloads counted under [`OTHER_FIELDS`].
    other: u64,
}

impl Audits {
    /// Adds the next payload of the run.
    pub fn add(&mut self, row: &RowAccount) {
        let Some(audit) = &row.audit else { return };
        self.classes[audit.class as usize] += 1;
        if audit.is_replaced() {
            self.bytes.payloads += 1;
            self.bytes.put += audit.put_bytes;
            self.bytes.patch += audit.patch_bytes;
        }
        audit.changed.iter().for_each(|field| self.changed.count(field));
        audit.overwritten.iter().for_each(|field| self.overwritten.count(field));
    }

    /// Checks that every payload of the inputs is in exactly one class.
    ///
    /// # Errors
    /// Where the numbers differ. A run with an imbalance ends with exit code 5.
    pub fn balance(&self, inputs: &[InputInfo]) -> Result<(), Imbalance> {
        // Of a damaged run no sum need be a number.
        let rows = inputs.iter().map(|input| input.rows).fold(0, u64::saturating_add);
        let audited = self.total();
        if rows == audited { Ok(()) } else { Err(Imbalance::Audit { rows, audited }) }
    }

    fn total(&self) -> u64 {
        self.classes.iter().sum()
    }
}

impl FieldTally {
    fn count(&mut self, field: &Pointer) {
        if let Some(payloads) = self.payloads.get_mut(field) {
            *payloads += 1;
            return;
        }
        let is_unknown = !is_known(field);
        if is_unknown && (self.unknown == MOST_UNKNOWN || field.as_str().len() > LONGEST_UNKNOWN) {
            self.other += 1;
            return;
        }
        self.unknown += usize::from(is_unknown);
        self.payloads.insert(field.clone(), 1);
    }

    fn listed(&self) -> Vec<FieldCount> {
        let count = |field: &str, payloads| FieldCount { field: field.to_owned(), payloads };
        let mut listed: Vec<FieldCount> =
            self.payloads.iter().map(|(field, payloads)| count(field.as_str(), *payloads)).collect();
        listed.sort_by_key(|field| Reverse(field.payloads));
        listed.extend((self.other > 0).then(|| count(OTHER_FIELDS, self.other)));
        listed
    }
}

/// Returns whether a source knows a field.
fn is_known(field: &Pointer) -> bool {
    matches!(fields::resolve(field), Resolved::Field(_)) || fields::unconfirmed_kind(field.as_str()).is_some()
}

impl From<&Audits> for AuditSummary {
    fn from(audits: &Audits) -> Self {
        Self {
            payloads: audits.total(),
            classes: audits.classes,
            bytes: audits.bytes.into(),
            changed: audits.changed.listed(),
            overwritten: audits.overwritten.listed(),
        }
    }
}

impl From<ByteCounts> for BytesSummary {
    fn from(ByteCounts { payloads, put, patch }: ByteCounts) -> Self {
        let share = || {
            let (put, patch) = (i128::from(put), i128::from(patch));
            i32::try_from((10_000 * (put - patch)).checked_div_euclid(put)?).ok()
        };
        Self { payloads, put, patch, saved: share().map(|share| f64::from(share) / 10_000.0) }
    }
}

fn by_class<S: Serializer>(classes: &[u64; Class::ALL.len()], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(Class::ALL.into_iter().zip(classes))
}

/// What a line of `plan.jsonl` holds of the audit of one payload. The changed fields are left out, since the
/// line lists the changes.
#[derive(Serialize, JsonSchema)]
pub(super) struct PayloadAudit<'a> {
    /// The class of the payload.
    class: Class,
    /// The bytes of its body, on one line.
    put_bytes: u64,
    /// The bytes of the document that is sent instead.
    patch_bytes: u64,
    /// The fields in which it would have overwritten a newer value, or may have.
    overwritten: &'a [Pointer],
}

impl<'a> From<&'a Audit> for PayloadAudit<'a> {
    fn from(Audit { class, put_bytes, patch_bytes, overwritten, .. }: &'a Audit) -> Self {
        Self { class: *class, put_bytes: *put_bytes, patch_bytes: *patch_bytes, overwritten }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{jsonl_input, row};
    use super::*;
    use crate::domain::outcome::Outcome;

    fn pointers(names: &[&str]) -> Vec<Pointer> {
        names.iter().map(|name| Pointer::parse(name).unwrap()).collect()
    }

    fn audit(
        class: Class,
        put_bytes: u64,
        patch_bytes: u64,
        changed: &[&str],
        overwritten: &[&str],
    ) -> Audit {
        let (changed, overwritten) = (pointers(changed), pointers(overwritten));
        Audit { class, put_bytes, patch_bytes, changed, overwritten }
    }

    fn audits(payloads: impl IntoIterator<Item = Option<Audit>>) -> Audits {
        let mut audits = Audits::default();
        for (audit, ordinal) in payloads.into_iter().zip(1..) {
            audits.add(&RowAccount { audit, ..row(ordinal, 0, Outcome::Planned) });
        }
        audits
    }

    fn summary(payloads: &[Audit]) -> AuditSummary {
        (&audits(payloads.iter().cloned().map(Some))).into()
    }

    fn told(fields: &[FieldCount]) -> Vec<(&str, u64)> {
        fields.iter().map(|field| (field.field.as_str(), field.payloads)).collect()
    }

    #[test]
    fn payloads_of_every_class() {
        const NOTES: &str = "/details/notes";
        let summary = summary(&[
            audit(Class::NoChange, 1_000, 0, &[], &[]),
            audit(Class::Safe, 2_000, 60, &[NOTES], &[]),
            audit(Class::Safe, 2_000, 90, &[NOTES, "/team"], &[]),
            audit(Class::Stale, 4_000, 0, &[], &[NOTES, "/name"]),
            audit(Class::Stale, 4_000, 51, &["/team"], &["/team", "/name"]),
            audit(Class::Closed, 8_000, 0, &[], &["/status"]),
            audit(Class::NotExpressible, 16_000, 0, &[], &[]),
            audit(Class::Invalid, 32_000, 0, &[], &[]),
            Audit::uncompared(Class::Invalid),
            Audit::uncompared(Class::NotCompared),
        ]);
        assert_eq!((summary.payloads, summary.classes), (10, [1, 2, 2, 1, 1, 2, 1]));
        // What is replaced: the payload without a change, and the three that have a document.
        let bytes = BytesSummary { payloads: 4, put: 9_000, patch: 201, saved: Some(0.9776) };
        assert_eq!(summary.bytes, bytes);
        assert_eq!(told(&summary.changed), [("/details/notes", 2), ("/team", 2)]);
        assert_eq!(
            told(&summary.overwritten),
            [("/name", 2), ("/details/notes", 1), ("/status", 1), ("/team", 1)]
        );
    }

    #[test]
    fn the_share_that_is_saved_is_never_rounded_up() {
        for (put, patch, wanted) in [
            (0, 0, None),
            (0, 7, None),
            (3, 0, Some(1.0)),
            (3, 1, Some(0.6666)),
            (1_000_000, 1, Some(0.9999)),
            (100, 100, Some(0.0)),
            (3, 4, Some(-0.3334)),
            (u64::MAX, 1, Some(0.9999)),
        ] {
            let bytes = BytesSummary::from(ByteCounts { payloads: 1, put, patch });
            assert_eq!(bytes.saved, wanted, "{patch} for {put}");
        }
    }

    #[test]
    fn payloads_that_invent_fields_cannot_fill_the_memory() {
        let names = (0..1_000).map(|at| format!("/invented{at}"));
        let long = format!("/{}", "x".repeat(LONGEST_UNKNOWN));
        let names: Vec<String> = names.chain([long.clone(), long]).collect();
        let mut payloads: Vec<Audit> =
            names.iter().map(|name| audit(Class::Stale, 1, 0, &[], &[name, "/invented7"])).collect();
        payloads.push(audit(Class::Stale, 1, 0, &[], &["/details/notes", "/name", "/invented7"]));
        let summary = summary(&payloads);
        let overwritten = told(&summary.overwritten);
        // Those that a source knows keep their names whenever they come.
        assert_eq!(overwritten.len(), MOST_UNKNOWN + 3);
        assert_eq!(overwritten[0], ("/invented7", 1_004));
        assert!(overwritten.contains(&("/details/notes", 1)) && overwritten.contains(&("/name", 1)));
        assert_eq!(*overwritten.last().unwrap(), (OTHER_FIELDS, 902));
    }

    #[test]
    fn a_payload_of_no_class_is_an_imbalance() {
        let class = || Some(Audit::uncompared(Class::Invalid));
        let two = [jsonl_input("a.jsonl", 1), jsonl_input("b.jsonl", 1)];
        for (payloads, audited) in [
            (vec![class(), class()], None),
            (vec![class(), None], Some(1)),
            (vec![class()], Some(1)),
            (vec![class(), class(), class()], Some(3)),
            (vec![], Some(0)),
        ] {
            let wanted = audited.map_or(Ok(()), |audited| Err(Imbalance::Audit { rows: 2, audited }));
            assert_eq!(audits(payloads).balance(&two), wanted);
        }
        assert_eq!(Audits::default().balance(&[]), Ok(()));
        let too_many = [jsonl_input("a.jsonl", u64::MAX), jsonl_input("b.jsonl", 2)];
        let wanted = Err(Imbalance::Audit { rows: u64::MAX, audited: 1 });
        assert_eq!(audits(vec![class()]).balance(&too_many), wanted);
    }

    /// Any audit, of fields that may be known.
    fn any_audit() -> impl Strategy<Value = Audit> {
        let field = || prop::sample::select(vec!["/details/notes", "/team", "/name", "/x", "/y/z"]);
        let fields = || prop::collection::btree_set(field(), 0..4);
        (0..Class::ALL.len(), any::<u32>(), any::<u16>(), fields(), fields()).prop_map(
            |(class, put, patch, changed, overwritten)| {
                let [changed, overwritten] =
                    [changed, overwritten].map(|fields| fields.into_iter().collect::<Vec<_>>());
                audit(Class::ALL[class], put.into(), patch.into(), &changed, &overwritten)
            },
        )
    }

    proptest! {
        #[test]
        fn the_classes_add_up_whatever_comes(payloads in prop::collection::vec(any_audit(), 0..40)) {
            let summary = summary(&payloads);
            prop_assert_eq!(summary.payloads, payloads.len() as u64);
            prop_assert_eq!(summary.classes.iter().sum::<u64>(), summary.payloads);
            for (fields, of) in [
                (&summary.changed, (|audit| &audit.changed) as fn(&Audit) -> &Vec<Pointer>),
                (&summary.overwritten, |audit| &audit.overwritten),
            ] {
                let all = payloads.iter().map(|audit| of(audit).len() as u64).sum::<u64>();
                prop_assert_eq!(fields.iter().map(|field| field.payloads).sum::<u64>(), all);
                prop_assert!(fields.is_sorted_by_key(|field| Reverse(field.payloads)));
            }
            let written = serde_json::to_value(&summary).unwrap();
            prop_assert_eq!(written["classes"].as_object().unwrap().len(), Class::ALL.len());
        }
    }
}
