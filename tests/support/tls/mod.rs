//! A server whose certificate nobody trusts, as a company's proxy that looks into TLS is to a machine that doesn't know it.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

/// Signed by an authority that is kept nowhere, for `localhost` and 127.0.0.1.
const CERTIFICATE: &[u8] = include_bytes!("untrusted.der");
const KEY: &[u8] = include_bytes!("untrusted.key.der");

/// Serves as long as the test process lives. No client gets as far as a request.
pub fn untrusted() -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::try_from(KEY).unwrap();
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key);
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let config = Arc::clone(&config);
            thread::spawn(move || {
                let mut connection = ServerConnection::new(config).unwrap();
                // The client breaks it off.
                while connection.is_handshaking() && connection.complete_io(&mut stream).is_ok() {}
            });
        }
    });
    address
}
