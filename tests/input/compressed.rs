//! Files that are compressed with gzip: read as if they were not, and never half.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::case::{Ran, Test};
use crate::support::samples::sample;
use crate::support::sha256::sha256;

const PLAN: &str = "--plan --out run --summary none --progress none";

fn gzip(content: impl AsRef<[u8]>) -> Vec<u8> {
    let mut file = GzEncoder::new(Vec::new(), Compression::default());
    file.write_all(content.as_ref()).unwrap();
    file.finish().unwrap()
}

/// Plans with these files, each compressed under the name that it has here.
fn plan(command: &str, files: &[(&str, &str)], stdin: &str, code: i32) -> Ran {
    let start = Test::new(&format!("{command} {PLAN}")).stdin(gzip(stdin)).code(code).told_elsewhere();
    files.iter().fold(start, |test, (name, content)| test.file(name, gzip(content))).run()
}

#[test]
fn every_form_is_read_compressed_as_it_is_plain() {
    let referrals = sample("referrals.jsonl");
    let csv = sample("quarter-end.csv");
    let jsonl = sample("quarter-end.jsonl");
    let payloads = sample("legacy-puts.jsonl");
    let one = payloads.lines().next().unwrap();
    for (command, name, content, report, code) in [
        ("apply a.csv.gz --state s.jsonl.gz", "a.csv.gz", &csv[..], "csv", 3),
        ("apply a.csv --state s.jsonl.gz", "a.csv", &csv, "csv", 3),
        ("apply a.jsonl.gz --sandbox=s.jsonl.gz", "a.jsonl.gz", &jsonl, "jsonl", 0),
        ("apply - --format csv --state s.jsonl.gz", "-", &csv, "csv", 3),
        ("migrate a.jsonl.gz --state s.jsonl.gz --base s.jsonl.gz", "a.jsonl.gz", &payloads, "jsonl", 3),
        ("migrate d --state s.jsonl.gz", "d/a.json.gz", one, "jsonl", 0),
    ] {
        let plain = command.replace(".gz", "");
        let plain = Test::new(&format!("{plain} {PLAN}"))
            .file("s.jsonl", &referrals)
            .file(name.trim_end_matches(".gz"), content)
            .stdin(content)
            .code(code)
            .told_elsewhere()
            .run();
        let packed = plan(command, &[("s.jsonl.gz", &referrals), (name, content)], content, code);
        let documents = |ran: &Ran| ran.place.read("run/plan.jsonl").replace(".gz", "");
        assert_eq!(documents(&packed), documents(&plain), "{command}");
        let summary = packed.summary("run");
        assert_eq!(
            summary["inputs"][0]["sha256"],
            sha256(gzip(content)),
            "{command}: of the file's own bytes"
        );
        let success = format!("run/success.{report}");
        assert_eq!(packed.place.raw(&success).lines().count(), plain.place.raw(&success).lines().count());
        assert!(!packed.place.path(format!("{success}.gz")).exists(), "reports are not compressed");
    }
}

#[test]
fn half_a_file_plans_nothing() {
    let (csv, referrals) = (sample("quarter-end.csv"), sample("referrals.jsonl"));
    for (name, command) in [
        ("a.csv.gz", "apply a.csv.gz --state s.jsonl"),
        ("s.jsonl", "apply a.csv.gz --state s.jsonl"),
        ("s.jsonl", "apply a.csv.gz --sandbox=s.jsonl"),
        ("p.jsonl", "migrate p.jsonl --state s.jsonl"),
        ("b.jsonl", "migrate p.jsonl --state s.jsonl --base b.jsonl"),
    ] {
        let test = Test::new(&format!("{command} {PLAN}")).code(1).told_elsewhere();
        let files = [
            ("a.csv.gz", csv.clone()),
            ("s.jsonl", referrals.clone()),
            ("b.jsonl", referrals.clone()),
            ("p.jsonl", sample("legacy-puts.jsonl")),
        ];
        let cut =
            |file: &str, whole: Vec<u8>| whole[..whole.len() - if file == name { 9 } else { 0 }].to_vec();
        let test = files.iter().fold(test, |test, (file, text)| test.file(file, cut(file, gzip(text))));
        let ran = test.run();
        let told = ran.stderr();
        assert!(told.contains("its compressed data ends early") && told.contains(name), "{command}: {told}");
        assert!(told.contains("hint: copy or download the file again"), "{command}: {told}");
        assert!(!ran.place.path("run").exists(), "{command}");
    }
}

#[test]
fn what_is_wrong_with_a_compressed_file_is_said_with_what_helps() {
    let csv = sample("quarter-end.csv");
    let packed = gzip(&csv);
    let mut damaged = packed.clone();
    let at = damaged.len() - 6;
    damaged[at] ^= 1;
    for (name, bytes, wanted) in [
        (
            "a.csv.gz",
            [&packed[..], b"more\n"].concat(),
            "something that is not gzip follows its compressed data",
        ),
        ("a.csv.gz", damaged, "its compressed data is damaged"),
        ("a.csv.gz", csv.clone().into_bytes(), "its name ends in .gz, and it is not compressed with gzip"),
        ("a.csv.gz", Vec::new(), "its compressed data ends early"),
        ("a.csv", gzip(&packed), "the file is not text: it is compressed with gzip twice"),
        ("a.gz", packed.clone(), "the file has no extension that tells its form"),
    ] {
        let ran = Test::new(&format!("apply {name} --state none {PLAN}"));
        let ran = ran.file(name, bytes).code(1).told_elsewhere().run();
        let told = ran.stderr();
        assert!(told.contains(wanted) && told.contains("\nhint: "), "{name}: {told}");
        assert!(fs::read_dir(ran.place.root()).unwrap().count() == 1, "nothing is left of a run");
    }
}
