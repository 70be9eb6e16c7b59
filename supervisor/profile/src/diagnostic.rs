//! Errors that point at the place: file, line, what is wrong, what to do.
//!
//! **Duty.** [`Source`] is a file as it was read, [`At`] a place in it, [`Diagnostic`] one error there,
//! [`Findings`] collects them (all, not only the first), [`Rejected`] is the error a whole check ends with.
//! [`nearest`] gives the "did you mean".
//!
//! **Place in the flow.** Device profiles and the site file are both read through [`document`](crate::document) and
//! report through this module.
//!
//! **Refuses.** It prints nothing; [`Rejected::render`] gives the text to whoever prints.

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Most findings one check keeps: a person mends a few and runs it again, and a hostile file must not fill memory.
pub const MOST_FINDINGS: usize = 100;

/// Most characters of a file's text quoted in a message; long values are cut.
const MOST_QUOTED: usize = 60;

/// A file as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The file's name as shown to people.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// A file with its text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Source> {
        Arc::new(Source { name: name.into(), text: text.into() })
    }

    /// The place `span` (in bytes) of this file; cut to the text.
    pub fn at(self: &Arc<Source>, span: Range<usize>) -> At {
        let end = span.end.min(self.text.len());
        At { source: self.clone(), span: span.start.min(end)..end }
    }
}

/// A place in a file.
#[derive(Clone, PartialEq, Eq)]
pub struct At {
    source: Arc<Source>,
    span: Range<usize>,
}

impl At {
    /// The file's name.
    pub fn file(&self) -> &str {
        &self.source.name
    }

    /// The file.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Bytes of the file.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Line and column, both from 1; the column counts characters.
    pub fn position(&self) -> (usize, usize) {
        let before = self.source.text.get(..self.span.start).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    /// The part `inner` (in bytes of `content`) of the string literal at this place. Where the literal has escapes,
    /// so that the bytes do not correspond, the whole literal.
    pub fn inside(&self, content: &str, inner: Range<usize>) -> At {
        let literal = self.source.text.get(self.span.clone()).unwrap_or("");
        match literal.find(content) {
            Some(start) if !content.is_empty() && inner.end <= content.len() => At {
                source: self.source.clone(),
                span: self.span.start + start + inner.start..self.span.start + start + inner.end,
            },
            _ => self.clone(),
        }
    }
}

impl fmt::Debug for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.position();
        write!(f, "{}:{line}:{column}", self.file())
    }
}

/// One error in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, one sentence without a full stop.
    pub what: String,
    /// Where; `None` where the file itself could not be read.
    pub at: Option<At>,
    /// The words beside the underlined place.
    pub label: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn new(at: &At, what: impl Into<String>) -> Diagnostic {
        Diagnostic { what: what.into(), at: Some(at.clone()), label: "here".into(), hint: None }
    }

    /// An error of a file that could not be read.
    pub fn unreadable(what: impl Into<String>) -> Diagnostic {
        Diagnostic { what: what.into(), at: None, label: String::new(), hint: None }
    }

    /// With the words beside the underlined place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = label.into();
        self
    }

    /// With a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    /// One line: `file:line:column: what (hint)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.at {
            write!(f, "{at:?}: ")?;
        }
        f.write_str(&self.what)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Diagnostic {}

/// The form miette draws: its message is [`Diagnostic::what`] alone, since the place is drawn beside it.
#[derive(Debug)]
struct Drawn<'a> {
    diagnostic: &'a Diagnostic,
    source: Option<miette::NamedSource<String>>,
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.what)
    }
}

impl std::error::Error for Drawn<'_> {}

impl miette::Diagnostic for Drawn<'_> {
    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        let hint = self.diagnostic.hint.as_ref()?;
        Some(Box::new(hint))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        let source = self.source.as_ref()?;
        Some(source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let at = self.diagnostic.at.as_ref()?;
        let label = Some(self.diagnostic.label.clone());
        let span = LabeledSpan::new(label, at.span.start, at.span.len());
        Some(Box::new(std::iter::once(span)))
    }
}

/// Collects the errors of one check.
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<Diagnostic>,
    more: usize,
}

impl Findings {
    /// Notes an error; past [`MOST_FINDINGS`] it is only counted.
    pub fn note(&mut self, diagnostic: Diagnostic) {
        if self.found.contains(&diagnostic) {
            return;
        }
        if self.found.len() < MOST_FINDINGS {
            self.found.push(diagnostic);
        } else {
            self.more += 1;
        }
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many were noted so far, those past the limit included.
    pub fn count(&self) -> usize {
        self.found.len() + self.more
    }

    /// Whether this error was noted already.
    pub fn contains(&self, diagnostic: &Diagnostic) -> bool {
        self.found.contains(diagnostic)
    }

    /// What was noted, in the order in which it was.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.found
    }

