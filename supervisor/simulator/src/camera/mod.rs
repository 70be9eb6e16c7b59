//! Virtual cameras and recorders: ONVIF, pictures and streams on loopback, and what real ones do wrong.
//!
//! Each stands on its own address with an HTTP and an RTSP server. All its doors share one account, one clock and what is
//! wrong with it ([`quirk::Quirk`]). Its answers are written here, not by the supervisor's code: that one is held against
//! them.

mod body;
mod found;
mod http;
mod login;
pub mod quirk;
mod rtsp;
mod services;
mod text;

pub use body::CameraSpec;
pub use login::Ways;

use crate::clock::Clock;
use crate::proxy::{Line, echo};
use crate::site::StartError;
use body::Body;
use quirk::Quirk;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

/// A camera that runs.
#[derive(Debug)]
pub(crate) struct Camera {
    body: Arc<Body>,
    line: Arc<Line>,
}

impl Camera {
    /// Starts one. When it returns it answers.
    pub(crate) async fn start(
        spec: &CameraSpec,
        seed: u64,
        clock: Clock,
        tasks: &mut JoinSet<()>,
    ) -> Result<Camera, StartError> {
        if !spec.address.is_loopback() {
            let address = SocketAddr::from((spec.address, spec.http_port));
            return Err(StartError::NotLoopback { device: spec.id.clone(), address });
        }
        let body = Arc::new(Body::new(spec.clone(), clock));
        let line = Arc::new(Line::new(seed));
        tasks.spawn(http::serve(body.clone(), listen(spec, spec.http_port).await?));
        tasks.spawn(rtsp::serve(body.clone(), listen(spec, spec.rtsp_port).await?));
        tasks.spawn(found::serve(body.clone(), bind(spec, spec.http_port).await?));
        if let Some(port) = spec.echo_port {
            tasks.spawn(echo(Arc::new(bind(spec, port).await?), line.clone()));
        }
        Ok(Camera { body, line })
    }

    /// Cuts it off the network, or plugs it in again.
    pub(crate) fn set_silent(&self, is_silent: bool) {
        self.body.set_silent(is_silent);
        self.line.set(is_silent.then_some(crate::fault::Fault::Silent));
    }

    /// Something is wrong with it from now on, or nothing.
    pub(crate) fn set_quirk(&self, quirk: Option<Quirk>) {
        self.body.set_quirk(quirk);
    }

    /// Restarts it.
    pub(crate) fn restart(&self) {
        self.body.restart();
    }

    /// What it hangs on.
    pub(crate) fn uplinks(&self) -> &[Arc<str>] {
        &self.body.spec.uplinks
    }
}

async fn listen(spec: &CameraSpec, port: u16) -> Result<TcpListener, StartError> {
    TcpListener::bind((spec.address, port)).await.map_err(|why| taken(spec, port, why))
}

async fn bind(spec: &CameraSpec, port: u16) -> Result<UdpSocket, StartError> {
    UdpSocket::bind((spec.address, port)).await.map_err(|why| taken(spec, port, why))
}

fn taken(spec: &CameraSpec, port: u16, why: std::io::Error) -> StartError {
    let address: (Ipv4Addr, u16) = (spec.address, port);
    StartError::Bind { device: spec.id.clone(), address: address.into(), why }
}
