//! What is asked of every request.

use super::*;

#[tokio::test]
async fn a_referral_is_read_with_its_etag() {
    let server = serve(SandboxConfig::default()).await;
    let reply = server.get(&format!("{PATH}/{A}")).await;
    assert_eq!((reply.status, reply.json()["eTag"].as_str()), (200, Some(ETAG)));
    let upper = server.get(&format!("{PATH}/{}", A.to_uppercase())).await;
    assert_eq!(upper.json(), reply.json());
    let id = ("client-request-id", B);
    let echoed = server.send("GET", &format!("{PATH}/{A}"), &[TOKEN, id], "").await.unwrap();
    assert_eq!((echoed.status, echoed.header(id.0)), (200, Some(B)));
    server.shut_down().await;
}

#[tokio::test]
async fn a_strict_one_wants_an_id_of_every_call_and_a_type_of_a_get() {
    let server = serve(SandboxConfig { strict: true, ..SandboxConfig::default() }).await;
    let a = format!("{PATH}/{A}");
    let id = |id: &'static str| ("client-request-id", id);
    let kind = |kind: &'static str| ("Content-Type", kind);
    for (method, path, headers, status, code) in [
        ("GET", a.as_str(), &[id(LEFT_OUT)][..], 400, "ClientRequestIdMissing"),
        ("GET", PATH, &[id(LEFT_OUT)], 400, "ClientRequestIdMissing"),
        ("PATCH", &a, &[JSON, id(LEFT_OUT)], 400, "ClientRequestIdMissing"),
        ("PATCH", &a, &[JSON, id(A), id(B)], 400, "ClientRequestIdMissing"),
        ("PATCH", &a, &[JSON, id("c-1")], 400, "ClientRequestIdNoGuid"),
        ("GET", &a, &[id("")], 400, "ClientRequestIdNoGuid"),
        ("GET", &a, &[kind(LEFT_OUT)], 400, "ContentTypeMissing"),
        ("GET", PATH, &[kind("text/plain")], 400, "ContentTypeMissing"),
        ("GET", &a, &[kind("Application/JSON; charset=utf-8"), id(B)], 200, ""),
        ("GET", &a, &[id(B)], 400, "ClientRequestIdRepeated"),
        ("PATCH", &a, &[JSON, id(B)], 400, "ClientRequestIdRepeated"),
        ("PATCH", &a, &[JSON, id(A)], 204, ""),
    ] {
        let headers: Vec<_> = [TOKEN].iter().chain(headers).copied().collect();
        let reply = server.send(method, path, &headers, NOTES).await.unwrap();
        let got = if status == 400 { reply.code() } else { String::new() };
        assert_eq!((reply.status, got.as_str()), (status, code), "{method} {path} {headers:?}");
    }
    assert_eq!(server.sandbox.requests().applied, 1);
    server.shut_down().await;
}

#[tokio::test]
async fn a_comma_within_an_etag_separates_nothing() {
    let seed = json!({"id": A, "eTag": "\"v1,2\"", "details": {}}).to_string();
    for (if_match, status) in
        [("\"v1,2\"", 204), ("\"x\", \"v1,2\"", 204), ("\"v1", 412), ("2\"", 412), ("\"v1,2\"\"x\"", 412)]
    {
        let server = serve_seed(&seed, SandboxConfig::default()).await;
        assert_eq!(server.patch(A, &[("If-Match", if_match)], NOTES).await.status, status, "{if_match}");
        server.shut_down().await;
    }
}

#[tokio::test]
async fn what_is_refused_before_anything_is_looked_at() {
    let server = serve(SandboxConfig::default()).await;
    let a = format!("{PATH}/{A}");
    let large = format!("[{}1]", "1,".repeat(600_000));
    for (method, path, headers, body, status, codes) in [
        ("GET", a.as_str(), &[][..], "", 401, "Unauthorized"),
        ("GET", &a, &[("Authorization", "Bearer ")], "", 401, "Unauthorized"),
        ("GET", &a, &[("Authorization", "Basic abc")], "", 401, "Unauthorized"),
        ("PATCH", &a, &[JSON], NOTES, 401, "Unauthorized"),
        ("GET", "/nowhere", &[], "", 401, "Unauthorized"),
        ("GET", "/nowhere", &[TOKEN], "", 404, "PathNotFound"),
        ("GET", "/v1.0/referrals", &[TOKEN], "", 404, "PathNotFound"),
        ("GET", "/v1.0/engagements/referrals/", &[TOKEN], "", 404, "PathNotFound"),
        ("GET", "/v1.0/engagements/referralsx", &[TOKEN], "", 404, "PathNotFound"),
        ("GET", "/v1.0/engagements/referrals/R-1", &[TOKEN], "", 404, "ReferralNotFound"),
        ("PATCH", "/v1.0/engagements/referrals/R-1", &[TOKEN, JSON], NOTES, 404, "ReferralNotFound"),
        ("PUT", &a, &[TOKEN, JSON], "{}", 405, "MethodNotAllowed"),
        ("DELETE", &a, &[TOKEN], "", 405, "MethodNotAllowed"),
        ("POST", PATH, &[TOKEN, JSON], "{}", 405, "MethodNotAllowed"),
        ("PATCH", &a, &[TOKEN], NOTES, 415, "UnsupportedMediaType"),
        (
            "PATCH",
            &a,
            &[TOKEN, ("Content-Type", "application/json-patch+json")],
            NOTES,
            415,
            "UnsupportedMediaType",
        ),
        ("PATCH", &a, &[TOKEN, JSON], &large, 413, "PayloadTooLarge"),
        ("PATCH", &a, &[TOKEN, JSON], "{}", 400, "NotAnArray"),
        ("PATCH", &a, &[TOKEN, JSON], "", 400, "NotJson"),
    ] {
        let reply = server.send(method, path, headers, body).await.unwrap();
        let code =
            if status == 401 { reply.json()["code"].as_str().unwrap().to_owned() } else { reply.code() };
        assert_eq!((reply.status, code.as_str()), (status, codes), "{method} {path} {headers:?}");
    }
    assert_eq!(server.a()["eTag"], ETAG, "nothing was changed");
    let allow = server.send("PUT", &a, &[TOKEN], "").await.unwrap();
    assert_eq!(allow.header("Allow"), Some("GET, PATCH"));
    server.shut_down().await;
}

#[tokio::test]
async fn the_samples_are_served() {
    let sandbox = Sandbox::with_samples(SandboxConfig::default(), Arc::new(|| Timestamp::UNIX_EPOCH));
    assert_eq!(sandbox.referrals().len(), 40);
    assert_eq!(sandbox.requests(), Counts::default());
}
