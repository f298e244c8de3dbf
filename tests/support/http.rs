//! As much HTTP as a test needs to look at a referral: one GET, one connection.

use std::io::{Read, Write};
use std::net::TcpStream;

/// Gets a URL on this machine; answers the status and the body.
pub fn get(url: &str) -> (u16, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let headers = "authorization: Bearer a-test-looks\r\ncontent-type: application/json\r\nconnection: close";
    let id = uuid::Uuid::new_v4();
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nclient-request-id: {id}\r\n{headers}\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
