//! The login against devices of every manner: the right way is found, and a wrong password is shown twice at most,
//! whatever else happens.

use proptest::prelude::*;
use roundsman_wire::onvif::login::{Door, Kept, Login, MOST_REFUSALS, Next, Reply, Show, Way};

const DOORS: [Door; 3] = [Door::Onvif, Door::Snapshot, Door::Rtsp];

/// A device: what it takes at a door, and what it offers there.
#[derive(Clone, Copy, Debug)]
struct Manner {
    takes: [Way; 3],
    digest: bool,
    basic: bool,
    /// How often a good challenge is called too old.
    stale: u8,
    password_is_good: bool,
    /// Locks after so many wrong ones.
    locks: u8,
}

#[derive(Debug)]
struct Device {
    manner: Manner,
    wrong: u8,
    shown: u8,
}

impl Device {
    fn new(manner: Manner) -> Device {
        Device { manner, wrong: 0, shown: 0 }
    }

    fn asked(&mut self, door: Door, sent: Way) -> Reply {
        let Manner { takes, digest, basic, .. } = self.manner;
        let takes = takes[door as usize];
        if takes == Way::Plain {
            return Reply::Accepted;
        }
        let refused = Reply::Refused { digest, basic, stale: false };
        if sent == Way::Plain {
            return refused;
        }
        self.shown += 1;
        if self.wrong >= self.manner.locks {
            return Reply::Locked;
        }
        if sent == takes && self.manner.password_is_good {
            if sent == Way::Digest && self.manner.stale > 0 {
                self.manner.stale -= 1;
                return Reply::Refused { digest, basic, stale: true };
            }
            self.wrong = 0;
            return Reply::Accepted;
        }
        self.wrong += 1;
        refused
    }

    /// A request with what the login makes of it: whether it was let in.
    fn request(&mut self, login: &mut Login, door: Door) -> bool {
        let Some(mut way) = login.begin(door) else { return false };
        for _ in 0..6 {
            match login.heard(door, way, self.asked(door, way)) {
                Next::Done => return true,
                Next::Again(next) => way = next,
                Next::Stop => return false,
            }
        }
        panic!("it never ends");
    }
}

const DIGEST: Manner = Manner {
    takes: [Way::Digest; 3],
    digest: true,
    basic: false,
    stale: 0,
    password_is_good: true,
    locks: 5,
};

#[test]
fn the_way_of_a_device_is_learned_without_a_wrong_try() {
    let cases = [
        ("digest alone", DIGEST, true),
        (
            "token alone",
            Manner { takes: [Way::Token, Way::Plain, Way::Plain], digest: false, ..DIGEST },
            true,
        ),
        ("open", Manner { takes: [Way::Plain; 3], ..DIGEST }, true),
        ("challenges that grow old", Manner { stale: 1, ..DIGEST }, true),
        (
            "basic snapshot",
            Manner { takes: [Way::Token, Way::Basic, Way::Basic], digest: false, basic: true, ..DIGEST },
            true,
        ),
    ];
    for (name, manner, expected) in cases {
        let (mut device, mut login) = (Device::new(manner), Login::new(Kept::default()));
        for _ in 0..3 {
            for door in DOORS {
                assert_eq!(device.request(&mut login, door), expected, "{name} {door:?}");
            }
        }
        assert_eq!((device.wrong, login.kept()), (0, Kept::default()), "{name}");
        // What was learned is used at once.
        let before = device.shown;
        device.request(&mut login, Door::Onvif);
        assert!(device.shown - before <= 1, "{name}");
    }
    // It offers Digest, but takes tokens: one wrong try, once.
    let (mut device, mut login) = (
        Device::new(Manner { takes: [Way::Token, Way::Plain, Way::Plain], ..DIGEST }),
        Login::new(Kept::default()),
    );
    assert!(device.request(&mut login, Door::Onvif) && device.request(&mut login, Door::Onvif));
    assert_eq!((device.shown, login.kept()), (3, Kept::default()));
}

#[test]
fn rights_that_are_missing_at_one_door_close_that_door() {
    let mut device =
        Device::new(Manner { takes: [Way::Digest, Way::Digest, Way::Token], locks: 9, ..DIGEST });
    let mut login = Login::new(Kept::default());
    for _ in 0..5 {
        assert!(device.request(&mut login, Door::Onvif));
        assert!(!device.request(&mut login, Door::Rtsp));
        assert!(device.request(&mut login, Door::Snapshot));
    }
    assert!(login.stopped(Door::Rtsp) && !login.stopped(Door::Onvif));
    assert_eq!(login.kept().own, [0, 0, MOST_REFUSALS]);
    login.release();
    assert!(!login.stopped(Door::Rtsp));
}

#[test]
fn a_password_that_was_changed_is_noticed_in_two_tries() {
    let mut device = Device::new(DIGEST);
    let mut login = Login::new(Kept::default());
    assert!(DOORS.into_iter().all(|door| device.request(&mut login, door)));
    device.manner.password_is_good = false;
    device.shown = 0;
    for _ in 0..10 {
        for door in DOORS {
            assert!(!device.request(&mut login, door));
        }
    }
    assert_eq!(device.shown, MOST_REFUSALS);
    // It is set right on both ends: a person says so.
    device.manner.password_is_good = true;
    assert!(!device.request(&mut login, Door::Onvif));
    login.release();
    assert!(device.request(&mut login, Door::Onvif));
}

