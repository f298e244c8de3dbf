//! Reports: what became of every row, in files and on the terminal.
//!
//! Reports are a fold over the account of a run. The caller hands over one row or item at a time, in the order
//! of the run; nothing here grows with the number of rows. What is written depends on nothing but what is
//! handed over, so a report can be made again at any time, byte for byte.
//!
//! | part | what |
//! |---|---|
//! | [`Shelf`] | a run's directory, for the one process that writes reports there |
//! | [`RowReports`] | the row files `success`, `conflict`, `error` and `pending`, `error.portal-N.csv`, and `outcomes.jsonl` |
//! | [`PlanReport`] | `plan.jsonl` and its checksum, and `plan.csv` |
//! | [`VerifiedReport`] | `verify.jsonl` and `verify.csv` |
//! | [`VerifiedSummary`] | the summary of a verification |
//! | [`Overview`] | what a plan would change, for people |
//! | [`PatchFile`] | the documents of a plan as a change file |
//! | [`UndoFiles`], [`UndoTally`] | the change file that takes a run back, and what it comes to |
//! | [`ReportPage`] | `report.html`, for people |
//! | [`ExportFile`] | a snapshot or a change file that is made of referrals |
//! | [`Tally`] | rows by outcome and reason, and whether they balance |
//! | [`HeldRows`] | the first rows that are held back, for people |
//! | [`Audits`] | the totals of a migration's payloads |
//! | [`LifeOf`] | the life of rows, from what was read to the outcome |
//! | [`RunView`] | single referrals, for people and as JSON lines |
//! | [`Summary`], [`text`](fn@text) | `summary.json`, the summary on the terminal |
//! | [`schemas()`] | the JSON Schemas of what programs read |
//! | [`Progress`] | how far a run has come, while it runs |
//! | [`ProgressEvent`] | what happens meanwhile, for programs that follow it |
//!
//! What always holds: a row goes into exactly one row file and one line of `outcomes.jsonl`. A file is replaced
//! as a whole or not at all, and only its owner can read it; a change file replaces none unless that is asked for. A file that was
//! edited since it was written is kept beside the new one. Text that a server sent can neither run as a
//! spreadsheet formula nor steer a terminal.

mod atomic_file;
mod audit;
mod books;
mod change_text;
mod csv;
mod edited;
mod example;
mod export_file;
mod files;
mod filter;
mod findings;
mod form;
mod format;
mod held_rows;
mod html;
mod in_doubt;
mod jsonl;
mod life;
mod life_course;
mod life_json;
mod life_words;
mod line_writer;
mod lost;
mod manifest;
mod match_line;
mod money;
mod names;
mod outcomes;
mod overview;
mod patches;
mod plan;
mod plan_line;
mod plan_table;
mod portal;
mod progress;
mod referral_text;
mod row_file;
mod rows;
mod run_view;
mod schemas;
mod sheet_writer;
mod shelf;
mod spool;
mod summary;
mod table;
mod text;
mod undo_files;
mod undo_summary;
mod verified;
mod verified_text;
mod written;
mod xlsx;

pub use atomic_file::{Filed, ReportError};
pub use audit::{AuditSummary, Audits, BytesSummary, FieldCount};
pub use books::{FailureGroup, Imbalance, Tally, WarningGroup};
pub use edited::{Aside, Kept};
pub use example::Example;
pub use export_file::{ExportFile, ExportForm, ExportHeader, WrittenCell};
pub use files::{TakenAway, is_report, report_files, take_away};
pub use filter::ReferralFilter;
pub use form::SharedForms;
pub use format::{counted, grouped, roughly};
pub use held_rows::HeldRows;
pub use html::{NAME as PAGE_FILE, NextStep, PageCommands, PageFacts, ReportPage, Texts};
pub use life::LifeOf;
pub use lost::{Lost, is_short_of_state};
pub use manifest::FileSummary;
pub use names::UnknownInput;
pub use overview::Overview;
pub use patches::PatchFile;
pub use plan::{FiledPlan, NAME as PLAN_FILE, PlanCounts, PlanReport};
pub use progress::{
    Bar, Course, EndAccount, EndFigures, EventLine, OutcomeCounts, PlannedFigures, Progress, ProgressEvent,
    ProgressFigures, ProgressMode, ProgressWork, Remark, ThrottledScope, ToldProgress, Waiting,
    WaitingFigures, WaitingReason, WaveFigures, in_seconds,
};
pub use rows::RowReports;
pub use run_view::RunView;
pub use schemas::schemas;
pub use shelf::Shelf;
pub use spool::ExportSlot;
pub use summary::{
    ApprovalSummary, ConsentSummary, InputSummary, Referrals, Requests, Rows, Seconds, State, Summary,
};
pub use text::{
    PlanShown, not_as_sent, order_line, planned, text, title, title_under_way, warnings, waves_line,
};
pub use undo_files::{UndoFiles, beside};
pub use undo_summary::UndoTally;
pub use verified::{FiledVerification, TABLE as VERIFIED_TABLE, VerifiedReferral, VerifiedReport};
pub use verified_text::{
    VerifiedExamples, VerifiedFigures, VerifiedRequests, VerifiedSummary, verified_text,
};
pub use written::{Forms, Written, WrittenFile};

#[cfg(test)]
pub(crate) mod testing;
