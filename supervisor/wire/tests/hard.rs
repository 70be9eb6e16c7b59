//! Agents that misbehave, one table of what is left of their polls. Sources: snmp_exporter#1236, #756, #1240;
//! devmon#102; librenms#17176; netdata PR#21139.

mod agent;
mod router;

use agent::{Bench, Fault, text, unsigned};
use roundsman_core::reading::Absence;
use roundsman_wire::snmp::Version;
use roundsman_wire::snmp::answer::{Answer, Raw};
use router::{IF, ROWS, assert_whole, join, plan, router};

/// ifOperStatus in the plan.
const STATUS: usize = 2;

fn ends(answer: &Answer) -> Vec<Result<(), Absence>> {
    answer.tables[0].columns.iter().map(|column| column.end).collect()
}

#[test]
fn an_agent_that_cannot_getbulk_is_read_by_getnext_and_remembered() {
    for fault in [Fault::NoBulk(5), Fault::NoBulk(1), Fault::NoBulk(13), Fault::BulkSilent] {
        let mut bench = Bench::new(router(ROWS));
        bench.agent.fault = fault;
        let plan = plan();
        for poll in 0..4 {
            let before = bench.agent.bulks;
            let answer = bench.poll(&plan).answer;
            assert_whole(&answer, ROWS);
            let bulks = bench.agent.bulks - before;
            assert!(poll == 0 || bulks == 0, "{fault:?}, poll {poll}: {bulks} GETBULK");
        }
    }
}

#[test]
fn getbulk_is_tried_again_less_and_less_often_and_taken_up_when_it_works() {
    let mut bench = Bench::new(router(3));
    bench.agent.fault = Fault::BulkSilent;
    let plan = plan();
    let mut tried = Vec::new();
    for poll in 0..220 {
        let before = bench.agent.bulks;
        assert_whole(&bench.poll(&plan).answer, 3);
        if bench.agent.bulks > before {
            tried.push(poll);
        }
    }
    assert_eq!(tried, [0, 31, 92, 213], "every try twice as late as the last");
    bench.agent.fault = Fault::None;
    let cured = (0..300).find(|_| {
        let before = bench.agent.bulks;
        bench.poll(&plan);
        bench.agent.bulks > before
    });
    assert!(cured.is_some());
    assert!(bench.poll(&plan).answer.cost.requests <= 3);
}

#[test]
fn a_stalling_agent_is_whole_from_the_first_poll_and_its_limit_is_remembered() {
    for most in [1, 2, 9, 30, 100] {
        let mut bench = Bench::new(router(ROWS));
        // Only tables are large: the scalars of this plan go in one request of ten.
        bench.agent.fault = Fault::Stalls(most.max(10));
        let plan = plan();
        let mut retries = Vec::new();
        for _ in 0..40 {
            let answer = bench.poll(&plan).answer;
            assert_whole(&answer, ROWS);
            retries.push(answer.cost.retries);
        }
        let silent = retries.iter().skip(6).filter(|&&retries| retries > 0).count();
        assert!(silent <= 3, "at most {most}: {retries:?}");
    }
}

#[test]
fn a_column_that_loops_keeps_what_came_before_and_harms_no_other() {
    for version in [Version::V1, Version::V2c] {
        let mut bench = Bench::new(router(ROWS));
        bench.target.version = version;
        bench.agent.fault = Fault::Loops(8);
        let plan = plan();
        for poll in 0..3 {
            let answer = bench.poll(&plan).answer;
            for (at, column) in answer.tables[0].columns.iter().enumerate() {
                let expected = if at == STATUS { (Err(Absence::Malformed), 7) } else { (Ok(()), 24) };
                assert_eq!((column.end, column.cells.len()), expected, "{version:?}, poll {poll}, {at}");
            }
            assert!(answer.cost.requests < 60, "{:?}", answer.cost);
        }
    }
}

#[test]
fn a_hole_is_a_missing_cell_and_moves_no_value_to_another_row() {
    for (version, row) in [(Version::V1, 5), (Version::V2c, 5), (Version::V2c, 1), (Version::V2c, ROWS)] {
        let mut bench = Bench::new(router(ROWS));
        bench.target.version = version;
        let plan = plan();
        bench.poll(&plan);
        bench.agent.fault = Fault::Hole(14, row);
        for _ in 0..3 {
            let answer = bench.poll(&plan).answer;
            assert!(ends(&answer).iter().all(Result::is_ok), "{:?}", ends(&answer));
            let errors = &answer.tables[0].columns[4];
            assert_eq!(errors.cells.len(), 23);
            for cell in &errors.cells {
                let index = answer.arcs(cell.index)[0];
                assert_ne!(index, row);
                assert_eq!(cell.raw, Raw::Counter32(14_000 + index), "{version:?}, row {row}");
            }
        }
    }
}

