//! What is answered to a change.

use serde_json::json;

use super::{BAD, Case, GOOD, HTML, always, becomes, first, on_patch, stands, status, then};
use crate::support::samples::sample_referral;
use crate::support::wire;

/// Answers that say yes, in ways that no reader need understand. One that shows nothing is read back.
pub fn yes() -> Vec<Case> {
    let shown = |name, patch| Case { get: becomes("Called"), ..on_patch(name, patch, "1 applied", 1) };
    vec![
        shown("204", status("204 No Content")),
        shown(
            "204 with an eTag that is none",
            always(wire::answer("204 No Content", "etag: \x01\x02\r\n", "").into_iter().filter(|b| *b > 2).collect::<Vec<_>>()),
        ),
        shown(
            "204 with headers in any bytes",
            always([b"HTTP/1.1 204 No Content\r\nx-odd: \xff\xfe\xe9\r\nretry-after: \xff\r\nconnection: close\r\n\r\n".to_vec()].concat()),
        ),
        shown("100 before 204", always([b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), wire::answer("204 No Content", "", "")].concat())),
        shown("HTTP/1.0", always("HTTP/1.0 204 No Content\r\n\r\n")),
        on_patch("429 without a pause", first(1, wire::answer("429 Too Many Requests", "", "")), "1 applied", 2),
        on_patch("429 with a pause in words", first(1, wire::answer("429 x", "retry-after: soon\r\n", HTML)), "1 applied", 2),
        on_patch("429 with a pause below zero", first(1, wire::answer("429 x", "retry-after: -5\r\n", "")), "1 applied", 2),
        on_patch("429 until a day that is past", first(1, wire::answer("429 x", "retry-after: Thu, 01 Jan 1970 00:00:00 GMT\r\n", "")), "1 applied", 2),
        on_patch("509", first(2, wire::answer("509 x", "retry-after: 0\r\n", "")), "1 applied", 3),
        on_patch("503 with a pause", first(1, wire::answer("503 x", "retry-after: 0\r\n", "")), "1 applied", 2),
        on_patch("423 once", first(1, wire::answer("423 Locked", "", "")), "1 applied", 2),
        on_patch("502 once", first(1, wire::answer("502 Bad Gateway", "", HTML)), "1 applied", 2),
        Case { name: "502, and applied all the same", patch: status("502 x"), get: becomes("Called"), code: 0, outcome: "1 applied", patches: 1 },
        Case { name: "412 after a 502 that was applied", patch: Box::new(|_, before| wire::answer(if before == 0 { "502 x" } else { "412 x" }, "", "")), get: Box::new(|_, before| {
            let mut referral = sample_referral(GOOD);
            if before > 1 {
                referral["details"]["notes"] = json!("Called");
                referral["eTag"] = json!("\"moved\"");
            }
            wire::answer("200 OK", "", referral.to_string())
        }), code: 0, outcome: "1 applied", patches: 2 },
    ]
}

