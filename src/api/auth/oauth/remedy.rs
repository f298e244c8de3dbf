//! What somebody can do about a sign-in that did not succeed.

use super::registration::Registration;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// What to do about a sign-in that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Sign in, once more.
    SignIn,
    /// Sign in, and accept what is asked.
    Accept,
    /// Set up another factor, and sign in.
    Enrol,
    /// Wait for the account to be unlocked, or have it unlocked.
    Unlock,
    /// Change the password.
    Password,
    /// Have the account enabled.
    Enable,
    /// Take another account, or another tenant.
    OtherAccount,
    /// Have the account assigned to the app.
    Assign,
    /// Sign in with the browser of a managed device.
    ManagedDevice,
    /// Have an administrator look which policy it was.
    Policy,
    /// Sign in with a browser on this machine in place of a device code.
    Browser,
    /// Sign in with a device code in place of a browser on this machine.
    DeviceCode,
    /// Have an administrator consent.
    Consent,
    /// Correct the client id or the tenant.
    ClientId,
    /// Correct the client id, or the secret where there is one.
    Client,
    /// Have the app enabled.
    EnableApp,
    /// Give the app registration the permission, or correct the scope.
    Permission,
    /// Make the app registration public, or set its secret.
    PublicClient,
    /// Leave the secret out.
    NoSecret,
    /// Set another secret.
    Secret,
    /// Register the address to come back to.
    LoopbackAddress,
    /// Name the tenant.
    Tenant,
    /// Correct the authority.
    Authority,
    /// Leave the network, or have the tenant allowed in it.
    TenantRestrictions,
    /// Have this machine trust the company's certificates.
    Certificates,
    /// Mend the connection.
    Network,
    /// Mend the connection, or the authority.
    Address,
    /// Set this machine's clock.
    Clock,
    /// Try again later.
    Later,
    /// Send nothing for some minutes.
    StandBack,
    /// Ask an administrator.
    Administrator,
    /// Report it: it is a fault of this program or of the system.
    Report,
}

impl Remedy {
    /// Returns whether administrators are to act, for whom there is a correlation id.
    pub fn is_for_administrators(self) -> bool {
        matches!(
            self,
            Self::Unlock
                | Self::Enable
                | Self::Assign
                | Self::ManagedDevice
                | Self::Policy
                | Self::Consent
                | Self::EnableApp
                | Self::Administrator
        )
    }

    /// Returns what to do, in words.
    pub fn wording(self, registration: &Registration) -> Wording {
        let of_registration = || self.for_registration().map(Wording::from);
        let plain = self.for_person().map(Wording::from).or_else(of_registration);
        plain.unwrap_or_else(|| self.naming(registration))
    }

    /// Returns what the person can do by themselves.
    fn for_person(self) -> Option<&'static str> {
        Some(match self {
            Self::SignIn => "sign in again",
            Self::Enrol => "sign in again, and set up the factor as the page says",
            Self::Unlock => "wait half an hour, or ask an administrator to unlock it; then sign in again",
            Self::Password => "change the password at the sign-in page, then sign in again",
            Self::ManagedDevice => {
                "sign in with the browser of a device that the company manages, or ask an administrator"
            }
            Self::Certificates => {
                "where a proxy of the company opens TLS, add the company's root certificate to those that this \
                 system trusts; else check the clock"
            }
            Self::Network => "check the network and the proxy (HTTPS_PROXY), then try again",
            Self::Clock => "set this machine's clock, then sign in again",
            Self::Later => "try again in a few minutes",
            Self::StandBack => "stop whatever runs with this sign-in, wait ten minutes, then sign in again",
            Self::Report => "report this, with the versions of referral-bulk and of the system",
            _ => return None,
        })
    }

    /// Returns what is to be mended in the app registration.
    fn for_registration(self) -> Option<&'static str> {
        Some(match self {
            Self::PublicClient => {
                "in the app registration, under Authentication, set \"Allow public client flows\" to Yes and remove \
                 the addresses of the platform Web; or, where it is to have a secret, set that"
            }
            Self::NoSecret => "take the secret out of the environment or the profile",
            Self::Secret => {
                "in the app registration, under Certificates & secrets, make a new secret, and set its value, not \
                 its id"
            }
            Self::LoopbackAddress => {
                "in the app registration, under Authentication, remove the address http://localhost where it stands, \
                 and add it under the platform \"Mobile and desktop applications\""
            }
            _ => return None,
        })
    }

    /// Returns what to do with what the registration names, or a setting.
    fn naming(self, registration: &Registration) -> Wording {
        let Registration { tenant, client_id, scope, secret, authority: _ } = registration;
        let administrator = format!("ask an administrator of {tenant}");
        match self {
            Self::Enable => (administrator + " to enable the account").into(),
            Self::EnableApp => format!("{administrator} to enable the app {client_id}").into(),
            Self::Assign => format!(
                "{administrator} to assign the account to the app {client_id} (Enterprise applications, Users and \
                 groups)"
            )
            .into(),
            Self::Consent => {
                format!("have an administrator open {} and accept", admin_consent(registration)).into()
            }
            Self::TenantRestrictions => {
                format!("sign in from another network, or have {tenant} allowed in the proxy of this one").into()
            }
            Self::OtherAccount => {
                let account = format!("sign in with an account of {tenant}, or name the account's own tenant with ");
                Wording::from(account).name(Setting::Tenant)
            }
            Self::Browser => Wording::from("many tenants forbid device codes: sign in with ")
                .name(Setting::Browser)
                .say(", on a machine that has one"),
            Self::DeviceCode => Wording::from("sign in with ")
                .name(Setting::DeviceCode)
                .say(", which needs no browser on this machine"),
            Self::Accept => format!(
                "sign in again, and accept what is asked (where only an administrator may, have one open {} and \
                 accept)",
                admin_consent(registration)
            )
            .into(),
            Self::Client => {
                let secret = if secret.is_some() {
                    "; where these are right, under Certificates & secrets, make a new secret, and set its value"
                } else {
                    "; where these are right, it is not public: under Authentication, set \"Allow public client \
                     flows\" to Yes"
                };
                Self::ClientId.naming(registration).say(secret)
            }
            Self::ClientId => Wording::from("compare with the overview of the app registration: ")
                .name(Setting::ClientId)
                .say(format!(" is {client_id}, "))
                .name(Setting::Tenant)
                .say(format!(" is {tenant}")),
            Self::Permission => Wording::from(
                "in the app registration, under API permissions, add the delegated user_impersonation of Microsoft \
                 Partner Center; the tenant has to be the partner's own; ",
            )
            .name(Setting::Scope)
            .say(format!(" is {scope}")),
            Self::Tenant => {
                Wording::from("name your tenant, by its id or its domain, with ").name(Setting::Tenant)
            }
            Self::Authority => {
                Wording::from("name the sign-in service of the tenant's cloud with ").name(Setting::Authority)
            }
            Self::Address => {
                Wording::from("check the network for a page that asks to log in, the proxy, and ")
                    .name(Setting::Authority)
            }
            _ => administrator.into(),
        }
    }
}

/// Returns the address at which an administrator consents to the app for the whole tenant.
fn admin_consent(registration: &Registration) -> String {
    let mut url = registration.authority.page(&registration.tenant, "adminconsent");
    url.query_pairs_mut().append_pair("client_id", registration.client_id.as_str());
    url.into()
}
