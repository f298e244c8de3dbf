//! Makes what `config show` prints: every setting that the settings file or the environment can hold, and where its
//! value comes from.

use super::args;
use super::columns;
use super::config::{Config, DEFAULT_PROFILE, Profile};
use super::ledger_settings::{self, LedgerPasswordSetting};
use super::on_finish;
use super::origin::{FILE, Origin, Sourced, Table};
use super::reasons::portal_reasons;
use super::setting_values::allow_paths;
use super::signing_in::{self, SecretSetting};
use super::sources::{Surroundings, TokenSetting};
use crate::api::{Authority, Endpoint, Scope};
use crate::commands::check::CheckOptions;
use crate::commands::columns::settled_by;
use crate::commands::config_show::{ConfigShowOptions, SettingRow, TOKEN};
use crate::commands::{CommandError, quoted};
use crate::domain::characters::visible_path;
use crate::domain::reasons;
use crate::domain::rules::Rule;

/// Settings that say how much is changed rather than where and how requests are sent.
const OF_CHANGES: [&str; 4] = ["max-errors", "max-changes", REQUIRE_APPROVAL, "on-finish"];

/// The key that says whether a plan has to be approved.
const REQUIRE_APPROVAL: &str = "require-approval";

/// What stands in place of a value that is a secret, or may hold one.
const SET: &str = "set, and not shown";

