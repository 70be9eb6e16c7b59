//! Single values of the site file.

use super::{ClockSource, Line};
use roundsman_core::device::{Class, Network, Tier};
use roundsman_core::rule::Severity;
use roundsman_core::sla::policy::Starts;
use roundsman_core::text::is_hidden;
use roundsman_driver::reach::Reach;
use roundsman_profile::diagnostic::{At, Diagnostic, Findings, did_you_mean, quoted};
use roundsman_profile::document::{Fields, Node, Value};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// Longest id.
const LONGEST_ID: usize = 64;

/// Longest name or location in characters.
const LONGEST_NAME: usize = 200;

/// Port of an SNMP agent (RFC 3417 section 3.1) where the address names none.
pub(super) const SNMP_PORT: u16 = 161;

/// Slowest line in bit/s: below it somebody forgot the unit.
const SLOWEST_LINE: f64 = 1e3;

/// Fastest line in bit/s: above it somebody took the wrong unit.
const FASTEST_LINE: f64 = 1e12;

macro_rules! word {
    ($name:ident, $type:ty, $what:literal) => {
        #[doc = concat!("A ", $what, " by its word.")]
        pub(super) fn $name(node: &Node, found: &mut Findings) -> Option<$type> {
            let word = node.text(found)?;
            let value = <$type>::from_word(word);
            if value.is_none() {
                let what = format!(concat!("{} is no ", $what), quoted(word));
                let mut diagnostic = Diagnostic::new(&node.at, what);
                diagnostic.hint = did_you_mean(word, <$type>::ALL.iter().map(|known| known.word()));
                found.note(diagnostic);
            }
            value
        }
    };
}

word!(tier, Tier, "tier");
word!(network, Network, "network");
word!(class, Class, "class");
word!(severity, Severity, "severity");
word!(starts, Starts, "moment to start the clock");

/// The value of a key; left out, that is noted with how to write it.
pub(super) fn must<'a>(
    fields: &mut Fields<'a>,
    what: &str,
    key: &'static str,
    example: &str,
    found: &mut Findings,
) -> Option<&'a Node> {
    let node = fields.maybe(key);
    if node.is_none() {
        let diagnostic = Diagnostic::new(fields.at(), format!("{what} needs the key `{key}`"));
        let diagnostic = diagnostic.label(format!("`{key}` is missing"));
        found.note(diagnostic.hint(format!("write {example}")));
    }
    node
}

/// A table; anything else is noted with how to write it.
pub(super) fn is_table(node: &Node, example: &str, found: &mut Findings) -> bool {
    let good = matches!(node.value, Value::Table(_));
    if !good {
        let what = format!("a table is expected, this is {}", node.kind());
        found.note(Diagnostic::new(&node.at, what).hint(format!("such as {example}")));
    }
    good
}

/// An id: lower-case letters, digits and `-`, at most 64, beginning with a letter or digit.
pub(super) fn id<'a>(node: &'a Node, found: &mut Findings) -> Option<&'a str> {
    let id = node.text(found)?;
    let good = !id.is_empty()
        && id.len() <= LONGEST_ID
        && !id.starts_with('-')
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !good {
        let what = format!("{} is no id", quoted(id));
        let hint =
            format!("lower-case letters, digits and `-`, at most {LONGEST_ID}, such as \"rt-city-core\"");
        found.note(Diagnostic::new(&node.at, what).hint(hint));
    }
    good.then_some(id)
}

/// A name for people: one line, not empty.
pub(super) fn name<'a>(node: &'a Node, found: &mut Findings) -> Option<&'a str> {
    let name = line(node, found)?;
    if name.trim().is_empty() {
        let hint = "what people call it on the panel and on the phone, such as \"市局核心路由器\"";
        found.note(Diagnostic::new(&node.at, "this name is empty").hint(hint));
        return None;
    }
    Some(name)
}

