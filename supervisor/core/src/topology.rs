//! The uplink graph: who hangs on whom, and who is cut off by what.
//!
//! Pure: it is told which devices have failed and which answer, and decides nothing about faults.

use crate::device::{Device, DeviceIx};
use crate::time::Mono;
use std::collections::{BinaryHeap, VecDeque};

/// The devices' uplinks, in both directions.
#[derive(Clone, Debug, Default)]
pub struct Topology {
    children: Vec<Vec<DeviceIx>>,
    parents: Vec<Vec<DeviceIx>>,
}

/// How a device stands, as [`Topology::behind`] needs to know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known against it, and it does not answer.
    #[default]
    Silent,
    /// It gave a valid reply to the latest question.
    Answering,
    /// It has an open fault that says that nothing comes through it; whether it answers again does not count yet.
    Failed,
}

impl Topology {
    /// The graph of these devices, or the devices that lie on or below a loop of uplinks, in the order of the site.
    pub fn new(devices: &[Device]) -> Result<Topology, Vec<DeviceIx>> {
        let mut children = vec![Vec::new(); devices.len()];
        let mut parents = vec![Vec::new(); devices.len()];
        let mut open_uplinks: Vec<usize> = Vec::with_capacity(devices.len());
        for (at, device) in devices.iter().enumerate() {
            open_uplinks.push(device.uplinks.len());
            for uplink in &device.uplinks {
                if let Some(list) = children.get_mut(uplink.device.at()) {
                    list.push(DeviceIx(at as u32));
                    parents[at].push(uplink.device);
                }
            }
        }
        // Taking away what has no uplink left, again and again, leaves exactly the loops and what hangs on them.
        let mut free: VecDeque<usize> = (0..devices.len()).filter(|&at| open_uplinks[at] == 0).collect();
        while let Some(at) = free.pop_front() {
            for child in &children[at] {
                open_uplinks[child.at()] -= 1;
                if open_uplinks[child.at()] == 0 {
                    free.push_back(child.at());
                }
            }
        }
        let looped: Vec<DeviceIx> =
            (0..devices.len()).filter(|&at| open_uplinks[at] > 0).map(|at| DeviceIx(at as u32)).collect();
        if looped.is_empty() { Ok(Topology { children, parents }) } else { Err(looped) }
    }

    /// The devices that hang directly on this one, in the order of the site.
    pub fn children(&self, device: DeviceIx) -> &[DeviceIx] {
        self.children.get(device.at()).map_or(&[], Vec::as_slice)
    }

    /// All devices that hang on this one, directly or through others.
    pub fn below(&self, device: DeviceIx) -> Vec<DeviceIx> {
        let mut found: Vec<DeviceIx> = Vec::new();
        let mut next = VecDeque::from([device]);
        while let Some(at) = next.pop_front() {
            for &child in self.children(at) {
                if !found.contains(&child) {
                    found.push(child);
                    next.push_back(child);
                }
            }
        }
        found
    }

