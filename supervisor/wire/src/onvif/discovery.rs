//! Finding cameras in the local network (WS-Discovery, April 2005; Core Specification, section 7).

use roundsman_core::text::safe;

use super::MOST_LISTED;
use super::xml::{self, Element};

/// Where probes go that are for everybody: group and port.
pub const GROUP: ([u8; 4], u16) = ([239, 255, 255, 250], 3_702);

/// Longest name that is kept of a device.
const MOST_NAME: usize = 128;

/// What is looked for. Recorders call themselves a device; so do cameras, the older ones not.
pub const TYPES: [(&str, &str); 2] = [
    ("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter"),
    ("http://www.onvif.org/ver10/device/wsdl", "Device"),
];

/// A device that answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// What it calls itself for ever, such as `urn:uuid:…`.
    pub id: Box<str>,
    /// Where it says that its device service is; behind another network than ours it is wrong.
    pub given: Vec<Box<str>>,
    /// Its name by its scopes.
    pub name: Option<String>,
    /// Its hardware by its scopes.
    pub hardware: Option<String>,
    /// Where it is, by its scopes.
    pub location: Option<String>,
}

/// A probe for devices of one of [`TYPES`]; `message` tells it from others.
pub fn probe((namespace, kind): (&str, &str), message: u128) -> String {
    let id = format!("{message:032x}");
    let id = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:w=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
         xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" xmlns:n=\"{namespace}\"><e:Header>\
         <w:MessageID>uuid:{id}</w:MessageID><w:To e:mustUnderstand=\"true\">urn:schemas-xmlsoap-org:ws:2005:04:discovery\
         </w:To><w:Action e:mustUnderstand=\"true\">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action>\
         </e:Header><e:Body><d:Probe><d:Types>n:{kind}</d:Types></d:Probe></e:Body></e:Envelope>"
    )
}

/// The devices in an answer. Nothing of what is no answer to a probe.
pub fn matches(octets: &[u8]) -> Vec<Match> {
    let Ok(document) = xml::read(octets) else { return Vec::new() };
    let Some(found) = document.at(&["Body", "ProbeMatches"]) else { return Vec::new() };
    found.all("ProbeMatch").take(MOST_LISTED).map(read).collect()
}

fn read(found: &Element) -> Match {
    let words = |name: &str| found.said(&[name]).unwrap_or("").split_whitespace();
    let scope = |key: &str| {
        let mut scopes = words("Scopes").filter_map(|scope| scope.strip_prefix("onvif://www.onvif.org/"));
        let value = scopes.find_map(|scope| scope.strip_prefix(key)?.strip_prefix('/'))?;
        let value = safe(&decoded(value), MOST_NAME);
        (!value.is_empty()).then_some(value)
    };
    Match {
        id: safe(found.said(&["EndpointReference", "Address"]).unwrap_or(""), MOST_NAME).into(),
        given: words("XAddrs").map(Box::from).take(8).collect(),
        name: scope("name"),
        hardware: scope("hardware"),
        location: scope("location"),
    }
}

/// `HIKVISION%20DS` without its escapes; what is no escape stays.
fn decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = behind.get(..2).and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        match hex {
            Some(octet) if *first == b'%' => {
                octets.push(octet);
                rest = &behind[2..];
            }
            _ => {
                octets.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_names_what_it_looks_for() {
        let probe = probe(TYPES[0], 0xab);
        let read = xml::read(probe.as_bytes()).unwrap();
        assert_eq!(read.said(&["Body", "Probe", "Types"]), Some("n:NetworkVideoTransmitter"));
        assert_eq!(read.said(&["Header", "MessageID"]), Some("uuid:00000000-0000-0000-0000-0000000000ab"));
    }

    #[test]
    fn answers_are_read_whatever_they_hold() {
        let answer = "<E><Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:1</a:Address>\
            </a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/type/x \
            onvif://www.onvif.org/name/HIKVISION%20DS%2 onvif://www.onvif.org/hardware/DS-2CD onvif://www.onvif.org/location/%E5%A4%A7%E5%8E%85</d:Scopes>\
            <d:XAddrs>http://10.0.0.2/onvif/device_service http://[fe80::1]/x</d:XAddrs></d:ProbeMatch><d:ProbeMatch/></d:ProbeMatches></Body></E>";
        let all = matches(answer.as_bytes());
        let [first, bare] = &all[..] else { panic!("{all:?}") };
        assert_eq!((&*first.id, first.given.len()), ("urn:uuid:1", 2));
        assert_eq!(first.name.as_deref(), Some("HIKVISION DS%2"));
        assert_eq!((first.hardware.as_deref(), first.location.as_deref()), (Some("DS-2CD"), Some("大厅")));
        assert_eq!(*bare, Match::default());
        for other in ["", "<E/>", "<E><Body><Hello/></Body></E>"] {
            assert_eq!(matches(other.as_bytes()), []);
        }
    }
}
