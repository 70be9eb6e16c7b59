//! Answers to whoever looks for cameras (WS-Discovery), at the number of the HTTP port: the usual port of discovery is one
//! for all of a machine.

use super::body::Body;
use super::text::element;
use std::sync::Arc;
use tokio::net::UdpSocket;

/// Longest probe, octets.
const LONGEST: usize = 16 * 1024;

/// Answers until the end.
pub(super) async fn serve(body: Arc<Body>, socket: UdpSocket) {
    let mut octets = vec![0; LONGEST];
    loop {
        let Ok((len, from)) = socket.recv_from(&mut octets).await else { continue };
        let probe = String::from_utf8_lossy(&octets[..len]).into_owned();
        let is_probe = element(&probe, "Probe").is_some();
        if body.is_away() || !is_probe {
            continue;
        }
        let spec = &body.spec;
        let related = element(&probe, "MessageID").unwrap_or("");
        let answer = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" \
             xmlns:w=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
             xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\">\
             <e:Header><w:RelatesTo>{related}</w:RelatesTo></e:Header><e:Body><d:ProbeMatches><d:ProbeMatch>\
             <w:EndpointReference><w:Address>urn:uuid:{}</w:Address></w:EndpointReference><d:Types>dn:NetworkVideoTransmitter\
             </d:Types><d:Scopes>onvif://www.onvif.org/name/{}%20{} onvif://www.onvif.org/hardware/{}</d:Scopes><d:XAddrs>\
             http://{}:{}/onvif/device_service</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>\
             </d:ProbeMatches></e:Body></e:Envelope>",
            spec.id, spec.maker, spec.model, spec.model, spec.address, spec.http_port
        );
        let _ = socket.send_to(answer.as_bytes(), from).await;
    }
}
