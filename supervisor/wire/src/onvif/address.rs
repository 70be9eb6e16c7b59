//! Addresses that a device gives of itself: behind NAT, on a second interface or after a move they are wrong, and nothing
//! may be fetched from a host that the site file does not name.

use roundsman_core::text::safe;

/// Longest path with its query.
pub const MOST_PATH: usize = 1_024;
/// Longest address that is kept as evidence.
const MOST_GIVEN: usize = 256;

/// Where a device is reached, as the site file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// `http`, `https` or `rtsp`.
    pub scheme: &'static str,
    /// Its name or address; IPv6 in brackets.
    pub host: Box<str>,
    /// Its port.
    pub port: u16,
}

/// An address a device gave, led to where the device really is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Led {
    /// What is used: scheme, host and port of the [`Base`], path and query of the device.
    pub url: String,
    /// What the device said, without a login in it, fit to be shown.
    pub given: String,
    /// Whether the device named another host or port.
    pub moved: bool,
}

impl Base {
    /// Leads an address here. `None` when it names no place on a host: empty, `(null)`, `urn:…`, or too long.
    pub fn lead(&self, given: &str) -> Option<Led> {
        let given = given.trim();
        let (authority, path) = match given.split_once("://") {
            Some((_, rest)) => {
                let ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                (Some(&rest[..ends]), &rest[ends..])
            }
            None if given.starts_with('/') => (None, given),
            None => return None,
        };
        let path = path.split('#').next().unwrap_or("");
        let mut url = format!("{}://{}:{}", self.scheme, self.host, self.port);
        let begins = url.len();
        if !path.starts_with('/') {
            url.push('/');
        }
        for octet in path.bytes() {
            // Nothing that could end a request line, and nothing that no URI may hold.
            if octet.is_ascii_graphic()
                && !matches!(octet, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
            {
                url.push(char::from(octet));
            } else {
                url.extend(['%', hex(octet >> 4), hex(octet & 15)]);
            }
        }
        if url.len() - begins > MOST_PATH {
            return None;
        }
        let host = authority.map(|authority| authority.rsplit('@').next().unwrap_or(authority));
        let shown = match (given.split_once("://"), host) {
            (Some((scheme, _)), Some(host)) => format!("{scheme}://{host}{path}"),
            _ => given.to_owned(),
        };
        let moved = host.is_some_and(|host| !self.is(host));
        Some(Led { url, given: safe(&shown, MOST_GIVEN), moved })
    }

    fn is(&self, authority: &str) -> bool {
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
            _ => (authority, None),
        };
        let default = match self.scheme {
            "https" => 443,
            "rtsp" => 554,
            _ => 80,
        };
        host.eq_ignore_ascii_case(&self.host) && port.unwrap_or(default) == self.port
    }
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase()
}
