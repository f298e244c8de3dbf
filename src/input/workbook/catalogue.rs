//! The sheets of a workbook, and which of them is read.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

use super::super::context::InputContext;
use super::super::error::Unusable;
use super::kind::AGAIN;
use super::package::Package;
use crate::domain::excerpt::excerpt;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SheetEntry {
    pub name: String,
    /// Whether the spreadsheet program doesn't show it.
    pub is_hidden: bool,
    /// Whether it has cells; else it is a chart or a dialog.
    pub has_cells: bool,
    /// The name of its part.
    pub part: String,
}

/// The sheets of a workbook, in order.
pub(super) struct SheetCatalogue(Vec<SheetEntry>);

impl SheetCatalogue {
    /// Reads the list of sheets.
    ///
    /// # Errors
    /// Where it is missing or damaged.
    pub fn of(package: &mut Package<'_>, context: &InputContext<'_>) -> Result<Self, Unusable> {
        let missing = |part: &str| {
            let message = format!("the workbook is damaged: its part {part} is missing");
            context.unusable(message, Some(AGAIN.into()))
        };
        let package_links = "_rels/.rels";
        let links = package.text(package_links)?.ok_or_else(|| missing(package_links))?;
        let links = links_of(&links).map_err(|error| package.damaged(package_links, &error))?;
        let is_workbook = |link: &&Link| link.kind == "officeDocument";
        let book =
            links.values().find(is_workbook).map(|link| link.target.trim_start_matches('/').to_owned());
        let book = book.ok_or_else(|| missing("xl/workbook.xml"))?;
        let (folder, file) =
            book.rsplit_once('/').map_or(("", book.as_str()), |(folder, file)| (folder, file));
        let links_part = format!("{folder}/_rels/{file}.rels");
        let links = package.text(&links_part)?.ok_or_else(|| missing(&links_part))?;
        let links = links_of(&links).map_err(|error| package.damaged(&links_part, &error))?;
        let text = package.text(&book)?.ok_or_else(|| missing(&book))?;
        let sheets = sheets_of(&text, folder, &links).map_err(|error| package.damaged(&book, &error))?;
        Ok(Self(sheets))
    }

    /// Returns the sheet of this name, or else the first one with cells that a person sees.
    ///
    /// # Errors
    /// Where there is none.
    pub fn choose(&self, context: &InputContext<'_>, named: Option<&str>) -> Result<&SheetEntry, Unusable> {
        let Self(sheets) = self;
        if let Some(named) = named {
            let is_it = |sheet: &&SheetEntry| sheet.name == named;
            let is_like =
                |sheet: &&SheetEntry| sheet.name.trim().to_lowercase() == named.trim().to_lowercase();
            let found = sheets.iter().find(is_it).or_else(|| sheets.iter().find(is_like));
            let Some(sheet) = found else {
                let message = format!("the workbook has no sheet {}", excerpt(named));
                return Err(context.unusable(message, Some(self.names().into())));
            };
            if !sheet.has_cells {
                let message = format!("the sheet {} is a chart, and has no cells", excerpt(&sheet.name));
                return Err(context.unusable(message, Some(self.names().into())));
            }
            return Ok(sheet);
        }
        let mut with_cells = sheets.iter().filter(|sheet| sheet.has_cells).peekable();
        if let Some(seen) = with_cells.clone().find(|sheet| !sheet.is_hidden) {
            return Ok(seen);
        }
        Err(match with_cells.peek() {
            Some(hidden) => {
                let message = "the workbook shows no sheet of cells: all of them are hidden";
                let hint = Wording::from("show the sheet in the spreadsheet program, or name it with ")
                    .name(Setting::Sheet)
                    .say(format!(" {}", excerpt(&hidden.name)));
                context.unusable(message, Some(hint))
            }
            None if sheets.is_empty() => context
                .unusable("the workbook has no sheet", Some("save the table as a workbook anew".into())),
            None => {
                let hint = "give the workbook that the chart was made from";
                context.unusable("the workbook has no sheet of cells, only charts", Some(hint.into()))
            }
        })
    }

