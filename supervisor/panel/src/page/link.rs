//! Addresses of pages: ids and words come from files and people, so they are encoded.

use std::fmt::Write;

/// Text as one segment of a path or one value of a query (RFC 3986 section 2.3: all but the unreserved are encoded).
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            // Writing to a string cannot fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    // A segment of dots alone would be resolved away.
    if out == "." || out == ".." { out.replace('.', "%2E") } else { out }
}

/// A path with the pairs that have a value.
pub(super) fn query(path: &str, pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<String> = pairs.map(|(key, value)| format!("{key}={}", encoded(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_text_it_stays_one_segment() {
        for (text, path) in [
            ("rt-city-core", "rt-city-core"),
            ("a/b?c#d&e", "a%2Fb%3Fc%23d%26e"),
            ("所", "%E6%89%80"),
            ("..", "%2E%2E"),
            ("a..b", "a..b"),
        ] {
            assert_eq!(encoded(text), path);
        }
        assert_eq!(query("/devices", &[("q", "1 2"), ("tier", "")]), "/devices?q=1%202");
        assert_eq!(query("/devices", &[]), "/devices");
    }
}