impl Surroundings<'_> {
    /// Makes the settings of `config show`.
    ///
    /// # Errors
    /// As [`Surroundings::apply`]: a value that a run would refuse is refused here.
    pub fn config_show(&self, typed: &args::ConfigShowArgs) -> Result<ConfigShowOptions, CommandError> {
        let name = typed.target.profile.as_deref();
        let mut rows = vec![profile_row(self.config, name)];
        rows.extend(self.profile_rows(&typed.target, &typed.limits)?);
        rows.extend(self.sign_in_rows(name)?);
        rows.extend(self.ledger_rows(name)?);
        rows.extend(self.rule_rows(&typed.rule)?);
        rows.extend(self.column_rows(typed)?);
        rows.extend(reason_rows(self.config)?);
        let target = self.target(&typed.target, &self.config.profile(name)?)?;
        let file = self.config.is_there.then_some(FILE);
        Ok(ConfigShowOptions { file, rows, target, json: typed.json })
    }

    /// Makes the settings of `check`: of those that `config show` prints, the ones about where and how to send.
    ///
    /// # Errors
    /// As [`Surroundings::apply`].
    pub fn check(&self, typed: &args::CheckArgs) -> Result<CheckOptions, CommandError> {
        let args::CheckArgs { target, pace, json } = typed;
        let profile = self.config.profile(target.profile.as_deref())?;
        let limits = args::LimitArgs { pace: pace.clone(), ..args::LimitArgs::default() };
        let mut settings = vec![profile_row(self.config, target.profile.as_deref())];
        settings.extend(self.profile_rows(target, &limits)?);
        settings.retain(|row| !OF_CHANGES.contains(&row.name.as_str()));
        // What is set of signing in counts where nothing else gives a token.
        if target.sandbox.is_none() && self.token(target, &profile).is_none() {
            settings.extend(self.sign_in_rows(target.profile.as_deref())?);
        }
        Ok(CheckOptions {
            settings,
            target: self.target(target, &profile)?,
            sending: self.sending(&sending(&limits), target, &profile)?,
            json: *json,
        })
    }

    /// Returns what a profile, the environment and flags say of where and how to send.
    fn profile_rows(
        &self,
        target: &args::TargetArgs,
        limits: &args::LimitArgs,
    ) -> Result<Vec<SettingRow>, CommandError> {
        let profile = self.config.profile(target.profile.as_deref())?;
        // Whatever a run would refuse is refused here.
        self.target(target, &profile)?;
        self.sending(&sending(limits), target, &profile)?;
        let limits = self.limits(limits, target, &profile);
        let row = |name: &str, value: Option<String>, origin: Origin<'_>, over: &[Origin<'_>]| {
            row(name, value, origin.place(), over.iter().map(|over| over.place()).collect())
        };
        let none = |name: &str| row(name, None, Origin::Default, &[]);
        let endpoint = match (&target.sandbox, self.endpoint(target, &profile)) {
            (Some(seed), set) => {
                let seed = seed.as_deref().map(|seed| format!(" seeded from {}", visible_path(seed)));
                let value = format!("sandbox{}", seed.unwrap_or_default());
                let over = set.map(|set| [vec![set.origin], set.over].concat()).unwrap_or_default();
                row("endpoint", Some(value), Origin::Flag("--sandbox"), &over)
            }
            (None, Some(set)) => row("endpoint", Some(set.value.to_string()), set.origin, &set.over),
            (None, None) => row("endpoint", Some(Endpoint::official().to_string()), Origin::Default, &[]),
        };
        let token = self
            .token(target, &profile)
            .map_or_else(|| none(TOKEN), |set| row(TOKEN, Some(shown(set.value)), set.origin, &set.over));
        let max_changes = limits.max_changes.map_or_else(
            || none("max-changes"),
            |most| row("max-changes", Some(most.value.to_string()), most.origin, &most.over),
        );
        let finishing = match self.finishing(None, target, &profile) {
            None => none("on-finish"),
            Some(set) => {
                // Whatever a run would refuse is refused here.
                on_finish::words(&set.value, set.origin)?;
                row("on-finish", Some(SET.to_owned()), set.origin, &set.over)
            }
        };
        let text = |name, set: &Sourced<'_>| row(name, Some(set.value.to_string()), set.origin, &set.over);
        let (in_flight, over) = (&limits.concurrency, &limits.concurrency.over);
        Ok(vec![
            endpoint,
            token,
            text("rate", &limits.rate),
            row("concurrency", Some(in_flight.value.to_string()), in_flight.origin, over),
            text("timeout", &limits.timeout),
            text("max-errors", &limits.max_errors),
            max_changes,
            approval_row(self.config, target.profile.as_deref(), &profile),
            finishing,
        ])
    }

    /// Returns what a profile and the environment say of signing in.
    fn sign_in_rows(&self, name: Option<&str>) -> Result<Vec<SettingRow>, CommandError> {
        let profile = self.config.profile(name)?;
        let none = args::RegistrationArgs::default();
        // Whatever a run or a sign-in would refuse is refused here.
        self.kept_sign_in(name, &profile)?;
        let set = self.sign_in(&none, name, &profile);
        set.scope.as_ref().map(signing_in::scope).transpose()?;
        set.store.as_ref().map(signing_in::store).transpose()?;
        let text = |name: &str, set: &Option<Sourced<'_>>, default: Option<String>| match set {
            Some(set) => {
                let over = set.over.iter().map(|over| over.place()).collect();
                row(name, set.value.to_string(), set.origin.place(), over)
            }
            None => row(name, default, Origin::Default.place(), Vec::new()),
        };
        let secret = set.secret.as_ref().map_or_else(
            || row("client-secret", None, Origin::Default.place(), Vec::new()),
            |set| {
                let shown = match set.value {
                    SecretSetting::Given(_) => SET.to_owned(),
                    SecretSetting::File(file) => format!("client-secret-file: {}", visible_path(file)),
                };
                row(
                    "client-secret",
                    shown,
                    set.origin.place(),
                    set.over.iter().map(|over| over.place()).collect(),
                )
            },
        );
        Ok(vec![
            text("tenant", &set.tenant, None),
            text("client-id", &set.client_id, None),
            secret,
            text("authority", &set.authority, Some(Authority::global().to_string())),
            text("scope", &set.scope, Some(Scope::default().to_string())),
            text("store", &set.store, Some("auto".to_owned())),
        ])
    }

    /// Returns what a profile and the environment say of a shared ledger.
    fn ledger_rows(&self, name: Option<&str>) -> Result<Vec<SettingRow>, CommandError> {
        let profile = self.config.profile(name)?;
        let typed = args::LedgerArgs { profile: name.map(str::to_owned), ..args::LedgerArgs::default() };
        let set = self.ledger_settings(&typed, &profile);
        let of = |name: &str, value: Option<String>, origin: Origin<'_>, over: &[Origin<'_>]| {
            row(name, value, origin.place(), over.iter().map(|over| over.place()).collect())
        };
        // Whatever a command would refuse is refused here.
        let url = set.url.as_ref().map(ledger_settings::ledger_url).transpose()?;
        set.password.as_ref().map(ledger_settings::password).transpose()?;
        let url = url.map(|url| url.to_string());
        Ok(vec![
            match &set.url {
                Some(set) => of("ledger", url, set.origin, &set.over),
                None => of("ledger", None, Origin::Default, &[]),
            },
            match &set.password {
                Some(set) => of("ledger-password", Some(shown_password(&set.value)), set.origin, &set.over),
                None => of("ledger-password", None, Origin::Default, &[]),
            },
        ])
    }

    /// Returns the level of every rule that can be set.
    fn rule_rows(&self, typed: &[String]) -> Result<Vec<SettingRow>, CommandError> {
        let levels = self.levels(typed)?;
        let settable = Rule::all().filter(|rule| !rule.is_fixed());
        Ok(settable
            .map(|rule| {
                let id = rule.id();
                let is_typed =
                    typed.iter().any(|pair| pair.split_once('=').is_some_and(|(name, _)| name == id));
                let key =
                    self.config.rules.contains_key(id).then(|| self.config.origin(Table::Rules, id).place());
                let (origin, over) = match (is_typed, key) {
                    (true, key) => (Origin::Flag("--rule").place(), key.into_iter().collect()),
                    (false, Some(key)) => (key, Vec::new()),
                    (false, None) => (Origin::Default.place(), Vec::new()),
                };
                row(&format!("rules.{id}"), levels.of(rule).name().to_owned(), origin, over)
            })
            .collect())
    }

    /// Returns what columns of somebody else's files mean.
    fn column_rows(&self, typed: &args::ConfigShowArgs) -> Result<Vec<SettingRow>, CommandError> {
        let name = typed.target.profile.as_deref();
        let profile = self.config.profile(name)?;
        let mapped = columns::mapped(&typed.map, name, &profile, self.config)?;
        settled_by(mapped, self.levels(&typed.rule)?, allow_paths(&typed.allow_path)?)?;
        let mut rows: Vec<SettingRow> = Vec::new();
        for (mapped, origin) in columns::mapped_with_origin(&typed.map, name, &profile, self.config)? {
            let name = format!("columns.{}", quoted(&mapped.column));
            // Of several values for a column the first counts.
            match rows.iter_mut().find(|row| row.name == name) {
                Some(counts) => counts.over.push(origin.place()),
                None => rows.push(row(&name, mapped.field, origin.place(), Vec::new())),
            }
        }
        Ok(rows)
    }
}

