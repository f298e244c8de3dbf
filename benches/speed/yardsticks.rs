//! What the program is held against: the same requests without a journal, the same files without a plan.

use std::fs::File;
use std::io::{BufRead, BufReader, Error, Result};
use std::path::Path;
use std::time::Duration;

use calamine::{Reader, Xlsx, XlsxError};
use futures::StreamExt;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_MATCH};
use uuid::Uuid;

use super::data;

/// The token that both sides send.
pub const TOKEN: &str = "a-token-of-the-length-that-nobody-would-take-for-a-real-one";

/// Sends every request of a file, a line each of id, eTag and document between tabs, and reads every
/// answer to its end. The headers, the connections and the runtime are those of the program.
pub fn send(endpoint: &str, requests: &Path, concurrency: usize) -> Result<()> {
    let client = reqwest::Client::builder()
        .user_agent("referral-bulk/0.1.0")
        .timeout(Duration::from_secs(30))
        .connect_timeout(Duration::from_secs(10))
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(Error::other)?;
    let run = Uuid::new_v4();
    let lines = BufReader::with_capacity(1 << 16, File::open(requests)?).lines();
    let sent = futures::stream::iter(lines)
        .map(|line| {
            let (client, line) = (&client, line);
            async move { one(client, endpoint, run, &line?).await }
        })
        .buffer_unordered(concurrency)
        .fold(Ok(()), |all, one| async { all.and(one) });
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(sent)
}

async fn one(client: &reqwest::Client, endpoint: &str, run: Uuid, line: &str) -> Result<()> {
    let mut parts = line.splitn(3, '\t');
    let (Some(id), Some(etag), Some(document)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Error::other("a line has too few parts"));
    };
    let text = |text: &str| HeaderValue::from_str(text).map_err(Error::other);
    let change = Uuid::new_v4().to_string();
    let headers = HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("application/json")),
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (HeaderName::from_static("client-request-id"), text(&Uuid::new_v4().to_string())?),
        (HeaderName::from_static("ms-correlationid"), text(&run.to_string())?),
        (HeaderName::from_static("request-id"), text(&change)?),
        (HeaderName::from_static("ms-requestid"), text(&change)?),
        (HeaderName::from_static("prefer"), HeaderValue::from_static("return=representation")),
        (IF_MATCH, text(etag)?),
        (AUTHORIZATION, text(&format!("Bearer {TOKEN}"))?),
    ]);
    let request = client.patch(format!("{endpoint}/engagements/referrals/{id}"));
    let answer = request.headers(headers).body(document.to_owned()).send().await.map_err(Error::other)?;
    answer.error_for_status().map_err(Error::other)?.bytes().await.map_err(Error::other)?;
    Ok(())
}

/// Only writes: as many bytes as the reports of a run have, as rows of a CSV that look like those of one.
pub fn write(bytes: u64, file: &Path) -> Result<()> {
    const ROW: [&str; 7] = ["Closed", "Won", "", "12500.00", "planned", "planned", "2026-12-31T00:00:00Z"];
    let mut rows = csv::Writer::from_path(file)?;
    let mut row = csv::StringRecord::new();
    let (mut written, mut number) = (0, 0);
    while written < bytes {
        number += 1;
        row.clear();
        row.push_field(&data::id(number));
        ROW.iter().for_each(|cell| row.push_field(cell));
        rows.write_record(&row)?;
        // The cells, a comma before each but the first, and the line's end.
        written += (row.as_slice().len() + row.len()) as u64;
    }
    rows.flush()
}

/// Only parses: change files into records of text, all others into one JSON value a line.
pub fn parse(files: &[String]) -> Result<()> {
    for file in files {
        let path = Path::new(file);
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => rows(path)?,
            Some("xlsx") => cells(path)?,
            _ => lines(path)?,
        }
    }
    Ok(())
}

fn rows(path: &Path) -> Result<()> {
    let mut rows = csv::Reader::from_path(path)?;
    let mut record = csv::StringRecord::new();
    while rows.read_record(&mut record)? {
        std::hint::black_box(&record);
    }
    Ok(())
}

/// Reads the first sheet of a workbook cell by cell.
fn cells(path: &Path) -> Result<()> {
    let mut book: Xlsx<_> = calamine::open_workbook(path).map_err(|error: XlsxError| Error::other(error))?;
    let name = book.sheet_names().into_iter().next().unwrap_or_default();
    let mut cells = book.worksheet_cells_reader(&name).map_err(Error::other)?;
    while let Some(cell) = cells.next_cell().map_err(Error::other)? {
        std::hint::black_box(&cell);
    }
    Ok(())
}

fn lines(path: &Path) -> Result<()> {
    let mut lines = BufReader::with_capacity(1 << 18, File::open(path)?);
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        std::hint::black_box(serde_json::from_str::<serde_json::Value>(&line)?);
        line.clear();
    }
    Ok(())
}
