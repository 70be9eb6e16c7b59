//! Agents, echo and every fault, seen from outside by net-snmp and by plain sockets.

use crate::{COMMUNITY, Client, Outside, PATIENCE, QUIET, tool, uptime_request};
use roundsman_simulator::clock::Clock;
use roundsman_simulator::model::Model;
use roundsman_simulator::site::{Site, StartError, Uplink};
use std::collections::BTreeMap;

const UPTIME: &str = ".1.3.6.1.2.1.1.3.0";
const IF_OPER: &str = ".1.3.6.1.2.1.2.2.1.8";
const HC_IN: &str = ".1.3.6.1.2.1.31.1.1.1.6";
const TEMPERATURE: &str = ".1.3.6.1.2.1.99.1.1.1.4.2";

fn values(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// One value, by snmpget.
async fn number(outside: &Outside, name: &str) -> Option<f64> {
    let (good, text) = tool("snmpget", "2c", COMMUNITY, outside.address(0), &[name]).await?;
    assert!(good, "{text}");
    Some(values(&text)[name].parse().unwrap_or_else(|why| panic!("{why}: {text}")))
}

#[tokio::test]
async fn net_snmp_reads_every_object_in_order_by_every_way() {
    let outside = Outside::start(81, 2).await;
    let address = outside.address(1);
    let Some((good, next)) = tool("snmpwalk", "2c", COMMUNITY, address, &[".1.3"]).await else {
        return;
    };
    assert!(good, "{next}");
    let (good, bulk) = tool("snmpbulkwalk", "2c", COMMUNITY, address, &["-Cr25", ".1.3"]).await.unwrap();
    assert!(good, "{bulk}");
    let (next, bulk) = (values(&next), values(&bulk));
    let names = |all: &BTreeMap<String, String>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&next), names(&bulk));
    // 10 scalars of system, interfaces and host, 26 columns of 12 ports, 9 of ip, 3 of its address, 6 + 5 of the sensor.
    assert_eq!(
        next.len(),
        10 + 26 * 12 + 9 + 3 + 6 + 5 + 1,
        "the last one says that the tree ends: {next:#?}"
    );
    for (name, value) in [
        (".1.3.6.1.2.1.1.5.0", "\"router 2\""),
        (".1.3.6.1.2.1.1.2.0", ".1.3.6.1.4.1.32473.1.1"),
        (".1.3.6.1.2.1.2.1.0", "12"),
        (".1.3.6.1.2.1.31.1.1.1.1.1", "\"Trunk1\""),
        (".1.3.6.1.2.1.31.1.1.1.1.2", "\"GigabitEthernet0/0/0\""),
        (".1.3.6.1.2.1.31.1.1.1.15.3", "1000"),
        (".1.3.6.1.2.1.4.20.1.1.127.81.0.2", "127.81.0.2"),
        (".1.3.6.1.2.1.99.1.1.1.1.2", "8"),
    ] {
        assert_eq!(next.get(name).map(String::as_str), Some(value), "{name}");
    }
    let (good, v1) = tool("snmpwalk", "1", COMMUNITY, address, &[".1.3.6.1.2.1.31"]).await.unwrap();
    assert!(good, "{v1}");
    assert!(values(&v1).keys().all(|name| !name.starts_with(HC_IN)), "v1 has no Counter64");
}

#[tokio::test]
async fn what_is_not_there_is_said_as_each_version_says_it() {
    let outside = Outside::start(82, 1).await;
    let address = outside.address(0);
    for (version, community, name, part) in [
        ("2c", COMMUNITY, ".1.3.6.1.2.1.1.99.0", "No Such Object"),
        ("2c", COMMUNITY, ".1.3.6.1.2.1.1.3.7", "No Such Instance"),
        ("1", COMMUNITY, ".1.3.6.1.2.1.1.99.0", "noSuchName"),
        ("1", COMMUNITY, ".1.3.6.1.2.1.31.1.1.1.6.1", "noSuchName"),
        ("2c", "public", UPTIME, "Timeout"),
    ] {
        let Some((_, text)) = tool("snmpget", version, community, address, &[name]).await else {
            return;
        };
        assert!(text.contains(part), "{version} {name}: {text}");
    }
    let set = [".1.3.6.1.2.1.1.5.0", "s", "other"];
    let (_, text) = tool("snmpset", "2c", COMMUNITY, address, &set).await.unwrap();
    assert!(text.contains("notWritable"), "{text}");
}

