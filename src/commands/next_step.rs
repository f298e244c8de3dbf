//! What is left to do after a run, and the command for it.

use std::fmt;
use std::path::{Path, PathBuf};

use super::choices;
use super::environment::Environment;
use super::next_command::{CommandLine, Operand, flag};
use super::options::RunContext;
use super::repeated::Repeated;
use super::target::Target;
use crate::domain::account::input_name;
use crate::domain::characters::visible;
use crate::domain::outcome::Bucket;
use crate::domain::run_spec::RunSpec;
use crate::domain::setting::{Choice, Setting};
use crate::report::{Forms, Kept, Lost, State, Summary, Written, WrittenFile, counted};

/// The next step after a run: an action, the files that it is about, and the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    action: Action,
    /// The files to look at or to feed back; none where the command is about the run itself.
    files: Vec<PathBuf>,
    command: CommandLine,
}

/// What the next command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// Sends what is planned, and settles what is in doubt.
    Resume,
    /// Plans again from standard input, whose contents were not kept.
    Anew,
    /// Corrects the rows that went wrong, and feeds them back.
    Correct,
    /// Corrects the input itself, where text could not be decoded or a payload may be incomplete: the error
    /// report can't show either.
    Mend(Damage),
    /// Feeds back rows that failed at the service and need no correction.
    Retry,
    /// Feeds back rows of which it is unknown whether they were applied: those that were are found unchanged.
    Check,
    /// Reviews what other users changed, and feeds back the rows that shall still be applied, no longer bound
    /// to the old version by their eTag.
    Review(Forms),
    /// Reviews what other users changed in referrals with legacy payloads, and takes single fields of those
    /// by `--take`. Taking the eTag out is no way here: without it a payload belongs to no version at all.
    Take,
    /// Takes the missing fields of legacy payloads that the service applied in part: their eTag is that of
    /// the version before.
    TakeRest,
}

/// The damage that is to be corrected in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    /// Text that could not be decoded; the row files have lost it.
    Text,
    /// Payloads that may be incomplete.
    Halves,
    /// Both of these.
    Both,
}

impl Damage {
    fn of(lost: &Lost) -> Self {
        match (lost.text, lost.halves) {
            (true, true) => Self::Both,
            (false, true) => Self::Halves,
            (_, false) => Self::Text,
        }
    }

    /// Returns what is to be corrected, and why it has to be corrected in the input.
    fn told(self) -> &'static str {
        match self {
            Self::Text => "the text that could not be read, for the error report has lost it",
            Self::Halves => "what may be no whole payload, for no line of the error report can show that",
            Self::Both => {
                "the text that could not be read and what may be no whole payload, which the error report can't show"
            }
        }
    }
}

/// The files that are fed back, by bucket, and the action for each. What has to be settled first comes first.
const FED_BACK: [(Bucket, Action); 3] =
    [(Bucket::Error, Action::Correct), (Bucket::Pending, Action::Check), (Bucket::Conflict, REVIEW)];

/// The review of conflict files, before it is known in which forms their rows name an eTag.
const REVIEW: Action = Action::Review(Forms { csv: false, xlsx: false, jsonl: false });

/// Returns what is done with these files of a bucket, by what is in them and by the command that read the
/// rows. `action` is that of the bucket in `FED_BACK`.
fn action_for(action: Action, files: &[&WrittenFile], summary: &Summary, written: &Written) -> Action {
    match action {
        Action::Correct if written.lost().rows > 0 => Action::Mend(Damage::of(written.lost())),
        Action::Correct if summary.rows.invalid + summary.rows.refused + summary.rows.partial == 0 => {
            Action::Retry
        }
        Action::Correct
            if summary.command == "migrate" && summary.rows.invalid + summary.rows.refused == 0 =>
        {
            Action::TakeRest
        }
        Action::Review(_) if summary.command == "migrate" => Action::Take,
        Action::Review(_) => Action::Review(written.bound(files)),
        action => action,
    }
}

