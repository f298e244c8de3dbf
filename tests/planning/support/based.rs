//! Plans the changes of a file against its base, as the program does: through the readers of both, and the planner.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use referral_bulk::domain::fields;
use referral_bulk::domain::level::Level;
use referral_bulk::domain::referral::ReferralId;
use referral_bulk::domain::rules::{Levels, Rule};
use referral_bulk::domain::snapshot::Snapshot;
use referral_bulk::input::{self, BaseRow, BaseRows, ColumnNumbers, Options, ReadAs};
use referral_bulk::plan::{Judging, Planned, Planner};

use super::referrals::ID;

/// The rows of a base in memory, as the texts that they are kept as.
#[derive(Debug)]
struct Known {
    rows: HashMap<ReferralId, String>,
    columns: Arc<ColumnNumbers>,
    lacks: Mutex<Vec<String>>,
}

impl BaseRows for Known {
    fn row(&self, id: ReferralId) -> Option<BaseRow> {
        self.rows.get(&id).map(|text| BaseRow::restored(text, &self.columns).unwrap())
    }

    fn lacks(&self, path: &fields::Path) {
        self.lacks.lock().unwrap().push(path.pointer().to_string());
    }
}

/// What a file against its base comes to.
pub struct Compared {
    pub planned: Planned,
    /// Whether that was known before the referral was read.
    pub without_a_look: bool,
    /// The rules by which a row is warned of, or denied, as it is read.
    pub rules: Vec<Rule>,
    /// The number of values that are as in the base.
    pub as_in_base: u64,
    /// The fields that the base lacks.
    pub lacks: Vec<String>,
}

/// A file by its name, which tells its form, and its text.
pub type File<'a> = (&'a str, &'a str);

/// Plans a file with one row against its base, from a referral as it stands. Every rule that can be softened is at
/// `warn`.
pub fn compare(folder: &Path, base: File<'_>, file: File<'_>, current: &str) -> Compared {
    let mut levels = Levels::default();
    for rule in Rule::all().filter(|rule| !rule.is_fixed()) {
        levels.set(rule, Level::Warn).unwrap();
    }
    let options = Options { clear: true, levels: levels.clone(), ..Options::default() };
    let path = |(name, text): File<'_>| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let mut rows = HashMap::new();
    let read = input::read_base(&path(base), &options, &mut |id, row| {
        rows.insert(id, row.kept());
        Ok::<_, std::convert::Infallible>(true)
    });
    let columns = read.unwrap().unwrap().columns;
    let columns = Arc::new(columns.into_iter().enumerate().map(|(at, name)| (name, at)).collect());
    let known = Arc::new(Known { rows, columns, lacks: Mutex::default() });
    let options = Options { read_as: ReadAs::ChangesOf(known.clone()), ..options };

    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    let inputs = vec![file.0.to_owned()];
    let mut planner = Planner::new(Judging { levels, now, new_id: uuid::Uuid::nil, inputs });
    planner.leave_what_asks_for_nothing(true);
    let (mut rules, mut as_in_base) = (Vec::new(), 0);
    let read = input::read::<()>(path(file).to_str().unwrap(), None, 0, &options, &mut |record| {
        as_in_base += record.as_in_base;
        rules.extend(record.notes.iter().map(|finding| finding.rule));
        match record.parsed {
            Ok(draft) => drop(planner.add(1, draft).unwrap()),
            Err(rejected) => {
                rules.extend(rejected.findings.iter().map(|finding| finding.rule));
                planner.add_rejected(1, rejected).unwrap();
            }
        }
        Ok(())
    });
    read.unwrap();
    let decided = planner.decided().unwrap().pop();
    let without_a_look = decided.is_some();
    let current = Snapshot::whole(current).unwrap();
    let planned =
        decided.or_else(|| planner.plan(ID.parse().unwrap(), Some(&current), |_| false).unwrap()).unwrap();
    let lacks = known.lacks.lock().unwrap().clone();
    Compared { planned, without_a_look, rules, as_in_base, lacks }
}
