//! What is not asked for in every poll: scalars by a request of their own, names of rows that did not change.

mod agent;
mod router;

use agent::{Bench, Fault, Value, text, unsigned};
use roundsman_core::reading::Absence;
use roundsman_wire::snmp::Version;
use roundsman_wire::snmp::answer::{Answer, Raw};
use roundsman_wire::snmp::plan::Plan;
use router::{IF, ROWS, assert_whole, join, plan, router, steady_plan};
use std::sync::Arc;

/// Longest a change of a name that announces itself by nothing goes unseen, polls.
const READ_EVERY: usize = 10;

fn names(answer: &Answer) -> Vec<String> {
    let cells = answer.tables[0].columns[0].cells.iter();
    cells
        .map(|cell| match cell.raw {
            Raw::Octets(octets) => String::from_utf8_lossy(answer.octets(octets)).into_owned(),
            other => panic!("no name: {other:?}"),
        })
        .collect()
}

fn set(bench: &mut Bench, name: &[u32], value: Value) {
    assert!(bench.agent.objects.insert(name.to_vec(), value).is_some(), "the agent has it");
}

#[test]
fn a_poll_takes_four_requests_and_three_where_names_rest() {
    for (plan, expected) in [(plan(), 4), (steady_plan(), 3)] {
        let mut bench = Bench::new(router(ROWS));
        let mut requests = Vec::new();
        for _ in 0..60 {
            let answer = bench.poll(&plan).answer;
            assert_whole(&answer, ROWS);
            requests.push(answer.cost.requests);
        }
        let usual = requests.iter().filter(|&&requests| requests == expected).count();
        assert!(usual >= 50, "{expected} expected: {requests:?}");
        assert!(requests[1..].iter().all(|&requests| requests <= 5), "{requests:?}");
    }
}

#[test]
fn resting_names_are_read_as_often_as_promised_in_every_version() {
    for (version, key) in [(Version::V2c, 0), (Version::V2c, 7), (Version::V1, 3)] {
        let mut bench = Bench::new(router(5));
        bench.target.version = version;
        bench.key = key;
        let plan = steady_plan();
        for poll in 0..65 {
            if poll % 13 == 3 {
                set(&mut bench, &join(&IF, &[2, 4]), text(&format!("renamed {poll}")));
            }
            let known: Vec<String> = bench
                .agent
                .objects
                .iter()
                .filter(|(name, _)| name.starts_with(&join(&IF, &[2])))
                .map(|(_, value)| String::from_utf8_lossy(&value.1).into_owned())
                .collect();
            let answer = bench.poll(&plan).answer;
            assert_eq!(answer.tables[0].columns[0].end, Ok(()));
            let seen = names(&answer) == known;
            let since = (poll + 10) % 13;
            assert!(seen || since <= READ_EVERY, "{version:?}, poll {poll}: {:?}", names(&answer));
            assert!(poll < 3 || since < 12 || seen);
        }
    }
}

/// Rows 1 to 5 with the names of rows 2, 3, 4, 5, 1.
fn renumber(bench: &mut Bench) {
    for row in 1..=5 {
        let name = format!("GigabitEthernet0/{}", row % 5 + 1);
        set(bench, &join(&IF, &[2, row]), text(&name));
    }
}

#[test]
fn changed_rows_are_named_anew_in_the_same_poll() {
    type Change = fn(&mut Bench);
    let changes: [(&str, Change); 4] = [
        ("the table says that it changed", |bench| {
            set(bench, &[1, 3, 6, 1, 2, 1, 31, 1, 5, 0], unsigned(0x43, 123_456));
        }),
        ("the agent restarted", |bench| set(bench, &[1, 3, 6, 1, 2, 1, 1, 3, 0], unsigned(0x43, 50))),
        ("a row is gone", |bench| {
            bench
                .agent
                .objects
                .retain(|name, _| !name.starts_with(&[1, 3, 6, 1, 2, 1]) || name.last() != Some(&3));
        }),
        ("a row came", |bench| {
            bench
                .agent
                .objects
                .extend(router(6).objects.into_iter().filter(|(name, _)| name.last() == Some(&6)));
        }),
    ];
    for (case, change) in changes {
        for version in [Version::V2c, Version::V1] {
            let mut bench = Bench::new(router(5));
            bench.target.version = version;
            bench.key = 9;
            let plan = steady_plan();
            for _ in 0..3 {
                bench.poll(&plan);
            }
            renumber(&mut bench);
            change(&mut bench);
            let answer = bench.poll(&plan).answer;
            let rows: Vec<u32> =
                answer.tables[0].columns[0].cells.iter().map(|cell| answer.arcs(cell.index)[0]).collect();
            for (name, row) in names(&answer).iter().zip(rows) {
                let expected = if row == 6 { 6 } else { row % 5 + 1 };
                assert_eq!(*name, format!("GigabitEthernet0/{expected}"), "{case}, {version:?}, row {row}");
            }
        }
    }
}

