//! `login` and the runs after it, by the program itself.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::person::{Person, Way, to_type};
use crate::provider::{BOTH, Dress, Options, Provider};
use crate::support::waiting::each;

const QUIET: &str = "--yes --rate 1000/s --progress none --summary none";

fn approve(provider: &Provider, code: &str) {
    provider.approve(code);
}

/// A run goes on over many tokens, each of which is had for another refresh token.
#[test]
#[ignore = "needs Node.js, which .ci/run installs"]
fn somebody_signs_in_once_and_a_run_goes_on_over_many_tokens() {
    const ROWS: usize = 40;
    let cases: Vec<(Dress, Way)> =
        BOTH.into_iter().flat_map(|dress| [(dress, Way::Browser), (dress, Way::Code)]).collect();
    each(&cases, |(dress, way)| {
        let mut person = Person::new(Options::of(*dress), ROWS, 8);
        let flag = if *way == Way::Browser { "--browser" } else { "--device-code" };
        let login = format!("{} {flag}", person.login_line());
        let ended = person.signs_in(&login, *way, approve).expect(0);
        assert!(
            ended.stderr.contains("signed in: ada@partner.example, in the tenant partner.example"),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.last_line(), "next: referral-bulk check");
        let proposed =
            "hint: sign in with a browser on any machine: referral-bulk login --tenant partner.example";
        assert_eq!(ended.stderr.contains(proposed), *way == Way::Browser, "{}", ended.stderr);
        person.wants("changes.jsonl", 0..ROWS);
        person.run(&format!("apply changes.jsonl --out run {QUIET}")).expect(0);
        assert_eq!(person.place.run_of("run").outcomes(), format!("{ROWS} applied"));
        let refreshes = person.refreshes();
        assert!(refreshes.len() >= ROWS / 8, "{}", refreshes.len());
        let kept = person.secrets_are_kept();
        assert!(
            !refreshes.iter().any(|token| kept.contains(token.as_str())),
            "what is kept was used already"
        );
    });
}

/// What a policy demands is asked for once, silently; then the run stops and says what to type.
#[test]
#[ignore = "needs Node.js, which .ci/run installs"]
fn a_run_that_a_policy_stops_goes_on_after_another_sign_in() {
    const ROWS: usize = 10;
    let mut person = Person::new(Options::of(Dress::Strict), ROWS, 1_000);
    let login = format!("{} --browser", person.login_line());
    person.signs_in(&login, Way::Browser, approve).expect(0);
    person.wants("changes.jsonl", 0..ROWS);
    person.service.demands.store(true, Ordering::Relaxed);
    let stopped = person.run(&format!("apply changes.jsonl --out run {QUIET}")).expect(4);
    let claims = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    assert_eq!(person.provider.seen_by("token").last().unwrap().form["claims"], claims);
    let again = format!("{} --browser", to_type(&stopped.stderr, "login"));
    person.service.demands.store(false, Ordering::Relaxed);
    person.signs_in(&again, Way::Browser, approve).expect(0);
    let asked = person.provider.seen_by("authorize");
    assert_eq!(asked.last().unwrap().form["claims"], claims, "{stopped:?}");
    assert_eq!(asked.last().unwrap().form["login_hint"], "ada@partner.example");
    person.run(&format!("resume run {QUIET}")).expect(0);
    assert_eq!(person.place.run_of("run").outcomes(), format!("{ROWS} applied"));
    person.secrets_are_kept();
}

#[test]
#[ignore = "needs Node.js, which .ci/run installs"]
fn a_run_whose_sign_in_was_revoked_goes_on_after_another() {
    const ROWS: usize = 10;
    let mut person = Person::new(Options::of(Dress::Strict), ROWS, 5);
    let login = format!("{} --browser", person.login_line());
    person.signs_in(&login, Way::Browser, approve).expect(0);
    person.wants("changes.jsonl", 0..ROWS);
    person.run(&format!("apply changes.jsonl --out run --plan {}", "--progress none")).expect(0);
    person.provider.revoke();
    let stopped = person.run(&format!("resume run {QUIET}")).expect(4);
    let again = format!("{} --browser", to_type(&stopped.stderr, "login"));
    person.signs_in(&again, Way::Browser, approve).expect(0);
    person.run(&format!("resume run {QUIET}")).expect(0);
    assert_eq!(person.place.run_of("run").outcomes(), format!("{ROWS} applied"));
    person.secrets_are_kept();
}

