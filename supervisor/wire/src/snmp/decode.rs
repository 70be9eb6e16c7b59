//! Reads replies, over snmp2's allocation-free decoder.
//!
//! snmp2's own iterator over variable bindings ends silently at the first one it cannot read, which would make a
//! broken datagram look like a short answer. So the framing of the whole list is checked here first
//! ([`Reply::parse`]), and a datagram with a broken frame is no answer at all. A well-framed value of an unknown
//! or broken type spoils its own object only.

use super::Version;
use super::answer::{Answer, Raw};
use super::oid::Oid;
use snmp2::asn1::{self, AsnReader};
use snmp2::{MessageType, snmp};

/// Why a datagram is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// Not BER, cut, or a length that points beyond the end.
    #[error("no SNMP message: the datagram is not BER or was cut")]
    Frame,
    /// Neither v1 nor v2c.
    #[error("an SNMP message of version number {0}: expected 0 (v1) or 1 (v2c)")]
    Version(i64),
    /// A message, but no response.
    #[error("an SNMP message that is no response")]
    NoResponse,
}

/// A reply whose framing is sound. Borrows the datagram.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// Version of the message.
    pub version: Version,
    /// Its community.
    pub community: &'a [u8],
    /// The id of the request it answers.
    pub id: i32,
    /// `error-status` (RFC 3416 section 3), 0 for none; those that fit no u32 are `u32::MAX`.
    pub status: u32,
    /// `error-index`: the 1-based variable binding the error is about; 0 for none.
    pub index: u32,
    /// How many variable bindings it has.
    pub count: u32,
    list: &'a [u8],
}

/// One variable binding.
#[derive(Clone, Copy, Debug)]
pub struct Varbind<'a> {
    /// Its name, BER without tag and length.
    pub name: &'a [u8],
    /// Octets of the whole binding.
    pub octets: u32,
    value: &'a [u8],
}

/// What a variable binding carries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found {
    /// A value, kept in the answer.
    Raw(Raw),
    /// noSuchObject or noSuchInstance (RFC 3416 section 3).
    Missing,
    /// endOfMibView.
    EndOfView,
    /// Not understood, or too much to keep.
    Malformed,
}

/// Where a name lies as seen from an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Strictly below it: an instance.
    Below,
    /// At it, or another object.
    Elsewhere,
    /// It is no object identifier.
    Malformed,
}

impl<'a> Reply<'a> {
    /// Reads the header and checks the frame of every variable binding.
    pub fn parse(datagram: &'a [u8]) -> Result<Reply<'a>, Undecodable> {
        tracing::trace!(target: "way", step = "Reply::parse");
        let frame = |_| Undecodable::Frame;
        let message = AsnReader::from_bytes(datagram).read_raw(asn1::TYPE_SEQUENCE).map_err(frame)?;
        let mut message = AsnReader::from_bytes(message);
        let version = match message.read_asn_integer().map_err(frame)? {
            0 => Version::V1,
            1 => Version::V2c,
            other => return Err(Undecodable::Version(other)),
        };
        let community = message.read_asn_octetstring().map_err(frame)?;
        let tag = message.peek_byte().map_err(frame)?;
        match MessageType::from_ident(tag) {
            Ok(MessageType::Response) => {}
            Ok(_) => return Err(Undecodable::NoResponse),
            Err(_) => return Err(Undecodable::Frame),
        }
        let mut pdu = AsnReader::from_bytes(message.read_raw(tag).map_err(frame)?);
        let id = pdu.read_asn_integer().map_err(frame)?;
        let status = pdu.read_asn_integer().map_err(frame)?;
        let index = pdu.read_asn_integer().map_err(frame)?;
        let list = pdu.read_raw(asn1::TYPE_SEQUENCE).map_err(frame)?;
        let mut reply = Reply {
            version,
            community,
            id: i32::try_from(id).map_err(|_| Undecodable::Frame)?,
            status: u32::try_from(status).unwrap_or(u32::MAX),
            index: u32::try_from(index).unwrap_or(0),
            count: 0,
            list,
        };
        let mut rest = AsnReader::from_bytes(list);
        while rest.bytes_left() > 0 {
            varbind(&mut rest).ok_or(Undecodable::Frame)?;
            reply.count += 1;
        }
        Ok(reply)
    }

    /// Its variable bindings, in order.
    pub fn varbinds(&self) -> impl Iterator<Item = Varbind<'a>> + use<'a> {
        let mut rest = AsnReader::from_bytes(self.list);
        std::iter::from_fn(move || varbind(&mut rest))
    }
}

/// The next variable binding; `None` at the end or where the frame is broken.
fn varbind<'a>(rest: &mut AsnReader<'a>) -> Option<Varbind<'a>> {
    let before = rest.bytes_left();
    let pair = rest.read_raw(asn1::TYPE_SEQUENCE).ok()?;
    let mut reader = AsnReader::from_bytes(pair);
    let name = reader.read_raw(asn1::TYPE_OBJECTIDENTIFIER).ok()?;
    let value = &pair[pair.len() - reader.bytes_left()..];
    // The value's own frame: whatever its type is, its length must fit.
    let tag = reader.peek_byte().ok()?;
    reader.read_raw(tag).ok()?;
    Some(Varbind { name, octets: (before - rest.bytes_left()) as u32, value })
}

