//! `undo`: writes the change file that takes a run back, and the list of what can't be taken back.
//!
//! Nothing is asked of the service, and the run isn't changed: what was there before is on record.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::error::{CommandError, ErrorKind};
use super::next_command::{CommandLine, Operand};
use super::options::SummaryForm;
use super::target::Target;
use super::whereabouts::{STDIN, Whereabouts};
use super::{out_file, report, resume, run_dir};
use crate::domain::account::{InputInfo, Phase};
use crate::domain::characters::visible_path;
use crate::domain::exit::Exit;
use crate::domain::fields::Path as FieldPath;
use crate::domain::format::Format;
use crate::domain::level::Level;
use crate::domain::pointer::Pointer;
use crate::domain::referral::ETag;
use crate::domain::rules::Rule;
use crate::domain::run_spec::{PlanSpec, RunSpec, StateSource};
use crate::domain::setting::{Choice, Setting};
use crate::domain::verification::VerifiedStanding;
use crate::domain::way_back::{Obstacle, WayBack};
use crate::input::{format_named, is_gzip};
use crate::ledger::{self, Reader, SentItem};
use crate::plan::{ReturnTerms, SentChange, inverse};
use crate::report::{ReportError, UndoFiles, UndoTally, beside, counted};

/// The options of `undo`.
#[derive(Debug)]
pub struct UndoOptions {
    /// The run's directory.
    pub run: PathBuf,
    /// The file to write.
    pub out: PathBuf,
    /// Whether files of the same names may be replaced.
    pub force: bool,
    /// The form of the summary on standard output.
    pub summary: SummaryForm,
}

/// Writes the change file and the list, and prints what they come to.
///
/// # Errors
/// Returns an error where the run can't be read, nothing of it can have been written yet, or another process is at
/// work on it; and where a file can't be written, or one of its name is there. Then neither file is written.
pub async fn run(options: &UndoOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let UndoOptions { run, out, force, .. } = options;
    check(out, *force).await?;
    let reader = at_rest(run, environment).await?;
    let inputs = reader.inputs().await?;
    spare(options, &reader.header().spec, inputs.clone(), environment)?;
    let found = Found::of(&reader).await?;
    let mut undo = Undo::begin(options, &reader, found, environment).await?;
    reader.sent(&mut |sent| undo.add(&sent)).await?;
    let Undo { files, tally, needs, .. } = undo;
    files.finish(*force).map_err(|error| unwritten(error, options))?;
    let exit = if tally.stuck() == 0 { Exit::Done } else { Exit::SomeFailed };
    let name = run.to_string_lossy();
    let console = environment.console;
    match options.summary {
        SummaryForm::Json => console.data(&tally.json(&name, exit.code(), Some(out))),
        SummaryForm::Text => console.data(&tally.text(&name, &inputs, out)),
        SummaryForm::None => {}
    }
    tell_rest(&reader, options, &tally, environment).await?;
    let spec = &Whereabouts::of(&reader.header().spec, environment).about(&reader.header().spec);
    if tally.lines() > 0 {
        if spec.is_rehearsal() {
            console.say(
                "note: the run was a rehearsal: its sandbox began anew with it and is gone, so nothing is left there to \
                 take back",
            );
        } else {
            console.say(&format!(
                "next: look through {}, then: {}",
                visible_path(out),
                needs.command(out, spec)
            ));
        }
    }
    Ok(exit)
}

/// Opens a run of which something may have been written, and on which nobody is at work.
async fn at_rest(run: &Path, environment: &Environment<'_>) -> Result<Reader, CommandError> {
    if ledger::is_worked_on(run).await {
        return Err(CommandError::could_not_run(format!(
            "another process is at work on the run in {}, and may write more of it",
            visible_path(run)
        ))
        .hint("wait for its end, or interrupt it, and then undo what it wrote"));
    }
    let reader = ledger::read(run).await.map_err(report::unreadable)?;
    // What is damaged must not pass for what was there before.
    reader.check_pages().await?;
    report::tell_newer(reader.newer(), environment.console);
    let what = match reader.header().phase {
        Phase::Planning => "was stopped while it was planned",
        Phase::Planned => "was only planned",
        Phase::Stopped => {
            resume::tell_loss(run, reader.header().loss(), environment);
            return Ok(reader);
        }
        Phase::Finished => return Ok(reader),
    };
    let message = format!(
        "the run in {} {what}: nothing was written, so there is nothing to take back",
        visible_path(run)
    );
    Err(CommandError::usage(message)
        .hint(format!("to carry it out: {}", CommandLine::resume(run, Vec::new()))))
}

