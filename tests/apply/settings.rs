//! Settings: from the command line, the environment and the file.

use super::*;

const WON: &str = "id,status,substatus\n5a1e0001-0000-4000-8000-000000000001,Closed,Won\n";
const PROFILES: &str =
    "[profile.default]\nmax-changes = 0\n[profile.big]\nmax-changes = 5\nrate = \"1000/s\"\n";

/// Every referral would be refused one by one.
#[test]
fn a_base_that_is_none_is_noticed() {
    let sandbox = Sandbox::start("");
    let base = sandbox.base.strip_suffix("/v1.0").unwrap();
    let ids: Vec<String> = (1..=12).map(|number| format!("5a1e0001-0000-4000-8000-{number:012}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let command = "apply a.csv --plan --rate 1000/s --out run --summary none --progress none";
    let few = Test::new(command).file("a.csv", notes(&ids[..9])).service(base).code(3).told_elsewhere().run();
    assert_eq!(few.outcomes("run"), "9 refused");
    let hint = format!(
        "hint: {base} has no list of referrals either: check the base of the API, which ends in /v1.0\n"
    );
    assert!(few.stderr.starts_with(&hint), "{}", few.stderr);
    let many = Test::new(command)
        .file("a.csv", notes(&ids))
        .service(base)
        .code(1)
        .stderr(
            "error: http://127.0.0.1:[PORT] has neither a list of referrals nor any of those looked for\n\
                 hint: check the base of the API, which ends in /v1.0\n",
        )
        .run();
    assert_eq!(many.place.files().into_keys().collect::<Vec<_>>(), ["a.csv"]);
}

#[test]
fn a_rule_is_set_by_flag_or_file_and_the_flag_wins() {
    const DENY: &str = "[rules]\nclose-unaccepted = \"deny\"\n";
    for (file, flags, code, outcome, told) in [
        ("", "", 0, "1 applied", "what was warned of"),
        ("", "--rule close-unaccepted=deny", 3, "1 invalid", "what went wrong"),
        ("", "--rule close-unaccepted=allow", 0, "1 applied", ""),
        (DENY, "", 3, "1 invalid", "what went wrong"),
        (DENY, "--rule close-unaccepted=warn", 0, "1 applied", "what was warned of"),
        (DENY, "--rule close-unaccepted=allow", 0, "1 applied", ""),
    ] {
        let advice = "--rule early-win=allow --rule deal-value-missing=allow";
        let place = Place::new();
        place.write("a.csv", WON);
        place.write("referral-bulk.toml", file);
        let command = format!("apply a.csv --sandbox --rate 1000/s --out run {advice} {flags}");
        let (ended, shown, _) = plainly(&place, &command);
        assert_eq!(ended, Some(code), "{file} {flags}");
        let summary = serde_json::from_str(&place.raw("run/summary.json")).unwrap();
        assert_eq!(outcomes(&summary), outcome, "{file} {flags}");
        for section in ["what was warned of", "what went wrong"] {
            assert_eq!(shown.contains(section), section == told, "{file} {flags}: {shown}");
        }
        assert_eq!(shown.contains(" close-unaccepted "), !told.is_empty(), "{file} {flags}: {shown}");
    }
}

#[test]
fn wrong_settings_are_told_before_anything_happens() {
    let mut told = String::new();
    for (file, command) in [
        ("", "apply a.csv --sandbox --rule nonsense=deny"),
        ("", "apply a.csv --sandbox --rule transition"),
        ("", "apply a.csv --sandbox --rule transition=perhaps"),
        ("", "apply a.csv --sandbox --rule read-only-path=allow"),
        ("", "apply a.csv --sandbox --allow-path name"),
        ("", "apply a.csv --sandbox --allow-path /status"),
        ("", "apply a.csv --sandbox --allow-path /organizationName"),
        ("", "apply a.csv --sandbox --allow-path /team/0"),
        ("", "apply a.csv --sandbox --timeout soon"),
        ("", "apply a.csv --sandbox --timeout 0s"),
        ("", "apply a.csv --sandbox --max-errors none"),
        ("", "apply a.csv --sandbox --max-errors 0"),
        ("", "apply a.csv --sandbox --max-errors 101%"),
        ("", "apply a.csv --sandbox --finish-by tomorrow"),
        ("", "apply a.csv --sandbox --finish-by 2026-12-31"),
        ("", "apply a.csv --sandbox --rate 0/s"),
        ("", "apply a.csv --sandbox --concurrency 0"),
        ("", "apply a.csv --sandbox --endpoint https://example.com"),
        ("", "apply a.csv --sandbox --profile nobody"),
        ("", "apply a.csv --endpoint http://example.com/v1.0"),
        ("", "apply a.csv --endpoint https://user:pw@example.com/v1.0"),
        ("", "apply a.csv --token-command 'echo x' --token-file x"),
        ("", "apply - - --sandbox"),
        ("", "apply a.csv - --sandbox"),
        ("", "migrate - --sandbox"),
        ("", "apply"),
        ("", "nonsense"),
        ("[profile.default]\ntoken = \"x\"\n", "apply a.csv --sandbox"),
        ("[profile.default]\nrate = \"fast\"\n", "apply a.csv --sandbox"),
        ("[profil.default]\n", "apply a.csv --sandbox"),
        ("[rules]\nnonsense = \"deny\"\n", "apply a.csv --sandbox"),
        ("[rules]\ntransition = \"perhaps\"\n", "apply a.csv --sandbox"),
        ("[rules\n", "apply a.csv --sandbox"),
        (PROFILES, "apply a.csv --sandbox --profile nobody"),
    ] {
        let place = Place::new();
        place.write("a.csv", notes(&[ACTIVE]));
        if !file.is_empty() {
            place.write("referral-bulk.toml", file);
        }
        let (code, stdout, said) = plainly(&place, command);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{command}");
        let left: Vec<String> = place.files().into_keys().collect();
        assert!(left.iter().all(|name| name == "a.csv" || name == "referral-bulk.toml"), "{left:?}");
        let file = if file.is_empty() { String::new() } else { format!("{file:?} ") };
        told += &format!("$ {file}{command}\n{said}\n");
    }
    golden("wrong_settings", &told);
}

/// Of the file's values none is shown: a token may stand there by mistake.
#[test]
fn a_wrong_setting_is_blamed_on_whoever_said_it() {
    const NO_TIME: &str = ": no length of time\nhint: write it as in 30s or 2m";
    const NO_NUMBER: &str = ": neither a number of rows nor a share of them\nhint: write it as in 100 or 5%";
    const NO_RATE: &str =
        ": a rate is a number of requests a second or a minute, or is found: write 2/s, 90/m or auto";
    const NO_FLIGHTS: &str = ": requests in flight are 1 to 1024\nhint: write it as in concurrency = 4";
    const NO_URL: &str =
        ": the endpoint begins neither with https:// nor, for this machine alone, with http://";
    const NO_COMMAND: &str = ": the token command is empty\nhint: write a program and its arguments, as a shell \
                                  takes them, as in \"token-tool print\"";
    const NO_FILE: &str = ": this names no file\nhint: name the file that holds a token, as in token.txt";
    const BY_CLAP: &str = "invalid value";
    const NONE: &str = "a value is required for";
    for (key, value, flag, told) in [
        ("timeout", "\"S3CRET\"", "--timeout S3CRET", NO_TIME),
        ("timeout", "\"0s\"", "--timeout 0s", NO_TIME),
        ("max-errors", "\"S3CRET\"", "--max-errors S3CRET", NO_NUMBER),
        ("rate", "\"S3CRET\"", BY_CLAP, NO_RATE),
        ("concurrency", "0", BY_CLAP, NO_FLIGHTS),
        ("concurrency", "1025", BY_CLAP, NO_FLIGHTS),
        ("concurrency", "70000", BY_CLAP, NO_FLIGHTS),
        ("endpoint", "\"ftp://S3CRET\"", "--endpoint", NO_URL),
        ("token-command", "\"\"", "--token-command", NO_COMMAND),
        ("token-file", "\"\"", NONE, NO_FILE),
    ] {
        for (profile, named) in [("default", ""), ("slow", " --profile slow")] {
            let file = format!("[profile.{profile}]\n{key} = {value}\n");
            let (code, _, stderr) = with_settings(&file, named);
            let wanted = format!("error: referral-bulk.toml:2: {key} of [profile.{profile}]{told}\n");
            assert_eq!((code, stderr), (Some(2), wanted), "{key} = {value}");
        }
        let typed = format!(" --{key} '{}'", value.trim_matches('"'));
        let (code, _, stderr) = with_settings("", &typed);
        let wanted = match flag {
            BY_CLAP => format!("error: {BY_CLAP} '{}' for '--{key} <", value.trim_matches('"')),
            NONE => format!("error: {NONE} '--{key} <"),
            flag => format!("error: {flag}{told}\n"),
        };
        assert!(code == Some(2) && stderr.starts_with(&wanted), "{typed}: {stderr}");
    }
    let test = Test::new("apply a.csv")
        .file("a.csv", notes(&[ACTIVE]))
        .env("REFERRAL_BULK_ENDPOINT", "ftp://S3CRET");
    test.code(2).stderr(&format!("error: REFERRAL_BULK_ENDPOINT{NO_URL}\n")).run();
    for (value, expected, column) in [("timeout = 5", "a string", 11), ("max-changes = \"5\"", "u64", 15)] {
        let (_, _, stderr) = with_settings(&format!("[profile.default]\n{value}\n"), "");
        let wanted = format!(
            "error: referral-bulk.toml: a value that does not fit here, expected {expected}\n  \
                 --> referral-bulk.toml:2:{column}\nhint: write texts in quotes and numbers without, below \
                 [profile.NAME], as in timeout = \"30s\" and concurrency = 4\n"
        );
        assert_eq!(stderr, wanted);
    }
}

/// What becomes of a plan with such a file of settings, and such flags.
fn with_settings(file: &str, flags: &str) -> (Option<i32>, String, String) {
    let place = Place::new();
    place.write("a.csv", notes(&[ACTIVE]));
    place.write("referral-bulk.toml", file);
    plainly(&place, &format!("apply a.csv --plan --state none{flags}"))
}

#[test]
fn a_profile_says_what_flags_would() {
    let run = |flags: &str| {
        Test::new(&format!(
            "apply a.csv --sandbox --rate 1000/s --out run --summary none --progress none {flags}"
        ))
        .file("a.csv", notes(&[ACTIVE]))
        .file("referral-bulk.toml", PROFILES)
    };
    run("--profile big").stderr(&USED.replace("default", "big")).run();
    run("--max-changes 1").stderr(USED).run();
    run("")
        .code(2)
        .stderr(
            "note: referral-bulk.toml of the current directory is used: [profile.default]\n\
                 error: the plan changes 1 referral, and max-changes of the profile allows 0\n\
                 hint: look at run/plan.jsonl, then: referral-bulk resume run --rate 1000/s --max-changes 1\n",
        )
        .run();
}

#[test]
fn an_endpoint_comes_from_flag_environment_or_profile_in_this_order() {
    let sandbox = Sandbox::start("");
    let nowhere = "http://127.0.0.1:1/v1.0";
    for (flag, variable, profile) in [
        (sandbox.base.as_str(), nowhere, nowhere),
        ("", sandbox.base.as_str(), nowhere),
        ("", "", sandbox.base.as_str()),
    ] {
        let flag = if flag.is_empty() { String::new() } else { format!("--endpoint {flag}") };
        Test::new(&format!("apply a.csv --plan --out run --summary none {flag}"))
            .file("a.csv", notes(&[ACTIVE]))
            .file("referral-bulk.toml", format!("[profile.default]\nendpoint = \"{profile}\"\n"))
            .service(variable)
            .stderr(
                "note: referral-bulk.toml of the current directory is used: [profile.default]\n\
                     plan for http://127.0.0.1:[PORT]/v1.0: 1 referral to change – see run/plan.jsonl\n\
                     next: referral-bulk resume run\n",
            )
            .run();
    }
}

#[test]
fn a_token_comes_from_a_command_a_file_or_the_environment() {
    let sandbox = Sandbox::start("");
    let command = format!("apply a.csv --plan --out run --summary none --endpoint {}", sandbox.base);
    let run = |more: &str| {
        Test::new(&format!("{command} {more}")).file("a.csv", notes(&[ACTIVE])).file("token.txt", TOKEN)
    };
    let plan = "plan for http://127.0.0.1:[PORT]/v1.0: 1 referral to change – see run/plan.jsonl";
    let planned = |hint: &str, flags: &str| format!("{plan}\n{hint}next: referral-bulk resume run{flags}\n");
    run("--token-file token.txt").stderr(&planned("", " --token-file token.txt")).run();
    run("--token-command '/bin/cat token.txt'")
        .stderr(&planned("hint: give the same --token-command again\n", ""))
        .run();
    run("").env("PARTNER_CENTER_TOKEN", TOKEN).stderr(&planned("", "")).run();
    run("")
        .code(1)
        .stderr(
            "error: there is no token for http://127.0.0.1:[PORT]/v1.0\n\
                 hint: sign in: referral-bulk login --endpoint http://127.0.0.1:[PORT]/v1.0; or set \
                 PARTNER_CENTER_TOKEN, or name a source with --token-command or --token-file\n",
        )
        .run();
}

#[test]
fn an_unconfirmed_path_is_opted_into() {
    let text = format!("id,name\n{ACTIVE},A better name\n");
    let refused = Test::new(&format!("apply a.csv {QUIET}")).file("a.csv", &text).code(3);
    let refused = refused.snapshot("path_unconfirmed", []).run();
    let again = "apply a.csv --plan --sandbox --rate 1000/s --out two --summary none --allow-path /name";
    let ran = refused
        .then(again)
        .stderr(
            "plan for sandbox: 1 referral to change – see two/plan.jsonl\n\
                 next: referral-bulk resume two --rate 1000/s\n",
        )
        .run();
    let plan = ran.place.raw("two/plan.jsonl");
    assert!(plan.contains(r#"[{"op":"replace","path":"/name","value":"A better name"}]"#), "{plan}");
    refused
        .then("apply a.csv --plan --sandbox --rate 1000/s --out three --summary none --rule unconfirmed-path=warn")
        .stderr(
            "plan for sandbox: 1 referral to change – see three/plan.jsonl\n\
                 warning[unconfirmed-path]: 1 row, the first at a.csv:2: \"/name\" is not documented as patchable (“Security assessment – 株式会社サンプル商事”, 株式会社サンプル商事)\n\
                 next: referral-bulk resume three --rate 1000/s\n",
        )
        .run();
}

#[test]
fn a_field_is_cleared_only_where_that_is_asked_for() {
    let text = format!("id,details.notes\n{ACTIVE},\\N\n");
    let refused = Test::new(&format!("apply a.csv {QUIET}")).file("a.csv", &text).code(3);
    let refused = refused.snapshot("clear_refused", []).run();
    let ran = refused
        .then("apply a.csv --sandbox --rate 1000/s --out two --summary none --progress none --clear")
        .run();
    let plan = ran.place.raw("two/plan.jsonl");
    assert!(plan.contains(r#"{"op":"replace","path":"/details/notes","value":null}"#), "{plan}");
}
