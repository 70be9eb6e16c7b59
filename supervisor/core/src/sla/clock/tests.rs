//! The clock: what a person expects of a contract, and what holds whatever the wall clock does.

use super::super::calendar::{Calendar, DAY_MS, Holidays};
use super::super::policy::Starts;
use super::*;
use crate::figures::spans::{Span, Spans};
use proptest::prelude::*;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// Ten years, in ms.
const TEN_YEARS_MS: i64 = 3_652 * DAY_MS;

/// Wednesday 2026-11-18 00:00 UTC.
const T0: i64 = 1_794_960_000_000;

use Signal::{Breach, Warning};
use Target::{OnSite, Response, Restore};

fn policy(calendar: Calendar) -> Policy {
    Policy {
        id: "severe".into(),
        name: "severe".into(),
        severities: Vec::new(),
        tiers: Vec::new(),
        classes: Vec::new(),
        networks: Vec::new(),
        response_ms: Some(30 * MINUTE_MS),
        on_site_ms: Some(HOUR_MS),
        restore_ms: Some(4 * HOUR_MS),
        starts: Starts::Confirmed,
        calendar,
        warn: 0.8,
    }
}

/// Monday to Friday 08:00-18:00.
fn working_hours() -> Calendar {
    let hour = |hour: i64| hour * HOUR_MS as i64;
    let day = |at: usize| {
        let hours = (at < 5).then(|| Span::new(hour(8), hour(18)));
        hours.into_iter().collect::<Spans>()
    };
    Calendar::new(std::array::from_fn(day), &Holidays::default())
}

/// So many minutes after [`T0`], on both clocks.
fn at(minutes: u64) -> Now {
    Now::at(1_000, T0).plus_ms(minutes * MINUTE_MS)
}

fn always() -> Clock {
    Clock::start(Arc::new(policy(Calendar::always())), 0, at(0), 0)
}

fn minutes(clock: &Clock, target: Target) -> u64 {
    clock.elapsed_ms(target) / MINUTE_MS
}

#[test]
fn each_target_warns_once_and_breaches_once() {
    let mut clock = always();
    let expected = [
        (23, vec![]),
        (24, vec![Warning(Response)]),
        (29, vec![]),
        (30, vec![Breach(Response)]),
        (31, vec![]),
        (48, vec![Warning(OnSite)]),
        (60, vec![Breach(OnSite)]),
        (192, vec![Warning(Restore)]),
        (193, vec![]),
        (240, vec![Breach(Restore)]),
        (10_000, vec![]),
    ];
    for (minute, signals) in expected {
        assert_eq!(clock.advance(at(minute), 0), signals, "minute {minute}");
    }
    assert_eq!(clock.standing(Response), Some(Standing::Breached { at_ms: 30 * MINUTE_MS }));
}

#[test]
fn the_moments_foreseen_are_those_at_which_signals_come() {
    let mut clock = always();
    let mut came = Vec::new();
    while let Some(due) = clock.next_due(0) {
        let minute = due.since_ms(at(0).mono) / MINUTE_MS;
        let signals = clock.advance(at(minute), 0);
        assert!(!signals.is_empty(), "minute {minute}");
        came.push(minute);
    }
    assert_eq!(came, [24, 30, 48, 60, 192, 240]);
}

#[test]
fn what_is_done_in_time_is_met_and_says_nothing_more() {
    let mut clock = always();
    assert_eq!(clock.stop(Response, at(10), 0), []);
    assert_eq!(clock.stop(OnSite, at(50), 0), [Warning(OnSite)]);
    assert_eq!(clock.stop(Response, at(55), 0), [], "a second acknowledgement changes nothing");
    assert_eq!(clock.limit_at(Restore, 0), Some(at(240).wall));
    assert_eq!(clock.stop(Restore, at(90), 0), []);
    for (target, elapsed) in [(Response, 10), (OnSite, 50), (Restore, 90)] {
        assert_eq!(clock.standing(target), Some(Standing::Met), "{target:?}");
        assert_eq!(minutes(&clock, target), elapsed);
    }
    assert_eq!(clock.next_due(0), None);
    assert_eq!(clock.advance(at(9_000), 0), []);
    assert_eq!(minutes(&clock, Restore), 90);
}

