//! Writes the files that tell what verifications of a run found.

use crate::domain::account::InputInfo;
use crate::ledger::{LedgerError, Reader};
use crate::report::{
    FileSummary, FiledVerification, Kept, ReportError, Shelf, VerifiedReferral, VerifiedReport, Written,
};

/// The name of the file for people.
pub use crate::report::VERIFIED_TABLE as TABLE;

/// The files that were written.
#[derive(Debug, Default)]
pub struct VerifiedFiles {
    /// Earlier ones that may have been edited, and were not replaced.
    pub kept: Vec<Kept>,
    /// The files, as a summary lists them.
    pub listed: Vec<FileSummary>,
}

/// Writes the files, and calls `each` for every referral in them, in the order of the run.
///
/// # Errors
/// Returns an error where the ledger can't be read, and, within, where a file can't be written.
pub async fn write(
    shelf: &Shelf,
    reader: &Reader,
    inputs: &[InputInfo],
    each: &mut dyn FnMut(VerifiedReferral<'_>),
) -> Result<Result<VerifiedFiles, ReportError>, LedgerError> {
    let filed = write_both(shelf, reader, inputs, each).await?;
    Ok(filed.map(|FiledVerification { lines, table }| {
        let mut written = Written::default();
        written.add(lines);
        written.add(table);
        VerifiedFiles { kept: written.kept().to_vec(), listed: (&written).into() }
    }))
}

/// Writes the files for the other reports of a run; nothing where the run was never verified.
///
/// # Errors
/// As [`write()`].
pub async fn write_among_others(
    shelf: &Shelf,
    reader: &Reader,
    inputs: &[InputInfo],
    written: &mut Written,
) -> Result<Result<(), ReportError>, LedgerError> {
    if reader.verifications().await?.is_empty() {
        return Ok(Ok(()));
    }
    let filed = write_both(shelf, reader, inputs, &mut |_| {}).await?;
    Ok(filed.map(|FiledVerification { lines, table }| {
        written.add(lines);
        written.add(table);
    }))
}

async fn write_both(
    shelf: &Shelf,
    reader: &Reader,
    inputs: &[InputInfo],
    each: &mut dyn FnMut(VerifiedReferral<'_>),
) -> Result<Result<FiledVerification, ReportError>, LedgerError> {
    let mut report = VerifiedReport::begin(shelf, inputs);
    reader
        .verified(&mut |item| {
            let referral = VerifiedReferral {
                id: item.id,
                subject: item.subject.as_ref(),
                rows: &item.rows,
                verified: &item.verified,
            };
            each(referral);
            // The first error is kept; what follows is told of all the same.
            let written = report.as_mut().map_or(Ok(()), |report| report.referral(referral));
            if let Err(error) = written {
                report = Err(error);
            }
            Ok::<_, LedgerError>(())
        })
        .await?;
    Ok(report.and_then(VerifiedReport::finish))
}
