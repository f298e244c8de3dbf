//! What follows from the program: tables, help, and what commands print.

use std::fs;

use referral_bulk::commands::next_command::spelled;
use referral_bulk::domain::aliases::{Meaning, TABLE};
use referral_bulk::domain::exit::Exit;
use referral_bulk::domain::fields::{Field, Kind};
use referral_bulk::domain::reasons;
use referral_bulk::domain::rules::{Rule, transitions};
use referral_bulk::domain::status::{Stage, Status};
use referral_bulk::input::portal::columns::{self, ContactPart, GoesTo, Naming, PortalColumn, PortalTarget};

use super::schemas;
use super::session::{GOOD, MISTAKES, example, example_as_kept, names, session};
use super::{
    CHANGE_FILES, CLI, COMMANDS, EXAMPLE, MIGRATE, PERFORMANCE, PORTAL_FILES, README, RULES, RUNNING,
    directory_with_samples, figures, read, root, run,
};
use crate::support::rates;

#[test]
fn generated_text_is_what_the_program_says() {
    let mut wrong = Vec::new();
    for Block { file, name, text } in blocks() {
        let document = read(file);
        if with_block(&document, name, &text) != document {
            wrong.push(format!("{file} should hold, as {name}:\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{AGAIN}", wrong.join("\n"));
}

#[test]
fn the_example_is_what_the_readme_says_makes_it() {
    let (made, kept) = (example(), example_as_kept());
    assert_eq!(names(&made), names(&kept), "{AGAIN}");
    for (name, text) in &made {
        let differing = text.lines().zip(kept[name].lines()).find(|(made, kept)| made != kept);
        assert!(text == &kept[name], "{EXAMPLE}/{name} differs: {differing:#?}\n{AGAIN}");
    }
}

pub const AGAIN: &str = "`cargo test --test docs -- --ignored` writes it again; read the difference";

#[test]
#[ignore = "writes README.md, docs/ and reports/example/ again"]
fn write_all_of_it_again() {
    // What it says is compared where the rates are found, in tests/pace: that takes a minute.
    let rates = Block { file: RUNNING, name: "rates", text: rates::table(&rates::run_all()) };
    for Block { file, name, text } in blocks().into_iter().chain([rates]) {
        fs::write(root().join(file), with_block(&read(file), name, &text)).unwrap();
    }
    schemas::write();
    let kept = root().join(EXAMPLE);
    let _ = fs::remove_dir_all(&kept);
    fs::create_dir_all(&kept).unwrap();
    for (name, text) in example() {
        fs::write(kept.join(name), text).unwrap();
    }
}

/// A piece of a document that follows from the program.
pub struct Block {
    pub file: &'static str,
    pub name: &'static str,
    pub text: String,
}

pub fn blocks() -> Vec<Block> {
    let block = |file, name, text| Block { file, name, text };
    let (good, mistakes) = (session(GOOD), session(MISTAKES));
    let first_finding: Vec<&str> = mistakes.errors.lines().take(3).collect();
    let lines: Vec<&str> = mistakes.errors.lines().collect();
    let last_lines = lines[lines.len() - 2..].join("\n");
    let record = read("benches/figures.json");
    let (all_figures, few_figures) = figures::tables(&serde_json::from_str::<Vec<_>>(&record).unwrap());
    let mut blocks = vec![
        block(README, "good", fenced(&good.told)),
        block(README, "finding", fenced(&first_finding.join("\n"))),
        block(RUNNING, "mistakes", fenced(&mistakes.told)),
        block(README, "next", fenced(&last_lines)),
        block(CHANGE_FILES, "fields", field_table()),
        block(CHANGE_FILES, "names", name_table(false)),
        block(CHANGE_FILES, "refused-names", name_table(true)),
        block(PORTAL_FILES, "reasons", reason_table()),
        block(PORTAL_FILES, "portal-columns", column_table()),
        block(MIGRATE, "audit", fenced(&audit())),
        block(RULES, "rules", rule_table(false)),
        block(RULES, "fixed-rules", rule_table(true)),
        block(RULES, "transitions", transition_table()),
        block(RUNNING, "exit-codes", exit_code_table()),
        block(PERFORMANCE, "figures", all_figures),
        block(README, "figures", few_figures),
        block(CLI, "help", fenced(&help(&["--help"]))),
    ];
    let asked = |name: &'static str| [name.split(' ').collect(), vec!["--help"]].concat();
    blocks.extend(COMMANDS.map(|name| block(CLI, name, fenced(&help(&asked(name))))));
    blocks
}

fn with_block(document: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- BEGIN {name} -->\n"), format!("<!-- END {name} -->"));
    let (before, rest) = document.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
    format!("{before}{begin}{}\n{end}{after}", text.trim_end())
}

fn rule_table(fixed: bool) -> String {
    let rules = Rule::all().filter(|rule| rule.is_fixed() == fixed);
    if fixed {
        let rows = rules.map(|rule| format!("| `{rule}` | {} |\n", spelled(&rule.about())));
        return format!("| rule | about |\n|---|---|\n{}", rows.collect::<String>());
    }
    let rows = rules
        .map(|rule| format!("| `{rule}` | {} | {} |\n", rule.default_level().name(), spelled(&rule.about())));
    format!("| rule | level | about |\n|---|---|---|\n{}", rows.collect::<String>())
}

fn transition_table() -> String {
    let names =
        |statuses: &[Status]| statuses.iter().map(|status| status.name()).collect::<Vec<_>>().join(", ");
    let rows = transitions::TABLE.map(|(status, followers)| {
        let substatuses: Vec<&str> = status.stages().map(Stage::substatus).collect();
        format!("| {} | {} | {} |\n", status.name(), names(followers), substatuses.join(", "))
    });
    format!("| status | may become | its substatuses |\n|---|---|---|\n{}", rows.concat())
}

fn exit_code_table() -> String {
    let rows = Exit::ALL.map(|exit| format!("| {} | {} |\n", exit.code(), spelled(&exit.about())));
    format!("| code | meaning |\n|---|---|\n{}", rows.concat())
}

/// What the README's archive comes to, as its plan tells it.
fn audit() -> String {
    let dir = directory_with_samples();
    let output = run(dir.path(), &["migrate", "samples/legacy-puts.jsonl", "--sandbox", "--plan"]);
    let told = output.stdout;
    let (_, audit) = told.split_once("\nwhat the payloads come to\n").unwrap();
    let (audit, _) = audit.split_once("\nwhat went wrong\n").unwrap();
    format!("what the payloads come to\n{audit}")
}

fn field_table() -> String {
    let row = |field: Field| {
        let takes = match field.kind() {
            Kind::Text | Kind::Any => "text",
            Kind::Decimal => "a number; see [Numbers](#numbers)",
            Kind::Currency => "an ISO 4217 code, such as EUR",
            Kind::DateTime => {
                "`2026-12-31` (midnight UTC), or a time with its zone: `2026-12-31T17:00:00+01:00`"
            }
            Kind::Boolean => "`true` or `false`",
            Kind::Members => "a JSON array of members, each with an `email`",
            Kind::Solutions => "a JSON array of solutions, each with an `id` or a `name`",
        };
        let takes = match field {
            Field::Status => "New, Active or Closed",
            Field::Substatus => "see the table of transitions",
            _ => takes,
        };
        let pointer = field.pointer().as_str();
        format!("| `{pointer}` | `{}` | {takes} |\n", pointer[1..].replace('/', "."))
    };
    format!("| field | or | takes |\n|---|---|---|\n{}", Field::all().map(row).collect::<String>())
}

/// What people call the fields; or what is like that and is refused.
fn name_table(refused: bool) -> String {
    let rows = TABLE.iter().filter_map(|(meaning, names)| {
        let meant = match meaning {
            Meaning::Id => "`id`".to_owned(),
            Meaning::Field(field) => format!("`{}`", &field.pointer().as_str()[1..].replace('/', ".")),
            Meaning::Any(names) => format!("any of `{}`", names.join("`, `")),
            Meaning::Nothing(why) => (*why).to_owned(),
        };
        let is_refused = matches!(meaning, Meaning::Any(_) | Meaning::Nothing(_));
        (is_refused == refused).then(|| format!("| {} | {meant} |\n", names.join(", ")))
    });
    let heads = if refused { "| name | why |" } else { "| name | means |" };
    format!("{heads}\n|---|---|\n{}", rows.collect::<String>())
}

fn reason_table() -> String {
    let rows = (1..).zip(reasons::TABLE).map(|(number, reason)| format!("| {number} | {reason} |\n"));
    format!("| number | reason |\n|---|---|\n{}", rows.collect::<String>())
}

/// The columns of Partner Center's file, and what each goes to.
fn column_table() -> String {
    let row = |column: &PortalColumn| {
        let name = match column.naming {
            Naming::Whole => format!("`{}`", column.name),
            Naming::Numbered => format!("`{} 1` … `{}`", column.name, columns::MOST),
            Naming::Beginning => format!("`{} …`", column.name),
        };
        format!("| {name} | {} | {} |\n", column.since, goes_to(column.goes_to))
    };
    let rows: String = columns::TABLE.iter().map(row).collect();
    format!("| column | since | goes to |\n|---|---|---|\n{rows}")
}

fn goes_to(goes_to: GoesTo) -> String {
    let field = |field: Field| format!("`{}`", field.pointer());
    match goes_to {
        GoesTo::Id => "the referral that the row is about".to_owned(),
        GoesTo::Field(of) => field(of),
        GoesTo::Name => "compared with `/name`, or sent where you opted into that".to_owned(),
        GoesTo::Solutions => field(Field::Solutions),
        GoesTo::Team => field(Field::Team),
        GoesTo::Nothing => "nothing".to_owned(),
        GoesTo::Own(target) => match target {
            PortalTarget::Status => field(Field::Status),
            PortalTarget::Substatus => field(Field::Substatus),
            PortalTarget::Reason => field(Field::StatusReason),
            PortalTarget::SalesStage => field(Field::SalesStage),
            PortalTarget::CloseDate => field(Field::ClosingDateTime),
            PortalTarget::Share => field(Field::ShareConsent),
            PortalTarget::Solution(_) => field(Field::Solutions),
            PortalTarget::TeamMember(_) => field(Field::Team),
            PortalTarget::Contact(part) => {
                let name = match part {
                    ContactPart::FirstName => "firstName",
                    ContactPart::LastName => "lastName",
                    ContactPart::PhoneNumber => "phoneNumber",
                    ContactPart::EMail => "email",
                };
                format!("{}, {name}", field(Field::CustomerTeam))
            }
            PortalTarget::Shown(_, counterpart) => format!("compared with `{}`", counterpart.pointer()),
        },
    }
}

fn help(arguments: &[&str]) -> String {
    let output = run(&root(), arguments);
    assert!(output.code == Some(0), "{arguments:?}");
    output.stdout.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn fenced(text: &str) -> String {
    format!("```text\n{}\n```", text.trim_end())
}
