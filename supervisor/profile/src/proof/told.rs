//! A fixture's camera or recorder: what it says to each question, from the fixture or from recorded answers.

use super::recorded::compare_events;
use crate::bus::heard::told;
use crate::catalogue::Origin;
use crate::diagnostic::{At, Diagnostic, Findings};
use crate::schema::{Change, ExpectedEvent, Profile, Spoken, Told};
use roundsman_core::reading::Absence;
use roundsman_core::time::Wall;
use roundsman_wire::onvif::health::{Answer, Question, Said};

/// The device.
pub(super) struct Device {
    said: Vec<(Question, Said)>,
    origin: Origin,
}

impl Device {
    /// The device as it is recorded.
    pub(super) fn new(
        recorded: &[(Question, Told)],
        origin: &Origin,
        now: Wall,
        found: &mut Findings,
    ) -> Option<Device> {
        let mut device = Device { said: Vec::new(), origin: origin.clone() };
        let all = recorded.iter().all(|(question, told)| device.say(*question, told, now, found));
        all.then_some(device)
    }

    /// What comes of a health check.
    pub(super) fn poll(&self, questions: &[Question]) -> Answer {
        let said = |question: &Question| {
            let said = self.said.iter().find(|(known, _)| known == question);
            (*question, said.map_or(Err(Absence::Unsupported), |(_, said)| said.clone()))
        };
        let said: Vec<(Question, Said)> = questions.iter().map(said).collect();
        let came =
            |said: &Said| !matches!(said, Err(Absence::Timeout | Absence::Unreachable | Absence::Refused));
        Answer { answered: said.iter().any(|(_, said)| came(said)), said, ..Answer::default() }
    }

    /// A change of a step; `false` where it is impossible.
    pub(super) fn change(&mut self, change: &Change, now: Wall, found: &mut Findings) -> bool {
        match change {
            Change::Told(question, told) => self.say(*question, told, now, found),
            // Read for devices on a bus alone.
            _ => true,
        }
    }

    /// Compares what the device says of its own accord with the event that it must be.
    pub(super) fn hear(&self, profile: &Profile, expected: &ExpectedEvent, found: &mut Findings) {
        if let Spoken::Message(message) = &expected.spoken {
            compare_events(expected, &told(profile, message), found);
        }
    }

    fn say(&mut self, question: Question, told: &Told, now: Wall, found: &mut Findings) -> bool {
        let said = match told {
            Told::Said(said) => said.clone(),
            Told::Document(file, at) => match self.document(question, file, at, now, found) {
                Some(said) => said,
                None => return false,
            },
        };
        self.said.retain(|(known, _)| *known != question);
        self.said.push((question, said));
        true
    }

    fn document(
        &self,
        question: Question,
        file: &str,
        at: &At,
        now: Wall,
        found: &mut Findings,
    ) -> Option<Said> {
        let said = self.origin.recording(file).and_then(|text| {
            let rows = question.read_document(text.as_bytes(), now);
            rows.ok_or_else(|| format!("`{file}` is no answer to `{}`", question.word()))
        });
        said.map(Ok).map_err(|what| found.note(Diagnostic::new(at, what))).ok()
    }
}
