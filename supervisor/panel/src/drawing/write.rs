//! The writer: tags, numbers and text, escaped.

use super::text::is_harmful;
use std::fmt::Write as _;

/// Farthest coordinate; the largest drawing is a wall of screens.
const FARTHEST: f64 = 16_384.0;
/// Longest text inside a drawing, in characters; names of 200 characters exist, a label sums up a whole picture.
const LONGEST_TEXT: usize = 400;

/// A drawing under construction.
pub(super) struct Svg {
    out: String,
}

/// An opened tag that still takes attributes.
pub(super) struct Tag<'a> {
    svg: &'a mut Svg,
    name: &'static str,
}

impl Svg {
    /// Opens a drawing of this size in CSS pixels. `label` says in words what it shows.
    pub(super) fn new(class: &str, width: f64, height: f64, label: &str) -> Svg {
        let mut svg = Svg { out: String::with_capacity(2_048) };
        let (w, h) = (short(width), short(height));
        let _ = write!(
            svg.out,
            "<svg class=\"drawing {class}\" role=\"img\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\""
        );
        svg.tag_text("aria-label", label);
        svg.out.push('>');
        svg
    }

    /// Begins a tag.
    pub(super) fn tag(&mut self, name: &'static str) -> Tag<'_> {
        self.out.push('<');
        self.out.push_str(name);
        Tag { svg: self, name }
    }

    /// Ends a tag that was left open.
    pub(super) fn end(&mut self, name: &'static str) {
        let _ = write!(self.out, "</{name}>");
    }

    /// One path, unless it is empty.
    pub(super) fn path(&mut self, class: &str, path: &Path) {
        if !path.0.is_empty() {
            path.put(self.tag("path").word("class", class));
        }
    }

    /// A line of text, cut by the caller.
    pub(super) fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        self.tag("text").word("class", class).number("x", x).number("y", y).body(text);
    }

    /// What a pointer that rests on the enclosing element is told.
    pub(super) fn title(&mut self, title: &str) {
        if !title.is_empty() {
            self.tag("title").body(title);
        }
    }

    /// The finished text.
    pub(super) fn finish(mut self) -> String {
        self.out.push_str("</svg>");
        self.out
    }

    fn tag_text(&mut self, name: &str, text: &str) {
        let _ = write!(self.out, " {name}=\"");
        escape(&mut self.out, text);
        self.out.push('"');
    }
}

impl Tag<'_> {
    /// A number.
    pub(super) fn number(self, name: &str, value: f64) -> Self {
        let _ = write!(self.svg.out, " {name}=\"{}\"", short(value));
        self
    }

    /// Text, escaped.
    pub(super) fn word(self, name: &str, value: &str) -> Self {
        self.svg.tag_text(name, value);
        self
    }

    /// The tag without content.
    pub(super) fn close(self) {
        self.svg.out.push_str("/>");
    }

    /// The tag stays open; [`Svg::end`] ends it.
    pub(super) fn open(self) {
        self.svg.out.push('>');
    }

    /// The tag with text in it.
    pub(super) fn body(self, text: &str) {
        self.svg.out.push('>');
        escape(&mut self.svg.out, text);
        let name = self.name;
        self.svg.end(name);
    }
}

/// Path data under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Path(String);

impl Path {
    /// Begins at a point.
    pub(super) fn at(&mut self, x: f64, y: f64) -> &mut Path {
        let _ = write!(self.0, "M{} {}", short(x), short(y));
        self
    }

    /// A line to a point.
    pub(super) fn to(&mut self, x: f64, y: f64) -> &mut Path {
        let _ = write!(self.0, "L{} {}", short(x), short(y));
        self
    }

    /// Relative lines through these steps, then back to the start.
    pub(super) fn loop_by(&mut self, steps: &[(f64, f64)]) -> &mut Path {
        for (dx, dy) in steps {
            let _ = write!(self.0, "l{} {}", short(*dx), short(*dy));
        }
        self.0.push('z');
        self
    }

