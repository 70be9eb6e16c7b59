//! `[[bus]]`, and how each device is asked: by its SNMP agent, or over a bus.
//!
//! A device whose profile is spoken over a bus names a `[[bus]]`, or has an `address` of its own: then the bus is that
//! TCP port, shared by all devices that name the same one (a Modbus gateway with several units).

mod written;

pub(super) use written::{Written, read};

use super::Asked;
use super::credentials::{Credentials, Login};
use super::device::{Draft, Units};
use roundsman_core::device::Grid;
use roundsman_driver::bus::{Port, Settings};
use roundsman_profile::bus::{ADDRESS, Way};
use roundsman_profile::diagnostic::{Diagnostic, Findings, did_you_mean, quoted};
use roundsman_profile::overlay::{MOST_UNITS, grid_labels, with_grid};
use roundsman_profile::schema::Profile;
use roundsman_wire::bus::plan::{Plan, Target};
use roundsman_wire::bus::{Line, Recovery, Unit};
use roundsman_wire::modbus::mbap;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use written::{Place, Speed, with_port};

/// How often a request is sent before its unit counts as silent.
const TRIES: u8 = 2;

/// A bus of the site, with all that its owner must know.
#[derive(Clone, Debug)]
pub(crate) struct BusEntry {
    /// Its id; that of a device's own TCP port is its address.
    pub id: Arc<str>,
    /// Where it is.
    pub port: Port,
    /// The line.
    pub line: Line,
    /// Whether it is a `[[bus]]`: then it is kept open.
    pub keeps_open: bool,
    /// Of the profile that speaks first on it: what listens and what opens.
    speaks: Arc<Profile>,
    login: Option<Arc<Login>>,
}

impl BusEntry {
    /// What its owner needs; the same again for the same bus.
    pub(crate) fn settings(&self) -> Option<Settings> {
        let bus = self.speaks.bus.as_ref()?;
        let login = self.login.as_deref();
        let opening = bus.opening(
            login.and_then(|login| login.user.as_deref()),
            login.and_then(|login| login.password.as_deref()),
        );
        Some(Settings {
            id: Arc::clone(&self.id),
            port: self.port.clone(),
            line: self.line.clone(),
            listener: bus.plan.listener(),
            opening,
            keeps_open: self.keeps_open,
        })
    }

    /// The password of the devices on it, where they have one.
    #[cfg(feature = "demo")]
    pub(crate) fn password(&self) -> Option<&str> {
        self.login.as_ref()?.password.as_deref()
    }

    /// Whether the owner of the one may go on as the owner of the other.
    pub(crate) fn is_same(&self, other: &BusEntry) -> bool {
        let dialogue = |entry: &BusEntry| entry.speaks.bus.as_ref().map(|bus| bus.dialogue.clone());
        (&self.id, &self.port, &self.line, self.keeps_open, &self.login)
            == (&other.id, &other.port, &other.line, other.keeps_open, &other.login)
            && self.speaks.id == other.speaks.id
            && dialogue(self) == dialogue(other)
    }
}

/// The buses of a site while its devices are read.
pub(super) struct Buses<'a> {
    written: Vec<Written<'a>>,
    used: BTreeMap<Arc<str>, BusEntry>,
    /// Units that are taken, with the devices that took them.
    taken: BTreeMap<(Arc<str>, u32), Arc<str>>,
}

