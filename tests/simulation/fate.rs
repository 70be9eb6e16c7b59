//! What happens: to devices and lines, to the box and its clock, and what operators do. Each has its own odds; most of it
//! ends by itself after a while.

use crate::dice::Dice;
use crate::site::Plan;
use crate::world::{Heat, World};
use roundsman_core::fault::{Act, MOST_SHELF_MS, Sign};
use roundsman_core::rule::Severity;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// Something that happens.
#[derive(Clone, Debug)]
pub(crate) enum Turn {
    Power(usize, bool),
    Cut {
        at: usize,
        uplink: usize,
        cut: bool,
    },
    Mute(usize, bool),
    Deaf(usize, bool),
    Heat(usize, Heat),
    Port(usize, usize, bool),
    Admin(usize, usize, bool),
    AdminMissing(usize, bool),
    SecondPort(usize, bool),
    Whole(usize, bool),
    Serial(usize, u32),
    Loss(u64),
    Board(usize),
    Said {
        at: usize,
        rule: &'static str,
        instance: usize,
        sign: Sign,
    },
    /// An operator: which of the open faults, `None` for one that does not exist.
    Operator {
        pick: Option<u64>,
        act: Act,
    },
    /// The wall clock is set, ms.
    Step(i64),
    Reload {
        edits: bool,
    },
    Restart {
        down_ms: u64,
        loses: bool,
        forgets: bool,
    },
    /// The store refuses for so long.
    Refuses(u64),
}

/// When, from now on, and what.
pub(crate) type Script = Vec<(u64, Turn)>;

/// From a few seconds to hours, short ones more often.
fn while_ms(dice: &mut Dice) -> u64 {
    let most = dice.pick(&[30_000, 2 * MINUTE, 20 * MINUTE, HOUR, 3 * HOUR, 8 * HOUR]);
    3_000 + dice.below(most)
}

/// Draws what happens next.
pub(crate) fn draw(plan: &Plan, world: &World, dice: &mut Dice) -> Script {
    let at = dice.below(plan.places.len() as u64) as usize;
    let long = while_ms(dice);
    match dice.below(100) {
        0..16 => outage(plan, at, long, dice),
        16..24 if !plan.places[at].uplinks.is_empty() => {
            let uplink = dice.below(plan.places[at].uplinks.len() as u64) as usize;
            let turn = |cut| Turn::Cut { at, uplink, cut };
            vec![(0, turn(true)), (long, turn(false))]
        }
        24..31 => vec![(0, Turn::Mute(at, true)), (long, Turn::Mute(at, false))],
        31..34 => vec![(0, Turn::Deaf(at, true)), (long, Turn::Deaf(at, false))],
        34..50 => heat(at, long, dice),
        50..58 => ports(at, long, dice),
        58..63 => {
            let serial = world.devices[at].serial;
            let back = if dice.chance(2) { serial } else { serial + 1 };
            vec![(0, Turn::Serial(at, serial + 1)), (long, Turn::Serial(at, back))]
        }
        63..66 => vec![(0, Turn::Loss(dice.pick(&[0, 0, 10, 50, 100, 200])))],
        66..68 => vec![(0, Turn::Board(at))],
        68..78 => signs(at, dice),
        78..92 => {
            let pick = (!dice.chance(12)).then(|| dice.below(1_000));
            vec![(0, Turn::Operator { pick, act: act(dice) })]
        }
        92..96 => vec![(0, Turn::Refuses(dice.pick(&[1_000, 30_000, 10 * MINUTE])))],
        96..98 => vec![(0, Turn::Reload { edits: !dice.chance(4) })],
        _ => restart(dice),
    }
}

/// A device fails. What hangs on it may fail with it, or take a while longer to come back.
fn outage(plan: &Plan, at: usize, long: u64, dice: &mut Dice) -> Script {
    // One outage in three is of a device that others hang on.
    let at = if dice.chance(3) { dice.below(12.min(plan.places.len() as u64)) as usize } else { at };
    let mut script = vec![(0, Turn::Power(at, false)), (long, Turn::Power(at, true))];
    for (below, place) in plan.places.iter().enumerate() {
        let Some(uplink) = place.uplinks.iter().position(|&uplink| uplink == at) else { continue };
        if dice.chance(3) {
            let from = dice.below(long);
            let later = long + dice.below(15 * MINUTE);
            script.push((from, Turn::Cut { at: below, uplink, cut: true }));
            script.push((later, Turn::Cut { at: below, uplink, cut: false }));
        }
    }
    script
}

