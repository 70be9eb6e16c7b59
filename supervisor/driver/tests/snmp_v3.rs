//! SNMPv3 against a real agent: Debian's snmpd with a user of every pair of algorithms. What v3 brings is what v2c
//! brings; what is wrong is told apart by quality and remark.

mod peer;

use peer::Snmpd;
use roundsman_core::fault::Generation;
use roundsman_core::reading::Absence;
use roundsman_driver::clock::Clock;
use roundsman_driver::snmp::remark::Remark;
use roundsman_driver::snmp::{Finished, Options, Request, Snmp, reach_plan};
use roundsman_wire::snmp::answer::{Answer, Raw};
use roundsman_wire::snmp::oid::Oid;
use roundsman_wire::snmp::plan::{Object, Plan, Table};
use roundsman_wire::snmp::session::Target;
use roundsman_wire::snmp::user::{Auth, Keys, Privacy, Secret, User};
use std::fmt::Write as _;
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;

const AUTH_KEY: &str = "authentic-1";
const PRIV_KEY: &str = "privately-1";
const LEVELS: [&str; 3] = ["noauth", "auth", "priv"];

/// As net-snmp names them in `createUser`.
fn auth_word(auth: Auth) -> &'static str {
    match auth {
        Auth::Md5 => "MD5",
        Auth::Sha1 => "SHA",
        Auth::Sha224 => "SHA-224",
        Auth::Sha256 => "SHA-256",
        Auth::Sha384 => "SHA-384",
        Auth::Sha512 => "SHA-512",
    }
}

fn privacy_word(privacy: Privacy) -> &'static str {
    match privacy {
        Privacy::Des => "DES",
        Privacy::Aes128 => "AES",
        Privacy::Aes192 => "AES-192",
        Privacy::Aes256 => "AES-256",
        Privacy::Aes192Cisco => "AES-192-C",
        Privacy::Aes256Cisco => "AES-256-C",
    }
}

fn user(name: &str, auth: Option<Auth>, privacy: Option<Privacy>) -> User {
    let keys = auth.map(|auth| Keys {
        auth,
        auth_key: Secret::new(AUTH_KEY.as_bytes()),
        privacy: privacy.map(|privacy| (privacy, Secret::new(PRIV_KEY.as_bytes()))),
    });
    User { name: name.into(), keys }
}

/// A user of every pair that there is.
fn users() -> Vec<User> {
    let mut users = vec![user("open", None, None)];
    for (auth_name, auth) in Auth::ALL {
        users.push(user(auth_name, Some(auth), None));
        for (name, privacy) in Privacy::ALL {
            users.push(user(&format!("{auth_name}-{name}"), Some(auth), Some(privacy)));
        }
    }
    users
}

/// snmpd's configuration for them; each may read at its own level and above.
fn configuration(users: &[User]) -> String {
    let mut text = String::new();
    for user in users {
        let _ = write!(text, "createUser {}", user.name);
        let mut level = 0;
        if let Some(keys) = &user.keys {
            let _ = write!(text, " {} \"{AUTH_KEY}\"", auth_word(keys.auth));
            level = 1;
            if let Some((privacy, _)) = &keys.privacy {
                let _ = write!(text, " {} \"{PRIV_KEY}\"", privacy_word(*privacy));
                level = 2;
            }
        }
        let _ = write!(text, "\nrouser {} {}\n", user.name, LEVELS[level]);
    }
    text
}

fn object(text: &str) -> Object {
    Object { oids: vec![text.parse::<Oid>().expect("an identifier of this test")] }
}

/// What stands still on a quiet machine: scalars, one that no agent has, and tables side by side.
fn plan() -> Arc<Plan> {
    let table = |columns: &[&str]| Table {
        columns: columns.iter().map(|oid| object(oid)).collect(),
        ..Table::default()
    };
    let scalars = ["1.1.0", "1.2.0", "1.4.0", "1.5.0", "1.6.0", "2.1.0", "99.1.0"];
    let interfaces = [1, 2, 3, 4, 5, 6, 7].map(|column| format!("1.3.6.1.2.1.2.2.1.{column}"));
    let interfaces: Vec<&str> = interfaces.iter().map(String::as_str).collect();
    Arc::new(Plan {
        scalars: scalars.iter().map(|tail| object(&format!("1.3.6.1.2.1.{tail}"))).collect(),
        tables: vec![
            table(&interfaces),
            table(&["1.3.6.1.2.1.1.9.1.2", "1.3.6.1.2.1.1.9.1.3"]),
            table(&["1.3.6.1.2.1.4.20.1.1", "1.3.6.1.2.1.4.20.1.3", "1.3.6.1.2.1.99.1.1"]),
            table(&["1.3.6.1.2.1.25.2.3.1.3"]),
        ],
        ..Plan::default()
    })
}

