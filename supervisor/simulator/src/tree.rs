//! The objects of a virtual device in the order of their identifiers, with names and constant values encoded once.

use crate::ber;
use crate::scene::{Quantity, Scene};

/// What an object is worth.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    /// Always the same: the encoded value.
    Fixed(Box<[u8]>),
    /// sysName, which differs between devices of one tree.
    Name,
    /// A name, encoded; `place` is its place among the device's names, should they turn hostile.
    Label { text: Box<[u8]>, place: usize },
    /// sysUpTime.
    Uptime,
    /// ifOperStatus of a port.
    Oper(usize),
    /// ifLastChange of a port.
    Changed(usize),
    /// A counter that grows by `mean` a second at the busiest moment; `wide` is Counter64. The same `object` is the
    /// same counter.
    Count { port: Option<usize>, object: u8, mean: f64, wide: bool },
    /// Idle ticks of so many processors, whose busy ticks are counters of the device.
    Idle { processors: f64, busy: &'static [(u8, f64)] },
    /// Something measured, in units of 1/`scale`, as the type `tag`.
    Measured { quantity: Quantity, scale: f64, tag: u8 },
    /// Something measured, as the first of two octets of bits; the other's are not set.
    Bits(Quantity),
}

/// Place of sysName among a device's names.
const NAME_PLACE: usize = 0;

impl Object {
    /// Whether SNMP v1 cannot carry it (RFC 3584 section 4.2.2.1).
    pub(crate) fn is_wide(&self) -> bool {
        matches!(self, Object::Count { wide: true, .. })
    }

    /// Writes its value.
    pub(crate) fn put(&self, out: &mut Vec<u8>, name: &str, scene: &Scene, now: f64) {
        match self {
            Object::Name if scene.is_hostile() => ber::put(out, ber::OCTETS, &scene.hostile_name(NAME_PLACE)),
            Object::Label { place, .. } if scene.is_hostile() => {
                ber::put(out, ber::OCTETS, &scene.hostile_name(*place));
            }
            Object::Fixed(octets) | Object::Label { text: octets, .. } => out.extend_from_slice(octets),
            Object::Name => ber::put(out, ber::OCTETS, name.as_bytes()),
            Object::Uptime => ber::put_u64(out, ber::TICKS, scene.uptime_ticks(now).into()),
            Object::Oper(port) => ber::put_i32(out, if scene.is_up(*port, now) { 1 } else { 2 }),
            Object::Changed(port) => ber::put_u64(out, ber::TICKS, scene.changed_ticks(*port, now).into()),
            Object::Count { port, object, mean, wide } => {
                let count = scene.counter(*port, (*object).into(), *mean, now);
                if *wide {
                    ber::put_u64(out, ber::COUNTER64, count);
                } else {
                    ber::put_u64(out, ber::COUNTER32, u64::from(count as u32));
                }
            }
            Object::Idle { processors, busy } => {
                let ticks = scene.idle_ticks(*processors, busy, now);
                ber::put_u64(out, ber::COUNTER32, u64::from(ticks as u32));
            }
            Object::Measured { quantity, scale, tag } => {
                let value = (scene.measure(*quantity, now) * scale).round();
                if *tag == ber::INTEGER {
                    ber::put_i32(out, value as i32);
                } else {
                    ber::put_u64(out, *tag, value.max(0.0) as u64);
                }
            }
            Object::Bits(quantity) => ber::put(out, ber::OCTETS, &[scene.measure(*quantity, now) as u8, 0]),
        }
    }
}

/// One object.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its identifier, instance included.
    pub(crate) arcs: Box<[u32]>,
    /// The identifier with tag and length.
    pub(crate) name: Box<[u8]>,
    /// How many of the arcs name the object, without the instance.
    pub(crate) object_len: usize,
    /// Its value.
    pub(crate) object: Object,
}

/// All objects of a device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    entries: Vec<Entry>,
}

impl Tree {
    /// Adds an object with its instance; [`Tree::sort`] comes last.
    pub(crate) fn add(&mut self, object_arcs: &[u32], instance: &[u32], object: Object) {
        let arcs = [object_arcs, instance].concat();
        let mut name = Vec::new();
        ber::put_arcs(&mut name, &arcs);
        self.entries.push(Entry {
            arcs: arcs.into(),
            name: name.into(),
            object_len: object_arcs.len(),
            object,
        });
    }

    /// Brings the objects into order.
    pub(crate) fn sort(&mut self) {
        self.entries.sort_by(|a, b| a.arcs.cmp(&b.arcs));
    }

    /// The object of exactly this identifier.
    pub(crate) fn get(&self, arcs: &[u32]) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|entry| (*entry.arcs).cmp(arcs)).ok()?;
        self.entries.get(at)
    }

    /// Where the first object behind this identifier stands.
    pub(crate) fn behind(&self, arcs: &[u32]) -> usize {
        self.entries.partition_point(|entry| *entry.arcs <= *arcs)
    }

    /// The object at a place.
    pub(crate) fn at(&self, place: usize) -> Option<&Entry> {
        self.entries.get(place)
    }

    /// Whether the identifier lies below an object that exists here with another instance.
    pub(crate) fn knows_object(&self, arcs: &[u32]) -> bool {
        let below = |entry: &Entry| {
            arcs.get(..entry.object_len).is_some_and(|object| *object == entry.arcs[..entry.object_len])
        };
        let behind = self.behind(arcs);
        self.at(behind).is_some_and(below)
            || behind.checked_sub(1).and_then(|at| self.at(at)).is_some_and(below)
    }
}
