//! The command to type next.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::Utf8Chunk;

use crate::domain::account::input_name;
use crate::domain::characters::{is_hidden, visible};
use crate::domain::outcome::Bucket;

use super::edited::Kept;
use super::format::counted;
use super::lost::Lost;
use super::summary::{State, Summary};
use super::written::{Forms, Written, WrittenFile};

/// What stands for standard input among the inputs.
const STDIN: &str = "-";

/// What is left to do after a run, and the command for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    deed: Action,
    /// `apply`, or another command.
    command: String,
    paths: Vec<PathBuf>,
    flags: Vec<String>,
}

/// What the next command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// Send what is planned, settle what is in doubt.
    Resume,
    /// Plan once more from standard input, of which nobody keeps what it held.
    Anew,
    /// Write the reports that could not be written.
    Report,
    /// Correct the rows that went wrong, and feed them back.
    Correct,
    /// Mend what could not be decoded, or may be half a payload, where it stands: in the input.
    Mend(Harm),
    /// Feed back the rows that the service failed, which need no correction.
    Retry,
    /// Feed back the rows of which nobody knows whether they were applied: what was, is found
    /// unchanged.
    Check,
    /// Look at what somebody else changed, and feed back the rows that shall still be applied, bound to their
    /// old version no more.
    Review(Forms),
    /// The same with legacy payloads, of which single fields are taken: without its eTag a payload is
    /// of no version at all.
    Take,
    /// The same with legacy payloads that the service took in part: their eTag is that of before.
    TakeRest,
}

/// What is to be mended in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    /// Text that could not be decoded, which the row files have lost.
    Text,
    /// Payloads that may not be whole.
    Halves,
    Both,
}

impl Harm {
    fn of(lost: &Lost) -> Self {
        match (lost.text, lost.halves) {
            (true, true) => Self::Both,
            (false, true) => Self::Halves,
            (_, false) => Self::Text,
        }
    }

    /// What is to be mended, and why nowhere else.
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

/// The flags that the next command takes, ready for a shell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// To carry on with the run.
    pub resuming: Vec<String>,
    /// What reads and plans the inputs once more, where the run can't do that by itself: the inputs, and
    /// the flags. `None` where it can.
    pub anew: Option<Vec<String>>,
    /// To read and judge rows as they were, and to send them where they went. Where the referrals' state came from
    /// is not among them: what a run did, or somebody else, no snapshot shows that was there before.
    pub applying: Vec<String>,
    /// Where the state came from, which holds as long as nothing was sent.
    pub state: Option<String>,
    /// The form of the inputs, where it was named.
    pub format: Option<String>,
}

/// What rows are fed back for, by the file that they are in. What has to be settled first comes first.
const FED_BACK: [(Bucket, Action); 3] =
    [(Bucket::Error, Action::Correct), (Bucket::Pending, Action::Check), (Bucket::Conflict, REVIEW)];

/// Of files that are to be looked at yet.
const REVIEW: Action = Action::Review(Forms { csv: false, jsonl: false });

/// What is done with these files of a bucket, by what is in them and by the command that read the rows.
fn deed_of(deed: Action, files: &[&WrittenFile], summary: &Summary, written: &Written) -> Action {
    match deed {
        Action::Correct if written.lost().rows > 0 => Action::Mend(Harm::of(written.lost())),
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
        deed => deed,
    }
}

impl Action {
    /// Whether this is what is done with the files that the other is for.
    fn is_of(self, other: Self) -> bool {
        match self {
            Self::Retry | Self::Mend(_) | Self::TakeRest => other == Self::Correct,
            Self::Review(_) | Self::Take => matches!(other, Self::Review(_)),
            this => this == other,
        }
    }
}

