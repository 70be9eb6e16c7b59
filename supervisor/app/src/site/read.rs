//! The whole file: sections, then references between devices.

use super::bus::{self, Buses};
use super::credentials::{self, Credentials};
use super::device::{self, Draft};
use super::limits::{self, Limits};
use super::{Asked, ClockSource, MOST_DEVICES, Site, SiteEntry, camera, holidays, sla, values};
use jiff::tz::TimeZone;
use roundsman_core::device::{Device, DeviceIx, Uplink};
use roundsman_core::line::Line;
use roundsman_core::sla::policy::Policy;
use roundsman_core::text::Language;
use roundsman_core::topology::Topology;
use roundsman_profile::catalogue::{Catalogue, GENERIC};
use roundsman_profile::diagnostic::{Diagnostic, Findings, Rejected, Source, did_you_mean, quoted};
use roundsman_profile::document::{self, Fields, Node, Value};
use roundsman_profile::schema::Profile;
use roundsman_store::Retention;
use roundsman_wire::snmp::session::Target;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the panel listens where the site says nothing.
const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// Where the store lies where the site says nothing.
const DEFAULT_STORE: &str = "/var/lib/roundsman";

/// Reads a site file.
pub(super) fn site(source: &Arc<Source>, folder: &Path) -> Result<Site, Rejected> {
    let mut found = Findings::default();
    let site = document::parse(source, &mut found).and_then(|root| read(&root, folder, &mut found));
    match (site, found.into_rejected()) {
        (Some(site), None) => Ok(site),
        (_, Some(rejected)) => Err(rejected),
        (None, None) => Err(Diagnostic::new(&source.at(0..0), "the site file could not be read").into()),
    }
}

struct Head {
    name: Arc<str>,
    zone: TimeZone,
    language: Language,
    clock: ClockSource,
}

fn read(root: &Node, folder: &Path, found: &mut Findings) -> Option<Site> {
    let mut fields = Fields::of(root, "the site file", found)?;
    let example = "[site] with name = \"…\" and timezone = \"Asia/Shanghai\"";
    let head_node = values::must(&mut fields, "the site file", "site", example, found);
    let mut attached_to = None;
    let head = head_node.and_then(|node| read_head(node, &mut attached_to, found));
    let store = match fields.maybe("store") {
        Some(node) => read_store(node, folder, found),
        None => Some(Kept { path: PathBuf::from(DEFAULT_STORE), keep: Retention::default() }),
    };
    let listen = fields.maybe("panel").map(|node| read_panel(node, found));
    let catalogue = read_profiles(fields.maybe("profiles"), folder, found);
    let mut warnings = Vec::new();
    let credentials = fields.maybe("credentials");
    let credentials = credentials.map(|node| credentials::read(node, folder, &mut warnings, found));
    let override_nodes = sections(&mut fields, "override", found);
    let buses = bus::read(sections(&mut fields, "bus", found), found);
    let device_nodes = sections(&mut fields, "device", found);
    let sla = read_sla(&mut fields, folder, found);
    fields.finish(found);
    if let Some(node) = device_nodes.get(MOST_DEVICES) {
        found.note(Diagnostic::new(&node.at, format!("one box watches at most {MOST_DEVICES} devices")));
        return None;
    }
    let drafts: Vec<Option<Draft<'_>>> = device_nodes.iter().map(|node| device::read(node, found)).collect();
    let catalogue = catalogue?;
    let profile_ids: Vec<&str> = catalogue.list().map(|item| &*item.profile.id).collect();
    let mut limits = Limits::read(override_nodes, &catalogue, found);
    let credentials = credentials.unwrap_or_default();
    let names = Names { catalogue: &catalogue, profile_ids, credentials: &credentials };
    let mut buses = Buses::new(buses);
    let devices = resolve(&drafts, &names, &mut buses, &mut limits, found);
    let attached_to = attached_to.and_then(|(node, id)| {
        let at = drafts.iter().position(|draft| draft.as_ref().is_some_and(|draft| draft.id == id));
        if at.is_none() {
            unknown_device(node, id, &drafts, found);
        }
        at.map(|at| DeviceIx(at as u32))
    });
    let (head, store) = (head?, store?);
    Some(Site {
        name: head.name,
        zone: head.zone,
        language: head.language,
        clock: head.clock,
        attached_to,
        store: store.path,
        keep: store.keep,
        listen: listen.unwrap_or_else(|| DEFAULT_LISTEN.parse().ok())?,
        catalogue: Arc::new(catalogue),
        devices: devices?,
        buses: buses.into_entries(),
        limits,
        sla,
        warnings,
    })
}

