//! `quality`: another metric of the device says what a value is worth.

use super::metric::Measured;
use super::rule::find_metric;
use super::value::note_choice;
use crate::diagnostic::{Diagnostic, Findings};
use crate::document::{Fields, Node};
use crate::translate::recipe::Worth;
use roundsman_core::model::MetricIx;
use roundsman_core::reading::Absence;
use std::sync::Arc;

/// What a device can say of its own values.
const REASONS: [(&str, Absence); 3] = [
    ("unsupported", Absence::Unsupported),
    ("invalid", Absence::Invalid),
    ("not-judged", Absence::NotJudged),
];

impl Measured {
    /// The `quality` of a metric, when all metrics are known.
    pub(super) fn quality(&mut self, node: &Node, found: &mut Findings) {
        let Some(quality) = node.get("quality") else { return };
        let name = node.get("name").and_then(Node::plain_text);
        let own = name.and_then(|name| self.place(self.model.metric(&name)?));
        let Some(worth) = self.worth(quality, found) else { return };
        if let Some(own) = own {
            self.recipes.points[own].worth = Some(worth);
        }
    }

    /// Where a metric stands among the points of a bus.
    fn place(&self, metric: MetricIx) -> Option<usize> {
        self.recipes.points.iter().position(|point| point.metric == metric)
    }

    /// `{ metric = "sensor.inlet", unsupported = ["not-fitted"] }`.
    fn worth(&self, node: &Node, found: &mut Findings) -> Option<Worth> {
        let mut fields = Fields::of(node, "`quality`", found)?;
        let metric_node = fields.must("metric", found);
        let metric = metric_node.and_then(|node| find_metric(node, self, found));
        let known: Vec<&str> =
            metric.map_or(&[][..], |metric| self.words.of(metric)).iter().map(|w| &**w).collect();
        let mut words = Vec::new();
        for (key, absence) in REASONS {
            let items = fields.maybe(key).and_then(|node| node.list(found)).unwrap_or(&[]);
            for item in items {
                let Some(word) = item.text(found) else { continue };
                if metric.is_some() && !known.is_empty() && !known.contains(&word) {
                    note_choice(item, "what this state says", word, &known, found);
                }
                words.push((Arc::from(word), absence));
            }
        }
        fields.finish(found);
        let state = self.place(metric?).filter(|_| !known.is_empty());
        if state.is_none() {
            let what = "a state that the device itself says is expected here";
            found.note(Diagnostic::new(&metric_node?.at, what));
        }
        Some(Worth { state: state?, words: words.into() })
    }
}
