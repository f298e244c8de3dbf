//! What a run lets out and takes in: the ids that its requests carry, the token, which goes to the service
//! and nowhere else, and answers that have no end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Mutex;

use serde_json::{Value, json};
use support::wire::{self, Request, Wire};
use support::{Place, TOKEN, Test, each, sample};

const ONE: &str = "5a1e0001-0000-4000-8000-000000000015";
const TWO: &str = "5a1e0001-0000-4000-8000-000000000027";

const QUIET: &str = "--rate 1000/s --summary none --progress none --yes";

fn referral(id: &str) -> Value {
    let samples = sample("referrals.jsonl");
    let mut samples = samples.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    samples.find(|referral| referral["id"] == id).unwrap()
}

fn csv(ids: &[&str]) -> String {
    ids.iter().fold("id,notes\n".to_owned(), |text, id| text + &format!("{id},Called\n"))
}

/// The last part of the path.
fn about(request: &Request) -> &str {
    request.path.split('?').next().unwrap().rsplit('/').next().unwrap()
}

mod ids {
    use super::*;

    /// A service whose list is empty, and which says this to the PATCHes for a referral, one after another.
    fn service(says: &[(&'static str, &[&'static str])]) -> Wire {
        let says: BTreeMap<&str, Vec<&str>> = says.iter().map(|(id, says)| (*id, says.to_vec())).collect();
        let left = Mutex::new(says);
        Wire::serve(move |request| match (request.method.as_str(), about(request)) {
            ("PATCH", id) => wire::answer(left.lock().unwrap().get_mut(id).unwrap().remove(0), "", ""),
            (_, "referrals") => wire::answer("200 x", "", r#"{"value":[]}"#),
            (_, id) => wire::answer("200 x", "", referral(id).to_string()),
        })
    }

    /// Planned by one process, sent by a second until the token is refused, and by a third to the end.
    #[test]
    fn tell_a_run_a_change_and_a_call() {
        let service = service(&[
            (ONE, &["423 x", "502 x", "401 x", "429 x", "502 x", "204 x"]),
            (TWO, &["412 x", "204 x"]),
        ]);
        let apply = |out: &str, id: &str| format!("apply {id}.csv --plan --out {out} {QUIET}");
        let place = Place::new();
        let planned = Test::at(&place, &apply("run", "one"))
            .file("one.csv", csv(&[ONE]))
            .file("two.csv", csv(&[TWO]))
            .service(&service.base)
            .told_elsewhere()
            .run();
        let resume = |out: &str, code: i32| {
            let resumed = planned.then(&format!("resume {out} {QUIET}")).service(&service.base);
            resumed.code(code).told_elsewhere().run()
        };
        resume("run", 4);
        resume("run", 0);
        planned.then(&apply("other", "two")).service(&service.base).told_elsewhere().run();
        resume("other", 3);

        let asked = service.asked();
        let (first, second): (Vec<_>, Vec<_>) = asked.iter().partition(|request| about(request) != TWO);
        assert_eq!((first.len(), second.len()), (1 + 6 + 2, 1 + 1 + 1), "{asked:?}");
        let runs = [&first, &second].map(|run| values(run, "ms-correlationid"));
        assert!(runs.iter().all(|ids| ids.len() == 1), "one id for all of a run: {runs:?}");
        assert_ne!(runs[0], runs[1]);

        let calls = values(&asked.iter().collect::<Vec<_>>(), "client-request-id");
        assert_eq!(calls.len(), asked.len(), "every call has an id of its own");
        for (out, run) in [("run", &first), ("other", &second)] {
            let patches: Vec<_> = run.iter().copied().filter(|request| request.method == "PATCH").collect();
            let changes = values(&patches, "request-id");
            assert_eq!(changes.len(), 1, "a change keeps its id: {changes:?}");
            assert_eq!(changes, values(&patches, "ms-requestid"));
            let row: Value =
                serde_json::from_str(place.raw(&format!("{out}/outcomes.jsonl")).trim()).unwrap();
            let sent: Vec<_> =
                patches.iter().map(|patch| patch.header("client-request-id").unwrap()).collect();
            assert_eq!(row["request_ids"], json!(sent), "what can be looked up is what was sent");
        }
        assert_ne!(values(&first, "request-id"), values(&second, "request-id"));
        for request in &asked {
            assert_eq!(request.header("content-type"), Some("application/json"), "{request:?}");
            let named = request.header("request-id").is_some() || request.header("ms-requestid").is_some();
            assert_eq!(named, request.method == "PATCH", "{request:?}");
        }
    }

    /// The different values of a header; those that are no GUID fail.
    fn values(requests: &[&Request], name: &str) -> BTreeSet<String> {
        let values = requests.iter().filter_map(|request| request.header(name));
        values.map(|value| uuid::Uuid::try_parse(value).unwrap().to_string()).collect()
    }
}

mod tokens {
    use super::*;

