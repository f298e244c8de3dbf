//! What a refusal, or another error of a sign-in, means to the person, and what they can do (docs/sign-in.md,
//! "When it says no").
//!
//! What happens follows from the protocol's `error`. Entra ID's numbers change, and choose only which row of the
//! table is told.

use super::error::SignInError;
use super::id_token::IdTokenError;
use super::method::SignInMethod;
use super::refusal::{SignInRefusal, SignInStep};
use super::registration::Registration;
use super::remedy::Remedy;
use crate::domain::exchange::NeededSignIn;
use crate::domain::wording::Wording;

/// What an error means, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What it means: the end of a sentence.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: Remedy,
    /// The id by which an administrator finds the sign-in in their log, where they are to be asked.
    correlation_id: Option<String>,
}

impl Advice {
    fn new(meaning: &'static str, remedy: Remedy) -> Self {
        Self { meaning, remedy, correlation_id: None }
    }

    /// Returns what to do, in words.
    pub fn hint(&self, registration: &Registration) -> Wording {
        let hint = self.remedy.wording(registration);
        match &self.correlation_id {
            Some(id) if self.remedy.is_for_administrators() => {
                hint.say(format!("; they find it by the correlation id {id}"))
            }
            _ => hint,
        }
    }
}

impl SignInError {
    /// Returns what it means and what to do about it. `kept` is how the sign-in began that is being renewed.
    pub fn advice(&self, kept: Option<SignInMethod>) -> Advice {
        let (meaning, remedy) = match self {
            Self::Refused(refusal) => return refusal.advice(kept),
            Self::Unreachable { is_tls: true, .. } => {
                ("the connection is not encrypted as it should be, mostly by a proxy", Remedy::Certificates)
            }
            Self::Unreachable { is_tls: false, .. } | Self::NoAnswer { .. } => {
                ("the network, a proxy or the service is at fault", Remedy::Network)
            }
            Self::Unavailable { .. } => {
                ("the service, or a proxy before it, is busy or broken", Remedy::Later)
            }
            Self::BadAnswer(_) => ("a proxy answered, or the address is not the service's", Remedy::Address),
            Self::IdToken(IdTokenError::Ended(_)) => ("this machine's clock is ahead", Remedy::Clock),
            Self::IdToken(_) => ("the tokens belong to something else", Remedy::SignIn),
            Self::OtherTenant { .. } => ("the account is another tenant's", Remedy::OtherAccount),
            Self::NobodyCame(_) => {
                ("the sign-in was left, or its end went to another machine", Remedy::DeviceCode)
            }
            Self::CodeExpired => ("a code is good for some minutes", Remedy::SignIn),
            Self::NoPort(_) => ("the browser cannot come back to this program", Remedy::DeviceCode),
            Self::NoChance(_) => ("no sign-in is safe without", Remedy::Report),
        };
        Advice::new(meaning, remedy)
    }

    /// Returns how somebody has to sign in again after a renewal that failed, where that would help. `kept` is how
    /// the sign-in began.
    pub fn needs_sign_in(&self, kept: SignInMethod) -> Option<NeededSignIn> {
        let way = match self.advice(Some(kept)).remedy {
            Remedy::Browser => NeededSignIn::Browser,
            _ => NeededSignIn::Any,
        };
        self.is_over().then_some(way)
    }
}

impl SignInRefusal {
    /// Returns what it means and what to do about it. `kept` is how the sign-in began that is being renewed.
    pub fn advice(&self, kept: Option<SignInMethod>) -> Advice {
        let (meaning, remedy) = self.of_codes(self.method().or(kept)).unwrap_or_else(|| self.of_error());
        Advice { correlation_id: self.correlation_id.clone(), ..Advice::new(meaning, remedy) }
    }

    /// Returns how somebody was signing in; `None` for a renewal.
    fn method(&self) -> Option<SignInMethod> {
        match self.step {
            SignInStep::Authorize | SignInStep::Redeem => Some(SignInMethod::Browser),
            SignInStep::DeviceCode | SignInStep::Poll => Some(SignInMethod::DeviceCode),
            SignInStep::Refresh => None,
        }
    }

    /// Returns the row of the first number that has one.
    fn of_codes(&self, method: Option<SignInMethod>) -> Option<(&'static str, Remedy)> {
        // What these two say of a code is that it is no good, and of a refresh token that the sign-in is over.
        let counts = |code: &u32| self.step == SignInStep::Refresh || !matches!(code, 70000 | 70008);
        let (meaning, remedy) =
            self.codes.iter().filter(|code| counts(code)).find_map(|code| of_code(*code))?;
        let is_device = method == Some(SignInMethod::DeviceCode);
        match remedy {
            Remedy::Policy if is_device => Some((meaning, Remedy::Browser)),
            remedy => Some((meaning, remedy)),
        }
    }

