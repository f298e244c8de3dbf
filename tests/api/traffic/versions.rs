//! Versions, which are what the service says they are.

use super::*;

/// What the service calls a version, what the row says of it, and what the change is bound to.
const CASES: [(&str, &str, &str); 6] = [
    ("\"v1\"", "", "\"v1\""),
    ("v1", "", "v1"),
    ("W/\"v1\"", "", "W/\"v1\""),
    ("\"v1\"", "v1", "\"v1\""),
    ("v1", "v1", "v1"),
    ("v1", "\"\"\"v1\"\"\"", "v1"),
];

#[test]
fn go_back_as_the_service_spells_them() {
    each(&CASES, |(spelled, said, wanted)| {
        let spelled = (*spelled).to_owned();
        let service = Wire::serve(move |request| {
            let mut referral = sample_referral(ONE);
            referral["eTag"] = json!(spelled);
            match request.method.as_str() {
                "PATCH" => wire::carry_out(request, referral),
                _ => wire::answer("200 x", "", referral.to_string()),
            }
        });
        let ran = Test::new(&format!("apply a.csv --out run {QUIET}"))
            .file("a.csv", format!("id,eTag,notes\n{ONE},{said},Called\n"))
            .service(&service.base)
            .told_elsewhere()
            .run();
        assert_eq!(ran.outcomes("run"), "1 applied", "{}", ran.stderr);
        let asked = service.asked();
        let patch = asked.iter().find(|request| request.method == "PATCH").unwrap();
        assert_eq!(patch.header("if-match"), Some(*wanted));
    });
}
