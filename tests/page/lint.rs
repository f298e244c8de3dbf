//! The page's script by the rules for what runs in people's browsers; the scripts that check it by theirs.

use std::fs;

use crate::page_support::browser::{folder, node};

const ESLINT: &str = "node_modules/eslint/bin/eslint.js";

#[test]
#[ignore = "needs Node.js"]
fn finds_nothing_in_the_script_of_the_page() {
    let script = include_str!("../../src/report/html/page.js");
    let strict = ["--no-inline-config", "--max-warnings", "0"];
    let there = ["--stdin", "--stdin-filename", "page.js"];
    node(ESLINT, &[&strict[..], &there].concat(), script);
    // What would put text into a page as HTML is found.
    let output = std::panic::catch_unwind(|| {
        node(ESLINT, &there, "\"use strict\";\ndocument.body.innerHTML = \"\";\n")
    });
    assert!(output.is_err());
}

#[test]
#[ignore = "needs Node.js"]
fn finds_nothing_in_the_scripts_of_these_tests() {
    let names: Vec<String> = ["", "checks/"]
        .into_iter()
        .flat_map(|below| {
            fs::read_dir(folder().join(below))
                .unwrap()
                .map(move |entry| format!("{below}{}", entry.unwrap().file_name().into_string().unwrap()))
        })
        .filter(|name| name.ends_with(".js"))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    node(ESLINT, &[&["--max-warnings", "0"], &names[..]].concat(), "");
}
