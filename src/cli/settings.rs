//! Makes the settings of a command from built-in defaults, `referral-bulk.toml`, the environment and flags. Of
//! these, a later one overrides an earlier one.

use std::collections::BTreeMap;

use super::config::Profile;
use super::origin::{Origin, Table};
use super::setting_values::{
    self, allow_paths, base, command, duration, new_file, parse_max_errors, parse_time, seed_of, taken,
    token_file,
};
use super::sources::{Limits, Surroundings, TokenSetting};
use super::{args, columns, reasons};
use crate::api::{Auth, Endpoint};
use crate::commands::credentials::Credentials;
use crate::commands::run_target::NamedTarget;
use crate::commands::{
    CommandError, GivenConsent, MaxChanges, ProgressMode, Sending, Showing, SummaryForm, Target, apply,
    approve, report, resume, sandbox, undo, verify,
};
use crate::domain::format::Format;
use crate::domain::level::Level;
use crate::domain::rules::{Levels, Rule};
use crate::domain::run_spec::{Base, Migrating, PlanSpec, StateSource};
use crate::domain::setting::{Choice, Setting};

impl Surroundings<'_> {
    /// Makes the settings of `apply`.
    ///
    /// # Errors
    /// A usage error if a value is invalid. No input has been read, and nothing sent, by then.
    pub fn apply(&self, typed: args::ApplyArgs) -> Result<apply::ApplyOptions, CommandError> {
        let args::ApplyArgs {
            files,
            format,
            decimal,
            sheet,
            match_by,
            map,
            ignore_column,
            base,
            planning,
            options,
        } = typed;
        let asked = self.asked(files, format.map(Into::into), None, &planning)?;
        let profile = self.config.profile(options.target.profile.as_deref())?;
        let asked = PlanSpec {
            decimal: decimal.map(Into::into),
            left_alone: columns::left_alone(ignore_column)?,
            mapped: columns::mapped(&map, options.target.profile.as_deref(), &profile, self.config)?,
            portal_reasons: reasons::portal_reasons(self.config)?,
            sheet,
            base: base.map(|path| self::base(path, &asked.state)).transpose()?,
            matching: match_by.field(),
            ..asked
        };
        if let Some(field) = asked.matching.filter(|_| asked.state == StateSource::None) {
            let message =
                format!("--match {}: without the referrals as they stand, no row has one", field.name());
            return Err(CommandError::usage(message)
                .hint("plan against the API, or against a snapshot: --state referrals.jsonl"));
        }
        self.begin(asked, planning, &options)
    }

    /// Makes the settings of `migrate`.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn migrate(&self, typed: args::MigrateArgs) -> Result<apply::ApplyOptions, CommandError> {
        let args::MigrateArgs { files, format, take, base, patches, planning, options } = typed;
        let migrating = Migrating {
            take: taken(&take, &planning.allow_path)?,
            base: base.map(|path| Base { path: path.into(), sha256: None }),
            patches: patches.map(new_file).transpose()?,
        };
        let asked = self.asked(files, format.map(Into::into), Some(migrating), &planning)?;
        if asked.state == StateSource::None {
            return Err(CommandError::usage(
                "--state none: a payload says nothing without the referral as it stands",
            )
            .hint("plan against the API, or against a snapshot: --state referrals.jsonl"));
        }
        self.begin(asked, planning, &options)
    }

    /// Makes what a plan is made by, without what `apply` alone has.
    fn asked(
        &self,
        files: Vec<String>,
        format: Option<Format>,
        migrating: Option<Migrating>,
        typed: &args::PlanningArgs,
    ) -> Result<PlanSpec, CommandError> {
        if files.iter().filter(|file| *file == "-").count() > 1 {
            return Err(CommandError::usage("standard input is named twice"));
        }
        if format.is_none() && files.iter().any(|file| file == "-") {
            let forms = if migrating.is_some() {
                "jsonl, --format json or --format http"
            } else {
                "csv, --format jsonl or --format xlsx"
            };
            return Err(CommandError::usage("standard input has no extension that tells its form")
                .hint(format!("say --format {forms}")));
        }
        Ok(PlanSpec {
            files,
            format,
            state: typed.state.clone().into(),
            levels: self.levels(&typed.rule)?,
            allow_paths: allow_paths(&typed.allow_path)?,
            clear: typed.clear,
            migrating,
            on_conflict: typed.on_conflict.into(),
            decimal: None,
            left_alone: Vec::new(),
            mapped: Vec::new(),
            portal_reasons: BTreeMap::new(),
            sheet: None,
            base: None,
            matching: None,
            priority: typed.priority.as_deref().map(columns::priority).transpose()?,
            waves: typed.waves.as_deref().map(setting_values::waves).transpose()?,
        })
    }

    /// Makes the settings of a command that plans.
    fn begin(
        &self,
        asked: PlanSpec,
        typed: args::PlanningArgs,
        options: &args::RunArgs,
    ) -> Result<apply::ApplyOptions, CommandError> {
        let args::RunArgs { target, sending, showing, page, on_finish } = options;
        let profile = self.config.profile(target.profile.as_deref())?;
        Ok(apply::ApplyOptions {
            asked,
            plan_only: typed.plan,
            out: typed.out,
            reason: typed.reason,
            target: self.target(target, &profile)?,
            sending: finishing(self.sending(sending, target, &profile)?, on_finish.as_deref()),
            showing: self.showing(*showing, page.reveal),
        })
    }

    /// Makes the settings of `resume`.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn resume(&self, typed: args::ResumeArgs) -> Result<resume::ResumeOptions, CommandError> {
        let args::RunArgs { target, sending, showing, page, on_finish } = &typed.options;
        let profile = self.config.profile(target.profile.as_deref())?;
        Ok(resume::ResumeOptions {
            run: typed.run,
            named: self.named(target, &profile)?,
            sending: finishing(self.sending(sending, target, &profile)?, on_finish.as_deref()),
            showing: self.showing(*showing, page.reveal),
        })
    }

    /// Returns what is said of where a run goes that was planned before.
    fn named(&self, typed: &args::TargetArgs, profile: &Profile) -> Result<NamedTarget, CommandError> {
        // The run has its target on record. Only a target that was typed may contradict it: the environment and
        // the settings file hold what is meant for new runs.
        let is_typed = typed.endpoint.is_some() || typed.sandbox.is_some();
        Ok(NamedTarget {
            target: if is_typed { self.named_target(typed, profile)? } else { None },
            own: self.own_endpoint(typed.profile.as_deref(), profile),
            credentials: self.credentials(typed, profile)?,
        })
    }

    /// Makes the settings of `verify`.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn verify(&self, typed: args::VerifyArgs) -> Result<verify::VerifyOptions, CommandError> {
        let args::VerifyArgs { run, target, pace, showing } = typed;
        let profile = self.config.profile(target.profile.as_deref())?;
        let limits = args::LimitArgs { pace, ..args::LimitArgs::default() };
        let typed = args::SendingArgs { limits, ..args::SendingArgs::default() };
        Ok(verify::VerifyOptions {
            run,
            named: self.named(&target, &profile)?,
            sending: self.sending(&typed, &target, &profile)?,
            showing: self.showing(showing, false),
        })
    }

    /// Makes the settings of `report`.
    pub fn report(&self, typed: args::ReportArgs) -> report::ReportOptions {
        report::ReportOptions { run: typed.run, showing: self.showing(typed.showing, typed.page.reveal) }
    }

    /// Makes the settings of `undo`.
    ///
    /// # Errors
    /// A usage error if the file is none.
    pub fn undo(typed: args::UndoArgs) -> Result<undo::UndoOptions, CommandError> {
        let args::UndoArgs { run, out, force, summary } = typed;
        if out == std::path::Path::new("-") {
            return Err(CommandError::usage("--out -: the way back is a file, with a list beside it")
                .hint("name a new file, as in back.jsonl"));
        }
        Ok(undo::UndoOptions { run, out, force, summary: summary_form(summary) })
    }

    /// Whether a bar can be drawn: standard error is a terminal whose cursor can be moved, as far as `TERM` says.
    /// Windows doesn't set that variable.
    fn draws(&self) -> bool {
        let kind = self.variables.get("TERM").map(String::as_str);
        self.terminal && kind.map_or(cfg!(windows), |kind| !matches!(kind, "" | "dumb"))
    }

    /// Makes the settings of `approve`.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn approve(&self, typed: args::ApproveArgs) -> Result<approve::ApproveOptions, CommandError> {
        let args::ApproveArgs { run, approver, profile: name } = typed;
        let profile = self.config.profile(name.as_deref())?;
        let target = args::TargetArgs { profile: name.clone(), ..args::TargetArgs::default() };
        let credentials = self.credentials(&target, &profile)?;
        Ok(approve::ApproveOptions { run, approver, credentials, profile: name })
    }

    /// Returns how to show progress.
    pub(super) fn progress(&self, typed: args::ProgressFormArg) -> ProgressMode {
        match typed {
            args::ProgressFormArg::Auto if self.draws() => ProgressMode::Bar,
            args::ProgressFormArg::Auto | args::ProgressFormArg::Plain => ProgressMode::Plain,
            args::ProgressFormArg::Json => ProgressMode::Json,
            args::ProgressFormArg::None => ProgressMode::None,
        }
    }

    /// Returns how to print summary and progress, and whether the page reveals personal data.
    fn showing(&self, typed: args::ShowingArgs, reveal: bool) -> Showing {
        let progress = self.progress(typed.progress);
        Showing { summary: summary_form(typed.summary), progress, reveal }
    }

    /// Returns the levels of the rules: those of the settings file, overridden by those that were typed.
    pub(super) fn levels(&self, typed: &[String]) -> Result<Levels, CommandError> {
        let mut levels = Levels::default();
        let from_file =
            self.config.rules.iter().map(|(id, level)| {
                (id.as_str(), level.as_str(), self.config.origin(Table::Rules, id).place())
            });
        let pairs = typed.iter().map(|pair| {
            let (id, level) = pair.split_once('=').unwrap_or((pair, ""));
            (id, level, Origin::Flag("--rule").place())
        });
        for (id, level, source) in from_file.chain(pairs) {
            let rule = Rule::parse(id).ok_or_else(|| {
                let known: Vec<&str> = Rule::all().filter(|rule| !rule.is_fixed()).map(Rule::id).collect();
                CommandError::usage(format!("{source}: there is no rule \"{id}\""))
                    .hint(format!("rules whose level can be set: {}", known.join(", ")))
            })?;
            let level = Level::parse(level).ok_or_else(|| {
                CommandError::usage(format!("{source}: rule {id} cannot be set to \"{level}\""))
                    .hint(format!("write {id}=allow, {id}=warn or {id}=deny"))
            })?;
            levels.set(rule, level).map_err(|error| CommandError::usage(format!("{source}: {error}")))?;
        }
        Ok(levels)
    }

    /// Returns where to send: the named target, or else the official endpoint.
    pub(super) fn target(&self, typed: &args::TargetArgs, profile: &Profile) -> Result<Target, CommandError> {
        match self.named_target(typed, profile)? {
            Some(target) => Ok(target),
            None => Ok(Target::Service(Endpoint::official(), Some(self.credentials(typed, profile)?))),
        }
    }

    /// Returns the endpoint that the environment, or else the settings file, sets for runs; `None` for an invalid one.
    pub(super) fn own_endpoint(&self, name: Option<&str>, profile: &Profile) -> Option<Endpoint> {
        let name = name.map(str::to_owned);
        let typed = args::TargetArgs { profile: name, ..args::TargetArgs::default() };
        let own = self.endpoint(&typed, profile);
        own.and_then(|base| Endpoint::parse(&base.value).ok())
    }

    /// Returns the target that a flag, the environment or the settings file names; `None` where none does.
    fn named_target(
        &self,
        typed: &args::TargetArgs,
        profile: &Profile,
    ) -> Result<Option<Target>, CommandError> {
        if let Some(seed) = &typed.sandbox {
            return seed_of(seed.clone()).map(Some);
        }
        let Some(sourced) = self.endpoint(typed, profile) else { return Ok(None) };
        // An invalid URL isn't shown: it may hold a password.
        let endpoint = Endpoint::parse(&sourced.value).map_err(|error| sourced.origin.error(error))?;
        Ok(Some(Target::Service(endpoint, Some(self.credentials(typed, profile)?))))
    }

    /// Makes the settings of sending.
    pub(super) fn sending(
        &self,
        typed: &args::SendingArgs,
        target: &args::TargetArgs,
        profile: &Profile,
    ) -> Result<Sending, CommandError> {
        let Limits { rate, concurrency, timeout, max_errors, max_changes } =
            self.limits(&typed.limits, target, profile);
        let finish_by = typed.finish_by.as_deref().map(parse_time).transpose()?;
        let said = |origin| match origin {
            Origin::Flag(flag) => flag,
            Origin::Default | Origin::Variable(_) | Origin::Key { .. } => "max-changes of the profile",
        };
        Ok(Sending {
            pacing: setting_values::rate(&rate)?,
            concurrency: setting_values::concurrency(&concurrency)?,
            timeout: duration(&timeout)?,
            max_errors: parse_max_errors(&max_errors)?,
            finish_by,
            consent: GivenConsent {
                yes: typed.yes,
                closing: typed.confirm_closing,
                max_changes: max_changes.map(|most| MaxChanges { most: most.value, said: said(most.origin) }),
            },
            requires_approval: profile.require_approval.unwrap_or_default(),
            typed: repeated(typed, target),
            token_command: target.token_command.is_some(),
        })
    }

    /// Returns where tokens come from: the source that is named, else what `login` keeps.
    fn credentials(&self, typed: &args::TargetArgs, profile: &Profile) -> Result<Credentials, CommandError> {
        let Some(sourced) = self.token(typed, profile) else {
            return self.kept_sign_in(typed.profile.as_deref(), profile).map(Box::new).map(Credentials::Kept);
        };
        let auth = match sourced.value {
            TokenSetting::Command(text) => command(text, sourced.origin)?,
            TokenSetting::File(file) => token_file(file, sourced.origin)?,
            TokenSetting::Given(token) => Auth::fixed(token.to_owned().into()),
        };
        Ok(Credentials::Named(auth))
    }
}

