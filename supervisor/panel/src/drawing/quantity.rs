//! Figures and units as people write them, and the ticks of an axis.

/// A figure and its unit, ready to be shown side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// Three significant digits at most, four before the next prefix.
    pub figure: String,
    /// Unit with its prefix; empty where there is none.
    pub unit: String,
}

impl Quantity {
    /// Both, with a space between.
    #[must_use]
    pub fn together(&self) -> String {
        match self.unit.as_str() {
            "" => self.figure.clone(),
            unit => format!("{} {unit}", self.figure),
        }
    }
}

/// A value of a UCUM unit for people: `34500000 bit/s` is `34.5 Mbit/s`, `Cel` is `℃`, `By` counts in 1024.
#[must_use]
pub fn quantity(value: f64, unit: &str) -> Quantity {
    let value = if value.is_finite() { value } else { 0.0 };
    let scale = Scale::of(value.abs(), unit);
    Quantity { figure: figure(value / scale.divisor), unit: scale.unit }
}

/// What a raw value is divided by, and the unit that goes with it.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    pub(super) divisor: f64,
    pub(super) unit: String,
}

impl Scale {
    /// The scale in which the largest value of an axis reads well.
    pub(super) fn of(largest: f64, unit: &str) -> Scale {
        let (steps, shown): (&[Step], &str) = match unit {
            "bit/s" | "Hz" | "W" | "VA" | "V.A" | "By/s" => (THOUSANDS, unit),
            "By" => (BINARY, unit),
            "s" => (TIMES, ""),
            _ => (&[], unit),
        };
        let step = steps.iter().rev().find(|step| largest >= step.from);
        let (divisor, prefix) = step.map_or((1.0, ""), |s| (s.divisor, s.prefix));
        Scale { divisor, unit: format!("{prefix}{}", plain(shown)) }
    }
}

/// From which value on a prefix is used. Times change late: 90 s reads better than 1.5 min.
struct Step {
    from: f64,
    divisor: f64,
    prefix: &'static str,
}

const fn step(from: f64, divisor: f64, prefix: &'static str) -> Step {
    Step { from, divisor, prefix }
}

const THOUSANDS: &[Step] =
    &[step(1e3, 1e3, "k"), step(1e6, 1e6, "M"), step(1e9, 1e9, "G"), step(1e12, 1e12, "T")];
const KIB: f64 = 1_024.0;
const BINARY: &[Step] = &[
    step(KIB, KIB, "Ki"),
    step(KIB * KIB, KIB * KIB, "Mi"),
    step(KIB * KIB * KIB, KIB * KIB * KIB, "Gi"),
    step(KIB * KIB * KIB * KIB, KIB * KIB * KIB * KIB, "Ti"),
];
const TIMES: &[Step] = &[
    step(0.0, 1.0, "s"),
    step(120.0, 60.0, "min"),
    step(7_200.0, 3_600.0, "h"),
    step(172_800.0, 86_400.0, "d"),
];

/// A UCUM unit without prefix as people write it; annotations in braces stand for themselves.
fn plain(unit: &str) -> String {
    match unit {
        "Cel" => "℃".to_owned(),
        "By" => "B".to_owned(),
        "By/s" => "B/s".to_owned(),
        "V.A" => "VA".to_owned(),
        "deg" => "°".to_owned(),
        "ug/m3" => "µg/m³".to_owned(),
        "1" => String::new(),
        "{pixels}" => "px".to_owned(),
        _ => unit.replace(['{', '}'], ""),
    }
}

/// A number with three significant digits, without trailing zeros.
pub(super) fn figure(value: f64) -> String {
    let size = value.abs();
    let decimals = if size >= 99.95 || size == 0.0 {
        0
    } else if size >= 9.995 {
        1
    } else if size >= 0.0995 {
        2
    } else {
        3
    };
    if size >= 1e7 {
        return format!("{value:.2e}");
    }
    trimmed(format!("{value:.decimals$}"))
}

fn trimmed(text: String) -> String {
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Ticks of an axis: round values (1, 2 or 5 times a power of ten) from at or below `low` to at or above `high`, at
/// most about `most` of them, and how they are written.
pub(super) fn ticks(low: f64, high: f64, most: usize) -> Vec<(f64, String)> {
    let most = most.clamp(2, 16) as f64;
    let range = (high - low).max(f64::MIN_POSITIVE * 1e20);
    let rough = range / (most - 1.0).max(1.0);
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough * 0.999);
    let step = step.unwrap_or(power * 10.0);
    let decimals = (-(step.log10() + 1e-9).floor()).clamp(0.0, 9.0) as usize;
    let first = (low / step + 1e-9).floor();
    let last = (high / step - 1e-9).ceil();
    // Never more than asked for by two: the ends are rounded outwards.
    let count = (last - first).clamp(0.0, most + 2.0) as u32;
    (0..=count)
        .map(|i| {
            let value = (first + f64::from(i)) * step;
            let text =
                if value.abs() >= 1e7 { format!("{value:.1e}") } else { format!("{value:.decimals$}") };
            (value, if text.trim_start_matches(['-', '0', '.']).is_empty() { "0".to_owned() } else { text })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_scaled_for_people() {
        let cases = [
            (34_500_000.0, "bit/s", "34.5 Mbit/s"),
            (999.0, "bit/s", "999 bit/s"),
            (1_000.0, "bit/s", "1 kbit/s"),
            (-2_000_000.0, "bit/s", "-2 Mbit/s"),
            (8_589_934_592.0, "By", "8 GiB"),
            (1_500.0, "By/s", "1.5 kB/s"),
            (30.54, "Cel", "30.5 ℃"),
            (0.034, "%", "0.034 %"),
            (90.0, "s", "90 s"),
            (7_200.0, "s", "2 h"),
            (864_000.0, "s", "10 d"),
            (0.2, "s", "0.2 s"),
            (12.0, "{pages}", "12 pages"),
            (3.0, "1", "3"),
            (f64::NAN, "V", "0 V"),
            (123_456.0, "V", "123456 V"),
        ];
        for (value, unit, text) in cases {
            assert_eq!(quantity(value, unit).together(), text, "{value} {unit}");
        }
    }

    #[test]
    fn ticks_are_round_and_enclose_the_values() {
        let shown =
            |low, high, most| -> Vec<String> { ticks(low, high, most).into_iter().map(|t| t.1).collect() };
        assert_eq!(shown(0.0, 100.0, 5), ["0", "50", "100"]);
        assert_eq!(shown(0.0, 100.0, 6), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(shown(21.3, 24.1, 5), ["21", "22", "23", "24", "25"]);
        assert_eq!(shown(0.01, 0.04, 4), ["0.01", "0.02", "0.03", "0.04"]);
        assert_eq!(shown(-3.0, 7.0, 4), ["-5", "0", "5", "10"]);
        for (low, high) in [(0.0, 0.0), (1e15, 1e15), (-1e15, 1e15), (5.0, 4.0)] {
            assert!((1..=18).contains(&ticks(low, high, 5).len()), "{low} {high}");
        }
    }
}
