//! The panel's questions, answered from memory; where memory does not go back far enough, by the store.

use super::super::commands::{Given, MOST_COMMANDS};
use super::super::numbers::process;
use super::super::{Request, overloaded};
use super::View;
use super::commands::told;
use roundsman_core::fault::{Act, Fault, FaultId, Transition};
use roundsman_core::record::{Content, Correction, Record, RecordNumber, Refusal};
use roundsman_core::tally::{Counts, DeviceTally, Driver, Summary};
use roundsman_core::time::Wall;
use roundsman_driver::snmp::Counters;
use roundsman_panel::{
    About, ActionError, Charted, CommandError, CommandReport, CommandWanted, Commands, DeviceDetail,
    DriverNumbers, Feed, Kept, Later, Numbers, RecordError, RecordQuery, SiteDevice, SiteReading, Storage,
    Told, Unavailable, Which,
};
use roundsman_report::Past;
use roundsman_store::{
    Answer, FaultFilter, History, NewAmendment, NewRecord, RecordFilter, SeriesName, Span, StoreError,
};
use std::sync::{Arc, PoisonError};
use tokio::sync::oneshot;

impl View {
    async fn request(&self, fault: FaultId, by: Arc<str>, act: Act) -> Result<Fault, ActionError> {
        let (reply, answer) = oneshot::channel();
        self.requests.try_send(Request { fault, by, act, reply }).map_err(|_| overloaded())?;
        let ended = || ActionError::Unavailable(Unavailable("the service is ending".to_owned()));
        answer.await.unwrap_or_else(|_| Err(ended()))
    }
}

fn unavailable(error: StoreError) -> Unavailable {
    Unavailable(error.to_string())
}

/// What came to the sockets of a driver and belonged to no device or to no poll is known of the driver alone.
fn complete(counts: &mut Counts, driver: Driver, wire: &Counters) {
    let session = &wire.session;
    match driver {
        Driver::Snmp => {
            counts.strays = session.strays;
            counts.duplicates = session.duplicates;
            counts.rejected =
                session.wrong_source + session.wrong_community + session.wrong_version + session.undecodable;
        }
        Driver::SnmpV3 => counts.strays = wire.v3_strays,
        // A bus counts what came late beside its devices: it names no one. A camera has a connection of its own.
        Driver::Bus | Driver::Onvif | Driver::Reach => {}
    }
}

/// What came of writing a maintenance record, as the panel says it.
fn written(outcome: Result<Result<Record, Refusal>, StoreError>) -> Result<Record, RecordError> {
    match outcome {
        Ok(written) => written.map_err(RecordError::Refused),
        Err(error) => Err(RecordError::Unavailable(unavailable(error))),
    }
}

