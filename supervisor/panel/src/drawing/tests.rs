//! What holds for every drawing, whatever it is given.

use super::*;
use crate::site::{DeviceState, Limit};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use roundsman_core::rule::Severity;
use roundsman_core::time::Wall as At;

/// Name that tries to leave its place: markup, quotes, a turn of direction, a control character, a long tail.
const HOSTILE: &str = "<script>alert(1)</script>\" onload='x' & \u{202E}gnp.\u{0}\u{7}名";

fn hostile() -> String {
    format!("{HOSTILE}{}", "长".repeat(1_000_000))
}

/// A drawing is well formed, names no script and holds nothing that reads as markup of the caller.
fn assert_safe(svg: &str) {
    assert!(
        svg.starts_with("<svg class=\"drawing ") && svg.ends_with("</svg>"),
        "{}",
        &svg[..80.min(svg.len())]
    );
    assert!(svg.contains(" role=\"img\"") && svg.contains(" aria-label=\""));
    for forbidden in ["<script", "\u{202E}", "\u{0}", "\"NaN", "\"inf", " NaN", " inf"] {
        assert!(!svg.contains(forbidden), "{forbidden:?} in a drawing");
    }
    let mut open = Vec::new();
    for piece in svg.split('<').skip(1) {
        let (tag, _) = piece.split_once('>').unwrap();
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        // What stands outside the quotes: the names of the attributes.
        for name in tag.split('"').step_by(2) {
            for forbidden in [" style=", " on", " id=", "'"] {
                assert!(!name.contains(forbidden), "{forbidden:?} in {tag}");
            }
        }
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{tag}"),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().unwrap()),
        }
    }
    assert!(open.is_empty());
}

fn limit(at: f64) -> Limit {
    Limit { severity: Severity::Critical, at, above: true }
}

fn drawn_series(points: &[(At, Option<f64>)], span: (At, At), at: f64, size: (f64, f64)) -> [String; 2] {
    let spread: Vec<_> =
        points.iter().map(|(t, v)| (*t, v.map(|v| Spread { low: -v, mean: v, high: v }))).collect();
    let label = HOSTILE;
    let run = |two: &[(At, Option<f64>)]| Run {
        span: (two[0].0, two[1].0),
        word: HOSTILE.to_owned(),
        usual: two[0].1.is_none(),
        absent: two[1].1.is_none(),
    };
    let runs: Vec<Run> = points.windows(2).map(run).collect();
    [
        run_strip(&RunStrip {
            label,
            span,
            interval_s: 60,
            runs: &runs,
            zone: &TimeZone::UTC,
            width: size.0,
            height: size.1,
        }),
        chart(&Chart {
            label,
            span,
            interval_s: 60,
            points: &spread,
            unit: HOSTILE,
            limits: &[Threshold { limit: limit(at), label: HOSTILE }],
            zone: &TimeZone::UTC,
            width: size.0,
            height: size.1,
        }),
    ]
}

#[test]
fn broken_series_are_drawn_safely_and_within_bounds() {
    let many: Vec<_> = (0..300_000).map(|i| (At(i * 1_000), Some((i as f64).sin()))).collect();
    let reversed: Vec<_> = many[..500].iter().rev().copied().collect();
    type Case<'a> = (&'a str, &'a [(At, Option<f64>)]);
    let cases: &[Case<'_>] = &[
        ("none", &[]),
        ("one", &many[..1]),
        ("missing", &[(At(0), None), (At(60_000), None)]),
        ("constant", &[(At(0), Some(5.0)), (At(60_000), Some(5.0)), (At(120_000), Some(5.0))]),
        (
            "not numbers",
            &[(At(0), Some(f64::NAN)), (At(1), Some(f64::INFINITY)), (At(2), Some(f64::NEG_INFINITY))],
        ),
        ("extremes", &[(At(i64::MIN), Some(f64::MIN)), (At(i64::MAX), Some(f64::MAX))]),
        ("smallest", &[(At(0), Some(5e-324)), (At(60_000), Some(0.0))]),
        ("reversed", &reversed),
        ("many", &many),
    ];
    let spans = [(0, 3_600_000), (3_600_000, 0), (0, 0), (i64::MIN, i64::MAX), (i64::MAX - 5, i64::MAX)];
    let sizes = [(320.0, 200.0), (0.0, 0.0), (f64::NAN, f64::INFINITY), (1e12, -4.0)];
    for (name, points) in cases {
        for span in spans {
            for size in sizes {
                for at in [1.0, f64::NAN, f64::INFINITY] {
                    // Every size with every limit for the short series; the long one is slow to repeat.
                    if points.len() > 1_000 && (size != sizes[0] || at != 1.0) {
                        continue;
                    }
                    for svg in drawn_series(points, (At(span.0), At(span.1)), at, size) {
                        assert_safe(&svg);
                        assert!(svg.len() < 400_000, "{name}: {} octets", svg.len());
                    }
                }
            }
        }
    }
}