#[test]
fn a_device_that_says_it_is_locked_is_left_alone() {
    let mut login = Login::new(Kept::default());
    assert_eq!(login.heard(Door::Rtsp, Way::Digest, Reply::Locked), Next::Stop);
    assert!(DOORS.into_iter().all(|door| login.stopped(door) && login.begin(door).is_none()));
    assert!(Login::new(login.kept()).stopped(Door::Onvif), "over a restart too");
}

#[test]
fn challenges_that_grow_old_under_several_requests_lock_nobody_out() {
    let stale = Reply::Refused { digest: true, basic: false, stale: true };
    let mut login = Login::new(Kept::default());
    login.heard(Door::Onvif, Way::Digest, Reply::Accepted);
    // Three are under way with the same challenge, all are told that it is too old, and ask again with the new one.
    for _ in 0..3 {
        assert_eq!(login.heard(Door::Onvif, Way::Digest, stale), Next::Again(Way::Digest));
    }
    assert_eq!(login.heard(Door::Onvif, Way::Digest, Reply::Accepted), Next::Done);
    assert_eq!(login.kept(), Kept::default());
    // A device that says so of every challenge is not believed for long.
    let tries = (0..20).take_while(|_| login.heard(Door::Onvif, Way::Digest, stale) != Next::Stop).count();
    assert!(tries <= 6, "{tries}");
    assert!(login.stopped(Door::Onvif));
}

fn way() -> impl Strategy<Value = Way> {
    prop::sample::select(vec![Way::Plain, Way::Digest, Way::Token, Way::Basic])
}

proptest! {
    /// A wrong password is shown twice at most, in any order of doors, over restarts.
    #[test]
    fn a_wrong_password_is_shown_twice_at_most(
        takes in prop::array::uniform3(way()),
        (digest, basic) in any::<(bool, bool)>(),
        steps in prop::collection::vec((0..3_usize, prop::bool::weighted(0.2)), 1..60),
    ) {
        let manner = Manner { takes, digest, basic, password_is_good: false, locks: 100, stale: 0 };
        let (mut device, mut login) = (Device::new(manner), Login::new(Kept::default()));
        for (door, restart) in steps {
            if restart {
                login = Login::new(login.kept());
            }
            device.request(&mut login, DOORS[door]);
        }
        prop_assert!(device.shown <= MOST_REFUSALS, "{}", device.shown);
    }

    /// Nor is a good one shown to a device that answers anything, without an end.
    #[test]
    fn any_answers_end(
        answers in prop::collection::vec((any::<(bool, bool, bool)>(), 0..4_u8), 1..200),
        door in 0..3_usize,
    ) {
        let mut login = Login::new(Kept::default());
        let (door, mut way, mut refused) = (DOORS[door], None, 0);
        for ((digest, basic, stale), kind) in answers {
            let Some(sent) = way.or_else(|| login.begin(door)) else { break };
            let reply = match kind {
                0 => Reply::Accepted,
                _ => Reply::Refused { digest, basic, stale },
            };
            let counted = sent != Way::Plain && matches!(reply, Reply::Refused { .. });
            way = match login.heard(door, sent, reply) {
                Next::Again(next) => Some(next),
                Next::Done => { refused = 0; None }
                Next::Stop => None,
            };
            refused += u8::from(counted && kind != 0);
            // Challenges that are too old count only when there is no end of them.
            prop_assert!(refused <= 3 * MOST_REFUSALS);
        }
    }
}

/// A request that is under way: where, how it was sent, whether it was counted.
type UnderWay = (Door, Way, bool);

proptest! {
    /// Several ask at once, their answers come in any order, the box is restarted in between: a wrong password is never
    /// shown more than twice.
    #[test]
    fn however_many_ask_at_once_a_wrong_password_is_shown_twice(
        steps in prop::collection::vec((0_usize..3, 0_usize..8, prop::bool::weighted(0.05), prop::bool::weighted(0.1)), 0..60),
        digest: bool,
        basic: bool,
    ) {
        let manner = Manner { takes: [Way::Digest; 3], digest, basic, password_is_good: false, ..DIGEST };
        let (mut device, mut login) = (Device::new(manner), Login::new(Kept::default()));
        let mut under_way: Vec<UnderWay> = Vec::new();
        let send = |login: &mut Login, under_way: &mut Vec<UnderWay>, door: Door, way: Way| match login.show(door, way) {
            Show::Proven => under_way.push((door, way, false)),
            Show::Now => under_way.push((door, way, true)),
            Show::Later | Show::Never => {}
        };
        for (door, which, restarts, is_lost) in steps {
            if restarts {
                // What was under way was answered, or never arrived.
                under_way.clear();
                login = Login::new(login.kept());
            }
            let door = DOORS[door];
            if let Some(way) = login.begin(door) {
                send(&mut login, &mut under_way, door, way);
            }
            if which < under_way.len() {
                let (door, way, is_counted) = under_way.remove(which);
                if !is_lost {
                    let reply = device.asked(door, way);
                    if let Next::Again(next) = login.heard(door, way, reply) {
                        if is_counted {
                            login.shown();
                        }
                        send(&mut login, &mut under_way, door, next);
                        continue;
                    }
                }
                if is_counted {
                    login.shown();
                }
            }
        }
        prop_assert!(device.shown <= MOST_REFUSALS, "shown {} times", device.shown);
    }
}
