//! Files that are compressed with gzip, unpacked while they are read.
//!
//! Whether a file is compressed is told by its first bytes; a name that ends in `.gz` must agree. A file may
//! have several members one after the other, as `cat a.gz b.gz` and some programs write it. Its end is certain:
//! a member that ends early, one with a wrong checksum, and anything behind the last member are errors, since
//! what was unpacked may be half of what was written.
//!
//! Whatever reads a file streams it, so how much it unpacks to costs time and no memory. What is made to waste
//! time is refused all the same: see [`FREE`] and [`RATIO`].

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;

/// The number of unpacked bytes up to which no ratio is looked at.
const FREE: u64 = 1 << 30;

/// How many times as large as the compressed file its content may be, beyond [`FREE`]. Every row names a
/// referral by an id whose 16 bytes nothing can compress: a file meets this only if its rows have 8 KB each on
/// average and hold nothing else that differs.
const RATIO: u64 = 500;

/// The first bytes of a gzip file.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The number of bytes that are read at a time.
const BLOCK: usize = 64 * 1024;

/// What is wrong with a compressed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GzipError {
    /// Its bytes end before its data does.
    #[error("its compressed data ends early")]
    EndsEarly,
    /// Its data contradicts itself or its checksum.
    #[error("its compressed data is damaged")]
    Damaged,
    /// Something else follows its data.
    #[error("something that is not gzip follows its compressed data")]
    Followed,
    /// It unpacks to what no file of referrals unpacks to.
    #[error("it unpacks to more than {RATIO} times its size")]
    Absurd,
    /// It has the name of a compressed file alone.
    #[error("its name ends in .gz, and it is not compressed with gzip")]
    NotCompressed,
}

impl GzipError {
    /// Returns what is wrong with a compressed file, where this is why it could not be read.
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }

    /// Returns what would help.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::EndsEarly | Self::Damaged => "copy or download the file again, as a whole",
            Self::Followed => "unpack it with gzip, which says what follows, and give the file that you get",
            Self::Absurd => "no file of referrals does that; unpack it yourself if you know what it is",
            Self::NotCompressed => "take .gz from its name if it was unpacked already, or copy it again",
        }
    }
}

impl From<GzipError> for io::Error {
    fn from(error: GzipError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// The content of a file, ready to be read.
pub(super) struct Content<'a> {
    /// Its bytes, unpacked.
    pub bytes: Box<dyn Read + 'a>,
    /// Whether they were compressed.
    pub is_compressed: bool,
}

impl Content<'_> {
    /// Returns the first bytes, and leaves them to be read.
    pub fn head(&mut self) -> io::Result<[u8; 4]> {
        let (mut head, mut read) = ([0; 4], Vec::new());
        self.bytes.by_ref().take(head.len() as u64).read_to_end(&mut read)?;
        head[..read.len()].copy_from_slice(&read);
        let rest = std::mem::replace(&mut self.bytes, Box::new(io::empty()));
        self.bytes = Box::new(Cursor::new(read).chain(rest));
        Ok(head)
    }
}

/// Looks at the first bytes of a file, and unpacks it where it is compressed. Once the content was read to its
/// end, so was the file.
///
/// # Errors
/// Where the file can't be read, or has the name of a compressed file and isn't one.
pub(super) fn open<'a>(path: &Path, mut file: impl Read + 'a) -> io::Result<Content<'a>> {
    let mut head = Vec::new();
    file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut head)?;
    let is_compressed = head == MAGIC;
    let is_named = is_gzip(path);
    if is_named && !is_compressed {
        let is_cut = MAGIC.starts_with(&head);
        return Err(if is_cut { GzipError::EndsEarly } else { GzipError::NotCompressed }.into());
    }
    let whole = Cursor::new(head).chain(file);
    let bytes: Box<dyn Read + 'a> =
        if is_compressed { Box::new(Unpacker::of(whole)) } else { Box::new(whole) };
    Ok(Content { bytes, is_compressed })
}

/// Returns the path without the ending of compressed files: what is left tells the form of the content.
pub(super) fn inner(path: &(impl AsRef<Path> + ?Sized)) -> PathBuf {
    let path = path.as_ref();
    if is_gzip(path) { path.with_extension("") } else { path.to_owned() }
}

/// Returns whether a file's name ends as those of compressed files do.
pub fn is_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
}

/// A reader of what a gzip file holds.
struct Unpacker<R> {
    /// The member that is being read; `None` behind the last one.
    member: Option<GzDecoder<BufReader<Counted<R>>>>,
    unpacked: u64,
}

impl<R: Read> Unpacker<R> {
    fn of(file: R) -> Self {
        let file = BufReader::with_capacity(BLOCK, Counted { bytes: file, count: 0 });
        Self { member: Some(GzDecoder::new(file)), unpacked: 0 }
    }

    /// Goes on behind a member that was read to its end.
    fn next_member(&mut self) -> io::Result<()> {
        let Some(mut file) = self.member.take().map(GzDecoder::into_inner) else { return Ok(()) };
        let follows = file.fill_buf()?;
        if follows.is_empty() {
            return Ok(());
        }
        if follows[0] != MAGIC[0] {
            return Err(GzipError::Followed.into());
        }
        self.member = Some(GzDecoder::new(file));
        Ok(())
    }

    /// Counts what was unpacked.
    fn count(&mut self, count: usize) -> io::Result<usize> {
        self.unpacked += count as u64;
        let packed = self.member.as_ref().map_or(0, |member| member.get_ref().get_ref().count);
        if self.unpacked > FREE.max(packed.saturating_mul(RATIO)) {
            return Err(GzipError::Absurd.into());
        }
        Ok(count)
    }
}

