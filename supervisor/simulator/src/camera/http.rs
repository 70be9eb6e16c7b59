//! The HTTP server of a virtual camera: envelopes and pictures, and what careless ones do with a connection.

use super::body::Body;
use super::login::{Admission, challenge};
use super::quirk::Quirk;
use super::services::{Reply, answer};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Longest head and longest body of a request, octets.
const MOST_HEAD: usize = 16 * 1024;
const MOST_BODY: usize = 128 * 1024;

/// How long a connection may be quiet.
const PATIENCE: Duration = Duration::from_secs(90);

/// What an answer of a gigabyte says it has.
const HUGE: usize = 1_000_000_000;

/// Between two pieces of an answer that never ends.
const DRIP: Duration = Duration::from_millis(20);

const PICTURE: &[u8] = include_bytes!("media/bars.jpg");

/// Serves connections one beside the other.
pub(super) async fn serve(body: Arc<Body>, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Nobody is there: what connects is closed, or hears nothing.
        if body.is_away() && !body.is_silent() {
            continue;
        }
        let body = body.clone();
        tokio::spawn(async move {
            let _ = connection(&body, stream).await;
        });
    }
}

struct Request {
    method: String,
    path: String,
    authorization: Option<String>,
    body: String,
}

async fn connection(body: &Body, mut stream: TcpStream) -> io::Result<()> {
    let mut octets = Vec::new();
    loop {
        let Some(request) = read(&mut stream, &mut octets).await? else { return Ok(()) };
        let number = body.count();
        match body.quirk() {
            _ if body.is_silent() => return hang().await,
            _ if body.is_away() => return Ok(()),
            Some(Quirk::Hangs) => return hang().await,
            Some(Quirk::Closes) if number % 2 == 1 => return Ok(()),
            Some(Quirk::Huge) => return flood(&mut stream, Some(HUGE)).await,
            Some(Quirk::Endless) => return flood(&mut stream, None).await,
            _ => {}
        }
        let is_picture = request.path.starts_with("/snapshot.jpg");
        let reply = match (request.method.as_str(), is_picture) {
            ("GET", true) => picture(body, &request),
            ("POST", false) => {
                answer(body, &request.path, request.authorization.as_deref(), &request.body).await
            }
            _ => Reply { status: "404 Not Found", headers: String::new(), body: Vec::new() },
        };
        let kind = if is_picture { "image/jpeg" } else { "application/soap+xml; charset=utf-8" };
        if body.is(Quirk::Http10) {
            let head = format!("HTTP/1.0 {}\r\nContent-Type: {kind}\r\n{}\r\n", reply.status, reply.headers);
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&reply.body).await?;
            return stream.shutdown().await;
        }
        let head = format!(
            "HTTP/1.1 {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{}\r\n",
            reply.status,
            reply.body.len(),
            reply.headers
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&reply.body).await?;
    }
}

fn picture(body: &Body, request: &Request) -> Reply {
    let asked = ("GET", request.path.as_str());
    match body.admits("", request.authorization.as_deref(), asked, false) {
        Admission::Granted => Reply { status: "200 OK", headers: String::new(), body: PICTURE.to_vec() },
        Admission::Locked => Reply { status: "403 Forbidden", headers: String::new(), body: Vec::new() },
        Admission::Missing | Admission::Wrong => {
            Reply { status: "401 Unauthorized", headers: challenge(), body: Vec::new() }
        }
    }
}

/// A request; `None` where the other end is gone or says no HTTP.
async fn read(stream: &mut TcpStream, octets: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let head_len = loop {
        if let Some(at) = octets.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if octets.len() > MOST_HEAD || !more(stream, octets).await? {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&octets[..head_len]).into_owned();
    octets.drain(..head_len);
    let header = |name: &str| {
        let mut headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let len = header("content-length").and_then(|len| len.parse::<usize>().ok()).unwrap_or(0);
    if len > MOST_BODY {
        return Ok(None);
    }
    while octets.len() < len {
        if !more(stream, octets).await? {
            return Ok(None);
        }
    }
    let body = String::from_utf8_lossy(&octets[..len]).into_owned();
    octets.drain(..len);
    let mut first = head.split(' ');
    let (method, path) = (first.next().unwrap_or("").to_owned(), first.next().unwrap_or("").to_owned());
    Ok(Some(Request { method, path, authorization: header("authorization"), body }))
}

/// Reads on; `false` where nothing more comes.
async fn more(stream: &mut TcpStream, octets: &mut Vec<u8>) -> io::Result<bool> {
    let read = tokio::time::timeout(PATIENCE, stream.read_buf(octets)).await;
    Ok(read.unwrap_or(Ok(0))? > 0)
}

async fn hang() -> io::Result<()> {
    tokio::time::sleep(PATIENCE).await;
    Ok(())
}

/// An answer of this length, or one that drips for ever.
async fn flood(stream: &mut TcpStream, len: Option<usize>) -> io::Result<()> {
    let head = match len {
        Some(len) => {
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: {len}\r\n\r\n")
        }
        None => {
            "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nConnection: close\r\n\r\n".to_owned()
        }
    };
    stream.write_all(head.as_bytes()).await?;
    let piece = vec![b' '; if len.is_some() { 64 * 1024 } else { 16 }];
    let mut sent = 0;
    while len.is_none_or(|len| sent < len) {
        stream.write_all(&piece).await?;
        sent += piece.len();
        if len.is_none() {
            tokio::time::sleep(DRIP).await;
        }
    }
    Ok(())
}
