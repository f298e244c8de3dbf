//! On which line of the settings file each of its keys stands.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::origin::Table;

/// The line of each key, counted from 1, by the key's path from the top of the file.
#[derive(Debug, Default)]
pub struct KeyLines(BTreeMap<Vec<String>, usize>);

impl KeyLines {
    /// Reads the keys of a file; those of a text that is no TOML are none.
    pub fn of(text: &str) -> Self {
        let mut lines = Self::default();
        if let Ok(table) = DeTable::parse(text) {
            lines.collect(text, &[], table.get_ref());
        }
        lines
    }

    fn collect(&mut self, text: &str, path: &[String], table: &DeTable<'_>) {
        for (key, value) in table {
            let path: Vec<String> =
                path.iter().cloned().chain([key.get_ref().clone().into_owned()]).collect();
            if let DeValue::Table(inner) = value.get_ref() {
                self.collect(text, &path, inner);
            }
            let before = text.get(..key.span().start).unwrap_or(text);
            self.0.insert(path, before.matches('\n').count() + 1);
        }
    }

    /// Returns the line of a key in a table.
    pub fn line(&self, table: Table<'_>, key: &str) -> Option<usize> {
        let path = table.path().into_iter().chain([key]).map(str::to_owned).collect::<Vec<_>>();
        self.0.get(&path).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_line_however_its_table_is_written() {
        const FILE: &str = "rules.stale = 'deny'\n\n# first\nprofile.inline = { rate = '1/s' }\n[profile.default]\n\
                            \"rate\" = '2/s'\nmax-errors = '''\n5%'''\ntimeout = '1s'\n[profile.default.columns]\r\n\
                            \"Est. Close Date\" = 'x'\n[columns]\n'a b' = 'id'\n[portal-reasons]\n2 = 'é'\n8 = 'x'\n";
        let lines = KeyLines::of(FILE);
        let default = Table::Profile("default");
        for (table, key, wanted) in [
            (Table::Rules, "stale", Some(1)),
            (Table::Profile("inline"), "rate", Some(4)),
            (default, "rate", Some(6)),
            (default, "max-errors", Some(7)),
            (default, "timeout", Some(9)),
            (Table::ProfileColumns("default"), "Est. Close Date", Some(11)),
            (Table::Columns, "a b", Some(13)),
            (Table::PortalReasons, "2", Some(15)),
            (Table::PortalReasons, "8", Some(16)),
            (Table::Profile("other"), "rate", None),
            (Table::Rules, "rate", None),
        ] {
            assert_eq!(lines.line(table, key), wanted, "{key} of {table}");
        }
        assert_eq!(KeyLines::of("[rules").line(Table::Rules, "stale"), None);
    }
}
