//! `[holidays]`: dates that are off, dates that are worked for them (调休), and a file of both.

use super::values;
use jiff::civil::{self, date};
use roundsman_core::sla::calendar::{Day, Holidays};
use roundsman_profile::diagnostic::{At, Diagnostic, Findings, Source, quoted};
use roundsman_profile::document::{Fields, Node, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Largest file of holidays in bytes: a line each for a hundred years of them stays below half of it.
const MOST_BYTES: u64 = 1 << 20;

/// Longest range of dates.
const MOST_DAYS: i64 = 366;

const DATE_HINT: &str = "a date such as \"2027-01-01\", or two such as \"2027-02-06..2027-02-12\"";

const LINE_HINT: &str = "a line is a date, off or work, and a name if wanted: 2027-01-01,off,元旦";

/// What is said of a date, and where.
#[derive(Default)]
struct Dates(BTreeMap<Day, (bool, At)>);

impl Dates {
    /// Enters the dates that a text names, off or worked; what cannot be is noted.
    fn enter(&mut self, text: &str, is_worked: bool, at: &At, hint: &str, found: &mut Findings) {
        let Some((first, last)) = range(text) else {
            found.note(Diagnostic::new(at, format!("{} is no date", quoted(text))).hint(hint));
            return;
        };
        if last < first || last.0 - first.0 >= MOST_DAYS {
            let what = format!("{} is no range of 1 to {MOST_DAYS} days", quoted(text));
            found.note(Diagnostic::new(at, what).hint("the earlier date stands first"));
            return;
        }
        for day in (first.0..=last.0).map(Day) {
            let (was_worked, first_at) = self.0.entry(day).or_insert_with(|| (is_worked, at.clone()));
            if *was_worked != is_worked {
                let (line, _) = first_at.position();
                let words = if *was_worked { ("off", "worked") } else { ("worked", "off") };
                let what = format!("{} is {} here and {} elsewhere", quoted(text), words.0, words.1);
                let hint = format!(
                    "see line {line} of {}; a date that is worked is left out of the range that is off",
                    first_at.file()
                );
                found.note(Diagnostic::new(at, what).hint(hint));
                return;
            }
        }
    }

    /// Enters the lines of a file; each names its place in it.
    fn enter_lines(&mut self, source: &Arc<Source>, found: &mut Findings) {
        let mut start = 0;
        for line in source.text.split_inclusive('\n') {
            let text = line.trim_start_matches('\u{feff}').trim();
            let at = source.at(start..start + line.trim_end().len());
            start += line.len();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let mut cells = text.splitn(3, ',').map(str::trim);
            let (day, word) = (cells.next().unwrap_or(""), cells.next().unwrap_or(""));
            match word {
                "off" | "work" => self.enter(day, word == "work", &at, LINE_HINT, found),
                _ => {
                    let what = format!("{} says not whether it is off or worked", quoted(text));
                    found.note(Diagnostic::new(&at, what).hint(LINE_HINT));
                }
            }
        }
    }
}

/// `2027-01-01` or `2027-02-06..2027-02-12`.
fn range(text: &str) -> Option<(Day, Day)> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    Some((day(first.trim())?, day(last.trim())?))
}

/// `2027-01-01`, and nothing shorter.
fn day(text: &str) -> Option<Day> {
    let is_plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let day: civil::Date = text.parse().ok().filter(|_| is_plain)?;
    let since = date(1970, 1, 1).until(day).ok()?;
    Some(Day(i64::from(since.get_days())))
}

/// Reads the section; what is wrong in it is noted.
pub(super) fn read(node: &Node, folder: &Path, found: &mut Findings) -> Holidays {
    let mut dates = Dates::default();
    if let Some(mut fields) = Fields::of(node, "`holidays`", found) {
        for (key, is_worked) in [("off", false), ("work", true)] {
            for item in fields.items(key, found) {
                match &item.value {
                    Value::Text(text) | Value::Date(text) => {
                        dates.enter(text, is_worked, &item.at, DATE_HINT, found);
                    }
                    _ => {
                        let what = format!("a date is expected, this is {}", item.kind());
                        found.note(Diagnostic::new(&item.at, what).hint(DATE_HINT));
                    }
                }
            }
        }
        if let Some(file) = fields.maybe("file") {
            read_file(file, folder, &mut dates, found);
        }
        fields.finish(found);
    }
    let (worked, off): (Vec<_>, Vec<_>) = dates.0.into_iter().partition(|(_, (is_worked, _))| *is_worked);
    let days = |list: Vec<(Day, _)>| list.into_iter().map(|(day, _)| day).collect();
    Holidays { off: days(off), worked: days(worked) }
}

fn read_file(node: &Node, folder: &Path, dates: &mut Dates, found: &mut Findings) {
    let Some(path) = values::path(node, folder, found) else { return };
    let mut refuse = |why: String, hint: &str| {
        let what = format!("the file of holidays {} cannot be read: {why}", path.display());
        found.note(Diagnostic::new(&node.at, what).hint(hint));
    };
    const FOUND: &str = "it must exist and be readable by the service's user; a relative path begins at the site file's \
                         folder";
    match std::fs::metadata(&path) {
        Ok(meta) if meta.len() > MOST_BYTES => {
            return refuse(format!("it has more than {MOST_BYTES} bytes"), "it has a line for each date");
        }
        Ok(_) => {}
        Err(why) => return refuse(why.to_string(), FOUND),
    }
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(why) => return refuse(why.to_string(), FOUND),
    };
    match String::from_utf8(bytes) {
        Ok(text) => dates.enter_lines(&Source::new(path.display().to_string(), text), found),
        Err(_) => refuse("it is not UTF-8".to_owned(), "save it as UTF-8; GB18030 and GBK are not read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_ranges_are_days_since_1970() {
        let cases = [
            ("1970-01-01", Some((0, 0))),
            ("2027-02-05", Some((20_854, 20_854))),
            ("2027-02-28..2027-03-01", Some((20_877, 20_878))),
            ("2028-02-28 .. 2028-03-01", Some((21_242, 21_244))),
            ("2027-02-29", None),
            ("20270205", None),
            ("2027-2-5", None),
            ("2027-02-05T08:00", None),
            ("2027-02-05..", None),
            ("", None),
        ];
        for (text, days) in cases {
            assert_eq!(range(text).map(|(first, last)| (first.0, last.0)), days, "{text}");
        }
    }

    #[test]
    fn a_file_that_a_spreadsheet_saved_is_read() {
        let text = "\u{feff}2027-02-05..2027-02-06,off,春节, 除夕\r\n\r\n# 调休\r\n 2027-02-14 , work\r\n";
        let (mut dates, mut found) = (Dates::default(), Findings::default());
        dates.enter_lines(&Source::new("holidays.csv", text), &mut found);
        assert!(found.is_empty(), "{:?}", found.into_diagnostics());
        let entered: Vec<(i64, bool)> =
            dates.0.iter().map(|(day, (is_worked, _))| (day.0, *is_worked)).collect();
        assert_eq!(entered, [(20_854, false), (20_855, false), (20_863, true)]);
    }
}
