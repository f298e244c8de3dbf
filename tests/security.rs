//! Where a run goes and what it leaves behind: requests go to the configured service and nowhere else,
//! whatever an endpoint, an id, a redirect or a link says; files are their owner's alone; and no report runs
//! in a spreadsheet.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use serde_json::json;
use support::case::Test;
use support::program::{self, TOKEN, through};
use support::samples::{notes_csv, sample, sample_referral};
use support::waiting::each;
use support::wire::{self, Wire};

const ONE: &str = "5a1e0001-0000-4000-8000-000000000015";
const TWO: &str = "5a1e0001-0000-4000-8000-000000000027";
const THREE: &str = "5a1e0001-0000-4000-8000-000000000016";

const QUIET: &str = "--out run --rate 1000/s --summary none --progress none --yes";

/// Somebody else, who would be glad of a token.
fn elsewhere() -> Wire {
    Wire::serve(|_| wire::answer("200 x", "", r#"{"value":[]}"#))
}

/// Host and port.
fn host(service: &Wire) -> &str {
    service.base.strip_prefix("http://").unwrap().strip_suffix("/v1.0").unwrap()
}

fn lines(service: &Wire) -> Vec<String> {
    service.asked().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
}

mod endpoints {
    use super::*;

    /// Each of these leads to this machine or to a name that nobody has; a token must not go there.
    #[test]
    fn that_a_token_must_not_go_to_are_refused_before_anything_is_read() {
        let service = Wire::serve(wire::sound);
        let port = host(&service).split(':').nth(1).unwrap();
        let plain = "plain http, which is for localhost, 127.0.0.0/8 and [::1] alone: use https";
        let user = "holds a user name or a password: leave it out, the token signs in";
        let cases = [
            ("http://0.0.0.0:PORT/v1.0", plain),
            ("http://localhost.:PORT/v1.0", plain),
            ("http://[::ffff:127.0.0.1]:PORT/v1.0", plain),
            ("http://0:PORT/v1.0", plain),
            ("HTTP://EXAMPLE.COM/v1.0", plain),
            ("http://127.0.0.1.example.com/v1.0", plain),
            ("http://localhost.example.com/v1.0", plain),
            ("http://localhost:PORT@example.com/v1.0", plain),
            ("http://SECRET@127.0.0.1:PORT/v1.0", user),
            ("http://user:SECRET@127.0.0.1:PORT/v1.0", user),
            ("https://user:SECRET@example.com/v1.0", user),
            ("http://127.0.0.1:PORT/v1.0?key=SECRET", "holds a query or a fragment"),
            ("http://127.0.0.1:PORT/v1.0#SECRET", "holds a query or a fragment"),
            ("ws://127.0.0.1:PORT/v1.0", "neither with https:// nor"),
            ("file:///etc/SECRET", "neither with https:// nor"),
            ("127.0.0.1:PORT/SECRET", "is no URL"),
            ("SECRET", "is no URL"),
        ];
        for (endpoint, wanted) in cases {
            let endpoint = endpoint.replace("PORT", port).replace("SECRET", "s3cret");
            let file = format!("[profile.x]\nendpoint = '{endpoint}'\n");
            for (flags, variable, file) in [
                (format!("--endpoint '{endpoint}'"), "", ""),
                (String::new(), endpoint.as_str(), ""),
                ("--profile x".to_owned(), "", file.as_str()),
            ] {
                let ran = Test::new(&format!("apply a.csv {flags} {QUIET}"))
                    .file("a.csv", notes_csv(&[ONE]))
                    .file("referral-bulk.toml", file)
                    .env("PARTNER_CENTER_TOKEN", TOKEN)
                    .env("REFERRAL_BULK_ENDPOINT", variable)
                    .code(2)
                    .told_elsewhere()
                    .run();
                assert!(ran.stderr.contains(wanted), "{endpoint}: {}", ran.stderr);
                assert!(!ran.stderr.contains("s3cret"), "{endpoint}: {}", ran.stderr);
                assert_eq!(
                    ran.place.files().into_keys().collect::<Vec<_>>(),
                    ["a.csv", "referral-bulk.toml"]
                );
            }
        }
        assert_eq!(service.asked().len(), 0);
    }

    /// However it is spelt, and whatever proxy there is for other hosts.
    #[test]
    fn on_this_machine_are_reached_without_a_proxy() {
        let (service, elsewhere) = (Wire::serve(wire::sound), elsewhere());
        let port = host(&service).split(':').nth(1).unwrap();
        let spelt =
            ["HTTP://LOCALHOST:PORT/v1.0/", "http://2130706433:PORT/v1.0", "http://127.1:PORT/v1.0//"];
        let proxy = format!("http://{}", host(&elsewhere));
        for endpoint in spelt {
            let ran = Test::new(&format!("apply a.csv {QUIET}"))
                .file("a.csv", notes_csv(&[ONE]))
                .service(&endpoint.replace("PORT", port))
                .env("HTTP_PROXY", &proxy)
                .env("http_proxy", &proxy)
                .env("ALL_PROXY", &proxy)
                .told_elsewhere()
                .run();
            assert_eq!(ran.outcomes("run"), "1 applied", "{endpoint}");
        }
        let path = format!("/v1.0/engagements/referrals/{ONE}");
        assert_eq!(
            lines(&service),
            vec![[format!("GET {path}"), format!("PATCH {path}")]; spelt.len()].concat()
        );
        assert_eq!(elsewhere.asked().len(), 0);
    }

    /// A proxy that needs a password, and isn't there.
    #[test]
    fn behind_a_proxy_keep_its_password() {
        let ran = Test::new(&format!("apply a.csv {QUIET}"))
            .file("a.csv", notes_csv(&[ONE]))
            .service("https://example.com/v1.0")
            .env("HTTPS_PROXY", "http://user:s3cret@127.0.0.1:1")
            .code(1)
            .told_elsewhere()
            .run();
        assert!(ran.stderr.contains("cannot be reached"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("s3cret") && !ran.stderr.contains("dXNlcjpzM2NyZXQ"), "{}", ran.stderr);
    }
}

mod redirects {
    use super::*;

    #[test]
    fn are_never_followed() {
        let elsewhere = elsewhere();
        let there = host(&elsewhere).to_owned();
        let locations = [
            format!("{}/engagements/referrals/{ONE}", elsewhere.base),
            format!("//{there}/v1.0"),
            format!("https://{there}/v1.0"),
            format!("/v1.0/engagements/referrals/{THREE}"),
            "?again".to_owned(),
        ];
        let mut cases = Vec::new();
        for status in ["301 x", "302 x", "303 x", "307 x", "308 x"] {
            for location in &locations {
                cases.extend(["GET", "list", "PATCH"].map(|kind| (kind, status, location.clone())));
            }
        }
        each(&cases, |(kind, status, location)| {
            let (kind, status) = (*kind, *status);
            let headers = format!("location: {location}\r\n");
            let service = Wire::serve(move |request| {
                let is_list = request.about() == "referrals";
                let asked = if is_list { "list" } else { request.method.as_str() };
                if asked == kind { wire::answer(status, &headers, "") } else { wire::sound(request) }
            });
            let ids: &[&str] = if kind == "list" { &[ONE, TWO] } else { &[ONE] };
            let code = if kind == "list" { 0 } else { 3 };
            let ran = Test::new(&format!("apply a.csv --concurrency 1 {QUIET}"))
                .file("a.csv", notes_csv(ids))
                .service(&service.base)
                .code(code)
                .told_elsewhere()
                .run();
            let line = |method: &str, id: &str| format!("{method} /v1.0/engagements/referrals{id}");
            let (one, two) = (format!("/{ONE}"), format!("/{TWO}"));
            let (outcome, asked) = match kind {
                "GET" => ("1 refused", vec![line("GET", &one)]),
                "PATCH" => ("1 refused", vec![line("GET", &one), line("PATCH", &one)]),
                _ => {
                    let looks = [line("GET", ""), line("GET", &one), line("GET", &two)];
                    ("2 applied", [&looks[..], &[line("PATCH", &one), line("PATCH", &two)]].concat())
                }
            };
            assert_eq!(ran.outcomes("run"), outcome, "{kind} {status} {location}");
            assert_eq!(lines(&service), asked, "{kind} {status} {location}");
        });
        assert_eq!(elsewhere.asked().len(), 0);
    }
}

mod links {
    use super::*;

    /// Of the way to the next page nothing counts but the query, and that only where it makes sense.
    #[test]
    fn lead_to_the_configured_service_alone() {
        let elsewhere = elsewhere();
        let there = host(&elsewhere).to_owned();
        let long = "a".repeat(8_000);
        let cases: Vec<(String, Option<String>)> = [
            (format!("http://{there}/v1.0/engagements/referrals?$skip=100"), Some("$skip=100")),
            (format!("//{there}/x?$skip=100"), Some("$skip=100")),
            (format!("http://user:pass@{there}/?$skip=100#x"), Some("$skip=100")),
            (format!("http://127.0.0.1@{there}/?$skip=100"), Some("$skip=100")),
            ("https://example.com/v1.0?$skip=100".to_owned(), Some("$skip=100")),
            ("/../../admin?next=../../x".to_owned(), Some("next=../../x")),
            ("?a#?b".to_owned(), Some("a")),
            (
                "?a HTTP/1.1\r\nHost: example.com\r\n\r\nGET /x".to_owned(),
                Some("a%20HTTP/1.1Host:%20example.comGET%20/x"),
            ),
            (format!("?{long}"), Some(long.as_str())),
            (format!("?{long}b"), None),
            ("?".repeat(1 << 20), None),
            (format!("http://{there}/v1.0/engagements/referrals"), None),
            (format!("http://{there}/#?$skip=100"), None),
        ]
        .map(|(link, query)| (link, query.map(str::to_owned)))
        .to_vec();
        each(&cases, |(link, query)| {
            let link = link.clone();
            let service = Wire::serve(move |request| {
                let list = request.path.split_once("referrals").unwrap().1;
                match list {
                    "" => {
                        let page = json!({ "value": [sample_referral(ONE)], "@odata.nextLink": link });
                        wire::answer("200 x", "", page.to_string())
                    }
                    _ if list.starts_with('?') => {
                        let page = json!({ "value": [sample_referral(TWO), sample_referral(THREE)] });
                        wire::answer("200 x", "", page.to_string())
                    }
                    _ => wire::sound(request),
                }
            });
            let ran = Test::new(&format!("apply a.csv --plan --concurrency 1 {QUIET}"))
                .file("a.csv", notes_csv(&[ONE, TWO, THREE]))
                .service(&service.base)
                .told_elsewhere()
                .run();
            assert_eq!(ran.outcomes("run"), "3 planned", "{query:?}");
            let list = "GET /v1.0/engagements/referrals".to_owned();
            let wanted = match query {
                Some(query) => vec![list.clone(), format!("{list}?{query}")],
                // A page that says there is more and not where is no page. It is asked for again, and then
                // done without.
                None => [vec![list.clone(); 5], [ONE, TWO, THREE].map(|id| format!("{list}/{id}")).to_vec()]
                    .concat(),
            };
            assert_eq!(lines(&service), wanted, "{query:?}");
        });
        assert_eq!(elsewhere.asked().len(), 0);
    }
}

mod ids {
    use super::*;

    #[test]
    fn that_are_none_get_no_request() {
        let bad = [
            "../../users",
            "..%2f..%2fusers",
            &format!("{ONE}/../{TWO}"),
            &format!("{ONE}?x=1"),
            &format!("{ONE}#x"),
            &format!("{ONE}%2F"),
            &format!("https://example.com/{ONE}/../x"),
            &format!("x{ONE}"),
            ".",
        ];
        let good = [&format!("https://example.com/v1.0/{ONE}?x#y"), TWO];
        let service = Wire::serve(wire::sound);
        let ran = Test::new(&format!("apply a.csv --concurrency 1 {QUIET}"))
            .file("a.csv", notes_csv(&[&bad[..], &good[..]].concat()))
            .service(&service.base)
            .code(3)
            .told_elsewhere()
            .run();
        assert_eq!(ran.outcomes("run"), format!("2 applied, {} invalid", bad.len()));
        let path = "/v1.0/engagements/referrals";
        let one_by_one = |method| [ONE, TWO].map(|id| format!("{method} {path}/{id}"));
        let wanted = [&[format!("GET {path}")][..], &one_by_one("GET"), &one_by_one("PATCH")].concat();
        assert_eq!(lines(&service), wanted);
    }
}

mod files {
    use super::*;
    use std::collections::BTreeMap;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};
    use std::sync::{Arc, Mutex};

    fn modes(folder: &Path) -> BTreeMap<String, u32> {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let named = |path: PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), mode(&path));
        entries.map(named).chain([(".".to_owned(), mode(folder))]).collect()
    }

    #[track_caller]
    fn are_private(modes: &BTreeMap<String, u32>, what: &str) {
        for (name, mode) in modes {
            assert_eq!(*mode, if name == "." { 0o700 } else { 0o600 }, "{what}: {name}");
        }
    }

    /// Runs the program where new files would have any mode that this mask leaves.
    fn run(place: &Path, umask: &str, command: &str, service: Option<&Wire>) -> Option<i32> {
        let script = format!("umask {umask}; exec \"$0\" \"$@\"");
        let mut shell = through("sh", &["-c", &script]);
        shell.args(shlex::split(command).unwrap()).current_dir(place).env("PARTNER_CENTER_TOKEN", TOKEN);
        if let Some(service) = service {
            shell.env("REFERRAL_BULK_ENDPOINT", &service.base);
        }
        program::run(shell, "").code
    }

    #[test]
    fn are_their_owners_alone_whatever_the_umask() {
        for umask in ["000", "022", "077", "177"] {
            let place = support::place::Place::new();
            place.write("a.csv", notes_csv(&[ONE]));
            let seen = Arc::new(Mutex::new(BTreeMap::new()));
            let (log, folder) = (Arc::clone(&seen), place.path("run"));
            let service = Wire::serve(move |request| {
                if request.method == "PATCH" {
                    *log.lock().unwrap() = modes(&folder);
                }
                wire::sound(request)
            });
            let planned = run(place.root(), umask, &format!("apply a.csv --plan {QUIET}"), Some(&service));
            assert_eq!(planned, Some(0), "{umask}");
            are_private(&modes(&place.path("run")), umask);

            // A copy may have opened them up.
            for name in modes(&place.path("run")).into_keys().filter(|name| name != ".") {
                let open = Permissions::from_mode(0o666);
                fs::set_permissions(place.path("run").join(name), open).unwrap();
            }
            let resume = QUIET.replace("--out ", "resume ");
            assert_eq!(run(place.root(), umask, &resume, Some(&service)), Some(0), "{umask}");
            let sending = seen.lock().unwrap().clone();
            assert!(sending.contains_key("run.sqlite-wal"), "{sending:?}");
            are_private(
                &sending.into_iter().filter(|(name, _)| name.starts_with("run.")).collect(),
                "while sending",
            );
            are_private(&modes(&place.path("run")), "written again");
        }
    }

    #[test]
    fn of_patches_are_their_owners_alone() {
        for umask in ["000", "077"] {
            let place = support::place::Place::new();
            place.write("puts.jsonl", sample("legacy-puts.jsonl"));
            let command = "migrate puts.jsonl --plan --sandbox --patches out.jsonl --out run --summary none";
            run(place.root(), umask, command, None);
            let mode = fs::metadata(place.path("out.jsonl")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{umask}");
            are_private(&modes(&place.path("run")), umask);
        }
    }
}

mod formulas {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// What the user's own file says is fed back as it was; whatever the service says is text, also where a
    /// spreadsheet splits it at semicolons.
    #[test]
    fn of_the_service_are_defused_and_those_of_the_user_stay() {
        let mut theirs = sample_referral(ONE);
        theirs["eTag"] = json!("=etag;@x");
        theirs["details"]["notes"] = json!("a;=cmd|'/C calc'!A0;b");
        let sent = AtomicBool::new(false);
        let service = Wire::serve(move |request| match request.method.as_str() {
            "PATCH" => {
                sent.store(true, Ordering::SeqCst);
                wire::answer("412 x", "", r#"{"code":"@SUM(1)","message":"－1; +1"}"#)
            }
            _ if sent.load(Ordering::SeqCst) => wire::answer("200 x", "", theirs.to_string()),
            _ => wire::sound(request),
        });
        let own = ["=1+1", "-5;=2", "@x"];
        let ran = Test::new(&format!("apply a.csv {QUIET}"))
            .file("a.csv", format!("id,notes,externalReferenceId,salesStage\n{ONE},{}\n", own.join(",")))
            .service(&service.base)
            .code(3)
            .told_elsewhere()
            .run();
        assert_eq!(ran.outcomes("run"), "1 conflict");
        let report = ran.place.raw("run/conflict.csv");
        let mut reader = csv::Reader::from_reader(report.as_bytes());
        let header = reader.headers().unwrap().clone();
        let record = reader.records().next().unwrap().unwrap();
        let cell = |name: &str| &record[header.iter().position(|column| column == name).unwrap()];
        assert_eq!(["notes", "externalReferenceId", "salesStage"].map(cell), own);
        assert_eq!(cell("result.code"), "'@SUM(1)");
        assert_eq!(cell("result.message"), "'－1;' +1");
        assert_eq!(cell("result.etag"), "'=etag;'@x");
        assert!(cell("result.theirs").contains("a\\u003b=cmd|'/C calc'!A0;b"), "{}", cell("result.theirs"));

        let again = Wire::serve(wire::sound);
        let command = format!("apply run/conflict.csv {QUIET}").replace("--out run", "--out two");
        ran.then(&command).service(&again.base).told_elsewhere().run();
        let document = |service: &Wire| {
            service.asked().into_iter().find(|request| request.method == "PATCH").unwrap().body
        };
        assert_eq!(document(&again), document(&service));
    }
}

/// A run's directory from somebody else names a host of theirs.
mod runs {
    use super::*;

    const PLAN: &str =
        "apply a.csv --state none --plan --out run --rate 1000/s --summary none --progress none";

    #[test]
    fn go_to_another_host_only_where_the_user_names_it() {
        let theirs = "https://partner.invalid/v1.0";
        let planned = Test::new(&format!("{PLAN} --endpoint {theirs}")).file("a.csv", notes_csv(&[ONE]));
        let warning = "warning[unbound]: 1 row, the first at a.csv:2: no eTag binds the change: a concurrent edit would \
                       be overwritten unnoticed\n";
        let next = format!("next: referral-bulk resume run --rate 1000/s --endpoint {theirs}\n");
        let planned = planned.stderr(&format!("{warning}{next}")).run();
        for own in ["", "https://api.example.com/v1.0", "http://127.0.0.1:9/v1.0"] {
            let resumed = planned.then("resume run --yes --summary none --progress none").code(2);
            let resumed = resumed.env("PARTNER_CENTER_TOKEN", TOKEN).env("REFERRAL_BULK_ENDPOINT", own);
            resumed
                .stderr(&format!(
                    "error: the run goes to {theirs}, which neither you nor your settings name: no token is sent there\n\
                     hint: if that is where yours belongs: referral-bulk resume run --endpoint {theirs}\n"
                ))
                .run();
        }
        // Whoever names it is asked as always.
        for (flags, own) in [(format!("--endpoint {theirs}"), ""), (String::new(), theirs)] {
            let resumed = planned.then(&format!("resume run {flags} --summary none --progress none")).code(2);
            let resumed = resumed.env("PARTNER_CENTER_TOKEN", TOKEN).env("REFERRAL_BULK_ENDPOINT", own);
            let resumed = resumed.told_elsewhere().run();
            let asked = "error: the plan changes 1 referral, and nobody is there to ask\n";
            assert!(resumed.stderr.contains(asked), "{}", resumed.stderr);
        }
    }

    /// Whoever writes the settings says where a token goes.
    #[test]
    fn take_no_settings_that_others_may_write() {
        use std::os::unix::fs::PermissionsExt;
        let place = support::place::Place::new();
        place.write("a.csv", notes_csv(&[ONE]));
        place.write("referral-bulk.toml", "[profile.default]\nrate = \"1000/s\"\n");
        let settings = place.path("referral-bulk.toml");
        std::fs::set_permissions(&settings, std::fs::Permissions::from_mode(0o664)).unwrap();
        Test::at(&place, "apply a.csv --sandbox --out run")
            .code(2)
            .stderr(
                "error: referral-bulk.toml of the current directory can be written by others (mode 664)\n\
                 hint: look what it says, then: chmod go-w referral-bulk.toml\n",
            )
            .run();
        std::fs::set_permissions(&settings, std::fs::Permissions::from_mode(0o644)).unwrap();
        let quiet = "--summary none --progress none";
        let used = "note: referral-bulk.toml of the current directory is used: [profile.default]\n";
        Test::at(&place, &format!("apply a.csv --sandbox --out run {quiet}")).stderr(used).run();
        let finished = format!("{used}the run is finished: nothing is left to send\n");
        Test::at(&place, &format!("resume run {quiet}")).stderr(&finished).run();
        Test::at(&place, &format!("report run {quiet}")).run();
    }
}