    /// As services of the same maker issue them, too: JSON writers escape some of its characters.
    const OPAQUE: &str = "EwB4A8l6BAAU+s3cr3t/t0ken<of>the'tests&more==";

    /// Ways to hand over a token that lies in `token.txt`; the last lets everybody who lists processes see
    /// it.
    fn sources(token: &str) -> [(String, &str); 4] {
        [
            (String::new(), token),
            ("--token-file token.txt".to_owned(), ""),
            ("--token-command '/bin/cat token.txt'".to_owned(), ""),
            (format!("--token-command {}", quoted(&format!("/bin/echo {}", quoted(token)))), ""),
        ]
    }

    fn quoted(text: &str) -> String {
        shlex::try_quote(text).unwrap().into_owned()
    }

    /// What a careless server sends back of a request, in every place where something is kept of an
    /// answer: in text, in JSON as it is, and in JSON with all that can be escaped escaped.
    fn echoes(request: &Request) -> [String; 4] {
        let told = request.header("authorization").unwrap();
        let escaped: String = told.chars().map(|c| format!("\\u{:04X}", u32::from(c))).collect();
        let slashed = told.replace('/', "\\/").replace('+', "\\u002B").replace('&', "\\u0026");
        let body = |told: &str| {
            format!(
                r#"{{"error":{{"code":"{told}","message":"not with {told}","innerError":{{"code":"{told}"}}}}}}"#
            )
        };
        [format!("headers were: {told}"), body(told), body(&slashed), body(&escaped)]
    }

    #[test]
    fn are_found_nowhere_whatever_is_sent_back() {
        let mut cases = Vec::new();
        for token in [TOKEN, OPAQUE] {
            for source in 0..4 {
                for shape in 0..4 {
                    cases.push((token, source, shape));
                }
            }
        }
        each(&cases, |(token, source, shape)| {
            for (status, code) in [("200 x", 0), ("400 x", 3), ("401 x", 4), ("403 x", 3), ("412 x", 3)] {
                run(token, &sources(token)[*source], *shape, ("200 x", status), code);
            }
            for (status, code) in [("400 x", 3), ("401 x", 4), ("403 x", 3)] {
                run(token, &sources(token)[*source], *shape, (status, ""), code);
            }
        });
    }

    /// Tries that are given up take seconds, so there are fewer of these.
    #[test]
    fn are_found_nowhere_whatever_is_sent_back_again_and_again() {
        let cases = [(TOKEN, 1), (TOKEN, 3), (OPAQUE, 0), (OPAQUE, 2), (OPAQUE, 3)];
        each(&cases, |(token, shape)| {
            run(token, &sources(token)[1], *shape, ("200 x", "500 x"), 3);
            run(token, &sources(token)[1], *shape, ("500 x", ""), 3);
        });
    }

    /// One run against a service that answers GET and PATCH with these statuses, and what it was sent.
    fn run(
        token: &str,
        source: &(String, &str),
        shape: usize,
        (get, patch): (&'static str, &str),
        code: i32,
    ) {
        let patch = patch.to_owned();
        let service = Wire::serve(move |request| {
            let echo = &echoes(request)[shape];
            let headers =
                format!("www-authenticate: {0}\r\nx-echo: {0}\r\n", request.header("authorization").unwrap());
            let status = if request.method == "PATCH" { &patch } else { get };
            if status != "200 x" {
                return wire::answer(status, &headers, echo);
            }
            let mut referral = referral(ONE);
            referral["seen"] = json!(echo);
            if request.method == "PATCH" {
                referral["details"]["notes"] = json!("Called");
            }
            wire::answer(status, &headers, referral.to_string())
        });
        let (flags, variable) = source;
        let ran = Test::new(&format!("apply a.csv --out run --rate 1000/s --yes {flags}"))
            .file("a.csv", csv(&[ONE]))
            .file("token.txt", token)
            .env("PARTNER_CENTER_TOKEN", variable)
            .env("REFERRAL_BULK_ENDPOINT", &service.base)
            .told_elsewhere();
        let ran = ran.code(code).run();
        let case = format!("{token} {flags} {shape} {get} {code}");
        let sent = service.asked();
        assert!(
            sent.iter().all(|request| request.header("authorization") == Some(&format!("Bearer {token}")))
        );
        assert!(!sent.is_empty(), "{case}");
        for (name, path) in ran.place.files() {
            let content = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
            assert!(name == "token.txt" || !holds(&content, token), "{name} holds the token: {case}");
        }
        assert!(!holds(&ran.stdout, token), "{case}: {}", ran.stdout);
        assert!(!holds(&ran.stderr, token), "{case}: {}", ran.stderr);
    }

    /// Whether a text holds a token as it is or as JSON writes it.
    fn holds(text: &str, token: &str) -> bool {
        text.contains(token) || text.contains(json!(token).to_string().trim_matches('"'))
    }
}
