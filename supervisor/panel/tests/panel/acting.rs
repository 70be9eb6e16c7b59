//! Who may act, and that a repeated request acts once.

use super::*;
use roundsman_core::fault::Condition;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::Ordering;
use tokio::net::UnixStream;

const ACKNOWLEDGE: &str = "/api/v1/faults/1/acknowledge";

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

fn transitions(server: &Server) -> usize {
    server.site.state.lock().unwrap().transitions.len()
}

#[tokio::test]
async fn acting_needs_the_token() {
    let server = Server::start(SampleSite::small()).await;
    let cases = [
        ("", 401),
        ("authorization: Basic YTpi\r\n", 401),
        ("authorization: Bearer\r\n", 401),
        ("authorization: Bearer wrong\r\n", 403),
        ("authorization: Bearer 0123456789abcde\r\n", 403),
        ("authorization: Bearer 0123456789abcdef0\r\n", 403),
        ("cookie: token=0123456789abcdef\r\n", 401),
    ];
    for (header, status) in cases {
        for path in [ACKNOWLEDGE, "/api/v1/faults/1/close"] {
            let answer = server.post(path, header).await;
            assert_eq!(answer.status, status, "{header}");
            assert_eq!(answer.head.contains("www-authenticate: bearer"), status == 401);
        }
    }
    assert_eq!(transitions(&server), 2);
    let answer = server.post(ACKNOWLEDGE, &bearer(TOKEN)).await;
    assert_eq!((answer.status, answer.json()["operator"].as_str()), (200, Some("acknowledged")));
    assert_eq!(server.get("/api/v1/faults/1").await.json()["acknowledged_by"], "panel");
}