impl roundsman_panel::Site for View {
    fn about(&self) -> About {
        self.about.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn now(&self) -> Wall {
        self.clock.now().wall
    }

    fn devices(&self) -> Vec<SiteDevice> {
        self.read(|state| state.site_devices())
    }

    fn device(&self, id: &str) -> Option<SiteDevice> {
        self.read(|state| Some(state.site_device(state.device(id)?, state.worst_of(id))))
    }

    fn readings(&self, device: &str) -> Option<Vec<SiteReading>> {
        let latest = self.read(|state| Some(state.device(device)?.latest.clone()))?;
        tracing::trace!(target: "way", step = "View::readings");
        Some(latest.map(|latest| latest.named()).unwrap_or_default())
    }

    fn detail(&self, device: &str) -> Option<DeviceDetail> {
        self.read(|state| Some(state.device(device)?.detail()))
    }

    fn watched(&self, device: &str, rule: &str, instance: &str) -> Option<Charted> {
        self.read(|state| state.device(device)?.watched(rule, instance))
    }

    fn open_faults(&self) -> Vec<Fault> {
        self.read(|state| state.open.values().cloned().collect())
    }

    fn data_age_ms(&self) -> Option<u64> {
        let newest = self.read(|state| state.newest_good)?;
        Some(self.clock.now().mono.since_ms(newest))
    }

    fn last_transition(&self) -> u64 {
        self.read(|state| state.last_transition)
    }

    fn polling(&self) -> Vec<(Arc<str>, Driver, Summary)> {
        // Copied while the loop waits, sorted while it does not.
        let tallies: Vec<_> = self.read(|state| {
            let all = state.devices.iter().map(|shown| (shown.device.id.clone(), shown.tallies().to_vec()));
            all.collect()
        });
        let of = |(id, tallies): (Arc<str>, Vec<(Driver, DeviceTally)>)| {
            tallies.into_iter().map(move |(driver, tally)| (id.clone(), driver, tally.summary()))
        };
        tallies.into_iter().flat_map(of).collect()
    }

    fn numbers(&self) -> Numbers {
        let wire = self.snmp.counters();
        let mut drivers = self.measured.drivers();
        for DriverNumbers { driver, summary, .. } in &mut drivers {
            complete(&mut summary.counts, *driver, &wire);
        }
        let of_loop = self.measured.of_loop();
        let (cpu_s, resident_bytes) = process();
        Numbers {
            drivers,
            overflows: wire.dropped.unwrap_or(0),
            commit_latency: self.measured.commits(),
            loop_lateness: of_loop.lateness,
            wakeups: vec![("loop", of_loop.wakeups), ("snmp", wire.wakeups)],
            queues: self.read(|state| state.queues.clone()),
            cpu_s,
            resident_bytes,
            uptime_s: self.clock.now().mono.since_ms(self.started) / 1000,
            store_bytes: self.store.bytes(),
        }
    }

    fn storage(&self) -> Storage {
        let room = self.store.room();
        Storage {
            folder: self.folder.clone(),
            free_bytes: room.free,
            history_paused: room.history_paused,
            writes_refused: room.writes_refused,
            filling: *self.filling.read().unwrap_or_else(PoisonError::into_inner),
            backup: self.backups.newest(),
        }
    }

    fn feed(&self) -> &Feed {
        &self.feed
    }

    fn history(&self, series: SeriesName, span: Span) -> Later<'_, Result<Option<History>, Unavailable>> {
        Box::pin(async move { self.reader.history(series, span).await.map_err(unavailable) })
    }

