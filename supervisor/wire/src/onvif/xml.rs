//! Octets of an answer as a tree, with a limit on everything.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// Longest document. The profiles of a recorder with 64 channels take some 300 KiB.
pub const MOST_OCTETS: usize = 1 << 20;
/// Deepest element. ONVIF's own answers go 14 deep.
pub const MOST_DEPTH: usize = 32;
/// Most elements.
pub const MOST_ELEMENTS: usize = 20_000;
/// Most attributes that are kept of one element.
pub const MOST_ATTRIBUTES: usize = 32;
/// Longest text and attribute value that is kept; the rest is cut off.
pub const MOST_TEXT: usize = 4_096;
/// Longest name that is kept; no name of ONVIF is longer.
pub const MOST_NAME: usize = 128;
/// Longest element that is kept as it came.
const MOST_RAW: usize = 2_048;
/// Its children are sent back as they came (WS-Addressing 1.0 core, section 2.1).
const ECHOED: &str = "ReferenceParameters";

/// Why octets are no tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// More than [`MOST_OCTETS`].
    #[error("longer than {MOST_OCTETS} octets")]
    TooLong,
    /// Deeper than [`MOST_DEPTH`].
    #[error("elements deeper than {MOST_DEPTH}")]
    TooDeep,
    /// More than [`MOST_ELEMENTS`].
    #[error("more than {MOST_ELEMENTS} elements")]
    TooMany,
    /// Nothing that looks like a document.
    #[error("no XML in it")]
    Empty,
    /// It ends inside an element.
    #[error("ends inside <{0}>")]
    Cut(Box<str>),
    /// Not well-formed.
    #[error("not well-formed at octet {at}")]
    Malformed {
        /// Where, from the beginning of the document.
        at: u64,
    },
}

/// An element by its local name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name without a prefix.
    pub name: Box<str>,
    attributes: Vec<(Box<str>, Box<str>)>,
    text: String,
    children: Vec<Element>,
    raw: Option<Box<str>>,
}

impl Element {
    /// Its own text without the blanks around it.
    pub fn text(&self) -> &str {
        self.text.trim()
    }

    /// The value of an attribute, by its local name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    /// The first child called `name`.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| *child.name == *name)
    }

    /// All children.
    pub fn children(&self) -> &[Element] {
        &self.children
    }

    /// The children called `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| *child.name == *name)
    }

    /// The element at the end of a path of names, the first of each.
    pub fn at(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// The text at the end of a path; `None` where it is empty.
    pub fn said(&self, path: &[&str]) -> Option<&str> {
        self.at(path).map(Element::text).filter(|text| !text.is_empty())
    }

    /// The number at the end of a path. Some devices write whole numbers with a fraction.
    pub fn number(&self, path: &[&str]) -> Option<f64> {
        self.said(path)?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// The element as it came, with the prefixes declared that it uses; only of a child of `ReferenceParameters`.
    pub fn raw(&self) -> Option<&str> {
        self.raw.as_deref()
    }
}

/// Reads a document. What is no UTF-8 becomes U+FFFD, what comes before the first `<` is skipped.
pub fn read(octets: &[u8]) -> Result<Element, Broken> {
    if octets.len() > MOST_OCTETS {
        return Err(Broken::TooLong);
    }
    let text = String::from_utf8_lossy(octets);
    let begins = text.find('<').ok_or(Broken::Empty)?;
    Tree::new(&text[begins..]).read()
}

/// An element that is being read.
struct Open {
    element: Element,
    begins: usize,
    /// How many prefixes were declared outside of it.
    declared: usize,
}

struct Tree<'t> {
    text: &'t str,
    reader: Reader<&'t [u8]>,
    open: Vec<Open>,
    /// Declarations in force: `xmlns` or `xmlns:p`, and the value as it came.
    declared: Vec<(Box<str>, Box<str>)>,
    elements: usize,
}

