//! The session against an agent in memory, over a network with virtual time.

mod agent;
mod router;

use agent::{Bench, Fault, integer};
use roundsman_core::reading::Absence;
use roundsman_core::tally::Ignored;
use roundsman_core::time::Mono;
use roundsman_wire::snmp::Version;
use roundsman_wire::snmp::answer::{Answer, Raw};
use roundsman_wire::snmp::plan::{Plan, Table};
use roundsman_wire::snmp::session::Counters;
use router::{IF, ROWS, assert_whole, join, object, plan, router};
use std::sync::Arc;

#[test]
fn a_known_device_costs_four_requests() {
    let mut bench = Bench::new(router(ROWS));
    let plan = plan();
    let first = bench.poll(&plan).answer;
    assert_whole(&first, ROWS);
    assert!(first.cost.requests <= 8, "{:?}", first.cost);
    for _ in 0..3 {
        let next = bench.poll(&plan).answer;
        assert_whole(&next, ROWS);
        assert!(next.cost.requests <= 4, "{:?}", next.cost);
        // sysUpTime goes along in each request over columns.
        assert!(next.cost.varbinds <= 10 + 9 * (ROWS + 1) + 4, "{:?}", next.cost);
    }
}

#[test]
fn replies_of_an_agent_that_never_cuts_stay_unfragmented() {
    let mut agent = router(ROWS);
    agent.most = 60_000;
    let mut bench = Bench::new(agent);
    let plan = plan();
    for _ in 0..3 {
        let answer = bench.poll(&plan).answer;
        assert_whole(&answer, ROWS);
        assert!(answer.cost.requests <= 8, "{:?}", answer.cost);
    }
    let longest = bench.seen.iter().map(Vec::len).max();
    assert!(longest <= Some(1_472), "{longest:?}");
}

#[test]
fn rows_that_come_and_go_are_seen_at_once() {
    let mut bench = Bench::new(router(ROWS));
    let plan = plan();
    for rows in [24, 24, 25, 40, 40, 23, 1, 0, 0, 3, 24] {
        bench.agent = router(rows);
        let answer = bench.poll(&plan).answer;
        if rows > 0 {
            assert_whole(&answer, rows);
        }
        let cells: Vec<usize> = answer.tables[0].columns.iter().map(|column| column.cells.len()).collect();
        assert_eq!(cells, [rows as usize; 9]);
        assert!(answer.tables[0].columns.iter().all(|column| column.end == Ok(())));
    }
}

#[test]
fn v1_reads_the_same() {
    let mut bench = Bench::new(router(ROWS));
    bench.target.version = Version::V1;
    let plan = plan();
    assert_whole(&bench.poll(&plan).answer, ROWS);
    let next = bench.poll(&plan).answer;
    assert_whole(&next, ROWS);
    assert!(next.cost.requests <= ROWS + 2, "{:?}", next.cost);
}

/// A plan with what the router lacks: a scalar, one with a fallback, a column, one with a fallback, an empty table.
fn plan_with_gaps() -> Arc<Plan> {
    let lost = [1, 3, 6, 1, 4, 1, 9, 7];
    Arc::new(Plan {
        scalars: vec![
            object(&[&[1, 3, 6, 1, 2, 1, 1, 3, 0]]),
            object(&[&join(&lost, &[1, 0])]),
            object(&[&join(&lost, &[2, 0]), &join(&lost, &[3, 0]), &[1, 3, 6, 1, 2, 1, 1, 7, 0]]),
        ],
        tables: vec![
            Table {
                columns: vec![
                    object(&[&join(&lost, &[4]), &join(&IF, &[7])]),
                    object(&[&join(&IF, &[8])]),
                    object(&[&join(&IF, &[21])]),
                ],
                ..Table::default()
            },
            Table {
                columns: vec![
                    object(&[&join(&lost, &[5])]),
                    object(&[&join(&lost, &[6]), &join(&lost, &[7])]),
                ],
                ..Table::default()
            },
        ],
        ..Plan::default()
    })
}

