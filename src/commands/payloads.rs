//! Legacy PUT payloads, held until the referrals that they are compared with are read.

use std::collections::HashMap;

use super::baseline::Baseline;
use super::error::CommandError;
use super::plan_writer::{Halt, PlanWriter, unreadable};
use super::source::Source;
use crate::domain::account::{RowRecord, RowText, input_name};
use crate::domain::audit::{Audit, Class};
use crate::domain::finding::{Finding, Location};
use crate::domain::json::Object;
use crate::domain::outcome::Verdict;
use crate::domain::referral::ReferralId;
use crate::domain::rules::Rule;
use crate::domain::run_spec::Base;
use crate::domain::snapshot::Snapshot;
use crate::input;
use crate::input::legacy::{self, PayloadRecord};
use crate::ledger::LedgerError;
use crate::plan::{Judging, Planned, Terms, migrate};

/// The payloads of a run. Only the place of each is in memory; its text is in the ledger.
pub struct Payloads {
    judging: Judging,
    terms: Terms,
    files: Vec<String>,
    options: input::Options,
    base: Option<Base>,
    /// The referrals as they were when the payloads were made, where a base snapshot was given.
    bases: Option<Baseline>,
    /// The first payload of each referral.
    waiting: HashMap<ReferralId, Waiting>,
    remaining: usize,
    /// The referrals whose payloads come from rejected files, and why the files are rejected.
    condemned: Vec<(ReferralId, Finding)>,
}

/// The place of the first payload of a referral.
struct Waiting {
    row: u64,
    place: Location,
    done: bool,
}

impl Payloads {
    /// Creates the payloads of a run, of which none is read yet.
    pub fn new(
        judging: Judging,
        terms: Terms,
        files: Vec<String>,
        options: input::Options,
        base: Option<Base>,
    ) -> Self {
        let (waiting, condemned) = (HashMap::new(), Vec::new());
        Self { judging, terms, files, options, base, bases: None, waiting, remaining: 0, condemned }
    }

    /// Reads one file. The file may turn out to be rejected as a whole.
    fn file(&mut self, path: &str, writer: &mut PlanWriter<'_>) -> Result<(), CommandError> {
        let (options, before) = (self.options.clone(), writer.rows());
        let mut condemned = None;
        writer.input(path, |writer, number, stdin| {
            let ended = legacy::read(path, Some(stdin), number, &options, &mut |record| {
                self.payload(record, writer)
            })?;
            condemned = ended.rejection;
            Ok(ended.read)
        })?;
        if let Some(condemned) = condemned {
            let of_this = self.waiting.iter().filter(|(_, waiting)| waiting.row > before);
            self.condemned.extend(of_this.map(|(id, waiting)| (*id, condemned.finding(waiting.place))));
        }
        Ok(())
    }

    /// Writes an item to the ledger for each payload of a rejected file: nothing of it is taken.
    fn condemn(&mut self, writer: &mut PlanWriter<'_>) -> Result<(), CommandError> {
        let mut condemned = std::mem::take(&mut self.condemned);
        condemned.sort_by_key(|(_, finding)| finding.place);
        for (id, finding) in condemned {
            if let Some((row, _)) = self.take_out(id) {
                let planned = self.judging.reject(row, id, vec![finding]);
                let audit = Some(Audit::uncompared(Class::Invalid));
                writer.item(Planned { audit, ..planned })?;
            }
        }
        Ok(())
    }

    fn payload(&mut self, record: PayloadRecord, writer: &mut PlanWriter<'_>) -> Result<(), Halt> {
        let row = writer.next_row();
        let PayloadRecord { place, text, parsed, notes, earlier_outcome } = record;
        let (id, item, findings) = match parsed {
            Ok(payload) => match self.waiting.get(&payload.id) {
                None => {
                    self.waiting.insert(payload.id, Waiting { row, place, done: false });
                    self.remaining += 1;
                    (Some(payload.id), Some(row), notes)
                }
                Some(first) => (Some(payload.id), None, vec![self.second(place, first.place)]),
            },
            Err(rejected) => (rejected.id, None, rejected.findings),
        };
        let verdict = item.is_none().then(|| Verdict::invalid(&findings));
        let record = RowRecord { row, place, id, text, item, verdict, findings, matched: None };
        writer.row(record, earlier_outcome)
    }

