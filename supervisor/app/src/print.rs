//! What subcommands print: text for people, JSON for programs, errors of files drawn with their lines.

use anyhow::Result;
use roundsman_profile::diagnostic::{Diagnostic, Rejected};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Exit code of wrong use or a bad file.
pub(crate) const BAD_FILE: u8 = 2;

/// Prints a line of text to standard output.
pub(crate) fn line(text: &str) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(())
}

/// Prints JSON to standard output.
pub(crate) fn json(value: &Value) -> Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// Reports a refused file and gives the exit code for it.
pub(crate) fn rejected(rejected: &Rejected, as_json: bool) -> Result<ExitCode> {
    if as_json {
        let errors: Vec<Value> = rejected.diagnostics().iter().map(diagnostic).collect();
        json(&json!({ "ok": false, "errors": errors }))?;
    } else {
        let mut errors = std::io::stderr().lock();
        write!(errors, "{}", rejected.render(errors.is_terminal()))?;
    }
    Ok(ExitCode::from(BAD_FILE))
}

/// One error or warning of a file.
pub(crate) fn diagnostic(found: &Diagnostic) -> Value {
    let place = found.at.as_ref().map(|at| (at.file(), at.position()));
    json!({
        "file": place.map(|(file, _)| file),
        "line": place.map(|(_, (line, _))| line),
        "column": place.map(|(_, (_, column))| column),
        "what": found.what,
        "hint": found.hint,
    })
}

/// Columns of text, aligned: the widest cell of each column decides. Full-width characters count twice.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|c| width(c)).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, most) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', most - width(cell) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Columns a terminal gives a text: CJK and full-width characters take two.
fn width(text: &str) -> usize {
    let wide = |c: char| matches!(c as u32, 0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6);
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}
