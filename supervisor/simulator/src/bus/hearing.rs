//! What a line's units make of the octets on it: requests are cut out of them and answered.

use super::panel;
use super::party::{Body, Heard, Party};
use super::projector;
use super::{Framing, Protocol};
use roundsman_rtu::slave::Inbox;
use roundsman_rtu::{BROADCAST, MOST_FRAME, MOST_PDU, frame};

/// Most octets of a request that is not whole yet: more of them are no request of anybody's.
const MOST_HELD: usize = 1_024;

/// Longest PJLink line: `%1`, four letters, a space, 128 octets of parameter, before it the digest.
const MOST_LINE: usize = 170;

/// Octets before the PDU of Modbus TCP: transaction, protocol, length, unit.
const MBAP: usize = 7;

/// A projector of its connection.
#[derive(Debug, Default)]
pub(super) struct Greeting {
    /// The greeting's number, where a password is set.
    pub(super) nonce: Option<String>,
    pub(super) password: String,
    /// A right digest came.
    pub(super) is_signed: bool,
}

/// How one connection or line end hears.
pub(super) enum Hearing {
    Rtu(Box<Inbox>),
    ModbusTcp(Vec<u8>),
    Mdc(Vec<u8>),
    PjLink(Vec<u8>, Greeting),
}

impl Hearing {
    pub(super) fn new(protocol: Protocol, framing: Framing, greeting: Greeting) -> Hearing {
        match (protocol, framing) {
            (Protocol::Modbus, Framing::Rtu) => Hearing::Rtu(Box::new(Inbox::new())),
            (Protocol::Modbus, Framing::ModbusTcp) => Hearing::ModbusTcp(Vec::new()),
            (Protocol::Mdc, _) => Hearing::Mdc(Vec::new()),
            (Protocol::PjLink, _) => Hearing::PjLink(Vec::new(), greeting),
        }
    }

    /// What is said as soon as somebody connects.
    pub(super) fn greets(&self) -> Option<String> {
        match self {
            Hearing::PjLink(_, greeting) => Some(projector::greeting(greeting.nonce.as_deref())),
            _ => None,
        }
    }

    /// Octets came.
    pub(super) fn hear(&mut self, octets: &[u8], party: &mut Party, now: f64) -> Vec<Heard> {
        let mut heard = Vec::new();
        match self {
            Hearing::Rtu(inbox) => {
                for octet in octets {
                    if let Some(len) = inbox.push(*octet) {
                        heard.extend(serve(inbox, len, party, now));
                    }
                }
            }
            Hearing::ModbusTcp(held) => {
                hold(held, octets);
                while let Some(len) = cut_mbap(held) {
                    let request: Vec<u8> = held.drain(..len).collect();
                    heard.extend(serve_tcp(request, party, now));
                }
            }
            Hearing::Mdc(held) => {
                hold(held, octets);
                while let Some(cut) = panel::cut(held) {
                    match cut {
                        Ok(len) => {
                            let frame: Vec<u8> = held.drain(..len).collect();
                            heard.push(party.hear_mdc(&frame, now));
                        }
                        Err(len) => drop(held.drain(..len)),
                    }
                }
            }
            Hearing::PjLink(held, greeting) => {
                hold(held, octets);
                while let Some(end) = held.iter().position(|octet| *octet == b'\r') {
                    let line: Vec<u8> = held.drain(..=end).collect();
                    heard.extend(serve_line(line, greeting, party, now));
                }
            }
        }
        heard
    }

    /// Nothing came for a while: what is held is a request, or never will be one.
    pub(super) fn silence(&mut self, party: &mut Party, now: f64) -> Option<Heard> {
        match self {
            Hearing::Rtu(inbox) => {
                let len = inbox.silence()?;
                serve(inbox, len, party, now)
            }
            Hearing::Mdc(held) => {
                held.clear();
                None
            }
            Hearing::ModbusTcp(_) | Hearing::PjLink(..) => None,
        }
    }
}

