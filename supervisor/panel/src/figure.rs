//! Values as people read them: a number with few digits, and its unit in a size that fits.

use roundsman_core::reading::Value;

/// A number and its unit, apart: the unit is set smaller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figure {
    /// Digits, or a word.
    pub(crate) text: String,
    /// May be empty.
    pub(crate) unit: String,
}

impl Figure {
    /// Both in one line.
    pub(crate) fn line(&self) -> String {
        match self.unit.as_str() {
            "" => self.text.clone(),
            "%" | "℃" => format!("{}{}", self.text, self.unit),
            unit => format!("{} {unit}", self.text),
        }
    }
}

/// Decimal steps of rates and binary ones of sizes.
const RATES: [(f64, &str); 4] = [(1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (0.0, "bit/s")];
const SIZES: [(f64, &str); 5] = [
    (1_099_511_627_776.0, "TiB"),
    (1_073_741_824.0, "GiB"),
    (1_048_576.0, "MiB"),
    (1_024.0, "KiB"),
    (0.0, "B"),
];

/// A number in a UCUM unit.
pub(crate) fn number(x: f64, ucum: &str) -> Figure {
    let stepped = |steps: &[(f64, &str)]| {
        let (step, unit) = steps.iter().find(|(step, _)| x.abs() >= *step).copied().unwrap_or((0.0, ""));
        Figure { text: digits(if step > 0.0 { x / step } else { x }), unit: unit.to_owned() }
    };
    match ucum {
        "bit/s" => stepped(&RATES),
        "By" => stepped(&SIZES),
        "Cel" => Figure { text: digits(x), unit: "℃".to_owned() },
        "dB[mW]" => Figure { text: digits(x), unit: "dBm".to_owned() },
        "1" => Figure { text: digits(x), unit: String::new() },
        unit => Figure { text: digits(x), unit: unit.to_owned() },
    }
}

/// A value in a UCUM unit; states and texts as they are.
pub(crate) fn value(value: &Value, ucum: &str) -> Figure {
    match value {
        Value::Number(x) => number(*x, ucum),
        Value::Counter32(x) => Figure { text: x.to_string(), unit: ucum.to_owned() },
        Value::Counter64(x) => Figure { text: x.to_string(), unit: ucum.to_owned() },
        Value::State(word) | Value::Text(word) => Figure { text: word.to_string(), unit: String::new() },
    }
}

/// About three significant digits, no exponent, no needless decimals.
fn digits(x: f64) -> String {
    let decimals = match x.abs() {
        x if x >= 100.0 || x == 0.0 => 0,
        x if x >= 1.0 => 1,
        _ => 3,
    };
    let text = format!("{x:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_carry_a_unit() {
        let cases = [
            (38.46, "%", "38.5%"),
            (68.0, "Cel", "68℃"),
            (0.0, "bit/s", "0 bit/s"),
            (999.0, "bit/s", "999 bit/s"),
            (48_123_456.0, "bit/s", "48.1 Mbit/s"),
            (1e9, "bit/s", "1 Gbit/s"),
            (536_870_912.0, "By", "512 MiB"),
            (0.002, "/s", "0.002 /s"),
            (-0.0001, "V", "0 V"),
            (229.6, "V", "230 V"),
            (-12.34, "dB[mW]", "-12.3 dBm"),
            (3.0, "1", "3"),
            (3.0, "", "3"),
        ];
        for (x, unit, line) in cases {
            assert_eq!(number(x, unit).line(), line, "{x} {unit}");
        }
    }
}