#[tokio::test]
async fn an_empty_token_opens_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let door = Door::Panel { token: "".into() };
    tokio::spawn(serve(listener, Arc::new(SampleSite::small()), door, std::future::pending()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("POST {ACKNOWLEDGE} HTTP/1.1\r\ncontent-length: 0\r\nauthorization: Bearer \r\n");
    assert!([401, 403].contains(&ask(&mut stream, &head).await.status));
}

#[tokio::test]
async fn refusals_of_the_engine_are_conflicts() {
    let server = Server::start(SampleSite::small()).await;
    let token = bearer(TOKEN);
    let kind =
        |answer: &Answer| answer.json()["type"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let close = "/api/v1/faults/1/close";
    let answer = server.post(close, &token).await;
    assert_eq!((answer.status, kind(&answer)), (409, "not-closable".into()));
    server.post(ACKNOWLEDGE, &token).await;
    let answer = server.post(ACKNOWLEDGE, &token).await;
    assert_eq!((answer.status, kind(&answer)), (409, "already-acknowledged".into()));
    server.site.state.lock().unwrap().faults.get_mut(&1).unwrap().condition = Condition::Cleared;
    assert_eq!(server.post(close, &token).await.status, 200);
    let answer = server.post(close, &token).await;
    assert_eq!((answer.status, kind(&answer)), (409, "not-open".into()));
    let answer = server.post("/api/v1/faults/99/close", &token).await;
    assert_eq!((answer.status, kind(&answer)), (404, "no-such-fault".into()));
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer() {
    let server = Server::start(SampleSite::small()).await;
    let keyed = |key: &str| format!("{}idempotency-key: {key}\r\n", bearer(TOKEN));
    let together = keyed("one");
    let (a, b) = tokio::join!(server.post(ACKNOWLEDGE, &together), server.post(ACKNOWLEDGE, &together));
    assert_eq!((a.status, b.status), (200, 200));
    assert_eq!(a.body, b.body);
    assert_eq!(transitions(&server), 3, "acknowledged once");
    let other = server.post(ACKNOWLEDGE, &keyed("two")).await;
    assert_eq!(other.status, 409);
    let again = server.post(ACKNOWLEDGE, &keyed("two")).await;
    assert_eq!((again.status, &again.body), (409, &other.body));
    assert!(again.head.contains("application/problem+json"));
    // The same key on another route is another request.
    assert_eq!(server.post("/api/v1/faults/1/close", &keyed("one")).await.status, 409);
    for bad in ["", " ", "käse", &"k".repeat(129)] {
        assert_eq!(server.post(ACKNOWLEDGE, &keyed(bad)).await.status, 400, "{bad:?}");
    }
}

#[tokio::test]
async fn a_failing_store_is_not_kept_as_the_answer() {
    let server = Server::start(SampleSite::small()).await;
    let keyed = format!("{}idempotency-key: k\r\n", bearer(TOKEN));
    server.site.store_down.store(true, Ordering::Relaxed);
    let answer = server.post(ACKNOWLEDGE, &keyed).await;
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("retry-after"));
    server.site.store_down.store(false, Ordering::Relaxed);
    assert_eq!(server.post(ACKNOWLEDGE, &keyed).await.status, 200);
}

#[tokio::test]
async fn on_the_control_socket_the_peers_uid_is_the_operator() {
    let dir = scratch("control");
    let path = dir.join("c.sock");
    let site = Arc::new(SampleSite::small());
    tokio::spawn(serve(unix(&path), site.clone(), Door::Control, std::future::pending()));
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let answer = ask(&mut stream, &format!("POST {ACKNOWLEDGE} HTTP/1.1\r\ncontent-length: 0\r\n")).await;
    assert_eq!(answer.status, 200);
    let uid = std::fs::metadata(&dir).unwrap().uid();
    let by = site.state.lock().unwrap().faults[&1].acknowledged.clone().unwrap().by;
    assert_eq!(*by, format!("uid:{uid}"));
}

#[tokio::test]
async fn people_are_sent_arrive_and_put_aside() {
    let server = Server::start(SampleSite::small()).await;
    let token = bearer(TOKEN);
    let kind = |answer: &Answer| {
        answer.json()["type"].as_str().map(|kind| kind.rsplit(':').next().unwrap().to_owned())
    };
    let long = format!(r#"{{"for_min":60,"reason":"{}"}}"#, "长".repeat(201));
    let refused = [
        ("assign", "", 400, "bad-act"),
        ("assign", r#"{"to":"  "}"#, 400, "bad-act"),
        ("assign", r#"{"to":"a\u0007b"}"#, 400, "bad-act"),
        ("assign", r#"{"to":"王\u202e工"}"#, 400, "bad-act"),
        ("assign", r#"{"whom":"王工"}"#, 400, "bad-body"),
        ("shelve", r#"{"for_min":60}"#, 400, "bad-act"),
        ("shelve", r#"{"for_min":0,"reason":"备件在途"}"#, 400, "bad-act"),
        ("shelve", r#"{"for_min":481,"reason":"备件在途"}"#, 400, "bad-act"),
        ("shelve", &long, 400, "bad-act"),
        ("unshelve", "", 409, "not-shelved"),
        ("explode", "", 404, "no-such-path"),
    ];
    for (act, body, status, problem) in refused {
        let answer = server.send(&format!("/api/v1/faults/1/{act}"), "", body).await;
        assert_eq!((answer.status, kind(&answer).as_deref()), (status, Some(problem)), "{act} {body}");
    }
    assert_eq!(transitions(&server), 2, "nothing was done");
    let done = [
        ("assign", r#"{"to":"王建国"}"#, "assigned", "none"),
        ("arrive", "", "on-site", "none"),
        ("shelve", r#"{"for_min":480,"reason":"备件在途"}"#, "on-site", "shelved"),
    ];
    for (act, body, operator, suppression) in done {
        let answer = server.send(&format!("/api/v1/faults/1/{act}"), "", body).await;
        assert_eq!(answer.status, 200, "{act}: {}", answer.body);
        let fault = answer.json();
        assert_eq!(
            (fault["operator"].as_str(), fault["suppression"].as_str()),
            (Some(operator), Some(suppression))
        );
    }
    let whole = server.get("/api/v1/faults/1").await.json();
    assert_eq!(
        (&whole["assigned_to"], &whole["arrived_by"], &whole["shelf_reason"]),
        (&"王建国".into(), &"panel".into(), &"备件在途".into())
    );
    assert!(!server.get("/faults").await.body.contains("href=\"/faults/1\""), "put aside");
    let shelved = server.get("/faults?view=shelved").await.body;
    assert!(shelved.contains("href=\"/faults/1\"") && shelved.contains("备件在途"));
    let page = server.get("/faults/1").await.body;
    assert!(page.contains("data-act=\"unshelve\"") && !page.contains("data-act=\"shelve\""));
    assert_eq!(server.post("/api/v1/faults/1/unshelve", &token).await.json()["suppression"], "none");
}
