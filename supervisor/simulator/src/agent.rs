//! The agent: one request in, one answer out (RFC 1157 section 4, RFC 3416 section 4.2).
//!
//! It refuses to misbehave: what is wrong on the way is made by [`crate::proxy`].

use crate::ber;
use crate::message::{
    GET, GET_BULK, GET_NEXT, Message, NO_SUCH_NAME, NOT_WRITABLE, RESPONSE, SET, TOO_BIG, V1,
};
use crate::scene::Scene;
use crate::tree::{Entry, Tree};

/// Longest answer in bytes of UDP payload: one Ethernet frame, as many agents have it.
const LONGEST: usize = 1472;

/// What version, community and PDU take around the varbinds at most, beside the community itself.
const AROUND: usize = 40;

/// Most varbinds of a request that are looked at.
const MOST_VARBINDS: usize = 512;

const NO_SUCH_OBJECT: u8 = 0x80;
const NO_SUCH_INSTANCE: u8 = 0x81;
const END_OF_MIB_VIEW: u8 = 0x82;

/// Who answers.
#[derive(Clone, Copy)]
pub(crate) struct Device<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) scene: &'a Scene,
    pub(crate) name: &'a str,
    pub(crate) community: &'a [u8],
}

/// Buffers that live from one request to the next.
#[derive(Default)]
pub(crate) struct Agent {
    arcs: Vec<u32>,
    value: Vec<u8>,
    list: Vec<u8>,
    /// GETBULK: where each repeated column stands.
    places: Vec<usize>,
    names: Vec<Vec<u8>>,
}

/// Why a varbind of the request ends the answer.
struct Refusal {
    status: i32,
    /// Position of the varbind, from 1; 0 for none.
    index: i32,
}

impl Agent {
    /// Answers a request into `out`; `false` where an agent stays silent: garbage, a foreign community, an unknown PDU.
    pub(crate) fn answer(
        &mut self,
        datagram: &[u8],
        device: Device<'_>,
        now: f64,
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(request) = Message::read(datagram) else {
            return false;
        };
        if request.community != device.community {
            return false;
        }
        self.list.clear();
        let room = LONGEST.saturating_sub(AROUND + request.community.len());
        let done = match request.pdu {
            GET | GET_NEXT => self.one_by_one(&request, device, now, room),
            GET_BULK if request.version != V1 => self.bulk(&request, device, now, room),
            SET => Err(Refusal {
                status: if request.version == V1 { NO_SUCH_NAME } else { NOT_WRITABLE },
                index: 1,
            }),
            _ => return false,
        };
        let (first, second, varbinds) = match &done {
            Ok(()) => (0, 0, &self.list[..]),
            // v1 repeats the request's varbinds, v2c sends none with tooBig (RFC 3416 section 4.2.1).
            Err(refusal) if refusal.status == TOO_BIG && request.version != V1 => (TOO_BIG, 0, &[][..]),
            Err(refusal) => (refusal.status, refusal.index, request.varbinds),
        };
        let response = Message { pdu: RESPONSE, first, second, varbinds, ..request };
        response.write(out);
        true
    }

    fn one_by_one(
        &mut self,
        request: &Message<'_>,
        device: Device<'_>,
        now: f64,
        room: usize,
    ) -> Result<(), Refusal> {
        let v1 = request.version == V1;
        for (at, (name, _)) in request.varbinds().take(MOST_VARBINDS).enumerate() {
            let index = at as i32 + 1;
            if ber::read_arcs(name, &mut self.arcs).is_none() {
                return Err(Refusal {
                    status: 5, // genErr
                    index,
                });
            }
            let tree = device.tree;
            let (found, otherwise) = if request.pdu == GET {
                let found = tree.get(&self.arcs).filter(|entry| !(v1 && entry.object.is_wide()));
                let otherwise = if tree.knows_object(&self.arcs) { NO_SUCH_INSTANCE } else { NO_SUCH_OBJECT };
                (found, otherwise)
            } else {
                let first = tree.behind(&self.arcs);
                let found =
                    (first..).map_while(|place| tree.at(place)).find(|entry| !(v1 && entry.object.is_wide()));
                (found, END_OF_MIB_VIEW)
            };
            match found {
                Some(entry) => self.put_entry(entry, device, now),
                None if v1 => {
                    return Err(Refusal { status: NO_SUCH_NAME, index });
                }
                None => self.put_exception(name, otherwise),
            }
            if self.list.len() > room {
                return Err(Refusal { status: TOO_BIG, index: 0 });
            }
        }
        Ok(())
    }

    /// As many whole varbinds as fit (RFC 3416 section 4.2.3).
    fn bulk(
        &mut self,
        request: &Message<'_>,
        device: Device<'_>,
        now: f64,
        room: usize,
    ) -> Result<(), Refusal> {
        let once = usize::try_from(request.first).unwrap_or(0);
        let rows = usize::try_from(request.second).unwrap_or(0);
        self.places.clear();
        let mut columns = 0;
        for (at, (name, _)) in request.varbinds().take(MOST_VARBINDS).enumerate() {
            if ber::read_arcs(name, &mut self.arcs).is_none() {
                return Err(Refusal {
                    status: 5, // genErr
                    index: at as i32 + 1,
                });
            }
            let place = device.tree.behind(&self.arcs);
            if at < once {
                if !self.put_place(place, name, device, now, room) {
                    return Ok(());
                }
                continue;
            }
            self.places.push(place);
            if self.names.len() == columns {
                self.names.push(Vec::new());
            }
            self.names[columns].clear();
            self.names[columns].extend_from_slice(name);
            columns += 1;
        }
        for _ in 0..rows {
            let mut ended = true;
            for column in 0..columns {
                let place = self.places[column];
                let name = std::mem::take(&mut self.names[column]);
                let fits = self.put_place(place, &name, device, now, room);
                self.names[column] = name;
                if !fits {
                    return Ok(());
                }
                if let Some(entry) = device.tree.at(place) {
                    ended = false;
                    self.places[column] += 1;
                    // The name of endOfMibView is the last one sent (RFC 3416 section 4.2.3).
                    if device.tree.at(place + 1).is_none() {
                        self.names[column].clear();
                        self.names[column].extend_from_slice(&entry.name[2..]);
                    }
                }
            }
            if ended {
                break;
            }
        }
        Ok(())
    }

