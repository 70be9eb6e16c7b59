//! Hours of the week as people write them: `7x24`, `5x8`, `mon-fri 08:00-12:00,14:30-18:00; sat 09:00-12:00`.

use roundsman_core::figures::spans::{Span, Spans};
use roundsman_core::sla::calendar::{Calendar, DAY_MS, Holidays};
use roundsman_profile::diagnostic::{Diagnostic, Findings, quoted};
use roundsman_profile::document::Node;

/// What `5x8` says, where the contract says no more.
const FIVE_BY_EIGHT: &str = "mon-fri 09:00-17:00";

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const HINT: &str = "\"7x24\", \"5x8\" (mon-fri 09:00-17:00), or days and times such as \"mon-fri \
                    08:00-12:00,14:30-18:00; sat 09:00-12:00\"";

/// A part of the text that cannot be read, and why.
type Unreadable<'a> = (&'a str, String);

/// Service hours. `7x24` knows no holidays: whoever promises it works on them.
pub(super) fn calendar(node: &Node, holidays: &Holidays, found: &mut Findings) -> Option<Calendar> {
    let text = node.text(found)?;
    match written(text) {
        Ok(None) => Some(Calendar::always()),
        Ok(Some(week)) => Some(Calendar::new(week, holidays)),
        Err((part, what)) => {
            let start = text.find(part).filter(|_| !part.is_empty());
            let at = start
                .map_or_else(|| node.at.clone(), |start| node.at.inside(text, start..start + part.len()));
            found.note(Diagnostic::new(&at, what).hint(HINT));
            None
        }
    }
}

/// The hours of each day, Monday first; `None` for all time.
fn written(text: &str) -> Result<Option<[Spans; 7]>, Unreadable<'_>> {
    // Contracts write 7×24 and 7*24.
    match &*text.replace(['×', '*'], "x") {
        "7x24" | "24x7" => Ok(None),
        "5x8" => weekly(FIVE_BY_EIGHT).map(Some),
        _ => weekly(text).map(Some),
    }
}

fn weekly(text: &str) -> Result<[Spans; 7], Unreadable<'_>> {
    let mut week: [Vec<Span>; 7] = Default::default();
    for part in text.split(';').map(str::trim) {
        let Some((days, times)) = part.split_once(' ') else {
            return Err((part, format!("{} says not on which days and at which times", quoted(part))));
        };
        let spans: Vec<Span> = times.split(',').map(|time| span(time.trim())).collect::<Result<_, _>>()?;
        for range in days.split(',') {
            let (first, last) = day_range(range)?;
            week[first..=last].iter_mut().for_each(|day| day.extend(&spans));
        }
    }
    Ok(week.map(|day| day.into_iter().collect()))
}

/// `mon` or `mon-fri`, as positions in the week.
fn day_range(text: &str) -> Result<(usize, usize), Unreadable<'_>> {
    let day = |word| DAYS.iter().position(|day| *day == word);
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (day(first), day(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        (Some(_), Some(_)) => {
            Err((text, format!("{} does not go from an earlier day to a later", quoted(text))))
        }
        _ => Err((text, format!("{} is no day of the week, mon to sun", quoted(text)))),
    }
}

/// `08:00-18:00`.
fn span(text: &str) -> Result<Span, Unreadable<'_>> {
    let ends = text.split_once('-').and_then(|(from, to)| Some((time_ms(from)?, time_ms(to)?)));
    match ends {
        Some((from, to)) if from < to => Ok(Span::new(from, to)),
        Some(_) => {
            let what =
                "ends before it begins; over midnight there are two, such as 22:00-24:00 and 00:00-06:00";
            Err((text, format!("{} {what}", quoted(text))))
        }
        None => Err((text, format!("{} is no time of day from and to", quoted(text)))),
    }
}

/// `08:00`, up to `24:00`, in ms since midnight.
fn time_ms(text: &str) -> Option<i64> {
    let two = |text: &str| {
        let is_two = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<i64>().ok().filter(|_| is_two)
    };
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (two(hour)?, two(minute).filter(|minute| *minute < 60)?);
    Some((hour * 60 + minute) * 60_000).filter(|ms| *ms <= DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_minutes(spans: &Spans) -> Vec<(i64, i64)> {
        spans.as_slice().iter().map(|span| (span.from / 60_000, span.to / 60_000)).collect()
    }

    #[test]
    fn hours_are_read_as_they_are_written() {
        let nine_to_five = vec![(540, 1_020)];
        let lunch = vec![(480, 720), (870, 1_080)];
        let none = Vec::new;
        let cases = [
            ("5x8", [nine_to_five.clone(), nine_to_five.clone(), none()]),
            ("5*8", [nine_to_five.clone(), nine_to_five, none()]),
            ("mon-fri 08:00-12:00, 14:30-18:00", [lunch.clone(), lunch.clone(), none()]),
            ("mon-fri 08:00-12:00,14:30-18:00; sat 09:00-12:00", [lunch.clone(), lunch, vec![(540, 720)]]),
            ("mon,sat-sun 00:00-24:00", [vec![(0, 1_440)], none(), vec![(0, 1_440)]]),
            ("fri 08:00-12:00; fri 10:00-13:30", [none(), vec![(480, 810)], none()]),
        ];
        for (text, expected) in cases {
            let week = written(text).expect(text).expect("not all time");
            assert_eq!([0, 4, 5].map(|day| in_minutes(&week[day])), expected, "{text}");
        }
        for text in ["7x24", "24x7", "7×24", "7*24"] {
            assert_eq!(written(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_pointed_at() {
        let cases = [
            ("", ""),
            ("always", "always"),
            ("6x10", "6x10"),
            ("mon-fri", "mon-fri"),
            ("mon-fry 08:00-18:00", "mon-fry"),
            ("fri-mon 08:00-18:00", "fri-mon"),
            ("mon-fri 8:00-18:00", "8:00-18:00"),
            ("mon-fri 08:00-24:01", "08:00-24:01"),
            ("mon-fri 08:00-12:60", "08:00-12:60"),
            ("mon-fri 08:00-12:00,", ""),
            ("mon-fri 22:00-06:00", "22:00-06:00"),
            ("mon-fri 08:00-18:00; weekend", "weekend"),
        ];
        for (text, part) in cases {
            assert_eq!(written(text).map_err(|(part, _)| part), Err(part), "{text}");
        }
    }
}
