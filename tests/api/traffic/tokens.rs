//! Tokens that a service sends back.

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
    let page = told.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;");
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
    place: Position,
}

#[derive(Clone, Copy, PartialEq)]
enum Position {
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
        let echo = |get, patch| Echo { shape: *shape, get, patch, place: Position::Nowhere };
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
        let echo = |get, patch| Echo { shape: *shape, get, patch, place: Position::Nowhere };
        run(token, &sources(token)[1], echo("200 x", "500 x"), 3, false);
        run(token, &sources(token)[1], echo("500 x", ""), 3, false);
    });
}

/// What holds the token is no referral: it is taken for no answer, be it to a look or to a change.
#[test]
fn are_found_nowhere_where_a_yes_repeats_them() {
    use Position::{Header, Link, Member, Tag};
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
    assert!(sent.iter().all(|request| request.header("authorization") == Some(&format!("Bearer {token}"))));
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
        Position::Nowhere => {}
        Position::Header => headers = format!("x-echo: {told}\r\n"),
        Position::Tag => headers = format!("etag: \"{token}\"\r\n"),
        Position::Link if is_list => {
            body["@odata.nextLink"] = json!(format!("http://x/y?$skiptoken={token}"))
        }
        Position::Link => {}
        Position::Member(name) => body[name] = json!(token),
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
