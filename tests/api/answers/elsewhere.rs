//! Answers that lead elsewhere, and pages.

use serde_json::{Value, json};

use super::{APPLY, BAD, GOOD};
use crate::support::case::Test;
use crate::support::samples::sample_referral;
use crate::support::waiting::each;
use crate::support::wire::{self, Wire};

#[test]
fn that_lead_elsewhere_are_not_followed() {
    let elsewhere = Wire::serve(|_| wire::answer("204 No Content", "", ""));
    for code in ["301", "302", "303", "307", "308"] {
        let location = format!("location: {}/engagements/referrals/{GOOD}\r\n", elsewhere.base);
        let service = Wire::serve(move |request| match request.method.as_str() {
            "PATCH" => wire::answer(&format!("{code} x"), &location, ""),
            _ => wire::answer("200 OK", "", sample_referral(GOOD).to_string()),
        });
        let ran = Test::new(&format!("apply a.csv {APPLY}"))
            .file("a.csv", format!("id,notes\n{GOOD},Called\n"))
            .service(&service.base)
            .code(3)
            .told_elsewhere()
            .run();
        assert_eq!(ran.outcomes("run"), "1 refused", "{code}");
    }
    assert_eq!(elsewhere.asked().len(), 0);
}

/// A referral that may not be seen, or cannot be, is its own row's trouble; however many there are.
#[test]
fn to_a_look_at_one_referral_are_about_its_row_alone() {
    const COUNT: usize = 40;
    let page = json!({ "value": [sample_referral(GOOD)] }).to_string();
    let hidden = (0..COUNT).map(|number| format!("0c0ffee0-0000-4000-8000-{number:012},Called\n"));
    let file = format!("id,notes\n{}{GOOD},Called\n", hidden.collect::<String>());
    let unread = "the referral could not be read: not for you";
    for (status, message) in [
        (403, unread),
        (404, "not there, or not visible to this user (not for you)"),
        (400, unread),
        (302, unread),
    ] {
        let page = page.clone();
        let service = Wire::serve(move |request| match request.about() {
            GOOD if request.method == "PATCH" => wire::carry_out(request, sample_referral(GOOD)),
            GOOD => wire::answer("200 OK", "", sample_referral(GOOD).to_string()),
            "referrals" => wire::answer("200 OK", "", &page),
            _ => wire::answer(&format!("{status} x"), "", r#"{"code":"no","description":"not for you"}"#),
        });
        let ran = Test::new(&format!("apply a.csv {APPLY}"))
            .file("a.csv", &file)
            .service(&service.base)
            .code(3)
            .told_elsewhere()
            .run();
        assert_eq!(ran.outcomes("run"), format!("1 applied, {COUNT} refused"), "{}", ran.stderr);
        assert_eq!(service.ids("PATCH"), [GOOD]);
        let outcomes = ran.place.raw("run/outcomes.jsonl");
        for row in outcomes.lines().take(COUNT).map(|row| serde_json::from_str::<Value>(row).unwrap()) {
            let wanted = json!(["refused", "no", message, status]);
            assert_eq!(json!([row["outcome"], row["code"], row["message"], row["status"]]), wanted);
        }
    }
}

/// Pages of the list: what is of no use is done without, and nobody is led away or round in circles.
#[test]
fn of_pages_are_used_as_far_as_they_go() {
    let elsewhere = Wire::serve(|_| wire::answer("200 OK", "", "{\"value\":[]}"));
    let good = sample_referral(GOOD);
    let cases = [
        ("no page", json!([1]).to_string(), 5),
        ("a page without a list", json!({"value": "x"}).to_string(), 5),
        ("things that are no referrals", json!({"value": [1, null, {"id": 7}, {}]}).to_string(), 1),
        (
            "a link elsewhere",
            json!({"value": [good], "@odata.nextLink": format!("{}?$skip=1", elsewhere.base)}).to_string(),
            1,
        ),
        (
            "a link in circles",
            json!({"value": [], "@odata.nextLink": format!("{}?$skip=1", elsewhere.base)}).to_string(),
            1,
        ),
    ];
    each(&cases, |(name, page, lists)| {
        let page = page.clone();
        let service = Wire::serve(move |request| match (request.method.as_str(), request.about()) {
            ("PATCH", id) => wire::carry_out(request, sample_referral(id)),
            (_, GOOD) => wire::answer("200 OK", "", sample_referral(GOOD).to_string()),
            (_, BAD) => wire::answer("200 OK", "", sample_referral(BAD).to_string()),
            _ => wire::answer("200 OK", "", &page),
        });
        let ran = Test::new(&format!("apply a.csv {APPLY}"))
            .file("a.csv", format!("id,notes\n{GOOD},Called\n{BAD},Called\n"))
            .service(&service.base)
            .told_elsewhere()
            .run();
        assert_eq!(ran.outcomes("run"), "2 applied", "{name}");
        assert_eq!(ran.summary("run")["requests"]["list"], *lists, "{name}");
    });
    assert_eq!(elsewhere.asked().len(), 0);
}
