//! What a spreadsheet would take for a formula.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

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
    let document =
        |service: &Wire| service.asked().into_iter().find(|request| request.method == "PATCH").unwrap().body;
    assert_eq!(document(&again), document(&service));
}
