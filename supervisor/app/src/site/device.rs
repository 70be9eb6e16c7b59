//! `[[device]]`, before references are resolved.

use super::{Line, camera, values};
use roundsman_core::device::{Network, Tier};
use roundsman_driver::reach::Reach;
use roundsman_profile::diagnostic::{Diagnostic, Findings};
use roundsman_profile::document::{Fields, Node, Value};
use std::sync::Arc;

/// Most uplinks of one device.
const MOST_UPLINKS: usize = 8;

/// Most tags of one device.
const MOST_TAGS: usize = 1_000;

/// Seconds between two polls where the site says nothing.
const DEFAULT_INTERVAL_S: u32 = 60;

/// Seconds between two probes of a line, where the site names the line and says no more.
const DEFAULT_PROBE_S: u32 = 10;

/// A device as written.
pub(super) struct Draft<'a> {
    pub(super) id: &'a str,
    pub(super) id_node: &'a Node,
    pub(super) name: &'a str,
    pub(super) profile: (&'a str, &'a Node),
    pub(super) tier: Tier,
    pub(super) network: Network,
    pub(super) location: &'a str,
    /// Its own address, as written.
    pub(super) address: Option<(&'a Node, &'a str)>,
    /// The bus that it hangs on.
    pub(super) bus: Option<&'a Node>,
    /// Which units of the bus it is.
    pub(super) units: Option<Units<'a>>,
    pub(super) credentials: Option<&'a Node>,
    pub(super) write_credentials: Option<&'a Node>,
    pub(super) uplinks: Vec<(&'a Node, Option<Arc<str>>)>,
    pub(super) line: Option<Line>,
    /// Seconds between two probes of its line; `None`: its quality is not looked at.
    pub(super) line_probe_s: Option<u32>,
    pub(super) tags: Vec<(Arc<str>, Arc<str>)>,
    pub(super) reach: Option<Reach>,
    /// Where `reach` stands, and `line` or `line_quality`.
    pub(super) reach_node: Option<&'a Node>,
    pub(super) line_node: Option<&'a Node>,
    pub(super) interval_s: u32,
    /// Whether its answers must come from the address that is asked.
    pub(super) strict_source: bool,
    pub(super) rules: Option<&'a Node>,
    /// What is said of a camera's ports and settings.
    pub(super) camera: camera::Draft<'a>,
}

/// Which units of a bus a device is.
#[derive(Clone, Copy)]
pub(super) enum Units<'a> {
    /// This one.
    Single(i64, &'a Node),
    /// So many, row by row, with consecutive numbers.
    Grid { rows: u8, columns: u8, first: i64, at: &'a Node },
}

impl<'a> Units<'a> {
    /// Where they stand.
    pub(super) fn node(self) -> &'a Node {
        match self {
            Units::Single(_, at) | Units::Grid { at, .. } => at,
        }
    }
}

/// Reads one `[[device]]`.
pub(super) fn read<'a>(node: &'a Node, found: &mut Findings) -> Option<Draft<'a>> {
    let mut fields = Fields::of(node, "a device", found)?;
    let mut must =
        |key, example, found: &mut Findings| values::must(&mut fields, "a device", key, example, found);
    let id_node = must("id", "id = \"rt-county-07\", never to be changed later", found);
    let id = id_node.and_then(|n| values::id(n, found));
    let name = must("name", "name = \"尧都区局路由器\"", found).and_then(|n| values::name(n, found));
    let profile_node = must("profile", "profile = \"auto\", or an id of `roundsman profile list`", found);
    let profile = profile_node.and_then(|n| n.text(found));
    let tiers = "tier = \"county\", or province, city, station";
    let tier = must("tier", tiers, found).and_then(|n| values::tier(n, found));
    let networks = "network = \"business\", or lan, internet, gov-intranet";
    let network = must("network", networks, found).and_then(|n| values::network(n, found));
    let address_node = fields.maybe("address");
    let bus = fields.maybe("bus");
    let units = read_units(&mut fields, found);
    let location = fields.maybe("location").map(|n| values::line(n, found));
    let address = address_node.map(|n| {
        values::address(n, values::SNMP_PORT, found)?;
        Some((n, n.text(found)?))
    });
    if address_node.is_none() && bus.is_none() {
        let diagnostic = Diagnostic::new(fields.at(), "a device needs the key `address`");
        let hint = "write address = \"192.0.2.1\"; or bus = \"…\", the id of a [[bus]]";
        found.note(diagnostic.label("`address` is missing").hint(hint));
    }
    let credentials = fields.maybe("credentials");
    let write_credentials = fields.maybe("write_credentials");
    let uplinks = fields.maybe("uplink").map(|n| uplinks(n, found)).unwrap_or_default();
    let line_nodes = (fields.maybe("line"), fields.maybe("line_quality"));
    let line = line_nodes.0.and_then(|n| values::line_speed(n, found));
    let line_quality = line_nodes.1.map(|n| values::line_quality(n, found));
    let tags = fields.maybe("tag").map(|n| tags(n, found)).unwrap_or_default();
    let reach_node = fields.maybe("reach");
    let reach = reach_node.and_then(|n| values::reach(n, found));
    let interval_s = fields.maybe("interval").map(|n| values::interval_s(n, found));
    let strict_source = fields.maybe("strict_source").map(|n| strict_source(n, found));
    let camera = camera::read(&mut fields, found);
    let rules = fields.maybe("rule");
    let rules = rules.filter(|n| values::is_table(n, "rule.interface-busy.warning.above = 70", found));
    fields.finish(found);
    Some(Draft {
        id: id?,
        id_node: id_node?,
        name: name?,
        profile: (profile?, profile_node?),
        tier: tier?,
        network: network?,
        location: location.unwrap_or(Some(""))?,
        address: address.map_or(Some(None), |read| read.map(Some))?,
        bus,
        units: units?,
        credentials,
        write_credentials,
        uplinks,
        line_probe_s: line_quality.unwrap_or(Some(line.as_ref().map(|_| DEFAULT_PROBE_S)))?,
        line,
        tags,
        reach,
        reach_node,
        line_node: line_nodes.0.or(line_nodes.1),
        interval_s: interval_s.unwrap_or(Some(DEFAULT_INTERVAL_S))?,
        strict_source: strict_source.unwrap_or(Some(true))?,
        rules,
        camera: camera?,
    })
}

