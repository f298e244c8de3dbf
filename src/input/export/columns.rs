//! The columns of a file: those that are asked for, and those that are filled for every referral.

use uuid::Uuid;

use super::cell::ExportCell;
use super::column::{Column, ColumnError, Content};
use super::read_back;
use crate::domain::cell_text::{CellText, TableForm};
use crate::domain::change::Draft;
use crate::domain::fields::{Field, Kind, Path};
use crate::domain::pointer::Pointer;
use crate::domain::referral::ReferralId;
use crate::domain::rules::Levels;
use crate::domain::sheet_cell::{CellType, SheetCell};
use crate::domain::snapshot::Snapshot;
use crate::domain::status::{Stage, Status};
use crate::input::names::NameResolver;
use crate::input::options::Options;
use crate::input::value_target::ValueTarget;

/// A column that is filled with the same value for every referral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fill {
    /// The column's name, as the user gave it.
    pub name: String,
    /// The text of its cells.
    pub value: String,
}

/// The columns of a change file that is made from referrals.
#[derive(Debug)]
pub struct ExportColumns {
    columns: Vec<Column>,
    form: TableForm,
    options: Options,
    /// Whether a column is filled with what clears its field.
    clears: bool,
}

/// The fields that go along where the user names no columns.
const USUAL: [(&str, Field); 6] = [
    ("statusReason", Field::StatusReason),
    ("salesStage", Field::SalesStage),
    ("externalReferenceId", Field::ExternalReferenceId),
    ("dealValue", Field::DealValue),
    ("currency", Field::Currency),
    ("closingDateTime", Field::ClosingDateTime),
];

/// The members by which people know a referral, and the names of their columns.
const PEOPLE: [(&str, &str); 2] = [("name", "/name"), ("customer", "/customerProfile/name")];

impl ExportColumns {
    /// Returns the columns of a file of this form. `named` are those that the user names; where there are none, those that
    /// people need to look through a file. Id and eTag always come first.
    ///
    /// # Errors
    /// With the name that is no column, or whose value can't stand in it.
    pub fn new(
        form: TableForm,
        named: &[String],
        fills: &[Fill],
        levels: Levels,
    ) -> Result<Self, (String, ColumnError)> {
        // Whoever fills a column with the sign that clears it has to allow that again when the file is applied.
        let options = Options { levels, clear: true, ..Options::default() };
        let names = NameResolver::new(&options);
        let mut columns = first();
        if named.is_empty() {
            columns.extend(usual());
        }
        for name in named {
            let column = Column::named(&names, name).map_err(|error| (name.clone(), error))?;
            add(&mut columns, column);
        }
        let (mut stage, mut clears) = (StageFill::default(), false);
        for (at, fill) in fills.iter().enumerate() {
            let earlier = &fills[..at];
            clears |= filled(&names, (&options, form), earlier, fill, &mut columns, &mut stage)
                .map_err(|error| (fill.name.clone(), error))?;
        }
        stage.fill(&mut columns).map_err(|error| ("status".to_owned(), error))?;
        Ok(Self { columns, form, options, clears })
    }

    /// Returns the names of the columns, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// Returns the form of the file.
    pub fn form(&self) -> TableForm {
        self.form
    }

    /// Returns the types that the cells of the columns have in a workbook, in order.
    pub fn types(&self) -> impl Iterator<Item = CellType> {
        self.columns.iter().map(|column| match column.target() {
            Some(ValueTarget::Set(path)) => match path.kind() {
                Kind::Decimal => CellType::Number,
                Kind::DateTime => CellType::Date,
                Kind::Boolean => CellType::Boolean,
                _ => CellType::Text,
            },
            _ => CellType::Text,
        })
    }

    /// Returns whether the user named a column, or it is one that every such file has.
    pub fn is_asked_for(&self, at: usize) -> bool {
        self.columns[at].is_named
    }

    /// Returns whether a column is filled with what clears a field, which has to be allowed when the file is
    /// applied.
    pub fn clears(&self) -> bool {
        self.clears
    }

    /// Returns the cells of a referral, in the order of the columns.
    pub fn cells(&self, referral: &Snapshot<'_>) -> Vec<ExportCell> {
        self.columns
            .iter()
            .map(|column| ExportCell::of(column, referral, (&self.options, self.form)))
            .collect()
    }
}

/// Returns the columns that every file has: what names a referral and its version.
fn first() -> Vec<Column> {
    [("id", ValueTarget::Id), ("eTag", ValueTarget::ETag)]
        .map(|(name, target)| Column { is_named: true, ..Column::usual(name, target) })
        .into()
}

/// Returns the columns of a file for which the user names none.
fn usual() -> Vec<Column> {
    let pointer = |text: &str| Pointer::parse(text).expect("it is written as a pointer");
    let people = PEOPLE.map(|(name, member)| Column::shown(name, Content::Shown(pointer(member))));
    let stage =
        [Column::usual("status", ValueTarget::Status), Column::usual("substatus", ValueTarget::Substatus)];
    let fields = USUAL.map(|(name, field)| Column::usual(name, ValueTarget::Set(Path::Known(field))));
    people.into_iter().chain(stage).chain(fields).collect()
}