/// The `[[sla]]` sections, whose hours know the `[holidays]`.
fn read_sla(fields: &mut Fields<'_>, folder: &Path, found: &mut Findings) -> Vec<Arc<Policy>> {
    let nodes = fields.maybe("sla").map(|_| sections(fields, "sla", found));
    let holidays = fields.maybe("holidays").map(|node| holidays::read(node, folder, found));
    sla::read(nodes, &holidays.unwrap_or_default(), found)
}

/// The `[[key]]` sections.
fn sections<'a>(fields: &mut Fields<'a>, key: &'static str, found: &mut Findings) -> &'a [Node] {
    let Some(node) = fields.maybe(key) else { return &[] };
    if let Value::List(items) = &node.value {
        return items;
    }
    let what = format!("`{key}` is a list of sections, this is {}", node.kind());
    found.note(
        Diagnostic::new(&node.at, what).hint(format!("write [[{key}]] with two brackets, once for each")),
    );
    &[]
}

fn read_head<'a>(
    node: &'a Node,
    attached_to: &mut Option<(&'a Node, &'a str)>,
    found: &mut Findings,
) -> Option<Head> {
    let mut fields = Fields::of(node, "`site`", found)?;
    let mut must =
        |key, example, found: &mut Findings| values::must(&mut fields, "`site`", key, example, found);
    let name = must("name", "name = \"临汾市市场监督管理局\"", found).and_then(|n| values::name(n, found));
    let zone_node = must("timezone", "timezone = \"Asia/Shanghai\"", found);
    let language_node = fields.maybe("language");
    let clock_node = fields.maybe("clock");
    *attached_to = fields.maybe("attached_to").and_then(|n| Some((n, n.text(found)?)));
    fields.finish(found);
    let zone_node = zone_node?;
    let zone = zone_node.text(found)?;
    let zone = TimeZone::get(zone).ok().or_else(|| {
        let what = format!("{} is no time zone", quoted(zone));
        found.note(
            Diagnostic::new(&zone_node.at, what)
                .hint("a name of the IANA database, such as \"Asia/Shanghai\""),
        );
        None
    });
    let language = match language_node {
        None => Some(Language::Chinese),
        Some(node) => match node.text(found)? {
            "zh-CN" => Some(Language::Chinese),
            "en" => Some(Language::English),
            other => {
                let mut diagnostic =
                    Diagnostic::new(&node.at, format!("{} is no language here", quoted(other)));
                diagnostic.hint = did_you_mean(other, ["zh-CN", "en"]);
                found.note(diagnostic);
                None
            }
        },
    };
    let clock = match clock_node {
        None => Some(ClockSource::Network),
        Some(node) => values::clock(node, found),
    };
    Some(Head { name: name?.into(), zone: zone?, language: language?, clock: clock? })
}

/// The `[store]` section.
struct Kept {
    path: PathBuf,
    keep: Retention,
}

fn read_store(node: &Node, folder: &Path, found: &mut Findings) -> Option<Kept> {
    let mut fields = Fields::of(node, "`store`", found)?;
    let path = fields.must("path", found).and_then(|n| values::path(n, folder, found));
    let keep = fields.maybe("keep").map_or_else(|| Some(Retention::default()), |n| read_keep(n, found));
    fields.finish(found);
    Some(Kept { path: path?, keep: keep? })
}