impl Next {
    /// The first of what is left to do; `None` where nothing is. Rows that are still to be sent come
    /// before those that went wrong: a run is brought to its end before another one is made of it.
    pub fn of(summary: &Summary, run: &Path, written: &Written, flags: Flags) -> Option<Self> {
        let rows = &summary.rows;
        let is_open = summary.state != State::Finished;
        if summary.state == State::Unplanned
            && let Some(words) = flags.anew
        {
            return Some(Self::anew(&summary.command, words));
        }
        if summary.state == State::Unplanned || is_open && rows.planned + rows.unsent + rows.unknown > 0 {
            return Some(Self::resume(run, flags.resuming));
        }
        let (deed, files) = FED_BACK
            .into_iter()
            .map(|(bucket, deed)| (deed, holding(written, bucket)))
            .find(|(_, files)| !files.is_empty())?;
        let deed = deed_of(deed, &files, summary, written);
        let paths = match deed {
            Action::Mend(_) => written.lost().inputs.iter().map(PathBuf::from).collect(),
            _ => files.iter().flat_map(|file| written.versions(&file.path)).map(Path::to_owned).collect(),
        };
        // What was never sent is as the snapshot tells, as far as it tells enough; what is unknown or changed
        // meanwhile is not.
        let is_as_seen = summary.state == State::Planned
            && matches!(deed, Action::Correct | Action::Mend(_))
            && !written.is_short();
        let format = flags.format.filter(|_| matches!(deed, Action::Mend(_)));
        let state = flags.state.filter(|_| is_as_seen);
        let take = matches!(deed, Action::Take | Action::TakeRest).then(|| "--take POINTER".to_owned());
        let flags = format.into_iter().chain(state).chain(flags.applying).chain(take).collect();
        Some(Self { deed, command: summary.command.clone(), paths, flags })
    }

    /// Carries on with a run.
    pub fn resume(run: &Path, flags: Vec<String>) -> Self {
        Self { deed: Action::Resume, command: "resume".to_owned(), paths: vec![run.to_owned()], flags }
    }

    /// Plans once more what a run could not read twice. `words` are the inputs and the flags, ready for a
    /// shell.
    pub fn anew(command: &str, words: Vec<String>) -> Self {
        Self { deed: Action::Anew, command: command.to_owned(), paths: Vec::new(), flags: words }
    }

    /// Writes the reports of a run again.
    pub fn report(run: &Path) -> Self {
        let paths = vec![run.to_owned()];
        Self { deed: Action::Report, command: "report".to_owned(), paths, flags: Vec::new() }
    }

    /// What else needs a look, and is not what the command is about.
    pub fn besides(&self, summary: &Summary, written: &Written) -> Vec<String> {
        let others = FED_BACK.into_iter().filter(|(bucket, deed)| match self.deed {
            // Carrying on deals with what is pending, and with all where there is no plan yet.
            Action::Resume | Action::Anew => *bucket != Bucket::Pending && summary.state != State::Unplanned,
            this => !this.is_of(*deed),
        });
        let files: Vec<_> = others
            .flat_map(|(bucket, deed)| holding(written, bucket).into_iter().map(move |file| (deed, file)))
            .collect();
        let others = files
            .into_iter()
            .map(|(deed, file)| besides(deed_of(deed, &[file], summary, written), file, written));
        others.chain(self.partly_mended(written)).chain(self.edited(written)).collect()
    }

    /// What else the error files hold, where the text of some rows is to be mended in the input.
    fn partly_mended(&self, written: &Written) -> Option<String> {
        let files = holding(written, Bucket::Error);
        let rows: u64 = files.iter().filter_map(|file| file.rows).sum();
        let others = rows.saturating_sub(written.lost().rows);
        let names = names(files.iter().map(|file| file.path.as_path()));
        let is_told = matches!(self.deed, Action::Mend(_)) && others > 0;
        is_told.then(|| {
            format!("{names} holds {} besides, to be corrected and fed back", counted(others, "row"))
        })
    }

    /// How the versions of a report that somebody changed are told apart.
    fn edited<'a>(&self, written: &'a Written) -> impl Iterator<Item = String> + use<'a> {
        let paths = self.paths.clone();
        let kept = written.kept().iter().filter(move |kept| paths.contains(&kept.now));
        kept.map(|Kept { report, now }| {
            let (report, now) = (names([report.as_path()]), names([now.as_path()]));
            format!(
                "{now} is {report} as somebody left it: of a row that both hold, keep the one that is right"
            )
        })
    }

    /// The command, ready to be typed into a POSIX shell.
    pub fn command(&self) -> String {
        // Of inputs this is no name, but what stands for standard input.
        let is_stdin = |path: &PathBuf| matches!(self.deed, Action::Mend(_)) && path.as_os_str() == STDIN;
        let paths =
            self.paths.iter().map(|path| if is_stdin(path) { STDIN.to_owned() } else { quoted(path) });
        let words = ["referral-bulk".to_owned(), self.command.clone()].into_iter().chain(paths);
        words.chain(self.flags.iter().cloned()).collect::<Vec<_>>().join(" ")
    }
}

