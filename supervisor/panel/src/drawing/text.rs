//! How wide text is, and cutting it to a width.

/// Whether a character would reorder or hide what stands beside it: controls, marks and overrides of direction,
/// invisible separators (Unicode TR 36 section 2.3).
pub(super) fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Width of one character in parts of the font size: full for Han and its kin, by class for Latin. Fonts differ by
/// some percent; what is cut by this never runs over.
fn advance(c: char) -> f64 {
    match c {
        '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' => 1.0,
        '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE4F}' | '\u{FF00}'..='\u{FF60}' => 1.0,
        '\u{1F000}'..='\u{3FFFF}' => 1.0,
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' | '·' => 0.3,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' => 0.95,
        'A'..='Z' => 0.68,
        _ => 0.57,
    }
}

/// Estimated width in pixels at this font size.
pub(super) fn width(text: &str, size: f64) -> f64 {
    // No drawing is wider than a few thousand characters.
    text.chars().take(4_096).map(advance).sum::<f64>() * size
}

/// The text, cut with an ellipsis to a width in pixels at this font size. Empty where not even two characters fit.
pub(super) fn fit(text: &str, room: f64, size: f64) -> String {
    if width(text, size) <= room && text.chars().count() < 4_096 {
        return text.to_owned();
    }
    let mut used = advance('…') * size;
    let mut kept = String::new();
    for c in text.chars() {
        used += advance(c) * size;
        if used > room {
            break;
        }
        kept.push(c);
    }
    if kept.is_empty() {
        return kept;
    }
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_to_its_room() {
        let cases = [
            ("侯马", 40.0, "侯马"),
            ("曲沃县市场监督管理局", 80.0, "曲沃县市…"),
            ("GigabitEthernet0/0/1", 80.0, "GigabitE…"),
            ("abc", 10.0, ""),
            ("", 10.0, ""),
        ];
        for (text, room, cut) in cases {
            let cut_here = fit(text, room, 14.0);
            assert_eq!(cut_here, cut, "{text}");
            assert!(width(&cut_here, 14.0) <= room.max(0.0) || cut_here.is_empty());
        }
        assert!(fit(&"x".repeat(1_000_000), 1e9, 14.0).len() <= 1_000_003);
    }
}