#[test]
fn what_is_missing_is_unsupported_and_fallbacks_are_remembered() {
    for version in [Version::V1, Version::V2c] {
        let mut bench = Bench::new(router(5));
        bench.target.version = version;
        let plan = plan_with_gaps();
        let mut costs = Vec::new();
        for poll in 0..32 {
            let answer = bench.poll(&plan).answer;
            let case = format!("{version:?}, poll {poll}");
            assert_eq!(answer.scalars[0], Ok(Raw::TimeTicks(100_000)), "{case}");
            assert_eq!(answer.scalars[1], Err(Absence::Unsupported), "{case}");
            assert_eq!(answer.scalars[2], Ok(Raw::Integer(78)), "{case}");
            let columns = &answer.tables[0].columns;
            assert_eq!(
                (columns[0].end, columns[0].cells.len(), columns[0].alternative),
                (Ok(()), 5, 1),
                "{case}"
            );
            assert_eq!((columns[1].end, columns[1].cells.len()), (Ok(()), 5), "{case}");
            assert_eq!(columns[2].end, Err(Absence::Unsupported), "{case}");
            let empty = &answer.tables[1].columns;
            assert!(empty.iter().all(|column| column.end == Ok(()) && column.cells.is_empty()), "{case}");
            costs.push(answer.cost.requests);
        }
        assert!(costs[1..30].iter().all(|&cost| cost < costs[0]), "{version:?}: {costs:?}");
        // Every 30th poll trusts nothing.
        assert_eq!(costs[30], costs[0], "{version:?}: {costs:?}");
        if version == Version::V2c {
            assert_eq!(costs[1], 1, "{costs:?}");
        }
    }
}

#[test]
fn an_object_that_appears_is_found_within_thirty_polls() {
    let mut bench = Bench::new(router(5));
    let plan = plan_with_gaps();
    bench.poll(&plan);
    bench.agent.objects.extend((1..=5).map(|row| (vec![1, 3, 6, 1, 4, 1, 9, 7, 4, row], integer(9))));
    let found = (1..=30).find(|_| bench.poll(&plan).answer.tables[0].columns[0].alternative == 0);
    assert_eq!(found, Some(30));
}

#[test]
fn faults_that_the_session_survives_whole() {
    for version in [Version::V2c, Version::V1] {
        for fault in [Fault::None, Fault::Late(700), Fault::Duplicate, Fault::TooBig(600), Fault::TooBig(200)]
        {
            let mut bench = Bench::new(router(ROWS));
            bench.target.version = version;
            bench.target.timeout_ms = 500;
            bench.agent.fault = fault;
            let plan = plan();
            for _ in 0..4 {
                assert_whole(&bench.poll(&plan).answer, ROWS);
            }
        }
    }
}

#[test]
fn a_late_answer_counts_and_the_second_one_is_a_duplicate() {
    let mut bench = Bench::new(router(1));
    bench.target.timeout_ms = 500;
    bench.agent.fault = Fault::Late(690);
    let answer = bench.poll(&plan()).answer;
    assert_whole(&answer, 1);
    assert_eq!(answer.cost.requests, answer.cost.retries);
    let counters = bench.session.counters();
    assert_eq!(counters.timeouts, 0);
    assert_eq!(counters.duplicates + counters.strays, u64::from(answer.cost.retries), "{counters:?}");
    assert!(counters.duplicates > 0, "{counters:?}");
}

