//! Commands: what a device can be told is listed and offered, what it was told stays to be seen.

use super::pages::{parts, without_hashes};
use super::*;
use site::{T0, commands};
use std::sync::atomic::Ordering;

const PAGE: &str = "/devices/wall-10f/commands";
const API: &str = "/api/v1/devices/wall-10f/commands";

async fn told_everything() -> Server {
    let site = SampleSite::with_wall();
    site.state.lock().unwrap().told = commands::every_outcome(roundsman_core::time::Wall(T0));
    Server::start(site).await
}

#[tokio::test]
async fn every_command_has_its_form_and_every_outcome_its_words() {
    let server = told_everything().await;
    insta::assert_snapshot!("commands_zh", without_hashes(&parts(&server, PAGE).await));
    let english = parts(&server, &format!("{PAGE}?lang=en")).await;
    insta::assert_snapshot!("commands_en", without_hashes(&english));
}

#[tokio::test]
async fn the_api_lists_them_a_page_at_a_time() {
    let server = told_everything().await;
    let list = server.get(&format!("{API}?limit=1")).await;
    insta::assert_snapshot!("commands_api", list.pretty());
    let ids = |answer: &Answer| -> Vec<i64> {
        let given = answer.json()["given"].as_array().unwrap().clone();
        given.iter().map(|given| given["id"].as_i64().unwrap()).collect()
    };
    let first = server.get(&format!("{API}?limit=5")).await;
    assert_eq!(ids(&first), [8, 7, 6, 5, 4]);
    assert_eq!(ids(&server.get(&format!("{API}?limit=5&before=4")).await), [3, 2, 1]);
    assert_eq!(ids(&server.get(&format!("{API}?before=1")).await), [0_i64; 0]);
    for (query, status) in [("limit=0", 400), ("limit=1001", 400), ("limit=x", 400), ("before=x", 400)] {
        assert_eq!(server.get(&format!("{API}?{query}")).await.status, status, "{query}");
    }
    assert_eq!(server.get("/api/v1/devices/nobody/commands").await.status, 404);
    assert_eq!(server.get("/devices/nobody/commands").await.status, 404);
    server.site.store_down.store(true, Ordering::Relaxed);
    assert_eq!(server.get(API).await.status, 503);
    let page = parts(&server, PAGE).await;
    assert!(page.contains("操作记录暂时无法读取"), "the forms stay, the record says why it is empty: {page}");
    assert!(page.contains("data-command=\"power\""));
}

#[tokio::test]
async fn what_was_given_is_seen_at_once() {
    let server = Server::start(SampleSite::with_wall()).await;
    assert!(parts(&server, PAGE).await.contains("尚无操作记录"));
    let body = r#"{"unit":"r1c1","arguments":{"state":"on"}}"#;
    let answer = server.send(&format!("{API}/power"), "idempotency-key: a\r\n", body).await;
    assert_eq!((answer.status, answer.json()["verified"].as_str()), (200, Some("yes")), "{}", answer.body);
    let page = parts(&server, PAGE).await;
    assert!(page.contains("r1c1 · 电源 · 开<") && page.contains("已执行，回读确认"), "{page}");
    assert_eq!(server.get(API).await.json()["given"][0]["by"], "panel");
}

/// The same key while it is under way, and after: sent once. A key that was claimed by a service that died is no
/// permission to send again.
#[tokio::test]
async fn a_key_is_claimed_before_anything_is_sent() {
    let site = SampleSite::with_wall();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    site.state.lock().unwrap().held = Some(gate.clone());
    let server = Server::start(site).await;
    let (path, body) = (format!("{API}/power"), r#"{"unit":"r1c1","arguments":{"state":"on"}}"#);
    let first = server.send(&path, "idempotency-key: a\r\n", body);
    let others = async {
        while server.site.state.lock().unwrap().told.is_empty() {
            tokio::task::yield_now().await;
        }
        let again = server.send(&path, "idempotency-key: a\r\n", body).await;
        let kind = again.json()["type"].as_str().unwrap().to_owned();
        assert_eq!((again.status, kind.as_str()), (409, "urn:roundsman:problem:command-under-way"));
        gate.add_permits(1);
        // Another one is not kept waiting by it.
        let other = server.send(&path, "idempotency-key: b\r\n", body).await;
        assert_eq!(other.status, 200);
        gate.add_permits(8);
    };
    let (first, ()) = tokio::join!(first, others);
    let again = server.send(&path, "idempotency-key: a\r\n", body).await;
    assert_eq!((first.status, first.body), (again.status, again.body));
    assert_eq!(server.site.state.lock().unwrap().told.len(), 2, "one for each key");
    let unknown = server.send(&format!("{API}/dance"), "idempotency-key: c\r\n", body).await;
    assert_eq!(unknown.status, 409);
    let unknown = server.send(&format!("{API}/dance"), "idempotency-key: c\r\n", body).await;
    assert!(
        unknown.json()["detail"].as_str().unwrap().contains("dance"),
        "the refusal is kept: {}",
        unknown.body
    );
}

#[tokio::test]
async fn the_device_page_leads_there_only_where_there_is_something() {
    let server = Server::start(SampleSite::with_wall()).await;
    assert!(parts(&server, "/devices/wall-10f").await.contains("href=\"/devices/wall-10f/commands\""));
    assert!(!parts(&server, "/devices/rt-city-core").await.contains("/commands\""));
    assert!(parts(&server, "/devices/rt-city-core/commands").await.contains("该设备没有可执行的操作"));
}
