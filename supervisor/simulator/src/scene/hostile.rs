//! Names as no maker should send them and some do: markup, far too long, turned around, control characters, towers of
//! marks, no UTF-8.

use super::mix;

/// Characters of the long name.
const LONG: usize = 200;

/// Kinds of names: an odd number, so that ifName and ifAlias, which take turns, each come to all of them.
const KINDS: u64 = 7;

/// Marks stacked on one letter.
const MARKS: usize = 40;

/// The name at a place of a device; seven places in a row have seven kinds.
pub(super) fn name(seed: u64, place: usize) -> Vec<u8> {
    let number = mix(seed, 0).wrapping_add(place as u64);
    let text = match number % KINDS {
        0 => format!("<script>alert({place})</script>"),
        1 => "很长的名字Long".chars().cycle().take(LONG).collect(),
        // RIGHT-TO-LEFT OVERRIDE: what follows is shown backwards, and what stands behind it if nobody stops it.
        2 => format!("uplink\u{202e}gpj.{place}"),
        3 => format!("line\r\none\u{1b}[31mred\u{7}\t\0{place}"),
        4 => format!("\"'&lt;<img src=x onerror=alert({place})>"),
        5 => format!("tower{}{place}", "\u{301}\u{316}".repeat(MARKS / 2)),
        // A torn character of GB18030, lone continuation octets, an overlong slash.
        _ => return [&b"\xca\xd0\xbe\x80\xbf\xc0\xaf "[..], place.to_string().as_bytes()].concat(),
    };
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_names_in_a_row_are_of_seven_kinds_and_devices_begin_differently() {
        for seed in 0..20 {
            let names: Vec<_> = (0..7).map(|place| name(seed, place)).collect();
            let some = |what: &dyn Fn(&[u8]) -> bool| names.iter().filter(|name| what(name)).count();
            let has = |part: &'static str| {
                move |name: &[u8]| name.windows(part.len()).any(|window| window == part.as_bytes())
            };
            assert_eq!(some(&has("<script>")), 1);
            assert_eq!(some(&has("onerror")), 1);
            assert_eq!(some(&has("\u{202e}")), 1);
            assert_eq!(some(&has("\u{316}\u{301}\u{316}")), 1);
            assert_eq!(some(&has("\u{1b}[31m")), 1);
            assert_eq!(some(&|name| std::str::from_utf8(name).is_err()), 1);
            assert_eq!(
                some(&|name| std::str::from_utf8(name).is_ok_and(|text| text.chars().count() == LONG)),
                1
            );
        }
        let first: std::collections::HashSet<_> = (0..50).map(|seed| name(seed, 0)).collect();
        assert_eq!(first.len() as u64, KINDS);
    }
}
