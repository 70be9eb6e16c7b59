//! `[[sla]]`: what the contract promises for a kind of fault.

use super::{hours, values};
use roundsman_core::sla::calendar::{Calendar, Holidays};
use roundsman_core::sla::policy::{Policy, Starts, Target, USUAL_WARN};
use roundsman_profile::diagnostic::{Diagnostic, Findings, Source, quoted};
use roundsman_profile::document::{self, Fields, Node, Value};
use std::fmt::Write;
use std::sync::Arc;

/// Most `[[sla]]` sections.
const MOST_POLICIES: usize = 100;

/// What holds where the site file has no `[[sla]]`, in its own words. `sla = []` at the top of the site file switches
/// it off.
///
/// The users' contracts: "紧急事件，技术人员 30 分钟内响应，1 小时内到达现场，一般系统故障在 4 小时内排除" (platform,
/// 应急事件处置服务); "重大故障 4 小时内维修人员到现场处理" (network, kept by the hour above); "一般问题 2 小时解决，重大问题
/// 12 小时内解决" (the other platform, 团队要求). Where two of them differ on how soon a fault is over, the longer time
/// holds: a breach is said only of what no contract allows, and a site whose contract asks for more says so. Warnings
/// and what is of unknown weight are promised nothing.
const USUAL: &str = r#"
[[sla]]
id = "severe"
name = "紧急与重要故障"
severity = ["critical", "major"]
response = "30m"
on_site = "1h"
restore = "12h"

[[sla]]
id = "ordinary"
name = "一般故障"
severity = ["minor"]
response = "30m"
restore = "4h"
"#;

/// Reads the `[[sla]]` sections; `None`: the file has none, and the usual ones hold.
pub(super) fn read(nodes: Option<&[Node]>, holidays: &Holidays, found: &mut Findings) -> Vec<Arc<Policy>> {
    let Some(nodes) = nodes else {
        let usual = document::parse(&Source::new("the usual SLA", USUAL), found);
        let sections = usual.as_ref().and_then(|root| root.get("sla")?.list(found));
        return sections.map(|nodes| policies(nodes, holidays, found)).unwrap_or_default();
    };
    policies(nodes, holidays, found)
}

fn policies(nodes: &[Node], holidays: &Holidays, found: &mut Findings) -> Vec<Arc<Policy>> {
    if let Some(node) = nodes.get(MOST_POLICIES) {
        let what = format!("a site has at most {MOST_POLICIES} sections [[sla]]");
        found.note(
            Diagnostic::new(&node.at, what).hint("one section may name several severities and classes"),
        );
    }
    let mut policies: Vec<Arc<Policy>> = Vec::new();
    for node in nodes.iter().take(MOST_POLICIES) {
        let Some(policy) = policy(node, holidays, found) else { continue };
        if policies.iter().any(|other| other.id == policy.id) {
            let what = format!("two sections [[sla]] have the id {}", quoted(&policy.id));
            let at = &node.get("id").unwrap_or(node).at;
            found.note(Diagnostic::new(at, what).label("the second one").hint("give one of them another id"));
        }
        policies.push(Arc::new(policy));
    }
    policies
}

fn policy(node: &Node, holidays: &Holidays, found: &mut Findings) -> Option<Policy> {
    let mut fields = Fields::of(node, "`sla`", found)?;
    let id = values::must(&mut fields, "`sla`", "id", "id = \"severe\"", found);
    let id = id.and_then(|node| values::id(node, found));
    let name = values::must(&mut fields, "`sla`", "name", "name = \"紧急与重要故障\"", found);
    let name = name.and_then(|node| values::name(node, found));
    let severities = list(fields.maybe("severity"), values::severity, found);
    let tiers = list(fields.maybe("tier"), values::tier, found);
    let classes = list(fields.maybe("class"), values::class, found);
    let networks = list(fields.maybe("network"), values::network, found);
    let limits = limits(&mut fields, found);
    let starts = fields.maybe("starts").map_or(Some(Starts::Confirmed), |node| values::starts(node, found));
    let calendar = match fields.maybe("hours") {
        Some(node) => hours::calendar(node, holidays, found),
        None => Some(Calendar::always()),
    };
    let warn = fields.maybe("warn").map_or(Some(USUAL_WARN), |node| warn(node, found));
    fields.finish(found);
    let [response_ms, on_site_ms, restore_ms] = limits?;
    Some(Policy {
        id: id?.into(),
        name: name?.into(),
        severities: severities?,
        tiers: tiers?,
        classes: classes?,
        networks: networks?,
        response_ms,
        on_site_ms,
        restore_ms,
        starts: starts?,
        calendar: calendar?,
        warn: warn?,
    })
}