/// How long history is kept: what is not named stays as it is by default.
fn read_keep(node: &Node, found: &mut Findings) -> Option<Retention> {
    if !values::is_table(node, "{ samples = \"14d\", five_minutes = \"91d\", hours = \"1098d\" }", found) {
        return None;
    }
    let mut fields = Fields::of(node, "`keep`", found)?;
    let mut keep = Retention::default();
    let mut good = true;
    for (key, kept_ms) in [
        ("samples", &mut keep.raw_ms),
        ("five_minutes", &mut keep.five_minutes_ms),
        ("hours", &mut keep.hours_ms),
    ] {
        let Some(node) = fields.maybe(key) else { continue };
        match values::days_ms(node, found) {
            Some(ms) => *kept_ms = ms,
            None => good = false,
        }
    }
    fields.finish(found);
    if good && !(keep.raw_ms <= keep.five_minutes_ms && keep.five_minutes_ms <= keep.hours_ms) {
        let what = "what is coarser must be kept at least as long: samples, then five_minutes, then hours";
        let hint = "by default 14d, 91d and 1098d; name all three where one of them passes the next";
        found.note(Diagnostic::new(&node.at, what).hint(hint));
        return None;
    }
    good.then_some(keep)
}

fn read_panel(node: &Node, found: &mut Findings) -> Option<std::net::SocketAddr> {
    let mut fields = Fields::of(node, "`panel`", found)?;
    let listen = fields.must("listen", found).and_then(|n| values::listen(n, found));
    fields.finish(found);
    listen
}

fn read_profiles(node: Option<&Node>, folder: &Path, found: &mut Findings) -> Option<Catalogue> {
    let mut named_in = None;
    let catalogue = match node {
        None => Catalogue::embedded(),
        Some(node) => {
            let mut fields = Fields::of(node, "`profiles`", found)?;
            let path_node = fields.must("path", found);
            let path = path_node.and_then(|n| values::path(n, folder, found));
            fields.finish(found);
            let path = path?;
            named_in = path_node;
            Catalogue::with_folder(&path)
        }
    };
    match catalogue {
        Ok(catalogue) => Some(catalogue),
        Err(rejected) => {
            for mut diagnostic in rejected.diagnostics().iter().cloned() {
                // A folder that cannot be read has no place of its own.
                if let (None, Some(node)) = (&diagnostic.at, named_in) {
                    diagnostic.at = Some(node.at.clone());
                    "named here".clone_into(&mut diagnostic.label);
                }
                found.note(diagnostic);
            }
            None
        }
    }
}

/// What devices refer to.
struct Names<'a> {
    catalogue: &'a Catalogue,
    profile_ids: Vec<&'a str>,
    credentials: &'a BTreeMap<String, Option<Credentials>>,
}

