//! The settings that a next command repeats, by what the command does.

use super::choices;
use super::next_command::CommandLine;
use super::target::Target;
use crate::domain::account::Phase;
use crate::domain::run_spec::RunSpec;
use crate::domain::setting::Choice;

/// The settings that a next command repeats, by what the command does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repeated {
    /// The settings to resume the run with.
    pub resuming: Vec<Choice>,
    /// The command that reads and plans the inputs again, where the run can't do that by itself.
    pub anew: Option<CommandLine>,
    /// The settings to read and judge rows as the run did, and to send them to the same target. The source of
    /// the referrals' state is not among them: a snapshot from before the run doesn't show what the run, or
    /// another user, changed.
    pub applying: Vec<Choice>,
    /// The source of the referrals' state, which holds as long as nothing was sent.
    pub state: Option<Choice>,
    /// The format of the inputs, where the user named it.
    pub format: Option<Choice>,
    /// The same, where the extension of the reports doesn't tell it.
    pub report_format: Option<Choice>,
}

impl Repeated {
    /// Returns the settings for a run that has come so far. `typed` are the choices that the user typed of how to send,
    /// and `is_sending` whether that was to a command that is to send.
    pub fn of(about: &RunSpec, phase: Phase, typed: &[Choice], is_sending: bool) -> Self {
        let mut resuming = typed.to_vec();
        // A run without consent on record sends a token only where the user says, so the command has to name
        // the target. Only a process that is to send knows that the user said so.
        let is_to_confirm = is_sending && matches!(phase, Phase::Planning | Phase::Planned);
        resuming.extend(Target::choice_to_confirm(&about.target).filter(|_| is_to_confirm));
        let asked = &about.asked;
        let mut applying: Vec<Choice> = choices::plan_only(about).into_iter().collect();
        applying.extend(choices::reading(asked));
        applying.extend(Target::choice(&about.target));
        applying.extend_from_slice(typed);
        let anew = choices::anew(about, typed);
        let (state, format) = (choices::state(&asked.state), choices::format(asked));
        let report_format = choices::report_format(asked);
        Self { resuming, anew, applying, state, format, report_format }
    }
}
