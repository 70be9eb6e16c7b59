//! Four minutes in the life of a site, over and over, in eight scenes: a county's trunk fails and returns, a router
//! overheats and cools down, a disk fills up and is cleared, a station loses packets and is never taken for down, a port
//! flaps, a UPS lives on its battery for a while, a machine room gets warm.
//!
//! A schedule and nothing else: it reads no clock and touches no device.

use crate::fault::{Assignment, Fault};
use crate::scene::mix;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One round. Its last fault clears within it.
pub const ROUND: Duration = Duration::from_secs(240);

/// How hot the router gets, in degrees Celsius: above every limit for chassis.
const HOT: f64 = 78.0;

/// How warm the machine room gets, in degrees Celsius: above the 27 that GB 50174 allows at the racks' inlet, far from
/// what harms.
const WARM: f64 = 29.5;

/// How full the disk gets, in percent: major, not critical.
const FULL: u8 = 94;

/// Share of the station's requests that are lost, in percent.
const LOST: u8 = 30;

/// Something in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} · {}", self.zh, self.en)
    }
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A county's trunk is down: its router and stations are silent.
    Trunk,
    /// A router overheats.
    Heat,
    /// A server's disk fills up.
    Disk,
    /// A station loses packets: its line is at fault, and nothing says that it is down.
    Loss,
    /// A switch's uplink port flaps.
    Port,
    /// A UPS has no mains.
    Battery,
    /// A panel of a video wall is dead on its line.
    Panel,
    /// The machine room gets warm, as its probe board says.
    Room,
}

/// One scene of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    /// What happens.
    pub kind: Kind,
    /// When it begins, counted from the round's start.
    pub begins: Duration,
    /// When it ends.
    pub ends: Duration,
    /// What the script calls it.
    pub title: Words,
    /// What is said as it begins.
    begin: Words,
    /// What is said as it ends.
    end: Words,
}

const fn words(zh: &'static str, en: &'static str) -> Words {
    Words { zh, en }
}

/// The script: the scenes in the order of their beginnings.
///
/// They end early enough for their faults to clear within the round: a full disk counts as cleared after two good
/// minutes, a port and the mains after one. Lost packets are remembered for a minute where a probe goes out every
/// second, and the probe board's mean follows the air by some seconds. The mains are away for less than the minute after which the UPS's own count of alarms would be a second
/// fault.
pub const SCRIPT: [Scene; 8] = [
    Scene {
        kind: Kind::Trunk,
        begins: Duration::from_secs(20),
        ends: Duration::from_secs(65),
        title: words(
            "县区线路中断，路由器与下属各所失联",
            "a county's trunk fails, its router and stations fall silent",
        ),
        begin: words("县区线路中断", "county trunk down"),
        end: words("县区线路恢复", "county trunk back"),
    },
    Scene {
        kind: Kind::Panel,
        begins: Duration::from_secs(25),
        ends: Duration::from_secs(90),
        title: words("大屏一块屏体无应答，其余照常", "a panel of the video wall dies, the others go on"),
        begin: words("大屏一块屏体无应答", "a wall's panel dies"),
        end: words("屏体恢复应答", "the panel answers again"),
    },
    Scene {
        kind: Kind::Heat,
        begins: Duration::from_secs(35),
        ends: Duration::from_secs(85),
        title: words("一台路由器升温至 78 ℃", "another router heats up to 78 °C"),
        begin: words("路由器升温", "router heats up"),
        end: words("路由器降温", "router cools down"),
    },
    Scene {
        kind: Kind::Disk,
        begins: Duration::from_secs(50),
        ends: Duration::from_secs(95),
        title: words("一台服务器磁盘写至 94 %，随后清理", "a server's disk fills up to 94 % and is cleared"),
        begin: words("磁盘写满", "disk fills up"),
        end: words("磁盘已清理", "disk cleared"),
    },
    Scene {
        kind: Kind::Loss,
        begins: Duration::from_secs(60),
        ends: Duration::from_secs(140),
        title: words(
            "一个所丢包三成：报线路丢包，不报失联",
            "a station loses 30 % of all packets: a lossy line, not a dead device",
        ),
        begin: words("所线路丢包 30 %", "station loses 30 % of packets"),
        end: words("所线路不再丢包", "station loses nothing any more"),
    },
    Scene {
        kind: Kind::Port,
        begins: Duration::from_secs(90),
        ends: Duration::from_secs(155),
        title: words("一台交换机上联端口反复通断", "a switch's uplink port flaps"),
        begin: words("上联端口反复通断", "uplink port flaps"),
        end: words("上联端口稳定", "uplink port steady"),
    },
    Scene {
        kind: Kind::Battery,
        begins: Duration::from_secs(105),
        ends: Duration::from_secs(150),
        title: words("市电中断，UPS 转电池供电", "mains fail, the UPS lives on its battery"),
        begin: words("市电中断", "mains fail"),
        end: words("市电恢复", "mains back"),
    },
    Scene {
        kind: Kind::Room,
        begins: Duration::from_secs(110),
        ends: Duration::from_secs(170),
        title: words(
            "机房升温至 29.5 ℃，探测板随后回落",
            "the machine room warms up to 29.5 °C, as its probe board says",
        ),
        begin: words("机房升温", "machine room gets warm"),
        end: words("机房降温", "machine room cools down"),
    },
];