    /// Returns what an error of the protocol means by itself.
    fn of_error(&self) -> (&'static str, Remedy) {
        let is_refresh = self.step == SignInStep::Refresh;
        match self.error.as_str() {
            "access_denied" | "authorization_declined" => ("the sign-in was declined", Remedy::Accept),
            "consent_required" => ("nobody has consented to the app yet", Remedy::Consent),
            "expired_token" => ("the code has expired", Remedy::SignIn),
            "bad_verification_code" => ("the code is not known, or was used already", Remedy::SignIn),
            "invalid_grant" if is_refresh => ("the sign-in is over, or was revoked", Remedy::SignIn),
            "invalid_grant" => ("the code has expired, or was used already", Remedy::SignIn),
            "interaction_required" | "login_required" | "account_selection_required" => {
                ("somebody has to sign in again", Remedy::SignIn)
            }
            "invalid_client" => ("the app registration is not accepted", Remedy::Client),
            "unauthorized_client" => ("the app registration is not allowed this", Remedy::PublicClient),
            "invalid_scope" | "invalid_resource" | "invalid_target" => {
                ("what is asked for is not known", Remedy::Permission)
            }
            "temporarily_unavailable" | "server_error" | "slow_down" => {
                ("the service is busy or broken", Remedy::Later)
            }
            _ if self.is_transient() => ("the service is busy or broken", Remedy::Later),
            _ => ("there is no advice for this error here", Remedy::Administrator),
        }
    }
}

