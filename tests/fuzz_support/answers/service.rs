//! The client, against a service that gives one answer.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use referral_bulk::api::{Auth, Client, ClientSettings, Endpoint};
use referral_bulk::domain::exchange::Journaled;
use referral_bulk::domain::referral::{ETag, ReferralId};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use super::{NOW, TOKEN, id};

/// The same change as it is sent.
pub struct Sent;

impl Journaled for Sent {
    fn id(&self) -> ReferralId {
        id()
    }

    fn etag(&self) -> Option<&ETag> {
        None
    }

    fn document(&self) -> &str {
        r#"[{"op":"replace","path":"/details/notes","value":"Called"}]"#
    }

    fn request_id(&self) -> Uuid {
        Uuid::nil()
    }

    fn client_request_id(&self) -> Uuid {
        Uuid::max()
    }
}

/// A service on this machine, and a client that knows it. Both live on one thread, so that nothing
/// happens by chance.
pub struct Service {
    pub runtime: Runtime,
    pub client: Client,
    pub exchange: Arc<Mutex<Exchange>>,
}

/// What is answered to whatever is asked, and what was asked.
#[derive(Default)]
pub struct Exchange {
    pub answer: Vec<u8>,
    pub asked: Vec<String>,
}

impl Service {
    pub fn begin() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let exchange = Arc::<Mutex<Exchange>>::default();
        runtime.spawn(serve(listener, Arc::clone(&exchange)));
        let endpoint = Endpoint::parse(&format!("http://{address}/v1.0")).expect("an endpoint");
        let settings = ClientSettings {
            timeout: Duration::from_secs(60),
            correlation_id: Uuid::nil(),
            clock: || NOW.get(),
        };
        let client = Client::new(endpoint, Auth::fixed(TOKEN.into()), settings).expect("a client");
        Self { runtime, client, exchange }
    }

    pub fn will_answer(&self, wire: &[u8]) {
        let mut exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        *exchange = Exchange { answer: wire.to_owned(), asked: Vec::new() };
    }

    pub fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.exchange.lock().unwrap_or_else(PoisonError::into_inner).asked)
    }
}

async fn serve(listener: TcpListener, exchange: Arc<Mutex<Exchange>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, Arc::clone(&exchange)));
    }
}

/// Answers until the client has enough of it.
async fn connection(stream: TcpStream, exchange: Arc<Mutex<Exchange>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a length"))];
        stream.read_exact(&mut body).await?;
        let answer = {
            let mut exchange = exchange.lock().unwrap_or_else(PoisonError::into_inner);
            exchange.asked.push(head.lines().next().unwrap_or_default().to_owned());
            exchange.answer.clone()
        };
        stream.write_all(&answer).await?;
    }
}
