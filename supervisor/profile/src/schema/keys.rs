//! The keys of one metric: its kind, and how a raw value becomes a value of that kind.

use super::value::{bilingual, interval, is_kebab, note_choice, oids};
use crate::diagnostic::{At, Diagnostic, Findings, quoted};
use crate::document::{Fields, Node, Value};
use crate::translate::recipe::{Convert, Number, TextFormat};
use roundsman_core::line::Figure;
use roundsman_core::model::{Kind, Record};
use roundsman_core::text::Bilingual;
use roundsman_wire::snmp::plan::Object;
use std::sync::Arc;

/// Most words one state may have.
const MOST_WORDS: usize = 256;
/// Bits of an octet string that a state may look at; the longest BITS of a standard MIB has far fewer.
const MOST_BITS: u16 = 1_024;

/// What a metric's own keys say.
pub(super) struct Read {
    pub(super) title: Bilingual,
    pub(super) kind: Kind,
    pub(super) unit: Arc<str>,
    pub(super) record: Option<Record>,
    pub(super) object: Object,
    pub(super) convert: Convert,
    /// For the second and further identifiers, where `scale` is a list.
    pub(super) others: Vec<Convert>,
    /// Where that list stands.
    pub(super) scales_at: Option<At>,
    pub(super) words: Vec<Arc<str>>,
}

pub(super) fn usual_record(kind: Kind) -> Record {
    match kind {
        Kind::Gauge => Record::Every,
        Kind::State | Kind::Text => Record::Change,
        Kind::Counter => Record::None,
    }
}

pub(super) fn read_record(node: &Node, found: &mut Findings) -> Option<Record> {
    match node.text(found)? {
        "every" => Some(Record::Every),
        "change" => Some(Record::Change),
        "none" => Some(Record::None),
        other => {
            note_choice(node, "`record`", other, &["every", "change", "none"], found);
            None
        }
    }
}

pub(super) fn read_metric(fields: &mut Fields<'_>, name: &str, found: &mut Findings) -> Option<Read> {
    let oids = fields.must("oid", found).and_then(|n| oids(n, found));
    let many = oids.as_ref().map_or(1, Vec::len);
    let read = read_keys(fields, name, many, found)?;
    Some(Read { object: Object { oids: oids? }, ..read })
}

/// The keys of a metric but those that say where its value comes from, which `identifiers` many of it may.
pub(super) fn read_keys(
    fields: &mut Fields<'_>,
    name: &str,
    identifiers: usize,
    found: &mut Findings,
) -> Option<Read> {
    let kind_node = fields.must("kind", found);
    let kind = kind_node.and_then(|node| match node.text(found)? {
        "gauge" => Some(Kind::Gauge),
        "counter" => Some(Kind::Counter),
        "state" => Some(Kind::State),
        "text" => Some(Kind::Text),
        other => {
            note_choice(node, "a metric's kind", other, &["gauge", "counter", "state", "text"], found);
            None
        }
    });
    let unit = fields.maybe_text("unit", found).unwrap_or("");
    let record = fields.maybe("record").and_then(|n| read_record(n, found));
    let title = fields.maybe("title").and_then(|n| bilingual(n, "a title", found));
    let Converts { convert, others, scales_at, words } = read_convert(fields, kind, identifiers, found)?;
    Some(Read {
        title: title.unwrap_or_else(|| Bilingual::new(name, name)),
        kind: kind?,
        unit: Arc::from(unit),
        record,
        object: Object { oids: Vec::new() },
        convert,
        others,
        scales_at,
        words,
    })
}

/// The keys of a metric that reach probes measure; `node` names the figure.
pub(super) fn read_reach(
    fields: &mut Fields<'_>,
    node: &Node,
    found: &mut Findings,
) -> Option<(Read, Figure)> {
    let figure = node.text(found).and_then(|word| {
        let figure = Figure::from_word(word);
        if figure.is_none() {
            let known: Vec<&str> = Figure::ALL.iter().map(|figure| figure.word()).collect();
            note_choice(node, "what reach probes measure", word, &known, found);
        }
        figure
    });
    if let Some(oid) = fields.maybe("oid") {
        let what = "a metric is asked of the device or measured by reach probes, not both";
        found.note(Diagnostic::new(&oid.at, what).hint("leave `oid` out, or `reach`"));
    }
    if let Some(kind) = fields.must("kind", found)
        && kind.text(found).is_some_and(|kind| kind != "gauge")
    {
        found
            .note(Diagnostic::new(&kind.at, "what reach probes measure is a gauge").hint("kind = \"gauge\""));
    }
    let unit = fields.must("unit", found);
    let (figure, unit) = (figure?, unit?);
    if unit.text(found)? != figure.unit() {
        let what = format!("`{}` comes in {}", figure.word(), figure.unit());
        found.note(Diagnostic::new(&unit.at, what).hint(format!("unit = \"{}\"", figure.unit())));
    }
    let record = fields.maybe("record").and_then(|n| read_record(n, found));
    let title = fields.maybe("title").and_then(|n| bilingual(n, "a title", found));
    Some((Read::computed(title.unwrap_or_else(|| figure.name()), figure.unit().into(), record), figure))
}

