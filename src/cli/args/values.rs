//! The words that arguments take, and what each stands for.

use clap::ValueEnum;

use crate::domain::decimal;
use crate::domain::format::Format;
use crate::domain::key::MatchField;
use crate::domain::run_spec;

/// What a plan does to a referral, in the words of `plan.jsonl`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum EffectArg {
    /// It is closed, which cannot be undone
    #[value(alias = "closing")]
    OneWay,
    /// Another change can set the old values again
    Reversible,
    /// Nothing is sent for it
    Unchanged,
}

impl From<EffectArg> for crate::domain::item::Effect {
    fn from(effect: EffectArg) -> Self {
        match effect {
            EffectArg::OneWay => Self::OneWay,
            EffectArg::Reversible => Self::Reversible,
            EffectArg::Unchanged => Self::Unchanged,
        }
    }
}

/// Forms of a change file.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ChangeFormatArg {
    /// A header and a record per row
    Csv,
    /// A JSON object per line
    Jsonl,
    /// A file of Partner Center's own, as downloaded
    PortalCsv,
    /// A workbook of Excel
    Xlsx,
}

impl From<ChangeFormatArg> for Format {
    fn from(format: ChangeFormatArg) -> Self {
        match format {
            ChangeFormatArg::Csv => Self::Csv,
            ChangeFormatArg::Jsonl => Self::Jsonl,
            ChangeFormatArg::PortalCsv => Self::PortalCsv,
            ChangeFormatArg::Xlsx => Self::Xlsx,
        }
    }
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DecimalSignArg {
    /// 12500.50, or 12,500.50
    Point,
    /// 12500,50, or 12.500,50
    Comma,
}

impl From<DecimalSignArg> for decimal::DecimalSign {
    fn from(sign: DecimalSignArg) -> Self {
        match sign {
            DecimalSignArg::Point => Self::Point,
            DecimalSignArg::Comma => Self::Comma,
        }
    }
}

/// What names the referral of a row.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum MatchArg {
    /// The referral's own id
    Id,
    /// The partner's reference: the id of the deal in a CRM
    #[value(name = "externalReferenceId")]
    ExternalReferenceId,
    /// The engagement, where only one of its referrals is meant
    #[value(name = "engagementId")]
    EngagementId,
}

impl MatchArg {
    /// Returns the field that is looked up; `None` for the id.
    pub fn field(self) -> Option<MatchField> {
        match self {
            Self::Id => None,
            Self::ExternalReferenceId => Some(MatchField::ExternalReferenceId),
            Self::EngagementId => Some(MatchField::EngagementId),
        }
    }
}

/// Forms of legacy payloads.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum PayloadFormatArg {
    /// A payload per line
    Jsonl,
    /// One payload, or an array of them
    Json,
    /// HTTP requests as the documentation prints them
    Http,
}

impl From<PayloadFormatArg> for Format {
    fn from(format: PayloadFormatArg) -> Self {
        match format {
            PayloadFormatArg::Jsonl => Self::Jsonl,
            PayloadFormatArg::Json => Self::Json,
            PayloadFormatArg::Http => Self::Http,
        }
    }
}

/// What a 412 leads to.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum OnConflictArg {
    /// Report the row as a conflict; overwrite nothing
    Report,
    /// Send it again for the new version if nothing that the row touches has changed
    Rebase,
}

impl From<OnConflictArg> for run_spec::OnConflict {
    fn from(typed: OnConflictArg) -> Self {
        match typed {
            OnConflictArg::Report => Self::Report,
            OnConflictArg::Rebase => Self::Rebase,
        }
    }
}

/// Where answers of the sandbox carry a referral's version.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ETagsInArg {
    /// In the member eTag, and in the ETag header of answers about one referral
    Body,
    /// In the member @odata.etag alone
    Odata,
    /// In the ETag header alone, so that list pages have none
    Header,
}

impl From<ETagsInArg> for crate::sandbox::ETagsIn {
    fn from(typed: ETagsInArg) -> Self {
        match typed {
            ETagsInArg::Body => Self::Body,
            ETagsInArg::Odata => Self::OData,
            ETagsInArg::Header => Self::Header,
        }
    }
}

/// Forms of the summary.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[expect(missing_docs, reason = "the names say it all in --help")]
pub enum SummaryFormArg {
    Json,
    Text,
    None,
}

/// Places to keep a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreArg {
    /// The keyring where there is one, else a file
    Auto,
    /// The system's keyring
    Keyring,
    /// A file that only you can read
    File,
    /// Nowhere: to try a sign-in
    None,
}

/// Forms of progress.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[expect(missing_docs, reason = "the names say it all in --help")]
pub enum ProgressFormArg {
    Auto,
    Plain,
    Json,
    None,
}