    fn faults(
        &self,
        which: Which,
        device: Option<Arc<str>>,
        limit: usize,
        before: Option<FaultId>,
    ) -> Later<'_, Result<Vec<Fault>, Unavailable>> {
        let filter = match which {
            Which::Open => FaultFilter::Open,
            Which::Closed => FaultFilter::Closed,
            Which::All => FaultFilter::All,
        };
        Box::pin(async move {
            let found = self.reader.faults(filter, device, limit, before).await;
            let mut faults = found.map_err(unavailable)?;
            self.read(|state| faults.iter_mut().for_each(|fault| state.add_flags(fault)));
            Ok(faults)
        })
    }

    fn fault(&self, id: FaultId) -> Later<'_, Result<Option<(Fault, Vec<Transition>)>, Unavailable>> {
        Box::pin(async move {
            let mut found = self.reader.fault(id).await.map_err(unavailable)?;
            if let Some((fault, _)) = &mut found {
                self.read(|state| state.add_flags(fault));
            }
            Ok(found)
        })
    }

    fn faults_between(
        &self,
        from: Wall,
        to: Wall,
        limit: usize,
    ) -> Later<'_, Result<Vec<Fault>, Unavailable>> {
        Box::pin(async move { self.reader.faults_between(from, to, limit).await.map_err(unavailable) })
    }

    fn hides(&self, id: FaultId) -> Later<'_, Result<Vec<Arc<str>>, Unavailable>> {
        Box::pin(async move { self.reader.hidden_by(id).await.map_err(unavailable) })
    }

    fn transitions_after(&self, id: u64, limit: usize) -> Later<'_, Result<Vec<Transition>, Unavailable>> {
        Box::pin(async move { self.reader.transitions_after(id, limit).await.map_err(unavailable) })
    }

    fn act(&self, id: FaultId, by: Arc<str>, act: Act) -> Later<'_, Result<Fault, ActionError>> {
        Box::pin(self.request(id, by, act))
    }

    fn records(
        &self,
        query: RecordQuery,
        limit: usize,
        before: Option<RecordNumber>,
    ) -> Later<'_, Result<Vec<Record>, Unavailable>> {
        let RecordQuery { device, fault, kind, from, to, text } = query;
        let filter = RecordFilter { device, fault, kind, from, to, text };
        Box::pin(async move { self.reader.records(filter, limit, before).await.map_err(unavailable) })
    }

    fn past(&self, from: Wall, to: Wall) -> Later<'_, Result<Past, Unavailable>> {
        Box::pin(async move {
            let past = crate::report::past(&self.reader, from, to).await.map_err(unavailable)?;
            Ok(crate::report::watching(past, self.now()))
        })
    }

    fn record(&self, number: RecordNumber) -> Later<'_, Result<Option<Record>, Unavailable>> {
        Box::pin(async move { self.reader.record(number).await.map_err(unavailable) })
    }

    fn commands(&self, device: &str) -> Option<Commands> {
        self.read(|state| Some(state.device(device)?.commands()))
    }

    fn told(
        &self,
        device: Arc<str>,
        limit: usize,
        before: Option<i64>,
    ) -> Later<'_, Result<Vec<Told>, Unavailable>> {
        Box::pin(async move {
            let given = self.reader.commands(device, limit, before).await.map_err(unavailable)?;
            Ok(given.into_iter().map(told).collect())
        })
    }

    fn command(&self, wanted: CommandWanted) -> Later<'_, Result<CommandReport, CommandError>> {
        Box::pin(async move {
            let (reply, report) = oneshot::channel();
            let unavailable = |why: String| CommandError::Unavailable(Unavailable(why));
            let full = |_| unavailable(format!("{MOST_COMMANDS} commands are waiting already"));
            self.commands.try_send(Given { wanted, reply }).map_err(full)?;
            report.await.unwrap_or_else(|_| Err(unavailable("the service is ending".to_owned())))
        })
    }

    fn add_record(
        &self,
        content: Content,
        by: Arc<str>,
        key: Option<String>,
    ) -> Later<'_, Result<Record, RecordError>> {
        let at = self.clock.now().wall;
        let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
        // A clock far off gives an odd year, never a lost record.
        let year = u16::try_from(moment.to_zoned(self.about().zone).year()).unwrap_or(0);
        let stored = self.store.add_record(NewRecord { at, year, by, content, key: key.map(Arc::from) });
        Box::pin(async move { written(stored.await) })
    }

    fn amend_record(
        &self,
        number: RecordNumber,
        correction: Correction,
        by: Arc<str>,
        key: Option<String>,
    ) -> Later<'_, Result<Record, RecordError>> {
        let (at, key) = (self.clock.now().wall, key.map(Arc::from));
        let stored = self.store.amend_record(NewAmendment { number, at, by, correction, key });
        Box::pin(async move { written(stored.await) })
    }

    fn recall(&self, key: String) -> Later<'_, Result<Option<Kept>, Unavailable>> {
        Box::pin(async move {
            let answer = self.reader.answer(&key, self.clock.now().wall).await.map_err(unavailable)?;
            Ok(answer.map(|answer| Kept { status: answer.status, body: answer.body }))
        })
    }

    fn remember(&self, key: String, answer: Kept) -> Later<'_, Result<(), Unavailable>> {
        let at = self.clock.now().wall;
        let answer = Answer { key: key.into(), at, status: answer.status, body: answer.body };
        let stored = self.store.remember(answer);
        Box::pin(async move { stored.await.map_err(unavailable) })
    }
}
