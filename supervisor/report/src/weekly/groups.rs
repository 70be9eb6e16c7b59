//! How the devices stand (设备健康一览): the whole, and by class, tier and network.

use crate::voice::share;
use roundsman_core::figures::Figures;
use roundsman_core::figures::availability::Total;
use roundsman_core::figures::health::Health;
use roundsman_core::figures::standing::Standing;
use roundsman_core::text::Bilingual;

/// What a group is made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// All devices.
    All,
    /// Class.
    Class,
    /// Tier.
    Tier,
    /// Network.
    Network,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What it is made by.
    pub by: Grouping,
    /// The word of the API, such as `router`; `all` for the whole.
    pub word: &'static str,
    /// Its name for people.
    pub name: Bilingual,
    /// How its devices stand at the end.
    pub standing: Standing,
    /// Share of its devices that are well at the end, basis points.
    pub serviceability: Option<u32>,
    /// Its availability in the week, basis points.
    pub availability: Option<u32>,
    /// Its health.
    pub health: Option<Health>,
}

/// All lines, in the order they are printed.
pub(super) fn all(figures: &Figures) -> Vec<Group> {
    let whole = Bilingual::new("全部设备", "All devices");
    let (time, standing, health) = (&figures.time, &figures.standing, &figures.health);
    let line =
        |by, word, name, total: &Total, standing: Option<&Standing>, health: Option<&Option<Health>>| {
            let standing = standing.copied().unwrap_or_default();
            Group {
                by,
                word,
                name,
                serviceability: share(u64::from(standing.well), u64::from(standing.devices)),
                standing,
                availability: share(total.time.up_ms, total.time.should_run_ms()),
                health: health.copied().flatten(),
            }
        };
    let mut lines =
        vec![line(Grouping::All, "all", whole, &time.all, Some(&standing.all), Some(&health.all))];
    macro_rules! each {
        ($by:expr, $field:ident) => {
            lines.extend(time.$field.iter().map(|(key, total)| {
                let (standing, health) = (standing.$field.get(key), health.$field.get(key));
                line($by, key.word(), key.name(), total, standing, health)
            }))
        };
    }
    each!(Grouping::Class, classes);
    each!(Grouping::Tier, tiers);
    each!(Grouping::Network, networks);
    lines
}

/// Lines of one kind; none where there is only one group, which would repeat the whole.
pub(crate) fn lines_by(groups: &[Group], by: Grouping) -> Vec<&Group> {
    let lines: Vec<&Group> = groups.iter().filter(|group| group.by == by).collect();
    if by != Grouping::All && by != Grouping::Class && lines.len() < 2 { Vec::new() } else { lines }
}

/// Not well, of whatever severity.
pub(crate) fn abnormal(standing: &Standing) -> u32 {
    standing.critical + standing.major + standing.lesser
}
