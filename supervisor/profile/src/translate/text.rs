//! Octets to text that is safe to show ([`text::safe`]): every text and every label of a device comes through here.

use super::recipe::TextFormat;
use super::view::View;
use roundsman_core::text;
use std::fmt::Write;
use std::sync::Arc;

/// Most characters of a text ([`Value::Text`](roundsman_core::reading::Value::Text)).
pub(super) const LONGEST: usize = 1_024;

/// The text of a raw value of any type.
pub(super) fn of(raw: View<'_>, format: TextFormat, texts: &mut Texts) -> Arc<str> {
    if let (View::Octets(octets), TextFormat::Plain) = (raw, format)
        && let Some(known) = texts.same(octets)
    {
        return known;
    }
    let text: Arc<str> = made(raw, format).into();
    texts.keep(&text);
    text
}

/// The texts of one poll, in their order: those that say in the next one what they said before are not made anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    known: Vec<Arc<str>>,
    next: usize,
}

impl Texts {
    /// A poll begins.
    pub(super) fn begin(&mut self) {
        self.known.truncate(self.next);
        self.next = 0;
    }

    /// The next text, if it was these octets in the poll before. Cleaned text is left as it is by cleaning.
    fn same(&mut self, octets: &[u8]) -> Option<Arc<str>> {
        let known = self.known.get(self.next).filter(|known| known.as_bytes() == octets)?;
        self.next += 1;
        Some(known.clone())
    }

    fn keep(&mut self, text: &Arc<str>) {
        match self.known.get_mut(self.next) {
            Some(known) => *known = text.clone(),
            None => self.known.push(text.clone()),
        }
        self.next += 1;
    }
}

/// A value as text; at most [`LONGEST`] characters.
pub(super) fn made(raw: View<'_>, format: TextFormat) -> String {
    match raw {
        View::Octets(octets) => octets_text(octets, format),
        View::Oid(arcs) => dotted(arcs),
        View::Address([a, b, c, d]) => format!("{a}.{b}.{c}.{d}"),
        View::Integer(x) => x.to_string(),
        View::Unsigned32(x) => x.to_string(),
        View::Unsigned64(x) => x.to_string(),
        View::Float(x) => x.to_string(),
        View::Null => String::new(),
    }
}

/// Arcs with dots between them; at most [`LONGEST`] characters.
pub(super) fn dotted(arcs: &[u32]) -> String {
    let mut text = String::with_capacity(arcs.len() * 4);
    for (at, arc) in arcs.iter().enumerate() {
        let before = text.len();
        let dot = if at > 0 { "." } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(text, "{dot}{arc}");
        if text.len() > LONGEST {
            text.truncate(before);
            break;
        }
    }
    text
}

/// Octets as text in the given format.
pub(super) fn octets_text(octets: &[u8], format: TextFormat) -> String {
    match format {
        TextFormat::Mac => hex(octets, ":"),
        TextFormat::Hex => hex(octets, ""),
        TextFormat::Plain => plain(octets),
    }
}

/// UTF-8 cleaned; octets that are no UTF-8 and hold control characters or are as long as a hardware address are
/// binary and shown as hexadecimal, others are text in an encoding unknown here and keep what can be read.
fn plain(octets: &[u8]) -> String {
    let end = octets.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
    let octets = &octets[..end];
    match std::str::from_utf8(octets) {
        Ok(text) => text::safe(text, LONGEST),
        Err(_) if octets.len() == 6 || octets.iter().any(|b| *b < 0x20 && !b.is_ascii_whitespace()) => {
            hex(octets, ":")
        }
        Err(_) => text::safe(&String::from_utf8_lossy(octets), LONGEST),
    }
}

fn hex(octets: &[u8], between: &str) -> String {
    let most = LONGEST / (2 + between.len());
    let mut text = String::with_capacity(octets.len().min(most) * (2 + between.len()));
    for (at, octet) in octets.iter().take(most).enumerate() {
        let between = if at > 0 { between } else { "" };
        let _ = write!(text, "{between}{octet:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_cleaned() {
        for (octets, expected) in [
            (&b"GigabitEthernet0/0/1\0\0"[..], "GigabitEthernet0/0/1"),
            (b"  two\r\n lines\t", "two lines"),
            ("临汾\u{202e}txt".as_bytes(), "临汾txt"),
            (b"\x1b[31mred", "[31mred"),
            (&[0x00, 0x1a, 0x2b, 0xff, 0x4d, 0x5e], "00:1a:2b:ff:4d:5e"),
            (&[0x07, 0xe9, 0x0b, 0x15, 0x16], "07:e9:0b:15:16"),
            (b"caf\xe9 bar", "caf\u{fffd} bar"),
            (b"", ""),
            (b"\0", ""),
        ] {
            assert_eq!(octets_text(octets, TextFormat::Plain), expected);
        }
        assert_eq!(octets_text(&[1, 2, 0xab], TextFormat::Mac), "01:02:ab");
        assert_eq!(octets_text(&[1, 2, 0xab], TextFormat::Hex), "0102ab");
    }

    proptest! {
        /// What is taken over from the poll before is what would have been made.
        #[test]
        fn cleaned_text_stays_as_it_is(octets in prop::collection::vec(any::<u8>(), 0..80), word in ".{0,60}") {
            for octets in [&octets[..], word.as_bytes()] {
                let once = plain(octets);
                prop_assert_eq!(plain(once.as_bytes()), once);
            }
        }
    }

    #[test]
    fn texts_are_taken_over_while_they_are_the_same() {
        let mut texts = Texts::default();
        let mut poll = |words: &[&str]| -> Vec<Arc<str>> {
            texts.begin();
            let text = |word: &&str| of(View::Octets(word.as_bytes()), TextFormat::Plain, &mut texts);
            words.iter().map(text).collect()
        };
        let first = poll(&["a", "b", " c"]);
        let second = poll(&["a", "x", " c"]);
        assert_eq!(second, ["a".into(), "x".into(), "c".into()] as [Arc<str>; 3]);
        assert!(Arc::ptr_eq(&first[0], &second[0]));
        assert_eq!(poll(&["b"]), ["b".into()] as [Arc<str>; 1]);
        assert_eq!(poll(&["b", "c"]), ["b".into(), "c".into()] as [Arc<str>; 2]);
    }

    #[test]
    fn text_is_bounded() {
        let long = "长".repeat(5_000);
        assert_eq!(octets_text(long.as_bytes(), TextFormat::Plain).chars().count(), LONGEST);
        assert!(octets_text(&[0xff; 9_000], TextFormat::Mac).len() <= LONGEST);
        assert!(dotted(&[u32::MAX; 2_000]).len() <= LONGEST);
    }
}