/// Who can play. A scene that nobody can play is left out.
#[derive(Clone, Debug, Default)]
pub struct Cast {
    /// Routers whose branch can fall silent.
    pub trunks: Vec<Arc<str>>,
    /// Devices that can overheat.
    pub hot: Vec<Arc<str>>,
    /// Devices with disks.
    pub disks: Vec<Arc<str>>,
    /// Devices on lossy lines, each with the one that it hangs on.
    pub lossy: Vec<(Arc<str>, Arc<str>)>,
    /// Devices with a port that can flap.
    pub ports: Vec<(Arc<str>, Arc<str>)>,
    /// Devices with a battery.
    pub batteries: Vec<Arc<str>>,
    /// Panels of video walls: the wall, and the panel's address.
    pub panels: Vec<(Arc<str>, u8)>,
    /// Probe boards of rooms that can get warm.
    pub rooms: Vec<Arc<str>>,
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When, counted from the story's start.
    pub at: Duration,
    /// What.
    pub assignment: Assignment,
    /// What it means.
    pub words: Words,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", minutes(self.at), self.assignment, self.words)
    }
}

/// A time as minutes and seconds.
pub fn minutes(at: Duration) -> String {
    format!("{}:{:02}", at.as_secs() / 60, at.as_secs() % 60)
}

/// One thing of a round: a scene begins or ends.
#[derive(Clone, Copy, Debug)]
struct Step {
    at: Duration,
    scene: Scene,
    begins: bool,
}

/// The story of a site.
#[derive(Clone, Debug)]
pub struct Story {
    seed: u64,
    cast: Cast,
    /// The things of a round in their order.
    steps: Vec<Step>,
    /// Number of events told.
    told: u64,
}

impl Story {
    /// A story whose players take turns in an order that the seed chooses. `None` unless a trunk can fail and beside
    /// each such router another device can overheat.
    pub fn new(seed: u64, cast: Cast) -> Option<Story> {
        let another = |id: &Arc<str>| cast.hot.iter().any(|other| other != id);
        if cast.trunks.is_empty() || !cast.trunks.iter().all(another) {
            return None;
        }
        let can_play = |kind: Kind| match kind {
            Kind::Trunk | Kind::Heat => true,
            Kind::Disk => !cast.disks.is_empty(),
            // In every round one that does not hang on the trunk that is down.
            Kind::Loss => {
                cast.trunks.iter().all(|trunk| cast.lossy.iter().any(|(_, parent)| parent != trunk))
            }
            Kind::Port => !cast.ports.is_empty(),
            Kind::Battery => !cast.batteries.is_empty(),
            Kind::Panel => !cast.panels.is_empty(),
            Kind::Room => !cast.rooms.is_empty(),
        };
        let scenes = SCRIPT.iter().filter(|scene| can_play(scene.kind));
        let mut steps: Vec<_> = scenes
            .flat_map(|&scene| {
                [(scene.begins, true), (scene.ends, false)].map(|(at, begins)| Step { at, scene, begins })
            })
            .collect();
        steps.sort_by_key(|step| step.at);
        Some(Story { seed, cast, steps, told: 0 })
    }

