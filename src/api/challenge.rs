//! Why a token was not taken, as far as `WWW-Authenticate` says so (RFC 9110, section 11.6.1, and RFC 6750,
//! section 3). The `claims` that can stand beside it are meant for a sign-in, and are not read.

use http_auth::ChallengeRef;
use http_auth::parser::ChallengeParser;

/// The `error` of each bearer challenge of a header. Whatever follows on what cannot be read is left out.
pub(super) fn errors(header: &str) -> impl Iterator<Item = String> {
    let challenges = ChallengeParser::new(header).map_while(Result::ok);
    challenges.filter(|challenge| challenge.scheme.eq_ignore_ascii_case("Bearer")).filter_map(error)
}

fn error(challenge: ChallengeRef<'_>) -> Option<String> {
    let error = challenge.params.iter().find(|(name, _)| name.eq_ignore_ascii_case("error"));
    error.map(|(_, value)| value.to_unescaped())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errors_of_bearer_challenges_are_read() {
        for (header, wanted) in [
            (
                r#"Bearer realm="", authorization_uri="https://login.example.com/", client_id="0000", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ==""#,
                &["insufficient_claims"][..],
            ),
            (r#"bearer ERROR="insufficient_claims""#, &["insufficient_claims"]),
            ("Bearer error=insufficient_claims", &["insufficient_claims"]),
            (r#"Bearer error = "insufficient\_claims" , claims = x"#, &["insufficient_claims"]),
            (r#"Bearer claims="error=\"no\", x", error="yes""#, &["yes"]),
            (r#"Basic realm="a", Bearer error="yes", Bearer, Bearer error="too""#, &["yes", "too"]),
            (r#"Bearer error="first", error="second""#, &["first"]),
            (r#"Bearer error="yes", Negotiate TlRMTVNTUAAB=="#, &["yes"]),
            (r#"Basic error="insufficient_claims""#, &[]),
            (r#"Bearer error_description="insufficient_claims""#, &[]),
            (r#"Bearer realm="error=insufficient_claims""#, &[]),
            ("Bearer", &[]),
            ("", &[]),
            ("insufficient_claims", &[]),
            (r#"Bearer error="insufficient_claims"#, &[]),
            (r#"Bearer realm="é", error="insufficient_claims""#, &[]),
            ("Bearer error=\"a\"\u{7f}", &[]),
        ] {
            assert_eq!(errors(header).collect::<Vec<_>>(), wanted, "{header}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_header_is_taken(header in r#"(Bearer|x)? ?([a-z]{0,5}=?"?[\\ -~]{0,5}"?,? ?){0,5}"#, other in ".{0,40}") {
            let _ = (errors(&header).count(), errors(&other).count());
        }
    }
}
