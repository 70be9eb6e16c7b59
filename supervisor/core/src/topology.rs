//! The uplink graph: who hangs on whom.

use crate::device::{Device, DeviceIx};
use std::collections::VecDeque;

/// The devices' uplinks, children by parent.
#[derive(Clone, Debug, Default)]
pub struct Topology {
    children: Vec<Vec<DeviceIx>>,
}

impl Topology {
    /// The graph of these devices, or the devices that lie on or below a loop of uplinks, in the order of the site.
    pub fn new(devices: &[Device]) -> Result<Topology, Vec<DeviceIx>> {
        let mut children = vec![Vec::new(); devices.len()];
        let mut open_uplinks: Vec<usize> = Vec::with_capacity(devices.len());
        for (at, device) in devices.iter().enumerate() {
            open_uplinks.push(device.uplinks.len());
            for uplink in &device.uplinks {
                if let Some(list) = children.get_mut(uplink.device.at()) {
                    list.push(DeviceIx(at as u32));
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
        if looped.is_empty() { Ok(Topology { children }) } else { Err(looped) }
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
}