impl Read {
    /// Of a number that no object of the device holds.
    pub(super) fn computed(title: Bilingual, unit: Arc<str>, record: Option<Record>) -> Read {
        Read {
            title,
            kind: Kind::Gauge,
            unit,
            record,
            object: Object { oids: Vec::new() },
            convert: Convert::Number(Number::default()),
            others: Vec::new(),
            scales_at: None,
            words: Vec::new(),
        }
    }
}

/// How the raw values of a metric become its values.
struct Converts {
    convert: Convert,
    others: Vec<Convert>,
    scales_at: Option<At>,
    words: Vec<Arc<str>>,
}

impl Converts {
    fn one(convert: Convert, words: Vec<Arc<str>>) -> Converts {
        Converts { convert, others: Vec::new(), scales_at: None, words }
    }
}

/// The keys that say how a raw value becomes one of this kind; those of other kinds are refused.
fn read_convert(
    fields: &mut Fields<'_>,
    kind: Option<Kind>,
    identifiers: usize,
    found: &mut Findings,
) -> Option<Converts> {
    let given = Given {
        scale: fields.maybe("scale"),
        range: fields.maybe("range"),
        invalid: fields.maybe("invalid"),
        words: fields.maybe("enum"),
        format: fields.maybe("format"),
        bit: fields.maybe("bit"),
    };
    let kind = kind?;
    given.refuse_strangers(kind, found);
    let invalid = given.invalid.and_then(|n| n.list(found)).unwrap_or(&[]);
    let invalid: Box<[f64]> = invalid.iter().filter_map(|item| item.number(found)).collect();
    match kind {
        Kind::Gauge => {
            let scales = given.scale.map_or(Some(vec![1.0]), |n| read_scales(n, identifiers, found))?;
            let range = given.range.and_then(|n| interval(n, found));
            let number = |&scale: &f64| Convert::Number(Number::new(scale, invalid.clone(), range.clone()));
            let (first, others) = scales.split_first()?;
            Some(Converts {
                convert: number(first),
                others: others.iter().map(number).collect(),
                scales_at: given.scale.filter(|_| !others.is_empty()).map(|node| node.at.clone()),
                words: Vec::new(),
            })
        }
        Kind::Counter => Some(Converts::one(Convert::Counter { invalid }, Vec::new())),
        Kind::State => {
            let Some(node) = given.words else {
                found.note(
                    Diagnostic::new(fields.at(), "a state needs the words of its numbers")
                        .label("`enum` is missing")
                        .hint("enum = { 1 = \"up\", 2 = \"down\" }"),
                );
                return None;
            };
            let pairs = read_words(node, found)?;
            let mut known: Vec<Arc<str>> = Vec::new();
            for (_, word) in &pairs {
                if !known.contains(word) {
                    known.push(word.clone());
                }
            }
            let bit = given.bit.map_or(Some(None), |n| read_bit(n, &pairs, found).map(Some))?;
            let words = pairs.into();
            Some(Converts::one(Convert::State { words, invalid, bit }, known))
        }
        Kind::Text => {
            let format = given.format.map_or(Some(TextFormat::Plain), |n| read_format(n, found))?;
            Some(Converts::one(Convert::Text(format), Vec::new()))
        }
    }
}

/// The keys that not every kind of metric has, as far as they are given.
struct Given<'a> {
    scale: Option<&'a Node>,
    range: Option<&'a Node>,
    invalid: Option<&'a Node>,
    words: Option<&'a Node>,
    format: Option<&'a Node>,
    bit: Option<&'a Node>,
}

