//! Air.

/// Magnus coefficients over water, -45 to 60 Cel (WMO-No. 8, volume I, annex 4.B, after Sonntag 1990): no dimension, Cel.
const MAGNUS: (f64, f64) = (17.62, 243.12);

/// The dew point in Cel of air of `temperature` Cel and `humidity` % relative humidity: what is colder gets wet. `None`
/// where no such air is.
pub(super) fn dew_point(temperature: f64, humidity: f64) -> Option<f64> {
    let (a, b) = MAGNUS;
    if !(humidity > 0.0 && humidity <= 100.0 && temperature > -b) {
        return None;
    }
    let gamma = (humidity / 100.0).ln() + a * temperature / (b + temperature);
    Some(b * gamma / (a - gamma))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Psychrometric tables over water, rounded to 0.1 Cel.
    #[test]
    fn the_dew_point_is_that_of_the_tables() {
        for (temperature, humidity, dew_point_is) in [
            (20.0, 100.0, 20.0),
            (20.0, 50.0, 9.3),
            (25.0, 50.0, 13.9),
            (27.0, 60.0, 18.6),
            (18.0, 40.0, 4.2),
            (30.0, 80.0, 26.2),
            (0.0, 100.0, 0.0),
        ] {
            let found = dew_point(temperature, humidity).expect("a dew point");
            assert!((found - dew_point_is).abs() < 0.1, "{temperature} Cel, {humidity} %: {found}");
        }
    }

    #[test]
    fn there_is_no_dew_point_of_impossible_air() {
        for (temperature, humidity) in
            [(20.0, 0.0), (20.0, -1.0), (20.0, 100.1), (-243.12, 50.0), (f64::NAN, 50.0)]
        {
            assert_eq!(dew_point(temperature, humidity), None, "{temperature} Cel, {humidity} %");
        }
    }
}
