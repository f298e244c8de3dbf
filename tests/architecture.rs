//! Who may know whom. The map stands in `src/lib.rs`; this holds the code to it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "architecture_support/imports.rs"]
mod imports;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules a top-level module may name. A module may always name itself.
const MAY_IMPORT: [(&str, &[&str]); 13] = [
    ("domain", &[]),
    ("disk", &[]),
    ("secrets", &["domain"]),
    ("input", &["domain"]),
    ("plan", &["domain"]),
    ("api", &["domain", "disk", "secrets"]),
    ("pace", &["domain"]),
    ("ledger", &["domain", "disk", "secrets"]),
    ("report", &["domain", "disk"]),
    ("sandbox", &[]),
    ("engine", &["domain", "api", "pace", "ledger"]),
    (
        "commands",
        &["domain", "disk", "input", "plan", "api", "pace", "ledger", "engine", "report", "sandbox"],
    ),
    ("cli", &["domain", "commands", "engine", "pace", "api", "ledger", "sandbox", "secrets"]),
];

/// Which crates only one place may name, and where.
const ONLY_IN: [(&str, &str); 33] = [
    ("tracing_subscriber", "src/cli/diagnostics.rs"),
    ("clap", "src/cli/"),
    ("reqwest", "src/api/"),
    ("rustls", "src/api/untrusted.rs"),
    ("askama", "src/report/html/"),
    ("governor", "src/pace/"),
    ("rusqlite", "src/ledger/sqlite/"),
    ("crc32fast", "src/ledger/sqlite/"),
    ("tokio_postgres", "src/ledger/postgres/"),
    ("rustls_tokio_postgres", "src/ledger/postgres/"),
    ("percent_encoding", "src/ledger/postgres/"),
    ("hashbrown", "src/domain/id_list.rs"),
    ("json_patch", "src/plan/"),
    ("indicatif", "src/report/progress"),
    ("axum", "src/sandbox/"),
    ("toml", "src/cli/"),
    ("getrandom", "src/api/auth/"),
    ("memchr", "src/api/auth/echo.rs"),
    ("webbrowser", "src/api/auth/oauth/opener.rs"),
    ("open", "src/cli/page_opener.rs"),
    ("askama", "src/report/html/"),
    ("keyring_core", "src/api/auth/store/system_keyring.rs"),
    ("zbus_secret_service_keyring_store", "src/api/auth/store/system_keyring.rs"),
    ("apple_native_keyring_store", "src/api/auth/store/system_keyring.rs"),
    ("windows_native_keyring_store", "src/api/auth/store/system_keyring.rs"),
    ("encoding_rs_io", "src/input/"),
    ("flate2", "src/input/"),
    ("calamine", "src/input/workbook/"),
    ("quick_xml", "src/input/workbook/"),
    ("zip", "src/input/workbook/"),
    ("rust_xlsxwriter", "src/report/sheet_writer.rs"),
    ("json_strip_comments", "src/input/legacy/"),
    ("comfy_table", "src/report/"),
];

/// Words that shipped code does not hold, and the one file that may.
const NOWHERE_BUT: [(&str, Option<&str>); 15] = [
    ("std::env::", Some("src/main.rs")),
    ("println!", None),
    ("eprintln!", None),
    ("print!", None),
    ("process::exit", None),
    ("todo!", None),
    ("unimplemented!", None),
    ("dbg!", None),
    ("#[allow", None),
    ("unsafe ", None),
    // A path is foreign text: `domain::characters::visible_path` shows it.
    (".display()", None),
    // What a run has on disk is to stay there: `disk` syncs it, and its directory.
    ("fs::rename", Some("src/disk.rs")),
    (".persist(", Some("src/disk.rs")),
    (".persist_noclobber(", Some("src/disk.rs")),
    ("DirBuilder", Some("src/disk.rs")),
];

