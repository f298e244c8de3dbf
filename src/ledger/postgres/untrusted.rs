//! What is wrong with a server's certificate or its TLS, in words that tell what to do.

use std::error::Error;
use std::io;

use rustls_tokio_postgres::rustls::{CertificateError, Error as TlsError};

/// Returns what is wrong with a server's certificate or its TLS, where that is why a connection failed.
pub(super) fn found_wrong(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(words(found));
        }
        // An I/O error doesn't name what it wraps as its source, but that one's.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

fn words(found: &TlsError) -> String {
    use CertificateError as Found;
    let TlsError::InvalidCertificate(found) = found else { return format!("TLS failed ({found})") };
    let what = match found {
        Found::UnknownIssuer => "nobody whom this machine trusts has signed the server's certificate",
        Found::Expired
        | Found::ExpiredContext { .. }
        | Found::NotValidYet
        | Found::NotValidYetContext { .. } => {
            "the server's certificate is not valid at the time of this machine's clock"
        }
        Found::NotValidForName | Found::NotValidForNameContext { .. } => {
            "the server's certificate is for another host"
        }
        other => return format!("the server's certificate is not valid ({other})"),
    };
    what.to_owned()
}
