//! Finds the answer to a request among lines, prompts and echoes.

use super::pattern::{Pattern, find};
use super::{Captures, Layout, MOST_LINE};
use crate::bus::{Read, Reader};
use roundsman_core::reading::Absence;
use std::ops::Range;
use std::sync::Arc;

/// Longest answer of several lines, in octets.
const MOST_ANSWER: usize = 3_500;

/// Waits for the answer to one request; without patterns it listens.
#[derive(Clone, Debug)]
pub struct TextReader {
    /// How lines look.
    pub layout: Arc<Layout>,
    /// What was sent, without the end of the line.
    pub sent: Vec<u8>,
    /// Lines that answer.
    pub ack: Vec<Pattern>,
    /// Lines that refuse.
    pub nak: Vec<(Pattern, Absence)>,
    /// The line that ends an answer of several.
    pub until: Option<Pattern>,
}

/// A line at the front.
struct Line {
    /// What it says: without prompt, end and the blanks around it.
    text: Range<usize>,
    /// All octets of it.
    len: usize,
}

/// The line at the front of `octets`; `None` while it has no end.
fn line(layout: &Layout, octets: &[u8]) -> Option<Line> {
    let ends = layout.ends.iter().filter_map(|end| find(octets, end).map(|at| (at, end.len())));
    let (at, end_len) = ends.min_by_key(|(at, len)| (*at, usize::MAX - *len))?;
    let mut start = 0;
    while let Some(prompt) =
        layout.prompts.iter().find(|prompt| !prompt.is_empty() && octets[start..at].starts_with(prompt))
    {
        start += prompt.len();
    }
    let text = &octets[start..at];
    start += text.len() - text.trim_ascii_start().len();
    let text_len = octets[start..at].trim_ascii_end().len();
    Some(Line { text: start..start + text_len, len: at + end_len })
}

/// All whole lines of `octets`: what they say.
fn lines<'a>(layout: &'a Layout, octets: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        let line = line(layout, rest)?;
        let text = &rest[line.text];
        rest = &rest[line.len..];
        Some(text)
    })
}

/// What a line says of its own accord: for `[[event]]`.
pub fn said<'a>(layout: &'a Layout, octets: &'a [u8]) -> &'a [u8] {
    lines(layout, octets).next().unwrap_or(octets.trim_ascii())
}

impl TextReader {
    /// One that awaits nothing.
    pub fn listener(layout: Arc<Layout>) -> TextReader {
        TextReader { layout, sent: Vec::new(), ack: Vec::new(), nak: Vec::new(), until: None }
    }

    fn is_denial(&self, text: &[u8]) -> bool {
        self.layout.denied.iter().any(|pattern| pattern.captures(text).is_some())
    }

    fn refusal(&self, text: &[u8]) -> Option<Absence> {
        if self.is_denial(text) {
            return Some(Absence::Denied);
        }
        self.nak.iter().find(|(pattern, _)| pattern.captures(text).is_some()).map(|(_, absence)| *absence)
    }

    fn acknowledges(&self, text: &[u8]) -> bool {
        self.ack.iter().any(|pattern| pattern.captures(text).is_some())
    }

    /// What an answer says: what its lines caught, or what the values are instead.
    pub fn verdict(&self, answer: &[u8]) -> Result<Captures, Absence> {
        let mut caught = Captures::default();
        for text in lines(&self.layout, answer) {
            if let Some(absence) = self.refusal(text) {
                return Err(absence);
            }
            for pattern in &self.ack {
                if let Some(new) = pattern.captures(text) {
                    caught.extend(new);
                }
            }
        }
        Ok(caught)
    }

    /// An answer of several lines, as far as it is there.
    fn several(&self, octets: &[u8], until: &Pattern) -> Read {
        let mut end = 0;
        while let Some(line) = line(&self.layout, &octets[end..]) {
            let text = &octets[end + line.text.start..end + line.text.end];
            end += line.len;
            if until.captures(text).is_some() || self.refusal(text).is_some() {
                return Read::Answer(end);
            }
        }
        if octets.len() > MOST_ANSWER { Read::Noise(octets.len()) } else { Read::More }
    }
}

impl Reader for TextReader {
    fn read(&self, octets: &[u8]) -> Read {
        let Some(line) = line(&self.layout, octets) else {
            return if octets.len() > MOST_LINE { Read::Noise(octets.len()) } else { Read::More };
        };
        let text = &octets[line.text];
        let awaits = !self.ack.is_empty() || !self.nak.is_empty() || self.until.is_some();
        if self.refusal(text).is_some() || (awaits && self.until.is_none() && self.acknowledges(text)) {
            return Read::Answer(line.len);
        }
        if text.is_empty() || (self.layout.echoes && text == self.sent.trim_ascii()) {
            return Read::Skip(line.len);
        }
        match &self.until {
            Some(until) => self.several(octets, until),
            None if line.len > MOST_LINE => Read::Noise(line.len),
            None => Read::Unsolicited(line.len),
        }
    }
}
