//! Answers that have no end.

use Body::{Bomb, Drip, Endless, HeaderDrip, Headers, Long};

use super::*;

/// Answers that no client should wait for the end of.
#[derive(Debug, Clone, Copy)]
enum Body {
    /// A length that is 100 MB, and as much.
    Long,
    /// Chunk after chunk.
    Endless,
    /// The same, of a thousandth of the size that it unfolds to.
    Bomb,
    /// A byte now and then, within a length.
    Drip,
    /// Header after header.
    Headers,
    /// A byte of a header now and then.
    HeaderDrip,
}

const LONG: usize = 100 << 20;

/// What the system may hold of a stream that is written and not read: Linux lets a receiver's buffer grow
/// to 32 MiB, and a sender's to 4.
const BUFFERS: usize = 40 << 20;

/// What is asked, what is answered, how the run ends, in how many requests of the kind that meet it, how
/// much of it the program may read, and the row's message.
type Case = (&'static str, Body, &'static str, usize, usize, &'static str);

const MUCH: &str = "the referral could not be read: answered 200 with more than 4194304 bytes";

const LATE: &str = "the referral could not be read: no answer within 1s";
const BROKEN: &str = "the referral could not be read: error sending request: client error (SendRequest): \
                          message head is too large";

const CASES: [Case; 18] = [
    ("GET", Long, "1 failed", 5, 4 << 20, MUCH),
    ("GET", Endless, "1 failed", 5, 4 << 20, MUCH),
    ("GET", Bomb, "1 failed", 5, 4 << 10, MUCH),
    ("GET", Drip, "1 failed", 5, 1000, LATE),
    ("GET", Headers, "1 failed", 5, 1 << 20, BROKEN),
    ("GET", HeaderDrip, "1 failed", 5, 1000, LATE),
    ("PATCH", Long, "1 applied", 1, 4 << 20, ""),
    ("PATCH", Endless, "1 applied", 1, 4 << 20, ""),
    ("PATCH", Bomb, "1 applied", 1, 4 << 10, ""),
    ("PATCH", Drip, "1 applied", 1, 1000, ""),
    ("PATCH", Headers, "1 applied", 1, 1 << 20, ""),
    ("PATCH", HeaderDrip, "1 applied", 1, 1000, ""),
    ("list", Long, "2 applied", 5, 16 << 20, ""),
    ("list", Endless, "2 applied", 5, 16 << 20, ""),
    ("list", Bomb, "2 applied", 5, 16 << 10, ""),
    ("list", Drip, "2 applied", 5, 1000, ""),
    ("list", Headers, "2 applied", 5, 1 << 20, ""),
    ("list", HeaderDrip, "2 applied", 5, 1000, ""),
];

#[test]
fn without_end_are_given_up_early() {
    each(&CASES, |(on, body, outcome, times, most, message)| {
        let (service, written) = service(on, *body);
        let ids: &[&str] = if *on == "list" { &[ONE, TWO] } else { &[ONE] };
        let timeout = if matches!(body, Drip | HeaderDrip) { "1s" } else { "2m" };
        let ran = Test::new(&format!("apply a.csv --out run --timeout {timeout} {QUIET}"))
            .file("a.csv", notes_csv(ids))
            .service(&service.base)
            .code(if outcome.ends_with("applied") { 0 } else { 3 })
            .told_elsewhere()
            .run();
        assert_eq!(ran.outcomes("run"), *outcome, "{on} {body:?}: {}", ran.stderr);
        let written = written.lock().unwrap();
        assert_eq!(written.len(), *times, "{on} {body:?}");
        let longest = *written.iter().max().unwrap();
        assert!(longest <= most + BUFFERS, "{on} {body:?}: {longest} bytes of it were taken");
        let row = ran.place.raw("run/outcomes.jsonl");
        let row: Value = serde_json::from_str(row.lines().next().unwrap()).unwrap();
        assert_eq!(row["message"], *message, "{on} {body:?}");
    });
    let most = memory();
    assert!(most < 256 << 20, "a run took {most} bytes of memory");
}

/// The most that any process took that this one has started and seen end.
fn memory() -> usize {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap();
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    usize::try_from(usage.max_rss()).unwrap() * unit
}

/// A service that answers like this to one kind of request, and how much of each such answer it got rid
/// of. Once a PATCH came, the referral carries the change.
fn service(on: &'static str, body: Body) -> (Wire, Arc<Mutex<Vec<usize>>>) {
    let written = Arc::new(Mutex::new(Vec::new()));
    let (log, sent) = (Arc::clone(&written), AtomicBool::new(false));
    let service = Wire::stream(move |request, out| {
        let is_list = request.about() == "referrals";
        let kind = if is_list { "list" } else { request.method.as_str() };
        if request.method == "PATCH" {
            sent.store(true, Ordering::SeqCst);
        }
        if kind == on {
            let at = {
                let mut log = log.lock().unwrap();
                log.push(0);
                log.len() - 1
            };
            return pour(body, out, |count| log.lock().unwrap()[at] += count);
        }
        let mut referral = sample_referral(request.about());
        if sent.load(Ordering::SeqCst) {
            referral["details"]["notes"] = json!("Called");
            referral["eTag"] = json!("\"moved\"");
        }
        out.write_all(&wire::answer("200 x", "", referral.to_string()))
    });
    (service, written)
}

/// Writes until the client has enough.
fn pour(body: Body, out: &mut TcpStream, mut wrote: impl FnMut(usize)) -> io::Result<()> {
    let blanks = vec![b' '; 1 << 16];
    let (head, piece) = match body {
        Long => (format!("content-length: {LONG}\r\n"), blanks),
        Endless => ("transfer-encoding: chunked\r\n".to_owned(), chunk(&blanks)),
        Bomb => ("transfer-encoding: chunked\r\ncontent-encoding: gzip\r\n".to_owned(), chunk(&folded())),
        Drip => (format!("content-length: {LONG}\r\n"), vec![b' ']),
        Headers => (String::new(), [b"x-more: ", &blanks[..1 << 10], b"x\r\n"].concat()),
        HeaderDrip => (String::new(), vec![b'x']),
    };
    let end = if matches!(body, Headers | HeaderDrip) { "" } else { "connection: close\r\n\r\n" };
    write!(out, "HTTP/1.1 200 OK\r\n{head}{end}")?;
    if matches!(body, Bomb) {
        // The head of a gzip file without a name: RFC 1952, section 2.3.
        out.write_all(&chunk(b"\x1f\x8b\x08\0\0\0\0\0\0\xff"))?;
    }
    let mut left = if matches!(body, Endless | Bomb | Headers) { usize::MAX } else { LONG };
    while left > 0 {
        out.write_all(&piece)?;
        wrote(piece.len());
        left = left.saturating_sub(piece.len());
        if matches!(body, Drip | HeaderDrip) {
            thread::sleep(Duration::from_millis(100));
        }
    }
    Ok(())
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// A MiB of blanks as a piece of a deflate stream that can be repeated without end.
fn folded() -> Vec<u8> {
    let mut piece = Vec::with_capacity(1 << 16);
    let mut fold = flate2::Compress::new(flate2::Compression::best(), false);
    fold.compress_vec(&vec![b' '; 1 << 20], &mut piece, flate2::FlushCompress::Full).unwrap();
    assert!(piece.len() < 2 << 10 && fold.total_in() == 1 << 20, "{} bytes", piece.len());
    piece
}