#[test]
fn a_million_things_with_hostile_names_are_drawn_safely_and_within_bounds() {
    let name = hostile();
    let port = Port { name: &name, title: &name, state: PortState::Up, uplink: true, load: Some(f64::NAN) };
    let ports = vec![port; 1_000_000];
    let stations = vec![DeviceState::Critical; 1_000_000];
    let panel = WallPanel { state: DeviceState::Ok, word: &name, input: &name, signal: &name, lit: true };
    let camera =
        Camera { name: &name, state: DeviceState::Major, word: &name, age: &name, still: Some(&name) };
    let line = TierLine { state: LineState::Up, load: Some(f64::INFINITY) };
    let node = Node {
        name: &name,
        state: DeviceState::Hidden,
        note: &name,
        children: &stations,
        collapsed: None,
        line,
    };
    let behind = Node { collapsed: Some(&name), ..node };
    let counties = vec![node; 1_000];
    for width in [0.0, 320.0, 1_920.0, f64::NAN, f64::INFINITY] {
        let columns = width as usize;
        let all = [
            interface_strip(&InterfaceStrip { label: &name, ports: &ports, width }),
            mosaic(&Mosaic { label: &name, stations: &stations, columns, cell: width }),
            wall(&Wall { label: &name, rows: columns, columns, panels: &[panel], width }),
            cameras(&Cameras { label: &name, columns, cameras: &vec![camera; 1_000], width }),
            tiers(&Tiers {
                label: &name,
                province: Some(node),
                core: behind,
                networks: &counties,
                counties: &counties,
                width,
                height: width,
            }),
        ];
        for (i, svg) in all.iter().enumerate() {
            assert_safe(svg);
            assert!(svg.len() < 600_000, "drawing {i} at {width}: {} octets", svg.len());
        }
    }
}

#[test]
fn a_still_comes_from_this_server_alone() {
    let draw = |still| {
        let camera = Camera { name: "", state: DeviceState::Ok, word: "", age: "", still: Some(still) };
        cameras(&Cameras { label: "", columns: 1, cameras: &[camera], width: 320.0 })
    };
    assert!(draw("/stills/cam-07?at=1").contains("href=\"/stills/cam-07?at=1\""));
    for foreign in
        ["//example.org/x", "https://example.org/x", "javascript:alert(1)", "data:image/png,", "", "x"]
    {
        assert!(!draw(foreign).contains("<image"), "{foreign}");
    }
}

/// A load is a share of a hundred; a loss of 3 % would lie on the ground there.
#[test]
fn a_percentage_is_shown_up_to_a_hundred_unless_its_limits_are_small() {
    let top = |limits: &[f64], value: f64| {
        let spread = Spread { low: value, mean: value, high: value };
        let limits: Vec<Threshold<'_>> =
            limits.iter().map(|at| Threshold { limit: limit(*at), label: "" }).collect();
        let svg = chart(&Chart {
            label: "",
            span: (At(0), At(600_000)),
            interval_s: 60,
            points: &[(At(60_000), Some(spread)), (At(120_000), Some(spread))],
            unit: "%",
            limits: &limits,
            zone: &TimeZone::UTC,
            width: 400.0,
            height: 240.0,
        });
        ["20", "40", "100"].into_iter().rfind(|tick| svg.contains(&format!(">{tick}</text>"))).unwrap_or("")
    };
    assert_eq!(top(&[], 3.0), "100");
    assert_eq!(top(&[80.0, 95.0], 3.0), "100");
    assert_eq!(top(&[10.0, 2.0], 3.0), "20");
    assert_eq!(top(&[10.0, 2.0], 36.0), "40");
}