/// One line of text, may be empty.
pub(super) fn line<'a>(node: &'a Node, found: &mut Findings) -> Option<&'a str> {
    let Value::Text(text) = &node.value else {
        let what = format!("text is expected, this is {}", node.kind());
        found.note(Diagnostic::new(&node.at, what).hint("write it in quotes"));
        return None;
    };
    if text.chars().count() > LONGEST_NAME || text.chars().any(char::is_control) {
        let what = format!("one line of at most {LONGEST_NAME} characters is expected");
        found.note(Diagnostic::new(&node.at, what).hint("no line breaks, tabs or other control characters"));
        return None;
    }
    (!is_hiding(text, &node.at, found)).then_some(text)
}

/// Whether a text holds a character that nobody sees or that turns the reading direction: two devices would look
/// the same, or one like another. Such a one is noted.
pub(super) fn is_hiding(text: &str, at: &At, found: &mut Findings) -> bool {
    let Some((position, c)) = text.chars().enumerate().find(|(_, c)| is_hidden(*c)) else {
        return false;
    };
    let what = format!("character {} is U+{:04X}, which nobody sees", position + 1, u32::from(c));
    let hint = "it came along when the text was copied, or it turns the reading direction; delete it and type the \
                text around it anew";
    found.note(Diagnostic::new(at, what).hint(hint));
    true
}

/// The speed of a line: a number with k, M or G behind it, or bare bit/s; 1 kbit/s to 1 Tbit/s.
pub(super) fn line_speed(node: &Node, found: &mut Findings) -> Option<Line> {
    const HINT: &str = "the speed in bit/s with k, M or G, in quotes, such as \"2M\", \"100M\", \"1G\"";
    let Value::Text(text) = &node.value else {
        let what = format!("the speed of a line is text, this is {}", node.kind());
        found.note(Diagnostic::new(&node.at, what).hint(HINT));
        return None;
    };
    let digits = text.trim_end_matches(['k', 'M', 'G']);
    let factor = match &text[digits.len()..] {
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        _ => f64::NAN,
    };
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let speed = digits.parse::<f64>().ok().filter(|_| is_number).map(|number| number * factor);
    let Some(speed) = speed.filter(|speed| speed.is_finite()) else {
        found.note(Diagnostic::new(&node.at, format!("{} is no speed of a line", quoted(text))).hint(HINT));
        return None;
    };
    if !(SLOWEST_LINE..=FASTEST_LINE).contains(&speed) {
        let what = format!("a line carries 1k to 1000G, {} is {speed} bit/s", quoted(text));
        found.note(Diagnostic::new(&node.at, what).hint(HINT));
        return None;
    }
    Some(Line { text: text.as_str().into(), speed })
}

/// How often a line's quality is probed, in whole seconds from 1 to 60; `None` where it is not to be. Outer `None` where
/// it cannot be read.
pub(super) fn line_quality(node: &Node, found: &mut Findings) -> Option<Option<u32>> {
    const SLOWEST_MS: u64 = 60_000;
    const HINT: &str = "how often the line is probed, in quotes with its unit, such as \"10s\"; or \"off\"";
    let Value::Text(text) = &node.value else {
        let what = format!("`line_quality` is text, this is {}", node.kind());
        found.note(Diagnostic::new(&node.at, what).hint(HINT));
        return None;
    };
    if text == "off" {
        return Some(None);
    }
    let ms = roundsman_profile::schema::duration_ms(node, found)?;
    if !(1_000..=SLOWEST_MS).contains(&ms) || ms % 1_000 != 0 {
        let what = "a line is probed every so many whole seconds, 1s to 60s";
        found.note(Diagnostic::new(&node.at, what).hint(HINT));
        return None;
    }
    Some(Some((ms / 1_000) as u32))
}

/// `host[:port]` with the host as an IP address: the box works without DNS.
pub(super) fn address(node: &Node, usual_port: u16, found: &mut Findings) -> Option<SocketAddr> {
    let text = node.text(found)?;
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let parsed = match (bare.parse::<IpAddr>(), text.parse::<SocketAddr>()) {
        (Ok(ip), _) => Some(SocketAddr::new(ip, usual_port)),
        (_, Ok(address)) if address.port() != 0 => Some(address),
        _ => None,
    };
    if parsed.is_none() {
        let what = format!("{} is no address", quoted(text));
        let hint = "an IP address with an optional port, such as \"192.0.2.1\" or \"192.0.2.1:1161\"; names are not \
                    looked up, since the box must work without a name server";
        found.note(Diagnostic::new(&node.at, what).hint(hint));
    }
    parsed
}

