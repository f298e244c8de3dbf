//! `config show`: every setting that counts, and where it comes from.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::*;

const FILE: &str = "\
[profile.default]
token-command = 'echo S3CRET'
rate = '3/s'
max-errors = '5%'

[profile.careful]
token-file = 'kept/token.txt'
concurrency = 1
max-changes = 50
[profile.careful.columns]
'Est. Close Date' = 'closingDateTime'

[rules]
closed-edit = 'deny'

[columns]
'Est. Close Date' = 'notes'
Deal = 'dealValue'

[portal-reasons]
2 = 'Customer did not answer'
";

const ENDPOINT: &str = "REFERRAL_BULK_ENDPOINT";
const TOKEN: &str = "PARTNER_CENTER_TOKEN";

/// What `config show` prints with this settings file, these variables and flags. It never tells a secret.
fn shown(file: &str, variables: &[(&str, &str)], flags: &str) -> String {
    let mut test = Test::new(&format!("config show {flags}"));
    if !file.is_empty() {
        test = test.file("referral-bulk.toml", file);
    }
    for (name, value) in variables {
        test = test.env(name, value);
    }
    let ran = test.told_elsewhere().run();
    assert!(!ran.stdout().contains("S3CRET") && !ran.stderr.contains("S3CRET"), "{}", ran.stdout());
    let note =
        if file.is_empty() { "note: there is no referral-bulk.toml in the current directory\n" } else { "" };
    assert_eq!(ran.stderr, note);
    ran.stdout()
}