impl Action {
    /// Returns whether this action is for the files of the same bucket as `other`, an action of `FED_BACK`.
    fn is_of(self, other: Self) -> bool {
        match self {
            Self::Retry | Self::Mend(_) | Self::TakeRest => other == Self::Correct,
            Self::Review(_) | Self::Take => matches!(other, Self::Review(_)),
            this => this == other,
        }
    }
}

impl NextStep {
    /// Returns the first step of what is left to do; `None` where nothing is. Rows that are still to be sent
    /// come before rows that went wrong: a run is completed before another one is made of its rows.
    pub fn of(summary: &Summary, run: &Path, written: &Written, repeated: &Repeated) -> Option<Self> {
        Self::all(summary, run, written, repeated).into_iter().next()
    }

    /// Returns all steps of what is left to do, in the order in which they are made.
    pub fn all(summary: &Summary, run: &Path, written: &Written, repeated: &Repeated) -> Vec<Self> {
        let rows = &summary.rows;
        let is_open = summary.state != State::Finished;
        // What was not planned to its end is planned anew as a whole.
        if summary.state == State::Unplanned {
            let resume = || Self::resume(run, repeated.resuming.clone());
            return vec![repeated.anew.clone().map_or_else(resume, Self::anew)];
        }
        // A run that stopped may have all its outcomes and yet not be at its end, for one that reads its waves back.
        let is_left = is_open && rows.planned + rows.unsent + rows.unknown > 0;
        let resumes = summary.state == State::Stopped || is_left;
        let resume = resumes.then(|| Self::resume(run, repeated.resuming.clone()));
        // Resuming settles the pending rows.
        let fed_back = FED_BACK.into_iter().filter(|(bucket, _)| !resumes || *bucket != Bucket::Pending);
        let fed_back = fed_back.filter_map(|(bucket, action)| {
            let files = holding(written, bucket);
            (!files.is_empty()).then(|| Self::feeding_back(action, &files, summary, written, repeated))
        });
        resume.into_iter().chain(fed_back).collect()
    }

    /// Returns the step that feeds files of one bucket back; `action` is that of the bucket.
    fn feeding_back(
        action: Action,
        files: &[&WrittenFile],
        summary: &Summary,
        written: &Written,
        repeated: &Repeated,
    ) -> Self {
        let action = action_for(action, files, summary, written);
        let (files, operands): (Vec<PathBuf>, Vec<Operand>) = match action {
            Action::Mend(_) => {
                let inputs = &written.lost().inputs;
                inputs.iter().map(|input| (PathBuf::from(input), Operand::input(input))).unzip()
            }
            _ => {
                let files = files.iter().flat_map(|file| written.versions(&file.path));
                files.map(|file| (file.to_owned(), Operand::Path(file.to_owned()))).unzip()
            }
        };
        // Rows that were never sent can be planned from the snapshot again, as far as it shows enough of
        // their referrals. Referrals in conflict, or with unknown outcome, are no longer as it shows them.
        let is_as_seen = summary.state == State::Planned
            && matches!(action, Action::Correct | Action::Mend(_))
            && !written.is_short();
        let format = match action {
            Action::Mend(_) => &repeated.format,
            _ => &repeated.report_format,
        };
        let state = repeated.state.iter().filter(|_| is_as_seen);
        let take = matches!(action, Action::Take | Action::TakeRest);
        let take = take.then(|| Choice::of(Setting::Take, "POINTER"));
        let choices = format.iter().chain(state).chain(&repeated.applying).cloned().chain(take).collect();
        let command = CommandLine { command: summary.command.clone(), operands, choices };
        Self { action, files, command }
    }

    /// Returns the command.
    pub fn command(&self) -> &CommandLine {
        &self.command
    }

