//! The conflicts of a run: what a row was made from, what it wants and what is there now, side by side.

use askama::Template;

use super::data::name;
use super::facts::PageFacts;
use super::kind::Kind;
use super::sides::{Seen, Sides, is_of_plan};
use super::texts::Texts;
use crate::domain::account::{FullRow, RowAccount};
use crate::domain::fields;
use crate::domain::finding::Location;
use crate::domain::item::Change;
use crate::domain::json::Object;
use crate::domain::outcome::Outcome;
use crate::report::change_text::NoValue;
use crate::report::format::{counted, grouped};
use crate::report::names::InputNames;

/// The conflicts that are told field by field.
const MOST_TOLD: usize = 10;

/// The fields of one that are told.
const MOST_FIELDS: usize = 20;

/// The conflicts of a run: their number, and the first of them.
#[derive(Debug, Clone)]
pub(super) struct Conflicts {
    texts: Texts,
    /// What it means that the plan has no value from before.
    no_value: NoValue,
    rows: u64,
    told: Vec<Conflict>,
    /// Whether planning found some, and sending others.
    in_plan: bool,
    in_sending: bool,
}

/// A referral in conflict.
#[derive(Debug, Clone)]
struct Conflict {
    item: Option<u64>,
    place: Location,
    id: String,
    name: String,
    code: String,
    message: String,
    fields: Vec<FieldSides>,
    /// The number of fields that aren't told, in words; empty where all are.
    others: String,
}

/// The three sides of one field.
#[derive(Debug, Clone)]
struct FieldSides {
    pointer: String,
    base: Side,
    ours: Side,
    theirs: Side,
    moved: bool,
}

/// The value of a field at one side.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Side {
    NotSeen,
    Empty,
    Value(String),
}

impl Conflicts {
    pub(super) fn new(texts: Texts, no_value: NoValue) -> Self {
        Self { texts, no_value, rows: 0, told: Vec::new(), in_plan: false, in_sending: false }
    }

    /// Adds the next row of the run, where it is in conflict. Of a referral its first row is told.
    pub(super) fn add(&mut self, row: &FullRow) {
        let account = &row.account;
        if account.verdict.outcome != Outcome::Conflict {
            return;
        }
        self.rows += 1;
        let planned = is_of_plan(row);
        self.in_plan |= planned;
        self.in_sending |= !planned;
        let is_told = account.item.is_some() && self.told.iter().any(|told| told.item == account.item);
        if self.told.len() < MOST_TOLD && !is_told {
            self.told.push(self.conflict(row, planned));
        }
    }

    /// Returns the part of the page; nothing where there is no conflict.
    ///
    /// # Errors
    /// Where the template can't be rendered.
    pub(super) fn html(&self, facts: &PageFacts<'_>) -> askama::Result<String> {
        if self.rows == 0 {
            return Ok(String::new());
        }
        let names: InputNames = facts.summary.inputs.iter().map(|input| input.path.clone()).collect();
        let place = |conflict: &Conflict| self.texts.plain(&names.place(conflict.place));
        let told = self.told.len() as u64;
        ConflictsPart {
            base: match (self.in_plan, self.in_sending) {
                (true, false) => "what the row was made from",
                (false, _) => "what the plan saw",
                (true, true) => {
                    "what the plan saw or, where planning found the conflict, what the row was made from"
                }
            },
            is_plan: Kind::of(facts.phase) == Kind::Plan,
            has_moved: self.told.iter().any(Conflict::has_moved),
            told: self.told.iter().map(|conflict| (place(conflict), conflict)).collect(),
            rows: if self.rows > told { counted(self.rows, "row") } else { String::new() },
        }
        .render()
    }

