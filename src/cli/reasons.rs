//! What stands in the settings file of the reasons that Partner Center's files give as numbers.

use std::collections::BTreeMap;

use super::config::Config;
use super::origin::Table;
use crate::commands::{CommandError, quoted};
use crate::domain::reasons;

/// Returns the reasons that the settings file sets, by their numbers.
///
/// # Errors
/// A usage error where a key is no number of a reason, or a reason is empty.
pub fn portal_reasons(config: &Config) -> Result<BTreeMap<u8, String>, CommandError> {
    let read = |(number, reason): (&String, &String)| {
        let place = config.origin(Table::PortalReasons, number).place();
        let key = format!("{place}: [portal-reasons] {} = {}", quoted(number), quoted(reason));
        let Some(known) = reasons::number(number) else {
            let all = reasons::TABLE.len();
            return Err(CommandError::usage(format!("{key}: there is no such number")).hint(format!(
                "the numbers of reasons are 1 to {all}, as in 2 = \"Customer did not answer\""
            )));
        };
        if reason.trim().is_empty() {
            return Err(CommandError::usage(format!("{key}: the reason is empty"))
                .hint("write what statusReason is to say, or leave the key out"));
        }
        Ok((known, reason.clone()))
    };
    config.portal_reasons.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_set_by_its_number() {
        for (number, reason, wanted) in [
            ("2", "Kein Budget", Ok(2)),
            ("8", "x", Ok(8)),
            ("0", "x", Err("there is no such number")),
            ("9", "x", Err("there is no such number")),
            ("Budget", "x", Err("there is no such number")),
            ("1", " ", Err("the reason is empty")),
        ] {
            let portal_reasons = [(number.to_owned(), reason.to_owned())].into();
            let got = portal_reasons_of(portal_reasons);
            match wanted {
                Ok(wanted) => assert_eq!(got.unwrap(), [(wanted, reason.to_owned())].into()),
                Err(why) => assert!(got.unwrap_err().to_string().contains(why), "{number}"),
            }
        }
    }

    fn portal_reasons_of(table: BTreeMap<String, String>) -> Result<BTreeMap<u8, String>, CommandError> {
        portal_reasons(&Config { portal_reasons: table, ..Config::default() })
    }
}
