//! All profiles by id, and the one for a device.
//!
//! **Duty.** Reads the embedded profiles and those of the site's folder (an id there takes the place of the embedded
//! one), lays them over their bases, checks them, and finds the profile of a sysObjectID.
//!
//! **Place in the flow.** Made once at start and at reload, before anything is polled.
//!
//! **Refuses.** A catalogue with a broken profile: either all are good or there is none.

mod files;

pub use files::Origin;

use crate::diagnostic::{At, Diagnostic, Findings, Rejected, Source, did_you_mean, quoted};
use crate::document::{self, Node, Value};
use crate::schema::{self, Mark, Profile};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The profile of devices that no other is for.
pub const GENERIC: &str = "snmp-generic";

/// Longest chain of `extends`.
const DEEPEST_EXTENDS: usize = 8;

/// A profile and where it came from.
#[derive(Clone, Debug)]
pub struct Item {
    /// The profile.
    pub profile: Arc<Profile>,
    /// Where it came from.
    pub origin: Origin,
}

/// All profiles.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    items: BTreeMap<Arc<str>, Item>,
}

/// Why no profile could be found by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMatch {
    /// Not even the generic one exists.
    #[error("no profile is for sysObjectID {0}, and there is no profile `{GENERIC}` to fall back to")]
    NoGeneric(String),
}

/// A parsed file, before it is laid over its bases.
struct Draft {
    origin: Origin,
    source: Arc<Source>,
    node: Node,
}

impl Catalogue {
    /// The profiles embedded in the program.
    pub fn embedded() -> Result<Catalogue, Rejected> {
        let mut found = Findings::default();
        let drafts = gather(vec![files::embedded()], &mut found);
        build(drafts, found)
    }

    /// The embedded profiles, and over them those of a folder (or of a single file).
    pub fn with_folder(path: &Path) -> Result<Catalogue, Rejected> {
        let mut found = Findings::default();
        let own = files::on_disk(path, &mut found);
        let drafts = gather(vec![files::embedded(), own], &mut found);
        build(drafts, found)
    }

    /// The profile with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Profile>> {
        self.items.get(id).map(|item| &item.profile)
    }

    /// The profile with this id and where it came from.
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.items.get(id)
    }

    /// All of them, by id.
    pub fn list(&self) -> impl ExactSizeIterator<Item = &Item> {
        self.items.values()
    }

    /// The profile of a device that names this sysObjectID: the longest prefix wins, `snmp-generic` is for the rest.
    /// Two profiles never have the same prefix: that is refused when the catalogue is read.
    pub fn resolve_auto(&self, sys_object_id: &[u32]) -> Result<&Arc<Profile>, NoMatch> {
        let matching = self.items.values().flat_map(|item| {
            let fits = item.profile.matchers.iter().filter(|m| sys_object_id.starts_with(m.prefix.arcs()));
            fits.map(move |matcher| (matcher.prefix.arcs().len(), &item.profile))
        });
        match matching.max_by_key(|(length, _)| *length) {
            Some((_, profile)) => Ok(profile),
            None => self.get(GENERIC).ok_or_else(|| {
                let arcs: Vec<String> = sys_object_id.iter().map(u32::to_string).collect();
                NoMatch::NoGeneric(arcs.join("."))
            }),
        }
    }
}

impl Catalogue {
    /// The profile of a device on a bus by what it says of itself: objects of its Modbus identification, or the banner of
    /// its port. The one that says most wins; `None` where none fits, or two say as much.
    pub fn resolve_mark(&self, objects: &[(u8, &str)], banner: &str) -> Option<&Arc<Profile>> {
        let begins = |(number, text): &(u8, Arc<str>)| {
            objects.iter().any(|(known, said)| known == number && said.starts_with(&**text))
        };
        let says = |mark: &Mark| match mark {
            Mark::Identification(wanted) if wanted.iter().all(begins) => {
                wanted.iter().map(|(_, text)| text.len()).sum()
            }
            Mark::Banner(text) if banner.starts_with(&**text) => text.len(),
            _ => 0,
        };
        let fitting = self.items.values().filter_map(|item| {
            let most = item.profile.marks.iter().map(says).max().filter(|length| *length > 0)?;
            Some((most, &item.profile))
        });
        best(fitting.collect())
    }

    /// The profile of a camera or recorder by what it says of itself. The one that says most wins; `None` where none
    /// fits, or two say as much.
    pub fn resolve_onvif(&self, maker: &str, model: &str) -> Option<&Arc<Profile>> {
        let begins = |text: &str, with: &str| text.to_lowercase().starts_with(&with.to_lowercase());
        let says = |mark: &Mark| match mark {
            Mark::Onvif { maker: wanted, model: kind } if begins(maker, wanted) && begins(model, kind) => {
                wanted.len() + kind.len()
            }
            _ => 0,
        };
        let fitting = self.items.values().filter_map(|item| {
            let most = item.profile.marks.iter().map(says).max().filter(|length| *length > 0)?;
            Some((most, &item.profile))
        });
        best(fitting.collect())
    }
}

/// The profile that says most, where no other says as much.
fn best(mut fitting: Vec<(usize, &Arc<Profile>)>) -> Option<&Arc<Profile>> {
    fitting.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    match fitting[..] {
        [(best, profile), ref rest @ ..] if rest.first().is_none_or(|(next, _)| *next < best) => {
            Some(profile)
        }
        _ => None,
    }
}

