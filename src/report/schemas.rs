//! The JSON Schemas of what programs read: the files of a run for programs, and the event stream.
//!
//! They are made from the types that are written, and stand in `docs/schemas/`. Every member that is written is in them;
//! since members may be added later, they refuse none that they don't know.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::outcomes::OutcomeLine;
use super::plan_line::PlanLine;
use super::progress::EventLine;
use super::summary::Summary;
use super::verified::VerifiedLine;

/// `summary.json`, and what `--summary json` prints of a run: its outcome in numbers.
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "the summary is written, then the checksum behind it; this tells the form of both"
)]
struct SummaryLine {
    #[serde(flatten)]
    summary: Summary,
    /// The SHA-256 of the text before this member, in hexadecimal.
    #[schemars(extend("pattern" = "^[0-9a-f]{64}$"))]
    sha256: String,
}

/// Returns the name of each schema's file, and its text.
pub fn schemas() -> [(&'static str, String); 5] {
    [
        ("summary.schema.json", schema::<SummaryLine>("The summary of a run: summary.json")),
        ("plan.schema.json", schema::<PlanLine<'_>>("A line of plan.jsonl")),
        ("outcomes.schema.json", schema::<OutcomeLine<'_>>("A line of outcomes.jsonl")),
        ("verify.schema.json", schema::<VerifiedLine<'_>>("A line of verify.jsonl")),
        (
            "progress.schema.json",
            schema::<EventLine<'_>>("An event of a command: a line of its event stream"),
        ),
    ]
}

fn schema<T: JsonSchema>(title: &str) -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let generator = settings.with_transform(RecursiveTransform(join_lines)).into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text + "\n"
}

/// Makes a description one line: it comes from a comment, whose lines end where the source has no more room.
fn join_lines(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace("\n\n", " ").replace('\n', " ");
    }
}
