//! The frame of a page: all that stands around its parts.

use super::kind::Kind;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Returns the page up to its data.
pub(super) fn head(_run: &str, kind: Kind) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<style>{STYLE}</style>\n\
         <body class=\"{}\">\n<script type=\"application/json\" id=\"data\">",
        kind.name()
    )
}

/// Returns the page behind its data.
pub(super) fn tail() -> String {
    format!("</script>\n<script>{SCRIPT}</script>\n")
}
