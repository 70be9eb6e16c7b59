//! The ports of a device as on its faceplate.

use super::text::width as text_width;
use super::write::{Path, Svg, within};

/// Ports drawn; the rest is counted. A 48-port switch with its uplinks fits.
const MOST_PORTS: usize = 64;
/// More ports than this stand in two rows, odd above even, as on a switch.
const ONE_ROW: usize = 12;
/// Size of a port and the distance to the next one.
const PORT: (f64, f64) = (26.0, 24.0);
const PITCH: f64 = 30.0;
/// Height of a line of port numbers.
const NUMBERS: f64 = 18.0;
/// Between two banks of ports.
const BANKS: f64 = 10.0;
/// Room at the left and right for the mark of an uplink and for a number wider than its port.
const SIDE: f64 = 6.0;

/// How a port stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortState {
    /// Up.
    Up,
    /// Down, though it should be up.
    Down,
    /// Switched off by a person.
    Off,
    /// Nobody knows.
    Unknown,
}

/// A port.
#[derive(Clone, Copy, Debug)]
pub struct Port<'a> {
    /// Its name, such as `GigabitEthernet0/0/1`; the number after its last slash stands beside it.
    pub name: &'a str,
    /// What a pointer on it is told, such as name, state and load in words.
    pub title: &'a str,
    /// How it stands.
    pub state: PortState,
    /// It leads to the upper tier.
    pub uplink: bool,
    /// How much of its speed is used, 0 to 1, the busier direction.
    pub load: Option<f64>,
}

/// What an interface strip shows.
#[derive(Clone, Copy, Debug)]
pub struct InterfaceStrip<'a> {
    /// What it shows, in words.
    pub label: &'a str,
    /// The ports in the order of the device; the first 64 are drawn, the rest is counted as `+n`.
    pub ports: &'a [Port<'a>],
    /// Width in CSS pixels, at least 120; ports that do not fit go on in a further bank below.
    pub width: f64,
}

/// Where things stand.
struct Banks {
    rows: usize,
    columns: usize,
    banks: usize,
}

impl Banks {
    fn of(places: usize, width: f64) -> Banks {
        let rows = if places > ONE_ROW { 2 } else { 1 };
        let fitting = (((width - 2.0 * SIDE) / PITCH).floor() as usize).max(1);
        let wanted = places.div_ceil(rows).max(1);
        let banks = wanted.div_ceil(fitting);
        Banks { rows, columns: wanted.div_ceil(banks), banks }
    }

    fn bank_height(&self) -> f64 {
        self.rows as f64 * (PORT.1 + NUMBERS) + if self.rows == 2 { 4.0 } else { 0.0 }
    }

    fn height(&self) -> f64 {
        self.banks as f64 * (self.bank_height() + BANKS) - BANKS + 4.0
    }

    /// Upper left corner of a place, and whether it is in the upper row.
    fn place(&self, i: usize) -> (f64, f64, bool) {
        let bank = i / (self.columns * self.rows);
        let here = i % (self.columns * self.rows);
        let (column, row) = (here / self.rows, here % self.rows);
        let top = bank as f64 * (self.bank_height() + BANKS) + 2.0 + NUMBERS;
        let y = top + row as f64 * (PORT.1 + 4.0);
        (SIDE + column as f64 * PITCH, y, row == 0)
    }
}

/// The ports in one row, in two where they are many, in several banks where the width is small. State by shape and
/// colour: a filled level is up and shows its load, a struck one is down, an empty one with a bar is switched off, a
/// hatched one is unknown; a mark above stands for the uplink.
#[must_use]
pub fn interface_strip(s: &InterfaceStrip<'_>) -> String {
    let shown = &s.ports[..s.ports.len().min(MOST_PORTS)];
    let more = s.ports.len() - shown.len();
    let width = within(s.width, 120.0, 4_096.0);
    let banks = Banks::of(shown.len() + if more > 0 { 2 } else { 0 }, width);
    let used = 2.0 * SIDE + banks.columns as f64 * PITCH;
    let mut svg = Svg::new("ports", used.min(width), banks.height(), s.label);
    for (i, port) in shown.iter().enumerate() {
        draw(&mut svg, port, banks.place(i));
    }
    if more > 0 {
        let (x, y, _) = banks.place(shown.len());
        svg.text("d-label", x, y + PORT.1 * 0.72, &format!("+{more}"));
    }
    svg.finish()
}