impl<R: Read> Read for Unpacker<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            match member.read(buffer) {
                Ok(0) if !buffer.is_empty() => self.next_member()?,
                Ok(count) => return self.count(count),
                Err(error) => return Err(told(error)),
            }
        }
        Ok(0)
    }
}

/// Returns an error of unpacking as what it means; one of the system stays as it is.
fn told(error: io::Error) -> io::Error {
    match error.kind() {
        _ if error.raw_os_error().is_some() => error,
        io::ErrorKind::UnexpectedEof => GzipError::EndsEarly.into(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => GzipError::Damaged.into(),
        _ => error,
    }
}

/// A reader that counts the bytes that pass.
struct Counted<R> {
    bytes: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.count += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use sha2::{Digest, Sha256};

    use super::super::hashing::{HashingReader, hex};
    use super::super::tests::gzip;
    use super::*;

    /// What a file of this name holds; or what is wrong with it, and how much was read before.
    fn read(path: &str, file: &[u8]) -> Result<Vec<u8>, (GzipError, usize)> {
        let (hash, mut content) = (RefCell::new(Sha256::new()), Vec::new());
        let hashing = HashingReader { bytes: file, hash: &hash };
        let read = open(Path::new(path), hashing).and_then(|mut file| file.bytes.read_to_end(&mut content));
        match read {
            Ok(_) => {
                let sum: String = Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(hex(&hash), sum, "the checksum is that of the file's own bytes");
                Ok(content)
            }
            Err(error) => Err((GzipError::of(&error).unwrap(), content.len())),
        }
    }

    #[test]
    fn what_was_compressed_is_read_whatever_its_name() {
        let text = b"id,status\n";
        let several = [gzip(b"id,"), gzip(b""), gzip(b"status\n")].concat();
        for path in ["a.csv.gz", "a.CSV.GZ", "a.csv", "a.gz", "-"] {
            assert_eq!(read(path, &gzip(text)).unwrap(), text, "{path}");
            assert_eq!(read(path, &several).unwrap(), text, "{path}");
        }
        assert_eq!(read("a.csv", text).unwrap(), text);
        assert_eq!(read("a.csv", b"").unwrap(), b"");
    }

    #[test]
    fn a_file_that_is_not_whole_is_refused_wherever_it_ends() {
        let file = [gzip(b"id,status\n"), gzip(b"x,New\n")].concat();
        let first = gzip(b"id,status\n").len();
        for length in (0..file.len()).filter(|length| *length != first) {
            let told = read("a.csv.gz", &file[..length]).unwrap_err().0;
            assert_eq!(told, GzipError::EndsEarly, "{length}");
        }
    }

    #[test]
    fn a_file_that_is_damaged_or_goes_on_is_refused() {
        let text = b"id,status\nx,New\n";
        let whole = gzip(text);
        let end = whole.len();
        // Neither time, nor flags that mean nothing, nor the system are checked by anything.
        for at in (0..end).filter(|at| !(3..10).contains(at)) {
            let mut file = whole.clone();
            file[at] ^= 0x10;
            // Some bits between the data and its checksum mean nothing.
            let told = read("a.csv.gz", &file);
            assert!(told.as_ref().map_or(true, |content| content == text), "{at}: {told:?}");
        }
        for rest in [&b"\n"[..], b"\0\0", b"id,status\n", b"PK\x03\x04"] {
            assert_eq!(read("a.csv", &[&whole, rest].concat()).unwrap_err().0, GzipError::Followed);
        }
        let other = [&whole[..], b"\x1f\x8b\x09"].concat();
        assert!(matches!(read("a.csv", &other).unwrap_err().0, GzipError::Damaged | GzipError::EndsEarly));
    }

    #[test]
    fn a_name_that_says_gzip_must_be_true() {
        for (file, wanted) in [
            (&b""[..], GzipError::EndsEarly),
            (b"\x1f", GzipError::EndsEarly),
            (b"i", GzipError::NotCompressed),
            (b"id,status\n", GzipError::NotCompressed),
            (b"PK\x03\x04", GzipError::NotCompressed),
        ] {
            assert_eq!(read("a.csv.gz", file), Err((wanted, 0)));
        }
    }

    /// Zeros without end, a block at a time.
    struct Zeros {
        member: Vec<u8>,
        at: usize,
    }

    impl Read for Zeros {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let rest = &self.member[self.at..];
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            self.at = (self.at + count) % self.member.len();
            Ok(count)
        }
    }

    #[test]
    fn what_is_made_to_waste_time_is_refused() {
        let zeros = Zeros { member: gzip(&vec![b'\n'; 1 << 20]), at: 0 };
        let mut file = open(Path::new("a.csv.gz"), zeros).unwrap();
        let mut unpacked = 0;
        let mut buffer = vec![0; 1 << 16];
        let told = loop {
            match file.bytes.read(&mut buffer) {
                Ok(count) => unpacked += count as u64,
                Err(error) => break GzipError::of(&error).unwrap(),
            }
        };
        assert_eq!((told, unpacked >> 20), (GzipError::Absurd, FREE >> 20));
    }

    #[test]
    fn the_form_is_told_by_the_name_within() {
        for (path, wanted) in [
            ("a.csv.gz", "a.csv"),
            ("d.gz/a.JSONL.GZ", "d.gz/a.JSONL"),
            ("a.gz", "a"),
            ("a.csv", "a.csv"),
            ("-", "-"),
            (".gz", ".gz"),
        ] {
            assert_eq!(inner(path), Path::new(wanted), "{path}");
        }
    }
}
