//! The ids that requests carry.

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
    let place = Place::new();
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
        let row: Value = serde_json::from_str(place.raw(&format!("{out}/outcomes.jsonl")).trim()).unwrap();
        let sent: Vec<_> = patches.iter().map(|patch| patch.header("client-request-id").unwrap()).collect();
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