#[test]
fn modules_name_only_what_lies_below_them() {
    let mut wrong = Vec::new();
    for (path, code) in shipped() {
        let Some(module) = module_of(&path) else { continue };
        let allowed = MAY_IMPORT
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("{path}: module {module} is not on the map"))
            .1;
        for named in named_modules(&code) {
            if named != module && !allowed.contains(&named.as_str()) {
                wrong.push(format!("{path}: {module} may not name {named}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_files_name_one_another() {
    let found: Vec<String> = circles(&shipped_as_written());
    assert!(found.is_empty(), "these name one another: {found:#?}");
}

/// The circles among files: groups, by what is left of their paths once `src/` and `.rs` are taken away.
fn circles(files: &BTreeMap<String, String>) -> Vec<String> {
    let short = |path: &String| path[4..path.len() - 3].to_owned();
    let circles = imports::circles(&imports::imports(files));
    circles.iter().map(|files| files.iter().map(short).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn a_circle_would_be_found() {
    for (files, wanted) in [
        (&[("a.rs", "use crate::b::B;"), ("b.rs", "")][..], &[][..]),
        (&[("a.rs", "use crate::b::B;"), ("b.rs", "fn b() -> crate::a::A {}")], &["a b"]),
        (
            &[
                ("a.rs", "use super::b;"),
                ("b.rs", "use super::c::{self, C};"),
                ("c.rs", "use crate::{a as x};"),
            ],
            &["a b c"],
        ),
        // What a folder's map passes on stands where it is made.
        (
            &[
                ("a/mod.rs", "mod b;\nmod c;\npub use b::B;\npub use c::C as D;"),
                ("a/b.rs", "use super::D;"),
                ("a/c.rs", "use super::d::E;"),
            ],
            &[],
        ),
        (
            &[
                ("a/mod.rs", "pub use b::B;\npub use c::C as D;"),
                ("a/b.rs", "use super::D;"),
                ("a/c.rs", "impl super::B {}"),
            ],
            &["a/b a/c"],
        ),
        (&[("a/mod.rs", "use b::B;\nstruct A;"), ("a/b.rs", "use super::A;")], &["a/b a/mod"]),
        (&[("a/mod.rs", "fn a() { b::B }"), ("a/b.rs", "fn b() { super::a() }")], &["a/b a/mod"]),
        // A path that begins with an imported module.
        (&[("a.rs", "use crate::b as x;\nfn a() { x::b() }"), ("b.rs", "use crate::a::a;")], &["a b"]),
        // Tests may name whatever they like.
        (&[("a.rs", "#[cfg(test)]\nmod tests { use crate::b::B; }"), ("b.rs", "use crate::a::A;")], &[]),
    ] {
        let files = files.iter().map(|(path, text)| (format!("src/{path}"), (*text).to_owned()));
        assert_eq!(circles(&files.clone().collect()), wanted, "{:?}", files.collect::<Vec<_>>());
    }
}

/// A folder's `mod.rs` is its map: what is in it, and what of it is for others.
#[test]
fn a_folders_map_holds_no_logic() {
    let maps = shipped_as_written();
    let maps = maps.iter().filter(|(path, _)| path.ends_with("/mod.rs"));
    let found: Vec<&str> = maps.filter(|(_, code)| !is_map(code)).map(|(path, _)| path.as_str()).collect();
    assert!(found.is_empty(), "{found:?}");
}

/// Whether a file holds modules and re-exports alone.
fn is_map(code: &str) -> bool {
    let file = syn::parse_file(code).unwrap();
    file.items.iter().all(|item| match item {
        syn::Item::Mod(module) => module.content.is_none(),
        syn::Item::Use(_) => true,
        _ => false,
    })
}

#[test]
fn logic_in_a_map_would_be_found() {
    for (code, wanted) in [
        ("//! A map.\nmod a;\npub mod b;\npub use a::A;\n#[cfg(test)]\nmod tests;", true),
        ("mod a;\nfn b() {}", false),
        ("const A: u8 = 1;", false),
        ("pub struct A;", false),
        ("mod a { pub fn b() {} }", false),
        ("impl super::A {}", false),
    ] {
        assert_eq!(is_map(code), wanted, "{code}");
    }
}

#[test]
fn crates_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for (path, code) in shipped() {
        for (name, room) in ONLY_IN {
            if !path.starts_with(room) && names_crate(&code, name) {
                wrong.push(format!("{path}: {name} belongs in {room}"));
            }
        }
        let reads_csv = path.starts_with("src/input/") || path.starts_with("src/report/");
        if !reads_csv && names_crate(&code, "csv") {
            wrong.push(format!("{path}: csv belongs in src/input/ and src/report/"));
        }
        // A token, and the password of a ledger.
        let secret = ["src/secrets/", "src/api/auth/", "src/ledger/postgres/"];
        if !secret.iter().any(|room| path.starts_with(room)) && names_crate(&code, "secrecy") {
            wrong.push(format!("{path}: secrecy belongs in {}", secret.join(" and ")));
        }
        let encodes = path.starts_with("src/api/auth/") || path == "src/report/html/frame.rs";
        if !encodes && names_crate(&code, "base64") {
            wrong.push(format!("{path}: base64 belongs in src/api/auth/ and src/report/html/frame.rs"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where settings are spelled as they are typed: what parses command lines, and what renders them.
const SPELL_SETTINGS: [&str; 2] = ["src/cli/", "src/commands/next_command.rs"];

#[test]
fn settings_are_spelled_in_one_place() {
    let spelled: Vec<String> = shipped_as_written()
        .into_iter()
        .filter(|(path, _)| !SPELL_SETTINGS.iter().any(|home| path.starts_with(home)))
        .filter(|(_, code)| !spelled_settings(code).is_empty())
        .map(|(path, _)| path)
        .collect();
    assert_eq!(spelled, [""; 0], "these are to name a `Setting` instead");
}

/// Each `--setting` in the texts of a file, its comments and tests aside, up to the end of its name.
fn spelled_settings(code: &str) -> Vec<String> {
    let code = without_comments_and_tests(code);
    let texts = code.split("--").skip(1);
    let names =
        texts.map(|text| text.chars().take_while(|c| c.is_ascii_lowercase() || matches!(c, '-' | '{')));
    names.map(String::from_iter).filter(|name: &String| name.starts_with(|c| c != '-')).collect()
}

#[test]
fn a_spelled_setting_would_be_found() {
    for (code, wanted) in [
        ("let hint = \"allow it with --clear; or not\";", &["clear"][..]),
        ("format!(\"say --format {form}, or --max-errors 3\")", &["format", "max-errors"]),
        ("format!(\"--{name}\")", &["{name"]),
        ("// as with --clear\n/// `--clear`\nlet dashes = [\"-\", \"--\", \"a -- b\"];", &[]),
        ("fn a() {}\n\n#[cfg(test)]\nmod tests {\n    const A: &str = \"--clear\";\n}\n", &[]),
    ] {
        assert_eq!(spelled_settings(code), wanted, "{code}");
    }
}

#[test]
fn the_domain_is_pure() {
    let impure =
        ["tokio::", "async ", "std::fs", "std::io", "std::net", "Timestamp::now", "std::time::Instant"];
    let mut wrong = Vec::new();
    for (path, code) in shipped().into_iter().filter(|(path, _)| path.starts_with("src/domain/")) {
        wrong.extend(impure.iter().filter(|word| code.contains(*word)).map(|word| format!("{path}: {word}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn forbidden_words_stand_nowhere() {
    let mut wrong = Vec::new();
    for (path, code) in shipped() {
        for (word, home) in NOWHERE_BUT {
            if home != Some(path.as_str()) && contains_word(&code, word) {
                wrong.push(format!("{path}: {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_ledger_has_a_ticket_to_give() {
    let journaled: Vec<String> = shipped()
        .into_iter()
        .filter(|(_, code)| code.contains("Journaled for"))
        .map(|(path, _)| path)
        .collect();
    for path in &journaled {
        assert!(path.starts_with("src/ledger/"), "{path} makes something else pass for a ticket");
    }
    assert!(journaled.len() <= 1, "more than one type passes for a ticket: {journaled:?}");
}

/// Whoever else gave one would send what is not on record, on whatever backend.
#[test]
fn only_the_writer_gives_tickets() {
    let given: Vec<String> = shipped()
        .into_iter()
        .filter(|(_, code)| code.contains("Ticket::issue(") || code.contains("Ticket {"))
        .filter(|(path, _)| path != "src/ledger/ticket.rs")
        .map(|(path, _)| path)
        .collect();
    assert_eq!(given, ["src/ledger/writer.rs"]);
}

/// Another ledger would have other files, or none: who has to name one to the user asks the ledger for its name.
#[test]
fn only_the_ledger_names_its_files() {
    let mut wrong = Vec::new();
    for (path, code) in shipped().into_iter().filter(|(path, _)| !path.starts_with("src/ledger/sqlite/")) {
        let names = LEDGER_FILES.into_iter().filter(|name| code.contains(name));
        wrong.extend(names.map(|name| format!("{path}: {name}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Parts of the names of a ledger's files.
const LEDGER_FILES: [&str; 5] = [".sqlite", "run.lock", "-wal\"", "-shm\"", "-journal\""];

/// The ledger in memory is for simulations: nothing that a user can type leads there.
#[test]
fn no_command_keeps_a_run_in_memory() {
    let mut wrong = Vec::new();
    for (path, code) in shipped().into_iter().filter(|(path, _)| !path.starts_with("src/ledger/")) {
        let words = ["ledger::memory", "Address::Memory", "Memory::new"];
        wrong.extend(words.iter().filter(|word| code.contains(*word)).map(|word| format!("{path}: {word}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the answer to a single GET lacks isn't there. Of anything else that would be a guess.
#[test]
fn only_the_answer_to_a_get_is_a_whole_referral() {
    let read: Vec<String> = shipped_as_written()
        .into_iter()
        .filter(|(_, code)| without_comments_and_tests(code).contains("Snapshot::whole("))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(read, ["src/engine/shown.rs"]);
}

#[test]
fn the_map_would_notice() {
    assert_eq!(
        named_modules("use crate::{api::Client, plan};\ncrate::ledger::open()"),
        ["api", "plan", "ledger"]
    );
    assert!(names_crate("use reqwest::Client;", "reqwest"));
    assert!(!names_crate("let my_csv = my_csv::new();", "csv"));
    assert!(!contains_word("self.sprint!(x)", "print!"));
    assert_eq!(without_comments_and_tests("a(\"http://b\");\n  // c\n//! d\ne"), "a(\"http://b\");\ne\n");
    assert_eq!(without_comments_and_tests("a\n\n#[cfg(test)]\nmod tests {\n    c\n}\n"), "a\n\n");
    for (tests, ends) in [
        ("\nmod tests;\n", true),
        ("\n#[path = \"x.rs\"]\npub(super) mod testing;\n", true),
        ("\npub(crate) mod testing;\n", true),
        ("\nmod tests {\n    fn a() {\n    }\n}\n", true),
        ("\nmod tests;\nuse b;\n", false),
        ("\nmod tests {\n}\nuse b;\n", false),
        ("\nmod tests {\n}\nmod more {\n}\n", false),
        ("\nuse b;\n", false),
        ("\nfn b() {\n}\n", false),
    ] {
        assert_eq!(is_last_module(tests), ends, "{tests}");
    }
}

#[test]
fn tests_stand_at_the_end_of_their_file() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        if code.split_once(TESTS).is_some_and(|(_, tests)| !is_last_module(tests)) {
            wrong.push(format!("{path}: something follows the tests, or they are no module"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What stands before the module of tests, which is the last thing in a file.
const TESTS: &str = "#[cfg(test)]";

/// The shipped code, by path from the project's root, without comments and tests.
fn shipped() -> BTreeMap<String, String> {
    sources().into_iter().map(|(path, code)| (path, without_comments_and_tests(&code))).collect()
}

/// The shipped source files, without those of tests.
fn shipped_as_written() -> BTreeMap<String, String> {
    let is_shipped = |path: &String| !path.contains("/tests/") && !path.ends_with("/tests.rs");
    sources().into_iter().filter(|(path, _)| is_shipped(path)).collect()
}

/// The source files, by path from the project's root.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = BTreeMap::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let code = fs::read_to_string(&path).unwrap();
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                files.insert(name, code);
            }
        }
    }
    assert!(files.len() > 10, "the code was not found");
    files
}

fn without_comments_and_tests(code: &str) -> String {
    let code = code.split(TESTS).next().unwrap_or_default();
    // A comment behind code stays: it may be no comment but part of a text, as in `http://`.
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Whether what follows the mark is one module and nothing else. A formatted module ends at the first
/// brace that begins a line.
fn is_last_module(tests: &str) -> bool {
    let mut lines = tests.trim().lines().skip_while(|line| line.starts_with("#["));
    let Some(head) = lines.next() else { return false };
    let is_module =
        ["", "pub(super) ", "pub(crate) "].iter().any(|seen| head.starts_with(&format!("{seen}mod ")));
    let body: Vec<&str> = lines.collect();
    let ends = match body.split_last() {
        Some((last, inside)) => head.ends_with('{') && *last == "}" && !inside.contains(&"}"),
        None => head.ends_with(';'),
    };
    is_module && ends
}

fn module_of(path: &str) -> Option<String> {
    let inside = path.strip_prefix("src/")?;
    match inside.split_once('/') {
        Some((module, _)) => Some(module.to_owned()),
        None => inside.strip_suffix(".rs").filter(|name| !matches!(*name, "main" | "lib")).map(str::to_owned),
    }
}

/// The top-level modules that a file names through `crate::`.
fn named_modules(code: &str) -> Vec<String> {
    let mut named = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => named.extend(group_names(group)),
            None => named.extend(first_name(rest)),
        }
    }
    named
}

fn group_names(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut start) = (1, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if (c == ',' && depth == 1) || depth == 0 {
            names.extend(first_name(group[start..at].trim_start()));
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn first_name(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty() && name.starts_with(char::is_lowercase)).then_some(name)
}

fn names_crate(code: &str, name: &str) -> bool {
    let code = without_comments_and_tests(code);
    [format!("{name}::"), format!("use {name};"), format!("{name}!(")]
        .iter()
        .any(|word| contains_word(&code, word))
}

fn contains_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
    })
}
