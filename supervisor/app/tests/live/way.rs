//! The reader's test: docs/ARCHITECTURE.md names every function one reading passes, and the daemon's own trace of one
//! poll shows them in that order.

use crate::daemon::Daemon;
use crate::peer::Snmpd;
use crate::until;
use rustix::process::Signal;
use std::path::Path;

/// sysUpTime.0 as BER writes it (X.690 section 8.19), the form in which the decoder meets it.
const UPTIME: &str = "[43, 6, 1, 2, 1, 1, 3, 0]";

/// A row of the table: function, file.
struct Step {
    function: String,
    file: String,
}

fn documented(root: &Path) -> Vec<Step> {
    let text = std::fs::read_to_string(root.join("docs/ARCHITECTURE.md")).expect("docs/ARCHITECTURE.md");
    let section = text
        .split("## ")
        .find(|section| section.starts_with("The way of one reading\n"))
        .expect("the section \"The way of one reading\"");
    let cell = |row: &str, at: usize| {
        let cell = row.split('|').nth(at).expect("four columns");
        cell.trim().trim_matches('`').to_owned()
    };
    let rows = section.lines().filter(|line| line.starts_with("| "));
    rows.filter(|row| cell(row, 1).parse::<u32>().is_ok())
        .map(|row| Step { function: cell(row, 2), file: cell(row, 3) })
        .collect()
}

#[tokio::test]
async fn the_documented_way_is_the_way_a_poll_takes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let steps = documented(&root);
    assert!(steps.len() >= 15, "{} steps", steps.len());
    for step in &steps {
        let source = std::fs::read_to_string(root.join(&step.file))
            .unwrap_or_else(|error| panic!("{}: {error}", step.file));
        let name = step.function.rsplit("::").next().expect("a name");
        assert!(
            source.contains(&format!("fn {name}(")) || source.contains(&format!("fn {name}<")),
            "{} is not in {}",
            step.function,
            step.file
        );
    }

    let Some(peer) = Snmpd::start() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let site = folder.path().join("site.toml");
    let text = format!(
        "[site]\nname = \"way\"\ntimezone = \"Asia/Shanghai\"\n[store]\npath = \"store\"\n\
         [panel]\nlisten = \"127.0.0.1:0\"\n[credentials.all]\nsnmp = {{ version = \"2c\", community = \"public\" }}\n\
         [[device]]\nid = \"one\"\nname = \"one\"\nprofile = \"snmp-generic\"\ntier = \"city\"\nnetwork = \"lan\"\n\
         address = \"{}\"\ncredentials = \"all\"\nreach = \"snmp\"\ninterval = \"1h\"\n",
        peer.address
    );
    std::fs::write(&site, text).expect("a site file");
    let daemon = Daemon::start(&site, "info,way=trace").await;
    // One poll (the next is an hour away), then one look at it.
    daemon.says("View::keep_latest").await;
    let readings = daemon.get("/api/v1/devices/one/readings").await.json();
    let readings = readings["readings"].as_array().expect("readings");
    let uptime = readings.iter().find(|reading| reading["metric"] == "system.uptime");
    let uptime = uptime.expect("system.uptime");
    assert_eq!(uptime["quality"], "good", "{uptime}");
    until("the last step", async || {
        daemon.log().iter().any(|line| line.contains("View::readings")).then_some(())
    })
    .await;
    let log = daemon.log();
    assert_eq!(daemon.end(Signal::TERM).await.code(), Some(0));

    // From the datagram that brought this object on: the last one received before its value was read.
    let taken: Vec<&str> = log
        .iter()
        .filter_map(|line| line.split_once("step=\"")?.1.split_once('"').map(|(step, _)| step))
        .collect();
    let traced: Vec<&String> = log.iter().filter(|line| line.contains("step=\"")).collect();
    let read = traced
        .iter()
        .position(|line| line.contains("Varbind::read_value") && line.contains(UPTIME))
        .expect("the value of sysUpTime.0 was read");
    let first = &steps[0].function;
    let begin = taken[..read].iter().rposition(|step| step == first);
    let begin = begin.expect("a datagram before it");
    // Up to the value within that one datagram; what follows comes once in a poll.
    let at = steps.iter().position(|step| step.function == "Varbind::read_value");
    let (to_value, onwards) = steps.split_at(at.expect("the table names the value's reading"));
    in_order(to_value, &taken[begin..read]);
    in_order(onwards, &taken[read..]);
}

fn in_order(steps: &[Step], taken: &[&str]) {
    let mut rest = taken.iter();
    for step in steps {
        assert!(
            rest.any(|taken| **taken == *step.function),
            "{} comes in this order in docs/ARCHITECTURE.md, not in the trace:\n{}",
            step.function,
            taken.join("\n")
        );
    }
}
