//! A run as it is shown, to people as text and to programs as JSON lines: referral by referral, with what became of
//! each row.

use serde::Serialize;

use crate::domain::account::{InputInfo, ItemAccount, RowAccount, RowStanding};
use crate::domain::characters::visible_json;
use crate::domain::json;
use crate::domain::outcome::Outcome;
use crate::domain::referral::ReferralId;
use crate::domain::run_spec::StateSource;

use super::change_text::Extent;
use super::findings::LocatedFindings;
use super::names::UnknownInput;
use super::plan_line::{PlanLine, RowOutcomes};
use super::referral_text::ReferralWriter;

/// Shows the referrals of one run, with all values in full.
#[derive(Debug, Clone)]
pub struct RunView {
    writer: ReferralWriter,
}

impl RunView {
    /// Makes the view of a run that was planned from this state of the referrals.
    pub fn of(state: &StateSource, inputs: &[InputInfo]) -> Self {
        Self { writer: ReferralWriter::of(state, inputs) }
    }

    /// Returns a referral as text of several lines.
    pub fn text(&self, account: &ItemAccount, rows: &[RowStanding]) -> String {
        self.writer.lines(account, rows, Extent::Whole).join("\n") + "\n"
    }

    /// Returns a row that has no part in the change of any referral, as text of several lines.
    pub fn row_text(&self, row: RowAccount) -> String {
        let name = row.id.map_or_else(|| "no referral".to_owned(), |id| id.to_string());
        let findings = row.findings.clone();
        self.writer.row_lines(&name, &row.into(), &findings).join("\n") + "\n"
    }

    /// Returns a referral as a line of JSON: that of `plan.jsonl`, with its outcome so far and that of each row.
    ///
    /// # Errors
    /// Where a row lies in an input that the run does not have.
    pub fn json(&self, account: &ItemAccount, rows: &[RowStanding]) -> Result<String, UnknownInput> {
        let findings = account.item.findings.iter().map(|finding| finding.place);
        let places = account.rows.iter().copied().chain(findings).chain(rows.iter().map(|row| row.place));
        let names = &self.writer.names;
        places.into_iter().try_for_each(|place| names.file(place).map(drop))?;
        Ok(on_a_terminal(&PlanLine::standing(account, rows, names)))
    }

    /// Returns a row that has no part in the change of any referral as a line of JSON.
    ///
    /// # Errors
    /// Where it lies in an input that the run does not have.
    pub fn row_json(&self, row: RowAccount) -> Result<String, UnknownInput> {
        #[derive(Serialize)]
        struct RowAlone<'a> {
            id: Option<ReferralId>,
            findings: LocatedFindings<'a>,
            outcome: Outcome,
            code: &'a str,
            message: &'a str,
            outcomes: RowOutcomes<'a>,
        }
        let names = &self.writer.names;
        let findings = row.findings.clone();
        let id = row.id;
        let places = findings.iter().map(|finding| finding.place).chain([row.place]);
        places.into_iter().try_for_each(|place| names.file(place).map(drop))?;
        let standing = RowStanding::from(row);
        let line = RowAlone {
            id,
            findings: LocatedFindings { findings: &findings, names },
            outcome: standing.verdict.outcome,
            code: &standing.verdict.code,
            message: standing.verdict.message.as_str(),
            outcomes: RowOutcomes { standings: std::slice::from_ref(&standing), names },
        };
        Ok(on_a_terminal(&line))
    }
}

