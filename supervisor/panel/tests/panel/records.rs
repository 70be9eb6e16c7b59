//! Maintenance records: written once, refused with a reason, shown safely, taken out as a table.

use super::*;
use std::sync::atomic::Ordering;

const RECORDS: &str = "/api/v1/records";

fn least() -> serde_json::Value {
    serde_json::json!({
        "kind": "corrective", "devices": ["rt-city-core"], "faults": [1], "symptom": "板卡温度高",
        "process": "更换风扇", "engineer": "王建国", "reported_at": "2026-11-18T14:03",
        "restored_at": "2026-11-18T08:03:00Z", "cost": "860", "level": null,
        "parts": [{"name": "风扇", "old_serial": "A1", "new_serial": "B2"}],
    })
}

fn with(name: &str, value: serde_json::Value) -> String {
    let mut body = least();
    body[name] = value;
    body.to_string()
}

fn count(server: &Server) -> usize {
    server.site.state.lock().unwrap().records.len()
}

#[tokio::test]
async fn a_record_is_written_and_can_be_sent_again_as_it_was_read() {
    let server = Server::start(SampleSite::small()).await;
    let answer = server.send(RECORDS, "", &least().to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert!(answer.head.contains("location: /api/v1/records/m-2026-0002"), "{}", answer.head);
    insta::assert_snapshot!(answer.pretty());
    let read = server.get("/api/v1/records/M-2026-0002").await.json();
    let again = server.send(RECORDS, "", &read["fields"].to_string()).await;
    assert_eq!(again.status, 201, "{}", again.body);
    assert_eq!(again.json()["fields"], read["fields"]);
    assert_eq!(
        server.get("/api/v1/records?limit=1&before=M-2026-0003").await.json()["records"][0]["number"],
        "M-2026-0002"
    );
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_names_its_fields() {
    let server = Server::start(SampleSite::small()).await;
    let twenty_one: Vec<_> = (0..21).map(|n| serde_json::json!({"name": format!("part {n}")})).collect();
    let bodies = [
        "{}".to_owned(),
        with("kind", "repair".into()),
        with("devices", serde_json::json!(["nobody"])),
        with("devices", "rt-city-core".into()),
        with("devices", serde_json::json!([7])),
        with("faults", serde_json::json!([99])),
        with("faults", serde_json::json!(["F-2026-0001"])),
        with("symptom", " ".into()),
        with("symptom", 5.into()),
        with("process", "长".repeat(3_001).into()),
        with("reported_at", "yesterday".into()),
        with("restored_at", "2026-11-18T14:02".into()),
        with("cost", 0.001.into()),
        with("parts", twenty_one.into()),
        with("parts", serde_json::json!([{"old_serial": "A1"}])),
        with("parts", serde_json::json!([{}])),
        with("level", "indeterminate".into()),
        with("colour<script>", "red".into()),
    ];
    let mut text = String::new();
    for body in bodies {
        for language in ["zh-CN", "en"] {
            let answer = server.send(&format!("{RECORDS}?lang={language}"), "", &body).await;
            assert_eq!(answer.status, 422, "{body}: {}", answer.body);
            let problem = answer.json();
            let fields: Vec<&str> =
                problem["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
            text += &format!("{}: {}\n", fields.join(" "), problem["detail"].as_str().unwrap());
        }
    }
    insta::assert_snapshot!(text);
    for (body, status) in [("", 400), ("[]", 400), ("{\"kind\":", 400), ("null", 400)] {
        assert_eq!(server.send(RECORDS, "", body).await.status, status, "{body}");
    }
    assert_eq!(server.send(RECORDS, "", &" ".repeat(70_000)).await.status, 413);
    // Without a length, the bound holds all the same.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let chunk = format!("11170\r\n{}\r\n0\r\n\r\n", " ".repeat(0x11170));
    let request = format!(
        "POST {RECORDS} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {TOKEN}\r\n\
         transfer-encoding: chunked\r\n\r\n{chunk}"
    );
    assert_eq!(ask_whole(&mut stream, &request).await.status, 413);
    assert_eq!(count(&server), 1, "nothing was written");
}

#[tokio::test]
async fn writing_needs_the_token_and_a_key_writes_once() {
    let server = Server::start(SampleSite::small()).await;
    for path in [RECORDS, "/api/v1/records/M-2026-0001/amendments"] {
        assert_eq!(server.post(path, "").await.status, 401);
        assert_eq!(server.post(path, "authorization: Bearer wrong\r\n").await.status, 403);
    }
    let (key, body) = ("idempotency-key: one\r\n", least().to_string());
    let (a, b) = tokio::join!(server.send(RECORDS, key, &body), server.send(RECORDS, key, &body));
    assert_eq!((a.status, b.status, &a.body), (201, 201, &b.body));
    assert_eq!(count(&server), 2, "written once");
    let other = server.send(RECORDS, key, &with("cause", "另一件事".into())).await;
    assert_eq!(
        (other.status, other.json()["type"].as_str()),
        (409, Some("urn:roundsman:problem:key-reused"))
    );
    assert_eq!(server.send(RECORDS, "idempotency-key: \r\n", &body).await.status, 400);
    server.site.store_down.store(true, Ordering::Relaxed);
    let answer = server.send(RECORDS, "", &body).await;
    assert!(answer.status == 503 && !answer.body.contains("disk full"), "{}", answer.body);
    for path in ["/records", "/devices/rt-city-core"] {
        let page = server.get(path).await;
        assert!(page.status == 200 && page.body.contains("维保记录暂时无法读取"), "{path}");
    }
    assert_eq!(server.get("/api/v1/records.csv").await.status, 503);
}

#[tokio::test]
async fn an_amendment_stands_beside_the_original() {
    let server = Server::start(SampleSite::small()).await;
    let path = "/api/v1/records/M-2026-0001/amendments";
    let amend = |field: &str, value: serde_json::Value, reason: &str| {
        serde_json::json!({"field": field, "value": value, "reason": reason, "author": "李红"}).to_string()
    };
    let devices = serde_json::json!(["rt-province", {"id": "rt-city-core", "name": "ignored"}]);
    let answer = server.send(path, "", &amend("devices", devices, "漏填一台")).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let json = answer.json();
    assert_eq!(json["original"]["devices"].as_array().unwrap().len(), 1);
    assert_eq!(json["fields"]["devices"][1]["name"], "市局核心路由器");
    assert_eq!((&json["amended"], &json["amendments"][1]["value"]), (&2.into(), &json["fields"]["devices"]));
    let page = server.get("/records/M-2026-0001").await.body;
    for seen in
        ["<del class=\"said\">¥ 860.00</del>", "<ins class=\"said\">¥ 1280.00</ins>", "漏记滤网费用", "李红"]
    {
        assert!(page.contains(seen), "{seen}");
    }
    assert!(server.get("/records?device=rt-province").await.body.contains("M-2026-0001"));
    for (body, field) in [
        (amend("cost", "1280".into(), "x"), "cost"),
        (amend("cost", "1".into(), ""), "reason"),
        (amend("engineer", serde_json::Value::Null, "x"), "engineer"),
        (amend("restored_at", "2020-01-01T00:00".into(), "x"), "restored_at"),
        (amend("number", "M-1".into(), "x"), "number"),
        (amend("reason", "x".into(), "x"), "reason"),
        ("{}".to_owned(), ""),
        (r#"{"field":"cost","value":"1","reason":"x","author":"y","by":"z"}"#.to_owned(), "by"),
    ] {
        let answer = server.send(path, "", &body).await;
        assert_eq!((answer.status, &answer.json()["errors"][0]["field"]), (422, &field.into()), "{body}");
    }
    assert_eq!(
        server.send("/api/v1/records/M-2026-0099/amendments", "", &amend("cost", 1.into(), "x")).await.status,
        404
    );
}

#[tokio::test]
async fn the_form_is_filled_in_from_the_fault() {
    let server = Server::start(SampleSite::small()).await;
    let form = server.get("/records/new?fault=1").await.body;
    for seen in [
        "<option value=\"corrective\" selected>",
        "<option value=\"rt-city-core\" selected>",
        "<option value=\"1\" selected>",
        "<option value=\"major\" selected>",
        "板卡温度 68.5 ℃</textarea>",
        "type=\"datetime-local\" value=\"2026-11-18T13:50\"",
        "/assets/records.js?v=",
    ] {
        assert!(form.contains(seen), "{seen}");
    }
    assert!(
        server
            .get("/records/new?device=rt-province")
            .await
            .body
            .contains("<option value=\"rt-province\" selected>")
    );
    for odd in ["?fault=99", "?fault=x", "?device=nobody", "?fault=%FF"] {
        assert_eq!(server.get(&format!("/records/new{odd}")).await.status, 200, "{odd}");
    }
    for page in ["/devices/rt-city-core", "/faults/1"] {
        let body = server.get(page).await.body;
        assert!(
            body.contains("href=\"/records/M-2026-0001\"") && body.contains("href=\"/records/new?"),
            "{page}"
        );
    }
    assert!(!server.get("/devices").await.body.contains("records.js"), "only where it is needed");
}

#[tokio::test]
async fn the_table_opens_in_a_spreadsheet_and_holds_no_formula() {
    let server = Server::start(SampleSite::small()).await;
    for n in 0..220 {
        let body = with("engineer", format!("=cmd|'/c calc'!A{n}").into());
        assert_eq!(server.send(RECORDS, "", &body).await.status, 201);
    }
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let answer = ask(&mut stream, "GET /api/v1/records.csv HTTP/1.0\r\n").await;
    assert!(answer.head.contains("content-type: text/csv; charset=utf-8"));
    assert!(answer.head.contains("content-disposition: attachment; filename=\"records-2026-11-18.csv\""));
    assert!(answer.body.starts_with("\u{feff}单号,记录时间,"), "{:.80}", answer.body);
    assert_eq!(answer.body.matches("\r\nM-2026-").count(), 221, "all of them, over several pages");
    assert!(answer.body.contains(",\"'=cmd|'/c calc'!A7\",") && !answer.body.contains(",=cmd"));
    let first = answer.body.lines().find(|line| line.starts_with("M-2026-0001")).unwrap();
    assert!(first.contains("2026-11-18 13:33:22,1,故障维修"), "{first}");
    let english = server.get("/api/v1/records.csv?lang=en&kind=spare").await.body;
    assert!(
        english.contains("Number,Written,Amendments,Kind,Level,Devices,") && !english.contains("M-2026"),
        "{english}"
    );
}

#[tokio::test]
async fn what_people_write_is_text_and_never_markup() {
    const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}</textarea>";
    let server = Server::start(SampleSite::small()).await;
    let mut body = least();
    for name in ["symptom", "cause", "process", "result", "remaining"] {
        body[name] = format!("{EVIL}\n{EVIL}").into();
    }
    (body["engineer"], body["reporter"], body["serial"]) =
        ("<b onclick=alert(1)>".into(), "\u{202e}\"'><i>".into(), "'><u>".into());
    body["parts"] = serde_json::json!([{"name": "<script>x\ty</script>", "old_serial": EVIL.get(..70), "new_serial": "\"><s>"}]);
    let answer = server.send(RECORDS, "", &body.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let amendment = serde_json::json!({"field": "cause", "value": "<script>2</script>", "reason": EVIL, "author": "<i>李"});
    let path = "/api/v1/records/M-2026-0002/amendments";
    assert_eq!(server.send(path, "", &amendment.to_string()).await.status, 201);
    let q = EVIL.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
    for path in [
        "/records",
        "/records/M-2026-0002",
        "/records/M-2026-0002/amend",
        "/records/M-2026-0002/amend?field=process",
        "/records/M-2026-0002/amend?field=parts",
        "/devices/rt-city-core",
        "/faults/1",
        &format!("/records?q={q}&device={q}&fault={q}&kind={q}&from={q}&before={q}"),
        &format!("/records/new?fault={q}&device={q}"),
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        let page = answer.body;
        for tag in ["<script>", "<img", "<b onclick", "<i>", "<s>", "<u>", "\u{202e}"] {
            assert!(!page.contains(tag), "{tag} in {path}");
        }
        assert_eq!(page.matches("<textarea").count(), page.matches("</textarea>").count(), "{path}");
    }
}