/// How a device code ends that nobody uses, in the words of the program.
#[test]
#[ignore = "needs Node.js, which .ci/run installs"]
fn a_sign_in_that_does_not_come_about_is_told() {
    let deny: fn(&Provider, &str) = Provider::deny;
    let expire: fn(&Provider, &str) = Provider::expire;
    let cases = [
        (Dress::Entra, Way::Code, deny, "the consent was declined"),
        (Dress::Strict, Way::Code, deny, "the sign-in was declined"),
        (Dress::Entra, Way::Code, expire, "the code has expired"),
        (Dress::Strict, Way::Code, expire, "the code has expired"),
        (Dress::Entra, Way::Browser, deny, "the sign-in was declined"),
        (Dress::Strict, Way::Browser, deny, "the sign-in was declined"),
    ];
    each(&cases, |(dress, way, decide, meaning)| {
        let mut person = Person::new(Options::of(*dress), 1, 10);
        let flags =
            if *way == Way::Browser { "--browser --account deny@partner.example" } else { "--device-code" };
        let ended = person.signs_in(&format!("{} {flags}", person.login_line()), *way, decide).expect(1);
        assert!(
            ended.stderr.contains("error: nobody is signed in: the sign-in service refused "),
            "{ended:?}"
        );
        assert!(ended.stderr.contains(meaning), "{ended:?}");
        to_type(&ended.stderr, "login");
        assert!(!person.place.files().keys().any(|name| name.ends_with(".token")), "nothing is kept");
    });
}

/// Some numbers of each kind, with what is said of them.
#[test]
#[ignore = "needs Node.js, which .ci/run installs"]
fn each_refusal_says_what_to_do() {
    let mut person = Person::new(Options::of(Dress::Entra), 1, 10);
    let line = format!("{} --device-code", person.login_line());
    for (error, code, meaning, hint) in [
        ("invalid_grant", 50076, "the sign-in needs another factor (MFA)", "sign in again: "),
        (
            "invalid_grant",
            50020,
            "the account is not in this tenant",
            "or name the account's own tenant with --tenant: ",
        ),
        (
            "access_denied",
            53003,
            "a policy of the tenant blocks the sign-in",
            "sign in with --browser, on a machine that has one: ",
        ),
        (
            "invalid_grant",
            65001,
            "nobody has consented to the app yet",
            "/partner.example/adminconsent?client_id=11111111-aaaa-4aaa-8aaa-111111111111 and accept; they find it by the correlation id ",
        ),
        (
            "unauthorized_client",
            700016,
            "the tenant has no app registration with this client id",
            "compare with the overview of the app registration: ",
        ),
        (
            "invalid_client",
            7000218,
            "the app registration is not public, and no secret was sent",
            "set \"Allow public client flows\" to Yes",
        ),
        (
            "invalid_scope",
            70011,
            "the app registration may not have what is asked for",
            "add the delegated user_impersonation of Microsoft Partner Center",
        ),
        ("invalid_request", 900382, "the tenant is in another cloud", "with --authority: "),
        (
            "made_up",
            1,
            "there is no advice for this error here",
            "ask an administrator of partner.example; they find it by the correlation id ",
        ),
    ] {
        person.provider.answer(
            "devicecode",
            1,
            400,
            json!({ "error": error, "error_uri": "https://x.example/e" }),
            &[code],
        );
        let ended = person.run(&line).expect(1);
        let told = format!(
            "nobody is signed in: the sign-in service refused a device code: {error}: AADSTS{code}: refused.; {meaning}"
        );
        assert!(ended.stderr.contains(&told) && ended.stderr.contains(hint), "{code}: {}", ended.stderr);
        assert!(
            !ended.stderr.contains("x.example/e") && !ended.stderr.contains("Trace ID"),
            "{}",
            ended.stderr
        );
        let next = to_type(&ended.stderr, "login");
        assert_eq!(next.contains("--browser"), code == 53003, "{next}");
    }
    let elsewhere = line.replace("--tenant partner.example", "--tenant other.example");
    let ended = person.run(&elsewhere).expect(1);
    assert!(
        ended.stderr.contains("AADSTS90002: Tenant not found.; there is no such tenant"),
        "{}",
        ended.stderr
    );
}
