//! Connections: accepted up to a bound, read with limits, cut off when they stall, ended gracefully.

use crate::router::{Door, router};
use crate::site::Site;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Connections at a time on one door: every watcher and as many short ones again.
const MOST_CONNECTIONS: usize = 128;
/// Size of a request's head.
const LARGEST_HEAD: usize = 16 * 1_024;
/// Header fields of a request.
const MOST_HEADERS: usize = 64;
/// From the first byte of a head (or the end of the previous answer) to its end.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// How long running answers may take after the shutdown began.
const END_WITHIN: Duration = Duration::from_secs(5);
/// Pause after a failed accept (out of file descriptors): lets others end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Who is at the other end, where the operating system knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) uid: Option<u32>,
}

/// A bound socket.
#[derive(Debug)]
pub enum Listener {
    /// Plain HTTP, for loopback.
    Tcp(TcpListener),
    /// The control socket.
    Unix(UnixListener),
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Listener {
        Listener::Tcp(listener)
    }
}

impl From<UnixListener> for Listener {
    fn from(listener: UnixListener) -> Listener {
        Listener::Unix(listener)
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Listener {
    async fn accept(&self) -> io::Result<(Box<dyn Stream>, Peer)> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Events are small and wanted now.
                stream.set_nodelay(true)?;
                Ok((Box::new(stream), Peer { uid: None }))
            }
            Listener::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let uid = stream.peer_cred()?.uid();
                Ok((Box::new(stream), Peer { uid: Some(uid) }))
            }
        }
    }
}

/// Serves the panel on one socket until `shutdown` is ready; then ends the streams, lets running answers end within
/// 5 s, and returns.
pub async fn serve(
    listener: impl Into<Listener>,
    site: Arc<dyn Site>,
    door: Door,
    shutdown: impl Future<Output = ()> + Send,
) {
    let (stop, stopping) = watch::channel(false);
    let routes = router(site, door, stopping.clone());
    serve_routes(listener.into(), routes, (stop, stopping), shutdown).await;
}

/// Serves these routes; `stop` is set behind the shutdown, for streams that would go on.
pub(crate) async fn serve_routes(
    listener: Listener,
    routes: Router,
    (stop, stopping): (watch::Sender<bool>, watch::Receiver<bool>),
    shutdown: impl Future<Output = ()> + Send,
) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        // Without room nobody is accepted: the kernel's backlog waits, then refuses.
        let admitted = async {
            let permit = room.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            (permit, accepted) = admitted => match accepted {
                Ok((stream, peer)) => {
                    let routes = routes.clone().layer(axum::Extension(peer));
                    let stopping = stopping.clone();
                    connections.spawn(async move {
                        connection(stream, routes, stopping).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let _ = stop.send(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(END_WITHIN, all).await.is_err() {
        tracing::warn!("connections were cut off at shutdown");
    }
}

async fn connection(stream: Box<dyn Stream>, routes: Router, mut stopping: watch::Receiver<bool>) {
    let service = TowerToHyperService::new(routes);
    let stream = TokioIo::new(crate::stall::StallGuard::new(stream));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .serve_connection(stream, service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = crate::events::stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
