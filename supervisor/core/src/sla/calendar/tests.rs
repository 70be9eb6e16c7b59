//! Service hours: cases a person can check, and agreement with counting minute by minute.

use super::*;
use proptest::prelude::*;

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

/// Beijing time.
const EAST_8: i32 = 8 * 3_600;

/// Friday 2027-02-05 00:00 in Beijing; the Saturday after it begins the spring festival (off until the 12th), and
/// Sunday the 14th is worked for it.
const FRIDAY: Wall = Wall(1_801_756_800_000);
const FRIDAY_DAY: i64 = 20_854;

fn spans(hours: &[(i64, i64)]) -> Spans {
    hours.iter().map(|&(from, to)| Span::new(from * HOUR_MS, to * HOUR_MS)).collect()
}

fn week(working: &[(i64, i64)], saturday: &[(i64, i64)]) -> [Spans; 7] {
    std::array::from_fn(|day| match day {
        0..=4 => spans(working),
        5 => spans(saturday),
        _ => Spans::default(),
    })
}

fn holidays() -> Holidays {
    let date = |days: i64| Day(FRIDAY_DAY + days);
    Holidays { off: (1..=7).map(date).collect(), worked: [date(9)].into() }
}

fn at(days: i64, hours: i64) -> Wall {
    Wall(FRIDAY.0 + days * DAY_MS + hours * HOUR_MS)
}

#[test]
fn hours_that_a_person_can_count() {
    let lunch = [(8, 12), (14, 18)];
    let plain = Calendar::new(week(&lunch, &[]), &Holidays::default());
    let festive = Calendar::new(week(&lunch, &[]), &holidays());
    let half_saturdays = Calendar::new(week(&lunch, &[(9, 12)]), &Holidays::default());
    let cases = [
        ("before work", &plain, at(0, 0), 8, 0),
        ("a morning", &plain, at(0, 8), 4, 4),
        ("over lunch", &plain, at(0, 11), 4, 2),
        ("a day", &plain, at(0, 0), 24, 8),
        ("a weekend", &plain, at(1, 0), 48, 0),
        ("a week", &plain, at(0, 0), 7 * 24, 40),
        ("a week from noon to noon", &plain, at(0, 12), 7 * 24, 40),
        ("with half Saturdays", &half_saturdays, at(0, 0), 7 * 24, 43),
        ("the spring festival", &festive, at(1, 0), 7 * 24, 0),
        ("the worked Sunday", &festive, at(9, 0), 24, 8),
        ("two weeks with the festival", &festive, at(0, 0), 14 * 24, 80 - 40 + 8),
    ];
    for (name, calendar, from, length_h, service_h) in cases {
        let found = calendar.service_ms(from, (length_h * HOUR_MS) as u64, EAST_8);
        assert_eq!(found, (service_h * HOUR_MS) as u64, "{name}");
    }
}

#[test]
fn a_limit_is_due_in_working_time() {
    let lunch = [(8, 12), (14, 18)];
    let festive = Calendar::new(week(&lunch, &[]), &holidays());
    let cases = [
        ("nothing is due at once, even at night", at(0, 3), 0, Some(at(0, 3))),
        ("before work", at(0, 3), 1, Some(at(0, 9))),
        ("to the end of the morning", at(0, 8), 4, Some(at(0, 12))),
        ("over lunch", at(0, 11), 2, Some(at(0, 15))),
        // Friday's last hour, the festival, then the worked Sunday.
        ("over the festival", at(0, 17), 4, Some(at(9, 11))),
        ("in fifty years", at(0, 0), 50 * 2_200, None),
    ];
    for (name, from, service_h, due) in cases {
        let service_ms = (service_h * HOUR_MS) as u64;
        assert_eq!(festive.after(from, service_ms, EAST_8), due, "{name}");
    }
    let never = Calendar::new(std::array::from_fn(|_| Spans::default()), &holidays());
    assert_eq!(never.after(FRIDAY, 1, EAST_8), None, "worked dates of an empty week have no hours");
}

#[test]
fn a_date_that_is_off_and_worked_is_off() {
    let both = Day(FRIDAY_DAY);
    let holidays = Holidays { off: [both].into(), worked: [both].into() };
    let calendar = Calendar::new(week(&[(8, 18)], &[]), &holidays);
    assert_eq!(calendar.service_ms(FRIDAY, DAY_MS as u64, EAST_8), 0);
}

#[test]
fn always_is_always() {
    let always = Calendar::always();
    assert!(always.is_always());
    assert!(!Calendar::new(week(&[(0, 24)], &[(0, 24)]), &Holidays::default()).is_always());
    let fifty_years_ms = (FARTHEST_DAYS * DAY_MS) as u64;
    assert_eq!(always.service_ms(FRIDAY, fifty_years_ms, EAST_8), fifty_years_ms);
    assert_eq!(always.after(FRIDAY, 1_234, EAST_8), Some(Wall(FRIDAY.0 + 1_234)));
}