    /// Returns what is to be done with it; `None` where that is the command alone, which goes on with the run.
    pub fn what(&self) -> Option<String> {
        let names = names(self.files.iter().map(PathBuf::as_path));
        let take = flag(Setting::Take);
        let them = if self.files.len() == 1 { "it" } else { "them" };
        Some(match self.action {
            Action::Resume => return None,
            Action::Anew => "nothing was sent; give standard input the same again".to_owned(),
            Action::Mend(damage) => format!(
                "mend in {} {}, and give {them} again, which changes only what was not applied",
                inputs(&self.files),
                damage.told()
            ),
            Action::Correct => format!("correct {names} and feed {them} back"),
            Action::Retry => format!("feed {names} back, which failed for no reason of its own"),
            Action::Check => format!("feed {names} back, which changes only what was not applied"),
            Action::Review(bound) => format!(
                "see in {names} what others changed, keep what still holds{} and feed {them} back",
                unbind(bound)
            ),
            Action::TakeRest => format!(
                "see in {names} what the service did not take, name with {take} what shall be sent again, and feed \
                 {them} back"
            ),
            Action::Take => format!(
                "see in {names} what others changed, name with {take} what still holds, and feed {them} back"
            ),
        })
    }

    /// Returns the step that resumes a run.
    pub fn resume(run: &Path, choices: Vec<Choice>) -> Self {
        Self { action: Action::Resume, files: Vec::new(), command: CommandLine::resume(run, choices) }
    }

    /// Returns the step that plans again what a run can't read a second time.
    pub fn anew(command: CommandLine) -> Self {
        Self { action: Action::Anew, files: Vec::new(), command }
    }

    /// Returns a hint for each file that needs a look and is not what the command is about.
    pub fn besides(&self, summary: &Summary, written: &Written) -> Vec<String> {
        let others = FED_BACK.into_iter().filter(|(bucket, action)| match self.action {
            // Resuming settles the pending rows; a run without a complete plan makes all of it again.
            Action::Resume | Action::Anew => *bucket != Bucket::Pending && summary.state != State::Unplanned,
            this => !this.is_of(*action),
        });
        let files: Vec<_> = others
            .flat_map(|(bucket, action)| holding(written, bucket).into_iter().map(move |file| (action, file)))
            .collect();
        let others = files
            .into_iter()
            .map(|(action, file)| besides(action_for(action, &[file], summary, written), file, written));
        others.chain(self.partly_mended(written)).chain(self.edited(written)).collect()
    }

    /// Returns a hint about the other rows of the error files, where the text of some rows is to be corrected
    /// in the input.
    fn partly_mended(&self, written: &Written) -> Option<String> {
        let files = holding(written, Bucket::Error);
        let rows: u64 = files.iter().filter_map(|file| file.rows).sum();
        let others = rows.saturating_sub(written.lost().rows);
        let names = names(files.iter().map(|file| file.path.as_path()));
        let is_told = matches!(self.action, Action::Mend(_)) && others > 0;
        is_told.then(|| {
            format!("{names} holds {} besides, to be corrected and fed back", counted(others, "row"))
        })
    }

    /// Returns a hint for each report that a user has edited: how its two versions are told apart.
    fn edited<'a>(&self, written: &'a Written) -> impl Iterator<Item = String> + use<'a> {
        let files = self.files.clone();
        let kept = written.kept().iter().filter(move |kept| files.contains(&kept.now));
        kept.map(|Kept { report, now }| {
            let (report, now) = (names([report.as_path()]), names([now.as_path()]));
            format!(
                "{now} is {report} as somebody left it: of a row that both hold, keep the one that is right"
            )
        })
    }
}

/// Returns how to plan a run to its end.
pub fn plan_on(run: &Path) -> String {
    format!("its planning is carried on with by: {}", CommandLine::resume(run, Vec::new()))
}

/// Returns how to see all referrals of a run.
pub fn see_all(run: &Path) -> String {
    let all = CommandLine::show(run, vec![Choice::bare(Setting::All)]);
    format!("every referral of the run is shown by: {all}")
}

/// Returns the files of a bucket that hold rows.
fn holding(written: &Written, bucket: Bucket) -> Vec<&WrittenFile> {
    written.files().iter().filter(|file| file.bucket == Some(bucket) && file.rows > Some(0)).collect()
}

