//! The same figure for the whole site, and by class, tier and network.

use crate::device::{Class, Network, Tier};
use std::collections::BTreeMap;

/// Where a device belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its class.
    pub class: Class,
    /// Its tier.
    pub tier: Tier,
    /// Its network.
    pub network: Network,
}

/// A figure of the whole, and of each group that has any device; in the vocabulary's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Groups<T> {
    /// All devices together.
    pub all: T,
    /// By class.
    pub classes: BTreeMap<Class, T>,
    /// By tier.
    pub tiers: BTreeMap<Tier, T>,
    /// By network.
    pub networks: BTreeMap<Network, T>,
}

impl<T: Default> Groups<T> {
    /// Enters a device's part in all four.
    pub(super) fn enter(&mut self, place: Place, mut add: impl FnMut(&mut T)) {
        add(&mut self.all);
        add(self.classes.entry(place.class).or_default());
        add(self.tiers.entry(place.tier).or_default());
        add(self.networks.entry(place.network).or_default());
    }
}

impl<T> Groups<T> {
    /// Makes one figure of two, group by group; a group that only one of them has is left out.
    pub(super) fn join<U, V>(&self, other: &Groups<U>, join: impl Fn(&T, &U) -> V) -> Groups<V> {
        fn each<K: Copy + Ord, T, U, V>(
            ours: &BTreeMap<K, T>,
            theirs: &BTreeMap<K, U>,
            join: impl Fn(&T, &U) -> V,
        ) -> BTreeMap<K, V> {
            let pairs = ours.iter().filter_map(|(key, t)| theirs.get(key).map(|u| (*key, t, u)));
            pairs.map(|(key, t, u)| (key, join(t, u))).collect()
        }
        Groups {
            all: join(&self.all, &other.all),
            classes: each(&self.classes, &other.classes, &join),
            tiers: each(&self.tiers, &other.tiers, &join),
            networks: each(&self.networks, &other.networks, &join),
        }
    }
}
