use super::*;
use proptest::prelude::*;

const SPACING_MS: u32 = 10_000;

/// A window of probes every 10 s, and the moment of the last one. `x` is lost; other letters are answered after 10 ms,
/// digits after so many times 10 ms.
fn window(probes: &str) -> (Window, Mono) {
    let mut window = Window::new(SPACING_MS);
    let mut sent = Mono(1_000_000);
    for probe in probes.chars() {
        sent = sent.plus_ms(SPACING_MS.into());
        let tens = probe.to_digit(10).unwrap_or(1);
        window.add(sent, (probe != 'x').then(|| u64::from(tens) * 10_000));
    }
    (window, sent)
}

#[test]
fn as_a_table() {
    type Case<'a> = (&'a str, String, Result<(usize, f64), Absence>);
    let times = |probes: &str, times| probes.repeat(times);
    let table: &[Case] = &[
        ("none yet", String::new(), Err(Absence::NotJudged)),
        ("too few", times(".", ENOUGH - 1), Err(Absence::NotJudged)),
        ("just enough", times(".", ENOUGH), Ok((20, 0.0))),
        ("one of twenty lost", times(".", 19) + "x", Ok((20, 5.0))),
        ("none lost", times(".", 100), Ok((60, 0.0))),
        ("every second lost", times(".x", 30), Ok((60, 50.0))),
        ("all lost", times("x", 60), Err(Absence::Unreachable)),
        ("all lost, and not many", times("x", 5), Err(Absence::Unreachable)),
        ("four lost at the end may be loss", times(".", 56) + "xxxx", Ok((60, 400.0 / 60.0))),
        ("five are an outage", times(".", 55) + "xxxxx", Err(Absence::Unreachable)),
        (
            "an outage that is over is no loss",
            times(".", 30) + &times("x", 9) + &times(".", 21),
            Ok((51, 0.0)),
        ),
        (
            "what is lost beside it is",
            times(".", 30) + &times("x", 9) + "..x" + &times(".", 18),
            Ok((51, 100.0 / 51.0)),
        ),
        (
            "back after a long outage: nothing is known",
            times(".", 60) + &times("x", 60) + "...",
            Err(Absence::NotJudged),
        ),
        ("and then only what came since", times("x", 60) + &times(".", 19) + "x", Ok((20, 5.0))),
        ("the end of an outage does not stay behind as loss", times("x", 8) + &times(".", 57), Ok((57, 0.0))),
        ("a burst of four counts", times(".", 40) + "xxxx" + &times(".", 16), Ok((60, 400.0 / 60.0))),
    ];
    for (name, probes, expected) in table {
        let (window, now) = window(probes);
        let quality = window.quality(now).map(|quality| (quality.probes, quality.loss));
        assert_eq!(quality, *expected, "{name}");
        assert!(window.probes.len() <= WINDOW, "{name}");
    }
}

#[test]
fn latency_and_jitter_as_a_table() {
    type Case<'a> = (&'a str, String, Option<f64>, Option<f64>, Option<f64>);
    let table: &[Case] = &[
        ("all alike", "3".repeat(60), Some(30.0), Some(30.0), Some(0.0)),
        ("to and fro", "13".repeat(30), Some(20.0), Some(30.0), Some(20.0)),
        (
            "three slow ones of sixty are past the 95th",
            "1".repeat(57) + "999",
            Some(10.0),
            Some(10.0),
            Some(80.0 / 59.0),
        ),
        ("four are not", "1".repeat(56) + "9999", Some(10.0), Some(90.0), Some(80.0 / 59.0)),
        ("no pair across a lost one", "1x3x".repeat(15), Some(20.0), Some(30.0), None),
        ("four answers are too few", ["xxxx1xxxx2xxxx3", "xxxx4xxxx"].concat(), None, None, None),
    ];
    for (name, probes, median, p95, jitter) in table {
        let (window, now) = window(probes);
        let quality = window.quality(now).unwrap();
        assert_eq!((quality.latency_ms, quality.latency_p95_ms), (*median, *p95), "{name}");
        match (quality.jitter_ms, jitter) {
            (Some(is), Some(expected)) => assert!((is - expected).abs() < 1e-9, "{name}: {is}"),
            (is, expected) => assert_eq!(is, *expected, "{name}"),
        }
    }
}

