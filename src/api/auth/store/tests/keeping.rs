//! What is kept of a sign-in, who can read it, and what becomes of it.

use std::fs;
use std::io::ErrorKind;

use super::fixtures::{Home, Strict, id, new_sign_in, now, token};
use crate::api::auth::store::token_file::TokenFile;
use crate::api::auth::store::{Exposure, Kept, StoreChoice, StoreError};
use crate::disk;

const REFRESH: &str = "0.AXoA-s3cr3t_refresh.token";

#[tokio::test]
async fn a_sign_in_is_kept_until_it_is_forgotten() {
    for (choice, kept, files) in [
        (StoreChoice::File, Kept::File, &["json", "lock", "token"][..]),
        (StoreChoice::Auto, Kept::Keyring, &["json", "lock"]),
    ] {
        let home = Home::new();
        let sign_ins = home.sign_ins();
        assert_eq!(sign_ins.find(&id("a")), Ok(None));
        assert_eq!(sign_ins.status(&id("a")).await, Ok(None));
        assert_eq!(sign_ins.all().await, Ok(vec![]));
        assert_eq!(home.keep("a", REFRESH, choice).await.kept, kept);
        assert_eq!(home.files().keys().map(String::as_str).collect::<Vec<_>>(), files);

        let status = sign_ins.status(&id("a")).await.unwrap().unwrap();
        assert_eq!((status.is_there.clone(), status.file.is_some()), (Ok(true), kept == Kept::File));
        let record = status.record.clone();
        assert_eq!(
            (record.kept, record.choice, record.renewed, record.signed_in),
            (kept, choice, None, now())
        );
        assert_eq!(record.account, new_sign_in("a").account);
        assert_eq!(sign_ins.all().await, Ok(vec![Ok(status.clone())]));
        assert_eq!(sign_ins.find(&id("b")), Ok(None), "another profile's");
        let shown = format!("{status:?} {sign_ins:?} {}", home.files()["json"]);
        assert!(!shown.contains(REFRESH), "{shown}");

        let forgotten = sign_ins.forget(&id("a")).await.unwrap();
        assert_eq!((forgotten.tokens, forgotten.left_in_keyring), (vec![kept], None));
        assert_eq!(forgotten.record, Some(record));
        assert_eq!(home.files().len(), 0);
        assert_eq!(sign_ins.find(&id("a")), Ok(None));
        let again = sign_ins.forget(&id("a")).await.unwrap();
        assert_eq!((again.record, again.tokens), (None, vec![]));
    }
}

