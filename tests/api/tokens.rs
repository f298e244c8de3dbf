//! Tokens: where they come from, what follows when one is refused, and that no source shows one, however it
//! fails. What a service sends back of them is in `traffic`; one refresh for many workers, in
//! `tests/doubt/settle.rs`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::case::{Ran, Test};
use crate::support::place::Place;
use crate::support::program::TOKEN;
use crate::support::samples::sample;
use crate::support::waiting::each;
use crate::support::wire::{self, Request, Wire};

const QUIET: &str = "--rate 1000/s --summary none --progress none --yes";

/// The samples that take a note: none is closed.
fn referrals() -> Vec<Value> {
    let samples = sample("referrals.jsonl");
    let all = samples.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|referral| referral["status"] == "Active").collect()
}

fn csv(referrals: &[Value]) -> String {
    let ids = referrals.iter().map(|referral| referral["id"].as_str().unwrap());
    ids.fold("id,notes\n".to_owned(), |text, id| text + &format!("{id},Called\n"))
}

/// A service that says this to a request that is not to be served, and takes all others.
fn service(refuses: impl Fn(&Request) -> Option<Vec<u8>> + Send + Sync + 'static) -> Wire {
    let page = json!({ "value": referrals() }).to_string();
    Wire::serve(move |request| match (refuses(request), request.method.as_str()) {
        (Some(refusal), _) => refusal,
        (None, "PATCH") => written(request),
        (None, _) if request.about() == "referrals" => wire::answer("200 x", "", &page),
        (None, _) => wire::answer("200 x", "", referral(request.about()).to_string()),
    })
}

fn referral(id: &str) -> Value {
    referrals().into_iter().find(|referral| referral["id"] == id).unwrap()
}

/// A referral that carries the change, at another version.
fn written(request: &Request) -> Vec<u8> {
    wire::carry_out(request, referral(request.about()))
}

fn bears(request: &Request, token: &str) -> bool {
    request.header("authorization") == Some(&format!("Bearer {token}"))
}

/// Every change was made, and none was sent again once it was taken.
fn is_finished(ran: &Ran, service: &Wire, count: usize) {
    assert_eq!(ran.outcomes("run"), format!("{count} applied"));
    let taken = service.asked();
    let taken = taken.iter().filter(|request| request.method == "PATCH" && bears(request, TOKEN));
    let ids: Vec<&str> = taken.map(|request| request.about()).collect();
    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (count, count));
}

mod refused {
    use super::*;

    const CHALLENGE: &str = "www-authenticate: Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJub3QiOiJmb3IgeW91In0=\"\r\n";
    const POLICY: &str = "stopped: the service does not take the token: a conditional-access policy wants \
                          another sign-in (insufficient_claims): sign in again, and carry on with a token that \
                          has the claims that are asked for\n";
    const MFA: &str = "stopped: the service does not take the token: no MFA; sign in again with multi-factor \
                       authentication\n";
    const ANEW: &str = "stopped: the service does not take the token: HTTP 401 without a body; a new one was \
                        refused as well: see whether it is for this service, and whether its user may still \
                        sign in\n";

    /// Status, headers and body of a refusal; what is said of it; how often a token is fetched.
    type Case = (&'static str, &'static str, &'static str, &'static str, u64);