#[test]
fn outcomes_that_come_late_stand_where_they_were_sent() {
    let (one, now) = window(&("1".repeat(20) + "2x3"));
    let mut other = Window::new(SPACING_MS);
    let mut outcomes: Vec<(Mono, Option<u64>)> = one
        .probes
        .iter()
        .map(|probe| (probe.sent, (!probe.is_lost()).then_some(u64::from(probe.took_us))))
        .collect();
    // The lost one is known to be lost only after the next was answered; the first outcome comes last of all.
    outcomes.swap(21, 22);
    outcomes.rotate_left(1);
    outcomes.iter().for_each(|(sent, took_us)| other.add(*sent, *took_us));
    assert_eq!(one, other);
    assert_eq!(one.quality(now), other.quality(now));
}

#[test]
fn old_probes_do_not_count() {
    let (window, now) = window(&("x".repeat(3) + &".".repeat(57)));
    assert_eq!(window.quality(now).map(|q| (q.probes, q.loss)), Ok((60, 5.0)));
    // Nobody probed for a while: the box was busy, or asleep.
    assert_eq!(window.quality(now.plus_ms(100_000)).map(|q| (q.probes, q.loss)), Ok((52, 0.0)));
    assert_eq!(window.quality(now.plus_ms(500_000)), Err(Absence::NotJudged));
}

#[test]
fn probes_far_apart_are_no_pair() {
    let mut window = Window::new(1_000);
    let mut sent = Mono(0);
    for nth in 0..30 {
        sent = sent.plus_ms(if nth % 2 == 0 { 1_000 } else { 2_000 });
        window.add(sent, Some(if nth % 2 == 0 { 30_000 } else { 10_000 }));
    }
    // Every pair one second apart has the slow one behind the quick one; those two seconds apart had one between them.
    assert_eq!(window.quality(sent).unwrap().jitter_ms, Some(20.0));
}

#[test]
fn a_quick_pace_takes_more_probes_for_an_outage() {
    let mut window = Window::new(1_000);
    let begin = Mono(500);
    for second in 0..60_u64 {
        window.add(begin.plus_ms(second * 1_000), (second < 40).then_some(5_000));
    }
    let now = begin.plus_ms(60_000);
    assert!(window.quality(now).is_ok_and(|quality| quality.loss > 30.0), "20 s are loss");
    for second in 60..71_u64 {
        window.add(begin.plus_ms(second * 1_000), None);
    }
    assert_eq!(window.quality(begin.plus_ms(71_000)), Err(Absence::Unreachable), "31 s are an outage");
}

fn outcomes() -> impl Strategy<Value = Vec<(u64, Option<u64>)>> {
    let one = (0_u64..40_000, proptest::option::weighted(0.7, 0_u64..5_000_000_000));
    proptest::collection::vec(one, 0..200)
}

proptest! {
    /// Whatever comes in: bounded, loss within 0 and 100, the median not above the 95th percentile, jitter not
    /// negative, and never a loss of everything.
    #[test]
    fn figures_are_sane(outcomes in outcomes(), spacing_ms in 1_u32..60_000, later_ms in 0_u64..2_000_000) {
        let mut window = Window::new(spacing_ms);
        let mut sent = Mono(0);
        for (pause_ms, took_us) in outcomes {
            sent = sent.plus_ms(pause_ms);
            window.add(sent, took_us);
            prop_assert!(window.probes.len() <= WINDOW);
        }
        if let Ok(quality) = window.quality(sent.plus_ms(later_ms)) {
            prop_assert!((ENOUGH..=WINDOW).contains(&quality.probes));
            prop_assert!((0.0..100.0).contains(&quality.loss), "{}", quality.loss);
            prop_assert!(quality.latency_ms.unwrap_or(0.0) <= quality.latency_p95_ms.unwrap_or(0.0));
            prop_assert!(quality.latency_ms.is_some() == quality.latency_p95_ms.is_some());
            prop_assert!(quality.jitter_ms.is_none_or(|jitter| jitter >= 0.0 && jitter.is_finite()));
        }
    }

    /// The order in which outcomes become known changes nothing, as long as the window holds them.
    #[test]
    fn order_changes_nothing(outcomes in proptest::collection::vec(proptest::option::weighted(0.8, 0_u64..200_000), 20..WINDOW), seed in any::<u64>()) {
        let all: Vec<(Mono, Option<u64>)> = outcomes.iter().enumerate().map(|(at, took)| (Mono(at as u64 * 10_000), *took)).collect();
        let mut shuffled = all.clone();
        for at in 0..shuffled.len() {
            let other = (seed.wrapping_mul(at as u64 + 7) >> 7) as usize % shuffled.len();
            shuffled.swap(at, other);
        }
        let (mut one, mut other) = (Window::new(10_000), Window::new(10_000));
        all.iter().for_each(|(sent, took)| one.add(*sent, *took));
        shuffled.iter().for_each(|(sent, took)| other.add(*sent, *took));
        prop_assert_eq!(&one, &other);
    }
}
