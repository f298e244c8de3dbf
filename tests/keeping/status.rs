//! Who is said to be signed in, and by which exit code a script learns of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::desk::Desk;

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
