//! Merging: makes one desired change of all rows for a referral, unless they contradict each other.

use crate::domain::account::input_name;
use crate::domain::change::{Append, Desired, Draft, Joining, Located};
use crate::domain::decimal::say_sign;
use crate::domain::equality;
use crate::domain::fields::Path;
use crate::domain::finding::{Finding, Location};
use crate::domain::pointer::Pointer;
use crate::domain::referral::ReferralId;
use crate::domain::rules::Rule;
use crate::domain::status::{Stage, Status};
use crate::domain::value::{Condition, Wanted};

/// The rows for one referral, merged one by one in file order.
#[derive(Debug)]
pub struct Merged {
    desired: Desired,
    status: Option<Located<Status>>,
    substatus: Option<Located<Stage>>,
    /// The contradictions found so far.
    findings: Vec<Finding>,
    /// Whether no row was added yet.
    no_rows: bool,
}

impl Merged {
    /// Starts without any row.
    pub fn new(id: ReferralId) -> Self {
        let place = Location { input: 0, line: 0, column: 0 };
        let desired = Desired {
            id,
            place,
            etag: None,
            stage: None,
            status_alone: None,
            sets: Vec::new(),
            appends: Vec::new(),
            shown: Vec::new(),
            provisos: Vec::new(),
            bases: Vec::new(),
        };
        Self { desired, status: None, substatus: None, findings: Vec::new(), no_rows: true }
    }

    /// Whether no row was added.
    pub fn has_no_rows(&self) -> bool {
        self.no_rows
    }

    /// Whether the rows change nothing, and nothing is to be said of them, whatever the referral looks like.
    pub fn asks_for_nothing(&self) -> bool {
        let Desired { sets, appends, shown, provisos, .. } = &self.desired;
        let has_stage = self.status.is_some() || self.substatus.is_some();
        !has_stage && sets.is_empty() && appends.is_empty() && shown.is_empty() && provisos.is_empty()
    }

    /// Returns the referral's id.
    pub fn id(&self) -> ReferralId {
        self.desired.id
    }

    /// Adds the next row. `inputs` holds the names of the run's inputs, by which the finding of one row
    /// names another row.
    pub fn add(&mut self, draft: Draft, inputs: &[String]) {
        let Self { desired, status, substatus, findings, no_rows } = self;
        if std::mem::replace(no_rows, false) {
            desired.place = draft.place;
        }
        let mut merger = Merger { inputs, findings };
        merger.same(&mut desired.etag, draft.etag, "the eTag");
        merger.same(status, draft.status, "/status");
        merger.same(substatus, draft.substatus, "/substatus");
        // All desired changes stay in memory until their referrals are read, so none takes more room than needed.
        desired.sets.reserve_exact(draft.sets.len());
        for set in draft.sets {
            merger.set(&mut desired.sets, set);
        }
        for append in draft.appends {
            merger.append(&mut desired.appends, append);
        }
        desired.shown.extend(draft.shown);
        desired.provisos.extend(draft.provisos);
        // A base has one value for a field, so whichever row asks for it first names the same.
        for base in draft.bases {
            if desired.bases.iter().all(|known| (&known.path, &known.key) != (&base.path, &base.key)) {
                desired.bases.push(base);
            }
        }
    }

    /// Rejects the numbers of an input that were written with a point or a comma, since the input as a whole
    /// leaves open which is its decimal sign. `why` explains that in the finding about each field.
    pub fn doubt_numbers(&mut self, input: u32, why: &str) {
        let is_in_doubt =
            |set: &&Located<(Path, Wanted)>| set.place.input == input && set.value.1.sign().is_some();
        let fields = self.desired.sets.iter().filter(is_in_doubt);
        let fields = fields.map(|set| (set.value.0.pointer(), set.place));
        let elements = self.desired.appends.iter();
        let elements = elements.filter(|append| append.place.input == input && append.value.sign.is_some());
        let elements = elements.map(|append| (append.value.field.pointer(), append.place));
        for (pointer, place) in fields.chain(elements) {
            let finding = Finding::deny(Rule::DecimalSign, place, format!("{pointer}: {why}"));
            self.findings.push(finding.hint(say_sign()));
        }
    }