impl<'t> Tree<'t> {
    fn new(text: &'t str) -> Tree<'t> {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        // Depth alone tells what is closed; a wrong prefix at the end is no reason to lose a camera.
        config.check_end_names = false;
        config.allow_dangling_amp = true;
        Tree { text, reader, open: Vec::new(), declared: Vec::new(), elements: 0 }
    }

    fn read(mut self) -> Result<Element, Broken> {
        loop {
            let begins = self.position();
            let event = self.reader.read_event();
            let event = event.map_err(|_| Broken::Malformed { at: self.reader.error_position() })?;
            match event {
                Event::Start(start) => self.start(&start, begins)?,
                Event::End(_) => {
                    if let Some(root) = self.end() {
                        return Ok(root);
                    }
                }
                Event::Text(text) => self.say(&text.xml10_content()),
                Event::CData(text) => self.say(&text.xml10_content()),
                Event::GeneralRef(reference) => self.refer(&reference),
                Event::Eof => {
                    let cut = self.open.pop().map(|open| Broken::Cut(open.element.name));
                    return Err(cut.unwrap_or(Broken::Empty));
                }
                // No entity is ever expanded: a document type says nothing here.
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    fn start(&mut self, start: &BytesStart<'_>, begins: usize) -> Result<(), Broken> {
        self.elements += 1;
        if self.elements > MOST_ELEMENTS {
            return Err(Broken::TooMany);
        }
        if self.open.len() == MOST_DEPTH {
            return Err(Broken::TooDeep);
        }
        let declared = self.declared.len();
        let mut attributes = Vec::new();
        // A broken attribute is left out, the rest of the element is good.
        for attribute in start.attributes().with_checks(false).flatten().take(MOST_ATTRIBUTES) {
            let key = attribute.key.as_ref();
            if key == "xmlns" || key.starts_with("xmlns:") {
                self.declared.push((cut(key, MOST_NAME).into(), cut(&attribute.value, MOST_TEXT).into()));
                continue;
            }
            let value = unescape(&attribute.value).unwrap_or_else(|_| attribute.value.clone());
            attributes.push((
                cut(attribute.key.local_name().as_ref(), MOST_NAME).into(),
                cut(&value, MOST_TEXT).into(),
            ));
        }
        let name = cut(start.local_name().as_ref(), MOST_NAME).into();
        let element = Element { name, attributes, ..Element::default() };
        self.open.push(Open { element, begins, declared });
        Ok(())
    }

    /// Closes the innermost element; gives it when it was the outermost.
    fn end(&mut self) -> Option<Element> {
        let Open { mut element, begins, declared } = self.open.pop()?;
        if self.open.last().is_some_and(|parent| *parent.element.name == *ECHOED) {
            element.raw = self.raw(begins, declared);
        }
        self.declared.truncate(declared);
        match self.open.last_mut() {
            Some(parent) => {
                parent.element.children.push(element);
                None
            }
            None => Some(element),
        }
    }

    /// The element as it came, and the declarations from outside of it that it does not make itself.
    fn raw(&self, begins: usize, declared: usize) -> Option<Box<str>> {
        let came = self.text.get(begins..self.position())?;
        if came.len() > MOST_RAW {
            return None;
        }
        let name_ends = came.find(|c: char| c.is_whitespace() || c == '>' || c == '/')?;
        let (outside, own) = self.declared.split_at(declared);
        let mut raw = came[..name_ends].to_owned();
        for (at, (prefix, value)) in outside.iter().enumerate() {
            let later = outside[at + 1..].iter().chain(own).any(|(other, _)| other == prefix);
            // Only what it may use: the element stays small.
            let used =
                prefix.strip_prefix("xmlns:").is_none_or(|prefix| came.contains(&format!("{prefix}:")));
            if !later && used {
                let quote = if value.contains('"') { '\'' } else { '"' };
                raw.extend([" ", prefix, "=", quote.encode_utf8(&mut [0; 4]), value]);
                raw.push(quote);
            }
        }
        raw.push_str(&came[name_ends..]);
        Some(raw.into())
    }

    fn say(&mut self, text: &str) {
        if let Some(open) = self.open.last_mut() {
            let room = MOST_TEXT.saturating_sub(open.element.text.len());
            open.element.text.push_str(cut(text, room));
        }
    }

    fn refer(&mut self, reference: &BytesRef<'_>) {
        let said = match reference.resolve_char_ref() {
            Ok(Some(character)) => character,
            _ => match &**reference {
                "lt" => '<',
                "gt" => '>',
                "amp" => '&',
                "quot" => '"',
                "apos" => '\'',
                _ => char::REPLACEMENT_CHARACTER,
            },
        };
        self.say(said.encode_utf8(&mut [0; 4]));
    }
}

/// The first `most` octets of a text, or fewer where a character would be split.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let mut ends = most.min(text.len());
    while !text.is_char_boundary(ends) {
        ends -= 1;
    }
    &text[..ends]
}