    /// Returns what to tell of the sheets besides the one that is read.
    pub fn note(&self, chosen: &SheetEntry) -> Option<String> {
        let Self(sheets) = self;
        let others: Vec<String> = sheets
            .iter()
            .filter(|sheet| sheet.name != chosen.name)
            .map(|sheet| {
                let name = excerpt(&sheet.name);
                match (sheet.has_cells, sheet.is_hidden) {
                    (false, _) => format!("{name} (a chart)"),
                    (true, true) => format!("{name} (hidden)"),
                    (true, false) => name,
                }
            })
            .collect();
        let hidden = if chosen.is_hidden { ", which is hidden" } else { "" };
        if others.is_empty() && hidden.is_empty() {
            return None;
        }
        let others = if others.is_empty() { String::new() } else { format!("; not read: {}", some(&others)) };
        Some(format!("read the sheet {}{hidden}{others}", excerpt(&chosen.name)))
    }

    /// Returns the names of the sheets with cells, as a hint.
    fn names(&self) -> String {
        let Self(sheets) = self;
        let names: Vec<String> =
            sheets.iter().filter(|sheet| sheet.has_cells).map(|sheet| excerpt(&sheet.name)).collect();
        if names.is_empty() {
            "it has no sheet of cells".to_owned()
        } else {
            format!("it has {}", some(&names))
        }
    }
}

/// Lists words, and counts those beyond the tenth.
pub(super) fn some(words: &[String]) -> String {
    const MOST: usize = 10;
    let shown = words[..words.len().min(MOST)].join(", ");
    match words.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A link from one part to another.
struct Link {
    /// The last word of its type.
    kind: String,
    target: String,
}

fn links_of(text: &str) -> Result<HashMap<String, Link>, quick_xml::Error> {
    let mut links = HashMap::new();
    each_start(text, |tag| {
        if tag.local_name().as_ref() == "Relationship" {
            let [id, kind, target] = attributes(tag, ["Id", "Type", "Target"])?;
            let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            links.insert(id, Link { kind, target });
        }
        Ok(())
    })?;
    Ok(links)
}

fn sheets_of(
    text: &str,
    folder: &str,
    links: &HashMap<String, Link>,
) -> Result<Vec<SheetEntry>, quick_xml::Error> {
    let mut sheets = Vec::new();
    each_start(text, |tag| {
        if tag.local_name().as_ref() == "sheet" {
            let [name, state, id] = attributes(tag, ["name", "state", "id"])?;
            let link = links.get(&id);
            let target = link.map(|link| link.target.as_str()).unwrap_or_default();
            let part = match target.strip_prefix('/') {
                Some(part) => part.to_owned(),
                None => format!("{folder}/{target}"),
            };
            sheets.push(SheetEntry {
                name,
                is_hidden: !matches!(state.as_str(), "" | "visible"),
                has_cells: link.is_some_and(|link| link.kind == "worksheet"),
                part,
            });
        }
        Ok(())
    })?;
    Ok(sheets)
}

/// Hands over every tag that opens an element.
fn each_start(
    text: &str,
    mut take: impl FnMut(&BytesStart<'_>) -> Result<(), quick_xml::Error>,
) -> Result<(), quick_xml::Error> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event()? {
            Event::Start(tag) | Event::Empty(tag) => take(&tag)?,
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// Returns the values of these attributes, whatever prefix their names have; empty where one is missing.
fn attributes<const N: usize>(
    tag: &BytesStart<'_>,
    names: [&str; N],
) -> Result<[String; N], quick_xml::Error> {
    let mut values = names.map(|_| String::new());
    for attribute in tag.attributes() {
        let attribute = attribute?;
        let name = attribute.key.local_name();
        if let Some(at) = names.iter().position(|wanted| *wanted == name.as_ref()) {
            values[at] = unescape(&attribute.value)?.into_owned();
        }
    }
    Ok(values)
}
