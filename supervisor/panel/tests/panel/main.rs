//! The panel over real sockets, in front of a site in memory.

mod acting;
mod commands;
mod history;
mod live;
mod pages;
mod reading;
mod records;
mod reports;
#[path = "../../examples/sample/site.rs"]
mod site;
mod words;

use roundsman_panel::{Door, Listener, serve};
use site::SampleSite;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Far longer than anything here takes; only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(20);
const TOKEN: &str = "0123456789abcdef";

struct Server {
    site: Arc<SampleSite>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(site: SampleSite) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let site = Arc::new(site);
        let (stop, stopped) = oneshot::channel::<()>();
        let door = Door::Panel { token: TOKEN.into() };
        let task = tokio::spawn(serve(listener, site.clone(), door, async {
            let _ = stopped.await;
        }));
        Server { site, address, stop: Some(stop), task }
    }

    async fn ask(&self, head: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        ask(&mut stream, head).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\n")).await
    }

    async fn post(&self, path: &str, headers: &str) -> Answer {
        self.ask(&format!("POST {path} HTTP/1.1\r\ncontent-length: 0\r\n{headers}")).await
    }

    /// Posts a body with the token.
    async fn send(&self, path: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {TOKEN}\r\n\
             content-length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        ask_whole(&mut stream, &head).await
    }

    /// Opens a stream of events.
    async fn watch(&self, path: &str, headers: &str) -> Watch {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream
            .write_all(
                format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n").as_bytes(),
            )
            .await
            .unwrap();
        let mut watch = Watch { stream, bytes: Vec::new() };
        watch.until("\r\n\r\n").await;
        watch
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    fn pretty(&self) -> String {
        format!("{}\n{}", self.status, serde_json::to_string_pretty(&self.json()).unwrap())
    }
}

/// Sends a request head (without its empty line) and reads the answer to its end.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), head: &str) -> Answer {
    ask_whole(stream, &format!("{head}host: x\r\nconnection: close\r\n\r\n")).await
}

/// Sends a whole request and reads the answer to its end.
async fn ask_whole(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> Answer {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // A server that refuses a head may reset while we still write; what it said counts.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an answer");
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

struct Watch {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Watch {
    /// Reads on until `what` has arrived and takes everything up to its end.
    async fn until(&mut self, what: &str) -> String {
        let mut chunk = vec![0; 65_536];
        loop {
            if let Some(at) = self.bytes.windows(what.len()).position(|w| w == what.as_bytes()) {
                let rest = self.bytes.split_off(at + what.len());
                let taken = std::mem::replace(&mut self.bytes, rest);
                return String::from_utf8(taken).unwrap();
            }
            let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut chunk)).await;
            let so_far = String::from_utf8_lossy(&self.bytes);
            let n = read.unwrap_or_else(|_| panic!("no {what:?} in {so_far:?}")).unwrap();
            assert!(n > 0, "ended before {what:?}: {so_far:?}");
            self.bytes.extend_from_slice(&chunk[..n]);
        }
    }

    /// Waits for the tick that every stream begins with.
    async fn tick(&mut self) {
        self.until("event: tick").await;
        self.until("\n\n").await;
    }

    /// The next event that is no tick.
    async fn event(&mut self) -> String {
        loop {
            let frame = self.until("\n\n").await;
            // Chunk sizes stand on lines of their own.
            let lines = frame.lines().filter(|l| l.contains(':') && !l.is_empty());
            let frame = lines.collect::<Vec<_>>().join("\n");
            if !frame.contains("event: tick") {
                return frame;
            }
        }
    }

    /// Reads to the end of the stream.
    async fn rest(mut self) -> String {
        let read = self.stream.read_to_end(&mut self.bytes);
        tokio::time::timeout(PATIENCE, read).await.expect("an end").unwrap();
        String::from_utf8(self.bytes).unwrap()
    }
}

fn scratch(name: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn unix(path: &std::path::Path) -> Listener {
    tokio::net::UnixListener::bind(path).unwrap().into()
}
