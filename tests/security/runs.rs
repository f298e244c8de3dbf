//! Runs that somebody else prepared.

use super::*;

const PLAN: &str = "apply a.csv --state none --plan --out run --rate 1000/s --summary none --progress none";

#[test]
fn go_to_another_host_only_where_the_user_names_it() {
    let theirs = "https://partner.invalid/v1.0";
    let planned = Test::new(&format!("{PLAN} --endpoint {theirs}")).file("a.csv", notes_csv(&[ONE]));
    let warning = "warning[unbound]: 1 row, the first at a.csv:2: no eTag binds the change: a concurrent edit would \
                       be overwritten unnoticed\n";
    let next = format!("next: referral-bulk resume run --rate 1000/s --endpoint {theirs}\n");
    let planned = planned.stderr(&format!("{warning}{next}")).run();
    for own in ["", "https://api.example.com/v1.0", "http://127.0.0.1:9/v1.0"] {
        let resumed = planned.then("resume run --yes --summary none --progress none").code(2);
        let resumed = resumed.env("PARTNER_CENTER_TOKEN", TOKEN).env("REFERRAL_BULK_ENDPOINT", own);
        resumed
            .stderr(&format!(
                "error: the run goes to {theirs}, which neither you nor your settings name: no token is sent there\n\
                     hint: if that is where yours belongs: referral-bulk resume run --endpoint {theirs}\n"
            ))
            .run();
    }
    // Whoever names it is asked as always.
    for (flags, own) in [(format!("--endpoint {theirs}"), ""), (String::new(), theirs)] {
        let resumed = planned.then(&format!("resume run {flags} --summary none --progress none")).code(2);
        let resumed = resumed.env("PARTNER_CENTER_TOKEN", TOKEN).env("REFERRAL_BULK_ENDPOINT", own);
        let resumed = resumed.told_elsewhere().run();
        let asked = "error: the plan changes 1 referral, and nobody is there to ask\n";
        assert!(resumed.stderr.contains(asked), "{}", resumed.stderr);
    }
}

/// Whoever writes the settings says where a token goes.
#[test]
fn take_no_settings_that_others_may_write() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.write("a.csv", notes_csv(&[ONE]));
    place.write("referral-bulk.toml", "[profile.default]\nrate = \"1000/s\"\n");
    let settings = place.path("referral-bulk.toml");
    std::fs::set_permissions(&settings, std::fs::Permissions::from_mode(0o664)).unwrap();
    Test::at(&place, "apply a.csv --sandbox --out run")
        .code(2)
        .stderr(
            "error: referral-bulk.toml of the current directory can be written by others (mode 664)\n\
                 hint: check what it says, then: chmod go-w referral-bulk.toml\n",
        )
        .run();
    std::fs::set_permissions(&settings, std::fs::Permissions::from_mode(0o644)).unwrap();
    let quiet = "--summary none --progress none";
    let used = "note: referral-bulk.toml of the current directory is used: [profile.default]\n";
    Test::at(&place, &format!("apply a.csv --sandbox --out run {quiet}")).stderr(used).run();
    let finished = format!("{used}the run is finished: nothing is left to send\n");
    Test::at(&place, &format!("resume run {quiet}")).stderr(&finished).run();
    Test::at(&place, &format!("report run {quiet}")).run();
}
