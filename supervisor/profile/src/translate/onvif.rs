//! Answers of cameras and recorders to readings.

use super::Translator;
use super::recipe::TextFormat;
use super::text::octets_text;
use crate::schema::Profile;
use roundsman_core::model::InstanceIx;
use roundsman_core::reading::{Absence, Readings};
use roundsman_core::time::Now;
use roundsman_wire::onvif::health::{Answer, Row};

impl Translator {
    /// The readings of a health check.
    pub(super) fn of_onvif(&mut self, profile: &Profile, answer: &Answer, now: Now) -> Readings {
        let mut readings = Readings::new(now, answer.answered);
        readings.reserve(self.read);
        self.texts.begin();
        // The columns of one table follow each other, and all look at the same rows.
        let mut listed = None;
        for recipe in &profile.recipes.items {
            let said = answer.of(recipe.question);
            let Some(table) = recipe.table else {
                let row = said.and_then(|rows| rows.first().ok_or(Absence::Unsupported));
                let sample = row.and_then(|row| recipe.sample(row, &mut self.texts));
                readings.add(recipe.metric, [(InstanceIx::SCALAR, sample)]);
                continue;
            };
            match said {
                Ok(rows) => {
                    if listed.as_ref().is_none_or(|(known, _)| *known != table) {
                        listed = Some((table, self.rows(rows)));
                        readings.mark_complete(table);
                    }
                    let labels = listed.as_ref().map_or(&[][..], |(_, labels)| labels);
                    let texts = &mut self.texts;
                    let samples =
                        labels.iter().map(|(instance, at)| (*instance, recipe.sample(&rows[*at], texts)));
                    readings.add(recipe.metric, samples);
                    if labels.is_empty() {
                        readings.add(recipe.metric, [(InstanceIx::SCALAR, Err(Absence::Unsupported))]);
                    }
                }
                Err(absence) => readings.add(recipe.metric, [(InstanceIx::SCALAR, Err(absence))]),
            }
        }
        self.read = readings.iter().len();
        readings
    }

    /// The instances of rows with their positions, in the order of the instances; rows of one name are told apart by
    /// their number.
    fn rows(&mut self, rows: &[Row]) -> Vec<(InstanceIx, usize)> {
        let mut labels: Vec<(InstanceIx, usize)> = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let name = octets_text(row.label.as_bytes(), TextFormat::Plain);
            let is_taken =
                |labels: &[(InstanceIx, usize)], instance| labels.iter().any(|(known, _)| *known == instance);
            let plain = self
                .labels
                .intern(&name)
                .filter(|instance| !name.is_empty() && !is_taken(&labels, *instance));
            let instance = plain.or_else(|| {
                let numbered = format!("{name}#{}", at + 1);
                self.labels.intern(&numbered).filter(|instance| !is_taken(&labels, *instance))
            });
            labels.extend(instance.map(|instance| (instance, at)));
        }
        labels.sort();
        labels
    }
}
