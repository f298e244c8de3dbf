//! A CSV's header: what each column is for.

use std::collections::HashMap;

use ::csv::ByteRecord;

use super::context::InputContext;
use super::error::{Problem, Unusable};
use super::name_hints::{leave_alone, no_field, whole_list};
use super::names::NameResolver;
use super::value_target::{Unresolved, ValueTarget};
use super::watch::{MAX_CELL, RecordSpan};
use crate::domain::excerpt::excerpt;
use crate::domain::key::MatchField;
use crate::domain::likeness::nearest_of;
use crate::domain::pointer::Pointer;
use crate::domain::referral::ReferralId;
use crate::domain::setting::Setting;
use crate::domain::suspect;
use crate::domain::wording::Wording;

/// One column of the header.
#[derive(Debug)]
pub(super) struct Column {
    /// Its header cell as written.
    pub name: String,
    /// What its cells are for; `None` where it has no name.
    pub target: Option<ValueTarget>,
    /// The nearest column before it that has the same target under another name. Joined files have such
    /// columns; in one row, two of them may not hold different values.
    pub twin: Option<usize>,
}

impl Column {
    /// Returns whether a report added the column, so that the next report leaves it out.
    pub(super) fn is_left_out(&self) -> bool {
        self.target == Some(ValueTarget::Ignored)
    }
}

/// Resolves the cells of the header to columns. `leaves_strangers` leaves columns alone that mean no field.
///
/// # Errors
/// Everything that is wrong with the header: there is none, columns are unknown or ambiguous, a name stands
/// twice, no column holds the id.
pub(super) fn resolve(
    context: &InputContext<'_>,
    cells: &ByteRecord,
    mark: RecordSpan,
    leaves_strangers: bool,
) -> Result<Vec<Column>, Unusable> {
    let line = mark.line;
    if mark.cut || cells.iter().any(|cell| cell.len() > MAX_CELL) {
        let problem = context.problem(line, 1, "the header is too large");
        return Err(problem.hint("the first line of a change file names its columns").into());
    }
    let is_id = |cell: &[u8]| std::str::from_utf8(cell).is_ok_and(|text| text.parse::<ReferralId>().is_ok());
    // Checked before the names: in a row of data every cell would be an unknown column.
    if let Some(at) = cells.iter().position(is_id) {
        let problem = context.problem(line, at + 1, "the first line holds data: there is no header");
        return Err(problem.hint("put a line with the columns' names in front, as in id,status").into());
    }
    let columns = cells.iter().filter_map(|cell| std::str::from_utf8(cell).ok());
    let names = NameResolver::new(context.options).of_table(columns);
    // Problems are collected, so that one attempt shows everything that has to be corrected.
    let mut problems = Vec::new();
    let mut columns = Vec::new();
    for (at, cell) in cells.iter().enumerate() {
        match column(&names, cell, leaves_strangers) {
            Ok(column) => columns.push((at, column)),
            Err((message, hint)) => problems.push(context.problem(line, at + 1, message).hint(hint)),
        }
    }
    if !problems.is_empty() {
        problems.splice(0..0, mapped_to_none(context, line, &names, cells));
    }
    problems.extend(mapped_twice(context, line, &names, &columns));
    problems.extend(find_twins(context, line, &mut columns));
    if let Some(quote) = mark.stray {
        let message = "text follows the closing quote of a column's name";
        problems
            .push(context.problem(quote.line, quote.cell, message).hint("quote the whole name, or nothing"));
    }
    problems.extend(missing_id(context, line, cells, &names));
    match Unusable::of(problems) {
        Some(unusable) => Err(unusable),
        None => Ok(columns.into_iter().map(|(_, column)| column).collect()),
    }
}

