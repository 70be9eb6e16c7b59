//! Health and comparison, as they are printed.

use roundsman_core::figures::availability::Durations;
use roundsman_core::figures::comparison::{Change, Direction, Sense, Verdict, compare};
use roundsman_core::figures::health::Health;
use roundsman_core::figures::standing::Standing;

#[test]
fn scores_and_their_sums() {
    let week = |down_ms, unknown_ms, hidden_ms| Durations {
        down_ms,
        unknown_ms,
        hidden_ms,
        up_ms: 1_000_000 - down_ms - unknown_ms - hidden_ms,
        ..Durations::default()
    };
    let site = |critical, major| Standing {
        devices: 100,
        critical,
        major,
        well: 100 - critical - major,
        ..Standing::default()
    };
    for (what, time, standing, expected) in [
        (
            "all well",
            week(0, 0, 0),
            site(0, 0),
            "100 − 0.0（不可用）− 0.0（未消除故障）− 0.0（无数据）= 100.0",
        ),
        (
            "a second of a week",
            week(1, 0, 0),
            site(0, 0),
            "100 − 0.1（不可用）− 0.0（未消除故障）− 0.0（无数据）= 99.9",
        ),
        (
            "99.9 %",
            week(1000, 0, 0),
            site(0, 0),
            "100 − 0.5（不可用）− 0.0（未消除故障）− 0.0（无数据）= 99.5",
        ),
        (
            "99 %, a major",
            week(10_000, 0, 0),
            site(0, 1),
            "100 − 5.0（不可用）− 1.0（未消除故障）− 0.0（无数据）= 94.0",
        ),
        (
            "two critical",
            week(0, 0, 0),
            site(2, 1),
            "100 − 0.0（不可用）− 5.0（未消除故障）− 0.0（无数据）= 95.0",
        ),
        (
            "off for three days of seven",
            week(0, 428_571, 0),
            site(0, 0),
            "100 − 0.0（不可用）− 0.0（未消除故障）− 8.6（无数据）= 91.4",
        ),
        (
            "a core that hid half",
            week(100_000, 0, 500_000),
            site(1, 0),
            "100 − 50.0（不可用）− 2.0（未消除故障）− 10.0（无数据）= 38.0",
        ),
        (
            "as bad as can be",
            week(1, 999_999, 0),
            site(100, 0),
            "100 − 50.0（不可用）− 30.0（未消除故障）− 20.0（无数据）= 0.0",
        ),
    ] {
        assert_eq!(&*Health::of(&time, &standing).expect(what).sum().zh, expected, "{what}");
    }
    assert_eq!(Health::of(&week(0, 1_000_000, 0), &site(0, 0)), None, "nothing was seen");
    assert_eq!(Health::of(&Durations::default(), &Standing::default()), None);
}

/// The words carry the numbers that the computation uses.
#[test]
fn the_formula_is_printed() {
    let formula = Health::formula();
    assert_eq!(
        &*formula.zh,
        "健康度 = 100 − 不可用 − 未消除故障 − 无数据。不可用：可用率每低 1% 扣 5 分，最多 50 分；未消除故障：期末存在紧急故障的\
         设备每占 1% 扣 2 分，重要故障扣 1 分，最多 30 分；无数据：未监控或被上级故障遮挡的时间每占 1% 扣 0.2 分，最多 20 分。\
         各项向上取至 0.1 分；维护窗口与停用不计。"
    );
    assert_eq!(
        &*formula.en,
        "Health = 100 − not available − open faults − without data. Not available: 5 points for each 1% of \
         availability missing, at most 50. Open faults: 2 points for each 1% of devices with a critical fault at the \
         end of the period, 1 for a major one, at most 30. Without data: 0.2 points for each 1% of time not watched \
         or hidden behind a failed device, at most 20. Each is rounded up to 0.1. Maintenance windows and devices out \
         of service do not count."
    );
    let time = Durations { down_ms: 10, up_ms: 990, ..Durations::default() };
    let sum = Health::of(&time, &Standing::default()).expect("a score").sum();
    assert_eq!(&*sum.en, "100 − 5.0 (not available) − 0.0 (open faults) − 0.0 (without data) = 95.0");
}

fn change(by: f64, relative: Option<f64>, direction: Direction, verdict: Verdict) -> Option<Change> {
    Some(Change { by, relative, direction, verdict })
}

#[test]
fn beside_the_past() {
    use Direction::{Down, Level, Up};
    use Verdict::{Better, Neither, Worse};
    let (more, less) = (Sense::HigherIsBetter, Sense::LowerIsBetter);
    let some = |figures: &[f64]| figures.iter().copied().map(Some).collect::<Vec<_>>();
    for (what, this, past, step, sense, mean, against_previous, against_mean) in [
        ("no past", Some(5.0), vec![], 1.0, less, None, None, None),
        ("no data now", None, some(&[4.0, 2.0]), 1.0, less, Some(3.0), None, None),
        (
            "fewer faults",
            Some(2.0),
            some(&[4.0, 2.0, 0.0, 2.0, 99.0]),
            1.0,
            less,
            Some(2.0),
            change(-2.0, Some(-0.5), Down, Better),
            change(0.0, Some(0.0), Level, Neither),
        ),
        (
            "the first faults",
            Some(2.0),
            some(&[0.0]),
            1.0,
            less,
            Some(0.0),
            change(2.0, None, Up, Worse),
            change(2.0, None, Up, Worse),
        ),
        (
            "a gap last week",
            Some(96.0),
            vec![None, Some(90.0), None, Some(70.0)],
            0.5,
            more,
            Some(80.0),
            None,
            change(16.0, Some(0.2), Up, Better),
        ),
        (
            "only further back",
            Some(96.0),
            vec![None, None, None, None, Some(70.0)],
            0.5,
            more,
            None,
            None,
            None,
        ),
        (
            "alike as printed",
            Some(99.951),
            some(&[99.949]),
            0.01,
            more,
            Some(99.95),
            change(0.0, Some(0.0), Level, Neither),
            change(0.0, Some(0.0), Level, Neither),
        ),
        (
            "neither good nor bad",
            Some(30.0),
            some(&[20.0]),
            1.0,
            Sense::Neutral,
            Some(20.0),
            change(10.0, Some(0.5), Up, Neither),
            change(10.0, Some(0.5), Up, Neither),
        ),
        (
            "not a number",
            Some(f64::NAN),
            vec![Some(f64::INFINITY), Some(1.0)],
            1.0,
            more,
            Some(1.0),
            None,
            None,
        ),
        (
            "worse",
            Some(50.0),
            some(&[100.0]),
            0.5,
            more,
            Some(100.0),
            change(-50.0, Some(-0.5), Down, Worse),
            change(-50.0, Some(-0.5), Down, Worse),
        ),
    ] {
        let found = compare(this, &past, step, sense);
        assert_eq!(found.mean, mean, "{what}");
        assert_eq!(found.against_previous, against_previous, "{what}");
        assert_eq!(found.against_mean, against_mean, "{what}");
    }
    let below_zero = compare(Some(-5.0), &[Some(-10.0)], 1.0, more).against_previous;
    assert_eq!(below_zero, change(5.0, Some(0.5), Up, Better));
    let found = compare(Some(1.0), &[None, Some(3.0), Some(5.0)], 1.0, less);
    assert_eq!((found.this, found.previous, found.mean_of), (Some(1.0), None, 2));
}
