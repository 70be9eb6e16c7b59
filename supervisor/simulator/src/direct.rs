//! Who tells the virtual site what goes wrong: lines of standard input, and the story.

use crate::clock::Clock;
use crate::fault::Assignment;
use crate::site::Site;
use crate::story::Story;
use std::io::{self, BufRead, Read};
use tokio::sync::mpsc;

/// Longest line that is read; a longer one is refused piece by piece.
const LONGEST_LINE: u64 = 1_000;

/// Lines that wait to be carried out; the reader stops meanwhile, and with it who writes.
const MOST_WAITING: usize = 64;

/// Reads lines in a thread of its own: a blocking read cannot be given up, a thread can. The channel closes where
/// the input ends.
pub fn lines(input: impl Read + Send + 'static) -> io::Result<mpsc::Receiver<String>> {
    let (sender, receiver) = mpsc::channel(MOST_WAITING);
    std::thread::Builder::new().name("directions".into()).spawn(move || {
        let mut input = io::BufReader::new(input);
        loop {
            let mut line = Vec::new();
            match (&mut input).take(LONGEST_LINE).read_until(b'\n', &mut line) {
                Ok(1..) => {}
                _ => return,
            }
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            if !line.is_empty() && sender.blocking_send(line).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// Directs the site until the process ends: carries out every line (`DEVICE=FAULT`, `DEVICE=ok`) and the story, whose
/// clock starts now. `report` is told, line by line, what was done and what could not be.
pub async fn direct(
    site: &Site,
    clock: Clock,
    mut story: Option<Story>,
    mut lines: mpsc::Receiver<String>,
    mut report: impl FnMut(&str),
) {
    let started = clock.running();
    let mut open = true;
    loop {
        let told = clock.running() - started;
        let next = story.as_ref().map(|story| story.next_at().saturating_sub(told));
        tokio::select! {
            line = lines.recv(), if open => match line {
                Some(line) => carry_out(site, &line, &mut report),
                None => open = false,
            },
            () = tokio::time::sleep(next.unwrap_or_default()), if next.is_some() => {
                let events = story.as_mut().map(|story| story.events_until(clock.running() - started));
                for event in events.unwrap_or_default() {
                    match site.apply(&event.assignment) {
                        Ok(()) => report(&event.to_string()),
                        Err(why) => report(&format!("error: {why}")),
                    }
                }
            },
            else => std::future::pending().await,
        }
    }
}

fn carry_out(site: &Site, line: &str, report: &mut impl FnMut(&str)) {
    match line.parse::<Assignment>() {
        Ok(assignment) => match site.apply(&assignment) {
            Ok(()) => report(&format!("done {assignment}")),
            Err(why) => report(&format!("error: {why}")),
        },
        Err(why) => report(&format!("error: {why}")),
    }
}
