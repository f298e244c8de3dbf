//! What an undo comes to: how much goes back, and what doesn't and why. For people, and as JSON for programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use comfy_table::Cell;
use serde::Serialize;

use crate::domain::account::InputInfo;
use crate::domain::characters::{visible, visible_path};
use crate::domain::finding::Location;
use crate::domain::subject::Subject;
use crate::domain::way_back::{Obstacle, WayBack};

use super::example::Example;
use super::format::{counted, grouped};
use super::names::InputNames;
use super::table::{add, lines, number, plain_table, section, told};
use super::undo_files::beside;

/// The most reasons that are shown.
const MOST_REASONS: usize = 20;

/// What an undo comes to, counted while it is made.
#[derive(Debug, Default)]
pub struct UndoTally {
    /// Referrals of which all goes back, a part, and nothing.
    back: u64,
    in_part: u64,
    not_at_all: u64,
    fields_back: u64,
    stuck: BTreeMap<Obstacle, StuckGroup>,
}

/// The fields that stay for one reason.
#[derive(Debug)]
struct StuckGroup {
    fields: u64,
    first: Example,
}

/// The summary as JSON.
#[derive(Serialize)]
struct UndoSummary<'a> {
    version: u32,
    run: &'a str,
    command: &'static str,
    exit_code: u8,
    referrals: UndoReferrals,
    fields: UndoFields,
    reasons: BTreeMap<&'static str, u64>,
    files: Vec<UndoneFile>,
}

#[derive(Serialize)]
struct UndoReferrals {
    total: u64,
    back: u64,
    in_part: u64,
    not_at_all: u64,
}

#[derive(Serialize)]
struct UndoFields {
    total: u64,
    back: u64,
    cannot: u64,
}

#[derive(Serialize)]
struct UndoneFile {
    path: String,
    rows: u64,
}

impl UndoTally {
    /// Counts a referral that was touched.
    pub fn add(&mut self, back: &WayBack, subject: Option<&Subject>, place: Option<Location>) {
        let count = match (back.fields.is_empty(), back.stuck.is_empty()) {
            (_, true) => &mut self.back,
            (false, false) => &mut self.in_part,
            (true, false) => &mut self.not_at_all,
        };
        *count += 1;
        self.fields_back += back.fields.len() as u64;
        for stuck in &back.stuck {
            let first = || {
                let title = subject.and_then(Subject::title);
                let place = place.unwrap_or(Location { input: 0, line: 0, column: 0 });
                Example {
                    place,
                    message: format!("{}: {}", stuck.path, stuck.message),
                    id: Some(back.id),
                    title,
                }
            };
            let group = || StuckGroup { fields: 0, first: first() };
            self.stuck.entry(stuck.obstacle).or_insert_with(group).fields += 1;
        }
    }

    /// Returns the number of referrals that something can be taken back of.
    pub fn lines(&self) -> u64 {
        self.back + self.in_part
    }

    /// Returns the number of fields that can't be taken back.
    pub fn stuck(&self) -> u64 {
        self.stuck.values().map(|group| group.fields).sum()
    }

    /// Whether any field stays whose outcome isn't known.
    pub fn has_doubts(&self) -> bool {
        self.stuck.contains_key(&Obstacle::InDoubt)
    }

    /// Returns the summary as text of several lines.
    pub fn text(&self, run: &str, inputs: &[InputInfo], file: &Path) -> String {
        let stuck = self.stuck();
        let heading = match (self.lines(), stuck) {
            (0, 0) => "nothing was written, so there is nothing to take back".to_owned(),
            (_, 0) => "all of it can be taken back".to_owned(),
            (0, _) => "nothing of it can be taken back".to_owned(),
            _ => "some of it cannot be taken back".to_owned(),
        };
        let mut table = plain_table();
        let total = self.back + self.in_part + self.not_at_all;
        add(&mut table, "referrals", grouped(total), "written, or may have been");
        let counts = [("back", self.back), ("in part", self.in_part), ("not at all", self.not_at_all)];
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            add(&mut table, &format!("  {name}"), grouped(count), "");
        }
        add(&mut table, "fields", grouped(self.fields_back + stuck), "");
        for (name, count) in
            [("back", self.fields_back), ("stay", stuck)].into_iter().filter(|(_, count)| *count > 0)
        {
            add(&mut table, &format!("  {name}"), grouped(count), "");
        }
        let mut text = format!("undo {}: {heading}\n\n{}", visible(run), lines(&table));
        text.extend(self.reasons(inputs).map(|reasons| format!("\n{reasons}")));
        let mut files = plain_table();
        for (path, rows) in
            [(file.to_owned(), counted(self.lines(), "line")), (beside(file), counted(stuck, "row"))]
        {
            files.add_row([Cell::new(visible_path(&path)), Cell::new(rows)]);
        }
        text + "\nfiles\n" + &lines(&files)
    }

    /// Returns the table of what can't be taken back; `None` where all can.
    fn reasons(&self, inputs: &[InputInfo]) -> Option<String> {
        let names = InputNames::of(inputs);
        let mut table = plain_table();
        table.set_header(["fields", "reason", "first at", "first message"]);
        let mut groups: Vec<_> = self.stuck.iter().collect();
        groups.sort_by_key(|(obstacle, group)| (std::cmp::Reverse(group.fields), **obstacle));
        for (obstacle, group) in groups.iter().take(MOST_REASONS) {
            table.add_row([
                number(grouped(group.fields)),
                Cell::new(obstacle.code()),
                Cell::new(names.place(group.first.place)),
                Cell::new(told(&group.first)),
            ]);
        }
        section("what cannot be taken back", &table, groups.len(), "reason")
    }

    /// Returns the summary as one line of JSON. There is no `file` where none was written.
    pub fn json(&self, run: &str, exit_code: u8, file: Option<&Path>) -> String {
        let stuck = self.stuck();
        let files = |file: &Path| [(file.to_owned(), self.lines()), (beside(file), stuck)];
        let told =
            |(path, rows): (PathBuf, u64)| UndoneFile { path: path.to_string_lossy().into_owned(), rows };
        let summary = UndoSummary {
            version: 1,
            run,
            command: "undo",
            exit_code,
            referrals: UndoReferrals {
                total: self.back + self.in_part + self.not_at_all,
                back: self.back,
                in_part: self.in_part,
                not_at_all: self.not_at_all,
            },
            fields: UndoFields { total: self.fields_back + stuck, back: self.fields_back, cannot: stuck },
            reasons: self.stuck.iter().map(|(obstacle, group)| (obstacle.code(), group.fields)).collect(),
            files: file.into_iter().flat_map(files).map(told).collect(),
        };
        serde_json::to_string(&summary).expect("counts and names serialise") + "\n"
    }
}
