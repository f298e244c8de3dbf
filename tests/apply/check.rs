//! `check`: whether all is ready for a run, what is to be mended first, and what is to be known of the service.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::*;
use crate::support::tls;

/// Whether answers are what is waited for then depends on the machine: see [`told`].
const FAST: &str = "check --rate 1000/s";

/// Text for people without what depends on the machine: how long answers take.
fn told(text: &str) -> String {
    let times = Regex::new(r"(?m)^(?:ok|note) +latency .*\n(?: {16}.*\n)+").unwrap();
    times.replace(text, "…   latency   …\n").into_owned()
}

/// The paragraph about a subject.
fn about(text: &str, subject: &str) -> String {
    let mut lines = text.lines().skip_while(|line| !line[6.min(line.len())..].starts_with(subject));
    let first = lines.next().unwrap_or_else(|| panic!("nothing of {subject} in {text}"));
    let rest = lines.take_while(|line| line.starts_with("      "));
    [first].into_iter().chain(rest).map(|line| format!("{}\n", line.trim_start())).collect()
}

/// An access token as the sign-in service makes it, with these claims.
fn jwt(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2VjcmV0LXNpZ25hdHVyZQ", part(&json!({"alg": "none", "typ": "JWT"})), part(claims))
}

/// The claims of a user whose token is good for an hour.
fn user() -> Value {
    json!({
        "aud": "https://api.partner.microsoft.com",
        "tid": "0e1f2a3b-0000-4000-8000-00000000000a",
        "upn": "kim@partner.example.com",
        "scp": "user_impersonation",
        "exp": now().as_second() + 3600,
    })
}

fn now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap()
}

/// A service whose answers have these headers. It knows the samples.
fn with_headers(headers: impl Fn() -> String + Send + Sync + 'static) -> Wire {
    let all: Vec<Value> = json_lines(&sample("referrals.jsonl"));
    Wire::serve(move |request| {
        let body = match request.about() {
            "referrals" => json!({ "value": all[..10] }).to_string(),
            id => all.iter().find(|referral| referral["id"] == id).unwrap().to_string(),
        };
        wire::answer("200 OK", &headers(), body)
    })
}

#[test]
fn a_rehearsal_is_ready() {
    let ran = Test::new(&format!("{FAST} --sandbox")).told_elsewhere().run();
    let seed = [("New", "Pending"), ("Active", "Accepted"), ("Closed", "Lost"), ("Closed", "Won")];
    let lines: Vec<String> =
        (0..).zip(seed).map(|(number, (status, sub))| referral(number, status, sub).to_string()).collect();
    let seeded = Test::new(&format!("{FAST} --sandbox=seed.jsonl")).file("seed.jsonl", lines.join("\n"));
    let seeded = seeded.told_elsewhere().run();
    assert_eq!((ran.code, seeded.code), (0, 0));
    assert!(seeded.stderr.starts_with("ready: a run can go"), "{}", seeded.stderr);
    golden("check_sandbox", &told(&seeded.stdout()));
    let lists = about(&ran.stdout, "lists");
    assert!(
        lists.contains("every element carries its eTag\nan element shows all that its single read"),
        "{lists}"
    );
    assert_eq!(about(&ran.stdout, "filters").matches(": honoured").count(), 5, "{}", ran.stdout);
}