    /// When the next thing happens.
    pub fn next_at(&self) -> Duration {
        self.event(self.told).at
    }

    /// Everything that happens up to `t` and has not been told yet.
    pub fn events_until(&mut self, t: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        while self.next_at() <= t {
            events.push(self.event(self.told));
            self.told += 1;
        }
        events
    }

    /// The event of a number.
    fn event(&self, number: u64) -> Event {
        let steps = self.steps.len() as u64;
        let (round, step) = (number / steps, self.steps[(number % steps) as usize]);
        let (device, fault) = self.player(step.scene.kind, round);
        Event {
            at: ROUND * round as u32 + step.at,
            assignment: Assignment { device, fault: step.begins.then_some(fault) },
            words: if step.begins { step.scene.begin } else { step.scene.end },
        }
    }

    /// Who plays a scene in a round, and what: never the same device in two scenes, and the next round takes others as
    /// far as there are. `new` made sure that no list is empty.
    fn player(&self, kind: Kind, round: u64) -> (Arc<str>, Fault) {
        let silent = self.pick(&self.cast.trunks, 1, round);
        let hot = || {
            let others: Vec<_> = self.cast.hot.iter().filter(|id| *id != silent).collect();
            *self.pick(&others, 2, round)
        };
        let (device, fault) = match kind {
            Kind::Trunk => (silent, Fault::BranchSilent),
            Kind::Heat => (hot(), Fault::Hot(HOT)),
            Kind::Disk => (self.pick(&self.cast.disks, 3, round), Fault::Disk(FULL)),
            Kind::Loss => {
                let elsewhere = self.cast.lossy.iter().filter(|(_, parent)| parent != silent);
                let others: Vec<_> = elsewhere.map(|(id, _)| id).collect();
                (*self.pick(&others, 4, round), Fault::Lossy(LOST))
            }
            Kind::Port => {
                let (id, port) = self.pick(&self.cast.ports, 5, round);
                (id, Fault::Flapping(port.clone()))
            }
            Kind::Battery => (self.pick(&self.cast.batteries, 6, round), Fault::OnBattery),
            Kind::Panel => {
                let (id, unit) = self.pick(&self.cast.panels, 7, round);
                (id, Fault::DeadUnit(*unit))
            }
            Kind::Room => (self.pick(&self.cast.rooms, 8, round), Fault::Hot(WARM)),
        };
        (device.clone(), fault)
    }

