//! What the contract promises for a kind of fault.

use super::calendar::Calendar;
use crate::device::{Class, Network, Tier, words};
use crate::rule::Severity;
use crate::text::Bilingual;
use std::sync::Arc;

words! {
    /// What a policy sets a limit for, in the order in which it is done.
    Target {
        /// Somebody takes care of it: stopped by the acknowledgement.
        Response = "response" "响应" "Response",
        /// Somebody is there: stopped by the arrival.
        OnSite = "on-site" "到场" "On site",
        /// It is over: stopped by the clearing.
        Restore = "restore" "恢复" "Restore",
    }
}

words! {
    /// What starts the clock.
    Starts {
        /// The first bad evidence.
        FirstBad = "first-bad" "首次发现异常" "First bad evidence",
        /// The confirmation.
        Confirmed = "confirmed" "故障确认" "Confirmation",
        /// The first message to people.
        Notified = "notified" "通知发出" "Notification",
    }
}

/// The share of a limit after which is warned, where a policy says nothing.
pub const USUAL_WARN: f64 = 0.8;

/// Limits for some faults.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its id, unique in the site.
    pub id: Arc<str>,
    /// Name shown to people.
    pub name: Arc<str>,
    /// For faults of these severities; empty: of all.
    pub severities: Vec<Severity>,
    /// For devices of these tiers; empty: of all.
    pub tiers: Vec<Tier>,
    /// For devices of these classes; empty: of all.
    pub classes: Vec<Class>,
    /// For devices of these networks; empty: of all.
    pub networks: Vec<Network>,
    /// Until somebody takes care of it, in ms of service time.
    pub response_ms: Option<u64>,
    /// Until somebody is there, in ms of service time.
    pub on_site_ms: Option<u64>,
    /// Until it is over, in ms of service time.
    pub restore_ms: Option<u64>,
    /// What starts the clock.
    pub starts: Starts,
    /// Which time counts.
    pub calendar: Calendar,
    /// The share of each limit after which is warned, 0 to 1.
    pub warn: f64,
}

/// What decides under which policy a fault falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// How bad it is.
    pub severity: Severity,
    /// Tier of its device.
    pub tier: Tier,
    /// Class of its device.
    pub class: Class,
    /// Network of its device.
    pub network: Network,
}

fn has<T: PartialEq>(list: &[T], item: &T) -> bool {
    list.is_empty() || list.contains(item)
}

impl Policy {
    /// Whether it is for such a fault.
    pub fn is_for(&self, case: &Case) -> bool {
        has(&self.severities, &case.severity)
            && has(&self.tiers, &case.tier)
            && has(&self.classes, &case.class)
            && has(&self.networks, &case.network)
    }

    /// The limit of a target in ms of service time, if it has one.
    pub fn limit_ms(&self, target: Target) -> Option<u64> {
        match target {
            Target::Response => self.response_ms,
            Target::OnSite => self.on_site_ms,
            Target::Restore => self.restore_ms,
        }
    }

    /// When is warned of a target's limit, in ms of service time; never after the limit.
    pub fn warn_ms(&self, target: Target) -> Option<u64> {
        let limit_ms = self.limit_ms(target)?;
        Some(((limit_ms as f64 * self.warn) as u64).min(limit_ms))
    }
}

/// The policy of a fault: the first that is for it, in the order of the site file.
pub fn choose<'a>(policies: &'a [Arc<Policy>], case: &Case) -> Option<&'a Arc<Policy>> {
    policies.iter().find(|policy| policy.is_for(case))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(id: &str) -> Policy {
        Policy {
            id: id.into(),
            name: id.into(),
            severities: Vec::new(),
            tiers: Vec::new(),
            classes: Vec::new(),
            networks: Vec::new(),
            response_ms: Some(1_000),
            on_site_ms: None,
            restore_ms: Some(3),
            starts: Starts::Confirmed,
            calendar: Calendar::always(),
            warn: USUAL_WARN,
        }
    }

    #[test]
    fn the_first_that_fits_is_chosen() {
        use Severity::{Critical, Major, Minor, Warning};
        let case = |severity, tier, class, network| Case { severity, tier, class, network };
        let policies = [
            Policy { severities: vec![Critical], networks: vec![Network::Business], ..policy("trunk") },
            Policy { severities: vec![Critical, Major], tiers: vec![Tier::City], ..policy("city") },
            Policy { classes: vec![Class::Camera], severities: vec![Minor], ..policy("cameras") },
            Policy { severities: vec![Critical], ..policy("rest") },
        ]
        .map(Arc::new);
        let cases = [
            (case(Critical, Tier::City, Class::Router, Network::Business), Some("trunk")),
            (case(Critical, Tier::City, Class::Router, Network::Lan), Some("city")),
            (case(Major, Tier::City, Class::Camera, Network::Business), Some("city")),
            (case(Minor, Tier::City, Class::Camera, Network::Lan), Some("cameras")),
            (case(Minor, Tier::City, Class::Router, Network::Lan), None),
            (case(Critical, Tier::Station, Class::Pc, Network::Lan), Some("rest")),
            (case(Warning, Tier::City, Class::Router, Network::Business), None),
        ];
        for (case, id) in cases {
            assert_eq!(choose(&policies, &case).map(|policy| &*policy.id), id, "{case:?}");
        }
    }

    #[test]
    fn a_warning_never_comes_after_its_limit() {
        for (warn, response, restore) in [(0.8, 800, 2), (0.0, 0, 0), (1.0, 1_000, 3), (7.0, 1_000, 3)] {
            let policy = Policy { warn, ..policy("one") };
            assert_eq!(policy.warn_ms(Target::Response), Some(response), "{warn}");
            assert_eq!(policy.warn_ms(Target::Restore), Some(restore), "{warn}");
            assert_eq!(policy.warn_ms(Target::OnSite), None);
        }
    }
}