/// Joins the names of files, without their directories.
fn names<'a>(paths: impl IntoIterator<Item = &'a Path>) -> String {
    let names = paths.into_iter().filter_map(|file| file.file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" and ")
}

/// Joins the names of inputs as the user gave them.
fn inputs(paths: &[PathBuf]) -> String {
    let named = |path: &PathBuf| visible(input_name(&path.to_string_lossy())).into_owned();
    paths.iter().map(named).collect::<Vec<_>>().join(" and ")
}

/// Returns a hint about one file that the command is not about.
fn besides(action: Action, file: &WrittenFile, written: &Written) -> String {
    let name = names([file.path.as_path()]);
    let rows = counted(file.rows.unwrap_or(0), "row");
    let take = flag(Setting::Take);
    let what = match action {
        Action::Resume | Action::Anew => "",
        Action::Retry => "to be fed back, with nothing to correct",
        Action::Correct => "to be corrected and fed back",
        Action::Check => "to be fed back, which changes only what was not applied",
        Action::Review(bound) => {
            let unbind = unbind(bound);
            return format!(
                "{name} holds {rows} that others changed meanwhile: keep what still holds{unbind} and feed it back"
            );
        }
        Action::Take => {
            &format!("that others changed meanwhile: name with {take} what still holds, and feed it back")
        }
        Action::TakeRest => &format!(
            "that the service took in part: name with {take} what shall be sent again, and feed it back"
        ),
        Action::Mend(damage) => {
            let Lost { rows: lost, inputs: paths, .. } = written.lost();
            let paths: Vec<_> = paths.iter().map(PathBuf::from).collect();
            let what = match damage {
                Damage::Text => "lost text",
                Damage::Halves => "may be no whole payload",
                Damage::Both => "lost text, or may be no whole payload",
            };
            return format!("{name} holds {rows}, of which {lost} {what}: mend that in {}", inputs(&paths));
        }
    };
    format!("{name} holds {rows} {what}")
}

/// Returns how to release rows whose eTag is no longer the current one, so that they can be fed back. Rows
/// without an eTag are bound to the version that the next plan reads, and need nothing.
fn unbind(bound: Forms) -> &'static str {
    match (bound.csv || bound.xlsx, bound.jsonl) {
        (true, false) => ", empty its eTag",
        (false, true) => ", take out its eTag",
        (true, true) => ", empty its eTag (of JSON, take it out)",
        (false, false) => "",
    }
}

/// Writes what to do, and the command.
impl fmt::Display for NextStep {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(what) = self.what() {
            write!(out, "{what}: ")?;
        }
        write!(out, "{}", self.command)
    }
}

/// Returns the command that resumes a run with the sending options that the user typed.
pub fn resume_as_typed(run_context: RunContext<'_>, environment: &Environment<'_>) -> CommandLine {
    CommandLine::resume(run_context.run, run_context.sending.repeat((environment.clock)()))
}

/// Sets what the console says to a user who leaves the program at once: how to resume.
pub fn tell_on_leaving(run_context: RunContext<'_>, environment: &Environment<'_>) {
    let next = resume_as_typed(run_context, environment);
    environment.console.on_leaving(&format!("next: {next}"), run_context.run);
}

