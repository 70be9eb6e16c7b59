//! `roundsman command`: through the running service, which owns buses and store; where none runs, by itself.

use super::way::Way;
use super::{Job, Owner, Wanted, shown, unit_at};
use crate::print;
use crate::site::{self, Asked, Site, SiteEntry};
use anyhow::{Context, Result, bail};
use roundsman_driver::bus::{Bus, MOST_OUTCOMES};
use roundsman_driver::clock::Clock;
use roundsman_driver::onvif::Http;
use roundsman_driver::onvif::camera::Camera;
use roundsman_panel::CommandReport;
use roundsman_profile::diagnostic::did_you_mean;
use roundsman_profile::translate::Translator;
use roundsman_store::{CommandOutcome, NewCommand, Store};
use roundsman_wire::onvif::login::Kept;
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long the service is waited for: longer than it waits for a device.
const PATIENCE: Duration = Duration::from_secs(320);

/// Means every unit of a device, as in `wall-10f[*]`.
const EVERY: &str = "*";

/// Units that the service is asked about at a time.
const AT_ONCE: usize = 4;

/// Longest answer of the service.
const MOST_BYTES: u64 = 1 << 20;

/// What became of it.
enum Done {
    Report(Box<CommandReport>),
    /// It was not sent, and why.
    Refused(String),
}

/// Gives a device a command and prints what came of it.
pub(crate) fn run(
    path: &Path,
    device: &str,
    command: &str,
    arguments: &[String],
    yes: bool,
    as_json: bool,
) -> Result<ExitCode> {
    let site = match site::load(path) {
        Ok(site) => site,
        Err(rejected) => return print::rejected(&rejected, as_json),
    };
    let (device, unit) = match device.split_once('[') {
        Some((device, rest)) => (device, rest.trim_end_matches(']')),
        None => (device, ""),
    };
    let Some(entry) = site.devices.iter().find(|entry| &*entry.device.id == device) else {
        let known = site.devices.iter().map(|entry| &*entry.device.id);
        let hint = did_you_mean(device, known).unwrap_or_default();
        return wrong(&format!("{} has no device `{device}`; {hint}", path.display()));
    };
    let mut given = Vec::new();
    for argument in arguments {
        let Some((name, word)) = argument.split_once('=') else {
            return wrong(&format!("`{argument}` is no argument: write name=value"));
        };
        if given.iter().any(|(known, _)| known == name) {
            return wrong(&format!("the argument `{name}` is given twice"));
        }
        given.push((name.to_owned(), word.to_owned()));
    }
    if !yes {
        return wrong(&format!("a command acts on a device: add --yes to send `{command}` to {device}"));
    }
    let units: Vec<&str> = match (unit, &entry.asked) {
        (EVERY, Asked::Bus { labels, .. }) => labels.iter().map(|label| &**label).collect(),
        (one, _) => vec![one],
    };
    let wanted =
        |unit: &str| Wanted { command: command.to_owned(), unit: unit.to_owned(), arguments: given.clone() };
    let wanted: Vec<Wanted> = units.into_iter().map(wanted).collect();
    let socket = site.store.join("control.sock");
    let done = match UnixStream::connect(&socket) {
        Ok(_) => each_through(&socket, device, &wanted).context("asking the running service")?,
        // A killed service leaves its socket behind.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(alone(&site, entry, wanted))?
        }
        Err(error) => {
            return Err(error).with_context(|| {
                format!("opening {}; it is for the service's user and group", socket.display())
            });
        }
    };
    match &done[..] {
        [Done::Refused(why)] => wrong(why),
        [Done::Report(report)] if unit != EVERY => {
            if as_json {
                print::json(&serde_json::to_value(report)?)?;
            } else {
                print_report(report)?;
            }
            Ok(ExitCode::from(u8::from(!report.good)))
        }
        several => print_each(several, as_json),
    }
}

/// What came of a command to every unit: the worst of them is the exit code.
fn print_each(done: &[Done], as_json: bool) -> Result<ExitCode> {
    let mut reports = Vec::new();
    let mut worst = 0;
    for one in done {
        match one {
            Done::Report(report) => {
                worst = worst.max(u8::from(!report.good));
                if as_json {
                    reports.push(serde_json::to_value(report)?);
                } else {
                    print_report(report)?;
                }
            }
            Done::Refused(why) => {
                wrong(why)?;
                worst = print::BAD_FILE;
            }
        }
    }
    if as_json {
        print::json(&Value::Array(reports))?;
    }
    Ok(ExitCode::from(worst))
}

fn wrong(why: &str) -> Result<ExitCode> {
    writeln!(std::io::stderr().lock(), "roundsman: {why}")?;
    Ok(ExitCode::from(print::BAD_FILE))
}

/// Has the running service do it for each, some at a time: the service's bus takes its own pace.
fn each_through(socket: &Path, device: &str, wanted: &[Wanted]) -> Result<Vec<Done>> {
    let mut done = Vec::new();
    for some in wanted.chunks(AT_ONCE) {
        let some: Vec<Result<Done>> = std::thread::scope(|scope| {
            let ask = |wanted| scope.spawn(move || through(UnixStream::connect(socket)?, device, wanted));
            let asked: Vec<_> = some.iter().map(ask).collect();
            let joined =
                asked.into_iter().map(|one| one.join().unwrap_or_else(|_| bail!("the asking ended early")));
            joined.collect()
        });
        for one in some {
            done.push(one?);
        }
    }
    Ok(done)
}