/// Returns whether a record names a column by which rows name their referrals: its id, or the key that the user
/// matches by.
pub(super) fn names_referral(context: &InputContext<'_>, cells: &ByteRecord) -> bool {
    let columns = || cells.iter().filter_map(|cell| std::str::from_utf8(cell).ok());
    let names = NameResolver::new(context.options).of_table(columns());
    let is_name = |target| matches!(target, Ok(ValueTarget::Id | ValueTarget::Key | ValueTarget::Identifier));
    columns().any(|name| is_name(names.resolve(name)))
}

/// Resolves one cell.
///
/// # Errors
/// A message and a hint.
fn column(
    names: &NameResolver<'_>,
    cell: &[u8],
    leaves_strangers: bool,
) -> Result<Column, (String, Wording)> {
    let Ok(name) = std::str::from_utf8(cell) else {
        let shown = String::from_utf8_lossy(cell);
        return Err((
            format!("the column name {} is not valid UTF-8", excerpt(&shown)),
            "save the file as UTF-8".into(),
        ));
    };
    match names.resolve(name) {
        Ok(target) => Ok(Column { name: name.to_owned(), target: Some(target), twin: None }),
        Err(_) if names.is_order(name) => {
            Ok(Column { name: name.to_owned(), target: Some(ValueTarget::LeftAlone), twin: None })
        }
        // What a base has besides is of no account: a file that was made from it has the column too, or has none.
        Err(_) if leaves_strangers => {
            Ok(Column { name: name.to_owned(), target: Some(ValueTarget::LeftAlone), twin: None })
        }
        Err(Unresolved::Empty) => Ok(Column { name: name.to_owned(), target: None, twin: None }),
        Err(unresolved) => Err(explain(names, name, &unresolved)),
    }
}

/// Returns message and hint for a name that means no column.
fn explain(names: &NameResolver<'_>, name: &str, unresolved: &Unresolved) -> (String, Wording) {
    let shown = excerpt(name);
    match unresolved {
        Unresolved::Empty => ("a column has no name".to_owned(), "name it, or empty its cells".into()),
        Unresolved::Ambiguous(paths) => (
            format!("the column {shown} may be any of {}", paths.join(", ")),
            Wording::from("write the one you mean, or ").append(&leave_alone(name)),
        ),
        Unresolved::NoField(why) => (
            format!("the column {}", no_field(name)),
            Wording::from(format!("{why}, or ")).append(&leave_alone(name)),
        ),
        Unresolved::Indexed(list) => (
            format!("the column {shown} names one element of a list, which cannot be changed alone"),
            whole_list(list).into(),
        ),
        Unresolved::Unknown => match suspect::unseen(name) {
            Some(unseen) => (format!("unknown column {shown}: {unseen}"), "type its name anew".into()),
            None => (format!("unknown column {shown}"), hint(names, name)),
        },
    }
}

/// Returns the hint for an unknown column.
fn hint(names: &NameResolver<'_>, name: &str) -> Wording {
    if let Some((setting, typed)) = names.nearly_said(name) {
        let words = format!(" {} names no column: did you mean this one?", excerpt(typed));
        return Wording::default().name(setting).say(words);
    }
    if let (true, Ok(pointer)) = (name.starts_with('/'), Pointer::parse(name)) {
        return names.hint(&pointer);
    }
    match names.nearest(name) {
        Some(known) => Wording::from(format!("did you mean {known}? – else ")),
        None => Wording::from("name it after a field, as in status or details.dealValue, or "),
    }
    .append(&leave_alone(name))
}

/// Links columns with the same target, and returns a problem for each name that stands twice to the letter: it
/// can't be told which of the two the user means.
pub(super) fn find_twins(
    context: &InputContext<'_>,
    line: u64,
    columns: &mut [(usize, Column)],
) -> Vec<Problem> {
    let mut last: HashMap<ValueTarget, usize> = HashMap::new();
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut problems = Vec::new();
    for (at, column) in columns {
        let Some(target) = column.target.clone().filter(is_for_something) else {
            continue;
        };
        column.twin = last.insert(target, *at);
        let earlier = *first.entry(column.name.clone()).or_insert(*at);
        if earlier != *at {
            let message =
                format!("column {} stands in column {} already", excerpt(&column.name), earlier + 1);
            problems.push(context.problem(line, *at + 1, message).hint("keep one of them"));
        }
    }
    problems
}

