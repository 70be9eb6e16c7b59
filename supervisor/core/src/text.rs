//! Text in the users' two languages, and text of strangers made safe to show.

use crate::reading::Value;
use std::sync::Arc;

/// One sentence in Chinese and in English.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bilingual {
    /// Chinese, the users' first language.
    pub zh: Arc<str>,
    /// English.
    pub en: Arc<str>,
}

impl Bilingual {
    /// Both languages at once.
    pub fn new(zh: impl Into<Arc<str>>, en: impl Into<Arc<str>>) -> Bilingual {
        Bilingual { zh: zh.into(), en: en.into() }
    }
}

/// A language of the surface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Simplified Chinese (zh-CN).
    #[default]
    Chinese,
    /// English.
    English,
}

impl Language {
    /// Its tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Language::Chinese => "zh-CN",
            Language::English => "en",
        }
    }

    /// One of two texts.
    pub fn choose<T>(self, zh: T, en: T) -> T {
        match self {
            Language::Chinese => zh,
            Language::English => en,
        }
    }
}

impl Bilingual {
    /// The text in `language`.
    pub fn get(&self, language: Language) -> &str {
        language.choose(&self.zh, &self.en)
    }

    /// The text in `language`; in the other one where this one is empty.
    pub fn said(&self, language: Language) -> &str {
        [self.get(language), &self.zh, &self.en].into_iter().find(|text| !text.is_empty()).unwrap_or("")
    }
}

/// A UCUM unit as people write it: `Cel` is ℃, `By` is B, `ug/m3` is µg/m³; others as they are.
pub fn unit(ucum: &str) -> &str {
    match ucum {
        "Cel" => "℃",
        "By" => "B",
        "ug/m3" => "µg/m³",
        "1" => "",
        other => other,
    }
}

/// A value as people read it: numbers with at most three significant decimals, words as they are.
pub fn value(value: &Value) -> String {
    match value {
        Value::Number(x) if x.fract() == 0.0 && x.abs() < 1e15 => format!("{x:.0}"),
        Value::Number(x) if x.abs() >= 100.0 => format!("{x:.0}"),
        Value::Number(x) if x.abs() >= 1.0 => format!("{x:.1}"),
        Value::Number(x) => format!("{x:.3}"),
        Value::Counter32(x) => x.to_string(),
        Value::Counter64(x) => x.to_string(),
        Value::State(word) | Value::Text(word) => word.to_string(),
    }
}

/// Marks in a row on one letter that are kept; more of them climb over the lines above and below.
const MOST_MARKS: usize = 3;

/// Text that a device sent, safe to show in one line, at most `longest` characters.
///
/// Devices are not trusted: a host name may hold anything. Left out are characters that nobody sees and that change
/// what others look like: control characters, marks and overrides of the reading direction, zero-width and other
/// invisible characters ([`is_hidden`]), and combining marks past the third on one letter. Runs of white space
/// are one blank, none at the ends. They are left out rather than shown as U+FFFD, so that a label with and without
/// them is the same label. Everything else stays as it is, Chinese as well as `<script>`: who writes HTML escapes it.
pub fn safe(text: &str, longest: usize) -> String {
    // What nearly every text is, and every poll brings the same ones again.
    let is_plain = text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    if is_plain && text.len() <= longest && text.trim_ascii().len() == text.len() && !text.contains("  ") {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len().min(longest));
    let (mut blank, mut count, mut marks) = (false, 0, 0);
    for c in text.chars() {
        if c.is_whitespace() {
            (blank, marks) = (count > 0, 0);
            continue;
        }
        if is_hidden(c) {
            continue;
        }
        marks = if is_combining(c) { marks + 1 } else { 0 };
        if marks > MOST_MARKS {
            continue;
        }
        let needed = 1 + usize::from(blank);
        if count + needed > longest {
            break;
        }
        if blank {
            safe.push(' ');
        }
        safe.push(c);
        count += needed;
        blank = false;
    }
    safe
}

/// Whether a character must not stand in a name: it is a control character, turns the reading direction (Unicode
/// UAX #9), or is invisible (Unicode TR #36).
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Soft hyphen, grapheme joiner, Arabic letter mark, fillers and vowel separators without a shape.
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            // Zero-width characters and direction marks; line and paragraph separators, embeddings, overrides, isolates.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{fffe}'..='\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

/// Marks that stand over or under the letter before them, in the blocks that any letter can carry.
fn is_combining(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_strangers_is_made_safe() {
        for (text, expected) in [
            ("GigabitEthernet0/0/1", "GigabitEthernet0/0/1"),
            ("  two\r\n lines\t", "two lines"),
            ("two  blanks", "two blanks"),
            (" edges ", "edges"),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
            ("临汾市局 核心交换机", "临汾市局 核心交换机"),
            ("rt\u{202e}dlo\u{202c}-1", "rtdlo-1"),
            ("\u{2067}rt\u{2069}", "rt"),
            ("ge\u{200b}0\u{feff}/1", "ge0/1"),
            ("\u{1b}[31mred\u{7}", "[31mred"),
            ("a\u{2028}b\u{85}c", "a b c"),
            ("Z\u{300}\u{301}\u{302}\u{303}\u{304}a", "Z\u{300}\u{301}\u{302}a"),
            ("\u{3164}\u{200d}", ""),
            ("", ""),
            ("caf\u{fffd}", "caf\u{fffd}"),
        ] {
            assert_eq!(safe(text, 100), expected, "{text:?}");
        }
        assert_eq!(safe("长长 长长", 4), "长长 长");
        assert_eq!(safe("长长 长长", 3), "长长", "no blank at the end");
    }

    proptest::proptest! {
        /// Whatever comes in: bounded, one line, nothing hidden, and the same when it is made safe again.
        #[test]
        fn safe_text_stays_as_it_is(
            text in proptest::collection::vec(proptest::prop_oneof![
                proptest::char::any(),
                proptest::char::range('\u{2000}', '\u{2070}'),
                proptest::char::range('\0', '\u{ff}'),
                proptest::char::range('\u{2fe}', '\u{370}'),
            ], 0..60),
            longest in 0..40_usize,
        ) {
            let text: String = text.into_iter().collect();
            let once = safe(&text, longest);
            proptest::prop_assert!(once.chars().count() <= longest);
            proptest::prop_assert!(!once.chars().any(is_hidden));
            proptest::prop_assert!(!once.chars().any(|c| c.is_whitespace() && c != ' '));
            proptest::prop_assert_eq!(once.trim(), &once);
            proptest::prop_assert_eq!(safe(&once, longest), once);
        }
    }
}