#[test]
fn a_thousand_stations_cost_little() {
    let stations: Vec<DeviceState> =
        (0..1_000).map(|i| if i % 20 == 0 { DeviceState::Warning } else { DeviceState::Ok }).collect();
    let svg = mosaic(&Mosaic { label: "", stations: &stations, columns: 40, cell: 12.0 });
    assert!(svg.len() < 16_384, "{} octets", svg.len());
    assert_eq!(svg.matches("<path").count(), 2, "one path per state");
}

#[test]
fn one_missing_poll_joins_two_break_the_line() {
    let draw = |missing: usize| {
        let points: Vec<_> = (0..20)
            .map(|i| (At(i as i64 * 60_000), (!(8..8 + missing).contains(&i)).then_some(i as f64)))
            .collect();
        let spread: Vec<_> =
            points.iter().map(|(t, v)| (*t, v.map(|v| Spread { low: v, mean: v, high: v }))).collect();
        chart(&Chart {
            label: "",
            span: (At(0), At(19 * 60_000)),
            interval_s: 60,
            points: &spread,
            unit: "%",
            limits: &[],
            zone: &TimeZone::UTC,
            width: 600.0,
            height: 200.0,
        })
    };
    for (missing, gaps) in [(0, 0), (1, 0), (2, 1), (9, 1)] {
        let svg = draw(missing);
        let line = svg.split("d-line\" d=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(line.matches('M').count(), gaps + 1, "{missing} missing");
        assert_eq!(svg.contains("d-gap-ground"), gaps > 0, "{missing} missing");
    }
}

proptest! {
    /// First, smallest, largest and latest value of every column are those of the points in it, and no point inside
    /// the span is left out.
    #[test]
    fn m4_keeps_first_smallest_largest_latest(
        points in proptest::collection::vec((0i64..10_000, proptest::option::of(-1e6f64..1e6)), 0..400),
        columns in 1usize..50,
        span in (0i64..10_000, 1i64..10_000),
    ) {
        let span = (At(span.0), At(span.0 + span.1));
        let points: Vec<_> = points.into_iter().map(|(at, v)| (At(at), v)).collect();
        let found = m4(&points, span, columns);
        let index = |at: At| {
            let share = (at.0 - span.0.0) as f64 / (span.1.0 - span.0.0) as f64;
            ((share * columns as f64) as usize).min(columns - 1)
        };
        let mut total = 0;
        for column in 0..columns {
            let here: Vec<(At, f64)> = points.iter()
                .filter(|(at, _)| *at >= span.0 && *at <= span.1 && index(*at) == column)
                .filter_map(|(at, v)| Some((*at, (*v)?)))
                .collect();
            let Some(got) = found.iter().find(|c| c.index == column) else {
                prop_assert!(here.is_empty());
                continue;
            };
            total += 1;
            prop_assert_eq!(got.first.0, here.iter().map(|p| p.0).min().unwrap());
            prop_assert_eq!(got.last.0, here.iter().map(|p| p.0).max().unwrap());
            prop_assert_eq!(got.low.1, here.iter().map(|p| p.1).reduce(f64::min).unwrap());
            prop_assert_eq!(got.high.1, here.iter().map(|p| p.1).reduce(f64::max).unwrap());
            for four in [got.first, got.last, got.low, got.high] {
                prop_assert!(here.contains(&four));
            }
        }
        prop_assert_eq!(total, found.len());
        prop_assert!(found.is_sorted_by_key(|c| c.index));
    }

    /// Whatever comes in, a drawing comes out.
    #[test]
    fn any_series_is_drawn_safely(
        points in proptest::collection::vec((any::<i64>(), proptest::option::of(any::<f64>())), 0..60),
        span in (any::<i64>(), any::<i64>()),
        at in any::<f64>(),
        size in (any::<f64>(), any::<f64>()),
    ) {
        let points: Vec<_> = points.into_iter().map(|(at, v)| (At(at), v)).collect();
        for svg in drawn_series(&points, (At(span.0), At(span.1)), at, size) {
            assert_safe(&svg);
        }
    }
}
