//! The summary of a verification: as one line of JSON, and as text with the first referrals that are no longer as the
//! run left them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::characters::visible;
use crate::domain::referral::ReferralId;
use crate::domain::subject::Subject;
use crate::domain::verification::{FieldNow, StandingCounts, Verification, VerifiedStanding};

use super::change_text::{Extent, NOTHING, shown};
use super::format::{counted, grouped, short_message};
use super::manifest::FileSummary;
use super::summary::State;
use super::table::{MESSAGE, add, lines, plain_table};
use super::text::title;
use super::verified::VerifiedReferral;

/// The number of referrals that are told one by one.
const MOST_TOLD: usize = 10;

/// The number of fields that are told of one referral.
const MOST_FIELDS: usize = 5;

/// The summary of a verification, for programs that read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifiedSummary {
    /// The version of this format.
    pub version: u32,
    /// The run's directory, as the user would name it.
    pub run: String,
    /// `verify`.
    pub command: &'static str,
    /// Whether it came to its end.
    pub state: State,
    /// The exit code of the process.
    pub exit_code: u8,
    /// When it began.
    pub at: Timestamp,
    /// The referrals that the run wrote.
    pub referrals: VerifiedFigures,
    /// The requests that it took.
    pub requests: VerifiedRequests,
    /// The files that were written.
    pub files: Vec<FileSummary>,
}

/// The referrals that a run wrote, or may have written, by how they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VerifiedFigures {
    /// Those that it wrote.
    pub written: u64,
    /// Those that stand so.
    #[serde(flatten)]
    pub counts: StandingCounts,
    /// Those that were not looked at.
    pub left: u64,
    /// Those that it may have written: they are not among those that it wrote, and not compared.
    pub unknown: u64,
}

/// The requests of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct VerifiedRequests {
    /// All of them.
    pub total: u64,
    /// GETs of one referral.
    pub get: u64,
    /// List pages.
    pub list: u64,
}

impl VerifiedSummary {
    /// The version of this format.
    const VERSION: u32 = 1;

    /// Returns the summary of a verification.
    pub fn of(
        run: &str,
        verification: &Verification,
        state: State,
        exit_code: u8,
        files: Vec<FileSummary>,
    ) -> Self {
        let Verification { at, counts, left, in_doubt, get, list, .. } = *verification;
        Self {
            version: Self::VERSION,
            run: run.to_owned(),
            command: "verify",
            state,
            exit_code,
            at,
            referrals: VerifiedFigures { written: counts.total() + left, counts, left, unknown: in_doubt },
            requests: VerifiedRequests { total: get + list, get, list },
            files,
        }
    }

    /// Returns the summary of one that did not come to comparing anything.
    pub fn of_nothing(run: &str, exit_code: u8, at: Timestamp) -> Self {
        let nothing = Verification {
            at,
            ended: None,
            wave: None,
            counts: StandingCounts::default(),
            left: 0,
            in_doubt: 0,
            get: 0,
            list: 0,
        };
        Self::of(run, &nothing, State::Stopped, exit_code, Vec::new())
    }

    /// Returns it as one line of JSON.
    pub fn to_json_line(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts serialise")
    }
}

/// The first referrals that are no longer as the run left them: those with another value, then those that are gone, then
/// those that can't be read.
#[derive(Debug, Clone, Default)]
pub struct VerifiedExamples {
    told: [Vec<String>; VerifiedStanding::ALL.len()],
    total: u64,
    first: Option<ReferralId>,
}

impl VerifiedExamples {
    /// Takes the next referral of the run.
    pub fn add(&mut self, referral: VerifiedReferral<'_>) {
        let standing = referral.verified.standing;
        if standing == VerifiedStanding::StillOurs {
            return;
        }
        self.total += 1;
        if standing == VerifiedStanding::ChangedSince {
            self.first.get_or_insert(referral.id);
        }
        let told = &mut self.told[standing as usize];
        if told.len() < MOST_TOLD {
            told.push(one(referral));
        }
    }

    /// Returns the first referral that has another value.
    pub fn first(&self) -> Option<ReferralId> {
        self.first
    }

    fn lines(&self) -> impl Iterator<Item = &String> {
        self.told.iter().flatten().take(MOST_TOLD)
    }
}

/// Returns the lines about one referral.
fn one(referral: VerifiedReferral<'_>) -> String {
    let VerifiedReferral { id, subject, verified, .. } = referral;
    let title = subject.and_then(Subject::title).map_or(String::new(), |title| format!(" {title}"));
    let updated = match &verified.updated {
        Some(time) if verified.standing == VerifiedStanding::ChangedSince => {
            format!(", last updated {}", visible(time))
        }
        _ => String::new(),
    };
    let mut told = format!("{id}{title}: {}{updated}\n", verified.standing.name());
    for FieldNow { path, wrote, now } in verified.fields.iter().take(MOST_FIELDS) {
        let now = now.as_deref().map_or_else(|| NOTHING.to_owned(), |now| shown(now, Extent::Excerpt));
        let path = visible(path.pointer().as_str());
        told += &format!("  {path}: {} → {now}\n", shown(wrote, Extent::Excerpt));
    }
    if let more @ 1.. = verified.fields.len().saturating_sub(MOST_FIELDS) {
        told += &format!("  and {}\n", counted(more as u64, "more field"));
    }
    if !verified.message.is_empty() {
        told += &format!("  {}\n", short_message(&verified.message, MESSAGE));
    }
    told
}

/// Returns the summary as text: how the referrals stand, and the first that are no longer as the run left them.
pub fn verified_text(summary: &VerifiedSummary, examples: &VerifiedExamples) -> String {
    let VerifiedFigures { written, counts, left, unknown } = summary.referrals;
    let mut table = plain_table();
    add(&mut table, "referrals written", grouped(written), "");
    for standing in VerifiedStanding::ALL {
        add(&mut table, &format!("  {}", standing.name()), grouped(counts.of(standing)), meaning(standing));
    }
    if left > 0 {
        add(&mut table, "  not looked at", grouped(left), "this was stopped before");
    }
    if unknown > 0 {
        add(
            &mut table,
            "outcome unknown",
            grouped(unknown),
            "not compared: nothing says whether they were written",
        );
    }
    let VerifiedRequests { total, get, list } = summary.requests;
    add(&mut table, "requests", grouped(total), &format!("{} list, {} get", grouped(list), grouped(get)));
    let mut text = title(summary.command, &summary.run, summary.state) + "\n" + &lines(&table);
    if examples.total > 0 {
        text += "\nno longer as the run left them\n";
        examples.lines().for_each(|lines| text += lines);
        let more = examples.total.saturating_sub(MOST_TOLD as u64);
        if more > 0 {
            text += &format!("and {}\n", counted(more, "more referral"));
        }
    }
    text
}

/// Returns what a standing means, for people.
fn meaning(standing: VerifiedStanding) -> &'static str {
    match standing {
        VerifiedStanding::StillOurs => "every field has the value that the run wrote",
        VerifiedStanding::ChangedSince => "a field has another value than the run wrote",
        VerifiedStanding::Gone => "not there any more, or not visible to this user",
        VerifiedStanding::NotReadable => "could not be read",
    }
}