/// Returns the problems of columns that the user says something of and that aren't there: where a name is mistyped,
/// nothing is mapped, and so every other column seems to be meant.
fn mapped_to_none(
    context: &InputContext<'_>,
    line: u64,
    names: &NameResolver<'_>,
    cells: &ByteRecord,
) -> Vec<Problem> {
    let columns = cells.iter().filter_map(|cell| std::str::from_utf8(cell).ok());
    let problem = |typed: &&str| {
        let hint = Wording::default().name(Setting::Map);
        let hint = match nearest_of(typed, columns.clone()) {
            Some(near) => hint.say(format!(" names it: did you mean {}?", excerpt(near))),
            None => hint.say(" names it: write it as the header does, or leave it out"),
        };
        context.problem(line, 1, format!("there is no column {}", excerpt(typed))).hint(hint)
    };
    names.unfound(columns.clone()).iter().map(problem).collect()
}

/// Returns the problems of columns that the user maps to a field which another one is mapped to.
fn mapped_twice(
    context: &InputContext<'_>,
    line: u64,
    names: &NameResolver<'_>,
    columns: &[(usize, Column)],
) -> Vec<Problem> {
    let mut first: HashMap<&ValueTarget, &str> = HashMap::new();
    let mut problems = Vec::new();
    for (at, column) in columns.iter().filter(|(_, column)| names.is_mapped(&column.name)) {
        let Some(target) = column.target.as_ref().filter(|target| is_for_something(target)) else { continue };
        match first.insert(target, &column.name) {
            Some(other) if other != column.name => {
                let message = format!(
                    "the columns {} and {} are mapped to one field",
                    excerpt(other),
                    excerpt(&column.name)
                );
                problems.push(context.problem(line, at + 1, message).hint("map one of the two"));
            }
            _ => {}
        }
    }
    problems
}

/// Returns whether cells of a column can contradict other cells of the row.
fn is_for_something(target: &ValueTarget) -> bool {
    !matches!(target, ValueTarget::Guards | ValueTarget::Ignored | ValueTarget::LeftAlone)
}