fn hold(held: &mut Vec<u8>, octets: &[u8]) {
    if held.len() + octets.len() > MOST_HELD {
        held.clear();
    }
    held.extend_from_slice(&octets[..octets.len().min(MOST_HELD)]);
}

/// Carries out the RTU request at the inbox's front.
fn serve(inbox: &mut Inbox, len: usize, party: &mut Party, now: f64) -> Option<Heard> {
    let request = inbox.request(len).to_vec();
    inbox.clear(len);
    let (address, pdu) = frame::open(&request)?;
    let mut out = [0; MOST_FRAME];
    if address == BROADCAST {
        for unit in party.units().filter(|unit| unit.lives(now)) {
            if let Body::Slave(slave) = &mut unit.body {
                slave.answer(pdu, now, &mut out);
            }
        }
        return Some(Heard { member: None, address, answer: vec![], request });
    }
    let Some(unit) = party.unit(address) else {
        return Some(Heard { member: None, address, answer: vec![], request });
    };
    let mut answer = Vec::new();
    if let (true, Body::Slave(slave)) = (unit.lives(now), &mut unit.body) {
        out[0] = address;
        let pdu_len = slave.answer(pdu, now, &mut out[1..=MOST_PDU]);
        answer = frame::seal(1 + pdu_len, &mut out).map_or(vec![], |len| out[..len].to_vec());
    }
    Some(Heard { member: Some(unit.member), address, request, answer })
}

/// Length of the Modbus TCP request at the front; what is none is dropped whole: there is no finding back.
fn cut_mbap(held: &mut Vec<u8>) -> Option<usize> {
    let &[_, _, protocol_high, protocol_low, high, low] = held.first_chunk()?;
    let behind = usize::from(u16::from_be_bytes([high, low]));
    if [protocol_high, protocol_low] != [0, 0] || !(2..=MOST_PDU + 1).contains(&behind) {
        held.clear();
        return None;
    }
    (held.len() >= MBAP - 1 + behind).then_some(MBAP - 1 + behind)
}

fn serve_tcp(request: Vec<u8>, party: &mut Party, now: f64) -> Option<Heard> {
    let address = *request.get(MBAP - 1)?;
    let unit = match party.unit(address) {
        Some(_) => party.unit(address),
        None => party.only(),
    };
    let Some(unit) = unit else {
        return Some(Heard { member: None, address, answer: vec![], request });
    };
    let mut answer = Vec::new();
    if let (true, Body::Slave(slave)) = (unit.lives(now), &mut unit.body) {
        let mut out = [0; MOST_PDU];
        let len = slave.answer(&request[MBAP..], now, &mut out);
        answer.extend_from_slice(&request[..4]);
        answer.extend_from_slice(&(len as u16 + 1).to_be_bytes());
        answer.push(address);
        answer.extend_from_slice(&out[..len]);
    }
    Some(Heard { member: Some(unit.member), address, request, answer })
}

fn serve_line(line: Vec<u8>, greeting: &mut Greeting, party: &mut Party, now: f64) -> Option<Heard> {
    let unit = party.only()?;
    let (member, address, lives) = (unit.member, unit.address, unit.lives(now));
    let Body::Projector(projector) = &mut unit.body else { return None };
    let text = String::from_utf8_lossy(&line);
    let said = text.trim_end_matches(['\r', '\n']).trim_start_matches('\n');
    let asked = match &greeting.nonce {
        Some(nonce) if !greeting.is_signed => {
            let asked = projector::signed(said, nonce, &greeting.password);
            greeting.is_signed = asked.is_some();
            asked
        }
        _ => Some(said),
    };
    let answer = match asked {
        _ if !lives || said.len() > MOST_LINE => String::new(),
        Some(asked) => projector.obey(asked, now) + "\r",
        None => "PJLINK ERRA\r".to_owned(),
    };
    Some(Heard { member: Some(member), address, answer: answer.into_bytes(), request: line })
}
