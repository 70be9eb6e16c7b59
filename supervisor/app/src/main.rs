//! The binary `roundsman`: command line, site file, and the loop that joins schedule, drivers, fault engine, store
//! and panel.
//!
//! **Duty.** Wires the crates together; [`supervise`] is the running service.
//!
//! **Place in the flow.** On top: it knows all others, none knows it.
//!
//! **Refuses.** No decision about faults (core), no bytes (wire), no SQL (store), no HTML (panel).

mod backup;
mod check;
mod cli;
mod command;
mod damaged;
#[cfg(feature = "demo")]
mod demo;
mod discover;
mod poll;
mod print;
mod profiles;
mod report;
mod service;
#[cfg(feature = "demo")]
mod simulate;
mod site;
mod supervise;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match cli::run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("roundsman: {error:#}");
            ExitCode::from(1)
        }
    }
}
