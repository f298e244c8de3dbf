//! Which file of the crate names what stands in which other, read from the code as the compiler parses it.
//!
//! What a `mod.rs` passes on (`pub use child::Thing`) counts as standing where it is made, so a folder's map
//! is no way around. Tests don't count.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, Meta, UseTree};

/// The names from the crate's root to a module.
type Module = Vec<String>;

/// By the file that names it, each file that holds something named.
pub type Imports = BTreeMap<String, BTreeSet<String>>;

/// Reads the imports of files, by path from the project's root, with their text.
///
/// # Panics
/// Where a file is no Rust.
pub fn imports(sources: &BTreeMap<String, String>) -> Imports {
    let files: BTreeMap<Module, Source> = sources
        .iter()
        .filter_map(|(path, text)| Some((module_of(path)?, Source::parse(path, text))))
        .collect();
    let crate_ = Crate { files };
    let named = |module: &Module, source: &Source| {
        let targets = source.paths.iter().filter_map(|path| crate_.file_of(module, path, 0));
        targets.filter(|target| *target != source.path).collect()
    };
    crate_.files.iter().map(|(module, source)| (source.path.clone(), named(module, source))).collect()
}

/// The groups of files that name one another, each in order.
pub fn circles(imports: &Imports) -> Vec<Vec<String>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|file| (file.as_str(), reached_from(file, imports))).collect();
    let mut circles = BTreeSet::new();
    for (file, others) in &reached {
        if others.contains(file) {
            let is_with = |other: &&&str| reached[**other].contains(file);
            circles.insert(others.iter().filter(is_with).map(ToString::to_string).collect());
        }
    }
    circles.into_iter().collect()
}

/// Every file that is named by a file, by one that it names, and so on.
fn reached_from<'a>(file: &str, imports: &'a Imports) -> BTreeSet<&'a str> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![file]);
    while let Some(file) = open.pop() {
        for named in &imports[file] {
            if reached.insert(named.as_str()) {
                open.push(named);
            }
        }
    }
    reached
}

/// The module that a file is; `None` for one outside of `src/`, and for the program's own beginning.
fn module_of(path: &str) -> Option<Module> {
    let inside = path.strip_prefix("src/")?.strip_suffix(".rs")?;
    let names: Module = inside.split('/').map(str::to_owned).collect();
    match inside {
        "main" => None,
        "lib" => Some(Module::new()),
        _ => Some(names.strip_suffix(&["mod".to_owned()]).map_or(names.clone(), <[String]>::to_vec)),
    }
}

struct Crate {
    files: BTreeMap<Module, Source>,
}

impl Crate {
    /// The file in which that stands which a path names, as it is written in a module.
    fn file_of(&self, module: &Module, path: &[String], depth: u8) -> Option<String> {
        let (mut at, mut rest) = self.begin(module, path)?;
        while let Some((next, behind)) = rest.split_first() {
            let child = [&at[..], std::slice::from_ref(next)].concat();
            if !self.files.contains_key(&child) {
                break;
            }
            (at, rest) = (child, behind);
        }
        let source = &self.files[&at];
        let passed_on = rest.first().and_then(|name| source.passed_on.get(name));
        // A name that leads back to itself is the item's own, as where a module and a type are called alike.
        match passed_on {
            Some(origin) if depth < 8 => {
                self.file_of(&at, origin, depth + 1).or_else(|| Some(source.path.clone()))
            }
            _ => Some(source.path.clone()),
        }
    }

    /// Where a path begins, and what of it follows; `None` for what is not of this crate.
    fn begin<'p>(&self, module: &Module, path: &'p [String]) -> Option<(Module, &'p [String])> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some((Module::new(), rest)),
            "self" => Some((module.clone(), rest)),
            "super" => {
                let (mut at, mut rest) = (module.clone(), path);
                while let Some((first, behind)) = rest.split_first().filter(|(first, _)| *first == "super") {
                    debug_assert_eq!(first, "super");
                    at.pop()?;
                    rest = behind;
                }
                Some((at, rest))
            }
            name => {
                let child = [&module[..], &[name.to_owned()]].concat();
                if self.files.contains_key(&child) {
                    return Some((child, rest));
                }
                // What was imported under this name.
                let source = &self.files[module];
                let origin = source.passed_on.get(name).filter(|origin| origin[0] != *name)?;
                let (at, behind) = self.begin(module, origin)?;
                (behind.is_empty() && self.files.contains_key(&at)).then_some((at, rest))
            }
        }
    }
}

/// What is of interest in one file.
struct Source {
    path: String,
    /// Every path that stands in it, as names.
    paths: BTreeSet<Vec<String>>,
    /// By the name under which it was imported, the path of what was.
    passed_on: BTreeMap<String, Vec<String>>,
}

impl Source {
    fn parse(path: &str, text: &str) -> Self {
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut source = Self { path: path.to_owned(), paths: BTreeSet::new(), passed_on: BTreeMap::new() };
        source.visit_file(&file);
        source
    }

    fn import(&mut self, before: &[String], tree: &UseTree, is_passed_on: bool) {
        let with = |name: String| [before, &[name]].concat();
        let (name, path) = match tree {
            UseTree::Path(path) => {
                return self.import(&with(path.ident.to_string()), &path.tree, is_passed_on);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(before, tree, is_passed_on));
            }
            UseTree::Glob(_) => ("*".to_owned(), before.to_vec()),
            UseTree::Name(name) if name.ident == "self" => {
                (before.last().cloned().unwrap_or_default(), before.to_vec())
            }
            UseTree::Name(name) => (name.ident.to_string(), with(name.ident.to_string())),
            UseTree::Rename(rename) => (rename.rename.to_string(), with(rename.ident.to_string())),
        };
        self.passed_on.insert(name, path.clone());
        // What is only passed on is used by nobody here.
        if !is_passed_on {
            self.paths.insert(path);
        }
    }
}

impl<'ast> Visit<'ast> for Source {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes: &[Attribute] = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => &[],
        };
        if !attributes.iter().any(is_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_passed_on = !matches!(item.vis, syn::Visibility::Inherited);
        self.import(&[], &item.tree, is_passed_on);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            self.paths.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    matches!(&attribute.meta, Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string() == "test")
}
