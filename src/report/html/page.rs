//! The page while it is folded over the rows of a run, and how it is written.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::domain::account::{FullRow, InputInfo, Phase};
use crate::domain::attempt::PaceRecord;
use crate::domain::run_spec::{RunSpec, StateSource};

use super::super::atomic_file::{AtomicFile, BUFFER, Filed, ReportError};
use super::super::change_text::NoValue;
use super::super::shelf::Shelf;
use super::audit::audit;
use super::closings::Closings;
use super::conflicts::Conflicts;
use super::data::{DataHead, RowData};
use super::facts::PageFacts;
use super::findings::Findings;
use super::frame::{self, Frame};
use super::kind::{Kind, NAME};
use super::money::DealValues;
use super::next::next;
use super::pace::Pace;
use super::paper::Paper;
use super::sent::SentSoFar;
use super::texts::Texts;
use super::the_run::{the_run, title};
use super::tools::Tools;
use super::verdict::{Verdict, verdict};

/// A page while the rows of a run are added to it.
#[derive(Debug)]
pub struct ReportPage {
    kind: Kind,
    inputs: Vec<InputInfo>,
    data: RowData,
    sent: SentSoFar,
    closings: Closings,
    deal_values: DealValues,
    conflicts: Conflicts,
    findings: Findings,
    pace: Pace,
    tools: Tools,
    paper: Paper,
}

impl ReportPage {
    /// Begins the page of a run that was planned in this way, and came this far.
    pub fn begin(spec: &RunSpec, phase: Phase, inputs: &[InputInfo], texts: Texts) -> Self {
        let no_value =
            if spec.asked.state == StateSource::None { NoValue::NotSeen } else { NoValue::Nothing };
        let kind = Kind::of(phase);
        Self {
            kind,
            inputs: inputs.to_vec(),
            data: RowData::new(texts, no_value, spec.created),
            sent: SentSoFar::default(),
            closings: Closings::new(texts),
            deal_values: DealValues::new(kind),
            conflicts: Conflicts::new(texts, no_value),
            findings: Findings::default(),
            pace: Pace::default(),
            tools: Tools::new(texts),
            paper: Paper::new(texts, kind, no_value),
        }
    }

    /// Adds the next row of the run.
    pub fn row(&mut self, row: &FullRow) {
        self.data.add(row);
        self.sent.add(row);
        self.closings.add(row);
        self.deal_values.add(row);
        self.conflicts.add(row);
        self.findings.add(row);
        self.tools.add(row);
        self.paper.add(row);
    }

    /// Adds an attempt, or what was waited for.
    pub fn pace(&mut self, record: PaceRecord) {
        self.pace.add(record);
    }

    /// Writes the page, and puts it in its place.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn write(&self, shelf: &Shelf, facts: &PageFacts<'_>) -> Result<Filed, ReportError> {
        let file = AtomicFile::begin(shelf.dir(), NAME)?;
        let path = file.path().to_owned();
        let mut out = BufWriter::with_capacity(BUFFER, file);
        let written = self.write_all(facts, &mut out).and_then(|()| Ok(out.into_inner()?));
        match written {
            Ok(file) => file.put(shelf),
            Err(source) => Err(ReportError::Write { path, source }),
        }
    }

    fn write_all(&self, facts: &PageFacts<'_>, out: &mut impl Write) -> io::Result<()> {
        let run = facts.texts.plain(&run_name(&facts.summary.run));
        let head = self.head(facts, &run).map_err(io::Error::other)?;
        out.write_all(head.as_bytes())?;
        let head = DataHead {
            kind: self.kind.name(),
            run: &run,
            explain: &facts.commands.explain,
            inputs: &self.inputs,
        };
        self.data.write(&head, out)?;
        out.write_all(frame::tail().as_bytes())
    }

    /// Returns the page up to its data: the frame, and all parts that have something to tell.
    fn head(&self, facts: &PageFacts<'_>, run: &str) -> Result<String, askama::Error> {
        let Verdict { headline, html } = verdict(facts, &self.sent)?;
        // Whoever reads the page is told these two before all parts, without looking for them.
        let mut body = html + &next(facts)?;
        let mut parts = Vec::new();
        for (id, name, html) in [
            ("run", title(self.kind), the_run(facts, &self.sent)?),
            ("closings", "Closings", self.closings.html(facts)?),
            ("money", "Deal values", self.deal_values.html(facts.texts)?),
            ("conflicts", "Conflicts", self.conflicts.html(facts)?),
            ("findings", "Findings", self.findings.html(facts)?),
            ("audit", "Audit", audit(facts)?),
            ("pace", "Pace", self.pace.html(facts)?),
            ("rows", "Rows", self.tools.html(facts, self.data.kept(), &self.paper.html(facts)?)?),
        ] {
            if !html.is_empty() {
                parts.push((id, name));
                body += &html;
            }
        }
        frame::head(&Frame { headline, run, kind: self.kind, parts, report: &facts.commands.report, body })
    }
}

/// Returns the name of a run: that of its directory.
fn run_name(run: &str) -> String {
    Path::new(run).file_name().map_or_else(|| run.to_owned(), |name| name.to_string_lossy().into_owned())
}
