//! Limits that the site changes: `rule.…` in a device, and `[[override]]` for a profile, class or tier.

use roundsman_core::device::{Class, Tier};
use roundsman_profile::catalogue::Catalogue;
use roundsman_profile::diagnostic::{Diagnostic, Findings, did_you_mean, quoted};
use roundsman_profile::document::{Entry, Fields, Node, Value};
use roundsman_profile::overlay::with_limits;
use roundsman_profile::schema::Profile;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Most `[[override]]` sections.
const MOST_OVERRIDES: usize = 200;

/// How a limit is written.
const EXAMPLE: &str = "rule.interface-busy.warning.above = 70";

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
pub(crate) struct Limits {
    overrides: Vec<Override>,
    /// Per device (by its position), its id and its own `rule` table.
    own: BTreeMap<usize, (Arc<str>, Node)>,
    /// Profiles made so far: profile id and the overrides in it.
    made: HashMap<(Arc<str>, Vec<usize>), Arc<Profile>>,
}

impl Limits {
    /// Reads the `[[override]]` sections.
    pub(super) fn read(nodes: &[Node], catalogue: &Catalogue, found: &mut Findings) -> Limits {
        let mut limits = Limits::default();
        if let Some(node) = nodes.get(MOST_OVERRIDES) {
            let what = format!("a site has at most {MOST_OVERRIDES} overrides");
            found.note(Diagnostic::new(&node.at, what));
        }
        for node in nodes.iter().take(MOST_OVERRIDES) {
            let Some(mut fields) = Fields::of(node, "an override", found) else {
                continue;
            };
            let profile = fields.maybe("profile");
            let class = fields.maybe("class").and_then(|node| super::values::class(node, found));
            let tier = fields.maybe("tier").and_then(|node| super::values::tier(node, found));
            let rules = super::values::must(&mut fields, "an override", "rule", EXAMPLE, found);
            let rules = rules.filter(|node| super::values::is_table(node, EXAMPLE, found));
            let named = ["profile", "class", "tier"].iter().any(|key| node.get(key).is_some());
            fields.finish(found);
            if !named {
                let what = "an override needs to say for which devices it is";
                found.note(Diagnostic::new(&node.at, what).hint("name a `profile`, a `class` or a `tier`"));
            }
            let profile = profile.and_then(|node| {
                let id = node.text(found)?;
                let profile = catalogue.get(id);
                if profile.is_none() {
                    let mut diagnostic =
                        Diagnostic::new(&node.at, format!("no profile is called {}", quoted(id)));
                    diagnostic.hint = did_you_mean(id, catalogue.list().map(|item| &*item.profile.id));
                    found.note(diagnostic);
                }
                profile
            });
            match (profile, rules) {
                // Checked whether or not a device has the profile today.
                (Some(profile), Some(rules)) => drop(laid(profile, rules, found)),
                (None, Some(rules)) if node.get("profile").is_none() => {
                    unknown_rules(rules, catalogue, found)
                }
                _ => {}
            }
            if let Some(rules) = rules {
                limits.overrides.push(Override {
                    profile: profile.map(|profile| profile.id.clone()),
                    class,
                    tier,
                    rules: rules.clone(),
                });
            }
        }
        limits
    }

    /// Keeps a device's own limits.
    pub(super) fn keep_own(&mut self, device: usize, id: &str, rules: Node) {
        self.own.insert(device, (id.into(), rules));
    }

    /// A profile with everything the site says about it for one device: overrides in the order of the file, the
    /// device's own last. Devices with the same overrides share it.
    pub(crate) fn apply(
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
                    let rules = if self.overrides[at].profile.is_some() {
                        rules.clone()
                    } else {
                        known(rules, &result)
                    };
                    result = laid(&result, &rules, found)?;
                }
                self.made.insert(key, result.clone());
            }
        }
        match self.own.get(&device) {
            Some((_, own)) => laid(&result, own, found),
            None => Some(result),
        }
    }

    /// What is overridden and for which devices, for `check`: a line each, in the order of the file.
    pub(crate) fn lines(&self) -> Vec<String> {
        let overrides = self.overrides.iter().map(|o| {
            let profile = o.profile.as_ref().map(|id| format!("profile {id}"));
            let class = o.class.map(|class| format!("class {}", class.word()));
            let tier = o.tier.map(|tier| format!("tier {}", tier.word()));
            let parts: Vec<String> = [profile, class, tier].into_iter().flatten().collect();
            (parts.join(", "), &o.rules)
        });
        let own = self.own.values().map(|(id, rules)| (format!("device {id}"), rules));
        let mut lines = Vec::new();
        for (whose, rules) in overrides.chain(own) {
            for rule in entries(rules) {
                for level in entries(&rule.node) {
                    let keys: Vec<&str> = entries(&level.node).iter().map(|key| &*key.key).collect();
                    let (rule, level, keys) = (&rule.key, &level.key, keys.join(", "));
                    lines.push((
                        rules.at.position(),
                        format!("{:?}: {whose}: {rule}.{level}: {keys}", rules.at),
                    ));
                }
            }
        }
        lines.sort();
        lines.into_iter().map(|(_, line)| line).collect()
    }
}

fn entries(node: &Node) -> &[Entry] {
    match &node.value {
        Value::Table(entries) => entries,
        _ => &[],
    }
}

/// [`with_limits`], with errors that stand in the site file: where the site's limit and the profile's own levels do
/// not fit, that shows in the profile, but the site is what is to be mended.
fn laid(profile: &Profile, rules: &Node, found: &mut Findings) -> Option<Arc<Profile>> {
    let mut own = Findings::default();
    let laid = with_limits(profile, rules, &mut own);
    for mut diagnostic in own.into_diagnostics() {
        let elsewhere = diagnostic.at.as_ref().filter(|at| at.file() != rules.at.file());
        if let Some(at) = elsewhere {
            let what = &diagnostic.what;
            diagnostic.what =
                format!("with this limit profile `{}` ({}) does not hold: {what}", profile.id, at.file());
            let only = match entries(rules) {
                [rule] => &rule.key_at,
                _ => &rules.at,
            };
            diagnostic.at = Some(only.clone());
            "changed here".clone_into(&mut diagnostic.label);
            let hint = diagnostic.hint.take().map(|hint| format!("{hint}; "));
            diagnostic.hint = Some(format!(
                "{}change the other limits of the rule as well: `roundsman profile show {}`",
                hint.unwrap_or_default(),
                profile.id
            ));
        }
        found.note(diagnostic);
    }
    laid
}

/// Notes rules that no profile has: an override for a class or tier, or of a device whose profile is yet to be
/// found, is only for those that have them.
pub(super) fn unknown_rules(rules: &Node, catalogue: &Catalogue, found: &mut Findings) {
    let known = || catalogue.list().flat_map(|item| item.profile.model.rules.iter().map(|rule| &*rule.id));
    for entry in entries(rules) {
        if known().all(|id| id != entry.key) {
            let what = format!("no profile has a rule {}", quoted(&entry.key));
            let mut diagnostic = Diagnostic::new(&entry.key_at, what).label("unknown rule");
            diagnostic.hint = did_you_mean(&entry.key, known());
            found.note(diagnostic);
        }
    }
}

/// Those of the rules that this profile has.
fn known(rules: &Node, profile: &Profile) -> Node {
    let mut rules = rules.clone();
    if let Value::Table(entries) = &mut rules.value {
        entries.retain(|entry| profile.model.rules.iter().any(|rule| *rule.id == *entry.key));
    }
    rules
}