    /// Returns the finding of a second payload for a referral. What it would change follows from the version
    /// that the first one leads to, which is unknown until that is applied.
    fn second(&self, here: Location, there: Location) -> Finding {
        let line = match self.judging.inputs.get(there.input as usize) {
            Some(path) if here.input != there.input => format!("{}:{}", input_name(path), there.line),
            _ => format!("line {}", there.line),
        };
        Finding::deny(Rule::Contradiction, here, format!("{line} holds a payload for this referral too"))
            .hint("migrate the later one by itself, once the first has been applied")
    }

    fn find(&self, id: ReferralId) -> Option<&Waiting> {
        self.waiting.get(&id).filter(|waiting| !waiting.done)
    }

    fn take_out(&mut self, id: ReferralId) -> Option<(u64, Location)> {
        let waiting = self.waiting.get_mut(&id).filter(|waiting| !waiting.done)?;
        waiting.done = true;
        self.remaining -= 1;
        Some((waiting.row, waiting.place))
    }
}

impl Source for Payloads {
    fn read(&mut self, writer: &mut PlanWriter<'_>) -> Result<(), CommandError> {
        for named in std::mem::take(&mut self.files) {
            let files = match named.as_str() {
                "-" => vec![named],
                _ => legacy::files(&named).map_err(|unusable| unreadable(&unusable))?,
            };
            for path in files {
                self.judging.inputs.push(path.clone());
                self.file(&path, writer)?;
            }
        }
        if writer.is_stopped() {
            return Ok(());
        }
        self.condemn(writer)?;
        if let Some(base) = self.base.take() {
            self.bases = Some(Baseline::read(base, self.remaining, |id| self.wants(id), writer)?);
        }
        Ok(())
    }

    fn wanted(&self) -> Vec<ReferralId> {
        let mut wanted: Vec<(u64, ReferralId)> = self
            .waiting
            .iter()
            .filter(|(_, waiting)| !waiting.done)
            .map(|(id, waiting)| (waiting.row, *id))
            .collect();
        wanted.sort_unstable();
        wanted.into_iter().map(|(_, id)| id).collect()
    }

    fn remaining(&self) -> usize {
        self.remaining
    }

    fn wants(&self, id: ReferralId) -> bool {
        self.find(id).is_some()
    }

    fn plan(
        &mut self,
        id: ReferralId,
        current: Option<&Snapshot<'_>>,
        writer: &PlanWriter<'_>,
        keep: &dyn Fn(&Planned) -> bool,
    ) -> Result<Option<Planned>, LedgerError> {
        let (Some(waiting), Some(current)) = (self.find(id), current) else { return Ok(None) };
        let RowText::Line(text) = writer.text_of(waiting.row)? else { return Ok(None) };
        // Most payloads equal the current referral, whose members are parsed already.
        let read;
        let members = if text == current.json() {
            current.members()
        } else {
            let Some(own) = Object::parse(&text) else { return Ok(None) };
            read = own;
            &read
        };
        let Some(payload) = legacy::again(&text, members, waiting.place, &self.options) else {
            return Ok(None);
        };
        let row = waiting.row;
        // No change before the current version can conflict with a payload of that version, so it needs no
        // base.
        let is_current = payload.etag.as_ref().map(|etag| &etag.value) == current.etag();
        let base = match &mut self.bases {
            Some(bases) if !is_current => bases.of(id)?,
            _ => None,
        };
        let base = base.as_deref().and_then(|json| Snapshot::in_part(json).ok());
        // Most payloads count as they are written, so their members need not be parsed again.
        let members = (*payload.body == *text).then_some(members);
        let migrated = migrate(&payload, members, current, base.as_ref(), &self.terms, &self.judging, row);
        if !keep(&migrated.planned) {
            self.take_out(id);
        }
        Ok(Some(migrated.planned))
    }

    fn reopen(&mut self, id: ReferralId) {
        if let Some(waiting) = self.waiting.get_mut(&id).filter(|waiting| waiting.done) {
            waiting.done = false;
            self.remaining += 1;
        }
    }

    fn absent(&mut self, id: ReferralId, verdict: Verdict) -> Option<Planned> {
        let (row, _) = self.take_out(id)?;
        Some(uncompared(self.judging.nothing_to_send(row, id, verdict, Vec::new())))
    }

    fn not_in_snapshot(
        &mut self,
        id: ReferralId,
        engagement_of: Option<ReferralId>,
    ) -> Result<Option<Planned>, LedgerError> {
        let Some((row, place)) = self.take_out(id) else { return Ok(None) };
        Ok(Some(uncompared(self.judging.not_in_snapshot(row, id, place, engagement_of))))
    }
}

fn uncompared(planned: Planned) -> Planned {
    Planned { audit: Some(Audit::uncompared(Class::NotCompared)), ..planned }
}