/// An answer without its cost and its arenas' order.
fn told(answer: &Answer) -> Vec<String> {
    let raw = |raw: Raw| match raw {
        Raw::Octets(octets) => format!("octets {:?}", answer.octets(octets)),
        Raw::Oid(arcs) => format!("oid {:?}", answer.arcs(arcs)),
        other => format!("{other:?}"),
    };
    let scalars = answer.scalars.iter().map(|scalar| match scalar {
        Ok(value) => raw(*value),
        Err(absence) => format!("{absence:?}"),
    });
    let columns = answer.tables.iter().flat_map(|table| &table.columns).map(|column| {
        let cells =
            column.cells.iter().map(|cell| format!("{:?}={}", answer.arcs(cell.index), raw(cell.raw)));
        format!("{:?} {:?}", column.end, cells.collect::<Vec<_>>())
    });
    scalars.chain(columns).collect()
}

struct Poller {
    snmp: Snmp,
    answers: Receiver<Finished>,
    key: u32,
}

impl Poller {
    fn start() -> Poller {
        let (snmp, answers) = Snmp::start(Clock::new(), Options::default()).expect("sockets");
        Poller { snmp, answers, key: 0 }
    }

    /// Polls as another device than the last time.
    async fn fresh(&mut self, target: &Target, plan: &Arc<Plan>) -> Finished {
        self.key += 1;
        self.again(target, plan).await
    }

    async fn again(&mut self, target: &Target, plan: &Arc<Plan>) -> Finished {
        let target = Arc::new(target.clone());
        let request = Request { key: self.key, generation: Generation(7), target, plan: Arc::clone(plan) };
        self.snmp.poll(request).expect("the queue is empty");
        let finished = self.answers.recv().await.expect("an answer to every poll");
        assert_eq!((finished.key, finished.generation), (self.key, Generation(7)));
        finished
    }
}

fn target(peer: &Snmpd, user: User) -> Target {
    let mut target = Target::new(peer.address, b"public");
    // Told by a report, not by silence; where silence is meant, this is how long it takes.
    target.timeout_ms = 300;
    target.user = Some(Arc::new(user));
    target
}

fn absences(answer: &Answer) -> Vec<Option<Absence>> {
    let columns = answer.tables.iter().flat_map(|table| &table.columns);
    let scalars = answer.scalars.iter().map(|scalar| scalar.err());
    scalars.chain(columns.map(|column| column.end.err())).collect()
}

