//! `report.html`: a run or a plan as one page that is handed on, and loads nothing from anywhere.
//!
//! All of the page is written here, from the ledger and `summary.json`; its script alone shows the table of all rows,
//! from the data block at the page's end. What stands in it is a fold over the rows, so nothing but the rows in the data
//! block takes memory, and those are bounded in number and size.
//!
//! | file | what |
//! |---|---|
//! | `page` | the page while it is folded, and how it is written |
//! | `kind` | whether it is of a plan or of a run |
//! | `facts` | what is told besides what is folded |
//! | `texts`, `mask` | every text from outside: masked, visible, cut off |
//! | `data` | the data block: rows as arrays, repeated texts once |
//! | `frame` | head, policy, style, masthead, footer and script |
//! | `kind` | whether it is of a plan or of a run |
//! | `verdict`, `bar`, `sent` | what happened in a sentence, and the outcomes as a bar |
//! | `next` | what is left to do |
//! | `the_run`, `chain` | what was asked, by whom, with whose consent; inputs and reports |
//! | `money` | deal values before and after, by currency |
//! | `closings`, `closing` | what is closed for good, and what became of it |
//! | `conflicts` | base, ours and theirs side by side |
//! | `findings` | by rule |
//! | `pace` | what was sent over time, and how long answers took |
//! | `tools`, `paper` | the table of all rows, and the rows that matter on paper |
//! | `audit` | what a migration's payloads come to |
//! | `words` | outcomes, lists, times and shares in words |
//! | `page.css`, `page.js`, `templates/` | what is compiled in |
//!
//! The form of the data block: `{version, kind: run|plan, run, explain, start, files[], outcomes[], fields[], labels[],
//! prefix{}, rows[], strings[]}`. A row is `[file, line, id, name, outcome, changes, code, message, currency, http, at,
//! tries, findings]` with the empty ones at its end left out; `at` in milliseconds from `start`. A change is `[field,
//! before, after]`, with a fourth where there is another side: what is there instead (conflict), or what was kept
//! (partial). Two sides that mean the same have the same number, and only those. A try is `[client-request-id, HTTP status or 0, milliseconds or null]`, a finding `[rule, 1 where it
//! denies, message]`. Files, outcomes and fields are numbers in the lists of that name. Values, codes, messages,
//! currencies and rules are numbers in `strings`, of which 0 is empty; -1 is a value that was not seen.

mod audit;
mod bar;
mod chain;
mod closing;
mod closings;
mod conflicts;
mod data;
mod facts;
mod findings;
mod frame;
mod kind;
mod mask;
mod money;
mod next;
mod pace;
mod page;
mod paper;
mod sent;
mod sides;
mod texts;
mod the_run;
mod tools;
mod verdict;
mod words;

pub use facts::{NextStep, PageCommands, PageFacts};
pub use kind::NAME;
pub use page::ReportPage;
pub use texts::Texts;

#[cfg(test)]
mod testing;