#[tokio::test]
async fn garbage_is_survived_in_silence() {
    let outside = Outside::start(83, 1).await;
    let client = Client::to(outside.address(0)).await;
    let whole = uptime_request(1);
    client.send(&[]).await;
    for cut in 0..whole.len() {
        client.send(&whole[..cut]).await;
        let mut bent = whole.clone();
        bent[cut] ^= 0xff;
        if cut < 13 {
            client.send(&bent).await;
        }
    }
    assert_eq!(client.next(QUIET).await, None);
    client.send(&whole).await;
    assert!(client.next(PATIENCE).await.is_some());
}

#[tokio::test]
async fn counters_go_up_and_uptime_goes_on() {
    let outside = Outside::start(84, 1).await;
    let Some(uptime) = number(&outside, UPTIME).await else {
        return;
    };
    let octets = number(&outside, &format!("{HC_IN}.1")).await.unwrap();
    let waiting = async {
        while number(&outside, UPTIME).await.unwrap() < uptime + 100.0 {}
        number(&outside, &format!("{HC_IN}.1")).await.unwrap()
    };
    let later = tokio::time::timeout(PATIENCE, waiting).await.expect("uptime stands still");
    assert!(later > octets, "{octets} then {later}");
}

#[tokio::test]
async fn silent_answers_neither_snmp_nor_echo_and_others_do() {
    let outside = Outside::start(85, 2).await;
    let echoes = async |at: usize, wait| {
        let client = Client::to(outside.echo(at)).await;
        client.send(b"are you there").await;
        client.next(wait).await
    };
    let answers = async |at: usize, wait| {
        let client = Client::to(outside.address(at)).await;
        client.send(&uptime_request(1)).await;
        client.next(wait).await.is_some()
    };
    assert_eq!(echoes(0, PATIENCE).await.as_deref(), Some(&b"are you there"[..]));
    outside.set("rt-1=silent");
    assert_eq!(echoes(0, QUIET).await, None);
    assert!(!answers(0, QUIET).await);
    assert!(answers(1, PATIENCE).await);
    assert!(echoes(1, PATIENCE).await.is_some());
    outside.set("rt-1=ok");
    assert!(answers(0, PATIENCE).await);
    assert!(echoes(0, PATIENCE).await.is_some());
}

#[tokio::test]
async fn late_answers_come_when_they_come() {
    let outside = Outside::start(86, 1).await;
    outside.set("rt-1=late:700");
    for (address, request) in [(outside.address(0), uptime_request(1)), (outside.echo(0), b"late".to_vec())] {
        let client = Client::to(address).await;
        client.send(&request).await;
        assert_eq!(client.next(QUIET).await, None, "before its time");
        assert!(client.next(PATIENCE).await.is_some());
    }
}

/// Of an even spread between half and one and a half neighbours differ by a third on average.
#[tokio::test]
async fn slow_answers_are_late_and_unsteady() {
    let outside = Outside::start(79, 1).await;
    outside.set("rt-1=slow:30");
    let client = Client::to(outside.echo(0)).await;
    let clock = Clock::start();
    let mut took = Vec::new();
    for number in 0..40 {
        let sent = clock.running();
        client.send(&[number]).await;
        assert_eq!(client.next(PATIENCE).await, Some(vec![number]));
        took.push(clock.running() - sent);
    }
    let ms = std::time::Duration::from_millis;
    assert!(took.iter().all(|took| *took >= ms(15)), "sooner than half of it: {took:?}");
    let (least, most) = (took.iter().min().unwrap(), took.iter().max().unwrap());
    assert!(*most - *least > ms(10), "all alike: {took:?}");
}

#[tokio::test]
async fn lossy_loses_about_its_share() {
    let outside = Outside::start(87, 1).await;
    outside.set("rt-1=lossy:30");
    let client = Client::to(outside.echo(0)).await;
    let mut answered = 0;
    for chunk in 0..20 {
        for number in 0..50 {
            client.send(&[chunk, number]).await;
        }
        while client.next(std::time::Duration::from_millis(50)).await.is_some() {
            answered += 1;
        }
    }
    // 1,000 requests at 70 %: six standard deviations are 87.
    assert!((613..=787).contains(&answered), "{answered} of 1000 answered");
    outside.set("rt-1=lossy:100");
    client.send(b"lost").await;
    assert_eq!(client.next(QUIET).await, None);
}

#[tokio::test]
async fn duplicate_answers_come_twice() {
    let outside = Outside::start(88, 1).await;
    outside.set("rt-1=duplicate");
    let client = Client::to(outside.address(0)).await;
    client.send(&uptime_request(1)).await;
    let first = client.next(PATIENCE).await.unwrap();
    assert_eq!(client.next(PATIENCE).await, Some(first));
    assert_eq!(client.next(QUIET).await, None);
}