#[test]
fn what_was_not_needed_is_neither_met_nor_breached() {
    let mut clock = always();
    assert_eq!(clock.stop(Restore, at(5), 0), []);
    assert_eq!(clock.standing(Response), Some(Standing::Unneeded));
    assert_eq!(clock.advance(at(100), 0), []);
    assert_eq!(minutes(&clock, OnSite), 5);
    let unlimited = Policy { on_site_ms: None, ..policy(Calendar::always()) };
    let clock = Clock::start(Arc::new(unlimited), 0, at(0), 0);
    assert_eq!(clock.standing(OnSite), None);
}

#[test]
fn done_too_late_is_breached_with_both_times() {
    let mut clock = always();
    assert_eq!(clock.stop(Response, at(45), 0), [Breach(Response)], "no warning of what is late already");
    assert_eq!(clock.standing(Response), Some(Standing::Breached { at_ms: 30 * MINUTE_MS }));
    assert_eq!(minutes(&clock, Response), 45);
}

#[test]
fn a_reopened_fault_goes_on_with_its_clock() {
    let mut clock = always();
    let _ = clock.stop(Response, at(10), 0);
    assert_eq!(clock.stop(Restore, at(40), 0), []);
    assert_eq!(clock.standing(OnSite), Some(Standing::Unneeded));
    assert_eq!(clock.reopen(at(65), 0), [Breach(OnSite)]);
    assert_eq!((minutes(&clock, Response), minutes(&clock, Restore)), (10, 65));
    assert_eq!(clock.standing(Restore), Some(Standing::Running));
    assert_eq!(clock.advance(at(240), 0), [Breach(Restore)]);
}

#[test]
fn the_clock_may_start_before_it_is_confirmed() {
    let mut clock = Clock::start(Arc::new(policy(Calendar::always())), 25 * MINUTE_MS, at(0), 0);
    assert_eq!(clock.next_due(0), Some(at(0).mono), "its signals come at once");
    assert_eq!(clock.advance(at(0), 0), [Warning(Response)]);
    assert_eq!(clock.advance(at(5), 0), [Breach(Response)]);
}

#[test]
fn a_night_does_not_count_in_working_hours() {
    // Wednesday 17:45: 15 minutes are left of the day.
    let start = at(17 * 60 + 45);
    let mut clock = Clock::start(Arc::new(policy(working_hours())), 0, start, 0);
    let after = |minutes: u64| start.plus_ms(minutes * MINUTE_MS);
    assert_eq!(clock.limit_at(Response, 0), Some(at(32 * 60 + 15).wall));
    assert_eq!(clock.advance(after(14 * 60), 0), []);
    assert_eq!(minutes(&clock, Response), 15);
    assert_eq!(clock.advance(after(14 * 60 + 24), 0), [Warning(Response)]);
    assert_eq!(clock.advance(after(14 * 60 + 30), 0), [Breach(Response)]);
    // In another zone the same moments are other hours.
    let mut clock = Clock::start(Arc::new(policy(working_hours())), 0, start, 8 * 3_600);
    assert_eq!(clock.advance(after(30), 8 * 3_600), [], "01:45 in Beijing");
}

#[test]
fn another_policy_judges_what_elapsed_and_forgives_nothing() {
    let mut clock = always();
    let _ = clock.stop(Response, at(20), 0);
    assert_eq!(clock.advance(at(60), 0), [Breach(OnSite)]);
    let strict = Policy {
        response_ms: Some(10 * MINUTE_MS),
        on_site_ms: None,
        restore_ms: Some(40 * MINUTE_MS),
        ..policy(Calendar::always())
    };
    assert_eq!(clock.rebind(Arc::new(strict), at(70), 0), [Breach(Restore)]);
    assert_eq!(clock.standing(Response), Some(Standing::Met), "done in time under the policy of its time");
    assert_eq!(clock.standing(OnSite), Some(Standing::Breached { at_ms: HOUR_MS }));
    assert_eq!(clock.standing(Restore), Some(Standing::Breached { at_ms: 70 * MINUTE_MS }));
    let loose = Policy { restore_ms: Some(48 * HOUR_MS), ..policy(Calendar::always()) };
    assert_eq!(clock.rebind(Arc::new(loose), at(80), 0), []);
    assert_eq!(clock.standing(Restore), Some(Standing::Breached { at_ms: 70 * MINUTE_MS }));
    assert_eq!(minutes(&clock, Restore), 80);
}

