use super::*;
use crate::device::{Class, Network, Tier, Uplink};

fn devices(count: u32, interval_s: u32, uplink: Option<u32>) -> Vec<Device> {
    let device = |at: u32| Device {
        id: format!("d{at}").into(),
        name: "".into(),
        class: Class::Router,
        profile: "snmp-generic".into(),
        tier: Tier::Station,
        network: Network::Business,
        location: "".into(),
        address: "".into(),
        uplinks: uplink.map(|d| Uplink { device: DeviceIx(d), port: None }).into_iter().collect(),
        interval_s,
        tags: vec![],
        line: Default::default(),
    };
    (0..count).map(device).collect()
}

/// Runs for `seconds`, each poll taking `poll_ms`; gives the starts as (ms, device) and the schedule.
fn run(
    mut schedule: Schedule,
    from: Mono,
    seconds: u64,
    poll_ms: u64,
    answers: bool,
) -> (Vec<(u64, u32)>, Schedule) {
    let mut starts = Vec::new();
    let mut ends: VecDeque<(Mono, DeviceIx)> = VecDeque::new();
    for ms in (from.0..from.0 + seconds * 1000).step_by(10) {
        let now = Mono(ms);
        while ends.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, device)) = ends.pop_front() {
                schedule.finished(device, answers, now);
            }
        }
        schedule.tick(now);
        while let Some(Start { device, .. }) = schedule.start(now) {
            starts.push((ms, device.0));
            ends.push_back((now.plus_ms(poll_ms), device));
        }
    }
    (starts, schedule)
}

/// All that was missed and not told of.
fn missed(schedule: &mut Schedule) -> u64 {
    std::iter::from_fn(|| schedule.poll_missed()).map(|(_, polls)| polls).sum()
}

/// The next device to start.
fn next(schedule: &mut Schedule, now: Mono) -> Option<DeviceIx> {
    schedule.start(now).map(|start| start.device)
}

#[test]
fn a_thousand_devices_a_minute_start_in_shared_seconds() {
    let start = Mono(5_000_000);
    let devices = devices(1000, 60, None);
    let (starts, mut schedule) = run(Schedule::new(&devices, Limits::default(), start), start, 240, 20, true);
    assert_eq!(missed(&mut schedule), 0);
    let mut first = vec![None; 1000];
    let mut count = vec![0; 1000];
    let mut seconds = std::collections::BTreeSet::new();
    for (ms, device) in &starts {
        first[*device as usize].get_or_insert(*ms);
        count[*device as usize] += 1;
        if *ms > start.0 + 120_000 {
            seconds.insert(ms / 1000);
        }
    }
    assert!(first.iter().all(|ms| ms.is_some_and(|ms| ms < start.0 + 11_000)), "all within the first round");
    assert!(count.iter().all(|&n| (4..=5).contains(&n)), "once a minute each: {count:?}");
    assert!(seconds.len() >= 115, "spread over the seconds: {}", seconds.len());
    let steady = starts.iter().filter(|(ms, _)| *ms >= start.0 + 120_000).count();
    assert_eq!(steady, 2000, "two rounds in two minutes");
}

#[test]
fn bounds_hold_and_the_rest_waits() {
    let start = Mono(0);
    let slow = |uplink| {
        let devices = devices(300, 10, uplink);
        let mut schedule = Schedule::new(&devices, Limits { in_flight: 64, behind_uplink: 8 }, start);
        let mut most = 0;
        for s in 0..10 {
            schedule.tick(Mono(s * 1000));
            while schedule.start(Mono(s * 1000)).is_some() {}
            most = most.max(schedule.running());
        }
        (most, schedule.waiting())
    };
    assert_eq!(slow(None), (64, 236));
    assert_eq!(slow(Some(299)), (8, 292));
}

#[test]
fn a_device_that_is_still_busy_is_missed_not_queued_twice() {
    let start = Mono(0);
    let devices = devices(1, 5, None);
    let (starts, mut schedule) =
        run(Schedule::new(&devices, Limits::default(), start), start, 60, 12_000, true);
    assert_eq!(starts.len(), 4, "{starts:?}");
    assert_eq!(schedule.poll_missed(), Some((DeviceIx(0), 8)));
    assert_eq!(schedule.poll_missed(), None, "told once");
}

