//! The codec against an independent one: what is written is read back, what is read is what was meant.

mod agent;

use agent::{Value, identifier, tlv};
use proptest::prelude::*;
use roundsman_wire::snmp::Version;
use roundsman_wire::snmp::answer::{Answer, Raw};
use roundsman_wire::snmp::decode::{Found, Place, Reply, Undecodable, read_arcs};
use roundsman_wire::snmp::oid::Oid;
use roundsman_wire::snmp::request::{Ask, Request};

fn arcs() -> impl Strategy<Value = Vec<u32>> {
    let root = prop_oneof![(0_u32..2, 0_u32..40), (Just(2_u32), 0_u32..=u32::MAX)];
    (root, prop::collection::vec(any::<u32>(), 0..30)).prop_map(|((first, second), rest)| {
        let mut all = vec![first, second];
        all.extend(rest);
        all
    })
}

/// A value as an agent would encode it, and what it must be read as (strings and identifiers as octets).
fn values() -> impl Strategy<Value = (Value, String)> {
    prop_oneof![
        any::<i64>().prop_map(|n| (agent::integer(n), format!("Integer({n})"))),
        any::<u32>().prop_map(|n| (agent::unsigned(0x41, n.into()), format!("Counter32({n})"))),
        any::<u32>().prop_map(|n| (agent::unsigned(0x42, n.into()), format!("Gauge32({n})"))),
        any::<u32>().prop_map(|n| (agent::unsigned(0x43, n.into()), format!("TimeTicks({n})"))),
        any::<u64>().prop_map(|n| (agent::unsigned(0x46, n), format!("Counter64({n})"))),
        any::<[u8; 4]>().prop_map(|a| (Value(0x40, a.to_vec()), format!("Address({a:?})"))),
        prop::collection::vec(any::<u8>(), 0..300)
            .prop_map(|o| (Value(0x04, o.clone()), format!("octets {o:?}"))),
        prop::collection::vec(any::<u8>(), 0..20)
            .prop_map(|o| (Value(0x44, o.clone()), format!("octets {o:?}"))),
        arcs().prop_map(|a| (Value(0x06, identifier(&a)), format!("arcs {a:?}"))),
        Just((Value(0x05, vec![]), "Null".to_owned())),
        Just((Value(0x80, vec![]), "missing".to_owned())),
        Just((Value(0x81, vec![]), "missing".to_owned())),
        Just((Value(0x82, vec![]), "end".to_owned())),
        // Not to be understood: another tag, a number too wide, an address too short, an identifier that is cut.
        Just((Value(0x4f, vec![1]), "malformed".to_owned())),
        Just((Value(0x41, vec![1, 0, 0, 0, 0]), "malformed".to_owned())),
        Just((Value(0x42, vec![]), "malformed".to_owned())),
        Just((Value(0x46, vec![1; 9]), "malformed".to_owned())),
        Just((Value(0x40, vec![127, 0, 0]), "malformed".to_owned())),
        Just((Value(0x06, vec![0x2b, 0x86]), "malformed".to_owned())),
    ]
}

fn message(version: u8, community: &[u8], id: i32, list: &[(Vec<u32>, Value)]) -> Vec<u8> {
    let mut binds = Vec::new();
    for (name, value) in list {
        let mut pair = tlv(0x06, &identifier(name));
        pair.extend(tlv(value.0, &value.1));
        binds.extend(tlv(0x30, &pair));
    }
    let mut pdu = tlv(0x02, &agent::integer(id.into()).1);
    pdu.extend([2, 1, 0, 2, 1, 0]);
    pdu.extend(tlv(0x30, &binds));
    let mut message = vec![2, 1, version];
    message.extend(tlv(0x04, community));
    message.extend(tlv(0xa2, &pdu));
    tlv(0x30, &message)
}