#[test]
fn time_off_counts_as_far_as_it_is_known() {
    let mut clock = always();
    let _ = clock.advance(at(10), 0);
    let (policy, kept) = (clock.policy().clone(), clock.kept().clone());
    let now = Now::at(7, at(200).wall.0);
    let restore = |passed: &[Downtime]| Clock::restore(policy.clone(), kept.clone(), passed, now, 0);

    let ran = Downtime::Known { until: at(15).wall, length_ms: 5 * MINUTE_MS };
    let off = Downtime::Known { until: now.wall, length_ms: 35 * MINUTE_MS };
    let mut clock = restore(&[ran, off]);
    assert_eq!(minutes(&clock, Response), 50);
    assert_eq!(clock.next_due(0), Some(now.mono));
    assert_eq!(clock.advance(now, 0), [Breach(Response), Warning(OnSite)]);
    assert!(!clock.is_uncertain());

    let mut clock = restore(&[ran, Downtime::Unknown]);
    assert_eq!(clock.advance(now, 0), []);
    assert_eq!(minutes(&clock, Response), 15);
    assert!(clock.is_uncertain());
    assert_eq!(clock.stop(Response, now.plus_ms(MINUTE_MS), 0), []);
    let later = now.plus_ms(2 * MINUTE_MS);
    // 20 minutes were missing: the acknowledgement came after 36.
    assert_eq!(clock.amend(20 * MINUTE_MS, later, 0), [Breach(Response)]);
    assert!(!clock.is_uncertain());
    assert_eq!((minutes(&clock, Response), minutes(&clock, Restore)), (36, 37));
    assert_eq!(clock.amend(HOUR_MS, later, 0), [], "nothing is missing any more");
    assert_eq!(minutes(&clock, Restore), 37);
}

#[test]
fn a_step_of_the_wall_clock_adds_nothing() {
    for step_ms in [-TEN_YEARS_MS, -DAY_MS, DAY_MS, TEN_YEARS_MS] {
        let stepped = |minutes: u64| Now { wall: Wall(at(minutes).wall.0 + step_ms), ..at(minutes) };
        let mut clock = always();
        assert_eq!(clock.advance(at(20), 0), []);
        assert_eq!(clock.advance(stepped(23), 0), [], "{step_ms}");
        assert_eq!(minutes(&clock, Response), 23);
        assert_eq!(clock.next_due(0), Some(at(24).mono));
        assert_eq!(clock.advance(stepped(24), 0), [Warning(Response)]);
    }
    // Into working hours: the next look comes soon, whatever was foreseen.
    let clock = Clock::start(Arc::new(policy(working_hours())), 0, at(20 * 60), 0);
    assert_eq!(clock.next_due(0), Some(at(20 * 60 + 1).mono));
}

/// What happens to a clock.
#[derive(Clone, Copy, Debug)]
enum Step {
    Advance,
    Stop(Target),
    Reopen,
    Rebind(bool),
    Restart(Option<u64>),
    Amend(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Advance),
        2 => (0..3_usize).prop_map(|at| Step::Stop(Target::ALL[at])),
        1 => Just(Step::Reopen),
        1 => any::<bool>().prop_map(Step::Rebind),
        1 => proptest::option::of(0..3 * HOUR_MS).prop_map(Step::Restart),
        1 => (0..3 * HOUR_MS).prop_map(Step::Amend),
    ]
}

