//! The one list of the files that reports are in. A report that is added is added here.

use std::path::Path;

use super::atomic_file::{ReportError, remove_stale};
use super::edited::Kept;
use super::row_file::{name, stem};
use super::shelf::Shelf;
use super::written::Forms;
use super::{manifest, outcomes, plan};
use crate::domain::account::{Format, InputInfo};
use crate::domain::outcome::Bucket;

/// The row files that always exist, also when no row is in them.
pub(super) const ALWAYS: [Bucket; 3] = [Bucket::Success, Bucket::Conflict, Bucket::Error];

/// The forms of row files.
const ROW_FORMS: [&str; 2] = ["csv", "jsonl"];

/// A report that every run has once.
struct Single {
    name: &'static str,
    /// Whether it stays true once the run is sent.
    outlives_sending: bool,
}

/// The reports that every run has once, in the order in which they are told. The summary comes last: it tells of
/// all others.
const SINGLES: [Single; 3] = [
    Single { name: outcomes::NAME, outlives_sending: false },
    Single { name: plan::NAME, outlives_sending: true },
    Single { name: manifest::NAME, outlives_sending: false },
];

/// The names of the reports that a run of these inputs has. `pending` says in which form there are pending rows.
pub fn report_files(inputs: &[InputInfo], pending: Forms) -> Vec<String> {
    let is_csv = |input: &InputInfo| input.format == Format::Csv;
    let has_csv = inputs.is_empty() || inputs.iter().any(is_csv);
    let has_jsonl = !inputs.iter().all(is_csv);
    let forms = [(has_csv, pending.csv, "csv"), (has_jsonl, pending.jsonl, "jsonl")];
    let names = |(has_rows, has_pending, extension): (bool, bool, &'static str)| {
        let buckets =
            ALWAYS.into_iter().filter(move |_| has_rows).chain(has_pending.then_some(Bucket::Pending));
        buckets.map(move |bucket| name(bucket, extension))
    };
    let rows = forms.into_iter().flat_map(names);
    rows.chain(SINGLES.map(|single| single.name.to_owned())).collect()
}

/// Whether a file has the name of a report, in whatever form, by which it would be replaced in a run's directory.
pub fn is_report(file: &Path) -> bool {
    let [stem_of, extension] =
        [file.file_stem(), file.extension()].map(|part| part.and_then(|part| part.to_str()));
    let rows = Bucket::ALL.map(stem);
    let singles = SINGLES.map(|single| single.name.split('.').next().unwrap_or_default());
    let is_known = stem_of.is_some_and(|stem| rows.contains(&stem) || singles.contains(&stem));
    is_known && matches!(extension, Some("csv" | "json" | "jsonl"))
}

/// Takes away the reports of how a run stood before it is sent, but for its plan, which stays true: should the
/// process come to no other, nobody reads in them that nothing was sent. What may be somebody's work is kept.
///
/// # Errors
/// Where one can't be taken away. A directory in the place of one is no report.
pub fn take_away(shelf: &Shelf) -> Result<Vec<Kept>, ReportError> {
    // What the summary tells of the plan is left in its place.
    for file in shelf.earlier().files() {
        let path = shelf.dir().join(manifest::NAME);
        shelf.note(&file.path, &file.sha256).map_err(|source| ReportError::Write { path, source })?;
    }
    let rows = ROW_FORMS.into_iter().flat_map(|extension| {
        ALWAYS.into_iter().chain([Bucket::Pending]).map(move |bucket| name(bucket, extension))
    });
    let stale = SINGLES.into_iter().filter(|single| !single.outlives_sending);
    let mut kept = Vec::new();
    // The summary last: it tells what may be somebody's work.
    for name in rows.chain(stale.map(|single| single.name.to_owned())) {
        if !shelf.dir().join(&name).is_dir() {
            kept.extend(remove_stale(shelf, &name)?);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_known_by_its_name() {
        for (name, wanted) in [
            ("success.csv", true),
            ("pending.jsonl", true),
            ("plan.jsonl", true),
            ("plan.csv", true),
            ("summary.json", true),
            ("outcomes.jsonl", true),
            ("error.txt", false),
            ("error.edited-1.csv", false),
            ("changes.csv", false),
            ("success", false),
        ] {
            assert_eq!(is_report(Path::new("r").join(name).as_path()), wanted, "{name}");
        }
    }

    #[test]
    fn the_summary_comes_last() {
        assert_eq!(
            report_files(&[], Forms { csv: false, jsonl: true }),
            [
                "success.csv",
                "conflict.csv",
                "error.csv",
                "pending.jsonl",
                "outcomes.jsonl",
                "plan.jsonl",
                "summary.json"
            ]
        );
    }
}