/// Returns a value as a line of JSON that may be shown: hidden characters are escaped, which changes nothing of it.
fn on_a_terminal(line: &impl Serialize) -> String {
    visible_json(json::raw(line).get()).into_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::testing::{csv_input, planned_item, row, warning};
    use super::*;
    use crate::domain::fields::Field;
    use crate::domain::item::Effect;
    use crate::domain::outcome::Verdict;
    use crate::domain::rules::Rule;

    fn view() -> RunView {
        RunView::of(&StateSource::Live, &[csv_input("a.csv", &["id"], 0)])
    }

    fn closed() -> ItemAccount {
        let changes = [
            (Field::Status, r#""Active""#, r#""Closed""#),
            (
                Field::Notes,
                "",
                r#""a note that is longer than an excerpt is, and that is told to its last word""#,
            ),
        ];
        let mut account = planned_item(1, Effect::OneWay, &changes, None);
        account.item.findings = vec![warning(Rule::EarlyWin)];
        account
    }

    #[test]
    fn a_referral_is_told_in_full_with_what_became_of_its_rows() {
        let standing = |outcome| RowStanding {
            at: Some("2026-01-02T03:04:06Z".parse().unwrap()),
            ..row(1, 0, outcome).into()
        };
        let text = [Outcome::Planned, Outcome::Applied]
            .map(|outcome| view().text(&closed(), &[standing(outcome)]))
            .concat();
        let mut held =
            planned_item(2, Effect::Unchanged, &[], Some(Verdict::new(Outcome::Invalid, "code", "why")));
        held.subject = None;
        let text = text + &view().text(&held, &[]) + &view().row_text(row(3, 0, Outcome::Invalid));
        insta::assert_snapshot!(text, @r#"
        “Fabrikam rollout”, Fabrikam
          00000000-0000-0000-0000-000000000001, a.csv:2: closes for good
          /status         "Active" → "Closed"
          /details/notes  nothing → "a note that is longer than an excerpt is, and that is told to its last word"
          warning[early-win] a.csv:2: early-win is worth a look
        “Fabrikam rollout”, Fabrikam
          00000000-0000-0000-0000-000000000001, a.csv:2: closes for good
          /status         "Active" → "Closed"
          /details/notes  nothing → "a note that is longer than an excerpt is, and that is told to its last word"
          warning[early-win] a.csv:2: early-win is worth a look
          a.csv:2 applied at 2026-01-02T03:04:06Z: applied, as it were
        00000000-0000-0000-0000-000000000002, a.csv:3: held back
        00000000-0000-0000-0000-000000000003, a.csv:4: no part of any change
          a.csv:4 invalid: invalid, as it were
        "#);
    }

    #[test]
    fn a_line_of_json_has_the_outcome_so_far() {
        let standing = RowStanding::from(row(1, 0, Outcome::Applied));
        let (planned, view) = (RowStanding::from(row(1, 0, Outcome::Planned)), view());
        let lines = [&planned, &standing].map(|row| view.json(&closed(), std::slice::from_ref(row)).unwrap());
        let row = view.row_json(row(3, 0, Outcome::Invalid)).unwrap();
        insta::assert_snapshot!(lines.concat() + &row, @r#"
        {"id":"00000000-0000-0000-0000-000000000001","name":"Fabrikam rollout","customer":"Fabrikam","rows":[{"file":"a.csv","line":2}],"operations":[],"changes":[{"path":"/status","before":"Active","after":"Closed"},{"path":"/details/notes","before":null,"after":"a note that is longer than an excerpt is, and that is told to its last word"}],"eTag":null,"findings":[{"rule":"early-win","level":"warn","file":"a.csv","line":2,"column":3,"message":"early-win is worth a look","hint":null}],"effect":"one-way","reversible":false,"outcome":"planned","outcomes":[{"file":"a.csv","line":2,"outcome":"planned","code":"planned-code","message":"planned, as it were","status":null,"attempts":0,"request_ids":[],"first_sent":null,"at":null}]}
        {"id":"00000000-0000-0000-0000-000000000001","name":"Fabrikam rollout","customer":"Fabrikam","rows":[{"file":"a.csv","line":2}],"operations":[],"changes":[{"path":"/status","before":"Active","after":"Closed"},{"path":"/details/notes","before":null,"after":"a note that is longer than an excerpt is, and that is told to its last word"}],"eTag":null,"findings":[{"rule":"early-win","level":"warn","file":"a.csv","line":2,"column":3,"message":"early-win is worth a look","hint":null}],"effect":"one-way","reversible":false,"outcome":"applied","code":"applied-code","message":"applied, as it were","outcomes":[{"file":"a.csv","line":2,"outcome":"applied","code":"applied-code","message":"applied, as it were","status":null,"attempts":0,"request_ids":[],"first_sent":null,"at":null}]}
        {"id":"00000000-0000-0000-0000-000000000003","findings":[],"outcome":"invalid","code":"invalid-code","message":"invalid, as it were","outcomes":[{"file":"a.csv","line":4,"outcome":"invalid","code":"invalid-code","message":"invalid, as it were","status":null,"attempts":0,"request_ids":[],"first_sent":null,"at":null}]}
        "#);
    }

    #[test]
    fn nothing_is_lost_of_a_line_that_is_shown() {
        let changes = [(Field::Notes, "", "\"a\u{202e}b\u{7f}\"")];
        let line = view().json(&planned_item(1, Effect::Reversible, &changes, None), &[]).unwrap();
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert!(line.contains(r"a\u202eb\u007f"), "{line}");
        assert_eq!(read["changes"][0]["after"], "a\u{202e}b\u{7f}");
    }

    #[test]
    fn a_row_of_another_run_is_an_error() {
        let view = RunView::of(&StateSource::Live, &[]);
        assert!(view.json(&closed(), &[]).is_err());
        assert!(view.row_json(row(3, 0, Outcome::Invalid)).is_err());
    }
}