/// Tells what else may still become of the run.
async fn tell_rest(
    reader: &Reader,
    options: &UndoOptions,
    tally: &UndoTally,
    environment: &Environment<'_>,
) -> Result<(), CommandError> {
    if reader.header().phase != Phase::Stopped {
        return Ok(());
    }
    let left = counted(reader.plan_totals().await?.remaining, "referral");
    let resume = CommandLine::resume(&options.run, Vec::new());
    let doubts = if tally.has_doubts() { ", and settles what is in doubt" } else { "" };
    environment.console.say(&format!(
        "note: the run stopped before its end, with {left} left: {resume} goes on with it{doubts}; what that writes is \
         no part of this file"
    ));
    Ok(())
}

/// Makes sure that both files can be put in their places, so that nothing is made in vain, and that `apply` reads the
/// first as what it is.
async fn check(out: &Path, force: bool) -> Result<(), CommandError> {
    let otherwise = match format_named(out) {
        _ if is_gzip(out) => Some("it is not compressed".to_owned()),
        Some(Format::Jsonl) | None => None,
        Some(format) => Some(format!("by this name it would be read as {}", format.name())),
    };
    if let Some(otherwise) = otherwise {
        let what = format!("{}: the way back is JSON lines, and {otherwise}", visible_path(out));
        return Err(CommandError::usage(what).hint("name a file that ends in .jsonl, as in back.jsonl"));
    }
    for file in [out, &beside(out)] {
        out_file::check(file, force).await?;
    }
    Ok(())
}

/// Makes sure that neither file replaces what the run was made from, or has of its own: it could not go on without.
fn spare(
    options: &UndoOptions,
    about: &RunSpec,
    inputs: Vec<InputInfo>,
    environment: &Environment<'_>,
) -> Result<(), CommandError> {
    let UndoOptions { run, out, .. } = options;
    let whereabouts = Whereabouts::of(about, environment);
    let inputs = whereabouts.inputs(inputs).into_iter().map(|input| input.path);
    let inputs: Vec<PathBuf> = inputs.filter(|path| path != STDIN).map(PathBuf::from).collect();
    let asked = whereabouts.about(about).asked;
    let snapshot = match &asked.state {
        StateSource::File(snapshot) => Some(snapshot),
        _ => None,
    };
    let migrating = asked.migrating.iter();
    let bases: Vec<&PathBuf> = asked
        .base
        .iter()
        .map(|base| &base.path)
        .chain(migrating.clone().filter_map(|migrating| Some(&migrating.base.as_ref()?.path)))
        .chain(snapshot)
        .collect();
    let patches: Vec<&PathBuf> = migrating.filter_map(|migrating| migrating.patches.as_ref()).collect();
    let own = fs::read_dir(run).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let own: Vec<PathBuf> = own.filter(|file| run_dir::is_reserved(file)).collect();
    for file in [out, &beside(out)] {
        out_file::spare(file, &inputs, "an input of the run itself")?;
        out_file::spare(file, &bases, "what the run itself was planned with")?;
        out_file::spare(file, &patches, "what the run itself wrote")?;
        out_file::spare(file, &own, "a file of the run itself")?;
    }
    Ok(())
}

/// Returns the error of a file that can't be written.
fn unwritten(error: ReportError, options: &UndoOptions) -> CommandError {
    match error {
        ReportError::Write { path, source } if source.kind() == IoErrorKind::AlreadyExists => {
            out_file::there_already(&path)
        }
        ReportError::UnknownInput(unknown) => ledger::damaged(&options.run, unknown).into(),
        error => CommandError::could_not_run("").because(error).hint("see to space and permissions there"),
    }
}

/// The way back of a run while it is made.
struct Undo<'a> {
    options: &'a UndoOptions,
    environment: &'a Environment<'a>,
    terms: ReturnTerms,
    found: Found,
    files: UndoFiles,
    tally: UndoTally,
    needs: Needs<'a>,
}

impl<'a> Undo<'a> {
    async fn begin(
        options: &'a UndoOptions,
        reader: &'a Reader,
        found: Found,
        environment: &'a Environment<'a>,
    ) -> Result<Self, CommandError> {
        let PlanSpec { levels, state, .. } = &reader.header().spec.asked;
        let terms = ReturnTerms {
            levels: levels.clone(),
            was_read: *state != StateSource::None,
            now: (environment.clock)(),
        };
        let inputs = reader.inputs().await?;
        let files = UndoFiles::begin(&options.out, &inputs).map_err(|error| unwritten(error, options))?;
        let needs = Needs::begin(&reader.header().spec);
        Ok(Self { options, environment, terms, found, files, tally: UndoTally::default(), needs })
    }

