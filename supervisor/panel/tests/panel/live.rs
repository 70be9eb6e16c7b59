//! The event stream: live, replayed, reset, bounded, ended.

use super::*;
use roundsman_core::fault::Change;
use roundsman_core::rule::Severity;
use roundsman_panel::RING;
use site::fault;

const EVENTS: &str = "/api/v1/events";

fn raise(site: &SampleSite, id: u64) {
    site.change(Change::Raised, fault(id, "rt-city-core", Severity::Critical));
}

#[tokio::test]
async fn transitions_devices_and_ticks_arrive_as_frames() {
    let server = Server::start(SampleSite::small()).await;
    let mut watch = server.watch(EVENTS, "").await;
    let tick = watch.until("\n\n").await;
    for id in ["rt-city-core", "rt-province", "rt-city-core"] {
        server.site.feed.device_changed(&id.into());
    }
    raise(&server.site, 2);
    let transition = watch.event().await;
    let device = watch.event().await;
    let tick: Vec<&str> = tick.lines().filter(|l| l.contains(':')).collect();
    insta::assert_snapshot!(format!("{}\n\n{transition}\n\n{device}", tick.join("\n")));
}

#[tokio::test]
async fn a_watcher_that_comes_back_gets_what_it_missed_once() {
    let server = Server::start(SampleSite::small()).await;
    for id in 2..=5 {
        raise(&server.site, id);
    }
    // Six transitions by now; the header is newer than the address.
    for (path, header) in
        [(format!("{EVENTS}?last=3"), ""), (format!("{EVENTS}?last=1"), "last-event-id: 3\r\n")]
    {
        let mut watch = server.watch(&path, header).await;
        for id in 4..=6 {
            assert!(watch.event().await.contains(&format!("id: {id}")));
        }
    }
    let mut watch = server.watch(&format!("{EVENTS}?last=6"), "").await;
    raise(&server.site, 6);
    assert!(watch.event().await.contains("id: 7"));
}

#[tokio::test]
async fn a_watcher_that_missed_too_much_is_told_to_reset() {
    let server = Server::start(SampleSite::small()).await;
    for id in 2..=1_001 {
        raise(&server.site, id);
    }
    // 1,002 transitions: after number 1 there are 1,001, after number 2 there are 1,000.
    let mut watch = server.watch(&format!("{EVENTS}?last=1"), "").await;
    assert_eq!(watch.event().await, "event: reset\ndata: {\"last\":1002}");
    let mut watch = server.watch(&format!("{EVENTS}?last=2"), "").await;
    assert!(watch.event().await.contains("id: 3"));
    // A number from another life of the store.
    let mut watch = server.watch(&format!("{EVENTS}?last=5000"), "").await;
    assert_eq!(watch.event().await, "event: reset\ndata: {\"last\":1002}");
    raise(&server.site, 1_002);
    assert!(watch.event().await.contains("id: 1003"));
}

#[tokio::test]
async fn a_slow_watcher_is_reset_and_dropped_and_others_go_on() {
    let server = Server::start(SampleSite::small()).await;
    let mut watch = server.watch(EVENTS, "").await;
    watch.tick().await;
    // On this single thread the server cannot run between these: the ring overflows.
    for id in 2..(RING as u64 + 12) {
        raise(&server.site, id);
    }
    let last = server.site.state.lock().unwrap().transitions.len();
    let rest = watch.rest().await;
    assert!(rest.contains(&format!("event: reset\ndata: {{\"last\":{last}}}")), "{rest}");
    assert!(!rest.contains("event: transition"));
    let mut fresh = server.watch(EVENTS, "").await;
    fresh.tick().await;
    raise(&server.site, 9_999);
    assert!(fresh.event().await.contains(&format!("id: {}", last + 1)));
}

#[tokio::test]
async fn watchers_are_counted_and_bounded() {
    let server = Server::start(SampleSite::small()).await;
    let mut all = Vec::new();
    for _ in 0..64 {
        all.push(server.watch(EVENTS, "").await);
    }
    let refused = server.get(EVENTS).await;
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("too-many-watchers") && refused.head.contains("retry-after"));
    // A place is free again as soon as somebody leaves; the server needs a moment to see it.
    drop(all);
    let free = async {
        while !server.get("/metrics").await.body.contains("roundsman_watchers 0\n") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, free).await.expect("places are given back");
    server.watch(EVENTS, "").await.tick().await;
}

#[tokio::test]
async fn shutdown_ends_the_streams_and_returns() {
    let mut server = Server::start(SampleSite::small()).await;
    let mut watch = server.watch(EVENTS, "").await;
    watch.tick().await;
    server.stop.take().unwrap().send(()).unwrap();
    tokio::time::timeout(PATIENCE, server.task).await.expect("serve returns").unwrap();
    assert!(watch.rest().await.ends_with("0\r\n\r\n"), "the last chunk was sent");
}