    const CASES: [Case; 5] = [
        ("401 x", CHALLENGE, "", POLICY, 1),
        ("403 x", CHALLENGE, r#"{"error":{"code":"accessDenied"}}"#, POLICY, 1),
        ("403 x", "", r#"{"error":{"code":"x","innerError":{"code":"insufficient_claims"}}}"#, POLICY, 1),
        ("401 x", "", r#"{"error":{"code":"900421","message":"no MFA"}}"#, MFA, 1),
        ("401 x", "", "", ANEW, 2),
    ];

    fn refusal((status, headers, body, ..): Case) -> Vec<u8> {
        wire::answer(status, headers, body)
    }

    fn good(ran: &Ran, service: &Wire) -> Ran {
        ran.then(&format!("resume run {QUIET}")).service(&service.base).told_elsewhere().run()
    }

    /// No more is sent than was in flight, and no row pays for it: with a good token all of them are applied.
    #[test]
    fn stop_the_sending() {
        const AT_A_TIME: usize = 4;
        each(&CASES, |case| {
            let (.., told, fetched) = *case;
            let case = *case;
            let service = service(move |request| {
                (request.method == "PATCH" && !bears(request, TOKEN)).then(|| refusal(case))
            });
            let referrals = referrals();
            let ran = Test::new(&format!(
                "apply a.csv --out run --concurrency {AT_A_TIME} --token-command '/bin/cat bad.txt' {QUIET}"
            ))
            .file("a.csv", csv(&referrals))
            .file("bad.txt", "a-token-that-lacks-something")
            .env("REFERRAL_BULK_ENDPOINT", &service.base)
            .code(4)
            .told_elsewhere()
            .run();
            assert_eq!(ran.outcomes("run"), format!("{} unsent", referrals.len()));
            let next = "hint: give the same --token-command again\nnext: referral-bulk resume run --rate 1000/s \
                        --concurrency 4\n";
            assert_eq!(ran.stderr, format!("{told}{next}"));
            let sent = service.ids("PATCH").len();
            // Where a new token is refused, one other referral is asked whether it is refused for that too.
            let tokens = usize::try_from(fetched).unwrap();
            assert!(sent <= AT_A_TIME * tokens + (tokens - 1), "{sent} sent");
            let summary = ran.summary("run");
            assert_eq!(summary["requests"]["token"], fetched);
            is_finished(&good(&ran, &service), &service, referrals.len());
        });
    }

    #[test]
    fn stop_the_planning() {
        for case in CASES {
            for (count, path) in [(1, "GET of one"), (3, "list")] {
                let (.., told, fetched) = case;
                let referrals = &referrals()[..count];
                let one = referrals[0].clone();
                let page = json!({ "value": referrals }).to_string();
                let service = Wire::serve(move |request| match request.method.as_str() {
                    _ if !bears(request, TOKEN) => refusal(case),
                    "PATCH" => written(request),
                    _ if request.path.ends_with("referrals") => wire::answer("200 x", "", &page),
                    _ => wire::answer("200 x", "", one.to_string()),
                });
                let ran = Test::new(&format!("apply a.csv --out run --token-file bad.txt {QUIET}"))
                    .file("a.csv", csv(referrals))
                    .file("bad.txt", "a-token-that-lacks-something")
                    .env("REFERRAL_BULK_ENDPOINT", &service.base)
                    .code(4)
                    .told_elsewhere()
                    .run();
                assert_eq!(ran.outcomes("run"), format!("{count} unsent"), "{path}");
                assert!(ran.stderr.starts_with(told), "{path}: {}", ran.stderr);
                assert!(ran.stderr.contains("\nnext: referral-bulk resume run "), "{path}: {}", ran.stderr);
                assert_eq!(service.asked().len() as u64, fetched, "{path}");
                is_finished(&good(&ran, &service), &service, count);
            }
        }
    }

    /// Four answers that cost the row a try, and one for the token, which doesn't: the fifth try is left.
    #[test]
    fn cost_no_row_a_try() {
        let answers = std::sync::Mutex::new(vec!["423 x", "423 x", "423 x", "401 x", "423 x"]);
        let one = referrals().remove(0);
        let (file, referral) = (csv(std::slice::from_ref(&one)), one.to_string());
        let service = Wire::serve(move |request| match request.method.as_str() {
            "PATCH" => match answers.lock().unwrap().pop() {
                Some(status) => wire::answer(status, "", ""),
                None => written(request),
            },
            _ => wire::answer("200 x", "", &referral),
        });
        let ran = Test::new(&format!("apply a.csv --out run --token-file token.txt {QUIET}"))
            .file("a.csv", file)
            .file("token.txt", TOKEN)
            .env("REFERRAL_BULK_ENDPOINT", &service.base)
            .told_elsewhere()
            .run();
        assert_eq!(ran.outcomes("run"), "1 applied");
        assert_eq!(service.ids("PATCH").len(), 6);
        assert_eq!(ran.summary("run")["requests"]["token"], 2);
    }
}

mod sources {
    use super::*;

    /// Found nowhere afterwards but in the file that it stands in.
    const SECRET: &str = "an-0paque+s3cret/of-20-and-more==";

    /// What `run` gets, and what must be said. `SECRET` stands for a secret, `token.sh` prints what stands
    /// there.
    struct Case {
        script: &'static str,
        file: &'static str,
        told: &'static str,
    }

    const CASES: [Case; 13] = [
        Case {
            script: "echo SECRET; echo SECRET >&2; exit 3",
            file: "",
            told: "the token command failed (exit status: 3): run it by itself to see why",
        },
        Case {
            script: "echo SECRET >&2; kill -9 $$",
            file: "",
            told: "the token command failed (signal: 9 (SIGKILL)): run it by itself to see why",
        },
        Case {
            script: "true",
            file: "",
            told: "the output of the token command is empty: a bearer token was expected",
        },
        Case {
            script: r#"echo '{"refresh_token":"SECRET"}'"#,
            file: "",
            told: "the output of the token command is a JSON object without an \"access_token\" or \"accessToken\" in it",
        },
        Case {
            script: r#"echo '{"access_token":["SECRET"]}'"#,
            file: "",
            told: "the output of the token command is a JSON object without an \"access_token\" or \"accessToken\" in it",
        },
        Case {
            script: r#"echo '{"access_token":"SECRET"'"#,
            file: "",
            told: "the output of the token command begins like a JSON object and is none",
        },
        Case {
            script: "echo Bearer SECRET",
            file: "",
            told: "the output of the token command holds whitespace: give the bare token, without \"Bearer\" before it",
        },
        Case {
            script: r"printf 'SECRET\377'",
            file: "",
            told: "the output of the token command is not UTF-8",
        },
        Case {
            script: "while echo SECRET; do :; done",
            file: "",
            told: "the output of the token command is longer than any token",
        },
        Case {
            script: "",
            file: "SECRET\nSECRET",
            told: "the token file holds whitespace: give the bare token, without \"Bearer\" before it",
        },
        Case { script: "", file: "\u{7}SECRET", told: "the token file holds characters that no token has" },
        Case { script: "", file: "\n", told: "the token file is empty: a bearer token was expected" },
        Case {
            script: "",
            file: r#"{"token":"SECRET"}"#,
            told: "the token file is a JSON object without an \"access_token\" or \"accessToken\" in it",
        },
    ];

    /// A source that gives this, and the flag that names it.
    fn give(place: &Place, case: &Case) -> &'static str {
        place.write("token.txt", case.file.replace("SECRET", SECRET));
        place.write("token.sh", case.script.replace("SECRET", SECRET));
        if case.script.is_empty() { "--token-file token.txt" } else { "--token-command '/bin/sh token.sh'" }
    }

    #[track_caller]
    fn shows_nothing(ran: &Ran) {
        for (name, path) in ran.place.files() {
            let content = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
            assert!(name.starts_with("token.") || !content.contains(SECRET), "{name} holds the secret");
        }
        assert!(!ran.stdout.contains(SECRET) && !ran.stderr.contains(SECRET), "{}", ran.stderr);
    }

    /// A run that cannot begin is none: nothing was sent, and nothing is left to carry on with but a plan
    /// that was not made.
    #[test]
    fn that_fail_at_once_are_told_and_show_nothing() {
        each(&CASES, |case| {
            let (place, service) = (Place::new(), service(|_| None));
            let source = give(&place, case);
            let ran = Test::at(&place, &format!("apply a.csv --out run {source} {QUIET}"))
                .file("a.csv", csv(&referrals()[..2]))
                .env("REFERRAL_BULK_ENDPOINT", &service.base)
                .code(1)
                .told_elsewhere()
                .run();
            let hint = "hint: check where the token comes from; nothing was sent\n";
            assert_eq!(ran.stderr, format!("error: there is no token to send: {}\n{hint}", case.told));
            assert_eq!(service.asked().len(), 0, "{}", case.told);
            shows_nothing(&ran);
        });
    }

    /// The first token is good for the plan; when it is refused, the source has nothing to give.
    #[test]
    fn that_fail_later_stop_the_run() {
        each(&CASES, |case| {
            let (place, service) = (
                Place::new(),
                service(|request| {
                    (request.method == "PATCH" && !bears(request, TOKEN))
                        .then(|| wire::answer("401 x", "", ""))
                }),
            );
            give(&place, case);
            let rest =
                if case.script.is_empty() { "cat token.txt".to_owned() } else { place.raw("token.sh") };
            place.write("token.sh", format!("if mkdir asked; then echo the-first-token; else {rest}\nfi"));
            let source = "--token-command '/bin/sh token.sh'";
            let count = 5;
            let ran = Test::at(&place, &format!("apply a.csv --out run --concurrency 2 {source} {QUIET}"))
                .file("a.csv", csv(&referrals()[..count]))
                .env("REFERRAL_BULK_ENDPOINT", &service.base)
                .env("PATH", "/usr/bin:/bin")
                .code(4)
                .told_elsewhere()
                .run();
            let told = case.told.replace("the token file", "the output of the token command");
            let stopped = format!("stopped: the service does not take the token: {told}\n");
            assert!(ran.stderr.starts_with(&stopped), "{}", ran.stderr);
            assert!(ran.stderr.contains("\nnext: referral-bulk resume run "), "{}", ran.stderr);
            assert_eq!(ran.outcomes("run"), format!("{count} unsent"));
            assert!(service.ids("PATCH").len() <= 2, "{:?}", service.ids("PATCH"));
            shows_nothing(&ran);
            let resumed =
                ran.then(&format!("resume run {QUIET}")).service(&service.base).told_elsewhere().run();
            is_finished(&resumed, &service, count);
        });
    }

    #[test]
    fn that_are_commands_are_run_without_a_shell() {
        let service = service(|_| None);
        for command in [
            "/bin/echo TOKEN; touch pwned",
            "/bin/echo $(touch pwned)TOKEN",
            "/bin/echo TOKEN > pwned",
            "/bin/echo `touch pwned`",
        ] {
            let command = command.replace("TOKEN", TOKEN);
            let ran =
                Test::new(&format!("apply a.csv --out run --token-command {} {QUIET}", quoted(&command)))
                    .file("a.csv", csv(&referrals()[..2]))
                    .env("REFERRAL_BULK_ENDPOINT", &service.base)
                    .code(1)
                    .told_elsewhere()
                    .run();
            assert!(!ran.place.path("pwned").exists(), "{command}");
            assert!(
                ran.stderr.contains("the output of the token command holds whitespace"),
                "{}",
                ran.stderr
            );
        }
        assert_eq!(service.asked().len(), 0);
    }

    fn quoted(text: &str) -> String {
        shlex::try_quote(text).unwrap().into_owned()
    }

    /// What was typed in a wrong place is not repeated.
    #[test]
    fn that_are_none_are_not_repeated() {
        for (flags, file, variable, code) in [
            ("--token SECRET", "", "", 2),
            ("--token=SECRET", "", "", 2),
            ("--token-command \"'SECRET\"", "", "", 2),
            ("--token-command /no/such/SECRET", "", "", 1),
            ("--token-file /no/such/SECRET", "", "", 1),
            ("", "[profile.default]\ntoken = 'SECRET'", "", 2),
            ("", "[profile.default]\ntoken-command = ['SECRET']", "", 2),
            ("", "[profile.default]\ntoken-command = \"'SECRET\"", "", 2),
            ("", "[profile.default]\nendpoint = 'https://SECRET@example.com'", "", 2),
            ("", "", "Bearer SECRET", 1),
            ("", "", "SECRET\u{e9}", 1),
            ("", "", "{\"access_token\":\"SECRET\"", 1),
        ] {
            let endpoint = if file.contains("endpoint") { "" } else { "http://127.0.0.1:1/v1.0" };
            let flags = flags.replace("SECRET", SECRET);
            let ran = Test::new(&format!("apply a.csv --out run {flags} {QUIET}"))
                .file("a.csv", csv(&referrals()[..1]))
                .file("token.txt", "")
                .file("referral-bulk.toml", file.replace("SECRET", SECRET))
                .env("PARTNER_CENTER_TOKEN", &variable.replace("SECRET", SECRET))
                .env("REFERRAL_BULK_ENDPOINT", endpoint)
                .code(code)
                .told_elsewhere()
                .run();
            assert!(!ran.stdout.contains(SECRET) && !ran.stderr.contains(SECRET), "{}", ran.stderr);
            for (name, path) in ran.place.files() {
                let content = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
                assert!(name == "referral-bulk.toml" || !content.contains(SECRET), "{name} holds the secret");
            }
        }
    }
}
