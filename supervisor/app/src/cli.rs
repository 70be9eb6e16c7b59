//! The command line. Exit code 0: good, 1: found a problem, 2: wrong use or a bad file.

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use roundsman_core::text::Language;
use roundsman_report::Week;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Supervisor for the network and audio-visual equipment of a public building (巡检员).
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A virtual four-tier site on loopback and the supervisor on top; prints the panel's address.
    #[cfg(feature = "demo")]
    Demo(Demo),
    /// The virtual site alone.
    #[cfg(feature = "demo")]
    Simulate(crate::simulate::Simulate),
    /// The service.
    Run(Config),
    /// Checks a site file and the profiles it uses; reaches for nothing.
    Check(CheckArguments),
    /// One poll of one device now; two, 2 s apart, where there are rates.
    Poll(PollArguments),
    /// Finds devices in the network and prints entries for the site file.
    Discover(DiscoverArguments),
    /// Gives a device a command and reads back whether it obeyed.
    #[command(name = "command")]
    Order(CommandArguments),
    /// Copies the database into one file, proven whole; the service may run meanwhile.
    Backup(BackupFile),
    /// Puts a backup in the database's place and keeps the former one; the service must not run.
    Restore(BackupFile),
    /// Proves the database whole and counts what it holds.
    Verify(VerifyArguments),
    /// Device profiles.
    #[command(subcommand)]
    Profile(Profile),
    /// Reports for managers.
    #[command(subcommand)]
    Report(Report),
}

/// The site file.
#[derive(Debug, Args)]
pub(crate) struct Config {
    /// The site file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// `demo`.
#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where the panel listens (loopback).
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Folder of the demo's site file and store; a temporary one that is removed at the end unless given.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Number of stations.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub scale: u16,
}

#[derive(Debug, Args)]
struct CheckArguments {
    #[command(flatten)]
    config: Config,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct PollArguments {
    #[command(flatten)]
    config: Config,
    /// The device's id.
    device: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct DiscoverArguments {
    #[command(flatten)]
    config: Config,
    /// Cameras and recorders, by WS-Discovery.
    #[arg(long, required = true)]
    onvif: bool,
    /// Asks here instead of everybody; may be given several times.
    #[arg(long, value_name = "ADDR:PORT")]
    at: Vec<SocketAddr>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct CommandArguments {
    #[command(flatten)]
    config: Config,
    /// The device's id; of one with several units, the unit in brackets: wall-10f[r1c2], or every one: wall-10f[*].
    device: String,
    /// The command, see `profile show`.
    command: String,
    /// Its arguments.
    #[arg(value_name = "NAME=VALUE")]
    arguments: Vec<String>,
    /// Really send it.
    #[arg(long)]
    yes: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct BackupFile {
    /// The backup.
    file: PathBuf,
    #[command(flatten)]
    config: Config,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct VerifyArguments {
    /// A backup; else the database itself.
    file: Option<PathBuf>,
    #[command(flatten)]
    config: Config,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Profile {
    /// Runs the fixtures of all profiles, or of those in a folder or file.
    Test {
        /// A profile's file or a folder of them; else the embedded ones.
        path: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lists the profiles.
    List {
        /// A folder of profiles laid over the embedded ones.
        #[arg(long, value_name = "DIR")]
        profiles: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows a profile, everything it inherits included.
    Show {
        /// Its id.
        id: String,
        /// A folder of profiles laid over the embedded ones.
        #[arg(long, value_name = "DIR")]
        profiles: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum Report {
    /// The weekly equipment health summary: from the running service, else from the database.
    Weekly(Weekly),
}

/// `report weekly`.
#[derive(Debug, Args)]
pub(crate) struct Weekly {
    #[command(flatten)]
    pub config: Config,
    /// ISO week such as 2026-W47; the last whole one unless given.
    #[arg(long, value_name = "WEEK", value_parser = Week::parse)]
    pub week: Option<Week>,
    /// A page made for A4, or JSON.
    #[arg(long, value_enum, default_value_t = ReportFormat::Html)]
    pub format: ReportFormat,
    /// zh-CN or en; the site's unless given.
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    pub language: Option<Language>,
    /// Where it is written; standard output unless given.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// One self-contained page.
    Html,
    /// For programs.
    Json,
}

fn language(text: &str) -> std::result::Result<Language, String> {
    match text {
        "zh-CN" => Ok(Language::Chinese),
        "en" => Ok(Language::English),
        _ => Err("a report is written in zh-CN or en".to_owned()),
    }
}

/// Carries a command out.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    match arguments.command {
        #[cfg(feature = "demo")]
        Command::Demo(demo) => crate::demo::run(&demo),
        #[cfg(feature = "demo")]
        Command::Simulate(simulate) => crate::simulate::run(&simulate),
        Command::Run(config) => crate::service::run(&config.config),
        Command::Check(arguments) => crate::check::run(&arguments.config.config, arguments.json),
        Command::Poll(arguments) => {
            crate::poll::run(&arguments.config.config, &arguments.device, arguments.json)
        }
        Command::Discover(a) => crate::discover::run(&a.config.config, &a.at, a.json),
        Command::Order(a) => {
            crate::command::ask::run(&a.config.config, &a.device, &a.command, &a.arguments, a.yes, a.json)
        }
        Command::Backup(a) => crate::backup::backup(&a.config.config, &a.file, a.json),
        Command::Restore(a) => crate::backup::restore(&a.config.config, &a.file, a.json),
        Command::Verify(a) => crate::backup::verify(&a.config.config, a.file.as_deref(), a.json),
        Command::Report(Report::Weekly(arguments)) => crate::report::weekly(&arguments),
        Command::Profile(Profile::Test { path, json }) => crate::profiles::test(path.as_deref(), json),
        Command::Profile(Profile::List { profiles, json }) => {
            crate::profiles::list(profiles.as_deref(), json)
        }
        Command::Profile(Profile::Show { id, profiles, json }) => {
            crate::profiles::show(&id, profiles.as_deref(), json)
        }
    }
}