#[test]
fn an_agent_that_cannot_be_heard_costs_three_datagrams() {
    let counted = |fault| {
        let mut bench = Bench::new(router(ROWS));
        bench.agent.fault = fault;
        let finished = bench.poll(&plan());
        assert_eq!(finished.answer, {
            let mut expected = Answer::unanswered(&plan());
            expected.cost = finished.answer.cost;
            expected
        });
        assert_eq!((finished.answer.cost.requests, finished.answer.cost.retries), (1, 2), "{fault:?}");
        let counters = bench.session.counters();
        assert_eq!((counters.timeouts, counters.unanswered, counters.sent), (1, 1, 3), "{fault:?}");
        assert_eq!(finished.answer.cost.timeouts, 1, "{fault:?}");
        let Ignored { strays, duplicates, rejected } = finished.answer.cost.ignored;
        (counters, (strays, duplicates, rejected))
    };
    let (silent, ignored) = counted(Fault::Silent);
    assert_eq!((silent.received, ignored), (0, (0, 0, 0)));
    let (stray, ignored) = counted(Fault::WrongId);
    assert_eq!((stray.strays, ignored), (3, (3, 0, 0)));
    for (fault, count) in [
        (Fault::WrongCommunity, (|counters| counters.wrong_community) as fn(Counters) -> u64),
        (Fault::WrongVersion, |counters| counters.wrong_version),
        (Fault::OtherSource, |counters| counters.wrong_source),
        (Fault::Garbage, |counters| counters.undecodable),
        (Fault::Truncated, |counters| counters.undecodable),
    ] {
        let (counters, ignored) = counted(fault);
        assert_eq!((count(counters), ignored), (3, (0, 0, 3)), "{fault:?}");
    }
}

#[test]
fn an_answer_after_the_poll_is_told_with_the_next_one() {
    let mut bench = Bench::new(router(1));
    bench.poll(&plan());
    let late = bench.session.counters();
    // Three answers to nothing from the device, two of them unreadable; a fourth from an address nobody polls.
    let response = [0x30, 0x0b, 2, 1, 1, 4, 0, 0xa2, 4, 2, 2, 0x11, 0x22];
    let (from, now) = (bench.target.address, Mono(1));
    bench.session.handle_datagram(from, b"", now);
    bench.session.handle_datagram(from, &[0x30, 0x82], now);
    bench.session.handle_datagram("192.0.2.250:161".parse().unwrap(), b"", now);
    bench.session.handle_datagram(from, &response, now);
    let told = bench.poll(&plan()).answer.cost.ignored;
    let counters = bench.session.counters();
    let new = (counters.strays - late.strays, counters.undecodable - late.undecodable);
    assert_eq!(u64::from(told.strays + told.rejected), new.0 + new.1 - 1, "all but the stranger's: {told:?}");
    assert_eq!(bench.poll(&plan()).answer.cost.ignored, Ignored::default(), "told once");
}

#[test]
fn a_spoofed_answer_changes_nothing_and_another_source_may_be_allowed() {
    let mut bench = Bench::new(router(ROWS));
    bench.agent.fault = Fault::Spoofed;
    let answer = bench.poll(&plan()).answer;
    assert_whole(&answer, ROWS);
    assert_eq!(bench.session.counters().wrong_source, u64::from(answer.cost.requests));

    let mut bench = Bench::new(router(ROWS));
    bench.agent.fault = Fault::OtherSource;
    bench.target.strict_source = false;
    assert_whole(&bench.poll(&plan()).answer, ROWS);
}

#[test]
fn a_walk_that_does_not_increase_ends_malformed() {
    for version in [Version::V1, Version::V2c] {
        let mut bench = Bench::new(router(ROWS));
        bench.target.version = version;
        bench.agent.fault = Fault::Stuck;
        let answer = bench.poll(&plan()).answer;
        assert_eq!(answer.scalars[6], Ok(Raw::Integer(78)));
        for column in &answer.tables[0].columns {
            assert_eq!((column.end, column.cells.len()), (Err(Absence::Malformed), 1), "{version:?}");
        }
    }
}

#[test]
fn a_broken_object_spoils_itself_only() {
    // genErr names the object.
    let mut bench = Bench::new(router(ROWS));
    bench.target.version = Version::V1;
    bench.agent.fault = Fault::Broken(14);
    let answer = bench.poll(&plan()).answer;
    for (at, column) in answer.tables[0].columns.iter().enumerate() {
        let expected = if at == 4 { Err(Absence::Malformed) } else { Ok(()) };
        assert_eq!(column.end, expected, "column {at}");
    }
    // Values of a type nobody knows.
    let mut bench = Bench::new(router(ROWS));
    bench.agent.fault = Fault::Alien(14);
    let answer = bench.poll(&plan()).answer;
    for (at, column) in answer.tables[0].columns.iter().enumerate() {
        let expected = if at == 4 { (Err(Absence::Malformed), 0) } else { (Ok(()), 24) };
        assert_eq!((column.end, column.cells.len()), expected, "column {at}");
    }
}