/// Returns the row of the profile that is used.
fn profile_row(config: &Config, name: Option<&str>) -> SettingRow {
    let origin = if name.is_some() { Origin::Flag("--profile") } else { Origin::Default };
    let name = name.unwrap_or(DEFAULT_PROFILE);
    let value = config.profile.contains_key(name).then(|| name.to_owned());
    row("profile", value, origin.place(), Vec::new())
}

/// Returns the row that says whether a plan has to be approved.
fn approval_row(config: &Config, name: Option<&str>, profile: &Profile) -> SettingRow {
    let table = Table::Profile(name.unwrap_or(DEFAULT_PROFILE));
    let origin = profile.require_approval.map(|_| config.origin(table, REQUIRE_APPROVAL));
    let is_required = profile.require_approval.unwrap_or_default();
    row(REQUIRE_APPROVAL, is_required.to_string(), origin.unwrap_or(Origin::Default).place(), Vec::new())
}

/// Returns the reason that each number of Partner Center's files stands for.
fn reason_rows(config: &Config) -> Result<Vec<SettingRow>, CommandError> {
    let set = portal_reasons(config)?;
    let keys: Vec<(Option<u8>, &String)> =
        config.portal_reasons.keys().map(|key| (reasons::number(key), key)).collect();
    Ok((1..)
        .zip(reasons::TABLE)
        .map(|(number, reason)| {
            let key = keys.iter().find(|(known, _)| *known == Some(number));
            let origin = key.map_or(Origin::Default, |(_, key)| config.origin(Table::PortalReasons, key));
            let value = set.get(&number).map_or(reason, String::as_str);
            row(&format!("portal-reasons.{number}"), value.to_owned(), origin.place(), Vec::new())
        })
        .collect())
}

/// Returns the arguments of sending that hold these limits.
fn sending(limits: &args::LimitArgs) -> args::SendingArgs {
    args::SendingArgs { limits: limits.clone(), ..args::SendingArgs::default() }
}

fn row(name: &str, value: impl Into<Option<String>>, origin: String, over: Vec<String>) -> SettingRow {
    SettingRow { name: name.to_owned(), value: value.into(), origin, over, begins_at: None }
}

/// Returns what is shown of where the token comes from.
fn shown(token: TokenSetting<'_>) -> String {
    match token {
        TokenSetting::Command(_) => format!("token-command: {SET}"),
        TokenSetting::File(file) => format!("token-file: {}", visible_path(file)),
        TokenSetting::Given(_) => SET.to_owned(),
    }
}

/// Returns what is shown of where the password of a shared ledger comes from.
fn shown_password(password: &LedgerPasswordSetting<'_>) -> String {
    match password {
        LedgerPasswordSetting::Command(_) => format!("ledger-password-command: {SET}"),
        LedgerPasswordSetting::File(file) => format!("password file: {}", visible_path(file)),
        LedgerPasswordSetting::Given(_) => SET.to_owned(),
    }
}