/// The files of a bucket that hold rows.
fn holding(written: &Written, bucket: Bucket) -> Vec<&WrittenFile> {
    written.files().iter().filter(|file| file.bucket == Some(bucket) && file.rows > Some(0)).collect()
}

/// The names of files, without where they are.
fn names<'a>(paths: impl IntoIterator<Item = &'a Path>) -> String {
    let names = paths.into_iter().filter_map(|file| file.file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" and ")
}

/// Inputs by the names that the user gave them.
fn inputs(paths: &[PathBuf]) -> String {
    let named = |path: &PathBuf| visible(input_name(&path.to_string_lossy())).into_owned();
    paths.iter().map(named).collect::<Vec<_>>().join(" and ")
}

fn besides(deed: Action, file: &WrittenFile, written: &Written) -> String {
    let name = names([file.path.as_path()]);
    let rows = counted(file.rows.unwrap_or(0), "row");
    let what = match deed {
        Action::Resume | Action::Anew | Action::Report => "",
        Action::Retry => "to be fed back, with nothing to correct",
        Action::Correct => "to be corrected and fed back",
        Action::Check => "to be fed back, which changes only what was not applied",
        Action::Review(bound) => {
            let unbind = unbind(bound);
            return format!(
                "{name} holds {rows} that others changed meanwhile: keep what still holds{unbind} and feed it back"
            );
        }
        Action::Take => "that others changed meanwhile: name with --take what still holds, and feed it back",
        Action::TakeRest => {
            "that the service took in part: name with --take what shall be sent again, and feed it back"
        }
        Action::Mend(harm) => {
            let Lost { rows: lost, inputs: paths, .. } = written.lost();
            let paths: Vec<_> = paths.iter().map(PathBuf::from).collect();
            let what = match harm {
                Harm::Text => "lost text",
                Harm::Halves => "may be no whole payload",
                Harm::Both => "lost text, or may be no whole payload",
            };
            return format!("{name} holds {rows}, of which {lost} {what}: mend that in {}", inputs(&paths));
        }
    };
    format!("{name} holds {rows} {what}")
}

/// How rows are fed back that name an eTag which is not the current one. Where none does, they are bound to
/// the version that the next plan sees.
fn unbind(bound: Forms) -> &'static str {
    match bound {
        Forms { csv: true, jsonl: false } => ", empty its eTag",
        Forms { csv: false, jsonl: true } => ", take out its eTag",
        Forms { csv: true, jsonl: true } => ", empty its eTag (of JSON, take it out)",
        Forms { csv: false, jsonl: false } => "",
    }
}

/// What to do, with the command.
impl fmt::Display for Next {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = names(self.paths.iter().map(PathBuf::as_path));
        let them = if self.paths.len() == 1 { "it" } else { "them" };
        match self.deed {
            Action::Resume | Action::Report => {}
            Action::Anew => write!(out, "nothing was sent; give standard input the same again: ")?,
            Action::Mend(harm) => write!(
                out,
                "mend in {} {}, and give {them} again, which changes only what was not applied: ",
                inputs(&self.paths),
                harm.told()
            )?,
            Action::Correct => write!(out, "correct {names} and feed {them} back: ")?,
            Action::Retry => write!(out, "feed {names} back, which failed for no reason of its own: ")?,
            Action::Check => write!(out, "feed {names} back, which changes only what was not applied: ")?,
            Action::Review(bound) => write!(
                out,
                "see in {names} what others changed, keep what still holds{} and feed {them} back: ",
                unbind(bound)
            )?,
            Action::TakeRest => write!(
                out,
                "see in {names} what the service did not take, name with --take what shall be sent again, and feed \
                 {them} back: "
            )?,
            Action::Take => write!(
                out,
                "see in {names} what others changed, name with --take what still holds, and feed {them} back: "
            )?,
        }
        out.write_str(&self.command())
    }
}