    /// `value` if nothing was found, else everything found, in the order of files and places.
    pub fn finish<T>(self, value: T) -> Result<T, Rejected> {
        match self.into_rejected() {
            None => Ok(value),
            Some(rejected) => Err(rejected),
        }
    }

    /// Everything found; `None` if nothing was.
    pub fn into_rejected(mut self) -> Option<Rejected> {
        if self.found.is_empty() {
            return None;
        }
        self.found.sort_by_key(|found| {
            let at = found.at.as_ref();
            at.map(|at| (at.file().to_owned(), at.span.start))
        });
        Some(Rejected { diagnostics: self.found, more: self.more })
    }
}

/// A check that found errors; never empty.
#[derive(Debug, Clone)]
pub struct Rejected {
    diagnostics: Vec<Diagnostic>,
    more: usize,
}

impl From<Diagnostic> for Rejected {
    /// A check that ended at its first error.
    fn from(diagnostic: Diagnostic) -> Rejected {
        Rejected { diagnostics: vec![diagnostic], more: 0 }
    }
}

impl Rejected {
    /// What was found, in the order of files and places; at most [`MOST_FINDINGS`].
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Drawn for a terminal: each error with the lines around it.
    pub fn render(&self, colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_links(false);
        let mut text = String::new();
        for diagnostic in &self.diagnostics {
            let source =
                diagnostic.at.as_ref().map(|at| miette::NamedSource::new(at.file(), at.source.text.clone()));
            let drawn = Drawn { diagnostic, source };
            if handler.render_report(&mut text, &drawn).is_err() {
                text.push_str(&diagnostic.to_string());
            }
            text.push('\n');
        }
        if self.more > 0 {
            text.push_str(&format!("and {} more\n", self.more));
        }
        text
    }
}

impl fmt::Display for Rejected {
    /// One line per error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, diagnostic) in self.diagnostics.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejected {}

/// The known word nearest to `word`, if one is near enough to be a slip of the finger: at most a third of its
/// characters (at least one) inserted, left out, changed or swapped.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The hint made of [`nearest`], else of a short list of what is known.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(near) = nearest(word, known.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    if known.is_empty() || known.len() > 24 {
        return None;
    }
    Some(format!("known: {}", known.join(", ")))
}

/// Optimal string alignment distance (edits and swaps of neighbours), over characters, of words up to 64 characters;
/// longer ones are never near.
fn distance(a: &str, b: &str) -> usize {
    const LONGEST: usize = 64;
    let a: Vec<char> = a.chars().take(LONGEST + 1).collect();
    let b: Vec<char> = b.chars().take(LONGEST + 1).collect();
    if a.len() > LONGEST || b.len() > LONGEST {
        return usize::MAX;
    }
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// `text` cut to what fits into a message.
pub fn quoted(text: &str) -> String {
    if text.chars().count() <= MOST_QUOTED {
        return format!("`{text}`");
    }
    let cut: String = text.chars().take(MOST_QUOTED).collect();
    format!("`{cut}…`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_forgives_slips_and_nothing_more() {
        let known = ["metric", "match", "name", "interface.oper-status"];
        assert_eq!(nearest("metirc", known), Some("metric"));
        assert_eq!(nearest("nmae", known), Some("name"));
        assert_eq!(nearest("interface.operstatus", known), Some("interface.oper-status"));
        assert_eq!(nearest("colour", known), None);
    }

    #[test]
    fn position_counts_lines_and_characters() {
        let source = Source::new("a.toml", "一 = 1\n二三 = 2\n");
        let start = source.text.find('2').unwrap();
        assert_eq!(source.at(start..start + 1).position(), (2, 6));
        assert_eq!(source.at(900..901).position(), (3, 1));
    }

    #[test]
    fn findings_are_bounded_and_sorted() {
        let source = Source::new("a.toml", "x".repeat(500));
        let mut findings = Findings::default();
        for at in (0..MOST_FINDINGS + 7).rev() {
            findings.note(Diagnostic::new(&source.at(at..at + 1), "wrong"));
        }
        let rejected = findings.into_rejected().unwrap();
        assert_eq!(rejected.diagnostics().len(), MOST_FINDINGS);
        assert!(rejected.to_string().ends_with("and 7 more"));
        let starts: Vec<_> =
            rejected.diagnostics().iter().map(|d| d.at.as_ref().unwrap().span.start).collect();
        assert!(starts.is_sorted());
    }
}
