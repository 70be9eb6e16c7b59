//! Serves the pages with made-up data: `cargo run -p roundsman-panel --example sample [whole|empty|well|pending|N]`;
//! with a number, the whole site with stations up to so many devices.

mod site;

use roundsman_panel::{DeviceState, Door, serve};
use site::SampleSite;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let kind = std::env::args().nth(1).unwrap_or_default();
    let site = match kind.as_str() {
        "empty" => SampleSite::empty(),
        "" | "whole" => SampleSite::whole(),
        number if number.parse::<usize>().is_ok() => SampleSite::scaled(number.parse().unwrap_or_default()),
        other => {
            let site = SampleSite::whole();
            let state = if other == "pending" { DeviceState::Pending } else { DeviceState::Ok };
            let mut inner = site.state.lock().expect("not poisoned");
            inner.faults.clear();
            inner.devices.iter_mut().for_each(|d| d.state = state);
            drop(inner);
            site
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    eprintln!("http://{}/ (token: sample)", listener.local_addr()?);
    let stop = async {
        // Ctrl-C ends it by the signal's own default.
        std::future::pending::<()>().await;
    };
    serve(listener, Arc::new(site), Door::Panel { token: "sample".into() }, stop).await;
    Ok(())
}
