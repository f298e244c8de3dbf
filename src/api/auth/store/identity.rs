//! Whose sign-in it is, and the names of its files.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::api::auth::oauth::{Authority, ClientId, Registration, Tenant};

/// The number of bytes of the checksum that names a sign-in's files.
const KEY_BYTES: usize = 16;

/// What tells a sign-in from every other: the profile that it was made for, and where it was made as which app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInId {
    /// The profile of the settings file; `None` for the settings outside of all profiles.
    pub profile: Option<String>,
    /// The sign-in service.
    pub authority: Authority,
    /// The tenant that is signed in to, as the settings name it.
    pub tenant: Tenant,
    /// The app registration.
    pub client_id: ClientId,
}

impl SignInId {
    /// Returns the identity of a profile's sign-in as this app.
    pub fn new(profile: Option<&str>, registration: &Registration) -> Self {
        let Registration { authority, tenant, client_id, .. } = registration.clone();
        Self { profile: profile.map(str::to_owned), authority, tenant, client_id }
    }

    /// Returns the name that the files of the sign-in share, and its entry in a keyring.
    pub(super) fn key(&self) -> Key {
        let mut hash = Sha256::new();
        // Tenants and the ids of apps are the same in capitals and small letters.
        let tenant = self.tenant.as_str().to_ascii_lowercase();
        let client_id = self.client_id.as_str().to_ascii_lowercase();
        hash.update([u8::from(self.profile.is_some())]);
        for part in
            [self.profile.as_deref().unwrap_or_default(), self.authority.as_str(), &tenant, &client_id]
        {
            // With its length, no part can pass for the end of another.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Key(hash.finalize().iter().take(KEY_BYTES).map(|byte| format!("{byte:02x}")).collect())
    }
}

/// The name that the files of a sign-in share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(String);

impl Key {
    /// Reads the name of a record. `None` where it is another file.
    pub(super) fn of_record(name: &str) -> Option<Self> {
        Self::read(name.strip_suffix(".json")?)
    }

    /// Reads the name of any file of a sign-in. `None` where it is another file.
    pub(super) fn of_file(name: &str) -> Option<Self> {
        let (key, extension) = name.split_once('.')?;
        let is_known = ["json", "json.new", "token", "token.new", "lock"].contains(&extension);
        if is_known { Self::read(key) } else { None }
    }

    fn read(key: &str) -> Option<Self> {
        let is_key = key.len() == 2 * KEY_BYTES && key.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_key.then(|| Self(key.to_owned()))
    }

    /// Returns the name.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn id(profile: Option<&str>, authority: &str, tenant: &str, client_id: &str) -> SignInId {
        SignInId {
            profile: profile.map(str::to_owned),
            authority: Authority::parse(authority).unwrap(),
            tenant: Tenant::parse(tenant).unwrap(),
            client_id: ClientId::parse(client_id).unwrap(),
        }
    }

    #[test]
    fn every_part_tells_sign_ins_apart() {
        let https = "https://login.example.com";
        let ids = [
            id(None, https, "contoso.example.com", "app"),
            id(Some(""), https, "contoso.example.com", "app"),
            id(Some("a"), https, "contoso.example.com", "app"),
            id(Some("A"), https, "contoso.example.com", "app"),
            id(None, "https://login.example.com/c", "ontoso.example.com", "app"),
            id(None, https, "contoso.example.coma", "pp"),
            id(None, https, "fabrikam.example.com", "app"),
            id(None, https, "contoso.example.com", "other"),
        ];
        let keys: BTreeSet<Key> = ids.iter().map(SignInId::key).collect();
        assert_eq!(keys.len(), ids.len());
        for key in keys {
            for extension in ["json", "json.new", "token", "token.new", "lock"] {
                assert_eq!(Key::of_file(&format!("{key}.{extension}")), Some(key.clone()));
            }
            assert_eq!(Key::of_record(&format!("{key}.json")), Some(key));
        }
        let same = id(None, https, "Contoso.Example.COM", "APP");
        assert_eq!(same.key(), ids[0].key());
    }

    #[test]
    fn other_files_are_no_records() {
        for name in ["a.json", "", ".json", "0123456789abcdef0123456789abcdef.token", "readme.json"] {
            assert_eq!(Key::of_record(name), None, "{name}");
        }
        for name in [
            "a.json",
            "",
            "lock",
            "0123456789abcdef0123456789abcdef",
            "probe.token",
            "0123456789abcdef0123456789abcdef.old",
        ] {
            assert_eq!(Key::of_file(name), None, "{name}");
        }
    }
}
