//! The one list of report files. A new report is added here.

use std::fs;
use std::path::Path;

use super::atomic_file::{ReportError, remove_stale};
use super::edited::{Aside, Kept};
use super::row_file::{name, stem};
use super::shelf::Shelf;
use super::written::Forms;
use super::{html, manifest, outcomes, plan, plan_table, portal, verified};
use crate::domain::account::InputInfo;
use crate::domain::format::Format;
use crate::domain::outcome::Bucket;

/// The row files that always exist, even without rows.
pub(super) const ALWAYS: [Bucket; 3] = [Bucket::Success, Bucket::Conflict, Bucket::Error];

/// The extensions of row files, by format.
pub(super) const ROW_FORMS: [&str; 3] = ["csv", "xlsx", "jsonl"];

/// The formats in which a run has row files.
pub(super) struct Extensions {
    pub(super) csv: bool,
    pub(super) xlsx: bool,
    pub(super) jsonl: bool,
}

impl Extensions {
    /// Returns the formats for the inputs of a run: a table's own, and JSON lines for all that is JSON. A run
    /// without inputs gets CSV files.
    pub(super) fn of(inputs: &[InputInfo]) -> Self {
        let has = |format: Format| inputs.iter().any(|input| input.format == format);
        Self {
            csv: inputs.is_empty() || has(Format::Csv) || has(Format::PortalCsv),
            xlsx: has(Format::Xlsx),
            jsonl: has(Format::Jsonl) || has(Format::Json) || has(Format::Http),
        }
    }
}

/// A report that every run has once.
struct Single {
    name: &'static str,
    /// Whether it stays true when something is sent.
    outlives_sending: bool,
}

/// The reports that every run has once, in the order in which they are listed. The summary comes last, since it
/// lists all others.
const SINGLES: [Single; 5] = [
    Single { name: outcomes::NAME, outlives_sending: false },
    Single { name: plan::NAME, outlives_sending: true },
    Single { name: plan_table::NAME, outlives_sending: true },
    Single { name: html::NAME, outlives_sending: false },
    Single { name: manifest::NAME, outlives_sending: false },
];

/// Returns the names of the reports that a run of these inputs has. `pending` says in which formats there are
/// pending rows, and `is_verified` whether it was verified.
pub fn report_files(inputs: &[InputInfo], pending: Forms, is_verified: bool) -> Vec<String> {
    let has = Extensions::of(inputs);
    let forms = [
        (has.csv, pending.csv, "csv"),
        (has.xlsx, pending.xlsx, "xlsx"),
        (has.jsonl, pending.jsonl, "jsonl"),
    ];
    let names = |(has_rows, has_pending, extension): (bool, bool, &'static str)| {
        let buckets =
            ALWAYS.into_iter().filter(move |_| has_rows).chain(has_pending.then_some(Bucket::Pending));
        buckets.map(move |bucket| name(bucket, extension))
    };
    let rows = forms.into_iter().flat_map(names);
    let verified = verified::NAMES.into_iter().filter(|_| is_verified).map(str::to_owned);
    rows.chain(verified).chain(SINGLES.map(|single| single.name.to_owned())).collect()
}

/// Returns whether a file has the name of a report, in any format, and so could be replaced by one in a run's
/// directory.
pub fn is_report(file: &Path) -> bool {
    let [stem_of, extension] =
        [file.file_stem(), file.extension()].map(|part| part.and_then(|part| part.to_str()));
    if file.file_name().and_then(|name| name.to_str()).is_some_and(portal::is_one) {
        return true;
    }
    if file.file_name().is_some_and(|name| verified::NAMES.iter().any(|verified| name == *verified)) {
        return true;
    }
    if file.file_name().is_some_and(|name| name == html::NAME) {
        return true;
    }
    let rows = Bucket::ALL.map(stem);
    let singles = SINGLES.map(|single| single.name);
    let singles = singles.iter().filter(|name| **name != html::NAME);
    let singles: Vec<&str> = singles.map(|name| name.split('.').next().unwrap_or_default()).collect();
    let is_known = stem_of.is_some_and(|stem| rows.contains(&stem) || singles.contains(&stem));
    is_known && matches!(extension, Some("csv" | "xlsx" | "json" | "jsonl"))
}

/// Removes the reports of a run before anything is sent, apart from its plan, which stays true. If the process
/// dies before it writes others, no user reads in them that nothing was sent. A report that may have been
/// edited is moved aside, and returned. So is every large one: whether it may have been edited is to be found out.
///
/// # Errors
/// Where one can't be removed. A directory of such a name is no report.
pub fn take_away(shelf: &Shelf) -> Result<TakenAway, ReportError> {
    // The record takes over the checksums of the summary, so that the plan, which stays, is still known as a report.
    for file in shelf.earlier().files() {
        let path = shelf.dir().join(manifest::NAME);
        shelf.record(&file.path, &file.sha256).map_err(|source| ReportError::Write { path, source })?;
    }
    let rows = ROW_FORMS.into_iter().flat_map(|extension| {
        ALWAYS.into_iter().chain([Bucket::Pending]).map(move |bucket| name(bucket, extension))
    });
    let stale = SINGLES.into_iter().filter(|single| !single.outlives_sending);
    let (mut kept, mut aside) = (Vec::new(), None);
    // The summary goes last: by its checksums edited reports are recognised.
    let rows = rows.chain(portal::names_in(shelf)?).chain(verified::NAMES.map(str::to_owned));
    for name in rows.chain(stale.map(|single| single.name.to_owned())) {
        let path = shelf.dir().join(&name);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() && found.len() > LARGE => {
                let aside = aside.get_or_insert_with(|| Aside::begin(shelf.earlier()));
                aside.add(&path).map_err(|source| ReportError::Write { path, source })?;
            }
            _ if path.is_dir() => {}
            _ => kept.extend(remove_stale(shelf, &name)?),
        }
    }
    Ok(TakenAway { kept, aside })
}

/// What became of reports that were taken away.
#[derive(Debug)]
pub struct TakenAway {
    /// Those that may have been edited, and were moved aside.
    pub kept: Vec<Kept>,
    /// The large ones, of which that is to be found out.
    pub aside: Option<Aside>,
}

/// The size of a report in bytes from which on it is not read before something is sent.
const LARGE: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_known_by_its_name() {
        for (name, wanted) in [
            ("success.csv", true),
            ("pending.jsonl", true),
            ("error.xlsx", true),
            ("plan.jsonl", true),
            ("plan.csv", true),
            ("summary.json", true),
            ("outcomes.jsonl", true),
            ("verify.jsonl", true),
            ("verify.csv", true),
            ("report.html", true),
            ("report.csv", false),
            ("error.html", false),
            ("verify.xlsx", false),
            ("error.txt", false),
            ("error.edited-1.csv", false),
            ("error.portal-1.csv", true),
            ("error.portal-12.csv", true),
            ("error.portal-.csv", false),
            ("error.portal-1.edited-1.csv", false),
            ("changes.csv", false),
            ("success", false),
        ] {
            assert_eq!(is_report(Path::new("r").join(name).as_path()), wanted, "{name}");
        }
    }

    #[test]
    fn the_summary_comes_last() {
        assert_eq!(
            report_files(&[], Forms { jsonl: true, ..Forms::default() }, true),
            [
                "success.csv",
                "conflict.csv",
                "error.csv",
                "pending.jsonl",
                "verify.jsonl",
                "verify.csv",
                "outcomes.jsonl",
                "plan.jsonl",
                "plan.csv",
                "report.html",
                "summary.json"
            ]
        );
    }
}
