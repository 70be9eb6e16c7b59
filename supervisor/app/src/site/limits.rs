//! Limits that the site changes: `rule.…` in a device, and `[[override]]` for a profile, class or tier.

use roundsman_core::device::{Class, Tier};
use roundsman_profile::diagnostic::{Diagnostic, Findings, did_you_mean, quoted};
use roundsman_profile::document::{Fields, Node};
use roundsman_profile::overlay::with_limits;
use roundsman_profile::schema::Profile;
use std::collections::HashMap;
use std::sync::Arc;

/// Most `[[override]]` sections.
const MOST_OVERRIDES: usize = 200;

/// For which devices an `[[override]]` is; what is not named fits all.
#[derive(Clone, Debug)]
struct Override {
    profile: Option<Arc<str>>,
    class: Option<Class>,
    tier: Option<Tier>,
    rules: Node,
}

/// All limits of the site.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    overrides: Vec<Override>,
    /// Per device (by its position), its own `rule` table.
    own: HashMap<usize, Node>,
    /// Profiles made so far: profile id and the overrides in it.
    made: HashMap<(Arc<str>, Vec<usize>), Arc<Profile>>,
}

impl Limits {
    /// Reads the `[[override]]` sections.
    pub(super) fn read(nodes: &[Node], known_profiles: &[&str], found: &mut Findings) -> Limits {
        let mut limits = Limits::default();
        if let Some(node) = nodes.get(MOST_OVERRIDES) {
            let what = format!("a site has at most {MOST_OVERRIDES} overrides");
            found.note(Diagnostic::new(&node.at, what));
        }
        for node in nodes.iter().take(MOST_OVERRIDES) {
            let Some(mut fields) = Fields::of(node, "an override", found) else { continue };
            let profile = fields.maybe("profile");
            let class = fields.maybe("class").and_then(|node| super::values::class(node, found));
            let tier = fields.maybe("tier").and_then(|node| super::values::tier(node, found));
            let rules = fields.must("rule", found).cloned();
            let named = fields.maybe("profile").is_some() || class.is_some() || tier.is_some();
            fields.finish(found);
            if !named {
                let what = "an override needs to say for which devices it is";
                found.note(Diagnostic::new(&node.at, what).hint("name a `profile`, a `class` or a `tier`"));
            }
            let profile = profile.and_then(|node| {
                let id = node.text(found)?;
                if !known_profiles.contains(&id) {
                    let mut diagnostic = Diagnostic::new(&node.at, format!("no profile is called {}", quoted(id)));
                    diagnostic.hint = did_you_mean(id, known_profiles.iter().copied());
                    found.note(diagnostic);
                }
                Some(Arc::from(id))
            });
            if let Some(rules) = rules {
                limits.overrides.push(Override { profile, class, tier, rules });
            }
        }
        limits
    }

    /// Keeps a device's own limits.
    pub(super) fn keep_own(&mut self, device: usize, rules: Node) {
        self.own.insert(device, rules);
    }

    /// A profile with everything the site says about it for one device: overrides in the order of the file, the
    /// device's own last. Devices with the same overrides share it.
    pub fn apply(
        &mut self,
        device: usize,
        tier: Tier,
        profile: &Arc<Profile>,
        found: &mut Findings,
    ) -> Option<Arc<Profile>> {
        let fits = |o: &Override| {
            o.profile.as_ref().is_none_or(|id| *id == profile.id)
                && o.class.is_none_or(|class| class == profile.class)
                && o.tier.is_none_or(|t| t == tier)
        };
        let fitting: Vec<usize> = (0..self.overrides.len()).filter(|&at| fits(&self.overrides[at])).collect();
        let mut result = profile.clone();
        if !fitting.is_empty() {
            let key = (profile.id.clone(), fitting);
            if let Some(made) = self.made.get(&key) {
                result = made.clone();
            } else {
                for &at in &key.1 {
                    // An override for a class or tier is for those profiles that have the rule.
                    let rules = &self.overrides[at].rules;
                    let rules = if self.overrides[at].profile.is_some() { rules.clone() } else { known(rules, &result) };
                    result = with_limits(&result, &rules, found)?;
                }
                self.made.insert(key, result.clone());
            }
        }
        match self.own.get(&device) {
            Some(own) => with_limits(&result, own, found),
            None => Some(result),
        }
    }

    /// What is overridden, for `check`: a line each.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for node in self.overrides.iter().map(|o| &o.rules).chain(self.own.values()) {
            lines.push(format!("{:?}", node.at));
        }
        lines.sort();
        lines
    }
}

/// Those of the rules that this profile has.
fn known(rules: &Node, profile: &Profile) -> Node {
    let mut rules = rules.clone();
    if let roundsman_profile::document::Value::Table(entries) = &mut rules.value {
        entries.retain(|entry| profile.model.rules.iter().any(|rule| *rule.id == *entry.key));
    }
    rules
}
