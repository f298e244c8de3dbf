//! Ids that would lead elsewhere.

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
