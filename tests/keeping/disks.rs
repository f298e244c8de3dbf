//! Disks without room, and files that others may read.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::desk::Desk;

/// No file may have more than so many half KiB.
fn cramped(desk: &Desk, half_kib: u32, line: &str) -> crate::support::program::Ended {
    let script = format!("trap '' XFSZ; ulimit -f {half_kib}; exec \"$0\" \"$@\"");
    desk.through("sh", &["-c", &script], line)
}

#[test]
fn where_there_is_no_room_the_refresh_token_is_not_given_away() {
    let desk = Desk::new("file");
    desk.login();
    let kept = fs::read_to_string(desk.file(".token").unwrap()).unwrap();
    let told = cramped(&desk, 8, "check").expect(1);
    let all = format!("{}{}", told.stdout, told.stderr);
    assert!(all.contains("see to space and permissions"), "{all}");
    assert_eq!(desk.authority.look(|state| (state.asked, state.issued)), (0, 1));
    assert_eq!(fs::read_to_string(desk.file(".token").unwrap()).unwrap(), kept);
    desk.run("check").expect(0);
}

#[test]
fn where_there_is_no_room_nobody_signs_in() {
    let desk = Desk::new("file");
    let told = cramped(&desk, 8, "login --device-code").expect(1);
    assert!(told.stderr.contains("see to space and permissions"), "{}", told.stderr);
    assert_eq!(desk.authority.look(|state| state.issued), 0, "nobody was asked to sign in");
}

#[test]
fn a_token_file_that_others_may_read_is_told_with_what_to_type() {
    let desk = Desk::new("file");
    desk.login();
    let token = desk.file(".token").unwrap();
    fs::set_permissions(&token, Permissions::from_mode(0o644)).unwrap();
    let told = desk.run("check").expect(1);
    let all = format!("{}{}", told.stdout, told.stderr);
    let path = fs::canonicalize(&token).unwrap();
    assert!(all.contains("is open to other users of this machine (mode 644)"), "{all}");
    assert!(all.contains("chmod 600 "), "{all}");
    assert_eq!(desk.authority.look(|state| state.asked), 0);
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    desk.run("check").expect(0);
}

#[test]
fn a_token_without_a_record_goes_with_all_others() {
    let desk = Desk::new("file");
    desk.login();
    let record = desk.file(".json").unwrap();
    fs::write(&record, "{\"version\":1,").unwrap();
    let told = desk.run("logout").expect(1).stderr;
    assert!(told.contains("is damaged, so that nothing tells whose sign-in it is"), "{told}");
    assert!(told.contains("hint: forget it with all others: referral-bulk logout --all\n"), "{told}");
    for is_damaged in [true, false] {
        let told = desk.run("logout --all").expect(0).stderr;
        let named = if is_damaged { "whose record could not be read (" } else { "without a record: " };
        assert!(told.contains(&format!("forgotten: a sign-in {named}")), "{told}");
        assert!(told.contains("its refresh token is removed from its file"), "{told}");
        assert_eq!((desk.with_tokens(), desk.file("")), (vec![], None));
        desk.login();
        fs::remove_file(&record).unwrap();
    }
}

#[test]
fn what_is_kept_goes_with_logout() {
    let desk = Desk::new("file");
    desk.login();
    assert_eq!(desk.with_tokens(), [desk.file(".token").unwrap()]);
    desk.run("check").expect(0);
    let status = desk.run("login --status").expect(0);
    assert!(status.stdout.contains(desk.file(".token").unwrap().to_str().unwrap()), "{}", status.stdout);
    let told = desk.run("logout").expect(0);
    assert!(told.stderr.contains("its refresh token is removed from its file"), "{}", told.stderr);
    assert_eq!((desk.with_tokens(), desk.file("")), (vec![], None));
    let next = desk.run("check").expect(1);
    let all = format!("{}{}", next.stdout, next.stderr);
    assert!(all.contains("referral-bulk login"), "{all}");
}
