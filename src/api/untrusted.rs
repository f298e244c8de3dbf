//! Why a server is not trusted: what TLS found wrong with its certificate, in words that tell what to do.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::CertificateError;

/// What is wrong with a server's certificate, so that no connection is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untrusted {
    /// Nobody whom this machine trusts has signed it.
    Issuer,
    /// It is not valid at the time that this machine's clock shows.
    Time,
    /// It is for another host.
    Name,
    /// Something else.
    Other,
}

impl Untrusted {
    /// Returns what was found wrong with a certificate, where that is why a request failed.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref().and_then(Self::found) {
                return Some(found);
            }
            // An I/O error doesn't name what it wraps as its source, but that one's.
            let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            next = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source());
        }
        None
    }

    fn found(error: &rustls::Error) -> Option<Self> {
        use CertificateError as Found;
        let rustls::Error::InvalidCertificate(found) = error else { return None };
        Some(match found {
            Found::UnknownIssuer => Self::Issuer,
            Found::Expired
            | Found::ExpiredContext { .. }
            | Found::NotValidYet
            | Found::NotValidYetContext { .. } => Self::Time,
            Found::NotValidForName | Found::NotValidForNameContext { .. } => Self::Name,
            _ => Self::Other,
        })
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Issuer => "nobody whom this machine trusts has signed the server's certificate",
            Self::Time => "the server's certificate is not valid at the time of this machine's clock",
            Self::Name => "the server's certificate is for another host",
            Self::Other => "the server's certificate is not valid",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_certificate_is_found_however_deep_it_lies() {
        for (found, wanted) in [
            (CertificateError::UnknownIssuer, Some(Untrusted::Issuer)),
            (CertificateError::Expired, Some(Untrusted::Time)),
            (CertificateError::NotValidYet, Some(Untrusted::Time)),
            (CertificateError::NotValidForName, Some(Untrusted::Name)),
            (CertificateError::Revoked, Some(Untrusted::Other)),
        ] {
            let error = rustls::Error::InvalidCertificate(found);
            let within = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, error.clone()));
            assert_eq!(Untrusted::of(&error), wanted);
            assert_eq!(Untrusted::of(&within), wanted);
        }
        let other = io::Error::other(rustls::Error::DecryptError);
        assert_eq!(Untrusted::of(&other), None);
    }
}