    /// Puts what stands at a place, or endOfMibView; `false` and nothing if it does not fit.
    fn put_place(&mut self, place: usize, name: &[u8], device: Device<'_>, now: f64, room: usize) -> bool {
        let before = self.list.len();
        match device.tree.at(place) {
            Some(entry) => self.put_entry(entry, device, now),
            None => self.put_exception(name, END_OF_MIB_VIEW),
        }
        let fits = self.list.len() <= room;
        if !fits {
            self.list.truncate(before);
        }
        fits
    }

    fn put_entry(&mut self, entry: &Entry, device: Device<'_>, now: f64) {
        self.value.clear();
        entry.object.put(&mut self.value, device.name, device.scene, now);
        ber::put_head(&mut self.list, ber::SEQUENCE, entry.name.len() + self.value.len());
        self.list.extend_from_slice(&entry.name);
        self.list.extend_from_slice(&self.value);
    }

    fn put_exception(&mut self, name: &[u8], tag: u8) {
        let len = ber::head_len(name.len()) + name.len() + 2;
        ber::put_head(&mut self.list, ber::SEQUENCE, len);
        ber::put(&mut self.list, ber::IDENTIFIER, name);
        ber::put(&mut self.list, tag, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mib::{Outline, tree};
    use crate::model::Model;
    use crate::site::Port;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    const NOON: f64 = 1_795_233_600.0;

    fn device() -> (Tree, Scene) {
        let port = |name| Port { name, alias: String::new(), mbit: 1_000 };
        let ports: Vec<_> = (0..3).map(|at| port(format!("port{at}"))).collect();
        let outline = Outline {
            model: Model::Generic,
            description: "a router",
            location: "here",
            address: Ipv4Addr::LOCALHOST,
            ports: &ports,
            seed: 1,
        };
        (tree(&outline), Scene::new(1, 3, NOON))
    }

    fn answer(datagram: &[u8]) -> Option<Vec<u8>> {
        let (tree, scene) = device();
        let device = Device { tree: &tree, scene: &scene, name: "router", community: b"public" };
        let mut out = Vec::new();
        Agent::default().answer(datagram, device, NOON + 1.0, &mut out).then_some(out)
    }

    fn request(version: i32, pdu: u8, first: i32, second: i32, names: &[Vec<u32>]) -> Vec<u8> {
        let mut varbinds = Vec::new();
        for arcs in names {
            let mut name = Vec::new();
            ber::put_arcs(&mut name, arcs);
            ber::put_head(&mut varbinds, ber::SEQUENCE, name.len() + 2);
            varbinds.extend_from_slice(&name);
            varbinds.extend_from_slice(&[5, 0]);
        }
        let mut out = Vec::new();
        let message = Message {
            version,
            community: b"public",
            pdu,
            request_id: -7,
            first,
            second,
            varbinds: &varbinds,
        };
        message.write(&mut out);
        out
    }

    /// Identifiers near the tree, and far from it.
    fn names() -> impl Strategy<Value = Vec<Vec<u32>>> {
        let table = |column: u32, row: u32| vec![1, 3, 6, 1, 2, 1, 2, 2, 1, column, row];
        let name = prop_oneof![
            (0_u32..22, 0_u32..5).prop_map(move |(column, row)| table(column, row)),
            proptest::collection::vec(0_u32..40, 2..12),
            Just(vec![1, 3]),
            Just(vec![2, u32::MAX - 80]),
        ];
        proptest::collection::vec(name, 0..40)
    }

    proptest! {
        #[test]
        fn every_request_has_an_answer_that_fits_and_names_it(
            names in names(),
            version in 0..2,
            pdu in prop_oneof![Just(GET), Just(GET_NEXT), Just(GET_BULK)],
            first in -1..5,
            second in prop_oneof![-1..60, Just(i32::MAX)],
        ) {
            let out = answer(&request(version, pdu, first, second, &names));
            if version == V1 && pdu == GET_BULK {
                prop_assert_eq!(out, None);
                return Ok(());
            }
            let out = out.expect("an answer");
            prop_assert!(out.len() <= LONGEST, "{} bytes", out.len());
            let message = Message::read(&out).expect("a message");
            prop_assert_eq!((message.pdu, message.request_id), (RESPONSE, -7));
            if pdu != GET_BULK && message.first == 0 {
                prop_assert_eq!(message.varbinds().count(), names.len());
            }
        }

        #[test]
        fn a_bent_request_harms_nobody(
            names in names(),
            at in any::<prop::sample::Index>(),
            octet in any::<u8>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut datagram = request(1, GET_BULK, 1, 10, &names);
            let at = at.index(datagram.len());
            datagram[at] = octet;
            datagram.truncate(cut.index(datagram.len() * 2).max(1));
            if let Some(out) = answer(&datagram) {
                prop_assert!(out.len() <= LONGEST.max(datagram.len() + AROUND));
            }
        }
    }
}