    /// Rejects the days that an input names, since the input as a whole leaves open which part of a date is the
    /// month. `why` explains that in the finding about each field.
    pub fn doubt_dates(&mut self, input: u32, why: &str) {
        let is_in_doubt = |set: &&Located<(Path, Wanted)>| {
            set.place.input == input && set.value.1.condition() == Condition::OtherDay
        };
        for Located { value: (path, _), place } in self.desired.sets.iter().filter(is_in_doubt) {
            let finding = Finding::deny(Rule::DateOrder, *place, format!("{path}: {why}"));
            self.findings.push(finding.hint("write every date of the column as MM/DD/YYYY"));
        }
    }

    /// Returns the desired change of all rows together.
    ///
    /// # Errors
    /// The findings of every contradiction. Each row of a contradicting pair gets a finding that names the other's
    /// line.
    pub fn desired(&mut self, inputs: &[String]) -> Result<&Desired, Vec<Finding>> {
        let Self { desired, status, substatus, .. } = self;
        let mut findings = self.findings.clone();
        let mut merger = Merger { inputs, findings: &mut findings };
        merger.overlaps(desired);
        merger.wholes_in_parts(desired);
        desired.stage = merger.stage(status.as_ref(), substatus.as_ref());
        desired.status_alone = status.clone().filter(|_| substatus.is_none());
        if findings.is_empty() { Ok(desired) } else { Err(findings) }
    }
}

/// Whether a row may contradict itself: what stands in it more than once was found where it was read, but values may
/// stand within one another, and a substatus may be of another status. To be told more often than it is so costs time
/// alone.
pub(super) fn can_contradict_itself(draft: &Draft) -> bool {
    let Draft { status, substatus, sets, appends, .. } = draft;
    let is_opted = |set: &Located<(Path, Wanted)>| matches!(set.value.0, Path::Opted(_));
    let is_repeated = |at: usize| sets[..at].iter().any(|set| set.value.0 == sets[at].value.0);
    (status.is_some() && substatus.is_some()) && {
        let of_substatus = substatus.as_ref().map(|stage| stage.value.status());
        status.as_ref().map(|status| status.value) != of_substatus
    } || !appends.is_empty()
        || sets.iter().any(is_opted)
        || (1..sets.len()).any(is_repeated)
}

/// Adds one row's values to those of earlier rows, and collects contradictions.
struct Merger<'a> {
    inputs: &'a [String],
    findings: &'a mut Vec<Finding>,
}