/// `unit = 3`, or `grid = { rows = 3, columns = 3, first_unit = 1 }`.
fn read_units<'a>(fields: &mut Fields<'a>, found: &mut Findings) -> Option<Option<Units<'a>>> {
    match (fields.maybe("unit"), fields.maybe("grid")) {
        (None, None) => Some(None),
        (Some(unit), None) => Some(Some(Units::Single(unit.integer(found)?, unit))),
        (Some(_), Some(grid)) => {
            let what = "`unit` and `grid` exclude each other";
            found.note(Diagnostic::new(&grid.at, what).hint("the grid's first unit is its `first_unit`"));
            None
        }
        (None, Some(grid)) => {
            let mut of_grid = Fields::of(grid, "`grid`", found)?;
            let mut number = |key, found: &mut Findings| {
                let node = of_grid.must(key, found)?;
                let side = node.integer(found)?;
                let good = u8::try_from(side).ok().filter(|side| *side > 0);
                if good.is_none() {
                    let hint = "grid = { rows = 3, columns = 3, first_unit = 1 }";
                    found.note(Diagnostic::new(&node.at, "a grid has 1 to 247 rows and columns").hint(hint));
                }
                good
            };
            let (rows, columns) = (number("rows", found), number("columns", found));
            let first = of_grid.maybe("first_unit").map_or(Some(1), |n| n.integer(found));
            of_grid.finish(found);
            Some(Some(Units::Grid { rows: rows?, columns: columns?, first: first?, at: grid }))
        }
    }
}

/// `strict_source`: `false` for the routers that answer from another of their addresses. Strict is the default: a
/// forger then needs the device's own address beside its community and the request's id.
fn strict_source(node: &Node, found: &mut Findings) -> Option<bool> {
    let Value::Boolean(strict) = node.value else {
        let what = format!("`strict_source` is true or false, this is {}", node.kind());
        let hint =
            "without quotes: strict_source = false takes answers from another address of the same device";
        found.note(Diagnostic::new(&node.at, what).hint(hint));
        return None;
    };
    Some(strict)
}

/// `uplink = "id"`, or a list of `{ device, port }`.
fn uplinks<'a>(node: &'a Node, found: &mut Findings) -> Vec<(&'a Node, Option<Arc<str>>)> {
    let items = match &node.value {
        Value::Text(_) => return vec![(node, None)],
        Value::List(items) => items,
        _ => {
            let what = format!("an uplink is expected, this is {}", node.kind());
            let hint = "a device's id, or a list such as [{ device = \"rt-province\", port = \"GE0/0/1\" }]";
            found.note(Diagnostic::new(&node.at, what).hint(hint));
            return vec![];
        }
    };
    if items.len() > MOST_UPLINKS {
        found.note(Diagnostic::new(&node.at, format!("a device has at most {MOST_UPLINKS} uplinks")));
    }
    let mut uplinks = Vec::new();
    for item in items.iter().take(MOST_UPLINKS) {
        let Some(mut fields) = Fields::of(item, "an uplink", found) else {
            continue;
        };
        let device = fields.must("device", found);
        let port = fields.maybe("port").and_then(|n| values::name(n, found)).map(Arc::from);
        fields.finish(found);
        uplinks.extend(device.map(|device| (device, port)));
    }
    uplinks
}

fn tags(node: &Node, found: &mut Findings) -> Vec<(Arc<str>, Arc<str>)> {
    if !values::is_table(node, "tag = { \"GigabitEthernet0/0/1\" = \"uplink\" }", found) {
        return vec![];
    }
    let entries = node.table(found).unwrap_or(&[]);
    if entries.len() > MOST_TAGS {
        found.note(Diagnostic::new(&node.at, format!("a device has at most {MOST_TAGS} tags")));
    }
    let tag = |entry: &roundsman_profile::document::Entry, found: &mut Findings| {
        if values::is_hiding(&entry.key, &entry.key_at, found) {
            return None;
        }
        let word = values::name(&entry.node, found)?;
        Some((Arc::from(entry.key.as_str()), Arc::from(word)))
    };
    entries.iter().take(MOST_TAGS).filter_map(|entry| tag(entry, found)).collect()
}
