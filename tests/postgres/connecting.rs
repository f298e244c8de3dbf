//! Connecting: TLS, passwords, and all that keeps a connection from coming about.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use crate::postgres_support::cluster::{PASSWORD, shared};
use crate::support::case::Test;
use crate::support::place::Place;
use crate::{ledger, says, with_ledger};

#[test]
#[ignore = "needs PostgreSQL"]
fn whom_a_connection_ends_at_is_checked() {
    let (cluster, database) = (shared(), with_ledger());
    let (authority, other) = (cluster.authority(), cluster.other_authority());
    let (authority, other) = (authority.to_str().unwrap(), other.to_str().unwrap());
    let named = format!("?sslmode=require&sslrootcert={authority}");
    const NOBODY: &str =
        "nobody whom this machine trusts has signed the server's certificate, so nothing was sent";
    const OTHER_HOST: &str = "the server's certificate is for another host, so nothing was sent";
    for (host, parameters, trusted, wanted) in [
        ("localhost", "?sslmode=verify-full", authority, None),
        ("localhost", "?sslmode=require", authority, None),
        ("localhost", named.as_str(), other, None),
        ("localhost", "?sslmode=require", other, Some(NOBODY)),
        ("127.0.0.1", "?sslmode=require", authority, Some(OTHER_HOST)),
        ("127.0.0.1", named.as_str(), other, Some(OTHER_HOST)),
    ] {
        let url = database.url_at(host, parameters);
        let test = ledger(&format!("check --ledger '{url}'")).env("SSL_CERT_FILE", trusted);
        let ran = test.code(i32::from(wanted.is_some())).run();
        match wanted {
            Some(wanted) => says(&ran, &[wanted, "sslrootcert=FILE"]),
            None => assert!(ran.stdout.contains("tls       encrypted, and the server's"), "{}", ran.stdout),
        }
    }
    let missing = database.url_at("localhost", "?sslmode=require&sslrootcert=/nowhere.pem");
    let ran = ledger(&format!("check --ledger '{missing}'")).code(1).run();
    says(&ran, &["the certificates to trust cannot be read: "]);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_server_without_tls_is_not_talked_to() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut line, _) = listener.accept().unwrap();
        let mut asked = [0; 8];
        line.read_exact(&mut asked).unwrap();
        line.write_all(b"N").unwrap();
        let mut more = Vec::new();
        line.read_to_end(&mut more).unwrap();
        more
    });
    let ran =
        ledger(&format!("check --ledger 'postgres://ada@127.0.0.1:{port}/r?sslmode=require'")).code(1).run();
    says(&ran, &["offers no TLS, so nothing was sent there", "switch TLS on at the server"]);
    assert_eq!(server.join().unwrap(), b"");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_password_comes_from_where_it_is_kept() {
    let database = with_ledger();
    let url = database.url();
    let passfile = format!("*:*:other:*:wrong\n127.0.0.1:*:{0}:{0}:{PASSWORD}\n", database.name);
    let check = |more: &str| Test::new(&format!("ledger check --ledger {url} {more}")).told_elsewhere();
    let kept = |test: Test, name: &str, place: &Place| {
        place.write(name, &passfile);
        fs::set_permissions(place.path(name), Permissions::from_mode(0o600)).unwrap();
        test
    };
    check("").env("PGPASSWORD", PASSWORD).run();
    check(&format!("--ledger-password-command 'echo {PASSWORD}'")).run();
    check(&format!("--ledger-password-command 'echo {PASSWORD}'")).env("PGPASSWORD", "wrong").run();
    check("")
        .file(
            "referral-bulk.toml",
            format!("[profile.default]\nledger-password-command = 'echo {PASSWORD}'\n"),
        )
        .run();
    let place = Place::new();
    let at = |variable: &str, value: &str| {
        let test = Test::at(&place, &format!("ledger check --ledger {url}")).told_elsewhere();
        test.env(variable, value)
    };
    let home = place.root().to_str().unwrap();
    kept(at("HOME", home), ".pgpass", &place).run();
    kept(at("PGPASSFILE", "kept/passwords"), "kept/passwords", &place).run();
    fs::set_permissions(place.path(".pgpass"), Permissions::from_mode(0o644)).unwrap();
    let passed_over = at("HOME", home).code(1).run();
    says(
        &passed_over,
        &["wants a password for ", ".pgpass is passed over: others can read or write it (mode 644)"],
    );
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_keeps_a_connection_from_coming_about_is_told_with_what_helps() {
    let database = with_ledger();
    let (name, port) = (database.name.clone(), shared().port());
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let wrong = format!("--ledger-password-command 'echo {PASSWORD}x'");
    for (url, more, code, wanted) in [
        ("postgres://ada@no-such-host.invalid/r".to_owned(), "", 1, ["there is no such host", "--ledger"]),
        (
            format!("postgres://ada@127.0.0.1:{nobody}/r"),
            "",
            1,
            ["nothing accepts a connection", "listen_addresses"],
        ),
        (database.url(), wrong.as_str(), 1, ["does not let ", "check the role in the URL and its password"]),
        (
            format!("postgres://nobody@127.0.0.1:{port}/{name}"),
            "",
            1,
            ["does not let nobody in", "pg_hba.conf"],
        ),
        (
            format!("postgres://{name}@127.0.0.1:{port}/nowhere"),
            "",
            1,
            ["has no database nowhere", "CREATE DATABASE"],
        ),
        (
            format!("postgres://127.0.0.1:{port}/{name}"),
            "",
            2,
            ["nothing says as which role", "write it into the URL"],
        ),
        (
            database.url(),
            "--ledger-password-command 'false S3CRET'",
            1,
            ["the ledger's password command failed", "check --ledger-password-command"],
        ),
        (
            database.url(),
            "--ledger-password-command '/no/such S3CRET'",
            1,
            ["the ledger's password command cannot be started", "check --ledger-password-command"],
        ),
    ] {
        let ran = ledger(&format!("check --ledger {url} {more}")).code(code).run();
        says(&ran, &wanted);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!all.contains(PASSWORD) && !all.contains("S3CRET"), "{all}");
    }
    let without =
        Test::new(&format!("ledger check --ledger {}", database.url())).code(1).told_elsewhere().run();
    says(&without, &["wants a password for ", "PGPASSWORD", "--ledger-password-command"]);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn of_several_servers_the_one_that_takes_writes_is_found() {
    let database = with_ledger();
    let (name, port) = (&database.name, shared().port());
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let url = format!("postgres://{name}@127.0.0.1:{nobody},127.0.0.1:{port}/{name}");
    let ran = ledger(&format!("check --ledger {url}")).run();
    assert!(ran.stdout.contains(&format!("at 127.0.0.1:{port}")), "{}", ran.stdout);
    // A role whose sessions take no writes stands for a standby here.
    database.sql(&format!("ALTER ROLE {name} SET default_transaction_read_only = on"));
    let ran = ledger(&format!("upgrade --ledger {}", database.url())).code(1).run();
    says(&ran, &["takes no writes: it is a standby, or read-only", "postgres://one.example,two.example"]);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_session_has_what_the_ledger_relies_on() {
    let database = with_ledger();
    let name = &database.name;
    database.sql(&format!("ALTER ROLE {name} SET default_transaction_isolation = 'serializable'"));
    database.sql(&format!("ALTER ROLE {name} SET statement_timeout = '7s'"));
    database.sql(
        "CREATE FUNCTION public.seen() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
             RAISE LOG 'seen: % % % %', current_setting('application_name'), current_setting('transaction_isolation'),
                 current_setting('statement_timeout'), current_setting('lock_timeout'); END $$;
         CREATE EVENT TRIGGER seen ON ddl_command_end WHEN TAG IN ('GRANT') EXECUTE FUNCTION public.seen()",
    );
    ledger(&format!("upgrade --ledger {}", database.url())).run();
    let seen = format!("seen: referral-bulk/{} read committed 0 10s", env!("CARGO_PKG_VERSION"));
    assert!(shared().log().contains(&seen), "no {seen} in the log");
}
