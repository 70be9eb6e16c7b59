//! Words of a request, found by their names, and moments as they are written.

/// The text between the first element of this local name and its end.
pub(super) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let mut from = 0;
    while let Some(open) = xml[from..].find('<').map(|at| at + from) {
        let close = xml[open..].find('>')? + open;
        let tag = &xml[open + 1..close];
        let whole = tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or("");
        if whole.rsplit(':').next() == Some(name) && !tag.starts_with('/') {
            if tag.ends_with('/') {
                return Some("");
            }
            let end = format!("</{whole}>");
            let length = xml[close + 1..].find(&end)?;
            return Some(&xml[close + 1..close + 1 + length]);
        }
        from = close + 1;
    }
    None
}

/// The name of the first element of the body.
pub(super) fn operation(xml: &str) -> Option<&str> {
    let body = element(xml, "Body")?;
    let open = body.find('<')?;
    let name = body[open + 1..].split(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).next()?;
    name.rsplit(':').next()
}

/// The value of `name="value"` or `name=value` in a header.
pub(super) fn attribute<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = header.split(',').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| known.trim() == name).map(|(_, value)| value.trim().trim_matches('"'))
}

/// Seconds of `PT30S`.
pub(super) fn seconds(text: &str) -> Option<u64> {
    text.trim().strip_prefix("PT")?.strip_suffix('S')?.parse().ok()
}

/// Days from 1970-01-01 to a day of the calendar.
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month, day, hour, minute, second of seconds since 1970.
pub(super) fn calendar(unix_s: f64) -> [i64; 6] {
    let whole = unix_s.floor() as i64;
    let (day, second) = (whole.div_euclid(86_400), whole.rem_euclid(86_400));
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    [year + era * 400, month, day, second / 3_600, second / 60 % 60, second % 60]
}

/// `2026-11-27T08:00:00Z`.
pub(super) fn moment(unix_s: f64) -> String {
    let [year, month, day, hour, minute, second] = calendar(unix_s);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_their_local_names() {
        let xml = "<s:Envelope><s:Body xmlns=\"u\"><a:Pull x=\"1\"><Timeout>PT5S</Timeout><Empty/></a:Pull></s:Body></s:Envelope>";
        assert_eq!(operation(xml), Some("Pull"));
        assert_eq!(element(xml, "Timeout").and_then(seconds), Some(5));
        assert_eq!((element(xml, "Empty"), element(xml, "None")), (Some(""), None));
        assert_eq!(operation("<Body>"), None);
    }

    #[test]
    fn the_calendar_goes_both_ways() {
        for (unix_s, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_766_400, "2026-11-27T08:00:00Z"),
        ] {
            assert_eq!(moment(f64::from(unix_s)), text);
            let [year, month, day, ..] = calendar(f64::from(unix_s));
            assert_eq!(days(year, month, day), i64::from(unix_s) / 86_400);
        }
    }
}
