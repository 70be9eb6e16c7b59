//! What can be read: API, metrics, page.

use super::*;
use roundsman_core::device::Tier;
use roundsman_core::fault::{Change, Ending, Fault, FaultId};
use roundsman_core::rule::Severity;
use site::{device, fault};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn the_api_speaks_as_designed() {
    let server = Server::start(SampleSite::small()).await;
    let paths = [
        "/api/v1/devices",
        "/api/v1/devices/rt-city-core",
        "/api/v1/devices/rt-city-core/readings",
        "/api/v1/faults",
        "/api/v1/faults/1?lang=en",
        "/api/v1/faults?state=closed",
        "/api/v1/faults?state=open&limit=1&before=1",
        "/api/v1/records?device=rt-city-core&kind=corrective&from=2026-11-18&q=%E9%A3%8E%E6%89%87",
        "/api/v1/records/m-2026-1",
    ];
    let mut text = String::new();
    for path in paths {
        text += &format!("GET {path}\n{}\n\n", server.get(path).await.pretty());
    }
    insta::assert_snapshot!(text);
}

/// The fault of a device behind a failed one is a consequence; an ended one and the root's own are not.
#[tokio::test]
async fn faults_of_hidden_devices_say_so() {
    let site = SampleSite::small();
    let mut hidden = device("rt-station", "所路由器", Tier::Station, "rt-city-core");
    hidden.behind = Some("rt-city-core".into());
    site.state.lock().unwrap().devices.push(hidden);
    let behind = Fault { hidden_by: Some(FaultId(1)), ..fault(7, "rt-station", Severity::Critical) };
    site.change(Change::Raised, behind.clone());
    let ended = Fault { id: FaultId(8), ending: Some(Ending::Cleared), ..behind };
    site.change(Change::Ended, ended);
    let server = Server::start(site).await;
    let json = server.get("/api/v1/faults?state=all").await.json();
    let faults = json["faults"].as_array().unwrap().iter();
    let said: Vec<_> =
        faults.map(|f| (f["id"].as_u64().unwrap(), f["suppression"].as_str().unwrap())).collect();
    assert_eq!(said, [(8, "hidden"), (7, "hidden"), (1, "none")]);
    let whole = server.get("/api/v1/faults/7").await.json();
    assert_eq!(
        (&whole["suppression"], &whole["transitions"][0]["fault"]["hidden_by"]),
        (&"hidden".into(), &1.into())
    );
    let root = server.get("/api/v1/faults/1").await.json();
    let hides = serde_json::json!({
        "count": 1, "tiers": { "station": 1 }, "networks": { "business": 1 }, "devices": ["rt-station"],
    });
    assert_eq!(root["hides"], hides);
}

#[tokio::test]
async fn refusals_are_problems_in_the_askers_language() {
    let server = Server::start(SampleSite::small()).await;
    let long = format!("/api/v1/devices?x={}", "a".repeat(3_000));
    let mut text = String::new();
    for path in [
        "/api/v1/devices/nope",
        "/api/v1/devices/nope/readings",
        "/api/v1/faults/99",
        "/api/v1/faults/abc",
        "/api/v1/faults?state=bad",
        "/api/v1/faults?limit=0",
        "/api/v1/faults?limit=x",
        "/api/v1/records/M-2026-0099",
        "/api/v1/records/42",
        "/api/v1/records?kind=repair",
        "/api/v1/records.csv?from=monday",
        "/api/v1/nope",
        "/assets/nope",
        &long,
    ] {
        for language in ["zh-CN,zh;q=0.9", "en-GB"] {
            let answer = server.ask(&format!("GET {path} HTTP/1.1\r\naccept-language: {language}\r\n")).await;
            assert!(
                answer.head.contains("content-type: application/problem+json"),
                "{path}: {}",
                answer.head
            );
            let path = path.chars().take(40).collect::<String>();
            let problem = answer.json();
            text += &format!("{path} {} {} {}\n", answer.status, problem["type"], problem["title"]);
            assert_eq!(problem["status"], answer.status);
        }
    }
    insta::assert_snapshot!(text);
    server.site.store_down.store(true, Ordering::Relaxed);
    let answer = server.get("/api/v1/faults").await;
    assert_eq!(answer.status, 503);
    assert!(!answer.body.contains("disk full"), "the store's words are for the log");
}

