//! A running `roundsman run`: its log, its HTTP over TCP and over the control socket, its signals.

use crate::{PATIENCE, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, Command};

pub(crate) struct Daemon {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    /// Where its panel listens.
    pub(crate) address: SocketAddr,
}

/// A status and a body.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The command, not started.
pub(crate) fn run(site: &Path, log: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roundsman"));
    command
        .args(["run", "--config"])
        .arg(site)
        .env("RUST_LOG", log)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Daemon {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(site: &Path, filter: &str) -> Daemon {
        Daemon::ready(run(site, filter), "ready panel=").await
    }

    /// Starts it by way of another program, which is given its command line.
    pub(crate) async fn start_as(mut by: Command, service: Command) -> Daemon {
        let service = service.as_std();
        by.arg(service.get_program()).args(service.get_args()).env("RUST_LOG", "info");
        by.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        Daemon::ready(by, "ready panel=").await
    }

    /// Starts it on a damaged database and waits until it shows that.
    pub(crate) async fn start_damaged(site: &Path) -> Daemon {
        Daemon::ready(run(site, "info"), "nothing is watched").await
    }

    /// Waits for the line with these words, which names the panel's address.
    async fn ready(mut command: Command, words: &str) -> Daemon {
        let mut child = command.spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().expect("its standard error")).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = log.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock().expect("the log").push(line);
            }
        });
        let address = until("the line that says it is ready", async || {
            let log = log.lock().expect("the log");
            let ready = log.iter().find(|line| line.contains(words))?;
            let address = ready.split_once("panel=")?.1.split_whitespace().next()?;
            Some(address.parse().expect("an address"))
        })
        .await;
        Daemon { child, log, address }
    }

    /// The log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().expect("the log").clone()
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = self.child.id().expect("it runs");
        let pid = Pid::from_raw(id.cast_signed()).expect("a process id");
        kill_process(pid, signal).expect("the signal arrives");
    }

    /// Sends the signal and waits for the end.
    pub(crate) async fn end(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.expect("it ends").expect("its status")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\n")).await
    }

    pub(crate) async fn post(&self, path: &str, headers: &str) -> Answer {
        self.ask(&format!("POST {path} HTTP/1.1\r\ncontent-length: 0\r\n{headers}")).await
    }

    /// Posts a body.
    pub(crate) async fn send(&self, path: &str, headers: &str, body: &str) -> Answer {
        let stream = TcpStream::connect(self.address).await.expect("the panel");
        let head = format!("POST {path} HTTP/1.1\r\ncontent-length: {}\r\n{headers}", body.len());
        ask_with(stream, &head, body).await
    }

    async fn ask(&self, head: &str) -> Answer {
        ask(TcpStream::connect(self.address).await.expect("the panel"), head).await
    }

    /// Listens to `/api/v1/events`.
    pub(crate) async fn events(&self) -> Events {
        let mut stream = TcpStream::connect(self.address).await.expect("the panel");
        let head = "GET /api/v1/events HTTP/1.1\r\nhost: x\r\n\r\n";
        stream.write_all(head.as_bytes()).await.expect("sent");
        Events(BufReader::new(stream).lines())
    }

    /// Waits for a line of the log.
    pub(crate) async fn says(&self, words: &str) {
        until(words, async || self.log().iter().any(|line| line.contains(words)).then_some(())).await;
    }
}

/// Posts through the control socket.
pub(crate) async fn post_control(store: &Path, path: &str) -> Answer {
    let stream = UnixStream::connect(store.join("control.sock")).await.expect("the control socket");
    ask(stream, &format!("POST {path} HTTP/1.1\r\ncontent-length: 0\r\n")).await
}

async fn ask(stream: impl AsyncRead + AsyncWrite + Unpin, head: &str) -> Answer {
    ask_with(stream, head, "").await
}

/// Asks a service that may be killed meanwhile: `None` unless the whole answer came.
pub(crate) async fn try_ask(address: SocketAddr, head: &str, body: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let whole = format!("{head}host: x\r\naccept-language: en\r\nconnection: close\r\n\r\n{body}");
    stream.write_all(whole.as_bytes()).await.ok()?;
    let mut text = String::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut text)).await;
    read.expect("an answer or an end in time").ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let whole = length.is_none_or(|length| length.parse() == Ok(body.len()));
    whole.then(|| Answer { status, body: body.to_owned() })
}

async fn ask_with(mut stream: impl AsyncRead + AsyncWrite + Unpin, head: &str, body: &str) -> Answer {
    let whole = format!("{head}host: x\r\naccept-language: en\r\nconnection: close\r\n\r\n{body}");
    stream.write_all(whole.as_bytes()).await.expect("sent");
    let mut text = String::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut text)).await;
    read.expect("an answer in time").expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answer { status: status.expect("a status"), body: body.to_owned() }
}

/// Server-sent events of one connection.
pub(crate) struct Events(Lines<BufReader<TcpStream>>);

impl Events {
    /// The next transition that `wanted` likes: id of the event, data.
    pub(crate) async fn transition(&mut self, wanted: impl Fn(&Value) -> bool) -> (u64, Value) {
        let reading = async {
            let (mut event, mut data, mut id) = (String::new(), String::new(), None);
            loop {
                let line = self.0.next_line().await.expect("the stream").expect("no end");
                if let Some(rest) = line.strip_prefix("event: ") {
                    rest.trim().clone_into(&mut event);
                } else if let Some(rest) = line.strip_prefix("data: ") {
                    rest.trim().clone_into(&mut data);
                } else if let Some(rest) = line.strip_prefix("id: ") {
                    id = rest.trim().parse().ok();
                } else if line.is_empty() && event == "transition" {
                    let data: Value = serde_json::from_str(&data).expect("JSON");
                    if wanted(&data) {
                        return (id.expect("an id"), data);
                    }
                    event.clear();
                }
            }
        };
        let read = tokio::time::timeout(PATIENCE, reading).await;
        read.expect("the transition comes")
    }
}
