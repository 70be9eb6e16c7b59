//! `match.modbus`, `match.serial` and `match.onvif`: what a device says of itself.

use super::value::filled;
use crate::diagnostic::{Diagnostic, Findings};
use crate::document::{Fields, Node};
use std::sync::Arc;

/// What a device that is not asked by SNMP says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Objects of the Modbus device identification: number, and how its text begins.
    Identification(Vec<(u8, Arc<str>)>),
    /// How the text begins that it sends when its port is opened.
    Banner(Arc<str>),
    /// Who it says it is by ONVIF: its maker, and how its model begins.
    Onvif {
        /// How the maker's name begins, in whichever case.
        maker: Arc<str>,
        /// How the model's name begins; empty for all of them.
        model: Arc<str>,
    },
}

/// Reads the marks of `match`.
pub(super) fn read(ways: &mut Fields<'_>, found: &mut Findings) -> Vec<Mark> {
    let modbus = ways.maybe("modbus").and_then(|node| read_identification(node, found));
    let serial = ways.maybe("serial").and_then(|node| read_banner(node, found));
    let onvif = ways.maybe("onvif").and_then(|node| read_onvif(node, found));
    modbus.into_iter().chain(serial).chain(onvif).collect()
}

fn read_onvif(node: &Node, found: &mut Findings) -> Option<Mark> {
    let mut fields = Fields::of(node, "`match.onvif`", found)?;
    let maker = fields.must("maker", found).and_then(|node| filled(node, found));
    let model = fields.maybe("model").map(|node| filled(node, found));
    fields.finish(found);
    Some(Mark::Onvif { maker: Arc::from(maker?), model: Arc::from(model.unwrap_or(Some(""))?) })
}

/// Objects of the device identification (AP section 6.21), by their names.
const OBJECTS: [(&str, u8); 7] = [
    ("maker", 0),
    ("product", 1),
    ("revision", 2),
    ("url", 3),
    ("product-name", 4),
    ("model", 5),
    ("application", 6),
];

fn read_identification(node: &Node, found: &mut Findings) -> Option<Mark> {
    let mut fields = Fields::of(node, "`match.modbus`", found)?;
    let mut objects = Vec::new();
    for (name, object) in OBJECTS {
        if let Some(node) = fields.maybe(name) {
            objects.push((object, Arc::from(filled(node, found)?)));
        }
    }
    fields.finish(found);
    if objects.is_empty() {
        let names = OBJECTS.map(|(name, _)| name).join(", ");
        found.note(Diagnostic::new(&node.at, "nothing is said of the device's identification").hint(names));
        return None;
    }
    Some(Mark::Identification(objects))
}

fn read_banner(node: &Node, found: &mut Findings) -> Option<Mark> {
    let mut fields = Fields::of(node, "`match.serial`", found)?;
    let banner = fields.must("banner", found).and_then(|node| filled(node, found));
    fields.finish(found);
    Some(Mark::Banner(Arc::from(banner?)))
}