#[test]
fn json_tells_the_same_to_programs() {
    let sandbox = Sandbox::start("--list-omits details");
    let ran = Test::new(&format!("{FAST} --json")).service(&sandbox.base).told_elsewhere().run();
    let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &printed["ready"], &printed["mend"]), (0, &json!(true), &Value::Null));
    let subjects: Vec<&str> =
        printed["lines"].as_array().unwrap().iter().map(|line| line["subject"].as_str().unwrap()).collect();
    let wanted = ["settings", "sign-in", "endpoint", "role", "clock", "latency", "lists", "filters", "rate"];
    assert_eq!(subjects, wanted);
    let mut text = ran.stdout();
    for (varies, by) in [
        (r#""(median|longest|ahead)":-?\d+"#, "\"$1\":[N]"),
        (r#""level":"\w+","seen":\["answers.*?"facts""#, "…\"facts\""),
    ] {
        text = Regex::new(varies).unwrap().replace_all(&text, by).into_owned();
    }
    golden("check_json", &text);
}

/// What a sandbox is asked for, and what is told of it.
#[test]
fn what_nobody_documents_is_found_out() {
    let whole = "an element shows all that its single read does";
    for (options, subject, wanted) in [
        ("", "lists", &["every element carries its eTag", whole, "→ a plan reads list pages"][..]),
        (
            "--list-omits details --list-omits team.title",
            "lists",
            &[
                "an element leaves out details, team.title (compared: ",
                "→ a row that hangs on what is left out",
            ],
        ),
        ("--list-nulls customerProfile", "lists", &["an element shows as null customerProfile (compared: "]),
        (
            "--list-without-etags",
            "lists",
            &["no element carries its eTag", whole, "→ a referral that is to be changed is read by itself"],
        ),
        ("--etags-in header", "lists", &["no element carries its eTag"]),
        (
            "--fault list#2=400",
            "filters",
            &["status (status eq '", "'): refused (", "several statuses ((status eq"],
        ),
        (
            "--fault list#3=404 --fault list#4=html",
            "filters",
            &[
                "'): honoured",
                "not known (",
                "→ whether it filters by what got no such answer is not known: an export",
            ],
        ),
        ("--fault list#2=401 --fault list#3=403", "filters", &["note", "not known (", "may stop there"]),
        ("--fault list#2-9=503:60", "filters", &["note", "not known (", "may stop there"]),
        (
            "--fault list#2-9=501",
            "filters",
            &["note", "refused (", "→ what the service does not filter, an export reads"],
        ),
        ("--quota 1/m", "rate", &["retry-after: ", "6 answers asked for a pause", "→ others are asking"]),
        ("--quota 1/m", "filters", &["not known (too many requests"]),
        (
            "--fault get=404",
            "lists",
            &["note", " is on the list and can't be read by itself: ", "and may stop there"],
        ),
        ("--fault get#*=403", "lists", &["note", "can't be read by itself: ", "and may stop there"]),
        ("--fault get#*=500", "lists", &["note", "can't be read by itself: ", "and may stop there"]),
        ("--fault get#*=html", "lists", &["note", "can't be read by itself: ", "and may stop there"]),
        ("", "rate", &["no header says how much may be asked for"]),
        ("", "endpoint", &["answers unencrypted on this machine, HTTP/1.1"]),
        ("", "clock", &["this machine's clock agrees with the service's"]),
    ] {
        let sandbox = Sandbox::start(options);
        let ran = Test::new(FAST).service(&sandbox.base).told_elsewhere().run();
        let got = about(&ran.stdout, subject);
        for wanted in wanted {
            assert!(got.contains(wanted), "{options}: {wanted:?} is not in {got}");
        }
        assert_eq!(ran.code, 0, "{options}: {}", ran.stdout);
    }
}

#[test]
fn a_read_that_lags_is_told() {
    let sandbox = Sandbox::start("--fault get#2-9=stale");
    // The element that shows most is the one that is compared.
    let changes = format!("id,details.notes\n{ACTIVE},{}\n", "Called on Monday. ".repeat(200));
    let test = Test::new("apply a.csv --rate 1000/s --yes --out run --rule closed-edit=allow");
    let applied = test.service(&sandbox.base).file("a.csv", changes).told_elsewhere().run();
    assert_eq!(applied.outcomes("run"), "1 applied");
    let ran = applied.then(FAST).service(&sandbox.base).told_elsewhere().run();
    let lists = about(&ran.stdout, "lists");
    assert!(lists.contains("of two versions: one of them lags, or it was changed"), "{lists}");
    assert!(lists.contains("→ a look that is late is looked at again"), "{lists}");
}

/// What stands against a run, what is told of it, and what is told first.
#[test]
fn what_stands_against_a_run_is_told_with_what_to_do() {
    for (options, subject, seen, todo) in [
        ("--fault list#*=401", "sign-in", "the service refuses the token with 401 (", "sign in again: set"),
        ("--fault get#*=401", "sign-in", "the service refuses the token with 401 (", "sign in again: set"),
        (
            "--list-omits id",
            "lists",
            "40 of 40 elements are no objects, or have no id",
            "find out what answers",
        ),
        ("--fault list#*=403", "role", "the list of referrals is refused with 403 (", "Referrals admin"),
        ("--fault list#*=404", "endpoint", "answers 404 (", "ends in /v1.0: --endpoint"),
        ("--fault list#*=500", "endpoint", "answers 500 (", "try again later"),
        ("--fault list#*=503:60", "endpoint", "answers 503 (", "try again in 60 s"),
        ("--fault list#*=503:950400", "endpoint", "answers 503 (", "try again in about 11 days"),
        ("--fault list#*=error", "endpoint", "does not answer as the service does: answered 200", "/v1.0"),
    ] {
        let sandbox = Sandbox::start(options);
        let ran = Test::new(FAST).service(&sandbox.base).code(1).told_elsewhere().run();
        let got = about(&ran.stdout, subject);
        assert!(got.starts_with("mend") && got.contains(seen) && got.contains(todo), "{options}: {got}");
        assert_eq!(ran.stdout.matches("mend  ").count(), 1, "{options}: {}", ran.stdout);
        let last = format!("error: {subject}: ");
        let is_told = ran.stderr.lines().any(|line| line.starts_with(&last));
        assert!(is_told && ran.stderr.contains(todo), "{}", ran.stderr);
        assert_eq!(ran.next(), format!("check --endpoint {} --rate 1000/s", sandbox.base));
    }
}

#[test]
fn nobody_there_is_told_at_once() {
    let there = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let ran = Test::new(&format!("{FAST} --endpoint http://{there}/v1.0"))
        .env("PARTNER_CENTER_TOKEN", TOKEN)
        .code(1)
        .told_elsewhere()
        .run();
    let got = about(&ran.stdout, "endpoint");
    assert!(got.starts_with("mend") && got.contains("cannot be reached"), "{got}");
    assert!(got.contains("to do: check the address, the network, and the proxy"), "{got}");
    assert_eq!(ran.next(), format!("check --endpoint http://{there}/v1.0 --rate 1000/s"));
}

/// Something in between answers in the place of the service, whatever its status.
#[test]
fn what_is_no_answer_of_the_service_is_told_as_that() {
    const PAGE: (&str, &str) = ("content-type: text/html; charset=utf-8\r\n", "<html><title>Hello</title>");
    for ((headers, body), status, seen, todo) in [
        (PAGE, "200 OK", "a page for people came in place", "sign in there with a browser"),
        (PAGE, "403 Forbidden", "answers 403 (", "a proxy or a firewall in between may have answered"),
        (("", ""), "403 Forbidden", "answers 403 (", "a proxy or a firewall in between may have answered"),
    ] {
        let service = Wire::serve(move |_| wire::answer(status, headers, body));
        let ran = Test::new(FAST).service(&service.base).code(1).told_elsewhere().run();
        let got = about(&ran.stdout, "endpoint");
        assert!(got.starts_with("mend") && got.contains(seen) && got.contains(todo), "{status}: {got}");
        assert!(about(&ran.stdout, "role").starts_with("note  role      not known"), "{}", ran.stdout);
        assert!(!ran.stdout.contains("can neither read nor change"), "{}", ran.stdout);
    }
    let portal = Wire::serve(|_| wire::answer("200 OK", PAGE.0, PAGE.1));
    let ran = Test::new(FAST).env("REFERRAL_BULK_ENDPOINT", &portal.base).code(1).told_elsewhere().run();
    let got = about(&ran.stdout, "endpoint");
    assert!(got.starts_with("mend") && got.contains("a page for people came"), "{got}");
}

/// How fast a run can be is told by whole answers, and by more than one.
#[test]
fn answers_that_tell_too_little_of_the_latency_are_no_advice() {
    let broken = Wire::serve(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec());
    let empty = Wire::serve(wire::sound);
    let refusing = Sandbox::start("--fault list#3=403");
    for (base, code, wanted) in [
        (&broken.base, 1, "not known: no answer came to its end"),
        (&empty.base, 0, "one answer does not tell how fast"),
        (&refusing.base, 0, "not everything was answered"),
    ] {
        let ran = Test::new("check --rate 100000/s").service(base).code(code).told_elsewhere().run();
        let got = about(&ran.stdout, "latency");
        assert!(got.starts_with("note") && got.contains(wanted), "{got}");
        assert!(!got.contains("--concurrency"), "{got}");
    }
}

#[test]
fn a_service_that_is_out_of_order_for_a_moment_is_not_asked_by_others() {
    let count = AtomicUsize::new(0);
    let service = Wire::serve(move |request| match count.fetch_add(1, Ordering::SeqCst) {
        0 => wire::answer("503 Service Unavailable", "", ""),
        _ => wire::sound(request),
    });
    let ran = Test::new(FAST).service(&service.base).told_elsewhere().run();
    let got = about(&ran.stdout, "rate");
    assert!(got.starts_with("note") && got.contains("1 answer with 503, unavailable"), "{got}");
    assert!(!got.contains("others are asking"), "{got}");
}

/// Interrupted before the list was answered, and after it.
#[test]
fn what_was_not_asked_to_its_end_is_not_ready() {
    for (answered, role) in [(0, "not known: the list was not asked for"), (1, "40 referrals can be read")] {
        let (asked, hung) = channel();
        let count = AtomicUsize::new(0);
        let list = format!(
            r#"{{"value":[{}]}}"#,
            json_lines(&sample("referrals.jsonl")).iter().map(Value::to_string).collect::<Vec<_>>().join(",")
        );
        let service = Wire::stream(move |_, out| {
            if count.fetch_add(1, Ordering::SeqCst) < answered {
                return out.write_all(&wire::answer("200 OK", "", &list));
            }
            asked.send(()).unwrap();
            // The client ends it.
            out.read_to_end(&mut Vec::new()).map(drop)
        });
        let place = Place::new();
        let check = ["check", "--json", "--rate", "1000/s", "--timeout", "10m", "--endpoint", &service.base];
        let started = place.start(&check);
        hung.recv().unwrap();
        started.signal(Signal::SIGINT);
        let ended = started.wait().expect(4);
        let printed: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(printed["ready"], json!(false), "{printed}");
        assert_eq!(printed["interrupted"], json!(true), "{printed}");
        assert_eq!(printed["mend"], Value::Null, "{printed}");
        let line = |subject: &str| {
            printed["lines"].as_array().unwrap().iter().find(|line| line["subject"] == subject).unwrap()
        };
        assert_eq!(line("role")["seen"], json!([role]));
        for subject in ["lists", "filters"] {
            assert_eq!(line(subject)["level"], json!("note"), "{printed}");
        }
    }
}

#[test]
fn a_certificate_that_nobody_trusts_is_told_with_whom_to_ask() {
    let there = tls::untrusted();
    for token in [Some(TOKEN), None] {
        let mut test = Test::new(&format!("{FAST} --endpoint https://{there}/v1.0")).code(1).told_elsewhere();
        if let Some(token) = token {
            test = test.env("PARTNER_CENTER_TOKEN", token);
        }
        let got = about(&test.run().stdout, "endpoint");
        assert!(got.contains("nobody whom this machine trusts has signed the server's certificate"), "{got}");
        assert!(got.contains("to do: where a company's proxy looks into TLS, have its certificate"), "{got}");
    }
    // A server that speaks no TLS at all.
    let plain = with_headers(String::new);
    let base = plain.base.replace("http:", "https:");
    let test = Test::new(&format!("{FAST} --endpoint {base}")).env("PARTNER_CENTER_TOKEN", TOKEN);
    let got = about(&test.code(1).told_elsewhere().run().stdout, "endpoint");
    assert!(got.contains("cannot be reached") && got.contains("--endpoint"), "{got}");
}

/// Without a token as much is told as a service tells anybody.
#[test]
fn without_a_token_the_way_to_the_service_is_looked_at() {
    let sandbox = Sandbox::start("");
    for (flags, seen) in [
        ("", "there is no token"),
        ("--token-file none.txt", "there is no token to send: the token file cannot be read"),
        ("--token-command false", "there is no token to send: the token command"),
    ] {
        let ran = Test::new(&format!("{FAST} {flags}")).env("REFERRAL_BULK_ENDPOINT", &sandbox.base);
        let ran = ran.code(1).told_elsewhere().run();
        let got = about(&ran.stdout, "sign-in");
        assert!(got.starts_with("mend") && got.contains(seen), "{got}");
        assert!(
            about(&ran.stdout, "endpoint").starts_with("ok    endpoint  http://127.0.0.1:"),
            "{}",
            ran.stdout
        );
        assert!(about(&ran.stdout, "clock").starts_with("ok"), "{}", ran.stdout);
        assert!(about(&ran.stdout, "role").contains("without a token the service tells nothing"));
        let settings = about(&ran.stdout, "settings");
        assert_eq!(settings.contains("\nclient-id: none (default)\n"), flags.is_empty(), "{settings}");
        assert!(ran.stderr.starts_with("error: sign-in: there is no token"), "{}", ran.stderr);
    }
}

#[test]
fn a_clock_that_is_off_is_told() {
    let dated = |seconds: i64| {
        with_headers(move || {
            let time = SystemTime::now();
            let by = Duration::from_secs(seconds.unsigned_abs());
            let time = if seconds < 0 { time - by } else { time + by };
            format!("date: {}\r\n", httpdate::fmt_http_date(time))
        })
    };
    for (seconds, code, level, side) in [
        (0, 0, "ok", "agrees with"),
        (-120, 0, "note", "ahead of"),
        (3600, 1, "mend", "behind"),
        (-3600, 1, "mend", "ahead of"),
    ] {
        let service = dated(seconds);
        let ran = Test::new(FAST).service(&service.base).code(code).told_elsewhere().run();
        let got = about(&ran.stdout, "clock");
        assert!(got.starts_with(level) && got.contains(side), "{seconds}: {got}");
    }
    for (headers, seen) in [
        ("", "the service's answers have no date"),
        ("date: yesterday\r\n", "the date of the service's answers can't be read"),
        ("date: Sun, 01 Mar 2020 12:00:00 GMT\r\nage: 7200\r\n", "a cache in between answered"),
    ] {
        let service = with_headers(|| headers.to_owned());
        let ran = Test::new(FAST).service(&service.base).told_elsewhere().run();
        let got = about(&ran.stdout, "clock");
        assert!(got.starts_with("note") && got.contains(seen), "{headers}: {got}");
    }
}

#[test]
fn headers_about_limits_are_told() {
    let service = with_headers(|| "x-ratelimit-remaining: 17\r\nx-ms-ratelimit-limit: 600\r\n".to_owned());
    let ran = Test::new(FAST).service(&service.base).told_elsewhere().run();
    let got = about(&ran.stdout, "rate");
    assert!(got.contains("x-ms-ratelimit-limit: 600\nx-ratelimit-remaining: 17\n"), "{got}");
    assert!(ran.stderr.contains("ready: a run can go, with "), "{}", ran.stderr);
    let used_up = with_headers(|| "x-ratelimit-remaining: 0\r\n".to_owned());
    let told = Test::new(FAST).service(&used_up.base).told_elsewhere().run();
    let got = about(&told.stdout, "rate");
    assert!(got.starts_with("note") && got.contains("nothing more may be asked for at the moment"), "{got}");
    let filters = about(&ran.stdout, "filters");
    assert!(filters.contains("ignored: referrals come that do not meet it"), "{filters}");
    assert!(filters.contains("→ what the service does not filter, an export reads in full"), "{filters}");
}

#[test]
fn a_token_tells_whose_it_is_and_never_what_it_is() {
    let (sandbox, refusing) = (Sandbox::start(""), Sandbox::start("--fault list#*=401"));
    let with = |name: &str, value: Value| {
        let mut claims = user();
        claims[name] = value;
        claims
    };
    let mut app = user();
    app.as_object_mut().unwrap().retain(|name, _| !["scp", "upn", "name"].contains(&name.as_str()));
    let nameless = app.clone();
    app["roles"] = json!(["Referrals.Read"]);
    let whose = "kim@partner.example.com, tenant 0e1f2a3b-0000-4000-8000-00000000000a, until ";
    for (claims, level, seen) in [
        (user(), "ok", whose),
        (
            with("aud", json!("https://api.partnercenter.microsoft.com")),
            "mend",
            "and not for https://api.partner.",
        ),
        (with("idtyp", json!("app")), "mend", "the token is an app's own, without a user"),
        (app, "mend", "the token is an app's own, without a user"),
        (nameless, "ok", "an account that it does not name"),
        (with("exp", json!(now().as_second() - 60)), "mend", "the token has ended"),
        (with("exp", json!(now().as_second() + 100)), "note", whose),
        (with("upn", json!("k\u{202e}im\u{1b}[2J")), "ok", "k\u{fffd}im\u{fffd}[2J"),
    ] {
        let token = jwt(&claims);
        // Whatever a token says of itself, the service's yes goes before it.
        if level == "mend" {
            let taken = Test::new(&format!("{FAST} --endpoint {}", sandbox.base));
            let taken = taken.env("PARTNER_CENTER_TOKEN", &token).told_elsewhere().run();
            let got = about(&taken.stdout, "sign-in");
            assert!(got.starts_with("note") && got.contains(seen), "{claims}: {got}");
            assert!(got.contains("the service took it all the same"), "{claims}: {got}");
        }
        let sandbox = if level == "mend" { &refusing } else { &sandbox };
        for flags in ["", "--json"] {
            let ran = Test::new(&format!("{FAST} {flags} --endpoint {}", sandbox.base));
            let code = i32::from(level == "mend");
            let ran = ran.env("PARTNER_CENTER_TOKEN", &token).code(code).told_elsewhere().run();
            for secret in [token.as_str(), token.split('.').nth(1).unwrap(), "c2VjcmV0LXNpZ25hdHVyZQ"] {
                assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{claims}");
            }
            if flags.is_empty() {
                let got = about(&ran.stdout, "sign-in");
                assert!(got.starts_with(level) && got.contains(seen), "{claims}: {got}");
            } else {
                let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
                let facts = &printed["lines"][1]["facts"];
                assert_eq!(facts["tenant"], claims["tid"]);
                assert_eq!(
                    printed["mend"]["subject"],
                    if code == 1 { json!("sign-in") } else { Value::Null }
                );
            }
        }
    }
    let opaque = Test::new(FAST).service(&sandbox.base).told_elsewhere().run();
    let got = about(&opaque.stdout, "sign-in");
    assert!(got.starts_with("note") && got.contains("a token that is no JWT"), "{got}");
}

#[test]
fn it_reads_and_only_a_handful_of_times() {
    let sandbox = Sandbox::start("--list-omits details --list-without-etags");
    let tap = Tap::on(&sandbox);
    Test::new(FAST).service(&tap.endpoint()).told_elsewhere().run();
    let seen = tap.seen();
    assert_eq!(tap.count("GET"), seen.len(), "{seen:?}");
    assert!(seen.len() <= 7, "{seen:?}");
    assert_eq!(seen.iter().filter(|seen| !seen.path.contains('?')).count(), 2, "{seen:?}");
}

#[test]
fn what_a_run_would_refuse_is_refused() {
    for (flags, wanted) in [
        ("--rate never", "write 2/s, 90/m or auto"),
        ("--endpoint http://example.com/v1.0", "plain http"),
        ("--profile none", "there is no profile"),
    ] {
        let ran = Test::new(&format!("check {flags}")).code(2).told_elsewhere().run();
        assert!(ran.stderr.contains(wanted), "{flags}: {}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}