#[tokio::test]
async fn wrong_community_is_answered_under_another_name() {
    let outside = Outside::start(89, 1).await;
    let client = Client::to(outside.address(0)).await;
    client.send(&uptime_request(1)).await;
    let right = client.next(PATIENCE).await.unwrap();
    outside.set("rt-1=wrong-community");
    client.send(&uptime_request(1)).await;
    let wrong = client.next(PATIENCE).await.unwrap();
    let has = |answer: &[u8], word: &[u8]| answer.windows(word.len()).any(|window| window == word);
    assert!(has(&right, COMMUNITY.as_bytes()) && !has(&wrong, COMMUNITY.as_bytes()));
    let id = [0x11, 0x22, 0x33, 1];
    assert!(has(&right, &id) && has(&wrong, &id), "the request id stays");
}

#[tokio::test]
async fn reboot_starts_anew() {
    let outside = Outside::start(90, 1).await;
    let Some(before) = number(&outside, UPTIME).await else {
        return;
    };
    assert!(before > 8_000_000.0, "a day at least: {before}");
    outside.set("rt-1=reboot");
    let after = number(&outside, UPTIME).await.unwrap();
    assert!(after < 3_000.0, "{after}");
    assert!(number(&outside, &format!("{HC_IN}.1")).await.unwrap() < 1e9);
}

#[tokio::test]
async fn an_interface_goes_down_and_comes_back() {
    let outside = Outside::start(91, 1).await;
    let oper = format!("{IF_OPER}.1");
    let octets = format!("{HC_IN}.1");
    let Some(up) = number(&outside, &oper).await else {
        return;
    };
    assert_eq!(up, 1.0);
    outside.set("rt-1=interface-down:Trunk1");
    assert_eq!(number(&outside, &oper).await, Some(2.0));
    assert_eq!(number(&outside, &format!("{IF_OPER}.2")).await, Some(1.0));
    assert_eq!(number(&outside, &octets).await, number(&outside, &octets).await, "it counts on");
    assert!(number(&outside, ".1.3.6.1.2.1.2.2.1.9.1").await.unwrap() > 0.0, "ifLastChange");
    outside.set("rt-1=ok");
    assert_eq!(number(&outside, &oper).await, Some(1.0));
    let error = outside.site.apply(&"rt-1=interface-down:Trunk7".parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains("it has Trunk1, GigabitEthernet0/0/0"), "{error}");
    let error = outside.site.apply(&"rt-9=silent".parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains("rt-9"), "{error}");
}

#[tokio::test]
async fn hot_heats_up_and_ok_cools_down() {
    let outside = Outside::start(92, 1).await;
    let Some(before) = number(&outside, TEMPERATURE).await else {
        return;
    };
    assert!((350.0..520.0).contains(&before), "tenths of a degree: {before}");
    outside.set("rt-1=hot:78");
    let reach = async |goal: &dyn Fn(f64) -> bool| {
        while !goal(number(&outside, TEMPERATURE).await.unwrap()) {}
    };
    let patience = std::time::Duration::from_secs(30);
    tokio::time::timeout(patience, reach(&|now| now == 780.0)).await.expect("it does not heat up");
    outside.set("rt-1=ok");
    tokio::time::timeout(patience, reach(&|now| now < 520.0)).await.expect("it does not cool down");
}

#[tokio::test]
async fn a_walk_that_does_not_increase_is_noticed_by_net_snmp() {
    let outside = Outside::start(93, 1).await;
    outside.set("rt-1=non-increasing");
    for (walker, options) in [("snmpwalk", &[IF_OPER][..]), ("snmpbulkwalk", &["-Cr5", IF_OPER])] {
        let Some((_, text)) = tool(walker, "2c", COMMUNITY, outside.address(0), options).await else {
            return;
        };
        assert!(text.contains("OID not increasing"), "{walker}: {text}");
    }
    let get = number(&outside, UPTIME).await.unwrap();
    assert!(get > 0.0, "GET is left alone");
}

#[tokio::test]
async fn too_big_refuses_long_answers_alone() {
    let outside = Outside::start(94, 1).await;
    outside.set("rt-1=too-big:300");
    let Some(short) = number(&outside, UPTIME).await else {
        return;
    };
    assert!(short > 0.0);
    let address = outside.address(0);
    let (_, bulk) = tool("snmpbulkget", "2c", COMMUNITY, address, &["-Cr50", IF_OPER]).await.unwrap();
    assert!(bulk.contains("tooBig"), "{bulk}");
}

#[tokio::test]
async fn only_loopback_and_only_once() {
    let outside = Outside::start(95, 1).await;
    let start = async |spec| Site::start(&[spec], 1, Clock::start()).await.err().unwrap();
    let again = start(outside.devices[0].clone()).await;
    assert!(matches!(again, StartError::Bind { .. }) && again.to_string().contains("rt-1"), "{again}");
    let mut elsewhere = outside.devices[0].clone();
    elsewhere.address = "192.0.2.1:16100".parse().unwrap();
    let error = start(elsewhere).await;
    assert!(error.to_string().contains("127.0.0.0/8"), "{error}");
}

