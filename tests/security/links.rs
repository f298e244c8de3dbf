//! Links of pages, which lead nowhere else.

use super::*;

/// Of the way to the next page nothing counts but the query, and that only where it makes sense.
#[test]
fn lead_to_the_configured_service_alone() {
    let elsewhere = elsewhere();
    let there = host(&elsewhere).to_owned();
    let long = "a".repeat(8_000);
    let cases: Vec<(String, Option<String>)> = [
        (format!("http://{there}/v1.0/engagements/referrals?$skip=100"), Some("$skip=100")),
        (format!("//{there}/x?$skip=100"), Some("$skip=100")),
        (format!("http://user:pass@{there}/?$skip=100#x"), Some("$skip=100")),
        (format!("http://127.0.0.1@{there}/?$skip=100"), Some("$skip=100")),
        ("https://example.com/v1.0?$skip=100".to_owned(), Some("$skip=100")),
        ("/../../admin?next=../../x".to_owned(), Some("next=../../x")),
        ("?a#?b".to_owned(), Some("a")),
        (
            "?a HTTP/1.1\r\nHost: example.com\r\n\r\nGET /x".to_owned(),
            Some("a%20HTTP/1.1Host:%20example.comGET%20/x"),
        ),
        (format!("?{long}"), Some(long.as_str())),
        (format!("?{long}b"), None),
        ("?".repeat(1 << 20), None),
        (format!("http://{there}/v1.0/engagements/referrals"), None),
        (format!("http://{there}/#?$skip=100"), None),
    ]
    .map(|(link, query)| (link, query.map(str::to_owned)))
    .to_vec();
    each(&cases, |(link, query)| {
        let link = link.clone();
        let service = Wire::serve(move |request| {
            let list = request.path.split_once("referrals").unwrap().1;
            match list {
                "" => {
                    let page = json!({ "value": [sample_referral(ONE)], "@odata.nextLink": link });
                    wire::answer("200 x", "", page.to_string())
                }
                _ if list.starts_with('?') => {
                    let page = json!({ "value": [sample_referral(TWO), sample_referral(THREE)] });
                    wire::answer("200 x", "", page.to_string())
                }
                _ => wire::sound(request),
            }
        });
        let ran = Test::new(&format!("apply a.csv --plan --concurrency 1 {QUIET}"))
            .file("a.csv", notes_csv(&[ONE, TWO, THREE]))
            .service(&service.base)
            .told_elsewhere()
            .run();
        assert_eq!(ran.outcomes("run"), "3 planned", "{query:?}");
        let list = "GET /v1.0/engagements/referrals".to_owned();
        let wanted = match query {
            Some(query) => vec![list.clone(), format!("{list}?{query}")],
            // A page that says there is more and not where is no page. It is asked for again, and then
            // done without.
            None => {
                [vec![list.clone(); 5], [ONE, TWO, THREE].map(|id| format!("{list}/{id}")).to_vec()].concat()
            }
        };
        assert_eq!(lines(&service), wanted, "{query:?}");
    });
    assert_eq!(elsewhere.asked().len(), 0);
}