/// Answers that say no.
pub fn no() -> Vec<Case> {
    let refused = |name, patch| on_patch(name, patch, "1 refused", 1);
    // Somebody else changed it; and nobody did, as far as looks show.
    let conflict = |name, patch| Case { get: becomes("Another"), ..on_patch(name, patch, "1 conflict", 1) };
    let contradiction = |name, patch| on_patch(name, patch, "1 unknown", 1);
    vec![
        refused("400 without a body", status("400 Bad Request")),
        refused("400 with a page", always(wire::answer("400 Bad Request", "", HTML))),
        refused("400 with half a JSON", always(wire::answer("400 x", "", r#"{"error":{"code":"#))),
        refused("400 with a list", always(wire::answer("400 x", "", "[1,2,3]"))),
        refused("400 with bytes", always(wire::answer("400 x", "", b"\xff\xfe\x00\x01"))),
        refused(
            "400 with JSON nested 10,000 deep",
            always(wire::answer("400 x", "", "{\"error\":".repeat(10_000))),
        ),
        refused("400 in 8 MB", always(wire::answer("400 x", "", "x".repeat(8 << 20)))),
        refused(
            "400 that moves the cursor",
            always(wire::answer(
                "400 x",
                "",
                "{\"code\":\"\\u001b[2J\",\"message\":\"\\u001b[31mred\\r\\n\\u0000end\"}",
            )),
        ),
        refused(
            "400 that is a formula",
            always(wire::answer("400 x", "", r#"{"code":"=1+1","message":"=HYPERLINK(\"http://x\")"}"#)),
        ),
        refused(
            "400 that is a formula where lists are separated by semicolons",
            always(wire::answer("400 x", "", r#"{"code":"a;@x","message":"no; =cmd|'/C calc'!A0; ＋1"}"#)),
        ),
        refused(
            "400 that repeats the token",
            Box::new(|request, _| {
                let told = request.header("authorization").unwrap().to_owned();
                wire::answer(
                    "400 x",
                    &format!("www-authenticate: {told}\r\n"),
                    json!({"code": told, "message": told}).to_string(),
                )
            }),
        ),
        refused("403", status("403 Forbidden")),
        refused("404", status("404 Not Found")),
        refused("405", status("405 x")),
        refused("406", status("406 x")),
        refused("410", status("410 Gone")),
        refused("411", status("411 x")),
        refused("413", status("413 x")),
        refused("415", status("415 x")),
        refused("418", status("418 I'm a teapot")),
        refused(
            "422",
            always(wire::answer(
                "422 x",
                "content-type: application/problem+json\r\n",
                r#"{"title":"no","detail":"not so"}"#,
            )),
        ),
        refused("499", status("499 x")),
        refused("300", status("300 x")),
        refused("304", always("HTTP/1.1 304 Not Modified\r\nconnection: close\r\n\r\n")),
        contradiction("412, and nothing has changed", status("412 Precondition Failed")),
        contradiction("409, and nothing has changed", status("409 Conflict")),
        conflict("409", status("409 Conflict")),
        conflict("412", status("412 Precondition Failed")),
        conflict(
            "400 with the code 2055",
            always(wire::answer("400 x", "", r#"{"code":"2055","description":"changed"}"#)),
        ),
        conflict(
            "400 with a deep 99918",
            always(wire::answer(
                "400 x",
                "",
                r#"{"error":{"code":"x","innererror":{"code":"y","innerError":{"code":99918}}}}"#,
            )),
        ),
        Case {
            name: "502, and somebody else changed it",
            patch: status("502 x"),
            get: becomes("Another"),
            code: 3,
            outcome: "1 conflict",
            patches: 1,
        },
    ]
}

/// Answers after which nobody knows: read back, and sent again while nothing has changed.
pub fn doubt() -> Vec<Case> {
    let doubt = |name, patch| on_patch(name, patch, "1 failed", 5);
    let unknown =
        |name, get| Case { name, patch: status("500 x"), get, code: 3, outcome: "1 unknown", patches: 1 };
    let ok = |headers: &str, body: &[u8]| {
        [format!("HTTP/1.1 200 OK\r\n{headers}connection: close\r\n\r\n").as_bytes(), body].concat()
    };
    let headers: String = (0..300).map(|n| format!("x-{n}: 1\r\n")).collect();
    vec![
        doubt("500", status("500 x")),
        doubt(
            "502 with a page",
            always(wire::answer("502 Bad Gateway", "content-type: text/html\r\n", HTML)),
        ),
        doubt("503 without a pause", status("503 x")),
        doubt("504", status("504 x")),
        doubt("599", status("599 x")),
        doubt("999", status("999 x")),
        doubt("408", status("408 x")),
        doubt("204 and nothing done", status("204 No Content")),
        doubt("200 without a body", status("200 OK")),
        doubt("200 with blanks", always(wire::answer("200 OK", "", " \r\n "))),
        doubt("200 with a page", always(wire::answer("200 OK", "", HTML))),
        doubt("200 with garbage", always(wire::answer("200 OK", "", b"\xff\x00garbage"))),
        doubt(
            "200 with another referral",
            always(wire::answer("200 OK", "", sample_referral(BAD).to_string())),
        ),
        doubt("200 with the referral unchanged", stands()),
        doubt("200 with null", always(wire::answer("200 OK", "", "null"))),
        doubt("200 in 8 MB", always(wire::answer("200 OK", "", "x".repeat(8 << 20)))),
        doubt("half a body", always(ok("content-length: 1000\r\n", b"{\"id\":"))),
        doubt("a broken chunk", always(ok("transfer-encoding: chunked\r\n", b"zz\r\n{}\r\n"))),
        doubt("a chunk without end", always(ok("transfer-encoding: chunked\r\n", b"5\r\n{\"id\"\r\n"))),
        doubt("gzip that is none", always(ok("content-encoding: gzip\r\ncontent-length: 5\r\n", b"plain"))),
        doubt("two lengths", always(ok("content-length: 1\r\ncontent-length: 2\r\n", b"{}"))),
        doubt("a length in words", always(ok("content-length: many\r\n", b"{}"))),
        doubt("300 headers", always(ok(&headers, b""))),
        doubt("a header of 1 MB", always(ok(&format!("x-long: {}\r\n", "x".repeat(1 << 20)), b""))),
        doubt("a header without a colon", always(ok("nonsense\r\n", b""))),
        doubt("a status that is none", always("HTTP/1.1 0 x\r\n\r\n")),
        doubt("another protocol", always("SSH-2.0-OpenSSH_9.6\r\n")),
        doubt("HTTP/2 unasked", always("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")),
        doubt("101", always("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n")),
        doubt("nothing but 100", always("HTTP/1.1 100 Continue\r\n\r\n")),
        doubt("nothing", always("")),
        unknown("500, and then it is gone", then(wire::answer("404 x", "", ""))),
        unknown("500, and then a list", then(wire::answer("302 x", "location: /\r\n", "[]"))),
    ]
}