impl Varbind<'_> {
    /// Whether it is named `oid`. `arcs` is scratch.
    pub fn is_named(&self, oid: &Oid, arcs: &mut Vec<u32>) -> bool {
        // Other octets of the same meaning (leading zero bits) are rare, but name the same object.
        self.name == oid.ber() || (read_arcs(self.name, arcs) && arcs == oid.arcs())
    }

    /// Where its name lies as seen from `oid`; the arcs behind it are left in `arcs`.
    pub fn place(&self, oid: &Oid, arcs: &mut Vec<u32>) -> Place {
        if let Some(rest) = self.name.strip_prefix(oid.ber()).filter(|rest| !rest.is_empty()) {
            arcs.clear();
            return match read_index(rest, Oid::MOST_ARCS - oid.arcs().len(), arcs) {
                true => Place::Below,
                false => Place::Malformed,
            };
        }
        if !read_arcs(self.name, arcs) {
            return Place::Malformed;
        }
        if !oid.is_above(arcs) {
            return Place::Elsewhere;
        }
        arcs.drain(..oid.arcs().len());
        Place::Below
    }

    /// Whether the value is noSuchObject, noSuchInstance or endOfMibView.
    pub fn is_exception(&self) -> bool {
        let exceptions = [snmp::SNMP_NOSUCHOBJECT, snmp::SNMP_NOSUCHINSTANCE, snmp::SNMP_ENDOFMIBVIEW];
        self.value.first().is_some_and(|tag| exceptions.contains(tag))
    }

    /// Reads the value; what needs room is kept in `answer`. `arcs` is scratch.
    pub fn read_value(&self, answer: &mut Answer, arcs: &mut Vec<u32>) -> Found {
        tracing::trace!(target: "way", step = "Varbind::read_value", name = ?self.name);
        self.read(answer, arcs).unwrap_or(Found::Malformed)
    }

    fn read(&self, answer: &mut Answer, arcs: &mut Vec<u32>) -> Option<Found> {
        let mut value = AsnReader::from_bytes(self.value);
        let tag = value.peek_byte().ok()?;
        let raw = match tag {
            asn1::TYPE_INTEGER => Raw::Integer(value.read_asn_integer().ok()?),
            asn1::TYPE_NULL => {
                value.read_asn_null().ok()?;
                Raw::Null
            }
            asn1::TYPE_OCTETSTRING | snmp::TYPE_OPAQUE => {
                Raw::Octets(answer.keep_octets(value.read_raw(tag).ok()?)?)
            }
            asn1::TYPE_OBJECTIDENTIFIER => {
                if !read_arcs(value.read_raw(tag).ok()?, arcs) {
                    return None;
                }
                Raw::Oid(answer.keep_arcs(arcs))
            }
            snmp::TYPE_IPADDRESS => Raw::Address(value.read_raw(tag).ok()?.try_into().ok()?),
            snmp::TYPE_COUNTER32 => Raw::Counter32(read_u32(&mut value, tag)?),
            snmp::TYPE_UNSIGNED32 => Raw::Gauge32(read_u32(&mut value, tag)?),
            snmp::TYPE_TIMETICKS => Raw::TimeTicks(read_u32(&mut value, tag)?),
            snmp::TYPE_COUNTER64 => Raw::Counter64(value.read_snmp_counter64().ok()?),
            snmp::SNMP_NOSUCHOBJECT | snmp::SNMP_NOSUCHINSTANCE => return Some(Found::Missing),
            snmp::SNMP_ENDOFMIBVIEW => return Some(Found::EndOfView),
            _ => return None,
        };
        Some(Found::Raw(raw))
    }
}

/// A 32-bit unsigned value. Agents that leave out the leading zero octet send it as a negative number; a number
/// wider than 32 bits is refused (snmp2 would cut it).
fn read_u32(value: &mut AsnReader<'_>, tag: u8) -> Option<u32> {
    let number = value.read_i64_type(tag).ok()?;
    u32::try_from(number).ok().or_else(|| i32::try_from(number).ok().map(|negative| negative as u32))
}

/// Reads BER subidentifiers (X.690 section 8.19); false where they are cut, exceed 32 bits or are more than
/// [`Oid::MOST_ARCS`]. No octets are no arcs: some agents answer so for "no identifier".
pub fn read_arcs(ber: &[u8], arcs: &mut Vec<u32>) -> bool {
    arcs.clear();
    let mut value = 0_u64;
    let mut open = false;
    for &octet in ber {
        value = value << 7 | u64::from(octet & 0x7f);
        open = octet & 0x80 != 0;
        if value > u64::from(u32::MAX) + 80 {
            return false;
        }
        if open {
            continue;
        }
        if arcs.is_empty() {
            let root = (value / 40).min(2);
            arcs.push(root as u32);
            value -= root * 40;
        }
        let Ok(arc) = u32::try_from(value) else {
            return false;
        };
        if arcs.len() >= Oid::MOST_ARCS {
            return false;
        }
        arcs.push(arc);
        value = 0;
    }
    !open
}

/// Reads the subidentifiers of an index behind `arcs`; false where they are cut, exceed 32 bits or are more than `most`.
fn read_index(ber: &[u8], most: usize, arcs: &mut Vec<u32>) -> bool {
    let mut value = 0_u64;
    let mut open = false;
    for &octet in ber {
        value = value << 7 | u64::from(octet & 0x7f);
        open = octet & 0x80 != 0;
        if value > u64::from(u32::MAX) || arcs.len() >= most {
            return false;
        }
        if !open {
            arcs.push(value as u32);
            value = 0;
        }
    }
    !open
}