    fn conflict(&self, row: &FullRow, planned: bool) -> Conflict {
        let RowAccount { item, place, id, verdict, subject, .. } = &row.account;
        let changes = row.change.as_ref().map(|change| change.changes.as_slice()).unwrap_or_default();
        let theirs = row.account.theirs.as_deref().and_then(Object::from_raw);
        let fields = changes.iter().take(MOST_FIELDS);
        let fields = fields.map(|change| self.sides(change, theirs.as_ref(), planned)).collect();
        let others = changes.len().saturating_sub(MOST_FIELDS);
        let id = id.map(|id| id.to_string()).unwrap_or_default();
        Conflict {
            item: *item,
            place: *place,
            name: Some(name(subject.as_ref(), self.texts))
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| id.clone()),
            id,
            code: self.texts.free(&verdict.code),
            message: self.texts.message(verdict.message.as_str()),
            fields,
            others: if others == 0 { String::new() } else { counted(others as u64, "more field") },
        }
    }

    fn sides(&self, change: &Change, theirs: Option<&Object<'_>>, planned: bool) -> FieldSides {
        let kind = change.path.kind();
        let Sides { base, theirs, moved } = Sides::of(change, theirs, planned, self.no_value);
        let ours = match change.appended.as_slice() {
            [] => self.side(kind, Seen::of(Some(&change.after))),
            appended => {
                Side::Value(format!("adds {}", self.texts.elements(kind, appended.iter().map(AsRef::as_ref))))
            }
        };
        FieldSides {
            pointer: self.texts.plain(change.path.pointer().as_str()),
            base: self.side(kind, base),
            ours,
            theirs: self.side(kind, theirs),
            moved,
        }
    }

    fn side(&self, kind: fields::Kind, seen: Seen<'_>) -> Side {
        match seen {
            Seen::Not => Side::NotSeen,
            Seen::As(value) => match self.texts.value(kind, value) {
                text if text.is_empty() => Side::Empty,
                text => Side::Value(text),
            },
        }
    }
}

#[derive(Template)]
#[template(path = "conflicts.html", config = "src/report/html/askama.toml")]
struct ConflictsPart<'a> {
    base: &'static str,
    is_plan: bool,
    has_moved: bool,
    told: Vec<(String, &'a Conflict)>,
    /// The number of all rows in conflict, where some are not told; else empty.
    rows: String,
}

impl Conflict {
    /// Returns the lines of the table that its name spans.
    fn lines(&self) -> String {
        let more = usize::from(self.is_still()) + usize::from(!self.others.is_empty());
        grouped((self.fields.len() + more).max(1) as u64)
    }

    fn has_moved(&self) -> bool {
        self.fields.iter().any(|field| field.moved)
    }

    /// Whether all that the row wants to change is known to be as it was, so that the conflict is about something else.
    fn is_still(&self) -> bool {
        let is_known = |field: &FieldSides| field.base != Side::NotSeen && field.theirs != Side::NotSeen;
        let is_whole = !self.fields.is_empty() && self.others.is_empty();
        is_whole && !self.has_moved() && self.fields.iter().all(is_known)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Facts, change, full};
    use super::*;
    use crate::domain::account::{ItemChange, Phase};
    use crate::domain::fields::Field;
    use crate::domain::item::Effect;
    use crate::domain::item::InBase;
    use crate::report::testing::{raw, subject};

    fn conflict(ordinal: u64, effect: Effect, changes: Vec<Change>, theirs: &str) -> FullRow {
        let mut row = full(ordinal, Outcome::Conflict, None);
        row.change = Some(ItemChange { changes, effect });
        row.account.theirs = (!theirs.is_empty()).then(|| raw(theirs));
        row
    }

    fn html(phase: Phase, no_value: NoValue, rows: &[FullRow]) -> String {
        let facts = Facts::of(phase);
        let mut conflicts = Conflicts::new(facts.texts, no_value);
        rows.iter().for_each(|row| conflicts.add(row));
        conflicts.html(&facts.facts()).unwrap()
    }