/// Where the panel listens: loopback only, since it speaks plain HTTP.
pub(super) fn listen(node: &Node, found: &mut Findings) -> Option<SocketAddr> {
    let text = node.text(found)?;
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Some(address),
        Ok(_) => {
            let what = format!("plain HTTP is served on loopback only, {} is another address", quoted(text));
            found.note(
                Diagnostic::new(&node.at, what).hint("use 127.0.0.1 with a port, such as \"127.0.0.1:8080\""),
            );
            None
        }
        Err(_) => {
            let what = format!("{} is no address to listen on", quoted(text));
            found.note(
                Diagnostic::new(&node.at, what).hint("an IP address and a port, such as \"127.0.0.1:8080\""),
            );
            None
        }
    }
}

/// How a device is reached.
pub(super) fn reach(node: &Node, found: &mut Findings) -> Option<Reach> {
    let text = node.text(found)?;
    match text.parse() {
        Ok(reach) => Some(reach),
        Err(_) => {
            let what = format!("{} is no way to reach a device", quoted(text));
            found.note(Diagnostic::new(&node.at, what).hint("icmp, tcp:PORT, snmp or echo:PORT"));
            None
        }
    }
}

/// A path, taken from the site file's folder where it is relative.
pub(super) fn path(node: &Node, folder: &Path, found: &mut Findings) -> Option<PathBuf> {
    let text = node.text(found)?;
    if text.is_empty() {
        found.note(Diagnostic::new(&node.at, "this path is empty").hint(
            "a folder, such as \"/var/lib/roundsman\"; a relative one begins at the site file's folder",
        ));
        return None;
    }
    Some(folder.join(text))
}

/// A whole number of seconds in `range`, written as a duration.
pub(super) fn interval_s(node: &Node, found: &mut Findings) -> Option<u32> {
    const DAY_MS: u64 = 86_400_000;
    const HINT: &str = "in quotes with its unit, such as \"30s\" or \"5m\"; \"60s\" where nothing is said";
    if let Value::Integer(_) | Value::Float(_) = node.value {
        let what = "an interval is text with a unit, this is a bare number";
        found.note(Diagnostic::new(&node.at, what).hint(HINT));
        return None;
    }
    let ms = roundsman_profile::schema::duration_ms(node, found)?;
    if ms == 0 || ms > DAY_MS || ms % 1000 != 0 {
        let what = "an interval is a whole number of seconds from 1s to 1d";
        found.note(Diagnostic::new(&node.at, what).hint(HINT));
        return None;
    }
    Some((ms / 1000) as u32)
}

/// How long something is kept, in ms: whole days, at most ten years, written as a duration.
pub(super) fn days_ms(node: &Node, found: &mut Findings) -> Option<i64> {
    const DAY_MS: i64 = 86_400_000;
    const MOST_DAYS: i64 = 3_660;
    let text = node.text(found)?;
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    let Some(days) = days.filter(|days| (1..=MOST_DAYS).contains(days)) else {
        let what = format!("whole days from 1d to {MOST_DAYS}d are expected, this is {}", quoted(text));
        found.note(Diagnostic::new(&node.at, what).hint("in quotes with its unit, such as \"14d\""));
        return None;
    };
    Some(days * DAY_MS)
}

/// When the wall clock is believed.
pub(super) fn clock(node: &Node, found: &mut Findings) -> Option<ClockSource> {
    match node.text(found)? {
        "network" => Some(ClockSource::Network),
        "trusted" => Some(ClockSource::Trusted),
        other => {
            let what = format!("{} says not when the clock is believed", quoted(other));
            let hint = "\"network\": once the kernel says that a time server set it; \"trusted\": always, for a box \
                        with a battery-backed clock and no time server";
            found.note(Diagnostic::new(&node.at, what).hint(hint));
            None
        }
    }
}
