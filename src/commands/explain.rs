//! `explain`: tells the life of a row, from what was read to every request that was made for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::error::CommandError;
use super::named_referrals::ReferralName;
use super::nearest_rows;
use super::next_command::spelled;
use super::row_name::{RowName, TypedPlace, inputs_named};
use super::{next_step, report, resume, show};
use crate::domain::account::{InputInfo, Phase, RowAccount, input_name};
use crate::domain::excerpt::excerpt;
use crate::domain::exit::Exit;
use crate::domain::format::Format;
use crate::domain::life::Life;
use crate::domain::referral::ReferralId;
use crate::ledger::{self, LineOfInput, Lookup};
use crate::report::LifeOf;

/// The most rows that are told where several begin on one line.
const MOST_ON_A_LINE: usize = 10;

/// The options of `explain`.
#[derive(Debug)]
pub struct ExplainOptions {
    /// The run's directory.
    pub run: PathBuf,
    /// The rows that are meant.
    pub what: RowName,
    /// Whether to print one JSON object.
    pub json: bool,
}

/// Prints the life of the rows that are meant. Nothing is sent, and nothing written.
///
/// # Errors
/// Returns a usage error where the name can mean rows of several files, and an error where there is no run, it can't be
/// read, or it has no such row.
pub async fn run(options: &ExplainOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let run = options.run.as_path();
    let lookup = ledger::look_up(run).await.map_err(report::unreadable)?;
    let header = lookup.header();
    report::tell_newer(lookup.newer(), environment.console);
    if header.phase == Phase::Stopped {
        resume::tell_loss(run, header.loss(), environment);
    }
    let inputs = lookup.inputs().await?;
    let rows = rows(options, &lookup, &inputs, environment).await?;
    let lives = lives(&lookup, rows).await?;
    let (consents, approvals) = (lookup.consents().await?, lookup.approvals().await?);
    let is_at_work = ledger::is_worked_on(run).await;
    let header = lookup.header();
    let life_of = LifeOf {
        run: &run.to_string_lossy(),
        spec: &header.spec,
        phase: header.phase,
        is_at_work,
        is_lossy: header.loss().is_some(),
        inputs: &inputs,
        consents: &consents,
        approvals: &approvals,
    };
    if options.json {
        let json = life_of.json(&lives).map_err(|unknown| ledger::damaged(run, unknown))?;
        environment.console.data(&json);
    } else {
        environment.console.page();
        let texts = lives.iter().map(|life| life_of.text(life, spelled));
        environment.console.data(&(life_of.heading() + &texts.collect::<String>()));
        environment.console.end_page();
    }
    if life_of.is_under_way() {
        environment.console.say(show::AT_WORK);
    }
    Ok(Exit::Done)
}

/// Returns the rows that are meant.
async fn rows(
    options: &ExplainOptions,
    lookup: &Lookup,
    inputs: &[InputInfo],
    environment: &Environment<'_>,
) -> Result<Vec<RowAccount>, CommandError> {
    let run = options.run.as_path();
    match &options.what {
        RowName::Referral(ReferralName::Whole(id)) => of_referral(run, *id, lookup, inputs).await,
        RowName::Referral(name @ ReferralName::Beginning(_)) => {
            let ids = nearest_rows::beginning_so(run, name).await?;
            of_referrals(ids, lookup).await
        }
        RowName::Line(line) => {
            let input = only_input(run, *line, inputs)?;
            let at = LineOfInput { input, line: *line, column: None };
            on_line(run, at, lookup, inputs).await
        }
        RowName::Place(places) => {
            let at = place(run, places, lookup, inputs, environment.directory)?;
            on_line(run, at, lookup, inputs).await
        }
    }
}

/// Returns the rows of the referral with an id, or of those of the engagement with that id.
async fn of_referral(
    run: &Path,
    id: ReferralId,
    lookup: &Lookup,
    inputs: &[InputInfo],
) -> Result<Vec<RowAccount>, CommandError> {
    let mut rows = lookup.rows_naming(id).await?;
    if rows.is_empty() {
        rows = of_referrals(lookup.of_engagement(id).await?, lookup).await?;
    }
    if rows.is_empty() {
        return Err(nearest_rows::no_row_of(run, id, lookup, inputs).await);
    }
    Ok(rows)
}

