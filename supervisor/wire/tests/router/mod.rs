//! A router in memory and the plan that reads it: the workload that was measured.

#![allow(dead_code, reason = "each test program uses its own part of it")]

use crate::agent::{self, Agent, Value, integer, text, unsigned};
use roundsman_wire::snmp::answer::{Answer, Raw};
use roundsman_wire::snmp::oid::Oid;
use roundsman_wire::snmp::plan::{Object, Plan, Table};
use std::sync::Arc;

pub(crate) const ROWS: u32 = 24;
pub(crate) const IF: [u32; 9] = [1, 3, 6, 1, 2, 1, 2, 2, 1];
pub(crate) const IFX: [u32; 10] = [1, 3, 6, 1, 2, 1, 31, 1, 1, 1];

pub(crate) fn join(prefix: &[u32], index: &[u32]) -> Vec<u32> {
    [prefix, index].concat()
}

pub(crate) fn oid(arcs: &[u32]) -> Oid {
    Oid::new(arcs).expect("a test's identifier")
}

pub(crate) fn object(oids: &[&[u32]]) -> Object {
    Object { oids: oids.iter().map(|arcs| oid(arcs)).collect() }
}

/// A router: ten scalars, interfaces in two tables.
pub(crate) fn router(rows: u32) -> Agent {
    let mut objects = Vec::new();
    for scalar in 1..=7 {
        let value = match scalar {
            1 => text("Router of the test, version 17.6.3"),
            2 => Value(0x06, agent::identifier(&[1, 3, 6, 1, 4, 1, 9, 1, 2627])),
            3 => unsigned(0x43, 100_000),
            7 => integer(78),
            _ => text("noc@example.invalid"),
        };
        objects.push((vec![1, 3, 6, 1, 2, 1, 1, scalar, 0], value));
    }
    objects.push((vec![1, 3, 6, 1, 2, 1, 2, 1, 0], integer(rows.into())));
    objects.push((vec![1, 3, 6, 1, 2, 1, 25, 1, 1, 0], unsigned(0x43, 4_294_967_295)));
    objects.push((vec![1, 3, 6, 1, 2, 1, 31, 1, 5, 0], unsigned(0x43, 0)));
    for row in 1..=rows {
        for column in [1, 2, 5, 7, 8, 13, 14, 19, 20] {
            let value = match column {
                2 => text(&format!("GigabitEthernet0/{row}")),
                5 => unsigned(0x42, 1_000_000_000),
                7 | 8 => integer(1),
                column => unsigned(0x41, u64::from(column * 1_000 + row)),
            };
            objects.push((join(&IF, &[column, row]), value));
        }
        for (column, value) in [
            (1, text(&format!("Gi0/{row}"))),
            (6, unsigned(0x46, u64::MAX - u64::from(row))),
            (10, unsigned(0x46, 500_000 + u64::from(row))),
            (18, text(&format!("uplink {row}"))),
        ] {
            objects.push((join(&IFX, &[column, row]), value));
        }
    }
    // Something behind the tables, so that their end is another object and not the end of the view.
    objects.push((vec![1, 3, 6, 1, 4, 1, 9, 9, 0], integer(-1)));
    Agent::new(objects)
}

/// Ten scalars and nine columns, as in the measured workload.
pub(crate) fn plan() -> Arc<Plan> {
    let mut scalars: Vec<Object> = (1..=7).map(|n| object(&[&[1, 3, 6, 1, 2, 1, 1, n, 0]])).collect();
    scalars.push(object(&[&[1, 3, 6, 1, 2, 1, 2, 1, 0]]));
    scalars.push(object(&[&[1, 3, 6, 1, 2, 1, 25, 1, 1, 0]]));
    scalars.push(object(&[&[1, 3, 6, 1, 2, 1, 31, 1, 5, 0]]));
    let columns = [2, 7, 8, 13, 14, 19, 20]
        .map(|column| object(&[&join(&IF, &[column])]))
        .into_iter()
        .chain([6, 10].map(|column| object(&[&join(&IFX, &[column])])));
    Arc::new(Plan {
        scalars,
        tables: vec![Table { columns: columns.collect(), ..Table::default() }],
        ..Plan::default()
    })
}

/// The same, and the names of the rows are steady.
pub(crate) fn steady_plan() -> Arc<Plan> {
    let mut plan = plan().as_ref().clone();
    plan.steady = vec![0, 1, 3, 4, 5];
    plan.tables[0].steady = vec![0];
    plan.tables[0].signal = Some(9);
    Arc::new(plan)
}

/// That everything of `plan()` is there and right.
pub(crate) fn assert_whole(answer: &Answer, rows: u32) {
    assert!(answer.answered);
    assert_eq!(answer.scalars[6], Ok(Raw::Integer(78)));
    assert_eq!(answer.scalars[8], Ok(Raw::TimeTicks(u32::MAX)));
    let Ok(Raw::Oid(id)) = answer.scalars[1] else {
        panic!("sysObjectID: {:?}", answer.scalars[1]);
    };
    assert_eq!(answer.arcs(id), [1, 3, 6, 1, 4, 1, 9, 1, 2627]);
    for (at, column) in answer.tables[0].columns.iter().enumerate() {
        assert_eq!(column.end, Ok(()), "column {at}");
        let indexes: Vec<u32> = column.cells.iter().map(|cell| answer.arcs(cell.index)[0]).collect();
        assert_eq!(indexes, (1..=rows).collect::<Vec<u32>>(), "column {at}");
        for (cell, row) in column.cells.iter().zip(1..) {
            match (at, cell.raw) {
                (0, Raw::Octets(octets)) => {
                    assert_eq!(answer.octets(octets), format!("GigabitEthernet0/{row}").as_bytes());
                }
                (1 | 2, raw) => assert_eq!(raw, Raw::Integer(1)),
                (3..7, raw) => assert_eq!(raw, Raw::Counter32([13, 14, 19, 20][at - 3] * 1_000 + row)),
                (7, raw) => assert_eq!(raw, Raw::Counter64(u64::MAX - u64::from(row))),
                (8, raw) => assert_eq!(raw, Raw::Counter64(500_000 + u64::from(row))),
                (_, raw) => panic!("column {at} holds {raw:?}"),
            }
        }
    }
}
