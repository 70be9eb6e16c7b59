//! The map keeps its addresses, its rules and its printed table.

use std::collections::BTreeSet;

use roundsman_registers::compat::{Fit, compat};
use roundsman_registers::*;

#[path = "../examples/map.rs"]
#[allow(dead_code, unreachable_pub)]
mod document;

/// One line a point; a published version's file never changes.
fn table(version: u16) -> String {
    let line = |point: &Point| {
        format!(
            "{:?} {} {} {:?} {} {} {:?} {:?}\n",
            point.space,
            point.address,
            point.name,
            point.kind,
            point.divisor,
            point.unit,
            point.sentinel,
            point.writable
        )
    };
    POINTS.iter().filter(|point| point.since <= version).map(line).collect()
}

#[test]
fn version_1_is_frozen() {
    assert_eq!(
        table(1),
        include_str!("map-1.txt"),
        "a published map never changes: give new points a new version"
    );
}

#[test]
fn the_printed_table_is_this_map() {
    assert_eq!(document::text(), include_str!("../MAP.md"), "print MAP.md again");
}

#[test]
fn points_do_not_overlap_and_stay_in_their_blocks() {
    let mut taken = BTreeSet::new();
    let mut names = BTreeSet::new();
    for point in POINTS {
        assert!(names.insert(point.name), "{} is named twice", point.name);
        assert!((MAP_MIN..=MAP_CURRENT).contains(&point.since));
        let end = match point.space {
            Space::Input => INPUTS,
            Space::Holding => CONFIG + CONFIGS,
            Space::Coil => COILS,
            Space::Discrete => DISCRETES,
        };
        for at in point.address..point.address + point.kind.width() {
            assert!(at < end, "{} lies outside its block", point.name);
            assert!(taken.insert((format!("{:?}", point.space), at)), "{} overlaps", point.name);
        }
    }
    for at in CONFIG..CONFIG + 17 {
        assert!(point(Space::Holding, at).is_some(), "holding register {at} is kept but has no point");
    }
}

#[test]
fn channels_lie_where_they_are_computed() {
    for channel in Channel::ALL {
        let at = channel.index() as u16;
        let value = point(Space::Input, VALUE + at).unwrap();
        assert_eq!(value.sentinel, Some(channel.sentinel()), "{}", value.name);
        assert_eq!(value.kind == Type::I16, channel.signed());
        let quality = point(Space::Input, QUALITY + at).unwrap();
        assert_eq!(quality.name, format!("{}-quality", value.name));
        let low = point(Space::Holding, LIMIT + 3 * at).unwrap();
        assert_eq!((low.name, low.writable), (&*format!("{}-low", value.name), Some(channel.range())));
        assert_eq!(point(Space::Holding, OFFSET + at).unwrap().name, format!("{}-offset", value.name));
    }
}

#[test]
fn a_poll_is_one_read() {
    const { assert!(INPUTS <= 125 && CONFIGS <= 123) };
}

#[test]
fn boards_of_other_versions_are_judged() {
    assert_eq!(compat(MAGIC, MAP_CURRENT, MAP_MIN), Fit::Same);
    assert_eq!(compat(MAGIC, MAP_CURRENT + 3, 1), Fit::Newer { version: MAP_CURRENT + 3 });
    assert_eq!(compat(MAGIC, 9, MAP_CURRENT + 1), Fit::TooNew { least: MAP_CURRENT + 1 });
    for (magic, current, least) in [(0, 1, 1), (MAGIC, 0, 0), (MAGIC, 1, 2), (0xffff, 0xffff, 0xffff)] {
        assert_eq!(compat(magic, current, least), Fit::NotAProbe);
    }
    assert_eq!(Fit::Same.readable().count(), POINTS.len());
    assert_eq!(Fit::TooNew { least: 9 }.readable().count(), 9, "the identity alone");
    assert_eq!(Fit::Older { version: 0 }.readable().count(), 0);
    assert_eq!(Fit::NotAProbe.readable().count(), 0);
}
