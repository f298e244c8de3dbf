//! Referrals, change files and payloads, made from nothing but their number, so that every run measures the same.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use rust_xlsxwriter::Workbook;

/// The wanted, or the present, state of what the change file touches.
struct State {
    status: &'static str,
    substatus: &'static str,
    reason: Option<&'static str>,
    value: u64,
    closing: &'static str,
    notes: &'static str,
    version: u64,
}

/// What is noted of a call, and of one that was long: by these a referral has 3 KB.
const NOTES: &str = "First call with Nora Whitfield on 2026-06-18";
const LONG_NOTES: &str = "First call with Nora Whitfield on 2026-06-18. She wants the reports of all four shops in one place \
    before the season begins, and asks who would run it afterwards. Budget is there for a pilot in Portside; \
    the rest is decided in autumn, by her and the \\\"board\\\". Send two references & a plan.";

/// Steele and others' SplitMix64: neighbouring numbers give unrelated results.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn guid(number: u64, kind: u64) -> String {
    let (high, low) = (mixed(number * 8 + kind), mixed(number * 8 + kind + 4));
    uuid::Builder::from_random_bytes((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
        .into_uuid()
        .to_string()
}

/// The id of a referral. Ids are in no order, as real ones are.
pub fn id(number: u64) -> String {
    guid(number, 0)
}

fn now(number: u64) -> State {
    let (status, substatus) = match number % 10 {
        0 => ("New", "Pending"),
        1 | 2 => ("New", "Received"),
        3 => ("Closed", "Won"),
        _ => ("Active", "Accepted"),
    };
    State {
        status,
        substatus,
        reason: None,
        value: 1_000 + mixed(number) % 90_000,
        closing: "2028-02-02T00:00:00.0000000Z",
        notes: NOTES,
        version: 1,
    }
}

/// What the change file asks for: one in ten referrals is so already, four in ten are closed, two are
/// accepted, the others get another value or date.
fn wanted(number: u64) -> State {
    let now = now(number);
    let closed = |substatus| State { status: "Closed", substatus, ..now };
    let next = match number % 10 {
        0 => State { reason: Some("Not our region, passed on to a partner there"), ..closed("Declined") },
        1 | 2 => State { status: "Active", substatus: "Accepted", ..now },
        3 => return now,
        4 | 5 => State { value: now.value + 250, ..closed("Won") },
        6 => State { reason: Some("Budget cut, then postponed: \"maybe next year\""), ..closed("Lost") },
        7 | 8 => State { value: now.value + 1_500, closing: "2028-06-30T00:00:00Z", ..now },
        _ => State { value: now.value * 2, ..now },
    };
    State { version: 2, ..next }
}

/// The referral as the snapshot has it.
pub fn before(number: u64) -> String {
    referral(number, &now(number))
}

/// The referral as the service answers once it has been changed.
pub fn after(number: u64) -> String {
    referral(number, &wanted(number))
}

fn referral(number: u64, state: &State) -> String {
    let State { status, substatus, reason, value, closing, notes, version } = state;
    let (id, engagement) = (id(number), guid(number, 1));
    let etag = format!("{}-{version}", guid(number, 2));
    let reason = reason.map_or("null".to_owned(), |text| format!("\"{}\"", text.replace('"', "\\\"")));
    let mut text = String::with_capacity(3_200);
    let written = write!(
        text,
        r#"{{"id":"{id}","engagementId":"{engagement}","organizationId":"0c0ffee0-0000-4000-8000-000000000001","organizationName":"Example Partner Ltd","name":"Data platform – Harbour Lane Foods {number}","externalReferenceId":"CRM-{number}","createdDateTime":"2026-06-18T09:11:00.0012345Z","updatedDateTime":"2026-06-27T10:11:01.0054321Z","expirationDateTime":"2027-06-30T00:00:00.0000000Z","acceptedDateTime":null,"closedDateTime":null,"status":"{status}","substatus":"{substatus}","statusReason":{reason},"qualification":"MarketingQualified","type":"Shared","direction":"Incoming","quality":null,"isSpam":false,"tags":[],"eTag":"\"{etag}\"","campaignId":null,"salesStage":"","referralProgram":null,"callToAction":null,"referralSource":"MicrosoftSeller","customerProfile":{{"name":"Harbour Lane Foods","size":"51to250employees","address":{{"addressLine1":"12 Harbour Lane","addressLine2":"","city":"Portside","state":"WA","region":null,"postalCode":"98001","country":"US"}},"ids":[],"team":[{{"firstName":"Nora","lastName":"Whitfield","title":"Operations Director","phoneNumber":"+1 555 0151","email":"nora@harbourlane.example.com","contactPreference":{{"locale":"en-us","disableNotifications":false}},"isValid":true,"validationMessage":null}}]}},"consent":{{"consentToContact":true,"consentToToShareInfoWithOthers":false,"consentToShareReferralWithMicrosoftSellers":false}},"details":{{"notes":"{notes}","dealValue":{value}.75,"currency":"USD","closingDateTime":"{closing}","customerAction":"RequestQuote","customerRequestedContact":false,"requirements":{{"industries":[{{"id":"Retail"}}],"products":[],"services":[{{"id":"Consulting"}}],"solutions":[{{"id":"SOL-02","name":"Modern Desktop","type":"Name","quantity":null}}],"additionalRequirements":{{"attributes":[{{"id":"Remote","type":"Location"}}]}}}}}},"team":[{{"firstName":"Bo","lastName":"Ek","title":"Partner Manager","phoneNumber":"+1 555 0101","email":"bo.ek@partner.example.com","contactPreference":{{"locale":"en-us","disableNotifications":false}},"isValid":true,"validationMessage":null}}],"inviteContext":{{"notes":"Please have a look","invitedBy":{{"organizationId":"0c0ffee0-0000-4000-8000-0000000000ff","organizationName":"Example Cloud Sellers Inc."}},"assistanceRequestCode":"Unknown"}},"target":[],"links":{{"relatedReferrals":{{"uri":"https://api.partner.microsoft.com/v1.0/engagements/referrals?$filter=engagementId eq '{engagement}'","method":"GET"}},"self":{{"uri":"https://api.partner.microsoft.com/v1.0/engagements/referrals/{id}","method":"GET"}}}},"trackingInfo":{{"microsoftMsxId":null}},"registrationStatus":"None","registrations":[],"mpnId":"1234567"}}"#
    );
    written.expect("writing to a string cannot fail");
    text
}

/// Writes a snapshot, one referral a line.
pub fn snapshot(path: &Path, referrals: u64) -> io::Result<()> {
    lines(path, 0..referrals, before)
}

/// Writes a snapshot of referrals with long notes.
pub fn long_snapshot(path: &Path, referrals: u64) -> io::Result<()> {
    lines(path, 0..referrals, |number| referral(number, &State { notes: LONG_NOTES, ..now(number) }))
}

/// Writes an archive of payloads for the referrals with long notes, in their order or in none: each the
/// referral as it was read, 45 in 100 with what the change file asks for.
pub fn payloads(path: &Path, payloads: u64, in_order: bool) -> io::Result<()> {
    lines(path, order(payloads, in_order), |number| {
        let state = if mixed(number ^ 0x0b1d).is_multiple_of(2) { wanted(number) } else { now(number) };
        referral(number, &State { notes: LONG_NOTES, version: 1, ..state })
    })
}

fn lines(
    path: &Path,
    numbers: impl IntoIterator<Item = u64>,
    line: impl Fn(u64) -> String,
) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    for number in numbers {
        writeln!(file, "{}", line(number))?;
    }
    file.flush()
}

