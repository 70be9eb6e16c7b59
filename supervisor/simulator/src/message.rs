//! SNMP v1 and v2c messages (RFC 1157, RFC 3416): requests read, answers written, answers re-read by the fault proxy.

use crate::ber::{self, put, put_head, put_i32};

/// GetRequest.
pub(crate) const GET: u8 = 0xa0;
/// GetNextRequest.
pub(crate) const GET_NEXT: u8 = 0xa1;
/// Response.
pub(crate) const RESPONSE: u8 = 0xa2;
/// SetRequest.
pub(crate) const SET: u8 = 0xa3;
/// GetBulkRequest.
pub(crate) const GET_BULK: u8 = 0xa5;

/// Version number of SNMP v1 on the wire.
pub(crate) const V1: i32 = 0;
/// Version number of SNMP v2c on the wire.
pub(crate) const V2C: i32 = 1;

/// Error status `tooBig` (RFC 3416 section 3).
pub(crate) const TOO_BIG: i32 = 1;
/// Error status `noSuchName`, v1.
pub(crate) const NO_SUCH_NAME: i32 = 2;
/// Error status `notWritable`, v2c.
pub(crate) const NOT_WRITABLE: i32 = 17;

/// A message, its parts borrowed from the datagram.
#[derive(Clone, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) version: i32,
    pub(crate) community: &'a [u8],
    pub(crate) pdu: u8,
    pub(crate) request_id: i32,
    /// Error status, or non-repeaters of GETBULK.
    pub(crate) first: i32,
    /// Error index, or max-repetitions of GETBULK.
    pub(crate) second: i32,
    /// The content of the list of varbinds.
    pub(crate) varbinds: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a datagram; `None` if it is no SNMP v1 or v2c message.
    pub(crate) fn read(mut datagram: &'a [u8]) -> Option<Message<'a>> {
        let mut body = ber::take(&mut datagram, ber::SEQUENCE)?;
        let version = ber::take_i32(&mut body)?;
        if version != V1 && version != V2C {
            return None;
        }
        let community = ber::take(&mut body, ber::OCTETS)?;
        let (pdu, mut body) = ber::take_any(&mut body)?;
        Some(Message {
            version,
            community,
            pdu,
            request_id: ber::take_i32(&mut body)?,
            first: ber::take_i32(&mut body)?,
            second: ber::take_i32(&mut body)?,
            varbinds: ber::take(&mut body, ber::SEQUENCE)?,
        })
    }

    /// The varbinds: content of the name, value with its tag and length.
    pub(crate) fn varbinds(&self) -> Varbinds<'a> {
        Varbinds { rest: self.varbinds }
    }

    /// Writes the message into `out`, which is emptied first.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut body = Vec::with_capacity(24);
        put_i32(&mut body, self.request_id);
        put_i32(&mut body, self.first);
        put_i32(&mut body, self.second);
        let mut head = Vec::with_capacity(16 + self.community.len());
        put_i32(&mut head, self.version);
        put(&mut head, ber::OCTETS, self.community);
        let list = self.varbinds.len();
        let pdu = body.len() + ber::head_len(list) + list;
        out.clear();
        put_head(out, ber::SEQUENCE, head.len() + ber::head_len(pdu) + pdu);
        out.extend_from_slice(&head);
        put_head(out, self.pdu, pdu);
        out.extend_from_slice(&body);
        put_head(out, ber::SEQUENCE, list);
        out.extend_from_slice(self.varbinds);
    }
}

/// The varbinds of a message. Ends at the first that cannot be read.
pub(crate) struct Varbinds<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Varbinds<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut varbind = ber::take(&mut self.rest, ber::SEQUENCE)?;
        let name = ber::take(&mut varbind, ber::IDENTIFIER)?;
        Some((name, varbind))
    }
}
