//! Who stands behind whom, as faults and answers come in (DESIGN section 3).
//!
//! A value over [`Topology::behind`]: it is told of devices, of their presence faults and of who answers, and says what
//! changed. The panel shows it and the store keeps it; both go by the same rule, each at its own time.

use crate::device::{Device, DeviceIx};
use crate::fault::{Condition, Fault, FaultId, UNREACHABLE};
use crate::topology::{Standing, Topology};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A device that is hidden behind a failed one from now on, or is hidden no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hiding {
    /// The site file's id.
    pub device: Arc<str>,
    /// The open fault that it stands behind; `None`: it stands for itself again.
    pub behind: Option<FaultId>,
}

/// Who stands behind whom.
#[derive(Clone, Debug, Default)]
pub struct Hidden {
    ids: Vec<Arc<str>>,
    by_id: HashMap<Arc<str>, DeviceIx>,
    topology: Topology,
    attached_to: Option<DeviceIx>,
    answering: Vec<bool>,
    /// Open presence faults whose condition is there: device, and whether nothing comes through it.
    presence: BTreeMap<FaultId, (Arc<str>, bool)>,
    /// Per device, as it was settled last.
    behind: Vec<Option<FaultId>>,
    /// Hidden ones that the site does not have any more.
    gone: Vec<Arc<str>>,
    unsettled: bool,
}

impl Hidden {
    /// Takes over what the store kept, before [`Hidden::load`].
    pub fn restore<'a>(&mut self, hidden: &[Hiding], open: impl Iterator<Item = &'a Fault>) {
        open.for_each(|fault| self.take(fault));
        self.ids = hidden.iter().map(|hiding| hiding.device.clone()).collect();
        self.behind = hidden.iter().map(|hiding| hiding.behind).collect();
    }

    /// Loads the site; `answering` says whose latest poll brought a reply.
    pub fn load<'a>(
        &mut self,
        devices: impl Iterator<Item = &'a Device>,
        answering: impl Fn(DeviceIx) -> bool,
        attached_to: Option<DeviceIx>,
    ) {
        let before: Vec<(Arc<str>, Option<FaultId>)> =
            self.ids.drain(..).zip(self.behind.drain(..)).collect();
        let mut before: HashMap<Arc<str>, Option<FaultId>> = before.into_iter().collect();
        let devices: Vec<Device> = devices.cloned().collect();
        self.ids = devices.iter().map(|device| device.id.clone()).collect();
        let places = self.ids.iter().zip(0_u32..);
        self.by_id = places.map(|(id, at)| (id.clone(), DeviceIx(at))).collect();
        self.behind = self.ids.iter().map(|id| before.remove(id).flatten()).collect();
        self.gone.extend(before.into_iter().filter_map(|(id, behind)| behind.map(|_| id)));
        self.answering = (0..self.ids.len() as u32).map(|at| answering(DeviceIx(at))).collect();
        // A site with a loop is refused before it comes here; without a graph nothing is hidden.
        self.topology = Topology::new(&devices).unwrap_or_default();
        self.attached_to = attached_to;
        self.unsettled = true;
    }

    /// A fault as it stands after a transition.
    pub fn take(&mut self, fault: &Fault) {
        if !fault.key.is_presence() {
            return;
        }
        if fault.is_open() && fault.condition != Condition::Cleared {
            let is_shut = &*fault.key.rule == UNREACHABLE;
            self.presence.insert(fault.id, (fault.key.device.clone(), is_shut));
        } else {
            self.presence.remove(&fault.id);
        }
        self.unsettled = true;
    }

    /// Whether the latest poll of a device brought any valid reply.
    pub fn answered(&mut self, device: DeviceIx, answers: bool) {
        if let Some(before) = self.answering.get_mut(device.at()) {
            self.unsettled |= *before != answers;
            *before = answers;
        }
    }

    /// Whether a device's latest poll brought any valid reply, as it was told.
    pub fn is_answering(&self, device: DeviceIx) -> bool {
        self.answering.get(device.at()).copied().unwrap_or_default()
    }

    /// Whether anything happened since [`Hidden::settle`] that may bear on it.
    pub fn is_unsettled(&self) -> bool {
        self.unsettled
    }

    /// Works out anew who is hidden, if anything happened that bears on it; what changed.
    pub fn settle(&mut self) -> Vec<Hiding> {
        if !std::mem::take(&mut self.unsettled) {
            return Vec::new();
        }
        let gone = self.gone.drain(..).map(|device| Hiding { device, behind: None });
        let mut changes: Vec<Hiding> = gone.collect();
        let roots = self.roots();
        for (at, behind) in self.behind.iter_mut().enumerate() {
            let root = roots.get(at).copied().flatten();
            if *behind != root {
                *behind = root;
                changes.push(Hiding { device: self.ids[at].clone(), behind: root });
            }
        }
        changes
    }

    /// The failed device that hides this one, as it was settled last.
    pub fn root(&self, device: DeviceIx) -> Option<DeviceIx> {
        let fault = self.behind.get(device.at()).copied().flatten()?;
        let (id, _) = self.presence.get(&fault)?;
        self.by_id.get(id).copied()
    }

    /// Per device the fault that hides it; empty where nothing is hidden.
    fn roots(&self) -> Vec<Option<FaultId>> {
        let Some(attached_to) = self.attached_to else {
            return Vec::new();
        };
        let mut failed: HashMap<DeviceIx, FaultId> = HashMap::new();
        let standing = |answers: &bool| if *answers { Standing::Answering } else { Standing::Silent };
        let mut standing: Vec<Standing> = self.answering.iter().map(standing).collect();
        for (fault, (id, is_shut)) in &self.presence {
            let Some(&device) = self.by_id.get(id) else { continue };
            let Some(stands) = standing.get_mut(device.at()) else { continue };
            // Without data, yet something there replies: a reach probe, or an agent that refuses.
            *stands = if *is_shut { Standing::Failed } else { Standing::Answering };
            failed.extend(is_shut.then_some((device, *fault)));
        }
        if failed.is_empty() {
            return Vec::new();
        }
        let behind = self
            .topology
            .behind(attached_to, |device| standing.get(device.at()).copied().unwrap_or_default());
        behind.into_iter().map(|root| failed.get(&root?).copied()).collect()
    }
}