fn draw(svg: &mut Svg, port: &Port<'_>, (x, y, upper): (f64, f64, bool)) {
    let class = match port.state {
        PortState::Up => "d-port p-up",
        PortState::Down => "d-port p-down",
        PortState::Off => "d-port p-off",
        PortState::Unknown => "d-port p-unknown",
    };
    svg.tag("g").word("class", class).open();
    svg.title(port.title);
    let mut body = Path::default();
    let (w, h) = PORT;
    // The latch of the plug shows up in the upper row, down in the lower one.
    let latch = if upper { -1.0 } else { 1.0 };
    if upper {
        body.at(x, y + h).loop_by(&[
            (0.0, 3.0 - h),
            (7.0, 0.0),
            (0.0, 3.0 * latch),
            (w - 14.0, 0.0),
            (0.0, -3.0 * latch),
            (7.0, 0.0),
            (0.0, h - 3.0),
        ]);
    } else {
        body.at(x, y).loop_by(&[
            (0.0, h - 3.0),
            (7.0, 0.0),
            (0.0, 3.0 * latch),
            (w - 14.0, 0.0),
            (0.0, -3.0 * latch),
            (7.0, 0.0),
            (0.0, 3.0 - h),
        ]);
    }
    svg.path("p-body", &body);
    match port.state {
        PortState::Up => level(svg, port.load, x, y, upper),
        PortState::Down => {
            let mut cross = Path::default();
            let (cx, cy) = (x + w / 2.0, y + h / 2.0);
            cross.at(cx - 5.0, cy - 5.0).to(cx + 5.0, cy + 5.0).at(cx + 5.0, cy - 5.0).to(cx - 5.0, cy + 5.0);
            svg.path("p-mark", &cross);
        }
        PortState::Off => {
            let mut bar = Path::default();
            bar.at(x + 7.0, y + h / 2.0).to(x + w - 7.0, y + h / 2.0);
            svg.path("p-mark", &bar);
        }
        PortState::Unknown => {
            let mut hatch = Path::default();
            hatch.hatch(x + 1.0, y + 4.0, w - 2.0, h - 8.0, 5.0);
            svg.path("p-hatch", &hatch);
        }
    }
    let number = number(port.name);
    let size = text_width(number, 14.0);
    let beside = if upper { y - 4.0 } else { y + h + 14.0 };
    let centre = x + w / 2.0;
    if port.uplink {
        let mut mark = Path::default();
        let left = centre - size / 2.0 - 4.0;
        let _ = mark.at(left, beside - 10.0).loop_by(&[(4.0, 8.0), (-8.0, 0.0)]);
        svg.path("p-uplink", &mark);
    }
    svg.text("d-number", if port.uplink { centre + 4.0 } else { centre }, beside, number);
    svg.end("g");
}

/// How full the port is, from its bottom; a port that is up shows at least a line.
fn level(svg: &mut Svg, load: Option<f64>, x: f64, y: f64, upper: bool) {
    let room = PORT.1 - 7.0;
    let filled = (within(load.unwrap_or(0.0), 0.0, 1.0) * room).max(3.0);
    let bottom = if upper { y + PORT.1 - 2.0 } else { y + PORT.1 - 5.0 };
    let mut rect = Path::default();
    rect.rect(x + 2.0, bottom - filled, PORT.0 - 4.0, filled);
    svg.path("p-level", &rect);
}

/// The last number of a port's name, else its last three characters.
fn number(name: &str) -> &str {
    let digits = name.bytes().rev().take_while(u8::is_ascii_digit).take(3).count();
    if digits > 0 {
        return &name[name.len() - digits..];
    }
    let start = name.char_indices().rev().nth(2).map_or(0, |(i, _)| i);
    &name[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_called_by_its_last_number() {
        for (name, text) in [
            ("GigabitEthernet0/0/1", "1"),
            ("eth12", "12"),
            ("lo", "lo"),
            ("Vlanif", "nif"),
            ("", ""),
            ("口", "口"),
            ("port123456", "456"),
        ] {
            assert_eq!(number(name), text, "{name}");
        }
    }
}