#[test]
fn replies_without_content_end_the_poll() {
    let mut bench = Bench::new(router(ROWS));
    bench.agent.fault = Fault::Hollow;
    let answer = bench.poll(&plan()).answer;
    assert!(answer.answered);
    assert!(answer.scalars.iter().all(|scalar| *scalar == Err(Absence::Malformed)));
    let ends = answer.tables[0].columns.iter().map(|column| column.end);
    assert!(ends.clone().all(|end| end == Err(Absence::Malformed)), "{:?}", ends.collect::<Vec<_>>());
    assert!(answer.cost.requests < 40, "{:?}", answer.cost);
}

#[test]
fn an_agent_that_dies_in_mid_poll_leaves_what_it_said() {
    let mut bench = Bench::new(router(ROWS));
    bench.agent.fault = Fault::Dies(2);
    let answer = bench.poll(&plan()).answer;
    assert!(answer.answered);
    assert_eq!(answer.scalars[6], Ok(Raw::Integer(78)));
    assert!(answer.tables[0].columns.iter().all(|column| column.end == Err(Absence::Timeout)));
    assert!(answer.tables[0].columns.iter().any(|column| !column.cells.is_empty()));
}

#[test]
fn loss_gives_right_values_or_a_timeout() {
    let mut whole = 0;
    let mut alive = 0;
    let mut bench = Bench::new(router(ROWS));
    bench.agent.fault = Fault::Loss(20);
    let plan = plan();
    for _ in 0..400 {
        let answer = bench.poll(&plan).answer;
        alive += u32::from(answer.answered);
        let ends = answer.tables[0].columns.iter().map(|column| column.end);
        assert!(ends.clone().all(|end| matches!(end, Ok(()) | Err(Absence::Timeout))));
        if answer.scalars.iter().all(Result::is_ok) && ends.clone().all(|end| end.is_ok()) {
            assert_whole(&answer, ROWS);
            whole += 1;
        }
    }
    // A try is lost with 0.36, a request with 0.047: five of them all come through in 0.79 of the polls.
    assert!(alive > 370 && whole > 260, "{alive} alive, {whole} whole of 400");
    let counters = bench.session.counters();
    assert_eq!(counters.polls, 400);
    assert_eq!(counters.undecodable + counters.wrong_source + counters.wrong_community, 0);
}

#[test]
fn a_second_start_ends_the_first() {
    let mut bench = Bench::new(router(1));
    let generation = roundsman_core::fault::Generation;
    let plan = plan();
    for number in [8, 9] {
        let started = bench.session.start(1, generation(number), &bench.target, Arc::clone(&plan), bench.now);
        assert_eq!(started, Ok(()));
    }
    let first = bench.session.poll_finished().expect("the first has ended");
    assert_eq!((first.generation, first.answer.answered), (generation(8), false));
    assert_eq!(bench.session.outstanding(), 1);
    bench.session.forget(1);
    assert_eq!((bench.session.outstanding(), bench.session.poll_timeout()), (0, None));
    assert_eq!(bench.session.poll_finished(), None);
}

/// `cargo test -p roundsman-wire --test snmp record_replies -- --ignored` writes this agent's replies into the
/// fuzzing corpus; snmpd's were recorded beside them by a proxy in front of it.
#[test]
#[ignore = "writes tests/fuzz/corpus/snmp"]
fn record_replies() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/corpus/snmp");
    for (version, word) in [(Version::V2c, "v2c"), (Version::V1, "v1")] {
        for (plan, kind) in [(plan(), "whole"), (plan_with_gaps(), "gaps")] {
            let mut bench = Bench::new(router(if version == Version::V1 { 3 } else { ROWS }));
            bench.target.version = version;
            bench.poll(&plan);
            bench.agent.fault = Fault::TooBig(300);
            bench.poll(&plan);
            for (at, reply) in bench.seen.iter().enumerate().take(9) {
                std::fs::write(format!("{folder}/agent-{word}-{kind}-{at}.bin"), reply).expect("a file");
            }
        }
    }
}
