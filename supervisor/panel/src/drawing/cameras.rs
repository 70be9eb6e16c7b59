//! Cameras as a grid of stills.

use super::shape;
use super::text::{fit, width as text_width};
use super::write::{Path, Svg, within};
use crate::site::DeviceState;

/// Cameras drawn; the rest is counted.
const MOST_CAMERAS: usize = 64;
const MOST_COLUMNS: usize = 16;
/// Between two cameras.
const GAP: f64 = 8.0;
/// Height of a still by its width.
const ASPECT: f64 = 9.0 / 16.0;
/// The line below a still.
const CAPTION: f64 = 24.0;
/// A still narrower than this does not tell its age, one narrower than the second has no caption.
const WITH_AGE: f64 = 120.0;
const WITH_NAME: f64 = 48.0;
/// Longest address of a still.
const LONGEST_ADDRESS: usize = 256;

/// One camera.
#[derive(Clone, Copy, Debug)]
pub struct Camera<'a> {
    /// Its name.
    pub name: &'a str,
    /// How it stands.
    pub state: DeviceState,
    /// The state in words.
    pub word: &'a str,
    /// Age of the still, ready to be read; empty without one.
    pub age: &'a str,
    /// Address of the still on this server, beginning with one slash.
    pub still: Option<&'a str>,
}

/// What a camera grid shows.
#[derive(Clone, Copy, Debug)]
pub struct Cameras<'a> {
    /// What it shows, in words.
    pub label: &'a str,
    /// Cameras in one row, 1 to 16: 5 for 25 on a square-ish place, 9 for 27 on a flat one, 2 on a phone.
    pub columns: usize,
    /// The cameras in the order of the site file; the first 64 are drawn, the rest is counted as `+n`.
    pub cameras: &'a [Camera<'a>],
    /// Width in CSS pixels; the height follows.
    pub width: f64,
}

/// Each camera as its still with state, name and the still's age below; hatched where there is no still.
#[must_use]
pub fn cameras(c: &Cameras<'_>) -> String {
    let shown = &c.cameras[..c.cameras.len().min(MOST_CAMERAS)];
    let more = c.cameras.len() - shown.len();
    let columns = c.columns.clamp(1, MOST_COLUMNS);
    let width = within(c.width, 160.0, 4_096.0);
    let wide = (width - (columns - 1) as f64 * GAP) / columns as f64;
    let high = wide * ASPECT;
    let pitch = high + GAP + if wide >= WITH_NAME { CAPTION } else { 0.0 };
    let rows = shown.len().div_ceil(columns).max(1);
    let below = if more > 0 { CAPTION } else { 0.0 };
    let mut svg = Svg::new("cameras", width, rows as f64 * pitch - GAP + below, c.label);
    for (i, camera) in shown.iter().enumerate() {
        let x = (i % columns) as f64 * (wide + GAP);
        draw(&mut svg, camera, (x, (i / columns) as f64 * pitch, wide, high));
    }
    if more > 0 {
        svg.text("d-label", 0.0, rows as f64 * pitch - GAP + 17.0, &format!("+{more}"));
    }
    svg.finish()
}

fn draw(svg: &mut Svg, camera: &Camera<'_>, (x, y, wide, high): (f64, f64, f64, f64)) {
    svg.tag("g").open();
    let told: Vec<&str> =
        [camera.name, camera.word, camera.age].into_iter().filter(|t| !t.is_empty()).collect();
    svg.title(&told.join(" · "));
    let still =
        camera.still.filter(|s| s.starts_with('/') && !s.starts_with("//") && s.len() <= LONGEST_ADDRESS);
    match still {
        Some(address) => svg
            .tag("image")
            .word("href", address)
            .number("x", x)
            .number("y", y)
            .number("width", wide)
            .number("height", high)
            .word("preserveAspectRatio", "xMidYMid slice")
            .close(),
        None => {
            let mut ground = Path::default();
            let mut hatch = Path::default();
            svg.path("d-gap-ground", ground.rect(x, y, wide, high));
            svg.path("d-gap", hatch.hatch(x, y, wide, high, 10.0));
        }
    }
    svg.tag("rect")
        .word("class", &format!("c-edge {}", shape::edge(camera.state)))
        .number("x", x + 1.0)
        .number("y", y + 1.0)
        .number("width", wide - 2.0)
        .number("height", high - 2.0)
        .close();
    if wide < WITH_NAME {
        shape::draw(svg, camera.state, x + wide / 2.0, y + high / 2.0, (high * 0.5).clamp(8.0, 14.0));
        svg.end("g");
        return;
    }
    let line = y + high + 17.0;
    shape::draw(svg, camera.state, x + 7.0, line - 5.0, 14.0);
    svg.text("c-name", x + 20.0, line, &fit(camera.name, wide - 20.0, 14.0));
    if !camera.age.is_empty() && wide >= WITH_AGE {
        age(svg, &fit(camera.age, wide - 16.0, 14.0), (x + wide, y + high));
    }
    svg.end("g");
}

/// The age of the still in its lower right corner, on a ground that keeps it readable.
fn age(svg: &mut Svg, text: &str, (right, bottom): (f64, f64)) {
    let wide = text_width(text, 14.0) + 12.0;
    svg.tag("rect")
        .word("class", "c-ground")
        .number("x", right - wide - 4.0)
        .number("y", bottom - 26.0)
        .number("width", wide)
        .number("height", 22.0)
        .number("rx", 4.0)
        .close();
    svg.text("c-age", right - 10.0, bottom - 10.0, text);
}