proptest! {
    /// Whatever happens and however the wall clock is stepped: elapsed time never goes back and never outruns the
    /// time that passed; a breach stays as it was; each signal comes once; nothing is breached below its limit.
    #[test]
    fn time_goes_forward(
        is_always in any::<bool>(),
        steps in proptest::collection::vec((step(), 0..2 * HOUR_MS, -TEN_YEARS_MS..=TEN_YEARS_MS, any::<bool>()), 1..40),
    ) {
        let calendar = || if is_always { Calendar::always() } else { working_hours() };
        let policies = [
            Arc::new(policy(calendar())),
            Arc::new(Policy { response_ms: None, restore_ms: Some(HOUR_MS), ..policy(working_hours()) }),
        ];
        let mut now = at(0);
        let mut clock = Clock::start(policies[0].clone(), 0, now, 0);
        let (mut lived_ms, mut told) = (0_u64, Vec::new());
        for (step, passed_ms, step_ms, is_stepped) in steps {
            now = now.plus_ms(passed_ms);
            now.wall.0 += if is_stepped { step_ms } else { 0 };
            lived_ms += passed_ms;
            let before = clock.clone();
            let signals = match step {
                Step::Advance => clock.advance(now, 0),
                Step::Stop(target) => clock.stop(target, now, 0),
                Step::Reopen => clock.reopen(now, 0),
                Step::Rebind(second) => clock.rebind(policies[usize::from(second)].clone(), now, 0),
                Step::Amend(missing_ms) => {
                    lived_ms += if clock.is_uncertain() { missing_ms } else { 0 };
                    clock.amend(missing_ms, now, 0)
                }
                Step::Restart(length_ms) => {
                    let mut signals = clock.advance(now, 0);
                    let off = length_ms.map_or(Downtime::Unknown, |length_ms| Downtime::Known { until: now.wall, length_ms });
                    lived_ms += length_ms.unwrap_or(0);
                    clock = Clock::restore(clock.policy().clone(), clock.kept().clone(), &[off], now, 0);
                    signals.extend(clock.advance(now, 0));
                    signals
                }
            };
            let elapsed_ms = clock.kept().elapsed_ms;
            prop_assert!(elapsed_ms >= before.kept().elapsed_ms);
            prop_assert!(elapsed_ms <= lived_ms);
            prop_assert!(clock.next_due(0).is_none_or(|due| due >= now.mono));
            for &target in Target::ALL {
                prop_assert!(clock.elapsed_ms(target) >= before.elapsed_ms(target));
                let (was, is) = (before.progress(target).breached_ms, clock.progress(target).breached_ms);
                prop_assert!(was.is_none() || was == is, "a breach was changed");
                prop_assert_eq!(was.is_none() && is.is_some(), signals.contains(&Breach(target)));
                prop_assert!(is.is_none_or(|at_ms| at_ms <= clock.elapsed_ms(target)));
            }
            for signal in signals {
                prop_assert!(!told.contains(&signal), "{:?} came twice", signal);
                if let Warning(target) = signal {
                    prop_assert!(!told.contains(&Breach(target)), "a warning after the breach");
                }
                told.push(signal);
            }
        }
    }

    /// Without a step, looking at the foreseen moments alone finds every breach at its millisecond, in any hours.
    #[test]
    fn nothing_is_late(is_always in any::<bool>(), start in 0..7 * 24 * HOUR_MS) {
        let calendar = if is_always { Calendar::always() } else { working_hours() };
        let start = at(0).plus_ms(start);
        let mut clock = Clock::start(Arc::new(policy(calendar.clone())), 0, start, 0);
        while let Some(due) = clock.next_due(0) {
            let now = start.plus_ms(due.since_ms(start.mono));
            for signal in clock.advance(now, 0) {
                let (Warning(target) | Breach(target)) = signal;
                let policy = clock.policy();
                let goal_ms = if let Warning(_) = signal { policy.warn_ms(target) } else { policy.limit_ms(target) };
                prop_assert_eq!(Some(now.wall), calendar.after(start.wall, goal_ms.unwrap_or(0), 0));
            }
        }
        prop_assert!(clock.kept().targets.iter().all(|progress| progress.breached_ms.is_some()));
    }
}
