//! How much of a limit is used, as a ring. Decoration: the words beside it say the same.

/// A ring of which this share, 0 to 1, is drawn full; in the colour of the text around it.
#[must_use]
pub fn ring(used: f64) -> String {
    let used = if used.is_finite() { (used.clamp(0.0, 1.0) * 100.0).round() } else { 0.0 };
    format!(
        "<svg class=\"ring\" viewBox=\"0 0 36 36\" aria-hidden=\"true\"><circle class=\"ring-whole\" cx=\"18\" \
         cy=\"18\" r=\"15\"/><circle class=\"ring-used\" cx=\"18\" cy=\"18\" r=\"15\" pathLength=\"100\" \
         stroke-dasharray=\"{used} 100\" transform=\"rotate(-90 18 18)\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_share_is_drawn_within_the_ring() {
        for (used, drawn) in [
            (0.0, "0"),
            (0.256, "26"),
            (1.0, "100"),
            (7.0, "100"),
            (-1.0, "0"),
            (f64::NAN, "0"),
            (f64::INFINITY, "0"),
        ] {
            assert!(ring(used).contains(&format!("stroke-dasharray=\"{drawn} 100\"")), "{used}");
        }
    }
}
