//! What is answered to a look, and what stops a run.

use super::{BAD, Case, GOOD, HTML, always, on_get, on_patch, stands, status};
use crate::support::samples::sample_referral;
use crate::support::wire;

/// What a look at a referral can meet. What may be repeated is, which takes seconds.
pub fn looks() -> Vec<Case> {
    vec![
        on_get("GET 404", status("404 x"), "1 refused"),
        on_get("GET 403", status("403 x"), "1 refused"),
        on_get(
            "GET 403 for want of a scope",
            always(wire::answer("403 x", "www-authenticate: Bearer error=insufficient_scope\r\n", "")),
            "1 refused",
        ),
        on_get(
            "GET 302",
            always(wire::answer("302 x", "location: https://example.com/\r\n", "")),
            "1 refused",
        ),
        on_get("GET 412", status("412 x"), "1 refused"),
        on_get("GET 500", always(wire::answer("500 x", "", HTML)), "1 failed"),
        on_get("GET 200 with a page", always(wire::answer("200 OK", "", HTML)), "1 failed"),
        on_get("GET 200 without a body", status("200 OK"), "1 failed"),
        on_get("GET 204", status("204 No Content"), "1 failed"),
        on_get(
            "GET 200 with another referral",
            always(wire::answer("200 OK", "", sample_referral(BAD).to_string())),
            "1 failed",
        ),
        on_get("GET 200 with a list", always(wire::answer("200 OK", "", "[]")), "1 failed"),
        on_get(
            "GET 200 in 8 MB",
            always(wire::answer(
                "200 OK",
                "",
                format!("{{\"id\":\"{GOOD}\",\"x\":\"{}\"}}", "x".repeat(8 << 20)),
            )),
            "1 failed",
        ),
        on_get(
            "GET nested 100,000 deep",
            always(wire::answer(
                "200 OK",
                "",
                format!("{{\"id\":\"{GOOD}\",\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000)),
            )),
            "1 failed",
        ),
        on_get(
            "GET not UTF-8",
            always(wire::answer(
                "200 OK",
                "",
                [format!("{{\"id\":\"{GOOD}\",\"x\":\"").as_bytes(), b"\xff\"}"].concat(),
            )),
            "1 failed",
        ),
        on_patch("423 for ever", status("423 Locked"), "1 failed", 5),
    ]
}

/// What a policy asks for, in base64; nobody but a sign-in is to see it.
pub const CLAIMS: &str = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ==";

/// A status, headers and a body that ask for another sign-in.
fn challenges() -> Vec<(&'static str, &'static str, String, String)> {
    let header = format!(
        "www-authenticate: Basic realm=\"x\"\r\n\
             www-authenticate: Bearer realm=\"\", authorization_uri=\"https://login.example.com/\", \
             error=\"insufficient_claims\", claims=\"{CLAIMS}\"\r\n"
    );
    let nested = |code: &str| {
        format!(r#"{{"error":{{"code":"x","message":"{CLAIMS}","innererror":{{"code":"{code}"}}}}}}"#)
    };
    let plain = format!(r#"{{"error":"insufficient_claims","claims":"{CLAIMS}"}}"#);
    vec![
        ("401 with a challenge", "401 x", header.clone(), String::new()),
        ("403 with a challenge", "403 x", header, nested("accessDenied")),
        ("401 with a nested code", "401 x", String::new(), nested("insufficient_claims")),
        ("403 with a nested code", "403 x", String::new(), nested("Insufficient_Claims")),
        ("403 as OAuth has it", "403 x", String::new(), plain),
    ]
}

pub fn stops() -> Vec<Case> {
    let stop =
        |name, patch, patches| Case { name, patch, get: stands(), code: 4, outcome: "1 unsent", patches };
    let stop_look =
        |name, get| Case { name, patch: status("500 x"), get, code: 4, outcome: "1 unsent", patches: 0 };
    let mfa = || always(wire::answer("401 x", "", r#"{"error":{"code":"900421","message":"no MFA"}}"#));
    let mut cases = vec![
        stop("401", status("401 Unauthorized"), 1),
        stop("401 with the code 900421", mfa(), 1),
        stop_look("GET 401", status("401 x")),
        stop_look("GET 401 with the code 900421", mfa()),
    ];
    for (name, status, headers, body) in challenges() {
        let says = || always(wire::answer(status, &headers, &body));
        cases.push(stop(name, says(), 1));
        cases.push(stop_look(name, says()));
    }
    cases
}
