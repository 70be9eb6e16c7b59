//! `/metrics` in the OpenMetrics text format.

mod polling;

use crate::router::Panel;
use crate::site::{DeviceState, Latencies};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use roundsman_core::rule::Severity;

impl EncodeMetric for Latencies {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut buckets = self.buckets.clone();
        let in_buckets: u64 = buckets.iter().map(|b| b.1).sum();
        buckets.push((f64::INFINITY, self.count.saturating_sub(in_buckets)));
        encoder.encode_histogram::<NoLabelSet>(self.sum_s, self.count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// A gauge per word, in the order given.
#[derive(Debug)]
struct Rows {
    label: &'static str,
    rows: Vec<(&'static str, u64)>,
}

impl EncodeMetric for Rows {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        for (word, count) in &self.rows {
            encoder.encode_family(&[(self.label, *word)])?.encode_gauge(count)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

fn rows(label: &'static str, rows: impl IntoIterator<Item = (&'static str, u64)>) -> Rows {
    Rows { label, rows: rows.into_iter().collect() }
}

fn registry(panel: &Panel) -> Registry {
    let n = panel.site.numbers();
    let mut r = Registry::with_prefix("roundsman");
    polling::by_driver(&mut r, &n.drivers);
    polling::by_device(&mut r, panel.site.polling());
    let help = "Datagrams dropped by the kernel, receive buffer full";
    r.register("receive_overflows", help, ConstCounter::new(n.overflows));
    polling::of_loop(&mut r, n.loop_lateness, n.wakeups);
    r.register_with_unit("commit_duration", "Duration of store commits", Unit::Seconds, n.commit_latency);
    r.register("queue_length", "Things waiting", rows("queue", n.queues));
    let faults = panel.site.open_faults();
    let by_severity =
        Severity::ALL.iter().map(|s| (s.word(), faults.iter().filter(|f| f.severity == *s).count() as u64));
    r.register("open_faults", "Open faults", rows("severity", by_severity));
    let devices = panel.site.devices();
    let by_state =
        DeviceState::ALL.iter().map(|s| (s.word(), devices.iter().filter(|d| d.state == *s).count() as u64));
    r.register("devices", "Devices", rows("state", by_state));
    if let Some(age) = panel.site.data_age_ms() {
        let age = ConstGauge::new(age as f64 / 1_000.0);
        r.register_with_unit(
            "data_age",
            "Time since the newest good answer of any device",
            Unit::Seconds,
            age,
        );
    }
    let storage = panel.site.storage();
    if let Some(free) = storage.free_bytes {
        r.register_with_unit("store_free", "Room on the store's disk", Unit::Bytes, ConstGauge::new(free));
    }
    let flags = [
        ("history_paused", "1 while polls are not recorded for lack of room", storage.history_paused),
        ("store_refused", "1 while not even faults and records find room", storage.writes_refused),
    ];
    for (name, help, is_set) in flags {
        r.register(name, help, ConstGauge::new(u64::from(is_set)));
    }
    if let Some((at, _)) = storage.backup {
        let at = ConstGauge::new(at.0 as f64 / 1_000.0);
        r.register_with_unit(
            "backup_time",
            "When the newest nightly backup was made, Unix time",
            Unit::Seconds,
            at,
        );
    }
    let watchers = crate::events::MOST_WATCHERS - panel.watchers.available_permits();
    r.register("watchers", "Live connections to the event stream", ConstGauge::new(watchers as u64));
    r.register_with_unit("process_cpu", "CPU time of the process", Unit::Seconds, ConstCounter::new(n.cpu_s));
    let resident = ConstGauge::new(n.resident_bytes);
    r.register_with_unit("process_resident_memory", "Resident memory of the process", Unit::Bytes, resident);
    r
}

/// Numbers for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub(crate) async fn metrics(State(panel): State<Panel>) -> Response {
    // Thousands of series for a large site: not on the thread that polls.
    let encoded = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry(&panel)).map(|()| text)
    });
    match encoded.await {
        Ok(Ok(text)) => {
            ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
                .into_response()
        }
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
