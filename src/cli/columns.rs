//! What is typed, or stands in the settings file, of single columns of the inputs.

use std::collections::BTreeMap;

use super::config::{Config, FILE, Profile};
use crate::commands::{CommandError, quoted};
use crate::domain::priority::{Priority, PriorityError};
use crate::domain::run_spec::MappedColumn;

/// Returns the columns named by `--ignore-column`, each once.
///
/// # Errors
/// A usage error where one has no name.
pub fn left_alone(typed: Vec<String>) -> Result<Vec<String>, CommandError> {
    let mut columns: Vec<String> = Vec::new();
    for name in typed {
        if name.trim().is_empty() {
            return Err(CommandError::usage("--ignore-column: this names no column")
                .hint("name it as the header does; columns without a name and without content are skipped"));
        }
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    Ok(columns)
}

/// Returns the column named by `--priority`.
///
/// # Errors
/// A usage error where it has no name.
pub fn priority(typed: &str) -> Result<Priority, CommandError> {
    typed.parse().map_err(|error: PriorityError| {
        CommandError::usage(format!("--priority {}: {error}", quoted(typed)))
            .hint("name it as the header does, as in --priority Amount:desc")
    })
}

/// Returns what columns mean: first those that were typed, then those of the profile, then those of the
/// settings file for all profiles. Of several for one column, the first counts.
///
/// # Errors
/// A usage error where a column or a field has no name.
pub fn mapped(
    typed: &[String],
    profile: &Profile,
    config: &Config,
) -> Result<Vec<MappedColumn>, CommandError> {
    let typed = typed.iter().map(|pair| {
        // A field's name holds no such sign, and a column's may.
        let (column, field) = pair.rsplit_once('=').unwrap_or((pair, ""));
        if column.trim().is_empty() || field.trim().is_empty() {
            let message = format!("--map {}: this names no column and its field", quoted(pair));
            return Err(
                CommandError::usage(message).hint("write it as in --map \"Est. Close Date=closingDateTime\"")
            );
        }
        Ok(MappedColumn { column: column.to_owned(), field: field.trim().to_owned(), from_settings: false })
    });
    let set = [&profile.columns, &config.columns].into_iter().flat_map(of_settings);
    typed.chain(set).collect()
}

/// Returns what a table of the settings file says.
fn of_settings(table: &BTreeMap<String, String>) -> impl Iterator<Item = Result<MappedColumn, CommandError>> {
    table.iter().map(|(column, field)| {
        if column.trim().is_empty() {
            return Err(CommandError::usage(format!("{FILE}: a key of [columns] is empty")).hint(
                "name the column as the header does, as in \"Est. Close Date\" = \"closingDateTime\"",
            ));
        }
        let (column, field) = (column.clone(), field.trim().to_owned());
        Ok(MappedColumn { column, field, from_settings: true })
    })
}
