//! The least that can answer a PATCH as the service does: 200 and the changed referral, which is what
//! `Prefer: return=representation` asks for. Every answer is made beforehand, and nothing is checked,
//! so that the two cores belong to whoever is measured.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::data;

/// Longer than any request here.
const LARGEST_REQUEST: usize = 64 << 10;

type Answers = HashMap<String, Vec<u8>>;

/// Serves so many referrals until the process is ended, and prints its base URL as a line.
pub fn serve(referrals: u64) -> io::Result<()> {
    let answers = Arc::new((0..referrals).map(|number| (data::id(number), answer(number))).collect());
    tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("http://{}/v1.0", listener.local_addr()?);
        io::stdout().flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(connection(stream, Arc::clone(&answers)));
        }
    })
}

fn answer(number: u64) -> Vec<u8> {
    let body = data::after(number);
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// Answers one request after another. A client that breaks off ends its connection and nothing else.
async fn connection(mut stream: TcpStream, answers: Arc<Answers>) -> io::Result<()> {
    let mut buffer = vec![0; LARGEST_REQUEST];
    let mut filled = 0;
    loop {
        match request(&buffer[..filled]) {
            Some((length, id)) => {
                let answer = answers
                    .get(id)
                    .map_or(&b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"[..], Vec::as_slice);
                stream.write_all(answer).await?;
                buffer.copy_within(length..filled, 0);
                filled -= length;
            }
            None => match stream.read(&mut buffer[filled..]).await? {
                0 => return Ok(()),
                more => filled += more,
            },
        }
    }
}

/// The first whole request in a buffer: how long it is, and which referral it is about.
fn request(buffer: &[u8]) -> Option<(usize, &str)> {
    let end = buffer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&buffer[..end]).ok()?;
    let path = head.split(' ').nth(1)?;
    let body: usize =
        head.lines().find_map(|line| line.strip_prefix("content-length: "))?.trim().parse().ok()?;
    (buffer.len() >= end + body).then(|| (end + body, path.rsplit('/').next().unwrap_or_default()))
}
