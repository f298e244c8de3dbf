//! `show`: tells a plan or a run to people, referral by referral, before and after sending.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::environment::{Console, Environment};
use super::error::CommandError;
use super::named_referrals::{self, NamedReferrals, ReferralName};
use super::{next_step, report};
use crate::domain::account::{InputInfo, ItemAccount, Phase, RowStanding};
use crate::domain::excerpt::excerpt;
use crate::domain::exit::Exit;
use crate::domain::outcome::Outcome;
use crate::domain::pointer::Pointer;
use crate::domain::referral::ReferralId;
use crate::input;
use crate::ledger::{self, LedgerError, Reader};
use crate::report::{
    HeldRows, Overview, ReferralFilter, RunView, UnknownInput, counted, grouped, order_line, planned, title,
    title_under_way, waves_line,
};

/// The options of `show`.
#[derive(Debug)]
pub struct ShowOptions {
    /// The run's directory.
    pub run: PathBuf,
    /// The referrals to show, as they were named; all, where none is.
    pub names: Vec<ReferralName>,
    /// Which of these to show, but for their fields.
    pub filter: ReferralFilter,
    /// The fields, named as columns are.
    pub fields: Vec<String>,
    /// Whether to show every referral.
    pub all: bool,
    /// Whether to print JSON lines.
    pub json: bool,
}

/// Prints the overview of a run, or the referrals that were asked for. Nothing is sent, and nothing written.
///
/// # Errors
/// Returns an error where there is no run, it can't be read, or it has none of the referrals that were named.
pub async fn run(options: &ShowOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let fields = options.fields.iter().map(|name| field(name)).collect::<Result<_, _>>()?;
    let reader = ledger::read(&options.run).await.map_err(report::unreadable)?;
    report::tell_newer(reader.newer(), environment.console);
    let NamedReferrals { ids, unknown } = named_referrals::find(&options.names, &reader).await?;
    let ids = (!options.names.is_empty()).then_some(ids);
    let filter = ReferralFilter { ids, fields, ..options.filter.clone() };
    let inputs = reader.inputs().await?;
    let is_overview = filter.is_empty() && !options.all && !options.json;
    if is_overview {
        overview(&options.run, &reader, &inputs, environment).await?;
        return Ok(Exit::Done);
    }
    let listing = Listing {
        options,
        filter,
        view: RunView::of(&reader.header().spec.asked.state, &inputs),
        environment,
    };
    let paging = Paging::begin(environment.console);
    let listed = listing.print(&reader).await;
    drop(paging);
    let Listed { shown, left_out } = listed?;
    if !unknown.is_empty() {
        return Err(CommandError::could_not_run(format!("no row of the run names {}", unknown.join(", ")))
            .hint(next_step::see_all(&options.run)));
    }
    if !left_out.is_empty() {
        let ids: Vec<String> = left_out.iter().map(ToString::to_string).collect();
        let (are, ids) = (if ids.len() == 1 { "is" } else { "are" }, ids.join(", "));
        environment.console.say(&format!("note: {ids} {are} in this run, and not like that"));
    } else if shown == 0 {
        environment.console.say("note: no referral of this run is like that");
    }
    Ok(Exit::Done)
}

/// Returns the pointer of a field that was named as a column is.
fn field(name: &str) -> Result<Pointer, CommandError> {
    input::field_named(name).map_err(|meant| {
        let trouble = CommandError::usage(format!("there is no field {}", excerpt(name)));
        trouble.hint(match meant {
            Some(meant) => format!("did you mean {meant}?"),
            None => {
                "name it as a column of a change file, or by its JSON Pointer, as in dealValue".to_owned()
            }
        })
    })
}

/// Prints how far a run came, what its plan is about, and its first referrals.
async fn overview(
    run: &Path,
    reader: &Reader,
    inputs: &[InputInfo],
    environment: &Environment<'_>,
) -> Result<(), CommandError> {
    let mut overview = Overview::begin(&reader.header().spec.asked.state, inputs);
    let mut rows = [0_u64; Outcome::ALL.len()];
    let mut held = HeldRows::default();
    reader
        .items_with_rows(&mut |account, standings| {
            overview.add(&account, &standings);
            Ok::<_, LedgerError>(())
        })
        .await?;
    reader
        .rows(&mut |row| {
            rows[row.verdict.outcome as usize] += 1;
            held.add(&row);
            Ok::<_, LedgerError>(())
        })
        .await?;
    let counts = overview.counts();
    let outcomes = Outcome::ALL.into_iter().zip(rows).filter(|(_, rows)| *rows > 0);
    let outcomes: Vec<String> =
        outcomes.map(|(outcome, rows)| format!("{} {}", grouped(rows), outcome.name())).collect();
    let sections: Vec<String> = [overview.text()].into_iter().chain(held.text(inputs)).collect();
    let text = format!(
        "{}{}: {}\n{}: {}\n\n{}",
        heading(run, reader, ledger::is_worked_on(run).await),
        counted(rows.iter().sum(), "row"),
        outcomes.join(", "),
        counted(counts.total, "referral"),
        planned(counts),
        sections.join("\n")
    );
    let paging = Paging::begin(environment.console);
    environment.console.data(&text);
    drop(paging);
    if reader.header().phase != Phase::Finished && ledger::is_worked_on(run).await {
        environment.console.say(AT_WORK);
    }
    if overview.is_short() {
        environment.console.say(&format!("hint: {}", next_step::see_all(run)));
    }
    Ok(())
}