#[test]
fn the_ends_of_time_do_not_overflow() {
    let calendar = Calendar::new(week(&[(8, 18)], &[(9, 12)]), &holidays());
    for wall in [Wall(i64::MIN), Wall(0), Wall(i64::MAX)] {
        for offset_s in [i32::MIN, 0, i32::MAX] {
            calendar.service_ms(wall, u64::MAX, offset_s);
            for service_ms in [1, 1 << 60, u64::MAX] {
                let _ = calendar.after(wall, service_ms, offset_s);
            }
        }
    }
}

/// Hours of a week, day by day, in minutes; and a table of dates around [`FRIDAY`].
#[derive(Clone, Debug)]
struct Plan {
    week: Vec<Vec<(i64, i64)>>,
    off: BTreeSet<i64>,
    worked: BTreeSet<i64>,
}

impl Plan {
    fn calendar(&self) -> Calendar {
        let hours = |day: usize| {
            let spans = self.week[day].iter();
            spans.map(|&(from, to)| Span::new(from * MINUTE_MS, to * MINUTE_MS)).collect()
        };
        let dates = |days: &BTreeSet<i64>| days.iter().map(|days| Day(FRIDAY_DAY + days)).collect();
        let holidays = Holidays { off: dates(&self.off), worked: dates(&self.worked) };
        Calendar::new(std::array::from_fn(hours), &holidays)
    }

    /// Whether a minute since local midnight of [`FRIDAY`] counts.
    fn counts(&self, minute: i64) -> bool {
        let (day, minute) = (minute.div_euclid(1_440), minute.rem_euclid(1_440));
        let weekday = (day + 4).rem_euclid(7) as usize;
        let hours =
            |weekday: usize| self.week[weekday].iter().any(|&(from, to)| from <= minute && minute < to);
        if self.off.contains(&day) {
            return false;
        }
        if self.worked.contains(&day) {
            return self
                .week
                .iter()
                .position(|day| day.iter().any(|&(from, to)| from < to))
                .is_some_and(hours);
        }
        hours(weekday)
    }
}

fn plan() -> impl Strategy<Value = Plan> {
    let day = proptest::collection::vec((0..=1_440_i64, 0..=1_440_i64), 0..3);
    let dates = || proptest::collection::btree_set(-3..12_i64, 0..6);
    (proptest::collection::vec(day, 7), dates(), dates()).prop_map(|(week, off, worked)| Plan {
        week,
        off,
        worked,
    })
}

fn offset_s() -> impl Strategy<Value = i32> {
    (-12 * 60..=14 * 60_i32).prop_map(|minutes| minutes * 60)
}

/// The moment `minute` minutes after local midnight of the Friday.
fn moment(minute: i64, offset_s: i32) -> Wall {
    Wall(FRIDAY_DAY * DAY_MS + minute * MINUTE_MS - i64::from(offset_s) * 1_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The service time of an interval is the number of minutes in it that count.
    #[test]
    fn agrees_with_counting(plan in plan(), from in -3_000..10_000_i64, length in 0..9_000_i64, offset in offset_s()) {
        let minutes = (from..from + length).filter(|&minute| plan.counts(minute)).count();
        let found = plan.calendar().service_ms(moment(from, offset), (length * MINUTE_MS) as u64, offset);
        prop_assert_eq!(found, minutes as u64 * MINUTE_MS as u64);
    }

    /// `after` gives the first moment at which `service_ms` agrees.
    #[test]
    fn after_is_the_inverse(plan in plan(), from in any::<i32>(), service in 1..900_000_000_u64, offset in offset_s()) {
        let calendar = plan.calendar();
        let from = Wall(FRIDAY.0 + i64::from(from));
        if let Some(due) = calendar.after(from, service, offset) {
            let length_ms = due.0.abs_diff(from.0);
            prop_assert!(due > from);
            prop_assert_eq!(calendar.service_ms(from, length_ms, offset), service);
            prop_assert_eq!(calendar.service_ms(from, length_ms - 1, offset), service - 1);
        } else {
            let fifty_years_ms = (FARTHEST_DAYS * DAY_MS) as u64;
            prop_assert!(calendar.service_ms(from, fifty_years_ms, offset) < service);
        }
    }

    /// Two intervals that touch add up to the one that is both.
    #[test]
    fn adds_up(plan in plan(), from in any::<i32>(), one in any::<u32>(), two in any::<u32>(), offset in offset_s()) {
        let calendar = plan.calendar();
        let from = Wall(FRIDAY.0 + i64::from(from));
        let (one, two) = (u64::from(one), u64::from(two));
        let then = Wall(from.0.saturating_add_unsigned(one));
        let sum = calendar.service_ms(from, one, offset) + calendar.service_ms(then, two, offset);
        prop_assert_eq!(calendar.service_ms(from, one + two, offset), sum);
    }
}