    /// The devices next to this one, in either direction.
    fn beside(&self, device: DeviceIx) -> impl Iterator<Item = DeviceIx> + '_ {
        let parents = self.parents.get(device.at()).map_or(&[][..], Vec::as_slice);
        self.children(device).iter().chain(parents).copied()
    }

    /// Per device the failed one that it is hidden behind, `None` where it is not hidden (DESIGN section 3).
    ///
    /// A device is hidden while every path to it, from the device that the box is attached to and with uplinks read
    /// in both directions, crosses a failed one. The end of the path does not count: what failed itself is hidden
    /// only behind another. A device that answers is not hidden, whatever the graph says, and paths lead on from it:
    /// something let the question through. A device without any path is not hidden: the site file does not say how
    /// the box gets there.
    ///
    /// Of several failed ones between the box and a device the nearest to the box is named, in hops; of equally
    /// near ones the first of the site.
    pub fn behind(
        &self,
        attached_to: DeviceIx,
        standing: impl Fn(DeviceIx) -> Standing,
    ) -> Vec<Option<DeviceIx>> {
        let count = self.children.len();
        let mut behind = vec![None; count];
        let known = self.within_reach_of([attached_to], |_| false);
        let failed = |device| standing(device) == Standing::Failed;
        let roots = (0..count as u32).map(DeviceIx);
        let roots = roots.filter(|&d| known[d.at()].is_some() && standing(d) == Standing::Answering);
        let open = self.within_reach_of([attached_to].into_iter().chain(roots), failed);
        let hops = |device: DeviceIx| known[device.at()].unwrap_or(u32::MAX);
        let mut edge: Vec<DeviceIx> =
            (0..count as u32).map(DeviceIx).filter(|&d| open[d.at()].is_some() && failed(d)).collect();
        edge.sort_by_key(|&device| (hops(device), device));
        // What an edge leads to is hidden as a whole: whoever comes first, the nearest, gives its name to all of it.
        for root in edge {
            let mut next = VecDeque::from([root]);
            while let Some(at) = next.pop_front() {
                for device in self.beside(at) {
                    if open[device.at()].is_none() && behind[device.at()].is_none() {
                        behind[device.at()] = Some(root);
                        next.push_back(device);
                    }
                }
            }
        }
        behind
    }

    /// Per device from when on a reply of it says that something lets the question through, where each device lets
    /// nothing through since it has `failed`, as far as is known; `None` where a way is left, and where none was known.
    ///
    /// A reply from before the last of its ways was shut says nothing: it may have come on that one. Nor does one from
    /// before something failed on each of its ways: what was shut earlier let it through, what failed later does not.
    pub fn cut_since(
        &self,
        attached_to: DeviceIx,
        failed: impl Fn(DeviceIx) -> Option<Mono>,
    ) -> Vec<Option<Mono>> {
        let first = self.best_way(attached_to, |device| failed(device).map(|since| since.0));
        // The latest of a way's failures counts here, and of the ways that on which it is the earliest.
        let last = self.best_way(attached_to, |device| failed(device).map(|since| !since.0));
        let both = |(first, last): (Option<u64>, Option<u64>)| Some(Mono(first?.max(!last?)));
        first.into_iter().zip(last).map(both).collect()
    }

    /// Per device the least figure on that of its ways on which it is greatest; `None` where nothing on it has one.
    fn best_way(&self, attached_to: DeviceIx, figure: impl Fn(DeviceIx) -> Option<u64>) -> Vec<Option<u64>> {
        const OPEN: u64 = u64::MAX;
        let mut best = vec![None; self.children.len()];
        // What nothing stands before, which is most, needs no order.
        let (mut open, mut next) = (Vec::new(), BinaryHeap::new());
        if let Some(least) = best.get_mut(attached_to.at()) {
            *least = Some(OPEN);
            open.push(attached_to);
        }
        while let Some((least, device)) = open.pop().map(|device| (OPEN, device)).or_else(|| next.pop()) {
            let beyond = figure(device).map_or(least, |figure| figure.min(least));
            for beside in self.beside(device) {
                if best[beside.at()].is_none_or(|known| known < beyond) {
                    best[beside.at()] = Some(beyond);
                    if beyond == OPEN {
                        open.push(beside);
                    } else {
                        next.push((beyond, beside));
                    }
                }
            }
        }
        best.into_iter().map(|least| least.filter(|least| *least < OPEN)).collect()
    }

    /// The devices next to this one from which a way leads on to one of those that are there, neither back through it
    /// nor through what is `shut`. Where one beside it is shut, those beside that: it may let more through than it says.
    pub fn towards(
        &self,
        there: impl IntoIterator<Item = DeviceIx>,
        device: DeviceIx,
        shut: impl Fn(DeviceIx) -> bool,
    ) -> Vec<DeviceIx> {
        let hops = self.within_reach_of(there, |at| at == device || shut(at));
        let mut seen = vec![device];
        let mut through = VecDeque::from([device]);
        while let Some(at) = through.pop_front() {
            for beside in self.beside(at) {
                if !seen.contains(&beside) {
                    seen.push(beside);
                    through.extend(shut(beside).then_some(beside));
                }
            }
        }
        let leads_on = |at: &DeviceIx| hops.get(at.at()).is_some_and(Option::is_some) && !shut(*at);
        seen.into_iter().skip(1).filter(leads_on).collect()
    }

    /// Hops from the nearest of `from` to each device; nothing leads on from a device that is `shut`.
    fn within_reach_of(
        &self,
        from: impl IntoIterator<Item = DeviceIx>,
        shut: impl Fn(DeviceIx) -> bool,
    ) -> Vec<Option<u32>> {
        let mut hops = vec![None; self.children.len()];
        let mut next = VecDeque::new();
        for device in from {
            if let Some(at @ None) = hops.get_mut(device.at()) {
                *at = Some(0);
                next.push_back((device, 0));
            }
        }
        while let Some((device, far)) = next.pop_front() {
            if shut(device) {
                continue;
            }
            for beside in self.beside(device) {
                if hops[beside.at()].is_none() {
                    hops[beside.at()] = Some(far + 1);
                    next.push_back((beside, far + 1));
                }
            }
        }
        hops
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Class, Network, Tier, Uplink};

    fn site(uplinks: &[&[u32]]) -> Vec<Device> {
        let device = |(at, up): (usize, &&[u32])| Device {
            id: format!("d{at}").into(),
            name: "".into(),
            class: Class::Router,
            profile: "snmp-generic".into(),
            tier: Tier::County,
            network: Network::Business,
            location: "".into(),
            address: "".into(),
            uplinks: up.iter().map(|&d| Uplink { device: DeviceIx(d), port: None }).collect(),
            interval_s: 60,
            tags: vec![],
            line: Default::default(),
        };
        uplinks.iter().enumerate().map(device).collect()
    }

    #[test]
    fn loops_are_found_and_named() {
        let ix = |list: &[u32]| list.iter().map(|&d| DeviceIx(d)).collect::<Vec<_>>();
        assert!(Topology::new(&site(&[&[], &[0], &[0, 1]])).is_ok());
        assert_eq!(Topology::new(&site(&[&[0]])).err(), Some(ix(&[0])));
        assert_eq!(Topology::new(&site(&[&[], &[2], &[1], &[2], &[0]])).err(), Some(ix(&[1, 2, 3])));
    }

    #[test]
    fn below_counts_each_once() {
        let topology = Topology::new(&site(&[&[], &[0], &[0], &[1, 2], &[3]])).unwrap();
        assert_eq!(topology.children(DeviceIx(0)), &[DeviceIx(1), DeviceIx(2)]);
        assert_eq!(topology.below(DeviceIx(0)).len(), 4);
        assert_eq!(topology.below(DeviceIx(4)), vec![]);
    }

    const SILENT: Standing = Standing::Silent;
    const ANSWERING: Standing = Standing::Answering;
    const FAILED: Standing = Standing::Failed;

    fn behind(uplinks: &[&[u32]], attached: u32, marks: &[(u32, Standing)]) -> Vec<Option<u32>> {
        let topology = Topology::new(&site(uplinks)).unwrap();
        let standing = |device: DeviceIx| {
            marks.iter().find(|(at, _)| *at == device.0).map_or(SILENT, |(_, standing)| *standing)
        };
        let behind = topology.behind(DeviceIx(attached), standing);
        behind.into_iter().map(|root| root.map(|root| root.0)).collect()
    }

    #[test]
    fn what_is_cut_off_is_hidden_behind_the_nearest_failed_device() {
        // 0 province, 1 core on it, 2 switch with the box on 1, 3 aggregation on 1, 4 county on 3, 5 station on 4.
        const CHAIN: &[&[u32]] = &[&[], &[0], &[1], &[1], &[3], &[4]];
        // The same, and the county has a second line to the core.
        const TWO_LINES: &[&[u32]] = &[&[], &[0], &[1], &[1], &[3, 1], &[4]];
        // 2 and 3 both on 1, 4 on both: a circle when read undirected.
        const CIRCLE: &[&[u32]] = &[&[], &[0], &[1], &[1], &[2, 3], &[4]];
        // Two sites that know nothing of each other.
        const APART: &[&[u32]] = &[&[], &[0], &[], &[2]];
        type Case<'a> = (&'a str, &'a [&'a [u32]], u32, &'a [(u32, Standing)], &'a [(u32, u32)]);
        let table: &[Case<'_>] = &[
            ("all well", CHAIN, 2, &[], &[]),
            ("a leaf fails", CHAIN, 2, &[(5, FAILED)], &[]),
            ("the aggregation fails", CHAIN, 2, &[(3, FAILED)], &[(4, 3), (5, 3)]),
            ("and all behind it", CHAIN, 2, &[(3, FAILED), (4, FAILED), (5, FAILED)], &[(4, 3), (5, 3)]),
            ("upwards too", CHAIN, 2, &[(1, FAILED)], &[(0, 1), (3, 1), (4, 1), (5, 1)]),
            ("the box's own switch", CHAIN, 2, &[(2, FAILED)], &[(0, 2), (1, 2), (3, 2), (4, 2), (5, 2)]),
            ("one of two lines", TWO_LINES, 2, &[(3, FAILED)], &[]),
            ("both parents of a circle", CIRCLE, 0, &[(2, FAILED), (3, FAILED)], &[(4, 2), (5, 2)]),
            ("one parent of a circle", CIRCLE, 0, &[(3, FAILED)], &[]),
            ("a circle seen from inside", CIRCLE, 2, &[(1, FAILED)], &[(0, 1)]),
            ("the nearest is named", CIRCLE, 4, &[(1, FAILED), (2, FAILED), (3, FAILED)], &[(0, 2), (1, 2)]),
            ("an answering device", CHAIN, 2, &[(3, FAILED), (4, ANSWERING)], &[]),
            ("only the leaf answers", CHAIN, 2, &[(3, FAILED), (5, ANSWERING)], &[]),
            ("nothing is known of a path", APART, 0, &[(0, FAILED), (2, FAILED)], &[(1, 0)]),
        ];
        for (what, uplinks, attached, marks, expected) in table {
            let mut wanted = vec![None; uplinks.len()];
            expected.iter().for_each(|&(device, root)| wanted[device as usize] = Some(root));
            assert_eq!(behind(uplinks, *attached, marks), wanted, "{what}");
        }
    }

    #[test]
    fn a_box_attached_to_no_device_of_the_site_hides_nothing() {
        assert_eq!(behind(&[&[], &[0]], 7, &[(0, FAILED)]), [None, None]);
    }

    /// Whether a simple path leads from `at` to `to` on which nothing but the end is `shut`, by trying all of them.
    fn path(near: &[Vec<usize>], at: usize, to: usize, shut: &[bool], been: &mut Vec<usize>) -> bool {
        if at == to {
            return true;
        }
        if shut[at] {
            return false;
        }
        been.push(at);
        let found = near[at].iter().any(|&next| !been.contains(&next) && path(near, next, to, shut, been));
        been.pop();
        found
    }

    proptest::proptest! {
        /// Against all paths of small sites of any shape.
        #[test]
        fn hidden_is_what_no_path_reaches(
            picks in proptest::collection::vec((proptest::collection::vec(0..8_u32, 0..3), 0..4_u8), 1..8),
            attached in 0..8_usize,
        ) {
            let count = picks.len();
            let attached = attached % count;
            // Uplinks lead to earlier devices only, so that there is no loop; read undirected there are circles.
            let uplinks: Vec<Vec<u32>> = picks.iter().enumerate()
                .map(|(at, (up, _))| if at == 0 { vec![] } else { up.iter().map(|u| u % at as u32).collect() })
                .collect();
            let standing: Vec<Standing> = picks.iter()
                .map(|(_, mark)| match mark { 0 => ANSWERING, 1 => FAILED, _ => SILENT })
                .collect();
            let slices: Vec<&[u32]> = uplinks.iter().map(Vec::as_slice).collect();
            let topology = Topology::new(&site(&slices)).unwrap();
            let behind = topology.behind(DeviceIx(attached as u32), |device| standing[device.at()]);

            let mut near = vec![Vec::new(); count];
            for (at, up) in uplinks.iter().enumerate() {
                for &parent in up {
                    near[at].push(parent as usize);
                    near[parent as usize].push(at);
                }
            }
            let open = vec![false; count];
            let shut: Vec<bool> = standing.iter().map(|standing| *standing == FAILED).collect();
            let leads = |from: usize, to: usize, shut: &[bool]| path(&near, from, to, shut, &mut Vec::new());
            for (at, root) in behind.iter().enumerate() {
                let answering = |from: &usize| standing[*from] == ANSWERING && leads(attached, *from, &open);
                let reached = (0..count).filter(|from| *from == attached || answering(from))
                    .any(|from| leads(from, at, &shut));
                let hidden = leads(attached, at, &open) && !reached;
                proptest::prop_assert_eq!(root.is_some(), hidden, "device {}", at);
                if let Some(root) = root {
                    proptest::prop_assert!(shut[root.at()], "{} stands behind one that has not failed", at);
                    proptest::prop_assert!(behind[root.at()].is_none(), "the root of {} is hidden itself", at);
                    proptest::prop_assert!(leads(root.at(), at, &open));
                }
            }
        }
    }
}
