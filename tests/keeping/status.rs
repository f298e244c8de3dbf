//! Who is said to be signed in, and by which exit code a script learns of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::support::sha256::sha256;

const TENANT: &str = "3f0d6b3e-0c9e-4d0e-9a5e-6f6a5d1c2b3a";

#[test]
fn a_sign_in_whose_token_is_not_there_is_none() {
    let desk = Desk::new("file");
    desk.login();
    desk.run("login --status").expect(0);
    let token = desk.file(".token").unwrap();
    fs::set_permissions(&token, Permissions::from_mode(0o640)).unwrap();
    let told = desk.run("login --status").expect(1).stdout;
    assert!(told.contains("file, which can't be read: ") && told.contains("(mode 640)"), "{told}");
    let told = desk.run("login --status --json").expect(1).stdout;
    assert!(told.contains("\"is_there\":null"), "{told}");
    fs::remove_file(&token).unwrap();
    let told = desk.run("login --status").expect(1).stdout;
    assert!(told.contains("file, and gone: sign in again"), "{told}");
    let told = desk.run("login --status --json").expect(1).stdout;
    assert!(told.contains("\"is_there\":false"), "{told}");
    desk.login();
    desk.run("login --status --json").expect(0);
}

#[test]
fn what_is_typed_of_a_registration_says_whose_sign_in_is_meant() {
    let desk = Desk::new("file");
    desk.login();
    let authority = format!("--authority {}", desk.authority.url);
    for typed in ["--tenant CONTOSO.example.com", "--client-id app", &authority] {
        desk.run(&format!("login --status {typed}")).expect(0);
    }
    for typed in [
        "--tenant fabrikam.example.com",
        "--client-id other",
        "--authority https://login.example.com",
        "--tenant contoso.example.com --client-id other",
    ] {
        let told = desk.run(&format!("login --status {typed}")).expect(1);
        assert_eq!(told.stdout, "", "{typed}");
        let next =
            format!("nobody is signed in for the profile default\nnext: referral-bulk login {typed}\n");
        assert!(told.stderr.ends_with(&next), "{}", told.stderr);
    }
    desk.run("login --status --tenant ../x").expect(2);
}

/// Nobody is asked to sign in by a command line that wants to be told something.
#[test]
fn json_is_for_the_status_alone() {
    let desk = Desk::new("file");
    for line in
        ["login --json", "login --json --device-code", "login --json --browser", "login --json --account ada"]
    {
        let told = desk.run(line).expect(2);
        assert_eq!(told.stdout, "", "{line}");
    }
    assert_eq!(desk.authority.look(|state| state.issued), 0);
}

/// What is remembered is kept for each tenant, and a sign-in that is kept tells which, without a token or the network.
#[test]
fn the_rate_that_a_run_begins_with_is_shown_where_the_sign_in_tells_the_tenant() {
    let desk = Desk::new("file");
    desk.authority.look(|state| state.tenant = Some(TENANT));
    let endpoint = &desk.sandbox.base;
    let file = format!("state/referral-bulk/rates/{}.json", &sha256(format!("{endpoint}\n{TENANT}"))[..32]);
    let now = fs::metadata(desk.place.path("referral-bulk.toml")).unwrap().modified().unwrap();
    let now = Timestamp::try_from(now).unwrap();
    let changing = json!({ "per_second": 50.0, "is_limit": true, "at": now });
    let kept = json!({
        "version": 1, "endpoint": endpoint, "tenant": TENANT, "reading": null, "changing": changing,
    });
    desk.place.write(&file, kept.to_string());
    let shown = |flags: &str| {
        let text = desk.run(&format!("config show {flags}")).expect(0).stdout;
        let told = desk.run(&format!("config show --json {flags}")).expect(0).stdout;
        let told: Value = serde_json::from_str(&told).unwrap();
        let rows = told["settings"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == "rate").unwrap().clone();
        let line = text.lines().find(|line| line.starts_with("rate ")).unwrap();
        (line.split_whitespace().collect::<Vec<_>>().join(" "), row["begins_at"].clone())
    };
    let auto = "rate auto --rate, over referral-bulk.toml:7".to_owned();
    assert_eq!(shown("--rate auto"), (auto, Value::Null), "nobody is signed in");
    desk.login();
    let begins = "rate auto, and begins at 50.0/s --rate, over referral-bulk.toml:7".to_owned();
    assert_eq!(shown("--rate auto"), (begins, json!(50.0)));
    assert_eq!(shown(""), ("rate 200/s referral-bulk.toml:7".to_owned(), Value::Null), "it isn't found");
    assert_eq!(desk.authority.look(|state| state.asked), 0, "no token was asked for");
}
