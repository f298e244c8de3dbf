//! The JSON Schemas of `docs/schemas`, held against what the program writes by a validator that isn't its own.
//!
//! They are held twice: as they are, and closed, so that a member that they don't know is wrong: every member that is
//! written has to be in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::Value;

/// A schema, as it is and closed.
pub struct Schema {
    name: String,
    compiled: Schemas,
    forms: [SchemaIndex; 2],
}

/// Every schema by its name.
static ALL: LazyLock<BTreeMap<&str, Schema>> =
    LazyLock::new(|| NAMES.into_iter().map(|name| (name, Schema::read(name))).collect());

/// The names of the schemas.
pub const NAMES: [&str; 5] = ["summary", "plan", "outcomes", "verify", "progress"];

/// The most lines of a file that are held to it.
const MOST_LINES: usize = 1_000;

impl Schema {
    /// `docs/schemas/NAME.schema.json`.
    #[track_caller]
    pub fn of(name: &str) -> &'static Self {
        &ALL[name]
    }

    /// The schema as it is kept.
    pub fn kept(name: &str) -> Value {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/schemas/{name}.schema.json"));
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    fn read(name: &str) -> Self {
        let schema = Self::kept(name);
        let (mut compiler, mut compiled) = (Compiler::new(), Schemas::new());
        compiler.set_default_draft(Draft::V2020_12);
        compiler.enable_format_assertions();
        let closed = closed(schema.clone());
        let forms = [("open.json", schema), ("closed.json", closed)].map(|(place, schema)| {
            compiler.add_resource(place, schema).unwrap();
            compiler.compile(place, &mut compiled).unwrap_or_else(|error| panic!("{name}: {error:#}"))
        });
        Self { name: name.to_owned(), compiled, forms }
    }

    /// Whether a value is of the form.
    pub fn takes(&self, value: &Value) -> bool {
        self.compiled.validate(value, self.forms[0]).is_ok()
    }

    /// Fails unless a value is of the form, and has no member that isn't in the schema.
    #[track_caller]
    pub fn check(&self, value: &Value) {
        for form in self.forms {
            if let Err(error) = self.compiled.validate(value, form) {
                panic!("{} does not take {value}\n{error:#}", self.name);
            }
        }
    }

    /// The same for each line of a text. Returns the lines.
    #[track_caller]
    pub fn check_lines(&self, lines: &str) -> Vec<Value> {
        let mut parsed = Vec::new();
        for line in lines.lines().take(MOST_LINES) {
            let value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
            self.check(&value);
            parsed.push(value);
        }
        parsed
    }
}

/// Holds the files of a run's directory that have a schema to it.
#[track_caller]
pub fn check_run(dir: &Path) {
    let files = [
        ("summary", "summary.json"),
        ("plan", "plan.jsonl"),
        ("outcomes", "outcomes.jsonl"),
        ("verify", "verify.jsonl"),
    ];
    for (schema, file) in files {
        if let Ok(text) = fs::read_to_string(dir.join(file)) {
            Schema::of(schema).check_lines(&text);
        }
    }
}

/// A schema that takes no members beside those that it names, wherever it names some.
fn closed(mut schema: Value) -> Value {
    close(&mut schema, true);
    schema
}

/// Closes a schema, and those of the values below it. One that stands for the same value as another (`oneOf`, `$defs`) is
/// closed where that value is.
fn close(schema: &mut Value, is_value: bool) {
    let Value::Object(members) = schema else { return };
    let tells = ["type", "$ref", "anyOf", "oneOf"].iter().any(|word| members.contains_key(*word));
    for (name, inner) in members.iter_mut() {
        match (name.as_str(), inner) {
            ("properties", Value::Object(properties)) => {
                properties.values_mut().for_each(|inner| close(inner, true));
            }
            ("$defs", Value::Object(defined)) => defined.values_mut().for_each(|inner| close(inner, false)),
            ("anyOf" | "oneOf", Value::Array(forms)) => {
                forms.iter_mut().for_each(|inner| close(inner, false))
            }
            ("items", inner) => close(inner, true),
            _ => {}
        }
    }
    if is_value && tells {
        members.insert("unevaluatedProperties".to_owned(), false.into());
    }
}
