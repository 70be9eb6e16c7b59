//! Values as people read them: a number with few digits, and its unit in a size that fits.

use crate::drawing::quantity;
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

/// A number in a UCUM unit.
pub(crate) fn number(x: f64, ucum: &str) -> Figure {
    let quantity = quantity(x, ucum);
    Figure { text: quantity.figure, unit: quantity.unit }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_and_a_temperature_stand_close_to_their_sign() {
        let cases = [
            (38.46, "%", "38.5%"),
            (68.0, "Cel", "68℃"),
            (48_123_456.0, "bit/s", "48.1 Mbit/s"),
            (229.6, "V", "230 V"),
            (15.0, "ug/m3", "15 µg/m³"),
            (3.0, "", "3"),
        ];
        for (x, unit, line) in cases {
            assert_eq!(number(x, unit).line(), line, "{x} {unit}");
        }
    }
}