/// Returns the problem that no column holds the id.
pub(super) fn missing_id(
    context: &InputContext<'_>,
    line: u64,
    cells: &ByteRecord,
    names: &NameResolver<'_>,
) -> Option<Problem> {
    let target = |cell: &[u8]| names.resolve(std::str::from_utf8(cell).ok()?).ok();
    if let Some(field) = names.matching().map(MatchField::name) {
        let is_key = |cell| matches!(target(cell), Some(ValueTarget::Key | ValueTarget::Identifier));
        let problem = || {
            let hint = Wording::from("say which column does with ").name(Setting::Map);
            let message = format!("no column holds the {field} that rows are matched by");
            context.problem(line, 1, message).hint(hint.say(format!(" COLUMN={field}")))
        };
        return (!cells.iter().any(is_key)).then(problem);
    }
    if cells.iter().any(|cell| target(cell) == Some(ValueTarget::Id)) {
        return None;
    }
    let engagement = cells.iter().position(
        |cell| matches!(target(cell), Some(ValueTarget::ReadOnly(pointer)) if pointer.as_str() == "/engagementId"),
    );
    Some(match engagement {
        Some(at) => context
            .problem(line, at + 1, "no column holds the referral's id, and engagementId is not it")
            .hint("several referrals can share one engagement: add a column id with each referral's own"),
        None if cells.len() == 1 => context
            .problem(line, 1, "the only column does not hold the referral's id")
            .hint("separate columns by commas, semicolons or tabs, and name one of them id"),
        None => context
            .problem(line, 1, "no column holds the referral's id")
            .hint("add a column id; referralId and \"Referral ID\" are the same"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{options, read_bytes};
    use super::super::{Options, Problem};
    use super::*;
    use crate::commands::next_command::spelled;
    use crate::domain::fields::{Field, Path};
    use crate::domain::format::Format;

    fn resolved(options: &Options, name: &str) -> Result<ValueTarget, Unresolved> {
        NameResolver::new(options).resolve(name)
    }

    fn problems(header: &str) -> Vec<Problem> {
        read_bytes(header.as_bytes(), &options(Format::Csv))
            .1
            .map(|_| Vec::new())
            .unwrap_or_else(|problems| problems)
    }

    #[test]
    fn a_field_has_many_spellings() {
        let known = |field| Ok(ValueTarget::Set(Path::Known(field)));
        let read_only = |text| Ok(ValueTarget::ReadOnly(Pointer::parse(text).unwrap()));
        let unconfirmed = |text| Ok(ValueTarget::Unconfirmed(Pointer::parse(text).unwrap()));
        for (name, wanted) in [
            ("id", Ok(ValueTarget::Id)),
            ("ID", Ok(ValueTarget::Id)),
            ("referralId", Ok(ValueTarget::Id)),
            ("Referral ID", Ok(ValueTarget::Id)),
            ("eTag", Ok(ValueTarget::ETag)),
            ("If-Match", Ok(ValueTarget::ETag)),
            ("status", Ok(ValueTarget::Status)),
            ("/Status", Ok(ValueTarget::Status)),
            ("Sub Status", Ok(ValueTarget::Substatus)),
            ("/details/dealValue", known(Field::DealValue)),
            ("details.dealValue", known(Field::DealValue)),
            ("Details.Deal Value", known(Field::DealValue)),
            ("dealValue", known(Field::DealValue)),
            (" DEAL VALUE ", known(Field::DealValue)),
            ("statusReason", known(Field::StatusReason)),
            ("team", known(Field::Team)),
            ("customerProfile.team", known(Field::CustomerTeam)),
            ("solutions", known(Field::Solutions)),
            ("consentToShareReferralWithMicrosoftSellers", known(Field::ShareConsent)),
            ("team.add", Ok(ValueTarget::AddMembers(Field::Team))),
            ("customerProfile.team.add", Ok(ValueTarget::AddMembers(Field::CustomerTeam))),
            ("/team/-", Ok(ValueTarget::Append(Field::Team))),
            ("/customerProfile/team/-", Ok(ValueTarget::Append(Field::CustomerTeam))),
            ("/details/requirements/solutions/-", Ok(ValueTarget::Append(Field::Solutions))),
            ("engagementId", read_only("/engagementId")),
            ("Engagement ID", read_only("/engagementId")),
            ("links.self", read_only("/links/self")),
            ("@odata.context", read_only("/@odata.context")),
            ("name", unconfirmed("/name")),
            ("customerProfile.name", unconfirmed("/customerProfile/name")),
            ("city", unconfirmed("/customerProfile/address/city")),
            ("result.code", Ok(ValueTarget::Ignored)),
            ("Result.Anything", Ok(ValueTarget::Ignored)),
            ("notes", known(Field::Notes)),
            ("/team/0", Err(Unresolved::Indexed(Field::Team.pointer().clone()))),
            ("Close Date", known(Field::ClosingDateTime)),
            ("est. close date", known(Field::ClosingDateTime)),
            ("Reason", known(Field::StatusReason)),
            ("CRM ID", known(Field::ExternalReferenceId)),
            ("Marketing Campaign ID", known(Field::CampaignId)),
            ("Amount", known(Field::DealValue)),
            ("Currency", known(Field::Currency)),
            ("Partner Referral Status", Ok(ValueTarget::Status)),
            ("Referral Identifier", Ok(ValueTarget::Id)),
            ("/Close Date", Err(Unresolved::Unknown)),
            (
                "Stage",
                Err(Unresolved::Ambiguous(vec!["salesStage".into(), "status".into(), "substatus".into()])),
            ),
            ("", Err(Unresolved::Empty)),
            (" ", Err(Unresolved::Empty)),
            ("dealVlaue", Err(Unresolved::Unknown)),
            ("deal_value", Err(Unresolved::Unknown)),
            ("/dealValue", Err(Unresolved::Unknown)),
            ("details", Err(Unresolved::Unknown)),
            ("None", Err(Unresolved::Unknown)),
        ] {
            assert_eq!(resolved(&Options::default(), name), wanted, "{name}");
        }
    }

    #[test]
    fn a_last_name_that_two_paths_share_is_ambiguous() {
        let allow_paths = ["/a/rank", "/b/rank"].map(|path| Pointer::parse(path).unwrap()).into();
        let options = Options { allow_paths, ..Options::default() };
        let ambiguous = Unresolved::Ambiguous(vec!["a.rank".into(), "b.rank".into()]);
        assert_eq!(resolved(&options, "rank"), Err(ambiguous));
        assert!(resolved(&options, "b.rank").is_ok());
    }

    /// A path that the user opted into goes before what people call a field.
    #[test]
    fn a_name_of_the_users_own_goes_before_everybodys() {
        let allow_paths = [Pointer::parse("/custom/reason").unwrap()].into();
        let options = Options { allow_paths, ..Options::default() };
        let custom = ValueTarget::Set(Path::Opted(Pointer::parse("/custom/reason").unwrap()));
        assert_eq!(resolved(&options, "Reason"), Ok(custom));
        let left_alone = vec!["reason".to_owned(), "status".to_owned()];
        let options = Options { left_alone, ..options };
        assert_eq!(resolved(&options, "Reason"), Ok(ValueTarget::LeftAlone));
        assert_eq!(resolved(&options, "Status"), Ok(ValueTarget::LeftAlone));
        assert_eq!(resolved(&options, "/status"), Ok(ValueTarget::Status));
    }

    #[test]
    fn what_is_refused_by_name_says_why() {
        for (name, wanted) in [
            ("Stage", "the column \"Stage\" may be any of salesStage, status, substatus"),
            ("Closed Date", "the column \"Closed Date\" is no field that can be changed"),
            ("Customer", "unknown column \"Customer\""),
        ] {
            let problem = problems(&format!("id,{name}")).remove(0);
            assert_eq!(problem.message, wanted);
            let hint = spelled(&problem.hint.unwrap());
            assert!(hint.contains("--ignore-column"), "{hint}");
        }
    }

    #[test]
    fn the_nearest_known_name_is_told() {
        let options = Options::default();
        let names = NameResolver::new(&options);
        for (name, wanted) in [
            ("dealVlaue", Some("details.dealValue")),
            ("Deal_Value", Some("details.dealValue")),
            ("Deal Valu", Some("details.dealValue")),
            ("details.delaValue", Some("details.dealValue")),
            ("statusReasons", Some("statusReason")),
            ("stauts", Some("status")),
            ("note", Some("details.notes")),
            ("teamadd", Some("team.add")),
            ("referal id", Some("referralId")),
            ("identifier", None),
            ("foo", None),
            ("zzz", None),
            ("x", None),
            ("email", None),
            ("Partner", None),
            ("Customer country code", None),
            ("value in EUR", None),
            (&"x".repeat(1_000_000), None),
        ] {
            assert_eq!(names.nearest(name).as_deref(), wanted, "{name}");
        }
    }

    #[test]
    fn everything_wrong_with_a_header_is_told_at_once() {
        for (header, wanted) in [
            ("id,status", &[][..]),
            (
                "id,dealVlaue,statu,status\n",
                &[
                    "standard input:1:2: unknown column \"dealVlaue\"",
                    "standard input:1:3: unknown column \"statu\"",
                ],
            ),
            ("id,Referral ID,dealValue,/details/dealValue,details.dealValue,eTag,If-Match", &[]),
            (
                "id,oops,status,status",
                &[
                    "standard input:1:2: unknown column \"oops\"",
                    "standard input:1:4: column \"status\" stands in column 3 already",
                ],
            ),
            (
                "id,status,Status,status",
                &["standard input:1:4: column \"status\" stands in column 2 already"],
            ),
            ("id,", &[]),
            (",, ,id,", &[]),
            (
                "id,status\u{200b}",
                &[
                    "standard input:1:2: unknown column \"status\u{fffd}\": it holds U+200B zero width space, which cannot be seen",
                ],
            ),
            ("status,notes", &["standard input:1:1: no column holds the referral's id"]),
            ("status", &["standard input:1:1: the only column does not hold the referral's id"]),
            (
                "id|status",
                &[
                    "standard input:1:1: unknown column \"id|status\"",
                    "standard input:1:1: the only column does not hold the referral's id",
                ],
            ),
            (
                "status,engagementId",
                &["standard input:1:2: no column holds the referral's id, and engagementId is not it"],
            ),
            (
                "\n0c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6e,Closed",
                &["standard input:2:1: the first line holds data: there is no header"],
            ),
            (
                "id,/team/0",
                &[
                    "standard input:1:2: the column \"/team/0\" names one element of a list, which cannot be changed alone",
                ],
            ),
            ("\n\n", &["standard input: the file has no header"]),
            ("id,\"status", &["standard input:1:2: a quote opens here and is never closed"]),
            ("result.a,id,result.b", &[]),
        ] {
            let told = |problem: &Problem| format!("{}: {}", problem.place, problem.message);
            assert_eq!(problems(header).iter().map(told).collect::<Vec<_>>(), wanted, "{header}");
            assert!(problems(header).iter().all(|problem| problem.hint.is_some()), "{header}");
        }
    }

    #[test]
    fn a_line_that_is_no_header_is_told_as_what_it_is() {
        let title = "no header: it looks like a title above the table";
        let comment = "no header: it looks like a comment";
        let one_cell = "every line is one quoted cell";
        for (text, message, hint) in [
            ("# made by x\nid,status\n", comment, "remove it: the columns' names stand in line 2"),
            ("// made, by x\n\n#\nid\n", comment, "up to line 3: the columns' names stand in line 4"),
            ("# made by x\n", comment, "the first line names the columns"),
            ("Referrals\n,\nid,status\n", title, "up to line 2: the columns' names stand in line 3"),
            ("Referrals,,\nid;status;notes\n", title, "remove it: the columns' names stand in line 2"),
            ("Status,,\nid,status,notes\n", title, "remove it: the columns' names stand in line 2"),
            ("sep=;\nReferrals\nid;status\n", "line 2 is no header", "names stand in line 3"),
            ("\"id,status\"\n\"x,Active\"\n", one_cell, "with commas between cells"),
            ("\"notes;Referral ID\"\n", one_cell, "with ';' between cells"),
            ("\"id,\"\"status\"\"\"\n", one_cell, "with commas between cells"),
            ("\"id,status\"\nx,Active\n", "the header is one quoted cell", "with commas between cells"),
            (
                "sep=;\nid,status\n",
                "separated by commas, and the line before it says ';'",
                "correct that line",
            ),
            ("statsu,x\n", "unknown column", ""),
            ("status\nid\n", title, "remove it"),
            ("idd,status\nid,status\n", title, "remove it"),
        ] {
            let problem = problems(text).remove(0);
            assert!(problem.message.contains(message), "{text}: {problem}");
            let told = spelled(problem.hint.as_ref().unwrap());
            assert!(told.contains(hint), "{text}: {problem}");
        }
    }

    #[test]
    fn a_header_beyond_measure_or_out_of_code_is_refused() {
        let huge = format!("id,{}", "x".repeat(MAX_CELL + 1));
        assert_eq!(problems(&huge)[0].message, "the header is too large");
        let (_, end) = read_bytes(b"id,M\xfcller\n", &options(Format::Csv));
        assert_eq!(end.unwrap_err()[0].message, "the column name \"M\u{fffd}ller\" is not valid UTF-8");
    }
}
