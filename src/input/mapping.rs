//! What columns of somebody else's files are mapped to, checked before any file is read.

use super::name_hints::{no_field, whole_list};
use super::names::NameResolver;
use super::options::Options;
use super::value_target::{Unresolved, ValueTarget};
use crate::domain::excerpt::excerpt;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// Why a column can't be mapped to what the user says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingError {
    /// The index of the column among those that are mapped.
    pub at: usize,
    /// What is wrong.
    pub message: String,
    /// What would help.
    pub hint: Wording,
}

/// Makes sure that every mapped column means something that a column of a change file may mean, and that no
/// two that the user typed mean the same. The settings file may hold names of one field for several exports.
///
/// # Errors
/// With the first column of which that isn't so.
pub fn check_mapping(options: &Options) -> Result<(), MappingError> {
    let names = NameResolver::new(options);
    let mut typed: Vec<(ValueTarget, &str)> = Vec::new();
    for (at, mapped) in options.mapped.iter().enumerate() {
        let target = match names.meaning_of(&mapped.field) {
            Ok(target) => target,
            Err(unresolved) => {
                let (message, hint) = explain(&names, &mapped.field, &unresolved);
                return Err(MappingError { at, message, hint });
            }
        };
        if let Some((message, hint)) = no_target(&names, &mapped.field, &target) {
            return Err(MappingError { at, message, hint });
        }
        // What the settings file says of a field under another column's name may be about another export.
        if mapped.from_settings {
            continue;
        }
        if let Some((_, other)) = typed.iter().find(|(known, _)| *known == target) {
            let message = format!("{} is mapped to the same field", excerpt(other));
            return Err(MappingError { at, message, hint: "map one of the two columns".into() });
        }
        typed.push((target, &mapped.column));
    }
    Ok(())
}

/// Returns message and hint for a name that means no field.
fn explain(names: &NameResolver<'_>, field: &str, unresolved: &Unresolved) -> (String, Wording) {
    let shown = excerpt(field);
    match unresolved {
        Unresolved::Ambiguous(paths) => {
            (format!("{shown} may be any of {}", paths.join(", ")), "write the one you mean".into())
        }
        Unresolved::NoField(why) => (no_field(field), (*why).into()),
        Unresolved::Indexed(list) => (
            format!("{shown} names one element of a list, which cannot be changed alone"),
            whole_list(list).into(),
        ),
        Unresolved::Empty | Unresolved::Unknown => unknown(names, field),
    }
}

fn unknown(names: &NameResolver<'_>, field: &str) -> (String, Wording) {
    let hint = match names.nearest(field) {
        Some(known) => format!("did you mean {known}?"),
        None => "name a field, as in status or details.dealValue, or id, or eTag".to_owned(),
    };
    (format!("there is no field {}", excerpt(field)), hint.into())
}

/// Returns message and hint for what a name means and no column can be mapped to.
fn no_target(names: &NameResolver<'_>, field: &str, target: &ValueTarget) -> Option<(String, Wording)> {
    match target {
        ValueTarget::Guards | ValueTarget::Ignored | ValueTarget::LeftAlone => Some(unknown(names, field)),
        ValueTarget::ReadOnly(pointer) if pointer.as_str() == "/engagementId" => {
            let hint = Wording::from("name referrals by it with ").name(Setting::Match).say(" engagementId");
            Some((format!("the service alone writes {pointer}"), hint))
        }
        ValueTarget::ReadOnly(pointer) => Some((
            format!("the service alone writes {pointer}"),
            "map the column to a field that can be changed, or leave it out".into(),
        )),
        ValueTarget::Unconfirmed(pointer) => {
            Some((format!("{pointer} is not documented as patchable"), names.hint(pointer)))
        }
        ValueTarget::Id
        | ValueTarget::Key
        | ValueTarget::Identifier
        | ValueTarget::ETag
        | ValueTarget::Status
        | ValueTarget::Substatus
        | ValueTarget::Set(_)
        | ValueTarget::AddMembers(_)
        | ValueTarget::Append(_)
        | ValueTarget::Portal(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::next_command::spelled;
    use crate::domain::pointer::Pointer;
    use crate::domain::run_spec::MappedColumn;

    /// Returns what is wrong with a mapping, where fields of the settings file begin with a `*`.
    fn told(fields: &[&str], allowed: &[&str]) -> Option<String> {
        let mapped = fields.iter().zip('A'..).map(|(field, column)| MappedColumn {
            column: column.to_string(),
            field: field.trim_start_matches('*').to_owned(),
            from_settings: field.starts_with('*'),
        });
        let allow_paths = allowed.iter().map(|path| Pointer::parse(path).unwrap()).collect();
        let options = Options { mapped: mapped.collect(), allow_paths, ..Options::default() };
        let error = check_mapping(&options).err()?;
        Some(format!("{}: {}; {}", options.mapped[error.at].column, error.message, spelled(&error.hint)))
    }

    #[test]
    fn a_column_is_mapped_to_what_a_column_may_mean() {
        for field in [
            "id",
            "Referral ID",
            "eTag",
            "If-Match",
            "status",
            "Sub Status",
            "closingDateTime",
            "details.closingDateTime",
            "/details/closingDateTime",
            "Est. Close Date",
            "CRM ID",
            "externalReferenceId",
            "team",
            "team.add",
            "/team/-",
        ] {
            assert_eq!(told(&[field], &[]), None, "{field}");
        }
        for (field, wanted) in [
            (
                "closingDatTime",
                "A: there is no field \"closingDatTime\"; did you mean details.closingDateTime?",
            ),
            (
                "zzz",
                "A: there is no field \"zzz\"; name a field, as in status or details.dealValue, or id, or eTag",
            ),
            (
                "",
                "A: there is no field \"\"; name a field, as in status or details.dealValue, or id, or eTag",
            ),
            ("result.outcome", "A: there is no field \"result.outcome\"; name a field"),
            ("Stage", "A: \"Stage\" may be any of salesStage, status, substatus; write the one you mean"),
            (
                "Closed Date",
                "A: \"Closed Date\" is no field that can be changed; the service writes by itself",
            ),
            (
                "/team/0",
                "A: \"/team/0\" names one element of a list, which cannot be changed alone; give the",
            ),
            ("createdDateTime", "A: the service alone writes /createdDateTime; map the column to a field"),
            (
                "engagementId",
                "A: the service alone writes /engagementId; name referrals by it with --match engagementId",
            ),
            ("name", "A: /name is not documented as patchable; opt in with --allow-path /name"),
        ] {
            let told = told(&[field], &[]).unwrap();
            assert!(told.starts_with(wanted), "{field}: {told}");
        }
        assert_eq!(told(&["name"], &["/name"]), None);
    }

    #[test]
    fn two_columns_are_not_mapped_to_one_field() {
        let twice = |column: &str| {
            Some(format!("{column}: \"A\" is mapped to the same field; map one of the two columns"))
        };
        assert_eq!(told(&["notes", "details.notes"], &[]), twice("B"));
        assert_eq!(told(&["id", "status", "Referral Identifier"], &[]), twice("C"));
        assert_eq!(told(&["team", "team.add"], &[]), None);
        // The settings file is for many exports, and each has its own name for a field.
        assert_eq!(told(&["*notes", "*details.notes"], &[]), None);
        assert_eq!(told(&["notes", "*details.notes"], &[]), None);
        assert_eq!(told(&["*notes", "details.notes"], &[]), None);
    }
}
