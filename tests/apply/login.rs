//! `login` and `logout` before anybody is signed in: what is needed, and how somebody comes by it. What comes of a
//! sign-in is in tests/sign_in and tests/keeping.

use super::*;

const PROFILE: &str = "[profile.default]\ntenant = 'contoso.example.com'\nclient-id = 'app'\n";

/// What is said of a command that goes no further, with this settings file.
fn told(command: &str, file: &str) -> String {
    let mut test = Test::new(command).code(2).env("HOME", "/nowhere");
    if !file.is_empty() {
        test = test.file("referral-bulk.toml", file);
    }
    test.told_elsewhere().run().stderr
}

#[test]
fn somebody_without_an_app_registration_is_told_how_to_come_by_one() {
    golden("login_unregistered", &told("login", ""));
    for (command, file, wanted) in [
        ("login --client-id app", "", "error: a tenant is needed to sign in, and none is named (there is no"),
        ("login --tenant contoso.example.com", "", "error: an app registration is needed to sign in"),
        (
            "login",
            "[profile.Default]\ntenant = 'x'\n",
            "has no [profile.default]; the profiles in it: Default",
        ),
        (
            "login",
            "[profile.default]\ntenant = 'x'\n",
            "none is named (referral-bulk.toml of this directory is read)",
        ),
        ("login --profile b", "[profile.b]\n", "login --profile b --tenant TENANT --client-id CLIENT-ID"),
        (
            "login --profile nobody",
            PROFILE,
            "error: there is no profile \"nobody\"\nhint: referral-bulk.toml has: default",
        ),
        (
            "login --tenant common",
            PROFILE,
            "\"common\" stands for any tenant: name yours, by its id or its domain",
        ),
        ("login --tenant a/b", PROFILE, "error: --tenant a/b: \"a/b\" is no tenant"),
        ("login --authority http://login.example.com", PROFILE, "the authority is plain http"),
        ("login --authority https://a:S3CRET@login.example.com", PROFILE, "more than scheme, host and path"),
        ("login --scope openid", PROFILE, "error: --scope openid: the scope names nothing of an API"),
        ("login --endpoint http://api.example.com", PROFILE, "the endpoint is plain http"),
        ("login --browser --device-code", PROFILE, "cannot be used with"),
        ("login --store nowhere", PROFILE, "[possible values: auto, keyring, file, none]"),
        (
            "login",
            "[profile.default]\nclient-secret = 'S3CRET'\n",
            "use client-secret-file, or the environment's",
        ),
        (
            "login",
            "[profile.default]\ntenant = 'x'\nclient-id = 'y'\nstore = 'S3CRET'\n",
            "a sign-in is kept by \"auto\", \"keyring\" or \"file\"",
        ),
    ] {
        let said = told(command, file);
        assert!(said.contains(wanted), "{command}: {said}");
        assert!(!said.contains("S3CRET"), "{command}: {said}");
    }
}

#[test]
fn nobody_is_signed_in() {
    let place = Place::new();
    let state = place.path("state").to_str().unwrap().to_owned();
    let run = |command: &str, code: i32| {
        let test = Test::at(&place, command).env("XDG_STATE_HOME", &state).code(code);
        let ran = test.told_elsewhere().run();
        (ran.stdout(), ran.stderr)
    };
    let (told, said) = run("login --status", 1);
    assert_eq!(told, "");
    assert_eq!(said, "nobody is signed in for the profile default\nnext: referral-bulk login\n");
    let (told, _) = run("login --status --json", 1);
    assert_eq!(told, "{\"version\":1,\"goes_before\":null,\"sign_ins\":[]}\n");
    assert_eq!(run("logout", 0).1, "nobody is signed in for the profile default\n");
    assert_eq!(run("logout --all", 0).1, "nobody is signed in\n");
    assert!(!place.path("state").exists(), "nothing is made where nothing is kept");
    let ran = Test::new("login --status").code(1).told_elsewhere().run();
    assert!(ran.stderr.contains("hint: set HOME in the environment"), "{}", ran.stderr);
}
