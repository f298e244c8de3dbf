//! Redirects, which are not followed.

use super::*;

#[test]
fn are_never_followed() {
    let elsewhere = elsewhere();
    let there = host(&elsewhere).to_owned();
    let locations = [
        format!("{}/engagements/referrals/{ONE}", elsewhere.base),
        format!("//{there}/v1.0"),
        format!("https://{there}/v1.0"),
        format!("/v1.0/engagements/referrals/{THREE}"),
        "?again".to_owned(),
    ];
    let mut cases = Vec::new();
    for status in ["301 x", "302 x", "303 x", "307 x", "308 x"] {
        for location in &locations {
            cases.extend(["GET", "list", "PATCH"].map(|kind| (kind, status, location.clone())));
        }
    }
    each(&cases, |(kind, status, location)| {
        let (kind, status) = (*kind, *status);
        let headers = format!("location: {location}\r\n");
        let service = Wire::serve(move |request| {
            let is_list = request.about() == "referrals";
            let asked = if is_list { "list" } else { request.method.as_str() };
            if asked == kind { wire::answer(status, &headers, "") } else { wire::sound(request) }
        });
        let ids: &[&str] = if kind == "list" { &[ONE, TWO] } else { &[ONE] };
        let code = if kind == "list" { 0 } else { 3 };
        let ran = Test::new(&format!("apply a.csv --concurrency 1 {QUIET}"))
            .file("a.csv", notes_csv(ids))
            .service(&service.base)
            .code(code)
            .told_elsewhere()
            .run();
        let line = |method: &str, id: &str| format!("{method} /v1.0/engagements/referrals{id}");
        let (one, two) = (format!("/{ONE}"), format!("/{TWO}"));
        let (outcome, asked) = match kind {
            "GET" => ("1 refused", vec![line("GET", &one)]),
            "PATCH" => ("1 refused", vec![line("GET", &one), line("PATCH", &one)]),
            _ => {
                let looks = [line("GET", ""), line("GET", &one), line("GET", &two)];
                ("2 applied", [&looks[..], &[line("PATCH", &one), line("PATCH", &two)]].concat())
            }
        };
        assert_eq!(ran.outcomes("run"), outcome, "{kind} {status} {location}");
        assert_eq!(lines(&service), asked, "{kind} {status} {location}");
    });
    assert_eq!(elsewhere.asked().len(), 0);
}