/// The line of one setting, with single spaces.
fn line(text: &str, name: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_default();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_setting_tells_its_value_and_where_it_comes_from() {
    golden("config_show_default", &shown("", &[], ""));
    golden("config_show_file", &shown(FILE, &[], ""));
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    const URL: &str = "[profile.default]\nendpoint = 'https://example.com/v1.0'\n";
    let variables = [(ENDPOINT, "https://example.net/v1.0"), (TOKEN, "S3CRET")];
    for (file, variables, flags, wanted) in [
        ("", &variables[..0], "", "endpoint https://api.partner.microsoft.com/v1.0 default"),
        (URL, &variables[..0], "", "endpoint https://example.com/v1.0 referral-bulk.toml:2"),
        (
            URL,
            &variables[..],
            "",
            "endpoint https://example.net/v1.0 REFERRAL_BULK_ENDPOINT, over referral-bulk.toml:2",
        ),
        (
            URL,
            &variables[..],
            "--endpoint https://example.org/v1.0",
            "endpoint https://example.org/v1.0 --endpoint, over REFERRAL_BULK_ENDPOINT, referral-bulk.toml:2",
        ),
        (
            URL,
            &variables[..1],
            "--sandbox",
            "endpoint sandbox --sandbox, over REFERRAL_BULK_ENDPOINT, referral-bulk.toml:2",
        ),
        ("", &[(ENDPOINT, " ")], "", "endpoint https://api.partner.microsoft.com/v1.0 default"),
        ("", &variables[..0], "", "token none default"),
        (FILE, &variables[..0], "", "token token-command: set, and not shown referral-bulk.toml:2"),
        (
            FILE,
            &variables[..],
            "",
            "token set, and not shown PARTNER_CENTER_TOKEN, over referral-bulk.toml:2",
        ),
        (FILE, &variables[..0], "--profile careful", "token token-file: kept/token.txt referral-bulk.toml:7"),
        (
            FILE,
            &variables[..],
            "--token-file 'my token'",
            "token token-file: my token --token-file, over PARTNER_CENTER_TOKEN, referral-bulk.toml:2",
        ),
        (
            FILE,
            &variables[..0],
            "--token-command 'echo S3CRET'",
            "token token-command: set, and not shown --token-command, over referral-bulk.toml:2",
        ),
        (FILE, &variables[..0], "", "rate 3/s referral-bulk.toml:3"),
        (FILE, &variables[..0], "--rate 90/m", "rate 90/m --rate, over referral-bulk.toml:3"),
        (FILE, &variables[..0], "--profile careful", "rate 2/s default"),
        (FILE, &variables[..0], "--profile careful", "concurrency 1 referral-bulk.toml:8"),
        (
            FILE,
            &variables[..0],
            "--profile careful --concurrency 7",
            "concurrency 7 --concurrency, over referral-bulk.toml:8",
        ),
        (FILE, &variables[..0], "", "max-errors 5% referral-bulk.toml:4"),
        (FILE, &variables[..0], "", "max-changes none default"),
        (FILE, &variables[..0], "--profile careful", "max-changes 50 referral-bulk.toml:9"),
        (FILE, &variables[..0], "--timeout 2m", "timeout 2m --timeout"),
        (FILE, &variables[..0], "", "profile default default"),
        (FILE, &variables[..0], "--profile careful", "profile careful --profile"),
        ("", &variables[..0], "", "profile none default"),
        (FILE, &variables[..0], "", "rules.closed-edit deny referral-bulk.toml:14"),
        (
            FILE,
            &variables[..0],
            "--rule closed-edit=allow",
            "rules.closed-edit allow --rule, over referral-bulk.toml:14",
        ),
        (FILE, &variables[..0], "", "rules.early-win warn default"),
        (FILE, &variables[..0], "", "columns.Deal dealValue referral-bulk.toml:18"),
        (FILE, &variables[..0], "--map Deal=notes", "columns.Deal notes --map, over referral-bulk.toml:18"),
        (
            FILE,
            &variables[..0],
            "--profile careful",
            "columns.'Est. Close Date' closingDateTime referral-bulk.toml:11, over referral-bulk.toml:17",
        ),
        (FILE, &variables[..0], "", "portal-reasons.2 Customer did not answer referral-bulk.toml:21"),
        (FILE, &variables[..0], "", "portal-reasons.1 Budget default"),
    ] {
        let name = wanted.split(' ').next().unwrap();
        assert_eq!(line(&shown(file, variables, flags), name), wanted, "{flags}");
    }
}

#[test]
fn json_says_the_same_as_the_table() {
    for (file, flags) in [("", ""), (FILE, ""), (FILE, "--profile careful --rate 1/s --sandbox")] {
        let text = shown(file, &[(TOKEN, "S3CRET")], flags);
        let printed: Value =
            serde_json::from_str(&shown(file, &[(TOKEN, "S3CRET")], &format!("--json {flags}"))).unwrap();
        assert_eq!(printed["version"], 1);
        assert_eq!(printed["file"].as_str(), (!file.is_empty()).then_some("referral-bulk.toml"));
        let settings = printed["settings"].as_array().unwrap();
        assert_eq!(settings.len(), text.lines().count());
        for (setting, line) in settings.iter().zip(text.lines()) {
            let part = |name: &str| setting[name].as_str().unwrap_or("none").to_owned();
            let over: Vec<&str> =
                setting["over"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let over = if over.is_empty() { String::new() } else { format!(", over {}", over.join(", ")) };
            let wanted = format!("{} {} {}{over}", part("name"), part("value"), part("origin"));
            assert_eq!(line.split_whitespace().collect::<Vec<_>>().join(" "), wanted);
        }
    }
}

/// What a run would refuse is refused here, and nothing is printed of the rest.
#[test]
fn what_a_run_would_refuse_is_refused() {
    for (file, flags, told) in [
        (
            FILE,
            "--profile nobody",
            "error: there is no profile \"nobody\"\nhint: referral-bulk.toml has: careful, default\n",
        ),
        (
            "[profile.default]\nconcurency = 2\n",
            "",
            "error: referral-bulk.toml: unknown field `concurency`, expected one of `endpoint`, `token-command`, \
             `token-file`, `tenant`, `client-id`, `client-secret-file`, `authority`, `scope`, `store`, `ledger`, \
             `ledger-password-command`, `rate`, `concurrency`, `timeout`, `max-errors`, `max-changes`, `require-approval`, \
             `on-finish`, `columns`\n  \
             --> referral-bulk.toml:2:1\nhint: did you mean concurrency?\n",
        ),
        (
            "[rule]\n",
            "",
            "error: referral-bulk.toml: unknown field `rule`, expected one of `profile`, `rules`, `columns`, \
             `portal-reasons`\n  --> referral-bulk.toml:1:2\nhint: did you mean rules?\n",
        ),
        (
            "\n[profile.default]\nrate = 'S3CRET'\n",
            "",
            "error: referral-bulk.toml:3: rate of [profile.default]: a rate is a number of requests a second or a \
             minute, or is found: write 2/s, 90/m or auto\n",
        ),
        (
            "[profile.default]\nendpoint = 'ftp://S3CRET.example.com'\n",
            "",
            "error: referral-bulk.toml:2: endpoint of [profile.default]: the endpoint begins neither with https:// \
             nor, for this machine alone, with http://\n",
        ),
        (
            "[rules]\nearly-win = 'never'\n",
            "",
            "error: referral-bulk.toml:2: rule early-win cannot be set to \"never\"\nhint: write early-win=allow, \
             early-win=warn or early-win=deny\n",
        ),
        (
            "[columns]\nDeal = 'nofield'\n",
            "",
            "error: [columns] of the settings file, Deal=nofield: there is no field \"nofield\"\nhint: name a field, as in status or details.dealValue, or id, or eTag\n",
        ),
        (
            "",
            "--map Deal=notes --map deal=currency",
            "error: --map deal=currency: the column is mapped twice\nhint: keep one: the other says notes\n",
        ),
        (
            "[portal-reasons]\n9 = 'x'\n",
            "",
            "error: referral-bulk.toml:2: [portal-reasons] 9 = x: there is no such number\nhint: the numbers of \
             reasons are 1 to 8, as in 2 = \"Customer did not answer\"\n",
        ),
    ] {
        let test = Test::new(&format!("config show {flags}")).file("referral-bulk.toml", file);
        test.code(2).stderr(told).run();
    }
}

/// The file says which program is run, and where the token goes.
#[test]
fn a_file_that_others_can_write_is_refused() {
    let place = Place::new();
    place.write("referral-bulk.toml", FILE);
    let path = place.root().join("referral-bulk.toml");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let (code, stdout, stderr) = plainly(&place, "config show");
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(stderr.contains("can be written by others (mode 666)"), "{stderr}");
}