/// Parses the layers; a later layer's id takes the place of an earlier one's.
fn gather(layers: Vec<Vec<(Origin, Arc<Source>)>>, found: &mut Findings) -> BTreeMap<String, Draft> {
    let mut drafts: BTreeMap<String, Draft> = BTreeMap::new();
    for layer in layers {
        let mut own: BTreeMap<String, Draft> = BTreeMap::new();
        for (origin, source) in layer {
            let Some(node) = document::parse(&source, found) else {
                continue;
            };
            let Some(id_node) = node.get("id") else {
                found.note(
                    Diagnostic::new(&source.at(0..0), "a profile needs the key `id`")
                        .label("`id` is missing"),
                );
                continue;
            };
            let Some(id) = schema::kebab(id_node, found).map(str::to_owned) else {
                continue;
            };
            if let Some(known) = own.get(&id) {
                let what = format!("two files define the profile `{id}`");
                let hint = format!("the other one is {}", known.source.name);
                found.note(Diagnostic::new(&id_node.at, what).hint(hint));
                continue;
            }
            own.insert(id, Draft { origin, source, node });
        }
        drafts.extend(own);
    }
    drafts
}

fn build(drafts: BTreeMap<String, Draft>, mut found: Findings) -> Result<Catalogue, Rejected> {
    let mut items = BTreeMap::new();
    let mut inherited = Vec::new();
    for (id, draft) in &drafts {
        let mut own = Findings::default();
        let merged = merge(id, draft, &drafts, &mut Vec::new(), &mut own);
        let profile = merged.and_then(|merged| schema::read(&merged, &mut own));
        for diagnostic in own.into_diagnostics() {
            match &diagnostic.at {
                Some(at) if *at.source() != draft.source => inherited.push((draft, diagnostic)),
                _ => found.note(diagnostic),
            }
        }
        if let Some(profile) = profile {
            let profile = Arc::new(profile);
            let origin = draft.origin.clone();
            items.insert(profile.id.clone(), Item { profile, origin });
        }
    }
    for (draft, diagnostic) in inherited {
        blame(draft, diagnostic, &mut found);
    }
    check_ties(&items, &mut found);
    found.finish(Catalogue { items })
}

/// An error in what a profile inherits: the base's own, which is noted already, or one that came only of what this
/// profile removed or laid over. Then this profile has to answer for it.
fn blame(draft: &Draft, diagnostic: Diagnostic, found: &mut Findings) {
    if found.contains(&diagnostic) {
        return;
    }
    let key = draft.node.get("remove").or_else(|| draft.node.get("extends"));
    let at = key.map_or_else(|| draft.source.at(0..0), |node| node.at.clone());
    found.note(Diagnostic::new(&at, "what is inherited no longer fits").hint(diagnostic.to_string()));
}

/// A profile's document laid over those it extends. `chain` holds the ids on the way here.
fn merge<'a>(
    id: &'a str,
    draft: &'a Draft,
    drafts: &'a BTreeMap<String, Draft>,
    chain: &mut Vec<&'a str>,
    found: &mut Findings,
) -> Option<Node> {
    chain.push(id);
    let mut base: Option<Node> = None;
    let extends = draft.node.get("extends").and_then(|node| node.list(found)).unwrap_or(&[]);
    for node in extends {
        let Value::Text(name) = &node.value else {
            node.text(found);
            continue;
        };
        let Some((name, next)) = drafts.get_key_value(name.as_str()) else {
            let mut diagnostic =
                Diagnostic::new(&node.at, format!("there is no profile {} to extend", quoted(name)));
            diagnostic.hint =
                did_you_mean(name, drafts.keys().map(String::as_str).filter(|known| *known != id));
            found.note(diagnostic);
            continue;
        };
        if chain.contains(&name.as_str()) || chain.len() >= DEEPEST_EXTENDS {
            let way = chain.iter().copied().chain([name.as_str()]).collect::<Vec<_>>().join(" → ");
            found.note(Diagnostic::new(
                &node.at,
                format!("profiles extend each other in a circle, or too deep: {way}"),
            ));
            chain.pop();
            return None;
        }
        let Some(next) = merge(name, next, drafts, chain, found) else {
            chain.pop();
            return None;
        };
        base = Some(match base {
            Some(earlier) => schema::lay_over(&earlier, &next),
            None => next,
        });
    }
    chain.pop();
    let removed = draft.node.get("remove");
    let names = removed.and_then(|node| node.list(found)).unwrap_or(&[]);
    match base {
        Some(mut base) => {
            schema::remove(&mut base, names, found);
            Some(schema::lay_over(&base, &draft.node))
        }
        None => {
            if let Some(node) = removed
                && extends.is_empty()
            {
                found.note(Diagnostic::new(&node.at, "`remove` without `extends`: nothing is inherited"));
            }
            Some(draft.node.clone())
        }
    }
}

/// The same prefix in two profiles would leave the choice to chance.
fn check_ties(items: &BTreeMap<Arc<str>, Item>, found: &mut Findings) {
    let mut seen: BTreeMap<&[u32], (&Arc<str>, &At)> = BTreeMap::new();
    // The site's own files last: the error then points into what its people wrote.
    let mut ordered: Vec<_> = items.iter().collect();
    ordered.sort_by_key(|(_, item)| matches!(item.origin, Origin::File(_)));
    for (id, item) in ordered {
        for matcher in &item.profile.matchers {
            if let Some((other, at)) = seen.get(matcher.prefix.arcs()) {
                let what = format!("{} matches `{other}` as well as `{id}`", matcher.prefix);
                let hint = format!(
                    "the other one stands at {at:?}; the longest prefix wins, so make one of them longer"
                );
                found.note(Diagnostic::new(&matcher.at, what).label("the same prefix again").hint(hint));
                continue;
            }
            seen.insert(matcher.prefix.arcs(), (id, &matcher.at));
        }
    }
}