impl Given<'_> {
    fn refuse_strangers(&self, kind: Kind, found: &mut Findings) {
        let scaled = "only gauges are scaled; a counter's rate is scaled in its [[derive]]";
        let numbered = [Kind::Gauge, Kind::Counter, Kind::State];
        let keys: [(_, _, &[Kind], _); 6] = [
            (self.scale, "scale", &[Kind::Gauge], scaled),
            (self.range, "range", &[Kind::Gauge], "only gauges have a range"),
            (self.invalid, "invalid", &numbered, "for gauges, counters and states"),
            (self.words, "enum", &[Kind::State], "only states have words"),
            (self.format, "format", &[Kind::Text], "only texts have a format"),
            (self.bit, "bit", &[Kind::State], "a bit of an octet string is a state of two words"),
        ];
        for (node, key, allowed, hint) in keys {
            if let Some(node) = node
                && !allowed.contains(&kind)
            {
                let what = format!("`{key}` does not go with this kind of metric");
                found.note(Diagnostic::new(&node.at, what).hint(hint));
            }
        }
    }
}

fn read_format(node: &Node, found: &mut Findings) -> Option<TextFormat> {
    match node.text(found)? {
        "mac" => Some(TextFormat::Mac),
        "hex" => Some(TextFormat::Hex),
        other => {
            note_choice(node, "a text's format", other, &["mac", "hex"], found);
            None
        }
    }
}

/// `bit`: which one of an octet string; its two words are those of 0 and 1.
fn read_bit(node: &Node, words: &[(i64, Arc<str>)], found: &mut Findings) -> Option<u16> {
    let bit = u16::try_from(node.integer(found)?).ok().filter(|bit| *bit < MOST_BITS);
    if bit.is_none() {
        let what = format!("a bit is counted from 0 to {}", MOST_BITS - 1);
        found.note(Diagnostic::new(&node.at, what).hint("0 is the high bit of the first octet"));
    }
    if !matches!(words, [(0, _), (1, _)]) {
        let what = "a bit has two words, those of 0 and of 1";
        found.note(Diagnostic::new(&node.at, what).hint("enum = [\"no\", \"yes\"]"));
        return None;
    }
    bit
}

/// `scale`: one number, or one for each of the identifiers.
fn read_scales(node: &Node, identifiers: usize, found: &mut Findings) -> Option<Vec<f64>> {
    let Value::List(items) = &node.value else {
        return read_scale(node, found).map(|scale| vec![scale]);
    };
    if items.len() != identifiers {
        let what = format!("{} scales for {identifiers} identifiers", items.len());
        found.note(Diagnostic::new(&node.at, what).hint("one for each of `oid`, in its order"));
        return None;
    }
    items.iter().map(|item| read_scale(item, found)).collect()
}

fn read_scale(node: &Node, found: &mut Findings) -> Option<f64> {
    let scale = node.number(found)?;
    if scale == 0.0 {
        found.note(Diagnostic::new(&node.at, "a scale of 0 would make every value 0"));
        return None;
    }
    Some(scale)
}

/// A whole number, decimal or, after `0x`, hexadecimal.
fn whole(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok().filter(|number| *number >= 0),
        None => text.parse().ok(),
    }
}

/// `enum`: a table from number to word, or a list of words counted from 0.
fn read_words(node: &Node, found: &mut Findings) -> Option<Vec<(i64, Arc<str>)>> {
    let mut pairs = Vec::new();
    match &node.value {
        Value::Table(entries) => {
            for entry in entries {
                match whole(&entry.key) {
                    Some(number) => pairs.push((number, &entry.node)),
                    None => {
                        let what = format!("{} is no number", quoted(&entry.key));
                        let hint =
                            "number on the left, word on the right: enum = { 1 = \"up\", 2 = \"down\" }";
                        found.note(Diagnostic::new(&entry.key_at, what).hint(hint));
                    }
                }
            }
        }
        Value::List(items) => pairs.extend(items.iter().enumerate().map(|(at, item)| (at as i64, item))),
        _ => {
            node.table(found);
            return None;
        }
    }
    if pairs.is_empty() || pairs.len() > MOST_WORDS {
        found.note(Diagnostic::new(&node.at, format!("an enum has 1 to {MOST_WORDS} words")));
        return None;
    }
    let mut words = Vec::new();
    for (number, node) in pairs {
        let word = node.text(found)?;
        if !is_kebab(word) {
            let what = format!("{} is no word of a state", quoted(word));
            found.note(Diagnostic::new(&node.at, what).hint("kebab case, such as `lower-layer-down`"));
            return None;
        }
        words.push((number, Arc::from(word)));
    }
    words.sort_by_key(|(number, _)| *number);
    Some(words)
}