/// Whether a device answers a GET.
async fn answers(outside: &Outside, at: usize, wait: std::time::Duration) -> bool {
    let client = Client::to(outside.address(at)).await;
    client.send(&uptime_request(1)).await;
    client.next(wait).await.is_some()
}

#[tokio::test]
async fn branch_silent_takes_all_below_with_it_and_nothing_else() {
    // 1 above 2 above 3; 4 hangs on 2 and on 1; 5 alone.
    let on = |device: &str, port: Option<&str>| Uplink { device: device.into(), port: port.map(Into::into) };
    let outside = Outside::of(
        73,
        5,
        |_| Model::Generic,
        |at| match at {
            2 => vec![on("rt-1", Some("GigabitEthernet0/0/3"))],
            3 => vec![on("rt-2", None)],
            4 => vec![on("rt-2", None), on("rt-1", None)],
            _ => vec![],
        },
    )
    .await;
    let oper = format!("{IF_OPER}.5"); // Trunk1 comes first, then 0/0/0
    outside.set("rt-2=branch-silent");
    for (at, alive) in [(0, true), (1, false), (2, false), (3, true), (4, true)] {
        let wait = if alive { PATIENCE } else { QUIET };
        assert_eq!(answers(&outside, at, wait).await, alive, "rt-{}", at + 1);
    }
    if let Some(state) = number(&outside, &oper).await {
        assert_eq!(state, 2.0, "the parent's port is down");
    }
    outside.set("rt-3=hot:70");
    assert!(!answers(&outside, 2, QUIET).await, "a fault of its own does not bring it back");
    outside.set("rt-2=ok");
    for at in 0..5 {
        assert!(answers(&outside, at, PATIENCE).await, "rt-{} is back", at + 1);
    }
    if let Some(state) = number(&outside, &oper).await {
        assert_eq!(state, 1.0);
    }
    outside.set("rt-1=branch-silent");
    for at in 0..4 {
        assert!(!answers(&outside, at, QUIET).await, "rt-{} hangs on rt-1", at + 1);
    }
    assert!(answers(&outside, 4, PATIENCE).await);
}

#[tokio::test]
async fn each_model_breaks_in_its_own_way() {
    let models = [Model::Linux, Model::Ups, Model::Printer, Model::Vrp, Model::Comware];
    let outside = Outside::of(74, 5, |at| models[usize::from(at) - 1], |_| vec![]).await;
    for (line, part) in [
        ("rt-2=disk:94", "has no disk: `disk:94` is for devices of the profile linux-net-snmp"),
        ("rt-1=on-battery", "has no battery: `on-battery` is for devices of the profile ups-mib"),
        ("rt-4=toner:5", "has no toner: `toner:5` is for devices of the profile printer-mib"),
        ("rt-5=flapping:Trunk9", "no port `Trunk9`; it has Trunk1, GigabitEthernet1/0/1"),
    ] {
        let error = outside.site.apply(&line.parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains(part), "{line}: {error}");
    }
    for line in ["rt-1=disk:94", "rt-2=on-battery", "rt-3=toner:5", "rt-5=flapping:Trunk1"] {
        outside.set(line);
    }
    let get = async |at: usize, name: &str| {
        let (good, text) = tool("snmpget", "2c", COMMUNITY, outside.address(at), &[name]).await?;
        assert!(good, "{text}");
        Some(values(&text)[name].clone())
    };
    let Some(source) = get(1, ".1.3.6.1.2.1.33.1.4.1.0").await else {
        return;
    };
    assert_eq!(source, "5", "battery");
    assert_eq!(get(4, &format!("{IF_OPER}.1")).await.unwrap(), "2", "down first");
    for (at, name, value) in [
        (0, "1.3.6.1.4.1.8072.3.2.10", "Linux"),
        (1, "1.3.6.1.4.1.705.1.2", "UPS"),
        (3, "1.3.6.1.4.1.2011.2.23.276", "Huawei"),
        (4, "1.3.6.1.4.1.25506.1.921", "H3C"),
    ] {
        assert_eq!(get(at, ".1.3.6.1.2.1.1.2.0").await.unwrap(), format!(".{name}"), "{value}");
    }
    // A walk of each is in order (net-snmp refuses others) and comes to an end.
    for (at, model) in models.iter().enumerate() {
        let address = outside.address(at);
        let (good, text) = tool("snmpbulkwalk", "2c", COMMUNITY, address, &["-Cr25", ".1.3"]).await.unwrap();
        assert!(good && text.contains("No more variables left"), "{model:?}: {text}");
    }
}