impl<'a> Buses<'a> {
    pub(super) fn new(written: Vec<Written<'a>>) -> Buses<'a> {
        Buses { written, used: BTreeMap::new(), taken: BTreeMap::new() }
    }

    /// All that a device hangs on.
    pub(super) fn into_entries(self) -> Vec<BusEntry> {
        self.used.into_values().collect()
    }

    /// How a device with this profile is asked, and the profile as it is for all its units.
    pub(super) fn place(
        &mut self,
        draft: &Draft<'_>,
        profile: &Arc<Profile>,
        credentials: Option<&Credentials>,
        found: &mut Findings,
    ) -> Option<(Asked, Arc<Profile>)> {
        let login = credentials.and_then(|credentials| credentials.login.clone());
        let (id, port, written) = self.where_is(draft, profile, found)?;
        let entry = self.entry(&id, port, written, profile, login);
        let entry =
            fits(entry, draft, profile, written.is_some_and(|at| self.written[at].baud.is_some()), found)?;
        self.used.insert(Arc::clone(&id), entry);
        let target = self.target(&id, draft, profile, found)?;
        let profile = match draft.units {
            Some(Units::Grid { rows, columns, .. }) => Arc::new(with_grid(profile, rows, columns)),
            _ => Arc::clone(profile),
        };
        let (grid, labels) = match draft.units {
            Some(Units::Grid { rows, columns, .. }) => {
                (Some(Grid { rows, columns }), grid_labels(rows, columns))
            }
            _ => (None, vec![Arc::from("")]),
        };
        Some((Asked::Bus { bus: id, target: Arc::new(target), grid, labels: labels.into() }, profile))
    }

    fn where_is(
        &self,
        draft: &Draft<'_>,
        profile: &Profile,
        found: &mut Findings,
    ) -> Option<(Arc<str>, Port, Option<usize>)> {
        let bus = profile.bus.as_ref()?;
        let port = match (draft.bus, draft.address) {
            (Some(node), None) => {
                let id = node.text(found)?;
                let Some(at) = self.written.iter().position(|bus| bus.id == id) else {
                    let mut diagnostic =
                        Diagnostic::new(&node.at, format!("no bus has the id {}", quoted(id)));
                    diagnostic.hint = did_you_mean(id, self.written.iter().map(|bus| bus.id)).or(Some(
                        "buses stand in sections of their own: [[bus]] with id and port".to_owned(),
                    ));
                    found.note(diagnostic);
                    return None;
                };
                let written = &self.written[at];
                let speed = match written.baud {
                    Some(Speed::Baud(baud)) => Some(baud),
                    Some(Speed::None) => None,
                    None => Some(bus.serial.baud.unwrap_or(roundsman_profile::bus::Bus::BAUD)),
                };
                let format = written.format.unwrap_or(bus.serial.format);
                let port = match &written.port {
                    Place::Path(path) => {
                        Port::Serial { path: path.clone(), baud: speed, format, rs485: written.rs485 }
                    }
                    Place::Tcp(address) => Port::Tcp(*address),
                    Place::Rfc2217(address) => Port::Rfc2217 {
                        address: *address,
                        baud: speed.unwrap_or(roundsman_profile::bus::Bus::BAUD),
                        format,
                    },
                    Place::ModbusTcp(address) => Port::ModbusTcp(*address),
                };
                return Some((Arc::from(id), port, Some(at)));
            }
            (None, Some((node, text))) => match (&*bus.plan, text.parse::<SocketAddr>()) {
                (Plan::Modbus(_), _) => Port::ModbusTcp(with_port(text, mbap::PORT)?),
                (_, Ok(address)) => Port::Tcp(address),
                (_, Err(_)) => {
                    let what = "the device's TCP port is not said";
                    let hint =
                        format!("write address = \"{text}:4001\" with the port that the device listens on");
                    found.note(Diagnostic::new(&node.at, what).hint(hint));
                    return None;
                }
            },
            (Some(node), Some(_)) => {
                let what = "`bus` and `address` exclude each other";
                found.note(
                    Diagnostic::new(&node.at, what).hint("what hangs on a bus has no address of its own"),
                );
                return None;
            }
            (None, None) => {
                let what = format!("the device {} is asked over a bus and needs `bus`", quoted(draft.id));
                let hint =
                    "bus = \"…\", the id of a [[bus]]; or `address` where it has a TCP port of its own";
                found.note(Diagnostic::new(&draft.id_node.at, what).hint(hint));
                return None;
            }
        };
        Some((port.to_string().into(), port, None))
    }

    /// The bus as it is with this device on it.
    fn entry(
        &self,
        id: &Arc<str>,
        port: Port,
        written: Option<usize>,
        profile: &Arc<Profile>,
        login: Option<Arc<Login>>,
    ) -> BusEntry {
        let way = match (&port, written) {
            (Port::Serial { baud: Some(baud), .. }, _) => Way::Port(*baud),
            (Port::Serial { baud: None, .. }, _) => Way::Server,
            (Port::Tcp(_), Some(_)) | (Port::Rfc2217 { .. }, _) => Way::Server,
            (Port::Tcp(_), None) | (Port::ModbusTcp(_), _) => Way::Tcp,
        };
        let line = profile.bus.as_ref().map_or_else(Line::tcp, |bus| bus.line(way));
        let written = written.map(|at| &self.written[at]);
        let mut line = match self.used.get(id) {
            // On a shared line the longest gap counts, and the most careful recovery.
            Some(used) => Line {
                gap_ms: line.gap_ms.max(used.line.gap_ms),
                recovery: if line.recovery == used.line.recovery {
                    line.recovery
                } else {
                    Recovery::HoldLine
                },
                ..line
            },
            None => line,
        };
        if let Some(written) = written {
            line.gap_ms = written.gap_ms.unwrap_or(line.gap_ms);
            line.late_ms = written.late_ms.unwrap_or(line.late_ms);
            line.echo = written.echo.unwrap_or(line.echo);
        }
        let keeps_open = written.is_some();
        let used = self.used.get(id);
        BusEntry {
            id: Arc::clone(id),
            port: used.map_or(port, |used| used.port.clone()),
            line,
            keeps_open,
            speaks: used.map_or(profile, |used| &used.speaks).clone(),
            login: used.and_then(|used| used.login.clone()).or(login),
        }
    }

    fn target(
        &mut self,
        id: &Arc<str>,
        draft: &Draft<'_>,
        profile: &Profile,
        found: &mut Findings,
    ) -> Option<Target> {
        let bus = profile.bus.as_ref()?;
        let (first, count, at) = match draft.units {
            Some(Units::Grid { rows, columns, first, at }) => {
                (Some(first), usize::from(rows) * usize::from(columns), at)
            }
            Some(Units::Single(unit, at)) => (Some(unit), 1, at),
            None => {
                let own = bus.params.iter().find(|param| &*param.name == ADDRESS);
                (own.map_or(Some(1), |own| own.default), 1, draft.id_node)
            }
        };
        if count > MOST_UNITS {
            let what = format!("a grid has at most {MOST_UNITS} units, this one {count}");
            found.note(Diagnostic::new(&at.at, what).hint("make it two devices"));
            return None;
        }
        let mut members = Vec::new();
        for offset in 0..count {
            let number = first.map(|first| first + offset as i64);
            let unit = Unit(number.unwrap_or_default() as u32);
            match bus.member(unit, number) {
                Ok(member) => members.push(member),
                Err(error) => {
                    let hint = "the number that is set at the device, one for each on a bus";
                    found.note(Diagnostic::new(&at.at, error.to_string()).hint(hint));
                    return None;
                }
            }
            if let Some(other) = self.taken.insert((Arc::clone(id), unit.0), draft.id.into()) {
                let what = format!("{} is asked at unit {} of this bus already", quoted(&other), unit.0);
                found.note(Diagnostic::new(&at.at, what).hint("each unit of a bus is one device"));
                return None;
            }
        }
        Some(Target { members, tries: TRIES })
    }
}

/// Whether the device can be on the bus together with those before it.
fn fits(
    entry: BusEntry,
    draft: &Draft<'_>,
    profile: &Profile,
    is_speed_said: bool,
    found: &mut Findings,
) -> Option<BusEntry> {
    let (first, bus) = (entry.speaks.bus.as_ref()?, profile.bus.as_ref()?);
    let speaks_alike = match (&*first.plan, &*bus.plan) {
        (Plan::Modbus(_), Plan::Modbus(_)) => true,
        (Plan::Frame(one), Plan::Frame(other)) => one.layout == other.layout,
        (Plan::Text(one), Plan::Text(other)) => one.layout == other.layout,
        _ => false,
    };
    let node = draft.profile.1;
    if !speaks_alike {
        let what = format!("profiles `{}` and `{}` do not speak alike", entry.speaks.id, profile.id);
        found.note(
            Diagnostic::new(&node.at, what).hint("a bus carries one protocol: give it a bus of its own"),
        );
        return None;
    }
    if matches!(entry.port, Port::ModbusTcp(_)) && !matches!(*bus.plan, Plan::Modbus(_)) {
        let what = format!("profile `{}` is no Modbus, and its bus is a Modbus TCP gateway", profile.id);
        found.note(
            Diagnostic::new(&node.at, what).hint("a serial server that passes octets on is \"tcp://…\""),
        );
        return None;
    }
    if let Port::Serial { baud: Some(baud), .. } | Port::Rfc2217 { baud, .. } = entry.port
        && let Some(own) = bus.serial.baud.filter(|own| *own != baud && !is_speed_said)
    {
        let what =
            format!("profile `{}` wants {own} baud, the bus has {baud} by its first device", profile.id);
        found.note(
            Diagnostic::new(&node.at, what).hint("say `baud` in the [[bus]]: all devices on it must have it"),
        );
        return None;
    }
    Some(entry)
}

/// What a device on a bus is called where an address is shown.
pub(super) fn shown(draft: &Draft<'_>, bus: &str) -> String {
    match draft.units {
        Some(Units::Single(unit, _)) => format!("{bus} #{unit}"),
        Some(Units::Grid { rows, columns, first, .. }) => {
            format!("{bus} #{first}–{}", first + grid_labels(rows, columns).len() as i64 - 1)
        }
        None => bus.to_owned(),
    }
}