/// Returns what a number of Entra ID's means, and what to do about it.
fn of_code(code: u32) -> Option<(&'static str, Remedy)> {
    Some(match code {
        50074 | 50076 | 50078 => ("the sign-in needs another factor (MFA)", Remedy::SignIn),
        50072 | 50079 => ("the account has no other factor yet (MFA)", Remedy::Enrol),
        50126 => ("the user name or the password is wrong", Remedy::SignIn),
        50053 => ("the account is locked for a while, or signs in from a suspicious address", Remedy::Unlock),
        50055 => ("the password has expired", Remedy::Password),
        50057 => ("the account is disabled", Remedy::Enable),
        50020 | 50034 | 16000 | 51004 | 90072 => ("the account is not in this tenant", Remedy::OtherAccount),
        50105 => ("the account is not assigned to the app", Remedy::Assign),
        53000 | 53001 | 53002 | 50005 => ("a policy asks for a managed device", Remedy::ManagedDevice),
        53003 | 530032 | 530035 | 53011 => ("a policy of the tenant blocks the sign-in", Remedy::Policy),
        65004 => ("the consent was declined", Remedy::Accept),
        65001 | 90094 | 90095 | 650056 => ("nobody has consented to the app yet", Remedy::Consent),
        700016 | 700011 => ("the tenant has no app registration with this client id", Remedy::ClientId),
        7000112 => ("the app is disabled in the tenant", Remedy::EnableApp),
        90002 => ("there is no such tenant", Remedy::ClientId),
        500011 | 650052 => ("the tenant does not have what is asked for", Remedy::Permission),
        650057 | 70011 => ("the app registration may not have what is asked for", Remedy::Permission),
        7000218 => ("the app registration is not public, and no secret was sent", Remedy::PublicClient),
        700025 => ("the app registration is public, and a secret was sent", Remedy::NoSecret),
        7000215 => ("the secret is wrong", Remedy::Secret),
        7000222 => ("the secret has expired", Remedy::Secret),
        50011 | 500113 | 900971 => ("the address to come back to is not registered", Remedy::LoopbackAddress),
        9002327 | 9002326 => ("the app is registered as a single-page application", Remedy::LoopbackAddress),
        50194 | 9001023 => ("the app belongs to one tenant, and none is named", Remedy::Tenant),
        70000 | 70008 | 700082 => {
            ("the sign-in is over: it was not used for long, or revoked", Remedy::SignIn)
        }
        50173 => {
            ("the sign-in was revoked: the password changed, or an administrator did it", Remedy::SignIn)
        }
        70043 => ("the sign-in is over: a policy asks for one every so often", Remedy::SignIn),
        50134 | 90120 | 70018 => ("the code is not known, or was used elsewhere", Remedy::SignIn),
        70019 => ("the code has expired", Remedy::SignIn),
        50196 => ("the service takes the requests for a loop", Remedy::StandBack),
        500021 | 500212 | 500213 => ("the network lets nobody into this tenant", Remedy::TenantRestrictions),
        90038 | 900382 => ("the tenant is in another cloud", Remedy::Authority),
        50033 | 90006 | 90012 | 90024 | 90033 => ("the service is busy or broken", Remedy::Later),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Authority, ClientId, Scope, Tenant};
    use super::*;
    use crate::commands::next_command::spelled;
    use Remedy::*;

    fn refusal(step: SignInStep, error: &str, codes: &[u32]) -> SignInRefusal {
        let body = format!(r#"{{"error":"{error}","error_codes":{codes:?},"correlation_id":"c-1"}}"#);
        SignInRefusal::read(step, 400, &body, &[]).unwrap()
    }

    fn registration() -> Registration {
        Registration {
            authority: Authority::global(),
            tenant: Tenant::parse("contoso.example.com").unwrap(),
            client_id: ClientId::parse("app-1").unwrap(),
            scope: Scope::default(),
            secret: None,
        }
    }

    /// Every row of the table in docs/sign-in.md, whatever the error beside it.
    #[test]
    fn every_number_has_its_remedy() {
        for (codes, wanted) in [
            (&[50074, 50076, 50078][..], SignIn),
            (&[50072, 50079], Enrol),
            (&[50126], SignIn),
            (&[50053], Unlock),
            (&[50055], Password),
            (&[50057], Enable),
            (&[50020, 50034, 16000, 51004, 90072], OtherAccount),
            (&[50105], Assign),
            (&[53000, 53001, 53002, 50005], ManagedDevice),
            (&[53003, 530032, 530035, 53011], Policy),
            (&[65001, 90094, 90095, 650056], Consent),
            (&[65004], Accept),
            (&[700016, 700011, 90002], ClientId),
            (&[7000112], EnableApp),
            (&[500011, 650052, 650057, 70011], Permission),
            (&[7000218], PublicClient),
            (&[700025], NoSecret),
            (&[7000215, 7000222], Secret),
            (&[50011, 500113, 900971, 9002327, 9002326], LoopbackAddress),
            (&[50194, 9001023], Remedy::Tenant),
            (&[70000, 70008, 700082, 50173, 70043], SignIn),
            (&[50134, 90120, 70018, 70019], SignIn),
            (&[50196], StandBack),
            (&[500021, 500212, 500213], TenantRestrictions),
            (&[90038, 900382], Remedy::Authority),
            (&[50033, 90006, 90012, 90024, 90033], Later),
        ] {
            for code in codes {
                let of = |codes: &[u32]| refusal(SignInStep::Refresh, "made_up", codes).advice(None).remedy;
                assert_eq!((of(&[*code]), of(&[1, *code, 65001])), (wanted, wanted), "{code}");
            }
        }
    }

    #[test]
    fn a_policy_against_device_codes_asks_for_a_browser() {
        use SignInMethod::{Browser as B, DeviceCode as D};
        for (step, kept, wanted) in [
            (SignInStep::Poll, None, Browser),
            (SignInStep::DeviceCode, None, Browser),
            (SignInStep::Refresh, Some(D), Browser),
            (SignInStep::Refresh, Some(B), Policy),
            (SignInStep::Refresh, None, Policy),
            (SignInStep::Redeem, Some(D), Policy),
            (SignInStep::Authorize, None, Policy),
        ] {
            assert_eq!(refusal(step, "invalid_grant", &[53003]).advice(kept).remedy, wanted, "{step:?}");
        }
    }

    #[test]
    fn another_sign_in_is_needed_where_it_helps() {
        use SignInMethod::{Browser as B, DeviceCode as D};
        let refused =
            |error, codes| SignInError::Refused(Box::new(refusal(SignInStep::Refresh, error, codes)));
        let other = SignInError::OtherTenant { asked: "a".to_owned(), came: "b".to_owned() };
        for (error, kept, wanted) in [
            (refused("invalid_grant", &[70008]), B, Some(NeededSignIn::Any)),
            (refused("invalid_grant", &[53003]), B, Some(NeededSignIn::Any)),
            (refused("invalid_grant", &[53003]), D, Some(NeededSignIn::Browser)),
            (refused("interaction_required", &[50076]), D, Some(NeededSignIn::Any)),
            (refused("invalid_client", &[7_000_218]), D, None),
            (refused("temporarily_unavailable", &[]), D, None),
            (SignInError::Unavailable { status: 503, retry_after: None }, D, None),
            (SignInError::BadAnswer(String::new()), D, None),
            (other, D, Some(NeededSignIn::Any)),
        ] {
            assert_eq!(error.needs_sign_in(kept), wanted, "{error}");
        }
    }

    #[test]
    fn an_error_without_a_known_number_has_its_remedy() {
        use SignInStep::{Authorize, DeviceCode as Device, Poll, Redeem, Refresh};
        for (step, error, codes, wanted, meaning) in [
            (Authorize, "access_denied", &[][..], Accept, "the sign-in was declined"),
            (Poll, "authorization_declined", &[], Accept, "the sign-in was declined"),
            (Authorize, "consent_required", &[1], Consent, "nobody has consented to the app yet"),
            (Poll, "expired_token", &[], SignIn, "the code has expired"),
            (Poll, "bad_verification_code", &[], SignIn, "the code is not known, or was used already"),
            (Refresh, "invalid_grant", &[], SignIn, "the sign-in is over, or was revoked"),
            (Redeem, "invalid_grant", &[70000], SignIn, "the code has expired, or was used already"),
            (Poll, "invalid_grant", &[70008], SignIn, "the code has expired, or was used already"),
            (Refresh, "interaction_required", &[], SignIn, "somebody has to sign in again"),
            (Refresh, "login_required", &[], SignIn, "somebody has to sign in again"),
            (Authorize, "account_selection_required", &[], SignIn, "somebody has to sign in again"),
            (Redeem, "invalid_client", &[], Client, "the app registration is not accepted"),
            (Device, "unauthorized_client", &[], PublicClient, "the app registration is not allowed this"),
            (Authorize, "invalid_scope", &[], Permission, "what is asked for is not known"),
            (Authorize, "invalid_target", &[], Permission, "what is asked for is not known"),
            (Authorize, "invalid_resource", &[], Permission, "what is asked for is not known"),
            (Authorize, "temporarily_unavailable", &[], Later, "the service is busy or broken"),
            (Authorize, "server_error", &[], Later, "the service is busy or broken"),
            (Refresh, "slow_down", &[], Later, "the service is busy or broken"),
            (Refresh, "something_new", &[999], Administrator, "there is no advice for this error here"),
        ] {
            let advice = refusal(step, error, codes).advice(None);
            assert_eq!((advice.remedy, advice.meaning), (wanted, meaning), "{step:?} {error}");
        }
    }

    #[test]
    fn what_is_no_refusal_has_its_remedy_too() {
        let unreachable = |is_tls| SignInError::Unreachable { message: String::new(), is_tls };
        for (error, wanted) in [
            (unreachable(true), Certificates),
            (unreachable(false), Network),
            (SignInError::NoAnswer { message: String::new() }, Network),
            (SignInError::Unavailable { status: 503, retry_after: None }, Later),
            (SignInError::BadAnswer(String::new()), Address),
            (IdTokenError::Audience.into(), SignIn),
            (SignInError::NobodyCame(std::time::Duration::from_mins(10)), DeviceCode),
            (SignInError::CodeExpired, SignIn),
            (SignInError::NoPort(String::new()), DeviceCode),
            (SignInError::NoChance(String::new()), Report),
        ] {
            assert_eq!(error.advice(None).remedy, wanted, "{error}");
        }
    }

    /// Each remedy says something of its own, and names what is to be found in the profile.
    #[test]
    fn every_remedy_is_worded() {
        let mut worded = BTreeMap::new();
        let all = [
            SignIn,
            Accept,
            Enrol,
            Unlock,
            Password,
            Enable,
            OtherAccount,
            Assign,
            ManagedDevice,
            Policy,
            Browser,
            DeviceCode,
            Consent,
            Remedy::ClientId,
            Client,
            EnableApp,
            Permission,
            PublicClient,
            NoSecret,
            Secret,
            LoopbackAddress,
            Remedy::Tenant,
            Remedy::Authority,
            TenantRestrictions,
            Certificates,
            Network,
            Address,
            Clock,
            Later,
            StandBack,
            Report,
        ];
        for remedy in all {
            let words = spelled(&remedy.wording(&registration()));
            assert!(words.len() < 300 && !words.ends_with('.'), "{words}");
            assert_eq!(worded.insert(words, remedy), None, "two remedies have the same words");
        }
        for (error, codes, wanted) in [
            (
                "a",
                &[65001][..],
                "have an administrator open https://login.microsoftonline.com/contoso.example.com/adminconsent?client_id=app-1 and accept; they find it by the correlation id c-1",
            ),
            (
                "a",
                &[53003],
                "ask an administrator of contoso.example.com; they find it by the correlation id c-1",
            ),
            (
                "a",
                &[50020],
                "sign in with an account of contoso.example.com, or name the account's own tenant with --tenant",
            ),
            (
                "a",
                &[700016],
                "compare with the overview of the app registration: --client-id is app-1, --tenant is contoso.example.com",
            ),
            ("a", &[50076], "sign in again"),
            (
                "access_denied",
                &[],
                "sign in again, and accept what is asked (where only an administrator may, have one open https://login.microsoftonline.com/contoso.example.com/adminconsent?client_id=app-1 and accept)",
            ),
            (
                "invalid_client",
                &[],
                "compare with the overview of the app registration: --client-id is app-1, --tenant is contoso.example.com; where these are right, it is not public: under Authentication, set \"Allow public client flows\" to Yes",
            ),
        ] {
            let advice = refusal(SignInStep::Refresh, error, codes).advice(None);
            assert_eq!(spelled(&advice.hint(&registration())), wanted);
        }
    }
}