    /// A point that a round line cap makes a dot.
    pub(super) fn dot(&mut self, x: f64, y: f64) -> &mut Path {
        self.at(x, y).0.push_str("h0");
        self
    }

    /// A circle.
    pub(super) fn circle(&mut self, x: f64, y: f64, radius: f64) -> &mut Path {
        let (r, d) = (short(radius), short(radius * 2.0));
        self.at(x - radius, y);
        let _ = write!(self.0, "a{r} {r} 0 1 1 {d} 0a{r} {r} 0 1 1 -{d} 0z");
        self
    }

    /// A rectangle.
    pub(super) fn rect(&mut self, x: f64, y: f64, width: f64, height: f64) -> &mut Path {
        self.at(x, y);
        let _ = write!(self.0, "h{}v{}h{}z", short(width), short(height), short(-width));
        self
    }

    /// Diagonal lines `step` apart inside a rectangle, cut at its edges: hatching without a shared pattern.
    pub(super) fn hatch(&mut self, x: f64, y: f64, width: f64, height: f64, step: f64) -> &mut Path {
        if !(width > 0.0 && height > 0.0 && step >= 1.0) {
            return self;
        }
        // At most one line per pixel of half the outline.
        let lines = ((width + height).min(2.0 * FARTHEST) / step) as u32;
        for line in 0..=lines {
            let along = step * (f64::from(line) + 0.5);
            let from = if along <= height { (x, y + along) } else { (x + along - height, y + height) };
            let to = if along <= width { (x + along, y) } else { (x + width, y + along - width) };
            if from.0 < x + width && to.0 > from.0 {
                self.at(from.0, from.1).to(to.0, to.1);
            }
        }
        self
    }

    /// Ends a tag with this as its data. Only numbers and letters of ours are in it: nothing to escape or to cut.
    pub(super) fn put(&self, tag: Tag<'_>) {
        let _ = write!(tag.svg.out, " d=\"{}\"/>", self.0);
    }

    /// Whether nothing was drawn.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A coordinate with at most one decimal; what is no number becomes 0.
pub(super) fn short(value: f64) -> String {
    let value = if value.is_finite() { value.clamp(-FARTHEST, FARTHEST) } else { 0.0 };
    let tenths = (value * 10.0).round();
    if tenths == 0.0 {
        "0".to_owned()
    } else if tenths % 10.0 == 0.0 {
        format!("{}", tenths / 10.0)
    } else {
        format!("{:.1}", tenths / 10.0)
    }
}

/// A size asked for, within what a component can be drawn in; what is no number becomes the smallest.
pub(super) fn within(size: f64, least: f64, most: f64) -> f64 {
    if size.is_finite() { size.clamp(least, most) } else { least }
}

/// Text that may stand in an element or an attribute. Characters that turn the direction or do not show become
/// U+FFFD, so that a name cannot reorder what stands beside it.
fn escape(out: &mut String, text: &str) {
    for c in text.chars().take(LONGEST_TEXT) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if is_harmful(c) => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short_and_always_numbers() {
        let cases = [
            (0.0, "0"),
            (-0.04, "0"),
            (12.0, "12"),
            (12.34, "12.3"),
            (-3.96, "-4"),
            (f64::NAN, "0"),
            (f64::INFINITY, "0"),
            (f64::MAX, "16384"),
        ];
        for (value, text) in cases {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn hatching_stays_inside_its_rectangle() {
        let mut path = Path::default();
        path.hatch(10.0, 20.0, 30.0, 12.0, 6.0);
        let numbers: Vec<f64> =
            path.0.split(['M', 'L', ' ']).filter(|p| !p.is_empty()).map(|p| p.parse().unwrap()).collect();
        assert!(numbers.len() >= 24);
        for point in numbers.chunks(2) {
            assert!((10.0..=40.0).contains(&point[0]) && (20.0..=32.0).contains(&point[1]), "{point:?}");
        }
    }
}
