//! What the wall of two by two can be told, and what it was told.

use roundsman_core::device::{Class, Grid};
use roundsman_core::text::Bilingual;
use roundsman_core::time::Wall;
use roundsman_panel::{
    Choice, CommandArgument, CommandReport, CommandWanted, Commands, DeviceCommand, Forbidden, Told,
};
use std::sync::Arc;

fn argument(name: &str, words: &[&str]) -> CommandArgument {
    let words = words.iter().map(|word| Arc::from(*word)).collect();
    CommandArgument { name: name.into(), choice: Choice::Words(words) }
}

/// A wall is switched, given a source (where it is on and nothing is missing) and dimmed; others take no command.
pub fn of(class: Class) -> Commands {
    if class != Class::VideoWall {
        return Commands::default();
    }
    let command = |id: &str, name, arguments, two_step, forbidden| DeviceCommand {
        id: id.into(),
        name,
        arguments,
        two_step,
        forbidden,
    };
    let not_now = vec![("r2c1".into(), Forbidden::State), ("r2c2".into(), Forbidden::Unknown)];
    let level = CommandArgument { name: "level".into(), choice: Choice::Number { least: 0, most: 100 } };
    Commands {
        grid: Some(Grid { rows: 2, columns: 2 }),
        commands: vec![
            command(
                "power",
                Bilingual::new("电源", "Power"),
                vec![argument("state", &["on", "off"])],
                true,
                vec![],
            ),
            command(
                "source",
                Bilingual::new("信号源", "Source"),
                vec![argument("source", &["dvi", "hdmi-1"])],
                false,
                not_now,
            ),
            command("level", Bilingual::new("亮度", "Brightness"), vec![level], false, vec![]),
        ],
    }
}

/// A command that was read back at once.
pub fn obeyed(id: i64, at: Wall, wanted: &CommandWanted) -> Told {
    let report = CommandReport {
        device: wanted.device.to_string(),
        unit: wanted.unit.clone(),
        command: wanted.command.clone(),
        arguments: wanted.arguments.iter().cloned().collect(),
        sent: "AA 11 01 01 01 14".to_owned(),
        answered: Some("AA FF 01 03 41 11 01 56".to_owned()),
        verdict: "acknowledged".to_owned(),
        why: None,
        verified: "yes".to_owned(),
        reads: None,
        took_ms: Some(640),
        good: true,
    };
    Told {
        id,
        at,
        by: wanted.by.clone(),
        unit: wanted.unit.clone(),
        command: wanted.command.clone(),
        arguments: wanted.arguments.clone(),
        outcome: Some((Wall(at.0 + 640), report)),
    }
}

/// One command for each thing that can come of one, the earliest first.
pub fn every_outcome(at: Wall) -> Vec<Told> {
    let cases = [
        ("acknowledged", "yes", None, true),
        ("acknowledged", "no", Some("off"), false),
        ("unproven", "no", None, false),
        ("acknowledged", "unknown", None, true),
        ("unproven", "unknown", None, false),
        ("refused", "pointless", None, false),
        ("failed", "pointless", None, false),
    ];
    let wanted = CommandWanted {
        device: "wall-10f".into(),
        command: "power".to_owned(),
        unit: "r1c2".to_owned(),
        arguments: vec![("state".to_owned(), "on".to_owned())],
        by: "panel".into(),
    };
    let mut told: Vec<Told> = cases
        .iter()
        .zip(1..)
        .map(|((verdict, verified, reads, good), id)| {
            let mut told = obeyed(id, Wall(at.0 - 600_000 + id * 60_000), &wanted);
            if let Some((_, report)) = &mut told.outcome {
                report.verdict = (*verdict).to_owned();
                report.verified = (*verified).to_owned();
                report.reads = reads.map(str::to_owned);
                report.good = *good;
                if *verified == "pointless" {
                    report.answered = None;
                }
            }
            told
        })
        .collect();
    let mut under_way = obeyed(8, Wall(at.0 - 20_000), &wanted);
    under_way.outcome = None;
    told.push(under_way);
    told
}