#[test]
fn more_than_asked_for_and_the_end_of_the_view_are_no_harm() {
    let mut bench = Bench::new(router(ROWS));
    bench.agent.fault = Fault::Generous;
    let plan = plan();
    for _ in 0..3 {
        assert_whole(&bench.poll(&plan).answer, ROWS);
    }
    // The tables are the last thing the agent has: every column ends with endOfMibView, v1 with noSuchName.
    for version in [Version::V1, Version::V2c] {
        let mut bench = Bench::new(router(ROWS));
        bench.target.version = version;
        bench.agent.objects.retain(|name, _| name[4] != 4);
        for _ in 0..3 {
            assert_whole(&bench.poll(&plan).answer, ROWS);
        }
    }
}

/// The router after a restart: rows numbered anew from 101, counters near zero, little uptime.
fn restarted() -> std::collections::BTreeMap<Vec<u32>, agent::Value> {
    let mut objects = router(0).objects;
    objects.insert(vec![1, 3, 6, 1, 2, 1, 1, 3, 0], unsigned(0x43, 900));
    for row in 101..=100 + ROWS {
        for (column, value) in [(2, text(&format!("GigabitEthernet0/{row}"))), (13, unsigned(0x41, 3))] {
            objects.insert(join(&IF, &[column, row]), value);
        }
    }
    objects
}

#[test]
fn a_restart_in_mid_poll_mixes_nothing() {
    for version in [Version::V1, Version::V2c] {
        for known in [false, true] {
            for after in 1..=3 {
                let mut bench = Bench::new(router(ROWS));
                bench.target.version = version;
                let plan = plan();
                if known {
                    bench.poll(&plan);
                }
                bench.agent.afterwards = restarted();
                bench.agent.fault = Fault::Restarts(bench.agent.requests + after);
                let answer = bench.poll(&plan).answer;
                let case = format!("{version:?}, known {known}, restart after request {after}");
                assert_eq!(answer.scalars[2], Ok(Raw::TimeTicks(900)), "{case}");
                let rows = answer.tables[0].columns.iter().flat_map(|column| &column.cells);
                assert!(rows.clone().count() > 0, "{case}");
                for cell in rows {
                    assert!(answer.arcs(cell.index)[0] > 100, "{case}: a row of before");
                }
            }
        }
    }
}

#[test]
fn an_agent_that_restarts_all_the_time_ends_not_judged() {
    let mut bench = Bench::new(router(ROWS));
    bench.agent.fault = Fault::Restless;
    let answer = bench.poll(&plan()).answer;
    assert!(answer.answered);
    assert!(answer.scalars.iter().all(|scalar| *scalar == Err(Absence::NotJudged)), "{:?}", answer.scalars);
    assert!(ends(&answer).iter().all(|end| *end == Err(Absence::NotJudged)), "{:?}", ends(&answer));
    assert!(answer.cost.requests < 8, "{:?}", answer.cost);
}

#[test]
fn twelve_hundred_interfaces_and_replies_of_sixty_four_kilobytes() {
    for (most, fault) in [(1_472, Fault::None), (65_000, Fault::None), (1_472, Fault::TooBig(484))] {
        let mut agent = router(1_200);
        agent.most = most;
        agent.fault = fault;
        let mut bench = Bench::new(agent);
        let plan = plan();
        for _ in 0..3 {
            assert_whole(&bench.poll(&plan).answer, 1_200);
        }
        let cost = bench.poll(&plan).answer.cost;
        assert!(fault != Fault::None || cost.requests <= 230, "{most}: {cost:?}");
    }
    // One value alone may fill the largest datagram UDP carries.
    let mut agent = router(2);
    agent.most = 65_507;
    agent.objects.insert(vec![1, 3, 6, 1, 2, 1, 1, 1, 0], text(&"x".repeat(64_000)));
    let mut bench = Bench::new(agent);
    let answer = bench.poll(&plan()).answer;
    assert_whole(&answer, 2);
    let Ok(Raw::Octets(long)) = answer.scalars[0] else {
        panic!("sysDescr: {:?}", answer.scalars[0]);
    };
    assert_eq!(answer.octets(long).len(), 64_000);
}

#[test]
fn never_more_than_one_request_of_a_device_is_under_way() {
    for fault in [Fault::None, Fault::Late(700), Fault::Loss(30), Fault::Duplicate, Fault::Stalls(20)] {
        let mut bench = Bench::new(router(ROWS));
        bench.agent.fault = fault;
        for _ in 0..5 {
            bench.poll(&plan());
        }
        assert_eq!(bench.most_at_once, 1, "{fault:?}");
    }
}
