//! What a PATCH does.

use super::*;

#[tokio::test]
async fn a_patch_changes_the_referral_and_moves_its_version() {
    let server = serve(SandboxConfig::default()).await;
    let plain = server.patch(A, &[], NOTES).await;
    assert_eq!((plain.status, plain.body.as_str()), (204, ""));
    let first = server.a();
    assert_eq!(first["details"]["notes"], "mine");
    assert_eq!(first["updatedDateTime"], "2026-11-20T12:00:00.0000000Z");
    assert_eq!(plain.header("ETag"), first["eTag"].as_str());
    assert_ne!(first["eTag"], ETAG);

    let again = server.patch(A, &[FULL, ("If-Match", first["eTag"].as_str().unwrap())], NOTES).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.json(), server.a(), "the answer is the referral as it stands");
    assert_eq!(again.header("ETag"), again.json()["eTag"].as_str());
    assert_ne!(again.json()["eTag"], first["eTag"], "also a change that changes nothing is a new version");

    let charset = [TOKEN, ("Content-Type", "Application/JSON; charset=utf-8")];
    let reply = server.send("PATCH", &format!("{PATH}/{A}"), &charset, NOTES).await.unwrap();
    assert_eq!(reply.status, 204);
    assert_eq!(server.sandbox.requests().applied, 3);
    server.shut_down().await;
}

#[tokio::test]
async fn if_match_guards_against_other_changes() {
    let server = serve(SandboxConfig::default()).await;
    let bare = ETAG.trim_matches('"');
    for (if_match, status) in
        [("\"e7a90001-0000-4000-8000-00000000dead\"", 412), (bare, 412), ("", 412), ("W/\"x\", \"y\"", 412)]
    {
        let reply = server.patch(A, &[("If-Match", if_match)], NOTES).await;
        assert_eq!(reply.status, status, "{if_match}");
        assert_eq!(reply.json()["error"]["code"], "preconditionFailed");
        assert_eq!(server.a()["eTag"], ETAG);
    }
    let listed = format!("\"x\", {ETAG}");
    assert_eq!(server.patch(A, &[("If-Match", &listed)], NOTES).await.status, 204);
    assert_eq!(server.patch(A, &[("If-Match", ETAG)], NOTES).await.status, 412, "that version is gone");
    assert_eq!(server.patch(A, &[("If-Match", "*")], NOTES).await.status, 204);
    server.shut_down().await;
}

#[tokio::test]
async fn stages_follow_the_table_and_leave_their_time() {
    let server = serve(SandboxConfig::default()).await;
    let stage = |status: &str, substatus: &str| {
        json!([
            { "op": "replace", "path": "/status", "value": status },
            { "op": "replace", "path": "/substatus", "value": substatus },
        ])
        .to_string()
    };
    for (id, document, status, code) in [
        (A, stage("New", "Pending"), 400, "TransitionNotAllowed"),
        (A, stage("Closed", "Accepted"), 400, "SubstatusNotOfStatus"),
        (
            A,
            r#"[{"op":"replace","path":"/status","value":"Closed"}]"#.to_owned(),
            400,
            "SubstatusNotOfStatus",
        ),
        (A, stage("Closed", "Won"), 204, ""),
        (A, stage("Closed", "Lost"), 204, ""),
        (A, stage("Active", "Accepted"), 400, "TransitionNotAllowed"),
        (B, r#"[{"op":"replace","path":"/substatus","value":"Pending"}]"#.to_owned(), 204, ""),
        (B, stage("Active", "Accepted"), 204, ""),
    ] {
        let reply = server.patch(id, &[], &document).await;
        let got = if status == 400 { reply.code() } else { String::new() };
        assert_eq!((reply.status, got.as_str()), (status, code), "{document}");
    }
    let [a, b] = &server.sandbox.referrals()[..] else { panic!("two referrals") };
    assert_eq!(a["closedDateTime"], "2026-11-20T12:00:00.0000000Z");
    assert_eq!(b["acceptedDateTime"], "2026-11-20T12:00:00.0000000Z");
    assert_eq!(b.get("closedDateTime"), None);
    server.shut_down().await;
}

#[tokio::test]
async fn a_document_is_applied_whole_or_not_at_all() {
    let server = serve(SandboxConfig::default()).await;
    let before = server.a();
    let document = json!([
        { "op": "replace", "path": "/details/notes", "value": "mine" },
        { "op": "replace", "path": "/statusReason", "value": "because" },
        { "op": "replace", "path": "/details/dealValue", "value": 5 },
    ]);
    let reply = server.patch(A, &[], &document.to_string()).await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "TargetMissing"));
    assert_eq!(reply.json()["error"]["target"], "/details/dealValue");
    assert_eq!(server.a(), before);
    server.shut_down().await;
}

#[tokio::test]
async fn the_same_history_gives_the_same_versions() {
    let mut etags = Vec::new();
    for order in [[A, B, A], [A, A, B]] {
        let server = serve(SandboxConfig::default()).await;
        for id in order {
            let document = r#"[{"op":"add","path":"/salesStage","value":"Close"}]"#;
            assert_eq!(server.patch(id, &[], document).await.status, 204);
        }
        etags.push(server.sandbox.referrals().iter().map(|r| r["eTag"].clone()).collect::<Vec<_>>());
        server.shut_down().await;
    }
    assert_eq!(etags[0], etags[1]);
}
