//! Somebody in front of a browser: follows redirects, with cookies.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

use reqwest::Url;

/// A page, as it came.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Page {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// Which address `localhost` is taken for.
#[derive(Debug, Clone, Copy)]
pub enum Localhost {
    V4,
    V6,
}

/// Opens an address and follows where it leads, to the last page. `localhost` is this address.
pub fn open(url: &str, localhost: Localhost) -> Page {
    let mut cookies = BTreeMap::new();
    let (mut url, mut left) = (Url::parse(url).unwrap(), 20);
    loop {
        let page = get(&url, localhost, &cookies);
        let set = page.headers.iter().filter(|(name, _)| name == "set-cookie");
        cookies.extend(set.filter_map(|(_, value)| {
            let (name, value) = value.split(';').next()?.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        }));
        let Some(next) = page.header("location").filter(|_| (300..400).contains(&page.status)) else {
            return page;
        };
        url = url.join(next).unwrap();
        left -= 1;
        assert!(left > 0, "redirected in a circle: {url}");
    }
}

/// Follows where an address leads, up to the redirect to `localhost`, which is not opened but returned.
pub fn address_at_the_end(url: &str) -> String {
    let mut cookies = BTreeMap::new();
    let mut url = Url::parse(url).unwrap();
    while url.host_str() != Some("localhost") {
        let page = get(&url, Localhost::V4, &cookies);
        for (_, value) in page.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        url = url.join(page.header("location").unwrap_or_else(|| panic!("{page:?}"))).unwrap();
    }
    url.into()
}

fn get(url: &Url, localhost: Localhost, cookies: &BTreeMap<String, String>) -> Page {
    let cookies: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let host = match (url.host_str().unwrap(), localhost) {
        ("localhost", Localhost::V6) => "::1",
        ("localhost", Localhost::V4) => "127.0.0.1",
        (host, _) => host,
    };
    let head = format!("GET {path} HTTP/1.1\r\ncookie: {}\r\n", cookies.join("; "));
    send((host, url.port().unwrap()), &head, "")
}

/// Posts JSON.
pub fn post(url: &str, json: &str) -> String {
    let url = Url::parse(url).unwrap();
    let head = format!("POST {} HTTP/1.1\r\ncontent-length: {}\r\n", url.path(), json.len());
    let page = send((url.host_str().unwrap(), url.port().unwrap()), &head, json);
    assert_eq!(page.status, 200, "{url}: {page:?}");
    page.body
}

fn send(address: (&str, u16), head: &str, body: &str) -> Page {
    let mut stream = TcpStream::connect(address).unwrap();
    let host = format!("host: 127.0.0.1:{}\r\n", address.1);
    stream.write_all(format!("{head}{host}connection: close\r\n\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Page { status, headers, body: body.to_owned() }
}