#[test]
fn texts_of_the_device_rest_too_and_are_read_after_a_restart_and_within_ten_polls() {
    let location = [1, 3, 6, 1, 2, 1, 1, 6, 0];
    let said = |answer: &Answer| match answer.scalars[5] {
        Ok(Raw::Octets(octets)) => String::from_utf8_lossy(answer.octets(octets)).into_owned(),
        other => panic!("no location: {other:?}"),
    };
    for restarts in [false, true] {
        let mut bench = Bench::new(router(5));
        bench.key = 9;
        let plan = steady_plan();
        polls(&mut bench, &plan, 3);
        set(&mut bench, &location, text("elsewhere"));
        if restarts {
            set(&mut bench, &[1, 3, 6, 1, 2, 1, 1, 3, 0], unsigned(0x43, 50));
        }
        let seen = polls(&mut bench, &plan, 11).iter().position(|answer| said(answer) == "elsewhere");
        let seen = seen.expect("it is seen");
        assert!(if restarts { seen == 0 } else { (1..=READ_EVERY).contains(&seen) }, "after {seen} polls");
    }
}

#[test]
fn after_silence_names_are_read_and_of_a_table_that_breaks_off_none_is_said() {
    let mut bench = Bench::new(router(5));
    bench.key = 9;
    let plan = steady_plan();
    for _ in 0..3 {
        bench.poll(&plan);
    }
    bench.agent.fault = Fault::Silent;
    assert!(!bench.poll(&plan).answer.answered);
    bench.agent.fault = Fault::None;
    renumber(&mut bench);
    assert_eq!(names(&bench.poll(&plan).answer)[0], "GigabitEthernet0/2");

    // Only the request with the scalars is answered.
    let mut bench = Bench::new(router(ROWS));
    bench.key = 9;
    let polls: Vec<Answer> = (0..4).map(|_| bench.poll(&plan).answer).collect();
    assert_whole(&polls[3], ROWS);
    bench.agent.fault = Fault::Dies(bench.agent.requests + 1);
    let answer = bench.poll(&plan).answer;
    assert!(answer.answered);
    let column = &answer.tables[0].columns[0];
    assert_eq!((column.end, column.cells.len()), (Err(Absence::Timeout), 0));
}

/// Polls a few times and gives the answers.
fn polls(bench: &mut Bench, plan: &Arc<Plan>, count: usize) -> Vec<Answer> {
    (0..count).map(|_| bench.poll(plan).answer).collect()
}

#[test]
fn a_scalar_that_getnext_passes_over_is_asked_for_by_get() {
    let mut bench = Bench::new(router(ROWS));
    bench.agent.fault = Fault::Hides;
    let answers = polls(&mut bench, &plan(), 12);
    answers.iter().for_each(|answer| assert_whole(answer, ROWS));
    // Once it costs a request, after that scalars go by themselves again.
    assert!(answers[3..].iter().all(|answer| answer.cost.requests <= 5), "{:?}", answers[3].cost);
}

#[test]
fn an_agent_that_cannot_bear_both_at_once_gets_them_apart() {
    for fault in [Fault::TooBig(1_300), Fault::Stalls(60)] {
        let mut bench = Bench::new(router(ROWS));
        polls(&mut bench, &plan(), 2);
        bench.agent.fault = fault;
        for answer in polls(&mut bench, &plan(), 40) {
            assert_whole(&answer, ROWS);
        }
    }
}

#[test]
fn a_device_that_falls_silent_costs_one_try_more_and_only_once() {
    let mut bench = Bench::new(router(ROWS));
    polls(&mut bench, &plan(), 3);
    bench.agent.fault = Fault::Silent;
    let costs: Vec<(u32, u32)> = polls(&mut bench, &plan(), 3)
        .iter()
        .map(|answer| (answer.cost.requests, answer.cost.retries))
        .collect();
    assert_eq!(costs, [(2, 2), (1, 2), (1, 2)]);
    bench.agent.fault = Fault::None;
    let requests: Vec<u32> = polls(&mut bench, &plan(), 2).iter().map(|a| a.cost.requests).collect();
    assert_eq!(requests, [5, 4], "they go along again after one good poll");
}