fn heat(at: usize, long: u64, dice: &mut Dice) -> Script {
    let heat = match dice.below(6) {
        0 => Heat::Missing,
        1 => Heat::Steady(68.0),
        2 => Heat::Steady(95.0),
        3 => Heat::Chatter(58.0, 68.0),
        4 => Heat::Chatter(64.0, 78.0),
        _ => Heat::Chatter(83.0, 92.0),
    };
    let mut script = vec![(0, Turn::Heat(at, heat))];
    if dice.chance(3) {
        let next = dice.pick(&[Heat::Missing, Heat::Steady(62.0), Heat::Steady(72.0)]);
        script.push((long / 2, Turn::Heat(at, next)));
    }
    script.push((long, Turn::Heat(at, Heat::Steady(40.0))));
    script
}

fn ports(at: usize, long: u64, dice: &mut Dice) -> Script {
    let port = dice.below(2) as usize;
    match dice.below(8) {
        0..4 => {
            let mut script = vec![(0, Turn::Port(at, port, false)), (long, Turn::Port(at, port, true))];
            if dice.chance(3) {
                script.push((long / 2, Turn::Admin(at, port, false)));
                script.push((long, Turn::Admin(at, port, true)));
            }
            if dice.chance(3) {
                script.push((long / 3, Turn::AdminMissing(at, true)));
                script.push((long, Turn::AdminMissing(at, false)));
            }
            script
        }
        4 | 5 => vec![
            (0, Turn::Port(at, 1, false)),
            (long / 2, Turn::SecondPort(at, false)),
            (long + HOUR, Turn::SecondPort(at, true)),
            (long + HOUR, Turn::Port(at, 1, true)),
        ],
        6 => vec![(0, Turn::Whole(at, false)), (long, Turn::Whole(at, true))],
        _ => vec![(0, Turn::SecondPort(at, false)), (long, Turn::SecondPort(at, true))],
    }
}

fn signs(at: usize, dice: &mut Dice) -> Script {
    let rule = dice.pick(&["motion", "tamper", "port-down", "no-such-rule"]);
    let instance = if rule == "port-down" { 1 + dice.below(2) as usize } else { 0 };
    let severity = dice.pick(&[None, None, Some(Severity::Major), Some(Severity::Critical)]);
    let mut script = Vec::new();
    let mut when = 0;
    for _ in 0..=dice.below(6) {
        let sign = if dice.chance(3) { Sign::Good } else { Sign::Bad(severity) };
        script.push((when, Turn::Said { at, rule, instance, sign }));
        let most = dice.pick(&[500, 3_000, 20 * MINUTE]);
        when += dice.below(most);
    }
    script.push((when, Turn::Said { at, rule, instance, sign: Sign::Good }));
    script
}

fn act(dice: &mut Dice) -> Act {
    match dice.below(10) {
        0..3 => Act::Acknowledge,
        3 => Act::Assign { to: "王工".into() },
        4 => Act::Arrive,
        5 => Act::Shelve {
            for_ms: dice.pick(&[0, 60_000, HOUR, MOST_SHELF_MS, 9 * HOUR]),
            reason: "备件在途".into(),
        },
        6 => Act::Unshelve,
        _ => Act::Close,
    }
}

fn restart(dice: &mut Dice) -> Script {
    let down_ms = dice.pick(&[0, 800, 20_000, 10 * MINUTE, 2 * HOUR]);
    let turn = Turn::Restart { down_ms, loses: dice.chance(2), forgets: dice.chance(4) };
    let mut script = vec![(0, turn)];
    if dice.chance(2) {
        // The store refuses just before, so that something is lost.
        script = vec![(0, Turn::Refuses(5 * MINUTE)), (4 * MINUTE, script.remove(0).1)];
    }
    script
}

/// A step of the wall clock, up to ten years either way.
pub(crate) fn step(dice: &mut Dice) -> Turn {
    let most = dice.pick(&[2_000, HOUR, 24 * HOUR, 10 * 365 * 24 * HOUR]);
    let by = dice.below(most) as i64;
    Turn::Step(if dice.chance(2) { by } else { -by })
}
