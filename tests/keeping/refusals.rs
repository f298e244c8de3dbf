//! Renewals that are refused, or bring something else: what is to be done is told, and `login` where that helps.

use serde_json::{Value, json};

use crate::desk::Desk;

const TENANT: &str = "aaaaaaaa-2222-4333-8444-555555555555";
const OTHER: &str = "11111111-2222-4333-8444-555555555555";

fn refusal(error: &str, code: u32) -> (u16, Value) {
    let told = format!("AADSTS{code}: no.");
    (
        400,
        json!({ "error": error, "error_codes": [code], "error_description": told, "correlation_id": "c-1" }),
    )
}

/// A refusal; what of the remedy is told; the command that signs in again, where that helps.
#[test]
fn login_is_named_where_another_sign_in_helps() {
    let desk = Desk::new("file");
    desk.login();
    for (refusal, remedy, login) in [
        (refusal("invalid_grant", 70008), "the sign-in is over", Some("referral-bulk login")),
        (
            refusal("invalid_grant", 53003),
            "many tenants forbid device codes: sign in with --browser",
            Some("referral-bulk login --browser"),
        ),
        (
            refusal("consent_required", 65001),
            "they find it by the correlation id c-1",
            Some("referral-bulk login"),
        ),
        (refusal("invalid_client", 7_000_218), "set \"Allow public client flows\" to Yes", None),
        ((404, json!([])), "check the network", None),
    ] {
        desk.authority.look(|state| state.refuses = Some(refusal));
        let export = desk.run("export --out all.csv").expect(1);
        assert!(export.stderr.contains(remedy), "{}", export.stderr);
        let hint = login.map_or("hint: nothing was written\n".to_owned(), |login| {
            format!("hint: nothing was written; sign in again: {login}\n")
        });
        assert!(export.stderr.ends_with(&hint), "{}", export.stderr);
        let check = desk.run("check").expect(1);
        let last = check.last_line().to_owned();
        match login {
            Some(login) => assert!(last.ends_with(&format!(": {login}")), "{last}"),
            None => assert!(last.contains(": referral-bulk check"), "{}", check.stderr),
        }
        assert!(login.is_some() || !check.stderr.contains("referral-bulk login"), "{}", check.stderr);
    }
}

/// A tenant that is named by its id has to be the one that comes, and a domain's the same ever after.
#[test]
fn tokens_of_another_tenant_are_not_used() {
    let desk = Desk::new("file");
    desk.authority.look(|state| state.tenant = Some(OTHER));
    let told = desk.run(&format!("login --device-code --tenant {TENANT}")).expect(1);
    let wanted = format!("gave tokens of another tenant: {TENANT} was asked for, and {OTHER} came");
    assert!(told.stderr.contains(&wanted), "{}", told.stderr);
    let remedy =
        format!("sign in with an account of {TENANT}, or name the account's own tenant with --tenant: ");
    assert!(told.stderr.contains(&remedy), "{}", told.stderr);
    assert_eq!(desk.file(".token"), None);
    desk.login();
    desk.run("check").expect(0);
    desk.authority.look(|state| state.tenant = Some(TENANT));
    let told = desk.run("export --out all.csv").expect(1);
    let wanted = format!("gave tokens of another tenant: {OTHER} was asked for, and {TENANT} came");
    assert!(told.stderr.contains(&wanted), "{}", told.stderr);
    assert!(told.stderr.ends_with("; sign in again: referral-bulk login\n"), "{}", told.stderr);
}

/// What was typed at the sign-in and stands in no profile is typed again.
#[test]
fn the_login_that_is_named_keeps_what_was_typed() {
    let desk = Desk::new("auto");
    let settings = std::fs::read_to_string(desk.place.path("referral-bulk.toml")).unwrap();
    desk.place.write("referral-bulk.toml", settings.replace("store = \"auto\"\n", ""));
    desk.run("login --device-code --store file").expect(0);
    desk.authority.look(|state| state.refuses = Some(refusal("invalid_grant", 53003)));
    let told = desk.run("export --out all.csv").expect(1);
    assert!(
        told.stderr.ends_with("; sign in again: referral-bulk login --store file --browser\n"),
        "{}",
        told.stderr
    );
}
