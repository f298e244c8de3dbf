//! `report.html`: what of a run its page holds, when it is written, and how it is shown. How it looks and works in a
//! browser is the matter of `tests/page`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::support::case::Test;
use crate::support::place::Place;
use crate::support::samples::notes_csv;
use crate::support::sandbox::Sandbox;
use crate::support::terminal::{self, Does};

const ACTIVE: &str = "5a1e0001-0000-4000-8000-000000000027";
const QUIET: &str = "--rate 1000/s --summary none --progress none";

/// The data that a page shows.
fn data(page: &str) -> Value {
    let (_, data) = page.rsplit_once("id=\"data\">").unwrap();
    serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn personal_data_is_masked_unless_it_is_asked_for() {
    let place = Place::new();
    let note = "Kim Park called, kim.park@partner.example.com, +44 20 7946 0018";
    let member = "Lena,Lind,+15551234567,lena.lind@partner.example.com";
    place.write("a.csv", format!("id,notes,team.add\n{ACTIVE},\"{note}\",\"{member}\"\n"));
    let personal = ["kim.park", "7946", "Lena", "Lind", "5551234567", "lena.lind"];
    Test::at(&place, &format!("apply a.csv --sandbox --out run {QUIET}")).told_elsewhere().run();
    let masked = place.raw("run/report.html");
    for text in personal {
        assert!(!masked.contains(text), "{text}");
    }
    for text in ["k•••@partner.example.com", "L••• L•••", "l•••@partner.example.com"]
    {
        assert!(masked.contains(text), "{text}");
    }
    Test::at(&place, "report run --reveal --summary none").told_elsewhere().run();
    let revealed = place.raw("run/report.html");
    for text in personal {
        assert!(revealed.contains(text), "{text}");
    }
    Test::at(&place, "report run --summary none").told_elsewhere().run();
    assert!(place.raw("run/report.html") == masked, "made again, it is another");
}

#[test]
fn a_page_belongs_to_its_owner_and_is_listed_with_its_sum() {
    let place = Place::new();
    place.write("a.csv", notes_csv(&[ACTIVE]));
    let ran = Test::at(&place, "apply a.csv --sandbox --out run --rate 1000/s --progress none")
        .told_elsewhere()
        .run();
    let page = place.path("run/report.html");
    assert_eq!(fs::metadata(&page).unwrap().permissions().mode() & 0o777, 0o600);
    let summary: Value = serde_json::from_str(&place.raw("run/summary.json")).unwrap();
    let sums: Vec<&Value> =
        summary["files"].as_array().unwrap().iter().filter(|file| file["path"] == "report.html").collect();
    assert_eq!(sums.len(), 1);
    assert_eq!(sums[0]["sha256"], crate::support::sha256::sha256(fs::read(&page).unwrap()));
    let files = ran.stdout.split_once("files\n").unwrap().1;
    assert!(files.lines().next().unwrap().contains("run/report.html"), "{files}");
}

/// Before consent the plan can be looked at as a page, which says nothing of sending; afterwards it is that of the run.
#[test]
fn a_plan_has_its_page_before_it_is_consented_to() {
    let (place, service) = (Place::new(), Sandbox::start(""));
    place.write("a.csv", notes_csv(&[ACTIVE]));
    let look = |place: &Place| {
        let planned = data(&place.raw("run/report.html"));
        assert_eq!((&planned["kind"], planned["rows"].as_array().unwrap().len()), (&"plan".into(), 1));
    };
    let line = "apply a.csv --out run --rate 1000/s";
    let seen = terminal::run(&place, line, &service.base, Some(Does::LooksAndTypes(look, "n\n")));
    assert_eq!(seen.code, Some(2), "{}", seen.terminal);
    assert_eq!(data(&place.raw("run/report.html"))["kind"], "plan");
    let line = format!("resume run --yes {QUIET}");
    Test::at(&place, &line).service(&service.base).told_elsewhere().run();
    assert_eq!(data(&place.raw("run/report.html"))["kind"], "run");
}

#[test]
fn it_is_shown_by_what_opens_files() {
    let place = Place::new();
    place.write("a.csv", notes_csv(&[ACTIVE]));
    Test::at(&place, &format!("apply a.csv --sandbox --out run {QUIET}")).told_elsewhere().run();
    let script = format!("#!/bin/sh\necho \"$1|$PARTNER_CENTER_TOKEN\" > {}/seen\n", place.root().display());
    place.write("opener", script);
    // Put there by a process of its own: what this one has open for writing may be open in one that another test starts,
    // too, and can't be started then.
    let mut install = Command::new("install");
    install.args(["-D", "-m", "700"]).args([place.path("opener"), place.path("bin/xdg-open")]);
    assert!(install.status().unwrap().success());
    let shown = |display: &str, bin: &str| {
        let path = place.path(bin);
        let test = Test::at(&place, "report run --open --summary none").told_elsewhere();
        test.env("DISPLAY", display).env("PATH", path.to_str().unwrap()).run().stderr
    };
    assert!(
        shown("", "bin")
            .contains("note: no browser can be shown here: open run/report.html where there is one")
    );
    assert!(!place.path("seen").exists());
    assert!(shown(":9", "none").contains("warning: nothing that opens run/report.html can be started"));
    assert!(shown(":9", "bin").contains("note: showing run/report.html in a browser"));
    let wanted = format!("{}|\n", place.path("run/report.html").canonicalize().unwrap().display());
    let seen = || fs::read_to_string(place.path("seen")).ok().filter(|seen| *seen == wanted);
    crate::support::waiting::until("the page is opened", seen);
}