/// The words of a list, or the only one; left out: none, which is all.
fn list<T>(
    node: Option<&Node>,
    read: impl Fn(&Node, &mut Findings) -> Option<T>,
    found: &mut Findings,
) -> Option<Vec<T>> {
    let Some(node) = node else { return Some(Vec::new()) };
    let Value::List(items) = &node.value else { return Some(vec![read(node, found)?]) };
    if items.is_empty() {
        let what = "this list is empty, so the section would be for nothing";
        found.note(Diagnostic::new(&node.at, what).hint("leave the key out where all are meant"));
        return None;
    }
    // All of them are read, so that every wrong one is noted.
    let read: Vec<Option<T>> = items.iter().map(|item| read(item, found)).collect();
    read.into_iter().collect()
}

/// The limits in the order of [`Target::ALL`]: what is done first has the shorter one.
fn limits(fields: &mut Fields<'_>, found: &mut Findings) -> Option<[Option<u64>; 3]> {
    let nodes = ["response", "on_site", "restore"].map(|key| (key, fields.maybe(key)));
    let mut limits = [None; 3];
    let mut earlier: Option<(&str, u64)> = None;
    let mut good = true;
    for ((key, node), limit) in nodes.into_iter().zip(&mut limits) {
        let Some(node) = node else { continue };
        let Some(ms) = limit_ms(node, found) else {
            good = false;
            continue;
        };
        if let Some((before, _)) = earlier.filter(|(_, before_ms)| *before_ms > ms) {
            let what = format!("`{before}` has more time than `{key}`, which comes after it");
            let hint = "what is done first has the shorter limit: response, then on_site, then restore";
            found.note(Diagnostic::new(&node.at, what).hint(hint));
            good = false;
        }
        earlier = Some((key, ms));
        *limit = Some(ms);
    }
    good.then_some(limits)
}

fn limit_ms(node: &Node, found: &mut Findings) -> Option<u64> {
    const HINT: &str = "in quotes with its unit, such as \"30m\" or \"4h\"; at least \"1s\"";
    if let Value::Integer(_) | Value::Float(_) = node.value {
        found
            .note(Diagnostic::new(&node.at, "a limit is text with a unit, this is a bare number").hint(HINT));
        return None;
    }
    let ms = roundsman_profile::schema::duration_ms(node, found)?;
    if ms < 1_000 {
        found.note(Diagnostic::new(&node.at, "nobody can do anything in less than a second").hint(HINT));
        return None;
    }
    Some(ms)
}

/// After which share of a limit is warned.
fn warn(node: &Node, found: &mut Findings) -> Option<f64> {
    let share = node.number(found)?;
    let good = share > 0.0 && share <= 1.0;
    if !good {
        let what = "the share of a limit after which is warned is above 0 and at most 1";
        let hint = format!("{USUAL_WARN} where nothing is said; 1 gives no warning before the breach");
        found.note(Diagnostic::new(&node.at, what).hint(hint));
    }
    good.then_some(share)
}

/// A policy for `check`, in one line.
pub(crate) fn line(policy: &Policy) -> String {
    let mut line = format!("{} ({})", policy.id, policy.name);
    let groups: [Vec<&str>; 4] = [
        policy.severities.iter().map(|severity| severity.word()).collect(),
        policy.tiers.iter().map(|tier| tier.word()).collect(),
        policy.classes.iter().map(|class| class.word()).collect(),
        policy.networks.iter().map(|network| network.word()).collect(),
    ];
    for words in groups.iter().filter(|words| !words.is_empty()) {
        let _ = write!(line, ": {}", words.join(", "));
    }
    let limits = Target::ALL
        .iter()
        .filter_map(|&target| Some(format!("{} {}", target.word(), duration(policy.limit_ms(target)?))));
    let limits: Vec<String> = limits.collect();
    let limits = if limits.is_empty() { "no limit".to_owned() } else { limits.join(", ") };
    let hours = if policy.calendar.is_always() { "7x24" } else { "service hours" };
    let _ = write!(line, ": {limits}; {hours}, from {}", policy.starts.word());
    line
}

/// A duration in the largest unit that gives a whole number.
fn duration(ms: u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let unit = units.into_iter().find(|(unit_ms, _)| ms.is_multiple_of(*unit_ms));
    unit.map_or_else(|| format!("{ms}ms"), |(unit_ms, unit)| format!("{}{unit}", ms / unit_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_ones_can_be_read() {
        let mut found = Findings::default();
        let policies = read(None, &Holidays::default(), &mut found);
        assert!(found.is_empty(), "{:?}", found.into_diagnostics());
        let lines: Vec<String> = policies.iter().map(|policy| line(policy)).collect();
        assert_eq!(
            lines,
            [
                "severe (紧急与重要故障): critical, major: response 30m, on-site 1h, restore 12h; 7x24, from confirmed",
                "ordinary (一般故障): minor: response 30m, restore 4h; 7x24, from confirmed",
            ]
        );
        assert!(
            read(Some(&[]), &Holidays::default(), &mut found).is_empty(),
            "an empty list switches them off"
        );
    }
}