impl Merger<'_> {
    /// Names another row in the finding of a row.
    fn name(&self, here: Location, there: Location) -> String {
        if here.input == there.input {
            return format!("line {}", there.line);
        }
        let file = self.inputs.get(there.input as usize).map_or("another input", |path| input_name(path));
        format!("{file}:{}", there.line)
    }

    /// Adds a finding to each of two places that contradict each other.
    fn contradiction(&mut self, what: &str, one: Location, other: Location) {
        for (here, there) in [(one, other), (other, one)] {
            let message = format!("{what} is given another value in {}", self.name(here, there));
            let finding = Finding::deny(Rule::Contradiction, here, message);
            self.findings.push(finding.hint("keep the row that is right and remove the other"));
        }
    }

    /// Keeps a value that may be given once, or several times if it is the same.
    fn same<T: PartialEq>(&mut self, kept: &mut Option<Located<T>>, given: Option<Located<T>>, what: &str) {
        match (&*kept, given) {
            (_, None) => {}
            (None, given) => *kept = given,
            (Some(kept), Some(given)) if kept.value == given.value => {}
            (Some(kept), Some(given)) => self.contradiction(what, kept.place, given.place),
        }
    }

    /// Keeps the value of a field, unless another one is kept already.
    fn set(&mut self, kept: &mut Vec<Located<(Path, Wanted)>>, given: Located<(Path, Wanted)>) {
        let (path, wanted) = &given.value;
        match kept.iter().find(|set| set.value.0 == *path) {
            None => kept.push(given),
            Some(other) => {
                let earlier = &other.value.1;
                if !equality::same(path.kind(), Some(earlier.raw()), wanted.raw()) {
                    self.contradiction(path.pointer().as_str(), other.place, given.place);
                }
            }
        }
    }

    /// Keeps an element to append, unless another one of the same key is kept already.
    fn append(&mut self, kept: &mut Vec<Located<Append>>, given: Located<Append>) {
        let Append { field, key, element, .. } = &given.value;
        match kept.iter().find(|other| other.value.field == *field && other.value.key == *key) {
            None => kept.push(given),
            Some(other) => {
                if !equality::holds(field.kind(), &[&other.value.element], element)
                    || !equality::holds(field.kind(), &[element], &other.value.element)
                {
                    let what = format!("{} on {}", key, field.pointer());
                    self.contradiction(&what, other.place, given.place);
                }
            }
        }
    }

    /// Finds fields that lie within another field that is set as a whole.
    ///
    /// A path that the user opted into can contain another one. Setting both would leave only what the document
    /// happens to set last.
    fn overlaps(&mut self, desired: &Desired) {
        let sets = desired.sets.iter().map(|set| (&set.value.0, set.place));
        if !sets.clone().any(|(path, _)| matches!(path, Path::Opted(_))) {
            return;
        }
        let appends = desired.appends.iter().map(|append| (append.value.field.pointer(), append.place));
        let inner: Vec<_> =
            sets.clone().map(|(path, place)| (path.pointer(), place)).chain(appends).collect();
        for (outer, there) in sets {
            for (inner, here) in &inner {
                let within = inner.as_str().strip_prefix(outer.pointer().as_str());
                if within.is_some_and(|rest| rest.starts_with('/')) {
                    self.overlap(inner, *here, outer, there);
                }
            }
        }
    }

    /// Finds lists that are set as a whole and given element by element, too, by a file that shows them as they are.
    ///
    /// The elements of the list as it is would join the one that takes its place, and come back without what else the
    /// service knows of them.
    fn wholes_in_parts(&mut self, desired: &Desired) {
        let parts = || desired.appends.iter().filter(|append| append.value.joining == Joining::Update);
        for Located { value: (path, _), place: whole } in &desired.sets {
            let of_it = |append: &&Located<Append>| Path::Known(append.value.field) == *path;
            let Some(Located { place: part, .. }) = parts().find(of_it) else { continue };
            let hint = "keep one way: the whole list, or a cell for each element";
            let is_one_row = (whole.input, whole.line) == (part.input, part.line);
            let places =
                if is_one_row { vec![(*whole, *part)] } else { vec![(*whole, *part), (*part, *whole)] };
            for (here, there) in places {
                let besides = if is_one_row { "the same row".to_owned() } else { self.name(here, there) };
                let message = if here == *whole {
                    format!("{path} is given as a whole, and in cells of single elements by {besides}")
                } else {
                    format!("{path} is given in cells of single elements, and as a whole by {besides}")
                };
                self.findings.push(Finding::deny(Rule::Contradiction, here, message).hint(hint));
            }
        }
    }

    /// Adds the findings about a field within another one.
    fn overlap(&mut self, inner: &Pointer, here: Location, outer: &Path, there: Location) {
        let hint = format!("give {outer} with {inner} in it, or leave one of them out");
        if (here.input, here.line) == (there.input, there.line) {
            let message = format!("{inner} lies within {outer}, which the same row sets as a whole");
            self.findings.push(Finding::deny(Rule::Contradiction, here, message).hint(hint));
            return;
        }
        let within = format!("{inner} lies within {outer}, which {} sets as a whole", self.name(here, there));
        let whole = format!("{outer} is set as a whole, and {inner} within it by {}", self.name(there, here));
        for (place, message) in [(here, within), (there, whole)] {
            self.findings.push(Finding::deny(Rule::Contradiction, place, message).hint(hint.clone()));
        }
    }

    /// Combines status and substatus into a stage. A substatus implies its status, and `Active` alone implies
    /// Accepted; the other statuses have several substatuses, and none of these is guessed: alone they are no stage.
    fn stage(
        &mut self,
        status: Option<&Located<Status>>,
        substatus: Option<&Located<Stage>>,
    ) -> Option<Located<Stage>> {
        match (status, substatus) {
            (None, None) | (Some(Located { value: Status::New | Status::Closed, .. }), None) => None,
            (None, Some(stage)) => Some(stage.clone()),
            (Some(status), Some(stage)) if stage.value.status() == status.value => Some(stage.clone()),
            (Some(status), Some(stage)) => {
                self.mismatch(status, stage);
                None
            }
            (Some(Located { value: Status::Active, place }), None) => {
                Some(Located { value: Stage::Active, place: *place })
            }
        }
    }

    /// Adds the findings about a substatus that doesn't belong to the status.
    fn mismatch(&mut self, status: &Located<Status>, stage: &Located<Stage>) {
        let same_row = (status.place.input, status.place.line) == (stage.place.input, stage.place.line);
        if !same_row {
            return self.contradiction("the status", status.place, stage.place);
        }
        self.findings.push(stage.value.mismatch(status.value, stage.place));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::domain::decimal::DecimalSign;
    use crate::domain::fields::{Field, Kind};
    use crate::domain::referral::ETag;
    use crate::domain::status::ClosedSubstatus;
    use crate::domain::value::element_key;

    const ID: &str = "5a1e0001-0000-4000-8000-000000000001";

    fn draft(line: u64) -> Draft {
        let place = Location { input: 0, line, column: 0 };
        Draft {
            id: ID.parse().unwrap(),
            place,
            etag: None,
            status: None,
            substatus: None,
            sets: Vec::new(),
            appends: Vec::new(),
            shown: Vec::new(),
            provisos: Vec::new(),
            bases: Vec::new(),
        }
    }

    fn at<T>(line: u64, value: T) -> Located<T> {
        Located { value, place: Location { input: 0, line, column: 3 } }
    }

    fn value(line: u64, digits: &str) -> Draft {
        let wanted = Wanted::from_text(Kind::Decimal, digits).unwrap();
        Draft { sets: vec![at(line, (Path::Known(Field::DealValue), wanted))], ..draft(line) }
    }

    fn merge(id: ReferralId, drafts: &[Draft], inputs: &[String]) -> Result<Desired, Vec<Finding>> {
        let mut merged = Merged::new(id);
        drafts.iter().for_each(|draft| merged.add(draft.clone(), inputs));
        merged.desired(inputs).cloned()
    }

    fn lines(drafts: &[Draft]) -> Result<Desired, Vec<(Rule, u64, String)>> {
        merge(ID.parse().unwrap(), drafts, &["a.csv".to_owned()]).map_err(|findings| {
            findings.into_iter().map(|finding| (finding.rule, finding.place.line, finding.message)).collect()
        })
    }

    #[test]
    fn both_rows_of_a_contradiction_name_each_other() {
        let findings = lines(&[value(2, "1"), draft(3), value(4, "2")]).unwrap_err();
        assert_eq!(
            findings,
            [
                (Rule::Contradiction, 2, "/details/dealValue is given another value in line 4".to_owned()),
                (Rule::Contradiction, 4, "/details/dealValue is given another value in line 2".to_owned()),
            ]
        );
        assert_eq!(lines(&[value(2, "1"), value(4, "1.00")]).unwrap().sets.len(), 1);
    }

    #[test]
    fn every_pair_of_status_and_substatus_has_its_answer() {
        let statuses = [None, Some(Status::New), Some(Status::Active), Some(Status::Closed)];
        let substatuses = Stage::ALL.into_iter().map(Some).chain([None]);
        let mut table = String::new();
        for substatus in substatuses {
            for status in statuses {
                let row = Draft {
                    status: status.map(|status| at(2, status)),
                    substatus: substatus.map(|stage| at(2, stage)),
                    ..draft(2)
                };
                let got = match lines(&[row]) {
                    Ok(Desired { stage: Some(stage), .. }) => stage.value.to_string(),
                    Ok(Desired { status_alone: Some(alone), .. }) => format!("{}/?", alone.value.name()),
                    Ok(_) => "-".to_owned(),
                    Err(findings) => findings[0].0.to_string(),
                };
                let name = status.map_or("-", Status::name);
                table += &format!("{name}+{}={got} ", substatus.map_or("-", Stage::substatus));
            }
            table += "\n";
        }
        assert_eq!(
            table,
            "-+Pending=New/Pending New+Pending=New/Pending Active+Pending=substatus-pair Closed+Pending=substatus-pair \n\
             -+Received=New/Received New+Received=New/Received Active+Received=substatus-pair Closed+Received=substatus-pair \n\
             -+Accepted=Active/Accepted New+Accepted=substatus-pair Active+Accepted=Active/Accepted Closed+Accepted=substatus-pair \n\
             -+Won=Closed/Won New+Won=substatus-pair Active+Won=substatus-pair Closed+Won=Closed/Won \n\
             -+Lost=Closed/Lost New+Lost=substatus-pair Active+Lost=substatus-pair Closed+Lost=Closed/Lost \n\
             -+Declined=Closed/Declined New+Declined=substatus-pair Active+Declined=substatus-pair Closed+Declined=Closed/Declined \n\
             -+Expired=Closed/Expired New+Expired=substatus-pair Active+Expired=substatus-pair Closed+Expired=Closed/Expired \n\
             -+-=- New+-=New/? Active+-=Active/Accepted Closed+-=Closed/? \n"
        );
    }

    #[test]
    fn status_and_substatus_may_stand_in_two_rows() {
        let status = Draft { status: Some(at(2, Status::Closed)), ..draft(2) };
        let won = Draft { substatus: Some(at(5, Stage::Closed(ClosedSubstatus::Won))), ..draft(5) };
        let accepted = Draft { substatus: Some(at(5, Stage::Active)), ..draft(5) };
        let desired = lines(&[status.clone(), won]).unwrap();
        assert_eq!(desired.stage.unwrap().value, Stage::Closed(ClosedSubstatus::Won));
        let findings = lines(&[status, accepted]).unwrap_err();
        assert_eq!(findings.iter().map(|finding| finding.1).collect::<Vec<_>>(), [2, 5]);
    }

    fn append(line: u64, field: Field, element: &str) -> Draft {
        let element: Box<RawValue> = serde_json::from_str(element).unwrap();
        let key = element_key(field.kind(), &element).unwrap();
        Draft {
            appends: vec![at(line, Append { field, key, element, joining: Joining::Append, sign: None })],
            ..draft(line)
        }
    }

    #[test]
    fn one_element_is_appended_once() {
        let ann = r#"{"email":"ann@example.com","firstName":"Ann"}"#;
        for (other, kept) in [
            (ann, Some(1)),
            (r#"{ "firstName":"Ann", "email":"ANN@Example.com" }"#, Some(1)),
            (r#"{"email":"ann@example.com","firstName":"Ann","lastName":null}"#, Some(1)),
            (r#"{"email":"ann@example.com","firstName":"Anna"}"#, None),
            (r#"{"email":"ann@example.com","firstName":"ann"}"#, None),
            (r#"{"email":"ann@example.com"}"#, None),
            (r#"{"email":"ann@example.com","firstName":"Ann","lastName":"Lee"}"#, None),
            (r#"{"email":"bo@example.com","firstName":"Ann"}"#, Some(2)),
        ] {
            for rows in [[(2, ann), (3, other)], [(2, other), (3, ann)]] {
                let drafts = rows.map(|(line, element)| append(line, Field::Team, element));
                let got = lines(&drafts).map(|desired| desired.appends.len());
                let contradiction = |line, other| {
                    let message = format!("ann@example.com on /team is given another value in line {other}");
                    (Rule::Contradiction, line, message)
                };
                assert_eq!(got, kept.ok_or(vec![contradiction(2, 3), contradiction(3, 2)]), "{rows:?}");
            }
        }
    }

    #[test]
    fn elements_are_told_apart_by_list_too() {
        let ann = r#"{"email":"ann@example.com"}"#;
        let rows = [append(2, Field::Team, ann), append(3, Field::CustomerTeam, ann)];
        assert_eq!(lines(&rows).unwrap().appends.len(), 2);
        let in_one_row = Draft { appends: rows.map(|row| row.appends[0].clone()).into(), ..draft(2) };
        let twice =
            Draft { appends: [in_one_row.appends.clone(), in_one_row.appends.clone()].concat(), ..draft(3) };
        assert_eq!(lines(&[in_one_row, twice]).unwrap().appends.len(), 2);
        let solutions =
            [r#"{"id":"S1"}"#, r#"{"id":"S1","name":null}"#, r#"{"name":"S2"}"#, r#"{"id":"s1"}"#];
        let rows = solutions.map(|solution| append(2, Field::Solutions, solution));
        let keys: Vec<String> =
            lines(&rows).unwrap().appends.into_iter().map(|append| append.value.key).collect();
        assert_eq!(keys, ["S1", "S2", "s1"]);
    }

    fn opted(line: u64, pointer: &str, json: &str) -> Draft {
        let path = Path::Opted(Pointer::parse(pointer).unwrap());
        let wanted = Wanted::from_json(path.kind(), serde_json::from_str(json).unwrap()).unwrap();
        Draft { sets: vec![at(line, (path, wanted))], ..draft(line) }
    }

    #[test]
    fn a_path_within_another_one_is_a_contradiction() {
        let whole = || opted(2, "/details", r#"{"notes":"n"}"#);
        for (inner, path) in [
            (value(3, "1"), "/details/dealValue"),
            (opted(3, "/details/customerAction", r#""x""#), "/details/customerAction"),
            (append(3, Field::Solutions, r#"{"id":"S1"}"#), "/details/requirements/solutions"),
        ] {
            let mut findings = lines(&[whole(), inner.clone()]).unwrap_err();
            let wanted = [
                (2, format!("/details is set as a whole, and {path} within it by line 3")),
                (3, format!("{path} lies within /details, which line 2 sets as a whole")),
            ]
            .map(|(line, message)| (Rule::Contradiction, line, message));
            findings.sort_by_key(|finding| finding.1);
            assert_eq!(findings, wanted);
            findings = lines(&[inner, whole()]).unwrap_err();
            findings.sort_by_key(|finding| finding.1);
            assert_eq!(findings, wanted);
        }
        let one_row = Draft { sets: [whole().sets, value(2, "1").sets].concat(), ..draft(2) };
        let message = "/details/dealValue lies within /details, which the same row sets as a whole";
        assert_eq!(lines(&[one_row]).unwrap_err(), [(Rule::Contradiction, 2, message.to_owned())]);
        let beside = [whole(), opted(3, "/detailsOfOthers/x", "1"), opted(4, "/detail", "1")];
        assert_eq!(lines(&beside).unwrap().sets.len(), 3);
    }

    #[test]
    fn a_list_is_given_as_a_whole_or_in_parts() {
        let whole = |line, field| {
            let wanted = Wanted::from_text(Kind::Solutions, r#"[{"id":"S2"}]"#).unwrap();
            Draft { sets: vec![at(line, (Path::Known(field), wanted))], ..draft(line) }
        };
        let part = |line, field, joining| {
            let mut row = append(line, field, r#"{"id":"S1","email":"ann@example.com"}"#);
            row.appends[0].value.joining = joining;
            row
        };
        for field in [Field::Team, Field::CustomerTeam, Field::Solutions] {
            for joining in [Joining::Append, Joining::First] {
                assert!(lines(&[whole(2, field), part(3, field, joining)]).is_ok(), "{field:?} {joining:?}");
            }
            let [whole_one, part_one] = [whole(2, field), part(3, field, Joining::Update)];
            let wanted = [
                (
                    2,
                    format!(
                        "{} is given as a whole, and in cells of single elements by line 3",
                        field.pointer()
                    ),
                ),
                (
                    3,
                    format!(
                        "{} is given in cells of single elements, and as a whole by line 2",
                        field.pointer()
                    ),
                ),
            ]
            .map(|(line, message)| (Rule::Contradiction, line, message));
            assert_eq!(lines(&[whole_one.clone(), part_one.clone()]).unwrap_err(), wanted);
            let one_row = Draft { appends: part(2, field, Joining::Update).appends, ..whole(2, field) };
            let told = lines(&[one_row]).unwrap_err();
            assert_eq!((told.len(), told[0].1), (1, 2), "{told:?}");
            assert!(told[0].2.ends_with("by the same row"), "{told:?}");
        }
        let [team, solution] = [whole(2, Field::Team), part(3, Field::Solutions, Joining::Update)];
        assert!(lines(&[team, solution]).is_ok());
    }

    #[test]
    fn clearing_and_emptying_a_field_agree() {
        let text =
            |line, wanted| Draft { sets: vec![at(line, (Path::Known(Field::Notes), wanted))], ..draft(line) };
        let (null, empty) = (Wanted::clear(), Wanted::from_text(Kind::Text, "").unwrap());
        let desired = lines(&[text(2, null.clone()), text(3, empty)]).unwrap();
        assert_eq!(desired.sets.len(), 1);
        assert!(desired.sets[0].value.1.is_clear());
        let other = Wanted::from_text(Kind::Text, "x").unwrap();
        assert_eq!(lines(&[text(2, null), text(3, other)]).unwrap_err().len(), 2);
    }

    #[test]
    fn a_row_that_differs_from_the_first_names_the_first() {
        let findings = lines(&[value(2, "1"), value(3, "2"), value(4, "2"), value(5, "1.0")]).unwrap_err();
        let pairs: Vec<(u64, String)> =
            findings.into_iter().map(|(_, line, message)| (line, message)).collect();
        let message = |line| format!("/details/dealValue is given another value in line {line}");
        assert_eq!(pairs, [(2, message(3)), (3, message(2)), (2, message(4)), (4, message(2))]);
    }

    #[test]
    fn rows_of_another_file_are_named_with_it() {
        let mut there = value(2, "2");
        there.place.input = 1;
        there.sets[0].place.input = 1;
        let findings = merge(ID.parse().unwrap(), &[value(2, "1"), there], &["a.csv".into(), "b.csv".into()])
            .unwrap_err();
        let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "/details/dealValue is given another value in b.csv:2",
                "/details/dealValue is given another value in a.csv:2"
            ]
        );
    }

    /// Numbers that show no sign read the same either way, and another input is another matter.
    #[test]
    fn numbers_in_doubt_are_held_back_by_their_input() {
        let number = |line, digits, input| {
            let wanted = Wanted::amount(digits, None).unwrap();
            let mut set = at(line, (Path::Known(Field::DealValue), wanted));
            set.place.input = input;
            Draft { sets: vec![set], ..draft(line) }
        };
        for (digits, input, found) in
            [("1.5", 0, true), ("1.234,5", 0, true), ("12500", 0, false), ("1.5", 1, false)]
        {
            let mut merged = Merged::new(ID.parse().unwrap());
            merged.add(number(3, digits, input), &[]);
            merged.doubt_numbers(0, "in doubt");
            let findings = merged.desired(&[]).err().unwrap_or_default();
            let told: Vec<_> = findings.iter().map(|finding| (finding.rule, finding.place.line)).collect();
            assert_eq!(told, if found { vec![(Rule::DecimalSign, 3)] } else { vec![] }, "{digits} {input}");
        }
        for (sign, input, found) in
            [(Some(DecimalSign::Point), 0, true), (None, 0, false), (Some(DecimalSign::Point), 1, false)]
        {
            let mut row = append(3, Field::Solutions, r#"{"id":"S1","price":1.5}"#);
            row.appends[0].value.sign = sign;
            row.appends[0].place.input = input;
            let mut merged = Merged::new(ID.parse().unwrap());
            merged.add(row, &[]);
            merged.doubt_numbers(0, "in doubt");
            assert_eq!(merged.desired(&[]).is_err(), found, "{sign:?} {input}");
        }
    }

    #[test]
    fn standard_input_has_a_name() {
        let mut there = value(2, "2");
        there.place.input = 1;
        there.sets[0].place.input = 1;
        let inputs = ["a.csv".to_owned(), "-".to_owned()];
        let findings = merge(ID.parse().unwrap(), &[value(2, "1"), there], &inputs).unwrap_err();
        assert_eq!(findings[0].message, "/details/dealValue is given another value in standard input:2");
    }

    #[test]
    fn two_versions_of_one_referral_contradict_each_other() {
        let bound =
            |line, etag| Draft { etag: Some(at(line, ETag::from_input(etag).unwrap())), ..draft(line) };
        assert!(lines(&[bound(2, "a"), draft(3), bound(4, "\"a\"")]).unwrap().etag.is_some());
        assert_eq!(lines(&[bound(2, "a"), bound(4, "b")]).unwrap_err().len(), 2);
    }
}