    fn pick<'a, T>(&self, list: &'a [T], place: u64, round: u64) -> &'a T {
        let len = list.len() as u64;
        &list[((mix(self.seed, place) % len + round) % len) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(prefix: &str, count: usize) -> Vec<Arc<str>> {
        (0..count).map(|at| format!("{prefix}-{at}").into()).collect()
    }

    fn cast(count: usize) -> Cast {
        let trunks = ids("county", count);
        let lossy = ids("station", count * 2);
        Cast {
            hot: [ids("city", 1), trunks.clone()].concat(),
            disks: ids("srv", count),
            lossy: lossy.into_iter().enumerate().map(|(at, id)| (id, trunks[at % count].clone())).collect(),
            ports: ids("sw", count).into_iter().map(|id| (id, "Port1".into())).collect(),
            batteries: ids("ups", 1),
            rooms: ids("env", 1),
            panels: (1..=9).map(|unit| ("wall".into(), unit)).collect(),
            trunks,
        }
    }

    #[test]
    fn a_round_as_a_table() {
        let two = Cast { hot: ids("city", 1), ..cast(2) };
        let mut story =
            Story::new(1, Cast { disks: ids("srv", 1), ports: two.ports[..1].into(), ..two }).unwrap();
        let told: Vec<String> =
            story.events_until(Duration::from_secs(290)).iter().map(Event::to_string).collect();
        let table = "\
0:20 county-0=branch-silent 县区线路中断 · county trunk down
0:25 wall=dead-unit:2 大屏一块屏体无应答 · a wall's panel dies
0:35 city-0=hot:78 路由器升温 · router heats up
0:50 srv-0=disk:94 磁盘写满 · disk fills up
1:00 station-3=lossy:30 所线路丢包 30 % · station loses 30 % of packets
1:05 county-0=ok 县区线路恢复 · county trunk back
1:25 city-0=ok 路由器降温 · router cools down
1:30 wall=ok 屏体恢复应答 · the panel answers again
1:30 sw-0=flapping:Port1 上联端口反复通断 · uplink port flaps
1:35 srv-0=ok 磁盘已清理 · disk cleared
1:45 ups-0=on-battery 市电中断 · mains fail
1:50 env-0=hot:29.5 机房升温 · machine room gets warm
2:20 station-3=ok 所线路不再丢包 · station loses nothing any more
2:30 ups-0=ok 市电恢复 · mains back
2:35 sw-0=ok 上联端口稳定 · uplink port steady
2:50 env-0=ok 机房降温 · machine room cools down
4:20 county-1=branch-silent 县区线路中断 · county trunk down
4:25 wall=dead-unit:3 大屏一块屏体无应答 · a wall's panel dies
4:35 city-0=hot:78 路由器升温 · router heats up
4:50 srv-0=disk:94 磁盘写满 · disk fills up";
        assert_eq!(told.join("\n"), table);
        assert_eq!(story.next_at(), Duration::from_secs(300));
    }

    #[test]
    fn it_can_be_told_in_pieces() {
        let whole = Story::new(5, cast(17)).unwrap();
        let (mut one, mut pieces) = (whole.clone(), whole);
        let all = one.events_until(Duration::from_secs(1_000));
        let mut told = Vec::new();
        for second in 0..=1_000 {
            told.extend(pieces.events_until(Duration::from_secs(second)));
        }
        assert_eq!(told, all);
    }

    #[test]
    fn different_devices_play_and_the_next_round_has_others() {
        let cast = cast(17);
        for seed in 0..50 {
            let mut story = Story::new(seed, cast.clone()).unwrap();
            let events = story.events_until(ROUND * 17 - Duration::from_secs(1));
            assert_eq!(events.len(), 17 * 16);
            let mut last: Vec<Arc<str>> = Vec::new();
            for round in events.chunks(16) {
                let begins = round.iter().filter(|event| event.assignment.fault.is_some());
                let players: Vec<_> = begins.map(|event| event.assignment.device.clone()).collect();
                let distinct: std::collections::HashSet<_> = players.iter().collect();
                assert_eq!(distinct.len(), SCRIPT.len(), "{players:?}");
                let silent = &players[0];
                let lossy =
                    round.iter().find(|event| event.assignment.fault == Some(Fault::Lossy(LOST))).unwrap();
                let parent = cast
                    .lossy
                    .iter()
                    .find(|(id, _)| *id == lossy.assignment.device)
                    .map(|(_, parent)| parent);
                assert_ne!(parent, Some(silent), "nobody would see its packets being lost");
                let again: Vec<_> = players
                    .iter()
                    .filter(|id| last.contains(id) && !["ups-0", "env-0", "wall"].contains(&&***id))
                    .collect();
                let trunk_then_hot = |id: &&Arc<str>| id.starts_with("county");
                assert!(again.iter().all(trunk_then_hot), "{again:?} again");
                assert_ne!(last.first(), Some(silent));
                last = players;
            }
        }
    }

    #[test]
    fn a_scene_without_a_player_is_left_out() {
        let city = || Cast { trunks: ids("county", 1), hot: ids("city", 1), ..Cast::default() };
        let mut story = Story::new(0, city()).unwrap();
        assert_eq!(story.events_until(ROUND).len(), 4);
        // Its only parent is the only trunk.
        let mut story = Story::new(0, Cast { lossy: cast(1).lossy, ..city() }).unwrap();
        assert_eq!(story.events_until(ROUND).len(), 4);
        assert!(Story::new(0, Cast { hot: vec![], ..cast(3) }).is_none());
        assert!(Story::new(0, Cast { trunks: vec![], ..cast(3) }).is_none());
        assert!(Story::new(0, Cast { hot: ids("county", 1), ..cast(1) }).is_none());
    }
}