    /// Adds what was sent for a referral.
    fn add(&mut self, sent: &SentItem) -> Result<(), CommandError> {
        if self.environment.stop.is_set() {
            return Err(CommandError::new(ErrorKind::Stopped, "interrupted: nothing was written"));
        }
        let (subject, settled) = (sent.subject.as_ref(), sent.settled.as_ref());
        let mut back = inverse(SentChange { item: &sent.item, settled, subject }, &self.terms);
        self.found.hold_back(sent.item.number, &mut back);
        if back.is_empty() {
            return Ok(());
        }
        let place = sent.rows.first().copied();
        self.needs.add(&back);
        self.tally.add(&back, subject, place);
        self.files.add(&back, subject, place).map_err(|error| unwritten(error, self.options))
    }
}

/// What verifications found last of the referrals, by number of their items.
struct Found(HashMap<u64, Seen>);

/// What a verification found of one referral.
enum Seen {
    /// It had the version of this hash. A run may have a million of them, and no more is needed.
    At(u64),
    /// A field had another value than the run wrote, whatever version was shown with it.
    Changed,
    /// It was not there.
    Gone,
}

impl Found {
    async fn of(reader: &Reader) -> Result<Self, CommandError> {
        let mut found = HashMap::new();
        reader
            .verified(&mut |item| {
                let seen = match (item.verified.standing, &item.verified.etag) {
                    (VerifiedStanding::Gone, _) => Some(Seen::Gone),
                    (VerifiedStanding::ChangedSince, _) => Some(Seen::Changed),
                    (VerifiedStanding::StillOurs | VerifiedStanding::NotReadable, etag) => {
                        etag.as_ref().map(|etag| Seen::At(hash(etag)))
                    }
                };
                found.extend(seen.map(|seen| (item.number, seen)));
                Ok::<_, CommandError>(())
            })
            .await?;
        Ok(Self(found))
    }

    /// Keeps a referral from being taken back that is known to have moved on: bound to the version that the run made,
    /// its line could only be a conflict.
    fn hold_back(&self, item: u64, back: &mut WayBack) {
        let obstacle = match (self.0.get(&item), &back.etag) {
            (Some(Seen::Gone), _) => Obstacle::Gone,
            (Some(Seen::Changed), _) => Obstacle::ChangedSince,
            (Some(Seen::At(seen)), Some(made)) if *seen != hash(made) => Obstacle::ChangedSince,
            _ => return,
        };
        back.hold_back(|_| Some((obstacle, format!("{} (verify)", obstacle.about()))));
    }
}

/// Returns a hash of a version.
fn hash(etag: &ETag) -> u64 {
    let mut hasher = DefaultHasher::new();
    etag.hash(&mut hasher);
    hasher.finish()
}

/// The settings that the change file is applied with.
struct Needs<'a> {
    /// Whether it clears fields.
    clears: bool,
    /// The levels of rules: those of the run, and those by which old values pass.
    rules: BTreeMap<Rule, Level>,
    /// The unconfirmed paths that the user opted into, and whether the file holds any of them.
    allow_paths: Vec<(&'a Pointer, bool)>,
}

impl<'a> Needs<'a> {
    fn begin(about: &'a RunSpec) -> Self {
        // A status that no transition leads back to isn't in the file, whatever that rule lets pass.
        let rules = about.asked.levels.changed().filter(|(rule, _)| *rule != Rule::Transition).collect();
        let allow_paths = about.asked.allow_paths.iter().map(|path| (path, false)).collect();
        Self { clears: false, rules, allow_paths }
    }

    fn add(&mut self, back: &WayBack) {
        self.clears |= back.fields.iter().any(|field| field.clears);
        self.rules.extend(back.let_pass.iter().map(|rule| (*rule, Level::Warn)));
        for field in &back.fields {
            let FieldPath::Opted(pointer) = &field.path else { continue };
            let leads_there =
                |path: &Pointer| path == pointer || pointer.parents().any(|parent| parent == *path);
            let used = self.allow_paths.iter_mut().filter(|(path, is_used)| !is_used && leads_there(path));
            used.for_each(|(_, is_used)| *is_used = true);
        }
    }

    /// Returns the command that plans the change file.
    fn command(&self, file: &Path, about: &RunSpec) -> CommandLine {
        let extension = file.extension().unwrap_or_default().to_ascii_lowercase();
        let is_told = extension == "jsonl" || extension == "ndjson";
        let mut choices = Vec::new();
        choices.extend((!is_told).then(|| Choice::of(Setting::Format, "jsonl")));
        choices.push(Choice::bare(Setting::Plan));
        choices.extend(self.clears.then(|| Choice::bare(Setting::Clear)));
        let rules = self.rules.iter();
        choices
            .extend(rules.map(|(rule, level)| Choice::of(Setting::Rule, format!("{rule}={}", level.name()))));
        let paths = self.allow_paths.iter().filter(|(_, is_used)| *is_used);
        choices.extend(paths.map(|(path, _)| Choice::of(Setting::AllowPath, path.as_str())));
        choices.extend(Target::choice(&about.target));
        CommandLine::apply(vec![Operand::Path(file.to_owned())], choices)
    }
}