/// A path, or another word, as a POSIX shell reads it back, and as no program takes it for an option. What
/// isn't text, or can't be seen, is written in `$'…'`, which came into that standard in 2024 and which bash,
/// ksh and zsh always knew.
pub fn quoted(word: impl AsRef<OsStr>) -> String {
    let bytes = word.as_ref().as_encoded_bytes();
    let here = if bytes.starts_with(b"-") { "./" } else { "" };
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && text.chars().all(plain) => format!("{here}{text}"),
        Ok(text) if !text.contains(is_hidden) => format!("'{here}{}'", text.replace('\'', r"'\''")),
        _ => format!("$'{here}{}'", bytes.utf8_chunks().map(escaped).collect::<String>()),
    }
}

/// Text as it stands within `$'…'`, and the bytes behind it that are no text. An octal number has three
/// digits at most in every shell, whatever follows it.
fn escaped(chunk: Utf8Chunk<'_>) -> String {
    let octal = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:03o}")).collect::<String>();
    let character = |c: char| match c {
        '\'' | '\\' => format!("\\{c}"),
        c if is_hidden(c) => octal(c.encode_utf8(&mut [0; 4]).as_bytes()),
        c => c.to_string(),
    };
    chunk.valid().chars().map(character).collect::<String>() + &octal(chunk.invalid())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{books, row, summary};
    use super::super::written::WrittenFile;
    use super::*;
    use crate::domain::outcome::Outcome;

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
            let next = Next::of(&summary, run, &written(run, outcomes), Flags::default());
            assert_eq!(next.map(|next| next.to_string()).as_deref(), wanted, "{outcomes:?}");
        }
    }

    /// A plan that was cut off is made again from its inputs. Where these can't be read again, whoever has
    /// them gives them again; a plan that is whole needs none.
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
            (State::Stopped, Outcome::Failed, Some(retry), Some(retry)),
            (State::Finished, Outcome::Unknown, Some(feed_back), Some(feed_back)),
            (State::Finished, Outcome::Applied, None, None),
        ] {
            let summary = Summary { state, ..summary(&books(&[row(1, 0, outcome)])) };
            let (run, resuming) = (Path::new("r"), vec!["--rate 1/s".to_owned()]);
            let next = |anew: Option<Vec<String>>| {
                let flags = Flags { resuming: resuming.clone(), anew, ..Flags::default() };
                Next::of(&summary, run, &written(run, &[outcome]), flags).map(|next| next.to_string())
            };
            let words = Some(vec!["-".to_owned(), "--format csv".to_owned()]);
            assert_eq!(next(words).as_deref(), from_stdin, "{state:?} {outcome:?}");
            assert_eq!(next(None).as_deref(), from_files, "{state:?} {outcome:?}");
        }
    }

    #[test]
    fn rows_are_fed_back_to_the_command_that_read_them() {
        let next = Next {
            deed: Action::Correct,
            command: "migrate".to_owned(),
            paths: ["r/error.csv", "r/error.jsonl"].map(PathBuf::from).to_vec(),
            flags: vec!["--clear".to_owned(), "--sandbox".to_owned()],
        };
        assert_eq!(next.command(), "referral-bulk migrate r/error.csv r/error.jsonl --clear --sandbox");
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
        let flags = Flags { applying: vec!["--sandbox".to_owned()], ..Flags::default() };
        let next = Next::of(&summary, run, &written(run, &[Outcome::Conflict]), flags.clone()).unwrap();
        assert_eq!(
            next.to_string(),
            "see in conflict.csv what others changed, name with --take what still holds, and feed it back: \
             referral-bulk migrate r/conflict.csv --sandbox --take POINTER"
        );
        let written = written(run, &[Outcome::Conflict, Outcome::Unknown]);
        let next = Next::of(&summary, run, &written, flags).unwrap();
        assert_eq!(
            next.besides(&summary, &written),
            [
                "conflict.csv holds 1 row that others changed meanwhile: name with --take what still holds, and feed it back"
            ]
        );
    }

    /// Nobody can empty what isn't there, and an eTag that is an empty text in JSON is none.
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
            written.bind(Forms { csv: bound.0, jsonl: bound.1 });
            let next = Next::of(&summary, Path::new("r"), &written, Flags::default()).unwrap();
            assert!(next.to_string().contains(wanted), "{next}");
            let resume = Next::resume(Path::new("r"), Vec::new());
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
            let next = Next::of(&summary, run, &written, Flags::default()).unwrap();
            assert_eq!(next.besides(&summary, &written), wanted, "{outcomes:?}");
            if state == State::Stopped {
                let unplanned = Summary { state: State::Unplanned, ..summary };
                assert_eq!(next.besides(&unplanned, &written), [""; 0], "all of it is planned again");
            }
        }
    }

    /// What a run did, or somebody else, no snapshot shows that was there before it.
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
            (State::Stopped, Outcome::Refused, "apply r/error.csv --clear"),
        ] {
            let summary = Summary { state, ..summary(&books(&[row(1, 0, outcome)])) };
            let flags = Flags {
                applying: vec!["--clear".to_owned()],
                state: Some("--state s.jsonl".to_owned()),
                ..Flags::default()
            };
            let next = Next::of(&summary, run, &written(run, &[outcome]), flags).unwrap();
            assert_eq!(next.command(), format!("referral-bulk {wanted}"), "{state:?} {outcome:?}");
        }
    }

    /// What the snapshot doesn't show it won't show the next time either.
    #[test]
    fn rows_that_hang_on_what_a_snapshot_does_not_show_are_planned_without_it() {
        let run = Path::new("r");
        for (is_short, wanted) in
            [(false, "apply r/error.csv --state s.jsonl --plan"), (true, "apply r/error.csv --plan")]
        {
            let summary =
                Summary { state: State::Planned, ..summary(&books(&[row(1, 0, Outcome::Invalid)])) };
            let flags = Flags {
                applying: vec!["--plan".to_owned()],
                state: Some("--state s.jsonl".to_owned()),
                ..Flags::default()
            };
            let mut written = written(run, &[Outcome::Invalid]);
            written.fall_short(is_short);
            let next = Next::of(&summary, run, &written, flags).unwrap();
            assert_eq!(next.command(), format!("referral-bulk {wanted}"));
        }
    }

    /// Neither of them need hold all rows.
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
        let next = Next::of(&summary, run, &written, Flags::default()).unwrap();
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
                Some("--format csv"),
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
            let flags = Flags { format: format.map(str::to_owned), ..Flags::default() };
            let next = Next::of(&summary, run, &written, flags).unwrap();
            assert_eq!(next.to_string(), wanted);
            assert_eq!(next.besides(&summary, &written), besides);
        }
    }

    /// The row files that such a run has.
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

    #[test]
    fn paths_are_quoted_where_a_shell_needs_it() {
        for (path, wanted) in [
            ("reports/2026-01-02T03-04-05Z-apply", "reports/2026-01-02T03-04-05Z-apply"),
            ("my runs/1", "'my runs/1'"),
            ("it's", r"'it'\''s'"),
            ("$HOME;x", "'$HOME;x'"),
            ("-rf", "./-rf"),
            ("- é", "'./- é'"),
            ("é", "'é'"),
            ("", "''"),
            ("a\nb", r"$'a\012b'"),
            ("\u{1b}[2J 'x\\\u{feff}7", r"$'\033[2J \'x\\\357\273\2777'"),
        ] {
            assert_eq!(quoted(path), wanted, "{path}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn paths_that_are_no_text_are_quoted_byte_by_byte() {
        use std::os::unix::ffi::OsStrExt;
        for (path, wanted) in [
            (&b"r\xff1"[..], r"$'r\3771'"),
            (b"-\xc3", r"$'./-\303'"),
            (b"it's \xc3\xa9\\\xe2\x82/x", r"$'it\'s é\\\342\202/x'"),
        ] {
            assert_eq!(quoted(OsStr::from_bytes(path)), wanted);
        }
    }
}
