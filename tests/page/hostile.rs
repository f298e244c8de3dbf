//! What others wrote stays text: names, notes, reasons, messages of the service, files, fields.

use serde_json::{Value, json};

use crate::page_support::browser::{Looked, look, typed};
use crate::support::place::Place;
use crate::support::referrals::{id, referral};
use crate::support::wire::{self, Request, Wire};

/// Each says its number, so that it is found again. The last one is longer than anything that is shown.
const TEXTS: [&str; 16] = [
    "<script>document.title='ran'</script>",
    "</script><script>document.title='ran'</script>",
    "<!--<script>",
    "--> ]]> <img src=x onerror=\"document.title='ran'\">",
    "\"><svg onload=\"document.title='ran'\">",
    "' onmouseover='document.title=`ran`' x='",
    "javascript:document.title='ran'",
    "\u{202e}gnp.exe\u{2066}",
    "\0\u{7}\u{1b}[31m\u{85}\u{7f}",
    "&lt;script&gt; &amp; &#60;b&#62;",
    "\u{2028}\u{2029}\u{200b}\u{feff}\u{ad}",
    "🧨👩\u{200d}👩\u{200d}👧 ﷽ 𝕳",
    "</style><style>main{display:none}</style>",
    "=cmd|'/C calc'!A0;@SUM(1)",
    "{{7*7}} ${7*7} %3Cscript%3E \\u003cscript> \\",
    "</title></textarea></noscript></template><base href=//example.com/>",
];
/// What is told as it is, since nothing of it is hidden.
const PLAIN: [usize; 6] = [0, 1, 5, 9, 12, 15];
const LONG: usize = 1_000_000;

fn text(number: usize) -> String {
    let long = "A".repeat(if number == TEXTS.len() { LONG } else { 0 });
    format!("{}{long} hostile{number:02}.", TEXTS.get(number).unwrap_or(&"<b>"))
}

/// A referral of which everything that people write is such a text.
fn stood(number: usize) -> Value {
    let mut referral = referral(number, "Active", "Accepted");
    referral["name"] = format!("hostile{number:02} {}", text(number)).into();
    referral["customerProfile"] = json!({ "name": text(number) });
    referral["details"]["notes"] = text(number).into();
    referral["team"][0]["firstName"] = text(number).into();
    referral["team"][0]["email"] = format!("<script>hostile{number}</script>@example.com").into();
    referral
}

/// Some it changes, some it refuses, some it says are changed; and says so in such words.
fn served(request: &Request) -> Vec<u8> {
    if request.about() == "referrals" {
        let all: Vec<Value> = (0..=TEXTS.len()).map(stood).collect();
        return wire::answer("200 x", "", json!({ "value": all }).to_string());
    }
    let Some(number) = (0..=TEXTS.len()).find(|number| request.about() == id(*number)) else {
        return wire::answer("404 x", "", "{}");
    };
    let said = json!({ "code": text(number), "message": text(number) }).to_string();
    match (request.method.as_str(), number % 3) {
        ("GET", _) => {
            let mut now = stood(number);
            now["eTag"] = "\"theirs\"".into();
            now["details"]["notes"] = format!("theirs {}", text(number)).into();
            wire::answer("200 x", "", now.to_string())
        }
        (_, 0) => wire::carry_out(request, stood(number)),
        (_, 1) => wire::answer("403 x", "", said),
        _ => wire::answer("412 x", "", said),
    }
}

#[test]
#[ignore = "needs Node.js and Chromium"]
fn text_of_others_stays_text() {
    let service = Wire::serve(served);
    let place = Place::new();
    let file = "<img src=x onerror=document.title='ran'>.jsonl";
    let run = "run <script>'\"$(x)";
    let rows = (0..=TEXTS.len()).map(|number| {
        json!({ "id": id(number), "notes": format!("ours {}", text(number)), "statusReason": text(number),
                "team.add": [{ "firstName": text(number), "email": "x@example.com" }] })
    });
    let unknown = json!({ "id": id(99), "<script>document.title='ran'</script>": text(0) });
    let lines: String = rows.chain([unknown]).map(|row| format!("{row}\n")).collect();
    place.write(file, lines);
    let plan = ["apply", file, "--plan", "--out", run, "--endpoint", &service.base, "--reason", TEXTS[1]];
    place.run(&[&plan[..], &["--rate", "100000/s"]].concat()).expect(3);
    place.run(&["approve", run, "--approver", TEXTS[4]]).expect(0);
    place.run(&["resume", run, "--endpoint", &service.base, "--yes", "--rate", "100000/s"]).expect(3);
    let texts = (0..=TEXTS.len()).map(|number| {
        let plain = PLAIN.contains(&number).then(|| TEXTS[number]);
        (format!("hostile{number:02}"), json!(plain))
    });
    let facts = json!({ "texts": texts.collect::<serde_json::Map<_, _>>() });
    let said = look(&[Looked::at(&place.path(run), &["hostile", "kind"]).knowing(facts)]);
    // Whatever the file and the run are called, the command that tells a row's life can be typed.
    for command in typed(&said) {
        place.run(&shlex::split(&command).unwrap()[1..]).expect(0);
    }
}
