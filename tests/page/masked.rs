//! Whose data is in a page, and whose is not.

use std::fs;

use crate::support::place::Place;
use crate::support::referrals::{id, referral};
use crate::support::sandbox::Sandbox;

/// Personal data of the service and of the input: what is masked, and what stays of it.
const THEIRS: [&str; 11] = [
    "zoe",
    "Zoë",
    "Ørsted",
    "555 0141",
    "kim.park",
    "Kim",
    "Park",
    "555 0142",
    "ola.nordmann",
    "+47 555 01 43",
    "(555) 0144",
];

#[test]
fn is_nobodys_unless_it_is_revealed() {
    let place = Place::new();
    let mut stood = referral(0, "Active", "Accepted");
    stood["details"]["notes"] = "ask ola.nordmann@customer.example.com, +47 555 01 43".into();
    let service = Sandbox::seeded(&place, &[stood], &[""; 0]);
    place.write(
        "team.jsonl",
        format!(
            "{}\n",
            serde_json::json!({
                "id": id(0), "notes": "asked ola.nordmann@customer.example.com or (555) 0144",
                "team": [{ "firstName": "Kim", "lastName": "Park", "phoneNumber": "+49 30 555 0142",
                           "email": "kim.park@partner.example.com" }]
            })
        ),
    );
    let run =
        ["apply", "team.jsonl", "--out", "run", "--endpoint", &service.base, "--yes", "--rate", "1000/s"];
    place.run(&run).expect(0);
    let page = || fs::read_to_string(place.path("run/report.html")).unwrap();
    let masked = page();
    for theirs in THEIRS {
        assert!(!masked.contains(theirs), "{theirs}");
    }
    assert!(masked.contains("@customer.example.com") && masked.contains("@partner.example.com"));
    assert!(masked.contains("are masked"), "the page says so");

    place.run(&["report", "run", "--reveal"]).expect(0);
    let revealed = page();
    for theirs in &THEIRS[1..] {
        assert!(revealed.contains(theirs), "{theirs}");
    }
    assert!(!revealed.contains("are masked"));

    place.run(&["report", "run"]).expect(0);
    assert_eq!(page(), masked, "made again, it is the same to the byte");
}