#[test]
fn silence_backs_off_and_an_answer_ends_it() {
    let start = Mono(0);
    let devices = devices(1, 60, None);
    let (starts, mut schedule) =
        run(Schedule::new(&devices, Limits::default(), start), start, 3600, 3_000, false);
    let gaps: Vec<u64> = starts.windows(2).map(|pair| (pair[1].0 - pair[0].0) / 1000).collect();
    assert_eq!(gaps[..4], [60, 60, 60, 60]);
    assert!(gaps[5..].iter().all(|gap| (120..=240).contains(gap)), "{gaps:?}");
    assert_eq!(gaps.last(), Some(&240));
    let now = Mono(3_600_000);
    schedule.ask(DeviceIx(0), now);
    schedule.tick(now);
    while let Some(device) = next(&mut schedule, now) {
        schedule.finished(device, true, now);
    }
    let (starts, _) = run(schedule, now, 130, 100, true);
    assert_eq!(starts.len(), 2, "polled every minute again: {starts:?}");
}

#[test]
fn a_schedule_that_begins_within_a_second_is_not_late_at_once() {
    let start = Mono(5_000_730);
    let devices = devices(1, 10, None);
    let mut schedule = Schedule::new(&devices, Limits::default(), start);
    assert_eq!(schedule.poll_timeout(), Some(start));
    schedule.tick(start);
    assert_eq!(schedule.start(start), Some(Start { device: DeviceIx(0), late_ms: 0 }));
    schedule.finished(DeviceIx(0), true, Mono(5_000_750));
    assert_eq!(schedule.poll_timeout(), Some(Mono(5_010_000)), "on the second from then on");
    schedule.tick(Mono(5_010_003));
    assert_eq!(schedule.start(Mono(5_010_003)), Some(Start { device: DeviceIx(0), late_ms: 3 }));
}

#[test]
fn asked_polls_go_first_once_and_wait_for_a_running_one() {
    let start = Mono(0);
    let devices = devices(3, 60, None);
    let mut schedule = Schedule::new(&devices, Limits { in_flight: 1, behind_uplink: 8 }, start);
    schedule.tick(start);
    assert_eq!(schedule.start(start), Some(Start { device: DeviceIx(0), late_ms: 0 }));
    schedule.ask(DeviceIx(0), Mono(1_000));
    schedule.ask(DeviceIx(0), Mono(1_000));
    schedule.ask(DeviceIx(2), Mono(1_500));
    assert_eq!(schedule.poll_timeout(), Some(Mono(1_000)));
    schedule.tick(Mono(2_000));
    assert_eq!(schedule.start(Mono(2_000)), None, "the only place is taken");
    schedule.finished(DeviceIx(0), true, Mono(2_500));
    assert_eq!(next(&mut schedule, Mono(2_500)), Some(DeviceIx(0)), "asked while it ran");
    schedule.finished(DeviceIx(0), true, Mono(2_600));
    let third = Start { device: DeviceIx(2), late_ms: 1_100 };
    assert_eq!(schedule.start(Mono(2_600)), Some(third), "due at 1,500, it waited for the place");
}

#[test]
fn a_long_pause_counts_its_misses_and_does_not_burst() {
    let start = Mono(0);
    let devices = devices(1, 10, None);
    let mut schedule = Schedule::new(&devices, Limits::default(), start);
    schedule.tick(start);
    while let Some(device) = next(&mut schedule, start) {
        schedule.finished(device, true, start);
    }
    let later = Mono(3_600_000);
    schedule.tick(later);
    let mut started = 0;
    while let Some(device) = next(&mut schedule, later) {
        schedule.finished(device, true, later);
        started += 1;
    }
    assert_eq!(started, 1);
    let missed = missed(&mut schedule);
    assert!(missed >= 358, "{missed}");
}
