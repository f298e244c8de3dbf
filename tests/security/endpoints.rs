//! Where a token may go.

use super::*;

/// Each of these leads to this machine or to a name that nobody has; a token must not go there.
#[test]
fn that_a_token_must_not_go_to_are_refused_before_anything_is_read() {
    let service = Wire::serve(wire::sound);
    let port = host(&service).split(':').nth(1).unwrap();
    let plain = "plain http, which is for localhost, 127.0.0.0/8 and [::1] alone: use https";
    let user = "holds a user name or a password: leave it out, the token signs in";
    let cases = [
        ("http://0.0.0.0:PORT/v1.0", plain),
        ("http://localhost.:PORT/v1.0", plain),
        ("http://[::ffff:127.0.0.1]:PORT/v1.0", plain),
        ("http://0:PORT/v1.0", plain),
        ("HTTP://EXAMPLE.COM/v1.0", plain),
        ("http://127.0.0.1.example.com/v1.0", plain),
        ("http://localhost.example.com/v1.0", plain),
        ("http://localhost:PORT@example.com/v1.0", plain),
        ("http://SECRET@127.0.0.1:PORT/v1.0", user),
        ("http://user:SECRET@127.0.0.1:PORT/v1.0", user),
        ("https://user:SECRET@example.com/v1.0", user),
        ("http://127.0.0.1:PORT/v1.0?key=SECRET", "holds a query or a fragment"),
        ("http://127.0.0.1:PORT/v1.0#SECRET", "holds a query or a fragment"),
        ("ws://127.0.0.1:PORT/v1.0", "neither with https:// nor"),
        ("file:///etc/SECRET", "neither with https:// nor"),
        ("127.0.0.1:PORT/SECRET", "is no URL"),
        ("SECRET", "is no URL"),
    ];
    for (endpoint, wanted) in cases {
        let endpoint = endpoint.replace("PORT", port).replace("SECRET", "s3cret");
        let file = format!("[profile.x]\nendpoint = '{endpoint}'\n");
        for (flags, variable, file) in [
            (format!("--endpoint '{endpoint}'"), "", ""),
            (String::new(), endpoint.as_str(), ""),
            ("--profile x".to_owned(), "", file.as_str()),
        ] {
            let ran = Test::new(&format!("apply a.csv {flags} {QUIET}"))
                .file("a.csv", notes_csv(&[ONE]))
                .file("referral-bulk.toml", file)
                .env("PARTNER_CENTER_TOKEN", TOKEN)
                .env("REFERRAL_BULK_ENDPOINT", variable)
                .code(2)
                .told_elsewhere()
                .run();
            assert!(ran.stderr.contains(wanted), "{endpoint}: {}", ran.stderr);
            assert!(!ran.stderr.contains("s3cret"), "{endpoint}: {}", ran.stderr);
            assert_eq!(ran.place.files().into_keys().collect::<Vec<_>>(), ["a.csv", "referral-bulk.toml"]);
        }
    }
    assert_eq!(service.asked().len(), 0);
}

/// However it is spelt, and whatever proxy there is for other hosts.
#[test]
fn on_this_machine_are_reached_without_a_proxy() {
    let (service, elsewhere) = (Wire::serve(wire::sound), elsewhere());
    let port = host(&service).split(':').nth(1).unwrap();
    let spelt = ["HTTP://LOCALHOST:PORT/v1.0/", "http://2130706433:PORT/v1.0", "http://127.1:PORT/v1.0//"];
    let proxy = format!("http://{}", host(&elsewhere));
    for endpoint in spelt {
        let ran = Test::new(&format!("apply a.csv {QUIET}"))
            .file("a.csv", notes_csv(&[ONE]))
            .service(&endpoint.replace("PORT", port))
            .env("HTTP_PROXY", &proxy)
            .env("http_proxy", &proxy)
            .env("ALL_PROXY", &proxy)
            .told_elsewhere()
            .run();
        assert_eq!(ran.outcomes("run"), "1 applied", "{endpoint}");
    }
    let path = format!("/v1.0/engagements/referrals/{ONE}");
    assert_eq!(lines(&service), vec![[format!("GET {path}"), format!("PATCH {path}")]; spelt.len()].concat());
    assert_eq!(elsewhere.asked().len(), 0);
}

/// A proxy that needs a password, and isn't there.
#[test]
fn behind_a_proxy_keep_its_password() {
    let ran = Test::new(&format!("apply a.csv {QUIET}"))
        .file("a.csv", notes_csv(&[ONE]))
        .service("https://example.com/v1.0")
        .env("HTTPS_PROXY", "http://user:s3cret@127.0.0.1:1")
        .code(1)
        .told_elsewhere()
        .run();
    assert!(ran.stderr.contains("cannot be reached"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("s3cret") && !ran.stderr.contains("dXNlcjpzM2NyZXQ"), "{}", ran.stderr);
}