/// Makes the settings of `sandbox`.
pub fn sandbox(typed: args::SandboxArgs) -> sandbox::SandboxOptions {
    sandbox::SandboxOptions {
        seed: typed.seed,
        port: typed.port,
        config: crate::sandbox::SandboxConfig {
            quota: typed.quota,
            quota_headers: typed.quota_headers,
            at_once: typed.at_once,
            list_etags: !typed.list_without_etags,
            strict: typed.strict,
            list_omits: typed.list_omits,
            list_nulls: typed.list_nulls,
            etags_in: typed.etags_in.into(),
            faults: typed.fault,
        },
    }
}

/// Returns the form of the summary.
fn summary_form(typed: args::SummaryFormArg) -> SummaryForm {
    match typed {
        args::SummaryFormArg::Json => SummaryForm::Json,
        args::SummaryFormArg::Text => SummaryForm::Text,
        args::SummaryFormArg::None => SummaryForm::None,
    }
}

/// Returns what was typed about the source of the token, the speed of sending and the limits of a run, which the next
/// command has to repeat. A token command is left out: it may hold a secret.
fn repeated(typed: &args::SendingArgs, target: &args::TargetArgs) -> Vec<Choice> {
    let choices = [
        target.profile.as_ref().map(|name| Choice::of(Setting::Profile, name)),
        target.token_file.as_ref().map(|file| Choice::of(Setting::TokenFile, file)),
        typed.limits.pace.rate.map(|rate| Choice::of(Setting::Rate, rate.to_string())),
        typed.limits.pace.concurrency.map(|number| Choice::of(Setting::Concurrency, number.to_string())),
        typed.limits.pace.timeout.as_ref().map(|time| Choice::of(Setting::Timeout, time)),
        typed.limits.max_errors.as_ref().map(|most| Choice::of(Setting::MaxErrors, most)),
        typed.limits.max_changes.map(|most| Choice::of(Setting::MaxChanges, most.to_string())),
    ];
    choices.into_iter().flatten().collect()
}

/// Adds the command that is told of a run's end to what the next command has to repeat.
fn finishing(mut sending: Sending, typed: Option<&str>) -> Sending {
    sending.typed.extend(typed.map(|command| Choice::of(Setting::OnFinish, command)));
    sending
}