fn resolve(
    drafts: &[Option<Draft<'_>>],
    names: &Names<'_>,
    buses: &mut Buses<'_>,
    limits: &mut Limits,
    found: &mut Findings,
) -> Option<Vec<SiteEntry>> {
    let before = found.count();
    let mut by_id: HashMap<&str, DeviceIx> = HashMap::new();
    for (at, draft) in drafts.iter().enumerate() {
        let Some(draft) = draft else { continue };
        if let Some(first) = by_id.insert(draft.id, DeviceIx(at as u32)) {
            let what = format!("two devices have the id {}", quoted(draft.id));
            let mut diagnostic = Diagnostic::new(&draft.id_node.at, what).label("the second one");
            if let Some(Some(first)) = drafts.get(first.at()) {
                let (line, _) = first.id_node.at.position();
                diagnostic.hint =
                    Some(format!("the first one stands in line {line}; give one of them another id"));
            }
            found.note(diagnostic);
        }
    }
    let mut targets: HashMap<TargetKey<'_>, Arc<Target>> = HashMap::new();
    let mut entries = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        let Some(draft) = draft else { continue };
        let mut uplinks = Vec::new();
        for (node, port) in &draft.uplinks {
            let Some(id) = node.text(found) else { continue };
            match by_id.get(id) {
                Some(&device) => uplinks.push(Uplink { device, port: port.clone() }),
                None => unknown_device(node, id, drafts, found),
            }
        }
        let (word, node) = draft.profile;
        let auto = word == "auto";
        let Some(profile) = names.catalogue.get(if auto { GENERIC } else { word }) else {
            let mut diagnostic = Diagnostic::new(&node.at, format!("no profile is called {}", quoted(word)));
            diagnostic.hint = did_you_mean(word, names.profile_ids.iter().copied().chain(["auto"]));
            found.note(diagnostic);
            continue;
        };
        if let Some(rules) = draft.rules {
            limits.keep_own(at, draft.id, rules.clone());
            if auto {
                limits::unknown_rules(rules, names.catalogue, found);
            }
        }
        // With `auto` the profile is not known yet: limits are applied when it is.
        let applied = if auto { Some(profile.clone()) } else { limits.apply(at, draft.tier, profile, found) };
        let Some(profile) = applied else { continue };
        let Some((asked, profile)) = asked(draft, &profile, names, (buses, &mut targets), found) else {
            continue;
        };
        let writer = match (&asked, draft.write_credentials) {
            (Asked::Snmp(_), Some(node)) => target(draft, node, names, &mut targets, found),
            _ => None,
        };
        let address = match &asked {
            Asked::Snmp(_) | Asked::Onvif(_) => draft.address.map(|(_, text)| text.to_owned()),
            Asked::Bus { bus, .. } => Some(bus::shown(draft, bus)),
        };
        entries.push(SiteEntry {
            device: Device {
                id: draft.id.into(),
                name: draft.name.into(),
                class: profile.class,
                profile: profile.id.clone(),
                tier: draft.tier,
                network: draft.network,
                location: draft.location.into(),
                address: address.unwrap_or_default().into(),
                uplinks,
                interval_s: draft.interval_s,
                tags: draft.tags.clone(),
                line: Line { speed: draft.line.as_ref().map(|line| line.speed), probe_s: draft.line_probe_s },
            },
            profile,
            auto,
            address: draft
                .address
                .and_then(|(node, _)| Some(values::address(node, values::SNMP_PORT, found)?.ip())),
            asked,
            writer,
            credentials: draft.credentials.and_then(Node::plain_text).unwrap_or_default().into(),
            line: draft.line.clone(),
            reach: draft.reach,
        });
    }
    if found.count() > before || entries.len() < drafts.len() {
        return None;
    }
    check_loops(&entries, drafts, found)?;
    Some(entries)
}

/// How a device is asked, and its profile as it is for all its units.
fn asked<'a>(
    draft: &Draft<'a>,
    profile: &Arc<Profile>,
    names: &Names<'_>,
    (buses, targets): (&mut Buses<'_>, &mut HashMap<TargetKey<'a>, Arc<Target>>),
    found: &mut Findings,
) -> Option<(Asked, Arc<Profile>)> {
    if !profile.questions.is_empty() {
        let credentials = match draft.credentials {
            Some(node) => Some((node, credentials_of(node, names, found)?)),
            None => None,
        };
        let camera = camera::target(draft, credentials, found)?;
        return Some((Asked::Onvif(Arc::new(camera)), Arc::clone(profile)));
    }
    draft.camera.refuse(&profile.id, found)?;
    if profile.bus.is_none() {
        for (key, node) in [("bus", draft.bus), ("unit", draft.units.map(|units| units.node()))] {
            let Some(node) = node else { continue };
            let what = format!("profile `{}` is asked by SNMP, `{key}` says nothing to it", profile.id);
            let hint = "`roundsman profile show` says how a profile is spoken";
            found.note(Diagnostic::new(&node.at, what).hint(hint));
            return None;
        }
        let Some(node) = draft.credentials else {
            let what = format!("the device {} is asked by SNMP and needs `credentials`", quoted(draft.id));
            let hint =
                "name a section such as [credentials.branch-routers] with snmp = { version = \"2c\", … }";
            found.note(Diagnostic::new(&draft.id_node.at, what).hint(hint));
            return None;
        };
        return Some((Asked::Snmp(target(draft, node, names, targets, found)?), Arc::clone(profile)));
    }
    if let Some(node) = draft.write_credentials {
        let what =
            format!("profile `{}` is not asked by SNMP: `write_credentials` says nothing to it", profile.id);
        let hint = "devices on a bus are told as they are asked; a password stands in `credentials`";
        found.note(Diagnostic::new(&node.at, what).hint(hint));
        return None;
    }
    if let (None, Some(node)) = (draft.address, draft.reach_node.or(draft.line_node)) {
        let what = "a unit on a bus has no line of the network";
        let hint = "it is reached while the bus's port is open: leave `reach`, `line` and `line_quality` out";
        found.note(Diagnostic::new(&node.at, what).hint(hint));
        return None;
    }
    let credentials = match draft.credentials {
        Some(node) => Some(credentials_of(node, names, found)?),
        None => None,
    };
    buses.place(draft, profile, credentials, found)
}

