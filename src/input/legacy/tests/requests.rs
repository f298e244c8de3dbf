//! Recorded requests.

use super::*;

const PUT: &str = "PUT https://api.partner.microsoft.com/v1.0/engagements/referrals/{ID} HTTP/1.1";

#[test]
fn requests_of_every_sort() {
    for (text, wanted) in [
        // As it is printed, and as editors write it.
        ("{PUT}\nIf-Match: \"v1\"\n\n{\"id\":\"{ID}\",\"eTag\":\"\\\"v1\\\"\"}", "1:1 ok 1 \"v1\""),
        ("{PUT}\nif-match:v1\n\n{\"id\":\"{ID}\",\"eTag\":\"v1\"}", "1:1 ok 1 \"v1\""),
        (
            "### x\n# @name y\n@z = 1\n// c\n\nput /v1.0/engagements/referrals/{ID}\n// c\n\n\n{\"id\":\"{ID}\"}",
            "6:1 ok 1",
        ),
        ("{PUT}\nHost: x\n{\"id\":\n\"{ID}\"}", "1:1 ok 1"),
        ("{PUT}\n\n{\"id\":\"{ID}\"}\n\n> {% x() %}\n<> y.json\nHTTP/1.1 200 OK\n\n{}", "1:1 ok 1"),
        ("{PUT}\n\n{\"id\":\"{ID}\"}\n{PUT}\n\n{\"id\":\"{ID}\"}\n###\n###\n", "1:1 ok 1\n4:1 ok 1"),
        // What is no header may be part of the body, and makes half of what follows.
        (
            "{PUT}\n\"status\": \"Closed\",\n{\"id\":\"{ID}\"}",
            "1:1 rejected 1\nrequest@2:1 this line is neither a header nor an empty line; \
             correct it: an empty line stands between headers and body",
        ),
        (
            "{PUT}\n\n{\"id\":\"{ID}\"}\n<html></html>",
            "1:1 rejected 1\njson@4:1 the payload is no valid JSON: trailing characters; correct it there",
        ),
        // What the payload lacks.
        (
            "{PUT}\nIf-Match: v1\n\n{\"id\":\"{ID}\",\"eTag\":null}",
            "1:1 ok 1 \"v1\"\nwarn legacy-header@2:1 the payload has no eTag: the one in If-Match is taken",
        ),
        (
            "{PUT}\n\n{}",
            "1:1 ok 1\nwarn legacy-header@1:1 the payload has no id: the one in the URL is taken",
        ),
        (
            "{PUT}\nIf-Match: *\n\n{\"id\":\"{ID}\",\"eTag\":\"v1\"}",
            "1:1 ok 1 \"v1\"\nwarn legacy-header@2:1 If-Match: * stands for any version, and binds to none",
        ),
        // Contradictions.
        (
            "{PUT}\nIf-Match: v2\n\n{\"id\":\"{ID}\",\"eTag\":\"v1\"}",
            "1:1 rejected 1\nrequest@2:1 If-Match is \"v2\", and the body's eTag \"v1\"; \
             keep the one that the payload was made from",
        ),
        (
            "{PUT}\nIf-Match: v2\nIf-Match: v1\n\n{\"id\":\"{ID}\"}",
            "1:1 rejected 1\nrequest@3:1 there are two If-Match headers; keep the one that the payload was made from\n\
             warn legacy-header@2:1 the payload has no eTag: the one in If-Match is taken",
        ),
        (
            "{PUT}\n\n{\"id\":\"{OTHER}\"}",
            "1:1 rejected 1\nid@3:7 the id is not the one in the URL, which is {ID}; correct the one that is wrong",
        ),
        (
            "{PUT}\nIf-Match: \"v1\", \"v2\"\n\n{\"id\":\"{ID}\"}",
            "1:1 rejected 1\ntype@2:1 If-Match: an eTag has no quotes or backslashes within it; \
             copy the eTag as the service gave it, or leave it out",
        ),
        // No PUT of a referral.
        (
            "GET https://x/referrals/{ID}\n\n###\n{PUT}\n\n{\"id\":\"{ID}\"}",
            "1:1 rejected\nrequest@1:1 GET is no PUT of a referral; leave the request out: \
             only a PUT has something to migrate\n4:1 ok 1",
        ),
        (
            "https://x/referrals/{ID}\n",
            "1:1 rejected\nrequest@1:1 GET is no PUT of a referral; leave the request out: \
             only a PUT has something to migrate",
        ),
        (
            "PATCH https://x/referrals/{ID}\n\n[]",
            "1:1 rejected\nrequest@1:1 PATCH is no PUT of a referral; \
             it is a PATCH already: apply takes JSON lines with its operations as \"patch\"",
        ),
        (
            "PUT https://x/customers/{ID}\n\n{\"id\":\"{ID}\"}",
            "1:1 rejected 1\nrequest@1:1 the URL names no referral; \
             the URL of a referral ends in /engagements/referrals/ and the referral's id",
        ),
        (
            "PUT https://x/referrals/R-1/\n\n{\"id\":\"{ID}\"}",
            "1:1 rejected 1\nid@1:1 the URL's id \"R-1\" is no GUID; \
             the URL of a referral ends in /engagements/referrals/ and the referral's id",
        ),
        (
            "PUT https://x/referrals/{{id}}\n\n{}",
            "1:1 rejected\nrequest@1:1 the URL holds the variable \"{{id}}\", which is not filled in; \
             write the referral's id in its place",
        ),
        (
            "{\"id\":\"{ID}\"}",
            "1:1 rejected\nrequest@1:1 this is no request line; \
             a request begins with its method and URL, as in PUT https://… HTTP/1.1",
        ),
        (
            "{PUT}\nX: y\n",
            "1:1 rejected 1\nrequest@1:1 the request has no body; \
             a PUT carries the whole referral as JSON, behind an empty line",
        ),
        (
            "{PUT}\n\n< ./body.json\n",
            "1:1 rejected 1\nrequest@3:1 the body of the request is in another file; give that file to migrate instead",
        ),
        ("", ""),
    ] {
        if !text.is_empty() {
            check(Format::Http, &text.replace("{PUT}", PUT), &wanted.replace("{ID}", ID));
        }
    }
}

#[test]
fn no_token_comes_out_of_a_request() {
    let secrets = [
        "Authorization: Bearer s3cret\n\n{\"id\":\"x\"}",
        "AUTHORIZATION : bearer s3cret\n\n{\"id\":",
        "\nAuthorization: Bearer s3cret\n{}",
        "\nBearer s3cret\n",
        "Authorization: Bearer\n s3cret\n\n{\"id\":\"{ID}\"}",
        "Cookie: s3cret\n\n{\"id\":\"{ID}\"}",
        "\n{\"id\":\"{ID}\"}\nAuthorization: Bearer s3cret",
    ];
    let lines =
        ["PUT https://me:s3cret@x/referrals/{ID}?t=s3cret", "GET https://x/?s3cret", "Authorization: s3cret"];
    for line in lines {
        for secret in secrets {
            let text = format!("{line}\n{secret}\n").replace("{ID}", ID);
            let (records, end) = read_bytes(text.as_bytes(), &options(Format::Http));
            let told = format!("{records:?} {end:?}");
            assert!(!told.contains("s3cret"), "{text}: {told}");
            assert_eq!(records.len(), 1, "{text}");
        }
    }
}
