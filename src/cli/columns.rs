//! What is typed, or stands in the settings file, of single columns of the inputs.

use std::collections::BTreeMap;

use super::config::{Config, DEFAULT_PROFILE, Profile};
use super::origin::{Origin, Table};
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
/// settings file for all profiles. Of several for one column, the first counts. `name` is the name of the profile, if
/// one was typed.
///
/// # Errors
/// A usage error where a column or a field has no name.
pub fn mapped(
    typed: &[String],
    name: Option<&str>,
    profile: &Profile,
    config: &Config,
) -> Result<Vec<MappedColumn>, CommandError> {
    Ok(mapped_with_origin(typed, name, profile, config)?.into_iter().map(|(column, _)| column).collect())
}

/// Returns what [`mapped`] does, with where each stands.
///
/// # Errors
/// As [`mapped`].
pub fn mapped_with_origin<'a>(
    typed: &'a [String],
    name: Option<&'a str>,
    profile: &'a Profile,
    config: &'a Config,
) -> Result<Vec<(MappedColumn, Origin<'a>)>, CommandError> {
    let typed = typed.iter().map(|pair| {
        // A field's name holds no such sign, and a column's may.
        let (column, field) = pair.rsplit_once('=').unwrap_or((pair, ""));
        if column.trim().is_empty() || field.trim().is_empty() {
            let message = format!("--map {}: this names no column and its field", quoted(pair));
            return Err(
                CommandError::usage(message).hint("write it as in --map \"Est. Close Date=closingDateTime\"")
            );
        }
        let (column, field) = (column.to_owned(), field.trim().to_owned());
        Ok((MappedColumn { column, field, from_settings: false }, Origin::Flag("--map")))
    });
    let own = Table::ProfileColumns(name.unwrap_or(DEFAULT_PROFILE));
    let set = [(own, &profile.columns), (Table::Columns, &config.columns)];
    typed.chain(set.into_iter().flat_map(|(table, columns)| of_settings(table, columns, config))).collect()
}

/// Returns what a table of the settings file says.
fn of_settings<'a>(
    table: Table<'a>,
    columns: &'a BTreeMap<String, String>,
    config: &'a Config,
) -> impl Iterator<Item = Result<(MappedColumn, Origin<'a>), CommandError>> {
    columns.iter().map(move |(column, field)| {
        if column.trim().is_empty() {
            let place = config.origin(table, column).place();
            return Err(CommandError::usage(format!("{place}: a key of {table} is empty")).hint(
                "name the column as the header does, as in \"Est. Close Date\" = \"closingDateTime\"",
            ));
        }
        let mapped =
            MappedColumn { column: column.clone(), field: field.trim().to_owned(), from_settings: true };
        Ok((mapped, config.origin(table, column)))
    })
}