#[tokio::test]
async fn every_pair_of_algorithms_brings_what_v2c_brings() {
    let users = users();
    assert_eq!(users.len(), 1 + 6 + 36);
    let Some(peer) = Snmpd::start_with(&configuration(&users)) else { return };
    let mut poller = Poller::start();
    let plan = plan();
    let v2c = Target { user: None, ..target(&peer, users[0].clone()) };
    let expected = poller.fresh(&v2c, &plan).await.answer;
    let (values, cost) = (told(&expected), expected.cost);
    assert!(expected.scalars[0].is_ok() && expected.scalars[6] == Err(Absence::Unsupported), "{values:?}");
    for user in users {
        let name = user.name.clone();
        let target = target(&peer, user);
        let first = poller.fresh(&target, &plan).await;
        assert_eq!(first.remarks, [], "{name}");
        assert_eq!(told(&first.answer), values, "{name}");
        // Where a v3 answer would grow past its message size, snmpd says genErr instead of cutting it: asked for less.
        assert!(first.answer.cost.requests <= cost.requests + 4, "{name}: {:?}", first.answer.cost);
        // With what is remembered: rows, and what the agent does not have.
        let second = poller.again(&target, &plan).await;
        assert_eq!(told(&second.answer), values, "{name}, the second time");
        assert!(second.answer.cost.requests <= first.answer.cost.requests, "{name}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_apart() {
    let signed = user("signed", Some(Auth::Sha256), None);
    let sealed = user("sealed", Some(Auth::Sha256), Some(Privacy::Aes128));
    let conf = configuration(&[signed.clone(), sealed.clone()]) + "createUser hidden\n";
    let Some(peer) = Snmpd::start_with(&conf) else { return };
    let with = |user: &User, change: fn(&mut Keys)| {
        let mut user = user.clone();
        change(user.keys.as_mut().expect("keys"));
        user
    };
    let cases = [
        ("unknown user", user("nobody", Some(Auth::Sha256), None), Remark::UnknownUser),
        ("unknown user without keys", user("nobody", None, None), Remark::UnknownUser),
        ("wrong key", with(&signed, |keys| keys.auth_key = Secret::new(b"not-this-one")), Remark::WrongKey),
        ("wrong algorithm", with(&signed, |keys| keys.auth = Auth::Sha512), Remark::WrongKey),
        (
            "wrong privacy key",
            with(&sealed, |keys| keys.privacy = Some((Privacy::Aes128, Secret::new(b"not-this-one")))),
            Remark::WrongPrivacyKey,
        ),
        (
            "wrong privacy algorithm",
            with(&sealed, |keys| keys.privacy = Some((Privacy::Des, Secret::new(PRIV_KEY.as_bytes())))),
            Remark::WrongPrivacyKey,
        ),
        (
            "a level that the user lacks",
            user("signed", Some(Auth::Sha256), Some(Privacy::Aes128)),
            Remark::Level,
        ),
        ("a level below the least", with(&sealed, |keys| keys.privacy = None), Remark::NotPermitted),
        ("no right to read", user("hidden", None, None), Remark::NotPermitted),
    ];
    let mut poller = Poller::start();
    let plan = plan();
    for (case, user, remark) in cases {
        let mut target = target(&peer, user);
        target.retries = 0;
        for round in ["first", "second"] {
            let finished = match round {
                "first" => poller.fresh(&target, &plan).await,
                _ => poller.again(&target, &plan).await,
            };
            assert_eq!(finished.remarks, std::slice::from_ref(&remark), "{case}, {round}");
            assert!(finished.answer.answered, "{case}, {round}: a refusal proves the agent alive");
            let absences = absences(&finished.answer);
            assert!(
                absences.iter().all(|why| *why == Some(Absence::Denied)),
                "{case}, {round}: {absences:?}"
            );
            let text = remark.text();
            assert!(text.en.contains("check") && text.zh.contains("核对"), "{case}: {text:?}");
        }
    }
    // The agent serves others all the while, and the right keys still work.
    let finished = poller.fresh(&target(&peer, sealed), &plan).await;
    assert!(finished.answer.scalars[0].is_ok() && finished.remarks.is_empty(), "{finished:?}");
}

#[tokio::test]
async fn silence_is_silence() {
    let mut poller = Poller::start();
    let mut target = Target::new("127.77.0.9:9".parse().expect("an address"), b"");
    (target.timeout_ms, target.retries) = (30, 1);
    for user in users().into_iter().take(3) {
        target.user = Some(Arc::new(user));
        for _ in 0..2 {
            let finished = poller.fresh(&target, &plan()).await;
            assert_eq!(finished.remarks, []);
            assert!(!finished.answer.answered);
            assert!(absences(&finished.answer).iter().all(|why| *why == Some(Absence::Timeout)));
        }
    }
}

#[tokio::test]
async fn an_agent_that_starts_again_is_polled_on_and_another_engine_is_named() {
    let sealed = user("sealed", Some(Auth::Sha256), Some(Privacy::Aes128));
    let conf = configuration(std::slice::from_ref(&sealed));
    let Some(mut peer) = Snmpd::start_with(&conf) else { return };
    let mut poller = Poller::start();
    let plan = Arc::new(reach_plan());
    let target = target(&peer, sealed);
    let finished = poller.fresh(&target, &plan).await;
    assert!(finished.answer.scalars[0].is_ok(), "{finished:?}");

    // Its boots have grown, its time begins anew (RFC 3414 section 2.2).
    peer.start_again();
    let finished = poller.again(&target, &plan).await;
    assert!(finished.answer.scalars[0].is_ok(), "{finished:?}");
    assert_eq!(finished.remarks, [], "a restart is no remark");

    // It forgets its boots but keeps its identifier: older than what was seen, as if replayed.
    peer.forget_boots();
    peer.start_again();
    let finished = poller.again(&target, &plan).await;
    assert!(finished.answer.scalars[0].is_ok(), "{finished:?}");
    assert_eq!(finished.remarks, [], "the engine is the same");

    // Another board: another identifier.
    peer.replace_engine();
    let finished = poller.again(&target, &plan).await;
    assert!(finished.answer.scalars[0].is_ok(), "{finished:?}");
    let [Remark::EngineReplaced { before, now }] = finished.remarks.as_slice() else {
        panic!("no remark of the new engine: {finished:?}");
    };
    assert!(before != now && now.ends_with("6e6577"), "{before} {now}");
    let finished = poller.again(&target, &plan).await;
    assert!(finished.answer.scalars[0].is_ok() && finished.remarks.is_empty(), "told once: {finished:?}");

    // A poll that replaces another brings both answers.
    peer.stop();
    for generation in [1, 2] {
        let (target, plan) = (Arc::new(target.clone()), Arc::clone(&plan));
        let request = Request { key: poller.key, generation: Generation(generation), target, plan };
        poller.snmp.poll(request).expect("room");
    }
    for generation in [1, 2] {
        let finished = poller.answers.recv().await.expect("an answer");
        assert_eq!(finished.generation, Generation(generation));
        assert!(!finished.answer.answered);
    }
}