    #[test]
    fn three_sides_stand_beside_each_other() {
        let changes = vec![
            change(Field::DealValue, "10000.00", "12000"),
            change(Field::Notes, "", r#""Offer sent""#),
            change(Field::SalesStage, r#""Qualify""#, "null"),
        ];
        let theirs = r#"{"/details/dealValue":9000,"/details/notes":null}"#;
        let mut row = conflict(1, Effect::Reversible, changes, theirs);
        row.account.subject = Some(subject());
        insta::assert_snapshot!(html(Phase::Finished, NoValue::Nothing, &[row]), @r##"
        <section class="part wide" id="conflicts" aria-labelledby="conflicts-title">
        <header><h2 id="conflicts-title" tabindex="-1">Conflicts</h2><p>These referrals were changed by others, or are at another version than their rows name. <b>Base</b> is what the plan saw, <b>ours</b> what the row wants, <b>theirs</b> what was found; ≠ marks what moved. Nothing was overwritten.</p></header>
        <div class="stack"><table class="grid cards three"><thead><tr><th scope="col">Referral</th><th scope="col">Field</th><th scope="col">Base</th><th scope="col">Ours</th><th scope="col">Theirs</th></tr></thead>
        <tbody><tr><td class="who" rowspan="3"><b><bdi>Fabrikam rollout</bdi></b><small><a href="#rows" data-filter="find:00000000-0000-0000-0000-000000000001">changes.csv:2</a><br>conflict-code</small></td><th scope="row" class="mono">/details/dealValue</th><td data-th="Base"><bdi>10000.00</bdi></td><td data-th="Ours"><bdi>12000</bdi></td><td data-th="Theirs" class="moved">≠ <bdi>9000</bdi></td></tr>
        <tr><th scope="row" class="mono">/details/notes</th><td data-th="Base"><span class="empty">empty</span></td><td data-th="Ours"><bdi>Offer sent</bdi></td><td data-th="Theirs"><span class="empty">empty</span></td></tr>
        <tr><th scope="row" class="mono">/salesStage</th><td data-th="Base"><bdi>Qualify</bdi></td><td data-th="Ours"><span class="empty">empty</span></td><td data-th="Theirs"><span class="empty">not seen</span></td></tr>
        </tbody></table></div>
        </section>
        "##);
    }

    /// Sides as they are told: base, ours, theirs, and whether the last is marked.
    fn sides(row: &FullRow, no_value: NoValue) -> Vec<(String, String, String, bool)> {
        let mut conflicts = Conflicts::new(Texts::new(false), no_value);
        conflicts.add(row);
        let told = |side: &Side| match side {
            Side::NotSeen => "not seen".to_owned(),
            Side::Empty => "empty".to_owned(),
            Side::Value(text) => format!("={text}"),
        };
        let fields = conflicts.told[0].fields.iter();
        fields.map(|field| (told(&field.base), told(&field.ours), told(&field.theirs), field.moved)).collect()
    }

    #[test]
    fn what_was_not_seen_is_not_told_as_empty() {
        let (seen, unseen) = (NoValue::Nothing, NoValue::NotSeen);
        let based = |value: Option<&str>| {
            let base = Some(InBase { value: value.map(raw) });
            Change { base, ..change(Field::Notes, r#""now""#, r#""ours""#) }
        };
        let plain = |before: &str| change(Field::Notes, before, r#""ours""#);
        let now = r#"{"/details/notes":"now"}"#;
        for (effect, change, theirs, no_value, base, there, moved) in [
            // Found while sending: the base is what the plan saw.
            (Effect::OneWay, plain(r#""old""#), now, seen, "=old", "=now", true),
            (Effect::OneWay, plain(r#""now""#), now, seen, "=now", "=now", false),
            (Effect::Reversible, plain(""), now, seen, "empty", "=now", true),
            (Effect::Reversible, plain(""), now, unseen, "not seen", "=now", false),
            (Effect::Reversible, plain(r#""old""#), "{}", seen, "=old", "not seen", false),
            (Effect::Reversible, plain(r#""old""#), "", seen, "=old", "not seen", false),
            (
                Effect::Reversible,
                plain(r#""old""#),
                r#"{"/details/notes":null}"#,
                seen,
                "=old",
                "empty",
                true,
            ),
            (Effect::Reversible, plain(""), r#"{"/details/notes":""}"#, seen, "empty", "empty", false),
            // Found while planning: what stands there now is no base.
            (Effect::Unchanged, plain(r#""now""#), now, seen, "not seen", "=now", false),
            (Effect::Unchanged, based(Some(r#""old""#)), now, seen, "=old", "=now", true),
            (Effect::Unchanged, based(Some(r#""now""#)), now, unseen, "=now", "=now", false),
            (Effect::Unchanged, based(None), now, seen, "empty", "=now", true),
        ] {
            let wanted = (base.to_owned(), "=ours".to_owned(), there.to_owned(), moved);
            let row = conflict(1, effect, vec![change], theirs);
            assert_eq!(sides(&row, no_value), [wanted], "{effect:?} {theirs}");
        }
    }

    #[test]
    fn the_first_ten_referrals_are_told_and_all_rows_counted() {
        let mut rows: Vec<FullRow> = (1..=14)
            .map(|number| conflict(number, Effect::Reversible, vec![change(Field::Notes, "", "1")], "{}"))
            .collect();
        // Two rows of one referral.
        rows[1].account.item = Some(1);
        rows.push(full(15, Outcome::Applied, None));
        let page = html(Phase::Finished, NoValue::Nothing, &rows);
        assert_eq!(page.matches("<tbody>").count(), MOST_TOLD);
        assert!(page.contains("changes.csv:12<") && !page.contains("changes.csv:13<"), "{page}");
        let all = "<a href=\"#rows\" data-filter=\"outcome:conflict\">All 14 rows in conflict</a>";
        assert!(page.contains(all), "{page}");
        let few = html(Phase::Finished, NoValue::Nothing, &rows[2..4]);
        assert!(!few.contains("All "), "{few}");
        assert_eq!(html(Phase::Finished, NoValue::Nothing, &rows[14..]), "");
    }

    #[test]
    fn a_conflict_without_fields_has_its_message_and_one_with_many_says_how_many() {
        let bare = conflict(1, Effect::Unchanged, Vec::new(), "");
        let many = conflict(2, Effect::Reversible, vec![change(Field::Notes, "", "1"); 25], "{}");
        let page = html(Phase::Planned, NoValue::Nothing, &[bare, many]);
        let message = "<td colspan=\"4\" class=\"across\">conflict, as it were</td>";
        assert!(page.contains(message), "{page}");
        assert!(
            page.contains("rowspan=\"21\"") && page.contains("class=\"across\">5 more fields</td>"),
            "{page}"
        );
    }

    #[test]
    fn where_no_field_moved_it_is_said_that_something_else_did() {
        const STILL: &str = "None of these fields moved; something else on the referral did.";
        let row = |theirs: &str| {
            conflict(1, Effect::Reversible, vec![change(Field::Notes, r#""a""#, r#""b""#)], theirs)
        };
        for (theirs, is_still, is_marked) in [
            (r#"{"/details/notes":"a"}"#, true, false),
            (r#"{"/details/notes":"c"}"#, false, true),
            ("{}", false, false),
            ("", false, false),
        ] {
            let page = html(Phase::Finished, NoValue::Nothing, &[row(theirs)]);
            assert_eq!((page.contains(STILL), page.contains('≠')), (is_still, is_marked), "{page}");
            assert_eq!(page.contains("rowspan=\"2\""), is_still, "{page}");
        }
    }

    #[test]
    fn hostile_values_stay_text() {
        const HOSTILE: &str = r#""</td><script>alert(1)</script>\u202e""#;
        let theirs = format!("{{\"/details/notes\":{HOSTILE}}}");
        let mut row = conflict(1, Effect::Reversible, vec![change(Field::Notes, HOSTILE, HOSTILE)], &theirs);
        let mut hostile = subject();
        hostile.name = Some("<img src=x onerror=alert(1)>".to_owned());
        row.account.subject = Some(hostile);
        row.account.verdict.code = "\" onclick=\"alert(1)".to_owned();
        let page = html(Phase::Finished, NoValue::Nothing, &[row]);
        for hostile in ["<script", "<img", "\" onclick", "\u{202e}"] {
            assert!(!page.contains(hostile), "{hostile}: {page}");
        }
        assert_eq!(page.matches("alert(1)").count(), 5, "{page}");
    }
}