proptest! {
    #[test]
    fn replies_are_read_as_they_were_meant(
        v2c in any::<bool>(),
        community in prop::collection::vec(any::<u8>(), 0..200),
        id in any::<i32>(),
        list in prop::collection::vec((arcs(), values()), 0..20),
    ) {
        let binds: Vec<_> = list.iter().map(|(name, (value, _))| (name.clone(), value.clone())).collect();
        let datagram = message(v2c.into(), &community, id, &binds);
        let reply = Reply::parse(&datagram).expect("a sound reply");
        prop_assert_eq!(reply.version, if v2c { Version::V2c } else { Version::V1 });
        prop_assert_eq!((reply.community, reply.id, reply.status, reply.index), (&community[..], id, 0, 0));
        prop_assert_eq!(reply.count as usize, list.len());
        let (mut answer, mut scratch) = (Answer::default(), Vec::new());
        for (bind, (name, (_, meant))) in reply.varbinds().zip(&list) {
            prop_assert!(read_arcs(bind.name, &mut scratch));
            prop_assert_eq!(&scratch, name);
            let read = match bind.read_value(&mut answer, &mut scratch) {
                Found::Raw(Raw::Octets(octets)) => format!("octets {:?}", answer.octets(octets)),
                Found::Raw(Raw::Oid(arcs)) => format!("arcs {:?}", answer.arcs(arcs)),
                Found::Raw(raw) => format!("{raw:?}"),
                Found::Missing => "missing".to_owned(),
                Found::EndOfView => "end".to_owned(),
                Found::Malformed => "malformed".to_owned(),
            };
            prop_assert_eq!(&read, meant);
        }
        // Cut anywhere it is no reply.
        for len in [0, 1, datagram.len() / 2, datagram.len() - 1] {
            prop_assert!(Reply::parse(&datagram[..len]).is_err());
        }
    }

    #[test]
    fn names_survive_the_way_through_a_request(names in prop::collection::vec(arcs(), 1..10), id in any::<i32>()) {
        let mut request = Request::default();
        for name in &names {
            let (prefix, index) = name.split_at(2 + (name.len() - 2) / 2);
            request.name(Oid::new(prefix).expect("a prefix").ber(), index);
        }
        // A request with the tag of a response is a reply with NULLs.
        let mut datagram = request.seal(Version::V2c, b"public", id, Ask::Get);
        let community = datagram.windows(6).position(|octets| octets == b"public").expect("it is there");
        datagram[community + 6] = 0xa2;
        let reply = Reply::parse(&datagram).expect("a sound message");
        prop_assert_eq!(reply.id, id);
        let mut scratch = Vec::new();
        let read: Vec<Vec<u32>> = reply.varbinds().map(|bind| {
            assert!(read_arcs(bind.name, &mut scratch));
            assert_eq!(bind.read_value(&mut Answer::default(), &mut Vec::new()), Found::Raw(Raw::Null));
            scratch.clone()
        }).collect();
        prop_assert_eq!(read, names);
    }

    #[test]
    fn a_name_lies_below_an_identifier_or_elsewhere(name in arcs(), other in arcs(), cut in any::<prop::sample::Index>()) {
        let datagram = message(1, b"public", 1, &[(name.clone(), agent::integer(1))]);
        let reply = Reply::parse(&datagram).expect("a sound reply");
        let bind = reply.varbinds().next().expect("its one binding");
        let mut scratch = Vec::new();
        for prefix in [&name[..2 + cut.index(name.len() - 1)], &other] {
            let oid = Oid::new(prefix).expect("an identifier");
            let below = name.strip_prefix(prefix).filter(|index| !index.is_empty());
            prop_assert_eq!(bind.place(&oid, &mut scratch), below.map_or(Place::Elsewhere, |_| Place::Below));
            if let Some(index) = below {
                prop_assert_eq!(&scratch[..], index);
            }
            prop_assert_eq!(bind.is_named(&oid, &mut scratch), name == prefix);
        }
    }

    #[test]
    fn any_octets_are_arcs_or_not(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut arcs = Vec::new();
        if read_arcs(&octets, &mut arcs) && !octets.is_empty() {
            prop_assert!((2..=128).contains(&arcs.len()));
        }
    }
}

#[test]
fn what_is_no_reply() {
    let list = [(vec![1, 3, 6, 1], agent::integer(1))];
    let sound = message(1, b"public", 7, &list);
    let with = |at: usize, octet: u8| {
        let mut datagram = sound.clone();
        datagram[at] = octet;
        Reply::parse(&datagram).map(|reply| reply.id)
    };
    assert_eq!(with(0, 0x30), Ok(7));
    assert_eq!(with(0, 0x31), Err(Undecodable::Frame));
    assert_eq!(with(1, 0x80), Err(Undecodable::Frame));
    assert_eq!(with(4, 3), Err(Undecodable::Version(3)));
    // Other messages: GetRequest, Report.
    assert_eq!(with(13, 0xa0), Err(Undecodable::NoResponse));
    assert_eq!(with(13, 0xa8), Err(Undecodable::NoResponse));
    assert_eq!(with(13, 0x04), Err(Undecodable::Frame));
    // The last binding's value is longer than the datagram.
    assert_eq!(with(sound.len() - 2, 2), Err(Undecodable::Frame));
}

#[test]
fn a_counter_without_its_leading_zero_is_read_as_unsigned() {
    let list = [(vec![1, 3, 6, 1], Value(0x41, vec![0xff, 0xff, 0xff, 0xfe]))];
    let datagram = message(1, b"public", 7, &list);
    let reply = Reply::parse(&datagram).expect("a sound reply");
    let found = reply.varbinds().map(|bind| bind.read_value(&mut Answer::default(), &mut Vec::new()));
    assert_eq!(found.collect::<Vec<_>>(), [Found::Raw(Raw::Counter32(u32::MAX - 1))]);
}