/// Adds a column, unless there is one for the same.
fn add(columns: &mut Vec<Column>, column: Column) {
    if columns.iter().all(|other| other.content != column.content) {
        columns.push(column);
    }
}

/// Fills a column, which is added where it is not there. Returns whether the value clears its field.
fn filled(
    names: &NameResolver<'_>,
    (options, form): (&Options, TableForm),
    earlier: &[Fill],
    fill: &Fill,
    columns: &mut Vec<Column>,
    stage: &mut StageFill,
) -> Result<bool, ColumnError> {
    let column = Column::named(names, &fill.name)?;
    let target = match column.target() {
        Some(ValueTarget::Id | ValueTarget::ETag) => {
            let message = "it names the referral and its version, which differ from row to row";
            return Err(ColumnError::new(message, "fill another column"));
        }
        None => {
            return Err(ColumnError::new(
                "this cannot be changed",
                "fill a column of a field, as in substatus",
            ));
        }
        Some(target) => target,
    };
    if fill.value.trim().is_empty() {
        let hint = "give a value; an empty cell leaves the field as it is";
        return Err(ColumnError::new("there is no value to fill the column with", hint));
    }
    let is_same =
        |other: &Fill| Column::named(names, &other.name).is_ok_and(|other| other.content == column.content);
    if earlier.iter().any(is_same) {
        return Err(ColumnError::new("this column is filled twice", "keep one of the values"));
    }
    let any = ReferralId::from(Uuid::nil());
    let value = SheetCell::text(&fill.value);
    let draft = read_back::read(options, any, target, &value).map_err(|mut findings| {
        let finding = findings.swap_remove(0);
        ColumnError { message: finding.message.as_str().to_owned(), hint: finding.hint.unwrap_or_default() }
    })?;
    // A reader that doesn't allow it tells: `\N` clears a field, and so does an empty list.
    let kept = Options { clear: false, ..options.clone() };
    let clears = read_back::read(&kept, any, target, &value).is_err();
    stage.note(&draft);
    let filled = Column { filled: Some(cell_of(&draft, fill, form)), ..column };
    match columns.iter_mut().find(|column| column.content == filled.content) {
        Some(column) => column.filled = filled.filled,
        None => columns.push(filled),
    }
    Ok(clears)
}

/// Returns the cell that a column is filled with: as it was typed, or in a workbook as the value that it is.
fn cell_of(draft: &Draft, fill: &Fill, form: TableForm) -> CellText {
    let value = draft.sets.first().filter(|_| form == TableForm::Workbook).and_then(|set| {
        let (path, wanted) = &set.value;
        CellText::of(path.kind(), wanted.raw())
    });
    match value {
        Some(value @ (CellText::Amount(_) | CellText::Time(_) | CellText::Truth(_))) => value,
        _ => CellText::Text(fill.value.clone()),
    }
}

/// What the columns of status and substatus are filled with: both go together.
#[derive(Default)]
struct StageFill {
    status: Option<Status>,
    substatus: Option<Stage>,
}

impl StageFill {
    fn note(&mut self, draft: &Draft) {
        self.status = draft.status.as_ref().map(|status| status.value).or(self.status);
        self.substatus = draft.substatus.as_ref().map(|stage| stage.value).or(self.substatus);
    }

    /// Fills the other of the two columns, where it is there, and adds one that shows how things stand now: the
    /// column that would do so is filled.
    fn fill(self, columns: &mut Vec<Column>) -> Result<(), ColumnError> {
        let stage = match (self.status, self.substatus) {
            (None, None) => return Ok(()),
            (Some(status), Some(stage)) if stage.status() != status => {
                let message = format!(
                    "{} is a substatus of {}, not of {}",
                    stage.substatus(),
                    stage.status().name(),
                    status.name()
                );
                return Err(ColumnError::new(message, "fill substatus alone, which implies its status"));
            }
            (_, Some(stage)) => stage,
            (Some(Status::Active), None) => Stage::Active,
            (Some(status), None) => {
                let of: Vec<&str> = status.stages().map(Stage::substatus).collect();
                let message = format!("{} alone doesn't say which substatus", status.name());
                return Err(ColumnError::new(
                    message,
                    format!("fill substatus instead, with one of {}", of.join(", ")),
                ));
            }
        };
        let word = |word: &str| CellText::Plain(word.to_owned());
        for column in columns.iter_mut() {
            match column.target() {
                Some(ValueTarget::Status) => column.filled = Some(word(stage.status().name())),
                Some(ValueTarget::Substatus) => column.filled = Some(word(stage.substatus())),
                _ => {}
            }
        }
        let place = columns
            .iter()
            .position(|column| matches!(column.target(), Some(ValueTarget::Status | ValueTarget::Substatus)));
        columns.insert(place.unwrap_or(columns.len()), Column::shown("stage", Content::Stage));
        Ok(())
    }
}
