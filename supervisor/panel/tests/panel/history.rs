//! The past of a series: API and pages.

use super::*;
use std::sync::atomic::Ordering;

const BASE: &str = "/api/v1/devices/rt-city-core/history";

#[tokio::test]
async fn numbers_come_as_columns_and_words_as_runs() {
    let server = Server::start(SampleSite::small()).await;
    let hour = "from=2026-11-18T13:00:00%2B08:00&to=2026-11-18T14:00:00%2B08:00";
    let mut text = String::new();
    for query in [
        format!("metric=cpu.load&{hour}&points=4"),
        format!("metric=interface.oper-status&instance=GE1/0/1&{hour}"),
        format!("metric=interface.oper-status&instance=GE1/0/1&{hour}&lang=en"),
    ] {
        text += &format!("GET {BASE}?{query}\n{}\n\n", server.get(&format!("{BASE}?{query}")).await.pretty());
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn without_a_time_it_is_the_last_day_in_500_columns() {
    let server = Server::start(SampleSite::small()).await;
    let json = server.get(&format!("{BASE}?metric=cpu.load")).await.json();
    assert_eq!(
        (&json["from"], &json["to"]),
        (&"2026-11-17T14:03:22.000+08:00".into(), &"2026-11-18T14:03:22.000+08:00".into())
    );
    assert_eq!(json["width_ms"], 86_400_000 / 500);
    assert!(json["columns"].as_array().is_some_and(|columns| columns.len() == 400), "a fifth of it is a gap");
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused_with_how_to_ask() {
    let server = Server::start(SampleSite::small()).await;
    for (path, status, kind) in [
        (format!("{BASE}?metric=cpu.lod"), 404, "no-such-series"),
        (format!("{BASE}?metric=memory.used"), 404, "no-such-series"),
        ("/api/v1/devices/nope/history?metric=cpu.load".to_owned(), 404, "no-such-device"),
        (BASE.to_owned(), 400, "bad-history-query"),
        (format!("{BASE}?metric="), 400, "bad-history-query"),
        (format!("{BASE}?metric=cpu.load&from=yesterday"), 400, "bad-history-query"),
        (format!("{BASE}?metric=cpu.load&points=0"), 400, "bad-history-query"),
        (format!("{BASE}?metric=cpu.load&points=2001"), 400, "bad-history-query"),
        (
            format!("{BASE}?metric=cpu.load&to=2026-11-18T00:00:00Z&from=2026-11-18T00:00:00Z"),
            400,
            "bad-history-query",
        ),
    ] {
        let answer = server.get(&path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.json()["type"], format!("urn:roundsman:problem:{kind}"), "{path}");
    }
    server.site.store_down.store(true, Ordering::Relaxed);
    assert_eq!(server.get(&format!("{BASE}?metric=cpu.load")).await.status, 503);
    for path in ["/devices/rt-city-core", "/devices/rt-city-core/history?metric=cpu.load"] {
        let page = server.get(path).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("历史数据暂时无法读取"), "{path}");
    }
}

#[tokio::test]
async fn every_range_is_a_page_and_an_unknown_one_is_an_hour() {
    let server = Server::start(SampleSite::small()).await;
    for (span, name) in
        [("1h", "1 小时"), ("24h", "24 小时"), ("7d", "7 天"), ("13w", "13 周"), ("a-year", "1 小时")]
    {
        for path in ["/devices/rt-city-core?", "/devices/rt-city-core/history?metric=cpu.load&"] {
            let page = server.get(&format!("{path}span={span}")).await.body;
            let here = page.split("aria-current=\"page\">").map(|rest| rest.split('<').next().unwrap_or(""));
            assert!(here.clone().any(|word| word == name), "{path} {span}: {:?}", here.collect::<Vec<_>>());
            assert!(page.contains("class=\"drawing chart\""), "{path} {span}");
        }
    }
}