fn order(rows: u64, in_order: bool) -> Vec<u64> {
    let mut order: Vec<u64> = (0..rows).collect();
    if !in_order {
        order.sort_unstable_by_key(|number| mixed(number ^ 0x5eed));
    }
    order
}

/// The columns of a change file.
const COLUMNS: [&str; 6] = ["id", "status", "substatus", "statusReason", "dealValue", "closingDateTime"];

/// Writes a change file with one row for each referral, in the order of the snapshot or in none.
pub fn changes(path: &Path, rows: u64, in_order: bool) -> io::Result<()> {
    let mut file = csv::Writer::from_path(path)?;
    file.write_record(COLUMNS)?;
    wanted_cells(rows, in_order).try_for_each(|cells| file.write_record(cells))?;
    file.flush()
}

/// Writes the same rows, in the order of the snapshot, with the id of the deal in a CRM in place of the referral's.
pub fn keyed_changes(path: &Path, rows: u64) -> io::Result<()> {
    let mut file = csv::Writer::from_path(path)?;
    let [_, columns @ ..] = COLUMNS;
    file.write_record(std::iter::once("externalReferenceId").chain(columns))?;
    for (number, cells) in (0..rows).zip(wanted_cells(rows, true)) {
        let [_, cells @ ..] = cells;
        file.write_record(std::iter::once(format!("CRM-{number}")).chain(cells))?;
    }
    file.flush()
}

/// Writes the same rows as a workbook, with numbers as numbers.
pub fn workbook(path: &Path, rows: u64) -> io::Result<()> {
    let written = || {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet_with_low_memory()?;
        for (column, name) in (0..).zip(COLUMNS) {
            sheet.write_string(0, column, name)?;
        }
        for (row, cells) in (1..).zip(wanted_cells(rows, true)) {
            for (column, cell) in (0..).zip(&cells) {
                match cell.parse::<f64>() {
                    Ok(number) if column == 4 => sheet.write_number(row, column, number)?,
                    _ if cell.is_empty() => continue,
                    _ => sheet.write_string(row, column, cell)?,
                };
            }
        }
        book.save(path)
    };
    written().map_err(io::Error::other)
}

/// The cells of a change file's rows.
fn wanted_cells(rows: u64, in_order: bool) -> impl Iterator<Item = [String; 6]> {
    order(rows, in_order).into_iter().map(|number| {
        let (now, wanted) = (now(number), wanted(number));
        let moves = wanted.substatus != now.substatus || number % 10 == 3;
        let stage = if moves { [wanted.status, wanted.substatus] } else { [""; 2] };
        let value = if wanted.value != now.value { format!("{}.75", wanted.value) } else { String::new() };
        let closing = if wanted.closing != now.closing { wanted.closing } else { "" };
        let reason = wanted.reason.unwrap_or_default();
        [id(number), stage[0].to_owned(), stage[1].to_owned(), reason.to_owned(), value, closing.to_owned()]
    })
}
