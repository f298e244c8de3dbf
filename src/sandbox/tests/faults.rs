//! Faults that are asked for, and limits.

use super::*;

#[tokio::test]
async fn over_the_quota_every_request_waits() {
    let server =
        serve(SandboxConfig { quota: Some("2/m".parse().unwrap()), ..SandboxConfig::default() }).await;
    assert_eq!(server.get(PATH).await.status, 200);
    assert_eq!(server.patch(A, &[], NOTES).await.status, 204);
    let reply = server.patch(A, &[], NOTES).await;
    assert_eq!(reply.status, 429);
    assert_eq!(reply.json()["statusCode"], 429);
    let seconds: u64 = reply.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let counts = server.sandbox.requests();
    assert_eq!((counts.lists, counts.patches, counts.applied, counts.throttled), (1, 2, 1, 1));
    assert_eq!(counts.total(), 3);
    server.shut_down().await;
}

#[tokio::test]
async fn more_at_a_time_than_are_taken_are_turned_away() {
    let hang = ["patch=hang".parse().unwrap()];
    let server =
        serve(SandboxConfig { at_once: Some(1), faults: hang.into(), ..SandboxConfig::default() }).await;
    let path = format!("{PATH}/{A}");
    let first = server.send("PATCH", &path, &[TOKEN, JSON], NOTES);
    let others = async {
        let met = async {
            while server.sandbox.requests().faulted == 0 {
                tokio::task::yield_now().await
            }
        };
        timeout(PATIENCE, met).await.unwrap();
        assert_eq!(server.get(&path).await.status, 503);
    };
    // The first hangs until its client goes away, and with it goes its place.
    tokio::select! {
        _ = first => panic!("what hangs is not answered"),
        () = others => {}
    }
    let taken = async { while server.get(&path).await.status == 503 {} };
    timeout(PATIENCE, taken).await.unwrap();
    let counts = server.sandbox.requests();
    assert!(counts.throttled > 0, "{counts:?}");
    server.shut_down().await;
}

/// The answer to a PATCH under a fault, and whether the change was applied.
async fn check_fault(fault: &str, wanted: Option<(u16, &str)>, applied: bool) -> Option<Reply> {
    let server = serve(faulty(&[fault])).await;
    let path = format!("{PATH}/{A}");
    let reply = server.send("PATCH", &path, &[TOKEN, JSON, ("If-Match", ETAG)], NOTES).await;
    let got = reply.as_ref().map(|reply| (reply.status, reply.header("Content-Type").unwrap_or_default()));
    assert_eq!(got, wanted, "{fault}");
    assert_eq!(server.a()["details"]["notes"] == "mine", applied, "{fault}");
    assert_eq!(server.sandbox.requests().faulted, 1);
    let whole = server.get(&path).await;
    assert_eq!(whole.status, 200, "{fault} is over after its turn");
    server.shut_down().await;
    reply
}

#[tokio::test]
async fn faults_answer_wrongly() {
    const JSON: &str = "application/json; charset=utf-8";
    check_fault("patch=500", Some((500, JSON)), false).await;
    check_fault("patch=500+applied", Some((500, JSON)), true).await;
    check_fault("any=409", Some((409, JSON)), false).await;
    check_fault("patch=html", Some((502, "text/html")), false).await;
    let throttled = check_fault("patch=429:7", Some((429, JSON)), false).await.unwrap();
    assert_eq!(throttled.header("Retry-After"), Some("7"));
    let unready = check_fault("patch=503:1+applied", Some((503, JSON)), true).await.unwrap();
    assert_eq!(unready.header("Retry-After"), Some("1"));
    for (fault, applied) in [("patch=garbage", false), ("patch=garbage+applied", true)] {
        let garbage = check_fault(fault, Some((200, JSON)), applied).await.unwrap();
        assert!(serde_json::from_str::<Value>(&garbage.body).is_err());
    }
    for (fault, applied) in [("patch=cut", false), ("patch=cut+applied", true)] {
        let cut = check_fault(fault, Some((200, JSON)), applied).await.unwrap();
        let promised: usize = cut.header("Content-Length").unwrap().parse().unwrap();
        assert_eq!(cut.body.len(), promised / 2);
        assert!(promised > 0);
    }
}

