//! What a run lets out and takes in: the ids that its requests carry, the token, which goes to the service
//! and nowhere else, and answers that have no end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, thread};

use serde_json::{Value, json};
use support::case::Test;
use support::program::TOKEN;
use support::samples::{notes_csv, sample_referral};
use support::waiting::each;
use support::wire::{self, Request, Wire};

const ONE: &str = "5a1e0001-0000-4000-8000-000000000015";
const TWO: &str = "5a1e0001-0000-4000-8000-000000000027";

const QUIET: &str = "--rate 1000/s --summary none --progress none --yes";

mod ids {
    use super::*;

    /// A service whose list is empty, and which says this to the PATCHes for a referral, one after another.
    fn service(says: &[(&'static str, &[&'static str])]) -> Wire {
        let says: BTreeMap<&str, Vec<&str>> = says.iter().map(|(id, says)| (*id, says.to_vec())).collect();
        let left = Mutex::new(says);
        Wire::serve(move |request| match (request.method.as_str(), request.about()) {
            ("PATCH", id) => match left.lock().unwrap().get_mut(id).unwrap().remove(0) {
                "200 x" => wire::carry_out(request, sample_referral(id)),
                status => wire::answer(status, "", ""),
            },
            (_, "referrals") => wire::answer("200 x", "", r#"{"value":[]}"#),
            (_, id) => wire::answer("200 x", "", sample_referral(id).to_string()),
        })
    }

    /// Planned by one process, sent by a second until the token is refused, and by a third to the end.
    #[test]
    fn tell_a_run_a_change_and_a_call() {
        let service =
            service(&[(ONE, &["423 x", "502 x", "401 x", "429 x", "502 x", "200 x"]), (TWO, &["412 x"])]);
        let apply = |out: &str, id: &str| format!("apply {id}.csv --plan --out {out} {QUIET}");
        let place = support::place::Place::new();
        let planned = Test::at(&place, &apply("run", "one"))
            .file("one.csv", notes_csv(&[ONE]))
            .file("two.csv", notes_csv(&[TWO]))
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
        let (first, second): (Vec<_>, Vec<_>) = asked.iter().partition(|request| request.about() != TWO);
        // A look to plan by, the changes, and a look after each 502; and one by the third process, since what the
        // second sent may arrive yet. A version that is refused while it still stands is looked at five times.
        assert_eq!((first.len(), second.len()), (1 + 6 + 2 + 1, 1 + 1 + 5), "{asked:?}");
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

    /// How many shapes there are.
    const SHAPES: usize = 6;

    /// What a careless server sends back of a request, in every place where something is kept of an
    /// answer: in text, in JSON as it is, in JSON with all that can be escaped escaped, in a page, and in a
    /// URL.
    fn echoes(request: &Request) -> [String; SHAPES] {
        let told = request.header("authorization").unwrap();
        let escaped: String = told.chars().map(|c| format!("\\u{:04X}", u32::from(c))).collect();
        let slashed = told.replace('/', "\\/").replace('+', "\\u002B").replace('&', "\\u0026");
        let body = |told: &str| {
            format!(
                r#"{{"error":{{"code":"{told}","message":"not with {told}","innerError":{{"code":"{told}"}}}}}}"#
            )
        };
        let page =
            told.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;");
        let page = format!("<html><title>{page}</title>");
        let url: String = told.bytes().map(percent).collect();
        [format!("headers were: {told}"), body(told), body(&slashed), body(&escaped), page, body(&url)]
    }

    /// Which answers repeat the token, each in the shape of this number, and with what status.
    #[derive(Clone, Copy)]
    struct Echo {
        shape: usize,
        get: &'static str,
        patch: &'static str,
        /// Where in an answer that says yes; the others repeat it wherever they can.
        place: Place,
    }

    #[derive(Clone, Copy, PartialEq)]
    enum Place {
        Nowhere,
        /// In a header that nobody reads.
        Header,
        /// In the eTag's header.
        Tag,
        /// In a member of this name.
        Member(&'static str),
        /// In the way to the next page.
        Link,
    }

    #[test]
    fn are_found_nowhere_whatever_is_sent_back() {
        let mut cases = Vec::new();
        for token in [TOKEN, OPAQUE] {
            for source in 0..4 {
                for shape in 0..SHAPES {
                    cases.push((token, source, shape));
                }
            }
        }
        each(&cases, |(token, source, shape)| {
            let echo = |get, patch| Echo { shape: *shape, get, patch, place: Place::Nowhere };
            for (patch, code) in [("400 x", 3), ("401 x", 4), ("403 x", 3), ("412 x", 3)] {
                run(token, &sources(token)[*source], echo("200 x", patch), code, false);
            }
            for (get, code) in [("400 x", 3), ("401 x", 4), ("403 x", 3)] {
                run(token, &sources(token)[*source], echo(get, ""), code, false);
            }
        });
    }

    /// Tries that are given up take seconds, so there are fewer of these.
    #[test]
    fn are_found_nowhere_whatever_is_sent_back_again_and_again() {
        let cases = [(TOKEN, 1), (TOKEN, 3), (OPAQUE, 0), (OPAQUE, 2), (OPAQUE, 3), (OPAQUE, 4), (OPAQUE, 5)];
        each(&cases, |(token, shape)| {
            let echo = |get, patch| Echo { shape: *shape, get, patch, place: Place::Nowhere };
            run(token, &sources(token)[1], echo("200 x", "500 x"), 3, false);
            run(token, &sources(token)[1], echo("500 x", ""), 3, false);
        });
    }

    /// What holds the token is no referral: it is taken for no answer, be it to a look or to a change.
    #[test]
    fn are_found_nowhere_where_a_yes_repeats_them() {
        use Place::{Header, Link, Member, Tag};
        let mut cases = Vec::new();
        for place in [Tag, Member("eTag"), Member("seen"), Member("salesStage"), Member("@odata.etag")] {
            cases.extend([(place, "200 x", "", 3), (place, "", "200 x", 0)]);
        }
        cases.extend([(Tag, "", "204 x", 0), (Header, "200 x", "200 x", 0), (Link, "200 x", "", 0)]);
        let cases: Vec<_> = cases.into_iter().flat_map(|case| [(TOKEN, case), (OPAQUE, case)]).collect();
        each(&cases, |(token, (place, get, patch, code))| {
            let echo = Echo { shape: 3, get, patch, place: *place };
            run(token, &sources(token)[1], echo, *code, *place == Link);
        });
    }

    /// One run against a service that repeats the token, and what it was sent. A status that is not given is
    /// a yes without the token.
    fn run(token: &str, source: &(String, &str), echo: Echo, code: i32, lists: bool) {
        let sent = AtomicBool::new(false);
        let service = Wire::serve(move |request| answer(request, echo, &sent));
        let (flags, variable) = source;
        let ids: &[&str] = if lists { &[ONE, TWO] } else { &[ONE] };
        let ran = Test::new(&format!("apply a.csv --out run --rate 1000/s --yes {flags}"))
            .file("a.csv", notes_csv(ids))
            .file("token.txt", token)
            .env("PARTNER_CENTER_TOKEN", variable)
            .env("REFERRAL_BULK_ENDPOINT", &service.base)
            .told_elsewhere();
        let ran = ran.code(code).run();
        let case = format!("{token} {flags} {} {} {} {code}", echo.shape, echo.get, echo.patch);
        let sent = service.asked();
        assert!(
            sent.iter().all(|request| request.header("authorization") == Some(&format!("Bearer {token}")))
        );
        assert!(!sent.is_empty(), "{case}");
        assert!(!sent.iter().any(|request| holds(&request.path, token)), "{case}: {sent:?}");
        for (name, path) in ran.place.files() {
            let content = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
            assert!(name == "token.txt" || !holds(&content, token), "{name} holds the token: {case}");
        }
        assert!(!holds(&ran.stdout, token), "{case}: {}", ran.stdout);
        assert!(!holds(&ran.stderr, token), "{case}: {}", ran.stderr);
    }

    /// What the service says. Once it was sent a change, the referral carries it.
    fn answer(request: &Request, echo: Echo, sent: &AtomicBool) -> Vec<u8> {
        let told = request.header("authorization").unwrap();
        let is_patch = request.method == "PATCH";
        let status = if is_patch { echo.patch } else { echo.get };
        if !status.is_empty() && !status.starts_with('2') {
            let challenge = format!("Bearer realm=\"{told}\", error=\"{told}\", claims=\"{told}\"");
            let headers = format!("www-authenticate: {challenge}\r\nx-echo: {told}\r\n");
            return wire::answer(status, &headers, &echoes(request)[echo.shape]);
        }
        let is_list = request.about() == "referrals";
        let mut body = if is_list { json!({ "value": [] }) } else { sample_referral(request.about()) };
        if sent.fetch_or(is_patch, Ordering::SeqCst) || is_patch {
            body["details"]["notes"] = json!("Called");
            body["eTag"] = json!("\"moved\"");
        }
        let mut headers = String::new();
        let token = told.strip_prefix("Bearer ").unwrap();
        match echo.place {
            _ if status.is_empty() => {}
            Place::Nowhere => {}
            Place::Header => headers = format!("x-echo: {told}\r\n"),
            Place::Tag => headers = format!("etag: \"{token}\"\r\n"),
            Place::Link if is_list => {
                body["@odata.nextLink"] = json!(format!("http://x/y?$skiptoken={token}"))
            }
            Place::Link => {}
            Place::Member(name) => body[name] = json!(token),
        }
        let body = if status.starts_with("204") { String::new() } else { body.to_string() };
        wire::answer(if status.is_empty() { "200 x" } else { status }, &headers, body)
    }

    /// A byte as a URL writes it.
    fn percent(byte: u8) -> String {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    }

    /// Whether a text holds a token as it is or as JSON, a page or a URL writes it.
    fn holds(text: &str, token: &str) -> bool {
        let forms = [
            token.to_owned(),
            json!(token).to_string().trim_matches('"').to_owned(),
            token.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;"),
            token.bytes().map(percent).collect(),
        ];
        forms.iter().any(|form| text.contains(form.as_str()))
    }
}

mod versions {
    use super::*;

    /// What the service calls a version, what the row says of it, and what the change is bound to.
    const CASES: [(&str, &str, &str); 6] = [
        ("\"v1\"", "", "\"v1\""),
        ("v1", "", "v1"),
        ("W/\"v1\"", "", "W/\"v1\""),
        ("\"v1\"", "v1", "\"v1\""),
        ("v1", "v1", "v1"),
        ("v1", "\"\"\"v1\"\"\"", "v1"),
    ];

    #[test]
    fn go_back_as_the_service_spells_them() {
        each(&CASES, |(spelled, said, wanted)| {
            let spelled = (*spelled).to_owned();
            let service = Wire::serve(move |request| {
                let mut referral = sample_referral(ONE);
                referral["eTag"] = json!(spelled);
                match request.method.as_str() {
                    "PATCH" => wire::carry_out(request, referral),
                    _ => wire::answer("200 x", "", referral.to_string()),
                }
            });
            let ran = Test::new(&format!("apply a.csv --out run {QUIET}"))
                .file("a.csv", format!("id,eTag,notes\n{ONE},{said},Called\n"))
                .service(&service.base)
                .told_elsewhere()
                .run();
            assert_eq!(ran.outcomes("run"), "1 applied", "{}", ran.stderr);
            let asked = service.asked();
            let patch = asked.iter().find(|request| request.method == "PATCH").unwrap();
            assert_eq!(patch.header("if-match"), Some(*wanted));
        });
    }
}

mod bodies {
    use super::*;

    /// Answers that no client should wait for the end of.
    #[derive(Debug, Clone, Copy)]
    enum Body {
        /// A length that is 100 MB, and as much.
        Long,
        /// Chunk after chunk.
        Endless,
        /// The same, of a thousandth of the size that it unfolds to.
        Bomb,
        /// A byte now and then, within a length.
        Drip,
        /// Header after header.
        Headers,
        /// A byte of a header now and then.
        HeaderDrip,
    }

    use Body::{Bomb, Drip, Endless, HeaderDrip, Headers, Long};

    const LONG: usize = 100 << 20;

    /// What the system may hold of a stream that is written and not read: Linux lets a receiver's buffer grow
    /// to 32 MiB, and a sender's to 4.
    const BUFFERS: usize = 40 << 20;

    /// What is asked, what is answered, how the run ends, in how many requests of the kind that meet it, how
    /// much of it the program may read, and the row's message.
    type Case = (&'static str, Body, &'static str, usize, usize, &'static str);

    const MUCH: &str = "the referral could not be read: answered 200 with more than 4194304 bytes";

    const LATE: &str = "the referral could not be read: no answer within 1s";
    const BROKEN: &str = "the referral could not be read: error sending request: client error (SendRequest): \
                          message head is too large";

    const CASES: [Case; 18] = [
        ("GET", Long, "1 failed", 5, 4 << 20, MUCH),
        ("GET", Endless, "1 failed", 5, 4 << 20, MUCH),
        ("GET", Bomb, "1 failed", 5, 4 << 10, MUCH),
        ("GET", Drip, "1 failed", 5, 1000, LATE),
        ("GET", Headers, "1 failed", 5, 1 << 20, BROKEN),
        ("GET", HeaderDrip, "1 failed", 5, 1000, LATE),
        ("PATCH", Long, "1 applied", 1, 4 << 20, ""),
        ("PATCH", Endless, "1 applied", 1, 4 << 20, ""),
        ("PATCH", Bomb, "1 applied", 1, 4 << 10, ""),
        ("PATCH", Drip, "1 applied", 1, 1000, ""),
        ("PATCH", Headers, "1 applied", 1, 1 << 20, ""),
        ("PATCH", HeaderDrip, "1 applied", 1, 1000, ""),
        ("list", Long, "2 applied", 5, 16 << 20, ""),
        ("list", Endless, "2 applied", 5, 16 << 20, ""),
        ("list", Bomb, "2 applied", 5, 16 << 10, ""),
        ("list", Drip, "2 applied", 5, 1000, ""),
        ("list", Headers, "2 applied", 5, 1 << 20, ""),
        ("list", HeaderDrip, "2 applied", 5, 1000, ""),
    ];

    #[test]
    fn without_end_are_given_up_early() {
        each(&CASES, |(on, body, outcome, times, most, message)| {
            let (service, written) = service(on, *body);
            let ids: &[&str] = if *on == "list" { &[ONE, TWO] } else { &[ONE] };
            let timeout = if matches!(body, Drip | HeaderDrip) { "1s" } else { "2m" };
            let ran = Test::new(&format!("apply a.csv --out run --timeout {timeout} {QUIET}"))
                .file("a.csv", notes_csv(ids))
                .service(&service.base)
                .code(if outcome.ends_with("applied") { 0 } else { 3 })
                .told_elsewhere()
                .run();
            assert_eq!(ran.outcomes("run"), *outcome, "{on} {body:?}: {}", ran.stderr);
            let written = written.lock().unwrap();
            assert_eq!(written.len(), *times, "{on} {body:?}");
            let longest = *written.iter().max().unwrap();
            assert!(longest <= most + BUFFERS, "{on} {body:?}: {longest} bytes of it were taken");
            let row = ran.place.raw("run/outcomes.jsonl");
            let row: Value = serde_json::from_str(row.lines().next().unwrap()).unwrap();
            assert_eq!(row["message"], *message, "{on} {body:?}");
        });
        let most = memory();
        assert!(most < 256 << 20, "a run took {most} bytes of memory");
    }

    /// The most that any process took that this one has started and seen end.
    fn memory() -> usize {
        let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap();
        let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
        usize::try_from(usage.max_rss()).unwrap() * unit
    }

    /// A service that answers like this to one kind of request, and how much of each such answer it got rid
    /// of. Once a PATCH came, the referral carries the change.
    fn service(on: &'static str, body: Body) -> (Wire, Arc<Mutex<Vec<usize>>>) {
        let written = Arc::new(Mutex::new(Vec::new()));
        let (log, sent) = (Arc::clone(&written), AtomicBool::new(false));
        let service = Wire::stream(move |request, out| {
            let is_list = request.about() == "referrals";
            let kind = if is_list { "list" } else { request.method.as_str() };
            if request.method == "PATCH" {
                sent.store(true, Ordering::SeqCst);
            }
            if kind == on {
                let at = {
                    let mut log = log.lock().unwrap();
                    log.push(0);
                    log.len() - 1
                };
                return pour(body, out, |count| log.lock().unwrap()[at] += count);
            }
            let mut referral = sample_referral(request.about());
            if sent.load(Ordering::SeqCst) {
                referral["details"]["notes"] = json!("Called");
                referral["eTag"] = json!("\"moved\"");
            }
            out.write_all(&wire::answer("200 x", "", referral.to_string()))
        });
        (service, written)
    }

    /// Writes until the client has enough.
    fn pour(body: Body, out: &mut TcpStream, mut wrote: impl FnMut(usize)) -> io::Result<()> {
        let blanks = vec![b' '; 1 << 16];
        let (head, piece) = match body {
            Long => (format!("content-length: {LONG}\r\n"), blanks),
            Endless => ("transfer-encoding: chunked\r\n".to_owned(), chunk(&blanks)),
            Bomb => ("transfer-encoding: chunked\r\ncontent-encoding: gzip\r\n".to_owned(), chunk(&folded())),
            Drip => (format!("content-length: {LONG}\r\n"), vec![b' ']),
            Headers => (String::new(), [b"x-more: ", &blanks[..1 << 10], b"x\r\n"].concat()),
            HeaderDrip => (String::new(), vec![b'x']),
        };
        let end = if matches!(body, Headers | HeaderDrip) { "" } else { "connection: close\r\n\r\n" };
        write!(out, "HTTP/1.1 200 OK\r\n{head}{end}")?;
        if matches!(body, Bomb) {
            // The head of a gzip file without a name: RFC 1952, section 2.3.
            out.write_all(&chunk(b"\x1f\x8b\x08\0\0\0\0\0\0\xff"))?;
        }
        let mut left = if matches!(body, Endless | Bomb | Headers) { usize::MAX } else { LONG };
        while left > 0 {
            out.write_all(&piece)?;
            wrote(piece.len());
            left = left.saturating_sub(piece.len());
            if matches!(body, Drip | HeaderDrip) {
                thread::sleep(Duration::from_millis(100));
            }
        }
        Ok(())
    }

    fn chunk(bytes: &[u8]) -> Vec<u8> {
        [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
    }

    /// A MiB of blanks as a piece of a deflate stream that can be repeated without end.
    fn folded() -> Vec<u8> {
        let mut piece = Vec::with_capacity(1 << 16);
        let mut fold = flate2::Compress::new(flate2::Compression::best(), false);
        fold.compress_vec(&vec![b' '; 1 << 20], &mut piece, flate2::FlushCompress::Full).unwrap();
        assert!(piece.len() < 2 << 10 && fold.total_in() == 1 << 20, "{} bytes", piece.len());
        piece
    }
}
