//! The weekly summary on the panel: the list of weeks, one week's page, the route for programs, and what is refused.

use super::*;
use roundsman_core::time::Wall;
use std::sync::atomic::Ordering;

const ROUTE: &str = "/api/v1/reports/weekly";

#[tokio::test]
async fn the_list_begins_with_the_running_week_and_leads_to_each() {
    let server = Server::start(SampleSite::small()).await;
    let page = server.get("/reports").await;
    assert_eq!(page.status, 200);
    let rows: Vec<&str> = page.body.split("href=\"/reports/weekly/").skip(1).collect();
    let weeks: Vec<&str> = rows.iter().map(|row| &row[..8]).collect();
    assert_eq!(weeks, ["2026-W47", "2026-W46", "2026-W45", "2026-W44", "2026-W43"]);
    assert!(rows[0].contains("进行中") && !rows[1].contains("进行中"));
    for week in weeks {
        let page = server.get(&format!("/reports/weekly/{week}?lang=en")).await;
        assert_eq!(page.status, 200, "{week}");
        assert!(page.body.contains("Weekly equipment health summary"), "{week}");
        assert!(!page.body.contains(" style="), "the policy allows no inline style");
        assert_eq!(page.body.contains("rel=\"next\""), week != "2026-W47", "{week}");
    }
    // Nothing was watched before: a page of earlier weeks says so, and leads back.
    let earlier = server.get("/reports?before=2026-W43").await;
    assert!(
        earlier.body.contains("尚无周报") && earlier.body.contains("href=\"/reports\""),
        "{}",
        earlier.body
    );
    // What is no week is no filter.
    assert!(server.get("/reports?before=x").await.body.contains("2026-W47"));
}

#[tokio::test]
async fn a_site_without_a_past_says_what_will_come_and_a_broken_store_what_to_check() {
    let server = Server::start(SampleSite::empty()).await;
    assert!(server.get("/reports").await.body.contains("尚无周报"));
    let sheet = server.get("/reports/weekly/2026-W46").await;
    assert!(sheet.status == 200 && sheet.body.contains("本周没有在册设备"), "{}", sheet.body);
    server.site.store_down.store(true, Ordering::Relaxed);
    let list = server.get("/reports").await;
    assert!(list.status == 200 && list.body.contains("周报暂时无法读取"), "{}", list.body);
    for path in ["/reports/weekly/2026-W46", ROUTE] {
        let answer = server.get(path).await;
        assert!(answer.status == 503 && !answer.body.contains("disk full"), "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn programs_get_json_or_a_page_of_its_own() {
    let server = Server::start(SampleSite::small()).await;
    let report = server.get(ROUTE).await.json();
    assert_eq!(report["week"], "2026-W46", "the last whole week");
    assert_eq!(report["language"], "zh-CN");
    assert_eq!(report["from"], "2026-11-09T00:00:00.000+08:00");
    assert_eq!(report["to"], "2026-11-16T00:00:00.000+08:00");
    assert_eq!(report["complete"], true);
    let running = server.get(&format!("{ROUTE}?week=2026-W47&language=en")).await.json();
    assert_eq!((running["complete"].as_bool(), running["language"].as_str()), (Some(false), Some("en")));
    assert_eq!(running["to"], "2026-11-18T14:03:22.000+08:00");
    let page = server.get(&format!("{ROUTE}?format=html&language=en")).await;
    assert!(page.head.contains("content-type: text/html; charset=utf-8"), "{}", page.head);
    let policy = page.head.lines().filter(|line| line.starts_with("content-security-policy:"));
    let policy: Vec<&str> = policy.collect();
    assert!(
        policy.len() == 1 && policy[0].contains("default-src 'none'; style-src 'unsafe-inline'"),
        "{policy:?}"
    );
    assert!(page.body.starts_with("<!DOCTYPE html>\n<html lang=\"en\">") && !page.body.contains("<script"));
}

#[tokio::test]
async fn what_is_no_week_is_refused_in_words() {
    let server = Server::start(SampleSite::small()).await;
    for (query, said) in [
        ("week=2026-W54", "2026-W54 不存在：2026 年共 53 周。"),
        ("week=2025-W53", "2025-W53 不存在：2025 年共 52 周。"),
        ("week=2026-W48", "2026-W48 尚未开始，当前为 2026-W47。"),
        ("week=%3Cscript%3E", "“<script>”不是 ISO 周，请写作 2026-W47 的形式。"),
        ("format=pdf", "format 取 json 或 html"),
        ("language=fr", "language 取 zh-CN 或 en"),
    ] {
        let answer = server.get(&format!("{ROUTE}?{query}")).await;
        let problem = answer.json();
        assert_eq!(answer.status, 400, "{query}");
        assert!(problem["detail"].as_str().unwrap().contains(said), "{query}: {problem}");
    }
    for week in ["2026-W54", "2026-W48", "x", "..%2f..", "%3Cscript%3E"] {
        let page = server.get(&format!("/reports/weekly/{week}")).await;
        assert_eq!(page.status, 404, "{week}");
        assert!(page.body.contains("没有这一周的周报") && !page.body.contains("<script>"), "{week}");
    }
}

/// The page of the running week is the same within a minute: nothing is swapped that did not change.
#[tokio::test]
async fn a_page_within_the_same_minute_costs_nothing() {
    let server = Server::start(SampleSite::small()).await;
    let page = server.get("/reports/weekly/2026-W46").await.body;
    let hashes: Vec<&str> = page.split("data-hash=\"").skip(1).map(|piece| &piece[..16]).collect();
    let Wall(now) = roundsman_panel::Site::now(&*server.site);
    server.site.now.store(now + 30_000, Ordering::Relaxed);
    let held = format!("GET /reports/weekly/2026-W46 HTTP/1.1\r\nx-held: {}\r\n", hashes.join(","));
    assert_eq!(server.ask(&held).await.body, "");
}