/// The note on a run that has a ledger of which more is to come.
pub(super) const AT_WORK: &str = "note: another process is at work on this run: this is how far it has come";

/// Returns the line that tells which run this is, and how far it came.
fn heading(run: &Path, reader: &Reader, is_worked_on: bool) -> String {
    let header = reader.header();
    let (command, name) = (&header.spec.command, run.to_string_lossy());
    let heading = if is_worked_on && header.phase != Phase::Finished {
        title_under_way(command, &name)
    } else {
        title(command, &name, header.phase.into())
    };
    let reason = header.spec.reason.as_ref().map(|reason| format!("reason: {reason}\n"));
    let order = header.spec.order.as_ref().map(order_line);
    let waves = header.spec.waves.as_ref().map(waves_line);
    [Some(heading), reason, order, waves].into_iter().flatten().collect()
}

/// The referrals that were asked for.
struct Listing<'a> {
    options: &'a ShowOptions,
    filter: ReferralFilter,
    view: RunView,
    environment: &'a Environment<'a>,
}

/// What was printed of them.
struct Listed {
    shown: u64,
    /// The referrals that were named, and are not like what else was asked for.
    left_out: BTreeSet<ReferralId>,
}

/// Why no more is printed.
enum Halt {
    Ledger(LedgerError),
    /// An account names an input that the run doesn't have.
    Input(UnknownInput),
    /// Nobody reads any more, or the user interrupted.
    Enough,
}

impl From<LedgerError> for Halt {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<UnknownInput> for Halt {
    fn from(unknown: UnknownInput) -> Self {
        Self::Input(unknown)
    }
}

impl Listing<'_> {
    async fn print(&self, reader: &Reader) -> Result<Listed, CommandError> {
        let mut listed = Listed { shown: 0, left_out: self.filter.ids.clone().unwrap_or_default() };
        let printed = self.print_until_enough(reader, &mut listed).await;
        match printed {
            Ok(()) => Ok(listed),
            // What was not looked at is not left out.
            Err(Halt::Enough) => Ok(Listed { left_out: BTreeSet::new(), ..listed }),
            Err(Halt::Ledger(error)) => Err(error.into()),
            Err(Halt::Input(unknown)) => Err(ledger::damaged(&self.options.run, unknown).into()),
        }
    }

    async fn print_until_enough(&self, reader: &Reader, listed: &mut Listed) -> Result<(), Halt> {
        if !self.options.json {
            self.environment.console.data(&heading(
                &self.options.run,
                reader,
                ledger::is_worked_on(&*self.options.run).await,
            ));
        }
        let mut rows = 0;
        reader
            .items_with_rows(&mut |account, standings| {
                rows += standings.len() as u64;
                if self.filter.takes(&account, &standings) {
                    listed.left_out.remove(&account.item.id);
                    listed.shown += 1;
                    self.referral(&account, &standings)?;
                }
                self.go_on()
            })
            .await?;
        if rows == reader.plan_totals().await?.rows {
            return Ok(());
        }
        reader
            .rows(&mut |row| {
                if row.item.is_none() && self.filter.takes_row(&row) {
                    if let Some(id) = row.id {
                        listed.left_out.remove(&id);
                    }
                    listed.shown += 1;
                    let text =
                        if self.options.json { self.view.row_json(row)? } else { self.view.row_text(row) };
                    self.data(&text);
                }
                self.go_on()
            })
            .await
    }

    fn referral(&self, account: &ItemAccount, standings: &[RowStanding]) -> Result<(), UnknownInput> {
        let text = match self.options.json {
            true => self.view.json(account, standings)?,
            false => self.view.text(account, standings),
        };
        self.data(&text);
        Ok(())
    }

    /// Prints an entry. People see them apart by an empty line.
    fn data(&self, text: &str) {
        let gap = if self.options.json { "" } else { "\n" };
        self.environment.console.data(&format!("{gap}{text}"));
    }

    fn go_on(&self) -> Result<(), Halt> {
        let is_enough = !self.environment.console.is_heard() || self.environment.stop.is_set();
        if is_enough { Err(Halt::Enough) } else { Ok(()) }
    }
}

/// The time in which data goes through the pager.
struct Paging<'a>(&'a dyn Console);

impl<'a> Paging<'a> {
    fn begin(console: &'a dyn Console) -> Self {
        console.page();
        Self(console)
    }
}

impl Drop for Paging<'_> {
    fn drop(&mut self) {
        self.0.end_page();
    }
}