#[tokio::test]
async fn a_new_sign_in_takes_the_place_of_an_earlier_one_wherever_that_lies() {
    for (first, second) in [
        (StoreChoice::File, StoreChoice::Auto),
        (StoreChoice::Auto, StoreChoice::File),
        (StoreChoice::Keyring, StoreChoice::Auto),
        (StoreChoice::File, StoreChoice::File),
    ] {
        let home = Home::new();
        home.keep("a", "first", first).await;
        home.keep("a", "second", second).await;
        let service = Strict::with("second");
        home.renewal("a", &service).renew(None, now()).await.unwrap();
        assert!(!service.look(|state| state.is_revoked), "{first} {second}");
        let all = home.sign_ins().forget(&id("a")).await.unwrap();
        assert!(!all.tokens.is_empty() && home.files().is_empty());
        let left = home.sign_ins().forget(&id("a")).await.unwrap();
        assert_eq!(left.tokens, vec![], "{first} {second}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn everything_is_the_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.keep("a", REFRESH, StoreChoice::File).await;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(home.sign_ins().dir()), 0o700);
    for extension in ["json", "token", "lock"] {
        assert_eq!(mode(&home.path("a", extension)), 0o600, "{extension}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_others_may_read_or_replace_is_not_used() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let chmod =
        |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let renewed = async |home: &Home| {
        let service = Strict::with(REFRESH);
        let renewed = home.renewal("a", &service).renew(None, now()).await;
        assert_eq!(service.look(|state| state.exchanges), u32::from(renewed.is_ok()), "nothing is sent");
        renewed
            .map(drop)
            .map_err(|error| (error.wording().as_str().to_owned(), error.needs_sign_in().is_some()))
    };
    for (extension, mode) in [("token", 0o640), ("token", 0o604), ("token", 0o660), ("json", 0o644)] {
        let home = Home::new();
        home.keep("a", REFRESH, StoreChoice::File).await;
        let path = home.path("a", extension);
        chmod(&path, mode);
        let (told, by_sign_in) = renewed(&home).await.unwrap_err();
        let path = path.to_str().unwrap();
        let wanted = format!(
            "{path} is open to other users of this machine (mode {mode:o}), so no sign-in is kept there or taken from \
             it: if nobody else can have read it, type `chmod 600 {path}`; otherwise sign in again"
        );
        assert_eq!((told.as_str(), by_sign_in), (wanted.as_str(), false));
        chmod(path.as_ref(), 0o600);
        assert_eq!(renewed(&home).await, Ok(()), "what is told to type helps");
    }
    let home = Home::new();
    home.keep("a", REFRESH, StoreChoice::File).await;
    let dir = home.sign_ins().dir().to_owned();
    chmod(&dir, 0o770);
    let wide = StoreError::Exposed { path: dir.clone(), exposure: Exposure::WideDirectory(0o770) };
    assert_eq!(home.sign_ins().find(&id("a")).unwrap_err(), wide);
    assert_eq!(home.sign_ins().forget(&id("a")).await.unwrap_err(), wide);
    assert_eq!(home.sign_ins().probe(StoreChoice::File).await.unwrap_err(), wide);
    assert!(
        renewed(&home).await.unwrap_err().0.contains(&format!("type `chmod 700 {}`", dir.to_str().unwrap()))
    );
    chmod(&dir, 0o700);
    // Who may write above it could put another directory in its place.
    let above = dir.parent().unwrap();
    for (mode, is_refused) in [(0o777, true), (0o770, true), (0o702, true), (0o755, false), (0o700, false)] {
        chmod(above, mode);
        let wide = StoreError::Exposed { path: above.to_owned(), exposure: Exposure::WideDirectory(mode) };
        let refused = is_refused.then_some(&wide);
        assert_eq!(home.sign_ins().find(&id("a")).as_ref().err(), refused, "{mode:o}");
        assert_eq!(home.sign_ins().probe(StoreChoice::File).await.as_ref().err(), refused, "{mode:o}");
        assert_eq!(home.sign_ins().records().as_ref().err(), refused, "{mode:o}");
        if is_refused {
            let wanted = format!("type `chmod 700 {}`", above.to_str().unwrap());
            assert!(renewed(&home).await.unwrap_err().0.contains(&wanted), "{mode:o}");
        }
    }

    let elsewhere = home.root.path().join("elsewhere");
    disk::rename(&home.path("a", "token"), &elsewhere).unwrap();
    symlink(&elsewhere, home.path("a", "token")).unwrap();
    assert!(renewed(&home).await.unwrap_err().0.contains("is a link, a pipe or a directory"));
    fs::remove_file(home.path("a", "token")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, home.path("a", "token"), rustix::fs::Mode::RUSR).unwrap();
    assert!(renewed(&home).await.unwrap_err().0.contains("is a link, a pipe or a directory"));
    fs::remove_file(home.path("a", "token")).unwrap();
    let gone =
        "the sign-in that was kept in a file that you alone can read is not there any more: sign in again";
    assert_eq!(renewed(&home).await.unwrap_err(), (gone.to_owned(), true));
}

#[tokio::test]
async fn what_is_no_record_is_told_and_goes_with_the_next_sign_in() {
    let home = Home::new();
    home.keep("a", REFRESH, StoreChoice::File).await;
    let path = home.path("a", "json");
    let good = fs::read_to_string(&path).unwrap();
    let damaged = StoreError::Damaged { path: path.clone() };
    let newer = StoreError::Newer { path: path.clone(), version: 2 };
    home.keep("b", "other", StoreChoice::File).await;
    let other = fs::read_to_string(home.path("b", "json")).unwrap();
    for (text, wanted) in [
        (good.replace("\"version\": 1", "\"version\": 2"), newer.clone()),
        ("{\"version\":2}".to_owned(), newer),
        (good.replace("\"version\": 1", "\"version\": 0"), damaged.clone()),
        (good[..good.len() / 2].to_owned(), damaged.clone()),
        (String::new(), damaged.clone()),
        ("[]".to_owned(), damaged.clone()),
        ("\u{fffd}\0".to_owned(), damaged.clone()),
        (good.replace("https://", "http://"), damaged.clone()),
        (good.replace("browser", "telepathy"), damaged.clone()),
        (good.replace("\"challenge\": null", "\"challenge\": \"[\""), damaged.clone()),
        (good.replace("T12", "T25"), damaged.clone()),
        (other, damaged.clone()),
        (format!("{good}{}", " ".repeat(1 << 17)), damaged),
    ] {
        fs::write(&path, &text).unwrap();
        let told = home.sign_ins().find(&id("a")).unwrap_err();
        assert_eq!(told, wanted, "{text:.200}");
        assert!(told.is_mended_by_sign_in());
        assert_eq!(home.sign_ins().all().await.unwrap().iter().filter(|found| found.is_err()).count(), 1);
    }
    home.keep("a", REFRESH, StoreChoice::File).await;
    assert!(home.sign_ins().find(&id("a")).unwrap().is_some());
    fs::write(&path, "x").unwrap();
    assert_eq!(home.sign_ins().forget(&id("a")).await.unwrap().tokens, [Kept::File]);
    assert_eq!(home.sign_ins().all().await.unwrap().len(), 1);
}

/// What is left of a sign-in goes with all others, and with its entry in the keyring.
#[tokio::test]
async fn a_token_without_a_record_is_forgotten_with_all_others() {
    for choice in [StoreChoice::File, StoreChoice::Auto] {
        let home = Home::new();
        for profile in ["damaged", "missing", "good"] {
            home.keep(profile, REFRESH, choice).await;
        }
        fs::write(home.path("damaged", "json"), "{\"version\":1,").unwrap();
        fs::remove_file(home.path("missing", "json")).unwrap();
        for name in ["probe.token", "probe.token.new"] {
            fs::write(home.sign_ins().dir().join(name), REFRESH).unwrap();
        }
        fs::write(home.path("half", "token.new"), REFRESH).unwrap();
        fs::write(home.path("half", "json.new"), "{").unwrap();
        let all = home.sign_ins().forget_all().await.unwrap();
        let mut all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
        all.sort_by_key(|forgotten| (forgotten.record.is_some(), forgotten.unread.is_some()));
        let removed: Vec<_> = all
            .iter()
            .map(|forgotten| (forgotten.record.is_some(), forgotten.unread.is_some(), forgotten.tokens.len()))
            .collect();
        assert_eq!(
            removed,
            [(false, false, 1), (false, false, 1), (false, true, 1), (true, false, 1)],
            "{choice}"
        );
        assert_eq!(fs::read_dir(home.sign_ins().dir()).unwrap().count(), 0, "{choice}");
        let again = home.sign_ins().forget(&id("missing")).await.unwrap();
        assert!(again.is_nothing(), "{again:?}");
        assert_eq!(home.sign_ins().forget_all().await, Ok(vec![]).map(|_: Vec<()>| vec![]));
    }
}

/// Something is in the way of one sign-in, and of no other.
#[tokio::test]
async fn one_that_cannot_be_removed_keeps_no_other() {
    let home = Home::new();
    for profile in ["a", "b", "c"] {
        home.keep(profile, REFRESH, StoreChoice::File).await;
    }
    fs::remove_file(home.path("b", "lock")).unwrap();
    fs::create_dir(home.path("b", "lock")).unwrap();
    let all = home.sign_ins().forget_all().await.unwrap();
    assert_eq!((all.len(), all.iter().filter(|forgotten| forgotten.is_err()).count()), (3, 1));
    assert_eq!((home.path("a", "token").exists(), home.path("c", "token").exists()), (false, false));
}

/// A directory is in the way of the record, as a full disk is.
#[tokio::test]
async fn a_token_whose_record_cannot_be_written_is_not_left() {
    for choice in [StoreChoice::File, StoreChoice::Auto] {
        let home = Home::new();
        let place = home.sign_ins().probe(choice).await.unwrap();
        fs::create_dir(home.path("a", "json.new")).unwrap();
        let told = home.sign_ins().keep(new_sign_in("a"), token(REFRESH), &place).await.unwrap_err();
        assert!(matches!(told, StoreError::File { .. }), "{told:?}");
        assert!(!home.files().contains_key("token"), "{choice}");
        fs::remove_dir(home.path("a", "json.new")).unwrap();
        assert_eq!(home.sign_ins().forget(&id("a")).await.unwrap().tokens, [], "{choice}");
    }
}

/// What a process leaves that died at a step, or what a power cut left of it; then which token the next one has.
#[test]
fn a_process_may_die_at_every_step_of_a_replacement() {
    for (left, wanted) in [
        (None, Some("old")),
        (Some("".to_owned()), Some("old")),
        (Some(" ".repeat(8192)), Some("old")),
        (Some(format!("new{}", " ".repeat(8189))), Some("old")),
        (Some(format!("n{}\n", "\0".repeat(9))), Some("old")),
        (Some("new".to_owned()), Some("old")),
        (Some(format!("new\n{}", " ".repeat(8188))), Some("new")),
        (Some("new\n".to_owned()), Some("new")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile::at(folder.path().join("a.token"));
        assert_eq!(file.room().unwrap().put(&token("old")), Ok(()));
        if let Some(left) = &left {
            fs::write(folder.path().join("a.token.new"), left).unwrap();
            restrict(&folder.path().join("a.token.new"));
        }
        let read = file.read().unwrap();
        assert_eq!(read.as_ref().map(|token| token.expose()), wanted, "{left:?}");
        assert_eq!(file.room().unwrap().put(&token("next")), Ok(()), "what is left is in nobody's way");
        assert_eq!(file.read().unwrap().unwrap().expose(), "next");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!((file.remove(), file.remove()), (Ok(true), Ok(false)));
        assert_eq!(file.read().unwrap().map(|token| token.expose().to_owned()), None);
        let gone = fs::read(folder.path().join("a.token")).unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound);
    }
}

fn restrict(path: &std::path::Path) {
    disk::restrict(path, 0o600).unwrap();
}