/// Sets the same while the run is planned. The inputs may be such as can't be read again, so the command may
/// be to plan anew.
pub fn tell_on_leaving_plan(run_context: RunContext<'_>, about: &RunSpec, environment: &Environment<'_>) {
    let repeat = run_context.sending.repeat((environment.clock)());
    let next = match choices::anew(about, &repeat) {
        Some(command) => NextStep::anew(command),
        None => {
            let choices = repeat.into_iter().chain(Target::choice_to_confirm(&about.target)).collect();
            NextStep::resume(run_context.run, choices)
        }
    };
    environment.console.on_leaving(&format!("next: {next}"), run_context.run);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Outcome;
    use crate::report::testing::{books, row, summary};

    #[test]
    fn what_is_left_decides() {
        let retry = "feed error.csv back, which failed for no reason of its own: \
                     referral-bulk apply 'reports/r 1/error.csv'";
        let review = "see in conflict.csv what others changed, keep what still holds and feed it back: \
                      referral-bulk apply 'reports/r 1/conflict.csv'";
        let correct = "correct error.csv and feed it back: referral-bulk apply 'reports/r 1/error.csv'";
        let resume = "referral-bulk resume 'reports/r 1'";
        let check = "feed pending.csv back, which changes only what was not applied: \
                     referral-bulk apply 'reports/r 1/pending.csv'";
        for (outcomes, wanted) in [
            (&[][..], None),
            (&[Outcome::Applied, Outcome::Unchanged], None),
            (&[Outcome::Conflict], Some(review)),
            (&[Outcome::Conflict, Outcome::Invalid], Some(correct)),
            (&[Outcome::Refused], Some(correct)),
            (&[Outcome::Failed], Some(retry)),
            (&[Outcome::Failed, Outcome::Refused], Some(correct)),
            (&[Outcome::Failed, Outcome::Partial], Some(correct)),
            (&[Outcome::Failed, Outcome::Planned], Some(resume)),
            (&[Outcome::Failed, Outcome::Unsent], Some(resume)),
            (&[Outcome::Unsent, Outcome::Unknown], Some(resume)),
            (&[Outcome::Unknown], Some(check)),
            (&[Outcome::Unknown, Outcome::Conflict], Some(check)),
        ] {
            let rows: Vec<_> = outcomes.iter().zip(1..).map(|(outcome, at)| row(at, 0, *outcome)).collect();
            let run = Path::new("reports/r 1");
            let open = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Planned | Outcome::Unsent));
            let state = if open { State::Stopped } else { State::Finished };
            let summary = Summary { state, ..summary(&books(&rows)) };
            let next = NextStep::of(&summary, run, &written(run, outcomes), &Repeated::default());
            assert_eq!(next.map(|next| next.to_string()).as_deref(), wanted, "{outcomes:?}");
        }
    }

    /// A plan that was cut off is made again from its inputs. Where these can't be read again, the user has
    /// to give them again; a complete plan needs none.
    #[test]
    fn standard_input_is_asked_for_again_only_where_it_was_not_planned() {
        let anew = "nothing was sent; give standard input the same again: referral-bulk apply - --format csv";
        let resume = "referral-bulk resume r --rate 1/s";
        let feed_back = "feed pending.csv back, which changes only what was not applied: referral-bulk apply r/pending.csv";
        let retry =
            "feed error.csv back, which failed for no reason of its own: referral-bulk apply r/error.csv";
        for (state, outcome, from_stdin, from_files) in [
            (State::Unplanned, Outcome::Unsent, Some(anew), Some(resume)),
            (State::Unplanned, Outcome::Invalid, Some(anew), Some(resume)),
            (State::Planned, Outcome::Planned, Some(resume), Some(resume)),
            (State::Planned, Outcome::Unchanged, None, None),
            (State::Stopped, Outcome::Unsent, Some(resume), Some(resume)),
            (State::Stopped, Outcome::Unknown, Some(resume), Some(resume)),
            (State::Stopped, Outcome::Failed, Some(resume), Some(resume)),
            (State::Finished, Outcome::Failed, Some(retry), Some(retry)),
            (State::Finished, Outcome::Unknown, Some(feed_back), Some(feed_back)),
            (State::Finished, Outcome::Applied, None, None),
        ] {
            let summary = Summary { state, ..summary(&books(&[row(1, 0, outcome)])) };
            let (run, resuming) = (Path::new("r"), vec![Choice::of(Setting::Rate, "1/s")]);
            let next = |anew: Option<CommandLine>| {
                let flags = Repeated { resuming: resuming.clone(), anew, ..Repeated::default() };
                NextStep::of(&summary, run, &written(run, &[outcome]), &flags).map(|next| next.to_string())
            };
            let format = vec![Choice::of(Setting::Format, "csv")];
            let anew = CommandLine::apply(vec![Operand::Stdin], format);
            assert_eq!(next(Some(anew)).as_deref(), from_stdin, "{state:?} {outcome:?}");
            assert_eq!(next(None).as_deref(), from_files, "{state:?} {outcome:?}");
        }
    }

    #[test]
    fn rows_are_fed_back_to_the_command_that_read_them() {
        let files = ["r/error.csv", "r/error.jsonl"].map(PathBuf::from).to_vec();
        let command = CommandLine {
            command: "migrate".to_owned(),
            operands: files.iter().cloned().map(Operand::Path).collect(),
            choices: [Setting::Clear, Setting::Sandbox].map(Choice::bare).to_vec(),
        };
        let next = NextStep { action: Action::Correct, files, command };
        assert_eq!(
            next.to_string(),
            "correct error.csv and error.jsonl and feed them back: \
             referral-bulk migrate r/error.csv r/error.jsonl --clear --sandbox"
        );
    }

    #[test]
    fn fields_are_taken_from_payloads_in_conflict() {
        let run = Path::new("r");
        let rows = [row(1, 0, Outcome::Conflict), row(2, 0, Outcome::Unknown)];
        let summary = Summary { command: "migrate".to_owned(), ..summary(&books(&rows)) };
        let flags = Repeated { applying: vec![Choice::bare(Setting::Sandbox)], ..Repeated::default() };
        let next = NextStep::of(&summary, run, &written(run, &[Outcome::Conflict]), &flags).unwrap();
        assert_eq!(
            next.to_string(),
            "see in conflict.csv what others changed, name with --take what still holds, and feed it back: \
             referral-bulk migrate r/conflict.csv --sandbox --take POINTER"
        );
        let written = written(run, &[Outcome::Conflict, Outcome::Unknown]);
        let next = NextStep::of(&summary, run, &written, &flags).unwrap();
        assert_eq!(
            next.besides(&summary, &written),
            [
                "conflict.csv holds 1 row that others changed meanwhile: name with --take what still holds, and feed it back"
            ]
        );
    }

    /// What isn't there can't be emptied, and an eTag that is an empty text in JSON is none.
    #[test]
    fn rows_are_unbound_as_their_file_has_them() {
        let file = |name: &str| WrittenFile {
            path: Path::new("r").join(name),
            rows: Some(1),
            bucket: Some(Bucket::Conflict),
            sha256: None,
        };
        let summary = summary(&books(&[row(1, 0, Outcome::Conflict)]));
        let (csv, jsonl) = ("conflict.csv", "conflict.jsonl");
        for (names, bound, wanted) in [
            (&[csv][..], (false, false), "keep what still holds and feed it back: "),
            (&[csv], (true, false), "keep what still holds, empty its eTag and feed it back: "),
            (&[jsonl], (false, false), "keep what still holds and feed it back: "),
            (&[jsonl], (false, true), "keep what still holds, take out its eTag and feed it back: "),
            (&[csv, jsonl], (false, true), "keep what still holds, take out its eTag and feed them back: "),
            (&[csv, jsonl], (true, false), "keep what still holds, empty its eTag and feed them back: "),
            (
                &[csv, jsonl],
                (true, true),
                "keep what still holds, empty its eTag (of JSON, take it out) and feed them back: ",
            ),
        ] {
            let mut written: Written = names.iter().map(|name| file(name)).collect();
            written.bind(Forms { csv: bound.0, jsonl: bound.1, ..Forms::default() });
            let next = NextStep::of(&summary, Path::new("r"), &written, &Repeated::default()).unwrap();
            assert!(next.to_string().contains(wanted), "{next}");
            let resume = NextStep::resume(Path::new("r"), Vec::new());
            for (note, name) in resume.besides(&summary, &written).iter().zip(names) {
                let unbind = match *name {
                    "conflict.csv" if bound.0 => ", empty its eTag",
                    "conflict.jsonl" if bound.1 => ", take out its eTag",
                    _ => "",
                };
                let wanted = format!(
                    "{name} holds 1 row that others changed meanwhile: keep what still holds{unbind} and feed it back"
                );
                assert_eq!(*note, wanted);
            }
            assert_eq!(next.besides(&summary, &written), [""; 0]);
        }
    }

    #[test]
    fn what_else_needs_a_look_is_said() {
        let run = Path::new("r");
        let error = "error.csv holds 1 row to be corrected and fed back";
        let conflict =
            "conflict.csv holds 2 rows that others changed meanwhile: keep what still holds and feed it back";
        let check = "pending.csv holds 1 row to be fed back, which changes only what was not applied";
        let retry = "error.csv holds 1 row to be fed back, with nothing to correct";
        let (bad, late) = (Outcome::Invalid, Outcome::Conflict);
        for (state, outcomes, wanted) in [
            (State::Planned, &[Outcome::Planned][..], &[][..]),
            (State::Planned, &[Outcome::Planned, bad, late, late], &[error, conflict]),
            (State::Stopped, &[Outcome::Unsent, bad], &[error]),
            (State::Stopped, &[Outcome::Unsent, Outcome::Failed], &[retry]),
            (State::Finished, &[bad], &[]),
            (State::Finished, &[bad, late, late, Outcome::Unknown], &[check, conflict]),
            (State::Finished, &[late, late, Outcome::Unknown], &[conflict]),
        ] {
            let rows: Vec<_> = outcomes.iter().zip(1..).map(|(outcome, at)| row(at, 0, *outcome)).collect();
            let summary = Summary { state, ..summary(&books(&rows)) };
            let written = written(run, outcomes);
            let next = NextStep::of(&summary, run, &written, &Repeated::default()).unwrap();
            assert_eq!(next.besides(&summary, &written), wanted, "{outcomes:?}");
            if state == State::Stopped {
                let unplanned = Summary { state: State::Unplanned, ..summary };
                assert_eq!(next.besides(&unplanned, &written), [""; 0], "all of it is planned again");
            }
        }
    }

    /// A snapshot from before a run doesn't show what the run, or another user, changed.
    #[test]
    fn only_what_was_never_sent_is_planned_from_a_snapshot() {
        let run = Path::new("r");
        for (state, outcome, wanted) in [
            (State::Planned, Outcome::Invalid, "apply r/error.csv --state s.jsonl --clear"),
            (State::Planned, Outcome::Conflict, "apply r/conflict.csv --clear"),
            (State::Finished, Outcome::Invalid, "apply r/error.csv --clear"),
            (State::Finished, Outcome::Failed, "apply r/error.csv --clear"),
            (State::Finished, Outcome::Partial, "apply r/error.csv --clear"),
            (State::Finished, Outcome::Unknown, "apply r/pending.csv --clear"),
            (State::Finished, Outcome::Conflict, "apply r/conflict.csv --clear"),
            (State::Finished, Outcome::Refused, "apply r/error.csv --clear"),
        ] {
            let summary = Summary { state, ..summary(&books(&[row(1, 0, outcome)])) };
            let flags = Repeated {
                applying: vec![Choice::bare(Setting::Clear)],
                state: Some(Choice::of(Setting::State, "s.jsonl")),
                ..Repeated::default()
            };
            let next = NextStep::of(&summary, run, &written(run, &[outcome]), &flags).unwrap();
            assert_eq!(next.command.to_string(), format!("referral-bulk {wanted}"), "{state:?} {outcome:?}");
        }
    }

    /// What the snapshot doesn't show, it won't show the next time either.
    #[test]
    fn rows_that_hang_on_what_a_snapshot_does_not_show_are_planned_without_it() {
        let run = Path::new("r");
        for (is_short, wanted) in
            [(false, "apply r/error.csv --state s.jsonl --plan"), (true, "apply r/error.csv --plan")]
        {
            let summary =
                Summary { state: State::Planned, ..summary(&books(&[row(1, 0, Outcome::Invalid)])) };
            let flags = Repeated {
                applying: vec![Choice::bare(Setting::Plan)],
                state: Some(Choice::of(Setting::State, "s.jsonl")),
                ..Repeated::default()
            };
            let mut written = written(run, &[Outcome::Invalid]);
            written.fall_short(is_short);
            let next = NextStep::of(&summary, run, &written, &flags).unwrap();
            assert_eq!(next.command.to_string(), format!("referral-bulk {wanted}"));
        }
    }

    /// Neither version need hold all rows.
    #[test]
    fn both_versions_of_a_report_that_was_changed_are_named() {
        let run = Path::new("r");
        let rows = [row(1, 0, Outcome::Unknown), row(2, 0, Outcome::Invalid)];
        let summary = Summary { state: State::Finished, ..summary(&books(&rows)) };
        let mut written = written(run, &[Outcome::Unknown]);
        let kept = |name: &str, now: &str| Kept { report: run.join(name), now: run.join(now) };
        written.keep(vec![
            kept("pending.csv", "pending.edited-1.csv"),
            kept("plan.jsonl", "plan.edited-1.jsonl"),
        ]);
        let next = NextStep::of(&summary, run, &written, &Repeated::default()).unwrap();
        assert_eq!(
            next.to_string(),
            "feed pending.edited-1.csv and pending.csv back, which changes only what was not applied: \
             referral-bulk apply r/pending.edited-1.csv r/pending.csv"
        );
        assert_eq!(
            next.besides(&summary, &written),
            [
                "pending.edited-1.csv is pending.csv as somebody left it: of a row that both hold, keep the one that is right"
            ]
        );
    }

    /// What an error report has lost can't be corrected there.
    #[test]
    fn text_that_was_lost_is_mended_where_it_stands() {
        let run = Path::new("r");
        for (inputs, format, wanted, besides) in [
            (
                &["a b.csv"][..],
                None,
                "mend in a b.csv the text that could not be read, for the error report has lost it, and give it \
                 again, which changes only what was not applied: referral-bulk apply 'a b.csv'",
                &["error.csv holds 1 row besides, to be corrected and fed back"][..],
            ),
            (
                &["-", "b.csv"],
                Some("csv"),
                "mend in standard input and b.csv the text that could not be read, for the error report has lost \
                 it, and give them again, which changes only what was not applied: \
                 referral-bulk apply - b.csv --format csv",
                &["error.csv holds 1 row besides, to be corrected and fed back"],
            ),
        ] {
            let outcomes = [Outcome::Invalid, Outcome::Invalid];
            let rows = [row(1, 0, Outcome::Invalid), row(2, 0, Outcome::Invalid)];
            let summary = summary(&books(&rows));
            let mut written = written(run, &outcomes);
            let inputs = inputs.iter().map(ToString::to_string).collect();
            written.lose(Lost { rows: 1, inputs, text: true, halves: false });
            let flags = Repeated {
                format: format.map(|format| Choice::of(Setting::Format, format)),
                ..Repeated::default()
            };
            let next = NextStep::of(&summary, run, &written, &flags).unwrap();
            assert_eq!(next.to_string(), wanted);
            assert_eq!(next.besides(&summary, &written), besides);
        }
    }

    /// Returns the row files of a run with these outcomes.
    fn written(run: &Path, outcomes: &[Outcome]) -> Written {
        let buckets = [
            (Bucket::Success, "success.csv"),
            (Bucket::Conflict, "conflict.csv"),
            (Bucket::Error, "error.csv"),
            (Bucket::Pending, "pending.csv"),
        ];
        let files = buckets.into_iter().map(|(bucket, name)| {
            let rows = outcomes.iter().filter(|outcome| outcome.bucket() == bucket).count() as u64;
            WrittenFile { path: run.join(name), rows: Some(rows), bucket: Some(bucket), sha256: None }
        });
        files.collect()
    }
}
