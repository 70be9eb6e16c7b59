//! `roundsman report weekly`: the summary from the running service over its control socket; where none runs, from the
//! database itself. Both ways make it with the same code.

use crate::cli::{ReportFormat, Weekly};
use crate::{print, site};
use anyhow::{Context, Result, bail};
use roundsman_core::figures::watch::Watches;
use roundsman_core::text::Language;
use roundsman_core::time::Wall;
use roundsman_driver::clock::Clock;
use roundsman_report::{About, Named, Past, Week, WeekError, html, json, weekly as summary};
use roundsman_store::{FILE, MOST_ROWS, Reader, RecordFilter, StoreError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// How long maintenance may be written down after a week and still stand on its summary, ms: four weeks.
const WRITTEN_LATER_MS: i64 = 28 * 86_400_000;
/// The service marks each minute that it watches: a mark of this age is the newest there can be, ms.
const FRESH_MS: u64 = 90_000;
/// How long the service may take: its own limit, and some.
const PATIENCE: Duration = Duration::from_secs(15);
/// A report is some 50 KB; more than this is none.
const MOST_BYTES: u64 = 8 << 20;

/// What the store knows of a span of time, with the maintenance records of it and of the four weeks after.
///
/// # Errors
/// What the store says.
pub(crate) async fn past(reader: &Reader, from: Wall, to: Wall) -> Result<Past, StoreError> {
    let kept = reader.past(from, to).await?;
    let until = Wall(to.0.saturating_add(WRITTEN_LATER_MS));
    let filter = RecordFilter { from: Some(from), to: Some(until), ..RecordFilter::default() };
    let records = reader.records(filter, MOST_ROWS, None).await?;
    let named = |called: roundsman_store::PastDevice| Named { name: called.name, location: called.location };
    Ok(Past {
        watches: kept.watches,
        devices: kept.devices,
        faults: kept.faults,
        names: kept.names.into_iter().map(|(id, called)| (id, named(called))).collect(),
        details: kept.details,
        records,
    })
}

/// The same while the service runs: it watches now, and only has not written down yet that it did since the last mark.
pub(crate) fn watching(mut past: Past, now: Wall) -> Past {
    let mut watches = past.watches.as_slice().to_vec();
    if let Some(last) = watches.last_mut() {
        let since_ms = now.0.saturating_sub(last.from.0.saturating_add_unsigned(last.length_ms));
        last.length_ms += u64::try_from(since_ms).ok().filter(|ms| *ms <= FRESH_MS).unwrap_or(0);
        past.watches = Watches::new(watches);
    }
    past
}

/// What came of asking for a report.
enum Made {
    /// Its text.
    Text(String),
    /// There is no report of what was asked for, and why.
    Refused(String),
}

/// Makes the summary and writes it where it is wanted.
pub(crate) fn weekly(wanted: &Weekly) -> Result<ExitCode> {
    let site = match site::load(&wanted.config.config) {
        Ok(site) => site,
        Err(rejected) => return print::rejected(&rejected, false),
    };
    let language = wanted.language.unwrap_or(site.language);
    let made = match UnixStream::connect(site.store.join("control.sock")) {
        Ok(stream) => ask(stream, wanted, language).context("asking the running service for the report")?,
        // A killed service leaves its socket behind.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            let about = About { site: site.name.clone(), zone: site.zone.clone() };
            read(&site.store, &about, wanted, language)?
        }
        Err(error) => {
            let socket = site.store.join("control.sock");
            return Err(error).with_context(|| {
                format!("opening {}; it is for the service's user and group", socket.display())
            });
        }
    };
    match (made, &wanted.output) {
        (Made::Text(text), Some(file)) => {
            std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))?;
        }
        (Made::Text(text), None) => std::io::stdout().lock().write_all(text.as_bytes())?,
        (Made::Refused(why), _) => {
            writeln!(std::io::stderr().lock(), "roundsman: {why}")?;
            return Ok(ExitCode::from(print::BAD_FILE));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks the service.
fn ask(mut stream: UnixStream, wanted: &Weekly, language: Language) -> Result<Made> {
    let format = match wanted.format {
        ReportFormat::Html => "html",
        ReportFormat::Json => "json",
    };
    let week = wanted.week.map(|week| format!("&week={week}")).unwrap_or_default();
    let language = language.tag();
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // The error, if there is one, is for whoever sits at this terminal, which speaks English.
    write!(
        stream,
        "GET /api/v1/reports/weekly?format={format}&language={language}{week} HTTP/1.1\r\nhost: roundsman\r\n\
         accept-language: en\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(MOST_BYTES).read_to_string(&mut answer)?;
    understand(&answer, wanted.format)
}

/// Reads the service's answer. Its server sends whole documents with their length, never in pieces.
fn understand(answer: &str, format: ReportFormat) -> Result<Made> {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        bail!("the answer ended early; see the service's log");
    };
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or("");
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    if length != Some(body.len()) {
        bail!("the answer is not whole; see the service's log");
    }
    let problem = || {
        let problem: Option<serde_json::Value> = serde_json::from_str(body).ok();
        let said = problem.as_ref().and_then(|problem| problem["detail"].as_str());
        said.unwrap_or("see the service's log").to_owned()
    };
    match (status, format) {
        ("200", ReportFormat::Html) => Ok(Made::Text(body.to_owned())),
        ("200", ReportFormat::Json) => Ok(Made::Text(pretty(&serde_json::from_str(body)?)?)),
        ("400", _) => Ok(Made::Refused(problem())),
        _ => bail!("it answered {status}: {}", problem()),
    }
}

fn pretty(value: &serde_json::Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// Reads the database: no service runs.
fn read(store: &Path, about: &About, wanted: &Weekly, language: Language) -> Result<Made> {
    if !store.join(FILE).exists() {
        bail!("{} does not exist: the service has not run yet", store.join(FILE).display());
    }
    let now = Clock::new().now().wall;
    let running = Week::holding(now, &about.zone);
    let week = wanted.week.unwrap_or_else(|| running.previous());
    if week > running {
        return Ok(Made::Refused(WeekError::NotYet { week, running }.to_string()));
    }
    let reach = week.reach(&about.zone);
    let reader = Reader::open(store)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let past = runtime.block_on(past(&reader, reach.from(), reach.to()))?;
    let made = match summary(&past, about, week, now) {
        Ok(made) => made,
        Err(error) => return Ok(Made::Refused(error.to_string())),
    };
    Ok(Made::Text(match wanted.format {
        ReportFormat::Html => html::page(&made, language)?,
        ReportFormat::Json => pretty(&serde_json::to_value(json::report(&made, language))?)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use roundsman_core::figures::watch::{Watch, WatchNumber};

    #[test]
    fn the_running_watch_reaches_to_now_and_an_old_one_does_not() {
        let watch = |number, from, length_ms| Watch {
            number: WatchNumber(number),
            from: Wall(from),
            length_ms,
            after_ms: None,
            dated: true,
        };
        for (now, length_ms) in
            [(1_500, 500), (1_530, 530), (91_500, 90_500), (91_501, 500), (1_499, 500), (0, 500)]
        {
            let watches = Watches::new(vec![watch(1, 0, 10), watch(2, 1_000, 500)]);
            let past = watching(Past { watches, ..Past::default() }, Wall(now));
            let lengths: Vec<u64> = past.watches.as_slice().iter().map(|watch| watch.length_ms).collect();
            assert_eq!(lengths, [10, length_ms], "{now}");
        }
    }

    #[test]
    fn an_answer_that_is_not_whole_is_no_report() {
        let good = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        assert!(matches!(understand(good, ReportFormat::Json), Ok(Made::Text(text)) if text == "{}\n"));
        let refused = "HTTP/1.1 400 Bad Request\r\nContent-Length: 14\r\n\r\n{\"detail\":\"x\"}";
        assert!(matches!(understand(refused, ReportFormat::Html), Ok(Made::Refused(why)) if why == "x"));
        for answer in [
            "",
            "HTTP/1.1 200 OK\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{]",
            "HTTP/1.1 503 Out\r\ncontent-length: 0\r\n\r\n",
            "nonsense",
        ] {
            assert!(understand(answer, ReportFormat::Json).is_err(), "{answer:?}");
        }
    }
}