/// Successful answers under a fault, by what they show: the notes, and whether the eTag is the one from
/// before.
#[tokio::test]
async fn a_yes_may_be_none() {
    const JSON: &str = "application/json; charset=utf-8";
    for (fault, status, shown, applied) in [
        ("patch=bare", 204, None, false),
        ("patch=bare+applied", 204, None, true),
        ("patch=error", 200, None, false),
        ("patch=error+applied", 200, None, true),
        ("patch=stale", 200, Some(("theirs", true)), false),
        ("patch=stale+applied", 200, Some(("theirs", true)), true),
        ("patch=echo", 200, Some(("mine", true)), false),
        ("patch=echo+applied", 200, Some(("mine", true)), true),
    ] {
        let kind = if status == 204 { "" } else { JSON };
        let reply = check_fault(fault, Some((status, kind)), applied).await.unwrap();
        if let Some((notes, is_old)) = shown {
            let body = reply.json();
            assert_eq!((&body["details"]["notes"], body["eTag"] == ETAG), (&json!(notes), is_old), "{fault}");
        } else if status == 200 {
            assert_eq!(reply.code(), "BackendUnavailable");
        }
    }
    // A change that is refused gets no false success.
    for fault in ["patch=bare+applied", "patch=stale+applied", "patch=echo", "patch=error+applied"] {
        let server = serve(faulty(&[fault])).await;
        assert_eq!(server.patch(A, &[("If-Match", "\"other\"")], NOTES).await.status, 412, "{fault}");
        server.shut_down().await;
    }
}

#[tokio::test]
async fn reads_may_lag_behind_and_members_be_ignored() {
    let server = serve(faulty(&["get#2-3=stale", "patch#2=ignores:/details"])).await;
    let path = format!("{PATH}/{A}");
    let first = server.patch(A, &[FULL], NOTES).await.json();
    let mut etags = Vec::new();
    for notes in ["mine", "theirs", "theirs", "mine"] {
        let shown = server.get(&path).await.json();
        assert_eq!(shown["details"]["notes"], notes);
        etags.push(shown["eTag"].clone());
    }
    assert_eq!(etags, [first["eTag"].clone(), json!(ETAG), json!(ETAG), first["eTag"].clone()]);
    let document = r#"[{"op":"replace","path":"/details/notes","value":"other"},
                       {"op":"replace","path":"/statusReason","value":"taken"}]"#;
    let second = server.patch(A, &[FULL], document).await.json();
    assert_eq!((&second["details"]["notes"], &second["statusReason"]), (&json!("mine"), &json!("taken")));
    assert_ne!(second["eTag"], first["eTag"]);
    server.shut_down().await;
}

#[tokio::test]
async fn somebody_else_edits_first() {
    let reply = check_fault("patch=edited", Some((412, "application/json; charset=utf-8")), false).await;
    assert_eq!(reply.unwrap().code(), "resourceModified");
    let server = serve(faulty(&["patch=edited"])).await;
    assert_eq!(server.patch(A, &[], NOTES).await.status, 204, "without If-Match nothing guards");
    server.shut_down().await;
}

#[tokio::test]
async fn slow_answers_come_all_the_same() {
    let server = serve(faulty(&["list=slow:50"])).await;
    let start = Instant::now();
    assert_eq!(server.get(PATH).await.status, 200);
    assert!(start.elapsed() >= Duration::from_millis(50));
    server.shut_down().await;
}

#[tokio::test]
async fn hanging_requests_get_no_answer_and_hold_nobody_up() {
    for (fault, applied) in [("patch=hang", 0), ("patch=hang+applied", 1)] {
        let server = serve(faulty(&[fault])).await;
        let path = format!("{PATH}/{A}");
        let address = server.address;
        let hanging =
            tokio::spawn(async move { exchange(address, "PATCH", &path, &[TOKEN, JSON], NOTES).await });
        timeout(PATIENCE, async {
            while server.sandbox.requests().faulted == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
        assert_eq!(server.get(PATH).await.status, 200, "others are served");
        assert!(!hanging.is_finished());
        assert_eq!(server.sandbox.requests().applied, applied);
        server.shut_down().await;
        assert!(timeout(PATIENCE, hanging).await.unwrap().unwrap().is_none());
    }
}
