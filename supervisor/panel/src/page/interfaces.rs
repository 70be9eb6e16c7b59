//! The interface table of a device (IF-MIB), put together from its readings.

use super::pictures;
use super::readings::INTERFACE;
use crate::figure::number;
use crate::site::SiteReading;
use crate::voice::Voice;
use askama::Template;
use roundsman_core::reading::Value;
use std::collections::HashMap;

/// Rows of the table; a chassis may have thousands.
const MOST: usize = 128;

/// One interface with what its readings say.
#[derive(Default)]
pub(super) struct Interface<'a> {
    pub(super) name: &'a str,
    pub(super) alias: &'a str,
    pub(super) admin: Option<&'a str>,
    pub(super) oper: Option<&'a str>,
    /// bit/s.
    pub(super) speed: Option<f64>,
    /// bit/s.
    pub(super) in_rate: Option<f64>,
    /// bit/s.
    pub(super) out_rate: Option<f64>,
    /// As the profile reckons it: of an uplink against the site's line. %.
    utilisation: Option<f64>,
    /// Errors and discards in both directions, 1/s.
    pub(super) errors: Option<f64>,
    /// What the site tags it as; may be empty.
    pub(super) tag: &'a str,
}

impl Interface<'_> {
    /// Busier direction, share of the speed in %.
    pub(super) fn used(&self) -> Option<f64> {
        if let Some(utilisation) = self.utilisation {
            return Some(utilisation.min(100.0));
        }
        let busiest = self.in_rate.into_iter().chain(self.out_rate).reduce(f64::max)?;
        self.speed.filter(|speed| *speed > 0.0).map(|speed| (busiest / speed * 100.0).min(100.0))
    }

    /// The state's word for shapes and colours.
    fn state(&self) -> &'static str {
        match (self.admin, self.oper) {
            (Some("down"), _) => "out-of-service",
            (_, Some("up")) => "ok",
            (_, Some("unknown") | None) => "no-data",
            (_, Some(_)) if self.tag == "uplink" => "critical",
            (_, Some(_)) => "pending",
        }
    }
}

/// Interfaces in the order of their readings.
pub(super) fn interfaces<'a>(
    readings: &'a [SiteReading],
    tags: &'a [(std::sync::Arc<str>, std::sync::Arc<str>)],
) -> Vec<Interface<'a>> {
    let mut found: Vec<Interface<'a>> = Vec::new();
    let mut at: HashMap<&str, usize> = HashMap::new();
    for reading in readings {
        let Some(column) = reading.metric.strip_prefix(INTERFACE).and_then(|rest| rest.strip_prefix('.'))
        else {
            continue;
        };
        let name = &*reading.instance;
        let at = *at.entry(name).or_insert_with(|| {
            let tag = tags.iter().find(|(instance, _)| **instance == *name).map_or("", |(_, tag)| tag);
            found.push(Interface { name, tag, ..Interface::default() });
            found.len() - 1
        });
        let interface = &mut found[at];
        let number = reading.sample.as_ref().ok().and_then(Value::number);
        let word = reading.sample.as_ref().ok().and_then(Value::word).map(|word| &**word);
        match column {
            "alias" => interface.alias = word.unwrap_or(""),
            "admin-status" => interface.admin = word,
            "oper-status" => interface.oper = word,
            "speed" => interface.speed = number,
            "in-rate" => interface.in_rate = number,
            "out-rate" => interface.out_rate = number,
            "utilisation" => interface.utilisation = number,
            "in-error-rate" | "out-error-rate" | "in-discard-rate" | "out-discard-rate" => {
                interface.errors = Some(interface.errors.unwrap_or(0.0) + number.unwrap_or(0.0));
            }
            _ => {}
        }
    }
    found
}

struct Row {
    name: String,
    alias: String,
    state: &'static str,
    word: String,
    speed: String,
    in_rate: String,
    out_rate: String,
    used: String,
    errors: String,
}

/// The part of the device page.
#[derive(Template)]
#[template(path = "page/device-interfaces.html")]
pub(super) struct InterfaceTable<'a> {
    v: &'a Voice,
    up: String,
    strip: String,
    interfaces: Vec<Row>,
    more: usize,
}

/// The table; `None` for a device without interfaces.
pub(super) fn table<'a>(interfaces: &[Interface<'_>], v: &'a Voice) -> Option<InterfaceTable<'a>> {
    if interfaces.is_empty() {
        return None;
    }
    let shown = |x: Option<f64>, unit: &str| x.map_or_else(|| "—".to_owned(), |x| number(x, unit).line());
    let row = |i: &Interface<'_>| {
        let word = match (i.admin, i.oper) {
            (Some("down"), _) => v.t("interface.disabled").into_owned(),
            (_, Some(oper)) => v.word(oper),
            (_, None) => v.word("unknown"),
        };
        let tagged = if i.tag.is_empty() { String::new() } else { v.word(i.tag) };
        let tagged = if tagged == i.alias { "" } else { &tagged };
        let alias = [i.alias, tagged].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" · ");
        Row {
            name: i.name.to_owned(),
            alias,
            state: i.state(),
            word,
            speed: shown(i.speed.filter(|s| *s > 0.0), "bit/s"),
            in_rate: shown(i.in_rate, "bit/s"),
            out_rate: shown(i.out_rate, "bit/s"),
            used: shown(i.used(), "%"),
            errors: shown(i.errors, "/s"),
        }
    };
    let up = interfaces.iter().filter(|i| i.oper == Some("up")).count();
    Some(InterfaceTable {
        v,
        up: format!("{up}/{}", interfaces.len()),
        strip: pictures::interfaces(interfaces, v),
        interfaces: interfaces.iter().take(MOST).map(row).collect(),
        more: interfaces.len().saturating_sub(MOST),
    })
}
