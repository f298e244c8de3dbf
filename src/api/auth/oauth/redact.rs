//! Takes secrets out of what the sign-in service says: it may repeat what was sent to it.

use crate::api::auth::echo;

/// The least length of a secret that is looked for, in bytes. A shorter one could be part of any other word.
const SHORTEST: usize = 8;

/// Replaces every secret in a text of the service by `[secret]`, however it is escaped there.
pub(super) fn redact(text: &str, secrets: &[&str]) -> String {
    let long = secrets.iter().filter(|secret| secret.len() >= SHORTEST);
    long.fold(text.to_owned(), |text, secret| without(&text, secret))
}

fn without(text: &str, secret: &str) -> String {
    let (mut redacted, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = echo::split(rest, secret) {
        redacted.push_str(before);
        redacted.push_str("[secret]");
        rest = after;
    }
    redacted + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_is_taken_out() {
        let secrets = ["0.AXoA/first+secret", "second~secret", "short"];
        for (text, wanted) in [
            ("nothing of it, and short", "nothing of it, and short"),
            ("0.AXoA/first+secret!", "[secret]!"),
            ("second~secretsecond~secret 0.AXoA%2Ffirst%2Bsecret", "[secret][secret] [secret]"),
            (r"a 0.AXoA\/first\u002bsecret b", "a [secret] b"),
            ("0.AXoA&#x2F;first&#43;secret", "[secret]"),
        ] {
            assert_eq!(redact(text, &secrets), wanted);
        }
    }
}