/// Has the running service do it.
fn through(mut stream: UnixStream, device: &str, wanted: &Wanted) -> Result<Done> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let arguments: serde_json::Map<String, Value> =
        wanted.arguments.iter().map(|(name, word)| (name.clone(), json!(word))).collect();
    let body = json!({ "unit": wanted.unit, "arguments": arguments }).to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !wanted.command.chars().all(plain) {
        return Ok(Done::Refused(format!("no command is called `{}`", wanted.command)));
    }
    write!(
        stream,
        "POST /api/v1/devices/{device}/commands/{} HTTP/1.1\r\nhost: roundsman\r\naccept-language: en\r\n\
         connection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        wanted.command,
        body.len()
    )?;
    let mut answer = String::new();
    stream.take(MOST_BYTES).read_to_string(&mut answer)?;
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        bail!("the answer ended early; see the service's log");
    };
    let status = head.split(' ').nth(1).unwrap_or("");
    if status == "200" {
        return Ok(Done::Report(Box::new(serde_json::from_str(body)?)));
    }
    let problem: Value = serde_json::from_str(body).unwrap_or_default();
    let said = problem["detail"].as_str().unwrap_or("see the service's log").to_owned();
    match status {
        "400" | "404" | "409" => Ok(Done::Refused(said)),
        _ => bail!("it answered {status}: {said}"),
    }
}

/// Does it where no service runs, for one after another: takes store and bus for as long.
async fn alone(site: &Site, entry: &SiteEntry, wanted: Vec<Wanted>) -> Result<Vec<Done>> {
    let clock = Clock::new();
    let (outcomes, _receiver) = mpsc::channel(MOST_OUTCOMES);
    let owner = match &entry.asked {
        Asked::Bus { bus, .. } => {
            let settings = site.buses.iter().find(|known| known.id == *bus).and_then(|bus| bus.settings());
            settings.map_or(Owner::Nobody, |settings| Owner::Bus(Bus::start(clock, settings, outcomes)))
        }
        Asked::Onvif(target) => {
            // A person asks: refusals of before do not count.
            Owner::Camera(Arc::new(Camera::new(Http::new()?, (**target).clone(), Kept::default())))
        }
        Asked::Snmp(_) => Owner::Nobody,
    };
    let mut store = None;
    let mut done = Vec::new();
    for wanted in wanted {
        // What a guard looks at has to be read first; nothing is remembered from an earlier run.
        let command = entry.profile.commands.iter().find(|known| *known.id == *wanted.command);
        let needs_readings = command.is_some_and(|command| command.forbidden.is_some());
        let mut translator = Translator::default();
        let mut seen = None;
        if needs_readings && let Ok(at) = unit_at(entry, &wanted.unit) {
            let way = Way::new(entry, owner.clone(), at)?;
            seen = Some(way.look(&entry.profile, None, &mut translator, clock).await?);
        }
        let seen = seen.as_ref().map(|readings| (readings, translator.labels()));
        let job = match Job::new(entry, owner.clone(), &wanted, seen) {
            Ok(job) => job,
            Err(refused) => {
                done.push(Done::Refused(refused.to_string()));
                continue;
            }
        };
        let store = match &mut store {
            Some(store) => store,
            none => {
                let opened = Store::open(&site.store, clock.now().wall);
                let opened = opened
                    .with_context(|| format!("a command goes on record in {}", site.store.display()))?;
                none.insert(opened.0)
            }
        };
        let by = format!("uid:{}", rustix::process::getuid().as_raw());
        let report = on_record(store, clock, &entry.device.id, by.into(), &wanted, job).await?;
        done.push(Done::Report(Box::new(report)));
    }
    Ok(done)
}

/// Runs a job between its two lines in the record.
pub(crate) async fn on_record(
    store: &Store,
    clock: Clock,
    device: &Arc<str>,
    by: Arc<str>,
    wanted: &Wanted,
    job: Job,
) -> Result<CommandReport> {
    let arguments: serde_json::Map<String, Value> =
        wanted.arguments.iter().map(|(name, word)| (name.clone(), json!(word))).collect();
    let id = store
        .give_command(NewCommand {
            at: clock.now().wall,
            by,
            device: device.clone(),
            unit: wanted.unit.clone(),
            command: wanted.command.clone(),
            arguments: Value::Object(arguments).to_string(),
        })
        .await?;
    let report = shown(device, wanted, &job.run(clock).await?);
    let outcome = CommandOutcome {
        id,
        at: clock.now().wall,
        good: report.good,
        report: serde_json::to_string(&report)?,
    };
    if let Err(error) = store.end_command(outcome).await {
        tracing::error!(%device, %error, "what came of a command is not on record");
    }
    Ok(report)
}

fn print_report(report: &CommandReport) -> Result<()> {
    let unit = if report.unit.is_empty() { String::new() } else { format!("[{}]", report.unit) };
    print::line(&format!("{}{unit}: {}", report.device, report.command))?;
    print::line(&format!("sent      {}", report.sent))?;
    print::line(&format!("answered  {}", report.answered.as_deref().unwrap_or("–")))?;
    let why = report.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    print::line(&format!("said      {}{why}", report.verdict))?;
    let proof = match (report.verified.as_str(), &report.reads, report.took_ms) {
        ("yes", _, Some(took_ms)) => format!("yes, read back after {took_ms} ms"),
        ("no", Some(reads), _) => format!("no, it reads `{reads}`"),
        ("no", None, _) => "no, it could not be read back".to_owned(),
        ("unknown", ..) => "unknown: no metric of the profile shows it".to_owned(),
        _ => "–".to_owned(),
    };
    print::line(&format!("verified  {proof}"))
}