/// The credentials that a device names.
fn credentials_of<'a>(node: &Node, names: &Names<'a>, found: &mut Findings) -> Option<&'a Credentials> {
    let name = node.text(found)?;
    let Some(credentials) = names.credentials.get(name) else {
        let mut diagnostic = Diagnostic::new(&node.at, format!("there are no credentials {}", quoted(name)));
        diagnostic.hint = did_you_mean(name, names.credentials.keys().map(String::as_str));
        found.note(diagnostic);
        return None;
    };
    // They have an error of their own.
    credentials.as_ref()
}

/// What devices share a target by: address, credentials, strict source.
type TargetKey<'a> = (std::net::SocketAddr, &'a str, bool);

/// The agent of a device as the section that `node` names speaks to it.
fn target<'a>(
    draft: &Draft<'a>,
    node: &'a Node,
    names: &Names<'_>,
    targets: &mut HashMap<TargetKey<'a>, Arc<Target>>,
    found: &mut Findings,
) -> Option<Arc<Target>> {
    let name = node.text(found)?;
    let Some(agent) = &credentials_of(node, names, found)?.snmp else {
        let what = format!("the credentials {} are no SNMP agent's", quoted(name));
        found.note(Diagnostic::new(&node.at, what).hint("name a section with snmp = { … }"));
        return None;
    };
    let address = values::address(draft.address?.0, values::SNMP_PORT, found)?;
    let shared = targets.entry((address, name, draft.strict_source)).or_insert_with(|| {
        let mut target = Target::new(address, &agent.community);
        target.version = agent.version;
        target.strict_source = draft.strict_source;
        target.user = agent.user.clone();
        Arc::new(target)
    });
    Some(shared.clone())
}

fn unknown_device(node: &Node, id: &str, drafts: &[Option<Draft<'_>>], found: &mut Findings) {
    // A device that could not be read has an error of its own already.
    if drafts.iter().any(Option::is_none) {
        return;
    }
    let mut diagnostic = Diagnostic::new(&node.at, format!("no device has the id {}", quoted(id)));
    diagnostic.hint = did_you_mean(id, drafts.iter().flatten().map(|draft| draft.id));
    found.note(diagnostic);
}

fn check_loops(entries: &[SiteEntry], drafts: &[Option<Draft<'_>>], found: &mut Findings) -> Option<()> {
    let devices: Vec<Device> = entries.iter().map(|entry| entry.device.clone()).collect();
    let Err(looped) = Topology::new(&devices) else {
        return Some(());
    };
    let first = drafts.get(looped.first()?.at())?.as_ref()?;
    let uplink = first.uplinks.iter().map(|(node, _)| *node).find(|node| {
        let next = looped.get(1).or(looped.first());
        let id = next.map(|ix| &*devices[ix.at()].id);
        matches!(&node.value, Value::Text(text) if Some(text.as_str()) == id)
    });
    let ids: Vec<&str> = looped.iter().take(8).map(|ix| &*devices[ix.at()].id).collect();
    let what = format!("the uplinks lead in a circle: {}", ids.join(", "));
    let hint = "an uplink leads towards the province; a device cannot hang on itself nor two on each other";
    found.note(Diagnostic::new(&uplink.unwrap_or(first.id_node).at, what).hint(hint));
    None
}