/// Returns the rows of some referrals, in the order of these.
async fn of_referrals(
    ids: impl IntoIterator<Item = ReferralId>,
    lookup: &Lookup,
) -> Result<Vec<RowAccount>, CommandError> {
    let mut rows = Vec::new();
    for id in ids {
        rows.extend(lookup.rows_naming(id).await?);
    }
    Ok(rows)
}

/// Returns the rows that begin on a line.
async fn on_line(
    run: &Path,
    at: LineOfInput,
    lookup: &Lookup,
    inputs: &[InputInfo],
) -> Result<Vec<RowAccount>, CommandError> {
    let rows = lookup.rows_at(at, MOST_ON_A_LINE + 1).await?;
    if rows.is_empty() {
        let beside = lookup.rows_beside(at).await?;
        return Err(nearest_rows::no_row_on(run, at, lookup, &beside, inputs).await);
    }
    if rows.len() > MOST_ON_A_LINE {
        let name = nearest_rows::told(at, inputs);
        let what = format!("more than {MOST_ON_A_LINE} rows begin on {name}");
        return Err(CommandError::usage(what)
            .hint("name one of them by its referral's id, or as FILE:LINE:COLUMN with where it begins"));
    }
    Ok(rows)
}

/// Returns the only input of the run.
fn only_input(run: &Path, line: u64, inputs: &[InputInfo]) -> Result<u32, CommandError> {
    match inputs {
        [_] => Ok(0),
        [] => Err(CommandError::could_not_run("no input of the run was read to its end")
            .hint(next_step::plan_on(run))),
        _ => {
            let names = inputs.iter().map(|input| format!("{}:{line}", input_name(&input.path)));
            Err(CommandError::usage(format!("line {line} can be of any of {} files", inputs.len()))
                .hint(format!("say of which: {}", nearest_rows::listed(names))))
        }
    }
}

/// Returns the place that was typed as that of one input.
fn place(
    run: &Path,
    places: &[TypedPlace],
    lookup: &Lookup,
    inputs: &[InputInfo],
    directory: &Path,
) -> Result<LineOfInput, CommandError> {
    let planned_in = lookup.header().spec.directory.as_ref().map(Path::new);
    for TypedPlace { file, line, column, is_cell } in places {
        let named = inputs_named(file, inputs, directory, planned_in);
        match named.as_slice() {
            [] => {}
            [input] => {
                let format = inputs.get(*input as usize).map(|input| input.format);
                let at = LineOfInput { input: *input, line: *line, column: None };
                if *is_cell && format != Some(Format::Xlsx) {
                    let name = nearest_rows::told(at, inputs);
                    let what = format!("{} is no workbook, whose cells have such names", excerpt(file));
                    return Err(CommandError::usage(what).hint(format!("name a line: {name}")));
                }
                // Of these, a row begins at the beginning of its line. A finding names the cell that it is about.
                let is_alone = format.is_some_and(|format| format.is_table() || format == Format::Jsonl);
                return Ok(LineOfInput { column: column.filter(|_| !is_alone), ..at });
            }
            several => {
                let of = |number: &u32| inputs.get(*number as usize);
                let names =
                    several.iter().filter_map(of).map(|input| format!("{}:{line}", input_name(&input.path)));
                return Err(CommandError::usage(format!(
                    "{} files of the run end in that name",
                    several.len()
                ))
                .hint(format!("say which: {}", nearest_rows::listed(names))));
            }
        }
    }
    Err(nearest_rows::no_file(run, places, inputs))
}

/// Returns the lives of rows, those of one item together.
async fn lives(lookup: &Lookup, rows: Vec<RowAccount>) -> Result<Vec<Life>, CommandError> {
    let mut of_items: BTreeMap<u64, usize> = BTreeMap::new();
    let mut lives: Vec<Life> = Vec::new();
    for row in rows {
        let known = row.item.and_then(|item| of_items.get(&item).copied());
        if let Some(life) = known.and_then(|at| lives.get_mut(at)) {
            life.rows.push(row);
            continue;
        }
        let item = match row.item {
            Some(number) => {
                of_items.insert(number, lives.len());
                lookup.item_life(number).await?
            }
            None => None,
        };
        lives.push(Life { rows: vec![row], item });
    }
    Ok(lives)
}