#[tokio::test]
async fn limits_hold() {
    let server = Server::start(SampleSite::small()).await;
    let large = server.ask("POST /api/v1/faults/1/acknowledge HTTP/1.1\r\ncontent-length: 70000\r\n").await;
    assert_eq!(large.status, 413);
    let wrong = server.ask("DELETE /api/v1/faults/1 HTTP/1.1\r\n").await;
    assert_eq!(wrong.status, 405);
    let many: String = (0..80).map(|n| format!("x-{n}: y\r\n")).collect();
    assert_eq!(server.ask(&format!("GET / HTTP/1.1\r\n{many}")).await.status, 431);
    let long = format!("GET / HTTP/1.1\r\nx: {}\r\n", "y".repeat(20_000));
    assert_eq!(server.ask(&long).await.status, 431);
    assert_eq!(server.get("/healthz").await.body, "ok\n");
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let server = Server::start(SampleSite::small()).await;
    for path in [
        "/",
        "/devices",
        "/wall",
        "/records/new",
        "/api/v1/records.csv",
        "/api/v1/devices",
        "/api/v1/nope",
        "/metrics",
        "/assets/panel.js",
    ] {
        let head = server.get(path).await.head;
        assert!(head.contains("content-security-policy: default-src 'none';"), "{path}");
        assert!(head.contains("x-content-type-options: nosniff"), "{path}");
        assert!(head.contains("referrer-policy: no-referrer"), "{path}");
        assert_eq!(head.contains("cache-control: no-store"), !path.starts_with("/assets/"), "{path}");
        assert!(!head.contains("unsafe-inline") && !head.contains("set-cookie"), "{path}");
    }
}

#[tokio::test]
async fn the_description_names_every_route_and_every_route_answers() {
    let server = Server::start(SampleSite::small()).await;
    let api = server.get("/api/openapi.json").await.json();
    let mut described: Vec<String> = Vec::new();
    for (path, methods) in api["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            described.push(format!("{} {path}", method.to_uppercase()));
            let good = ["200", "201"].iter().any(|good| operation["responses"][good].is_object());
            assert!(good, "{method} {path}");
            let id = if path.contains("devices") { "rt-city-core" } else { "1" };
            let real = path.replace("{id}", id).replace("{number}", "M-2026-0001").replace("{act}", "arrive");
            if path.ends_with("events") {
                server.watch(&real, "").await.tick().await;
                continue;
            }
            let request = format!(
                "{} {real} HTTP/1.1\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: 0\r\n",
                method.to_uppercase()
            );
            let answer = server.ask(&request).await;
            assert!(![404, 405].contains(&answer.status), "{method} {path}: {}", answer.status);
            let described = operation["responses"].get(answer.status.to_string());
            assert!(described.is_some(), "{method} {path} answers {}, undescribed", answer.status);
            check_body(&api, &operation["responses"][answer.status.to_string()], &answer, path);
        }
    }
    insta::assert_snapshot!(described.join("\n"));
}

/// Every field of the answer is described, every described one is there.
fn check_body(api: &serde_json::Value, response: &serde_json::Value, answer: &Answer, path: &str) {
    let Some(schema) = response["content"]["application/json"]["schema"]["$ref"].as_str() else {
        return;
    };
    let name = schema.rsplit('/').next().unwrap();
    let mut fields = Vec::new();
    collect(api, &api["components"]["schemas"][name], &mut fields);
    let body = answer.json();
    let mut real: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    real.sort_unstable();
    fields.sort();
    assert_eq!(fields, real, "{path}");
}

fn collect(api: &serde_json::Value, schema: &serde_json::Value, fields: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        collect(api, &api["components"]["schemas"][reference.rsplit('/').next().unwrap()], fields);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        collect(api, part, fields);
    }
    fields.extend(schema["properties"].as_object().into_iter().flat_map(|p| p.keys().cloned()));
}

#[tokio::test]
async fn metrics_are_openmetrics_text() {
    let server = Server::start(SampleSite::small()).await;
    insta::assert_snapshot!(server.get("/metrics").await.body);
}

#[tokio::test]
async fn series_by_device_are_bounded_and_what_is_left_out_is_said() {
    // A device of the sample has rows for SNMP and for reach.
    let own = |body: &str, device: &str| {
        let label = format!("device=\"{device}\"");
        body.lines().filter(|line| line.contains(&label)).count()
    };
    for (devices, without) in [(1_000, 0), (1_100, 152)] {
        let site = SampleSite::small();
        let made = (0..devices).map(|at| device(&format!("rt-{at}"), "", Tier::Station, ""));
        site.state.lock().unwrap().devices = made.collect();
        let server = Server::start(site).await;
        let body = server.get("/metrics").await.body;
        assert_eq!(own(&body, "rt-0"), 17 + 8, "what decision 16 says");
        assert_eq!(own(&body, "rt-1023"), if devices > 1_023 { 17 + 8 } else { 0 });
        assert_eq!(own(&body, "rt-1024"), 0);
        assert!(body.contains(&format!("\nroundsman_devices_without_series {without}\n")), "{devices}");
    }
}
