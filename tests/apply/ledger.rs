//! `ledger`, as far as it needs no database: which one is meant, and what is refused before any is asked.

use super::*;

const TOML: &str = "referral-bulk.toml";

#[test]
fn a_ledger_has_to_be_named_and_without_a_password() {
    const UNNAMED: &str = "error: no shared ledger is named\nhint: name its database with --ledger \
                           postgres://user@db.example/referrals, in REFERRAL_BULK_LEDGER, or as ledger in a profile \
                           of referral-bulk.toml\n";
    const PASSWORD: &str = "this holds a password, where others can read it: leave it out\nhint: give it in \
                            PGPASSWORD, in the file that PGPASSFILE names (~/.pgpass), or by \
                            --ledger-password-command\n";
    const URL: &str = "postgres://ada:S3CRET@db.example/r";
    for words in ["init", "upgrade", "check", "forget q4 --yes"] {
        Test::new(&format!("ledger {words}")).code(2).stderr(UNNAMED).run();
        let typed = Test::new(&format!("ledger {words} --ledger {URL}")).code(2);
        typed.stderr(&format!("error: --ledger: {PASSWORD}")).run();
    }
    let set = Test::new("ledger check").env("REFERRAL_BULK_LEDGER", URL).code(2);
    set.stderr(&format!("error: REFERRAL_BULK_LEDGER: {PASSWORD}")).run();
    let kept = Test::new("ledger check").file(TOML, format!("[profile.default]\nledger = '{URL}'\n")).code(2);
    kept.stderr(&format!("error: {TOML}:2: ledger of [profile.default]: {PASSWORD}")).run();
    let plain = Test::new("ledger check --ledger 'postgres://ada@db.example/r?sslmode=disable'").code(2);
    plain
        .stderr(
            "error: --ledger: sslmode=disable is for this machine alone: a connection to another one is encrypted, \
             and its certificate checked\nhint: switch TLS on at the server, with a certificate for its host name\n",
        )
        .run();
    let quote = Test::new(
        "ledger check --ledger postgres://ada@db.example/r --ledger-password-command \"x 'S3CRET\"",
    );
    quote
        .code(2)
        .stderr(
            "error: --ledger-password-command: the ledger's password command has a quote that is not closed\nhint: \
             write a program and its arguments, as a shell takes them, as in \"pass show ledger\"\n",
        )
        .run();
}

/// What `config show` prints of the ledger, with single spaces.
fn shown(test: Test) -> Vec<String> {
    let ran = test.told_elsewhere().run();
    assert!(!ran.stdout.contains("S3CRET"), "{}", ran.stdout);
    let lines = ran.stdout.lines().filter(|line| line.starts_with("ledger"));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn where_ledger_and_password_come_from_is_shown() {
    let file =
        "[profile.default]\nledger = 'postgres://db.example/a'\nledger-password-command = 'echo S3CRET'\n";
    let show = || Test::new("config show");
    assert_eq!(
        shown(show().file(TOML, file)),
        [
            "ledger postgres://db.example/a referral-bulk.toml:2",
            "ledger-password ledger-password-command: set, and not shown referral-bulk.toml:3",
        ]
    );
    let set = show().file(TOML, file).env("REFERRAL_BULK_LEDGER", "postgres://db.example/b");
    assert_eq!(
        shown(set.env("PGPASSWORD", "S3CRET").env("PGPASSFILE", "kept")),
        [
            "ledger postgres://db.example/b REFERRAL_BULK_LEDGER, over referral-bulk.toml:2",
            "ledger-password set, and not shown PGPASSWORD, over referral-bulk.toml:3, PGPASSFILE",
        ]
    );
    assert_eq!(
        shown(show().env("HOME", "/home/ada")),
        ["ledger none default", "ledger-password password file: /home/ada/.pgpass default",]
    );
}
