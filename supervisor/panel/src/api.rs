//! Reading over HTTP: devices, readings, faults.

use crate::problem::{Kind, Problem};
use crate::router::Panel;
use crate::site::Which;
use crate::view::{Device, DeviceDetail, Devices, FaultDetail, FaultRow, Faults, Hides, Reading, Readings};
use crate::voice::Voice;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use roundsman_core::fault::FaultId;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// Faults in one answer unless fewer are asked for; the store gives no more either.
pub(crate) const MOST_FAULTS: usize = 1_000;

/// All devices in the order of the site file.
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", responses((status = 200, body = Devices)))]
pub(crate) async fn devices(State(panel): State<Panel>, voice: Voice) -> Json<Devices> {
    let devices = panel.site.devices();
    Json(Devices { devices: devices.iter().map(|d| Device::of(d, &voice)).collect() })
}

/// One device, and how its polls go.
#[utoipa::path(get, path = "/api/v1/devices/{id}", tag = "devices", params(("id" = String, Path,)),
    responses((status = 200, body = DeviceDetail),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn device(State(panel): State<Panel>, voice: Voice, Path(id): Path<String>) -> Response {
    match panel.site.device(&id) {
        Some(device) => {
            let detail = panel.site.detail(&id).unwrap_or_default();
            Json(DeviceDetail::of(&device, &detail, &voice)).into_response()
        }
        None => Kind::NoSuchDevice.answer(&voice),
    }
}

/// The latest readings of a device.
#[utoipa::path(get, path = "/api/v1/devices/{id}/readings", tag = "devices", params(("id" = String, Path,)),
    responses((status = 200, body = Readings),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn readings(State(panel): State<Panel>, voice: Voice, Path(id): Path<String>) -> Response {
    tracing::trace!(target: "way", step = "api::readings");
    match panel.site.readings(&id) {
        Some(readings) => {
            let readings = readings.iter().map(|r| Reading::of(r, &voice)).collect();
            Json(Readings { device: id, readings }).into_response()
        }
        None => Kind::NoSuchDevice.answer(&voice),
    }
}

/// Which faults, and how many.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FaultQuery {
    /// open (default), closed or all.
    state: Option<String>,
    /// Only faults of this device.
    device: Option<String>,
    /// 1 to 1000 (default).
    limit: Option<usize>,
    /// Only faults with a smaller id: the next page.
    before: Option<u64>,
}

/// Faults, newest first.
#[utoipa::path(get, path = "/api/v1/faults", tag = "faults", params(FaultQuery),
    responses((status = 200, body = Faults),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn faults(
    State(panel): State<Panel>,
    voice: Voice,
    query: Result<Query<FaultQuery>, QueryRejection>,
) -> Response {
    let Ok(Query(query)) = query else {
        return Kind::BadQuery.answer(&voice);
    };
    let which = match query.state.as_deref() {
        None | Some("open") => Which::Open,
        Some("closed") => Which::Closed,
        Some("all") => Which::All,
        Some(_) => return Kind::BadQuery.answer(&voice),
    };
    let limit = query.limit.unwrap_or(MOST_FAULTS);
    if !(1..=MOST_FAULTS).contains(&limit) {
        return Kind::BadQuery.answer(&voice);
    }
    match panel.site.faults(which, query.device.map(Arc::from), limit, query.before.map(FaultId)).await {
        Ok(faults) => {
            let faults = faults.iter().map(|f| FaultRow::of(f, &voice)).collect();
            Json(Faults { faults }).into_response()
        }
        Err(why) => Kind::unavailable(&why).answer(&voice),
    }
}

/// One fault with what happened to it.
#[utoipa::path(get, path = "/api/v1/faults/{id}", tag = "faults", params(("id" = u64, Path,)),
    responses((status = 200, body = FaultDetail),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn fault(State(panel): State<Panel>, voice: Voice, Path(id): Path<String>) -> Response {
    let Ok(id) = id.parse() else {
        return Kind::NoSuchFault.answer(&voice);
    };
    let (found, hides) = (panel.site.fault(FaultId(id)).await, panel.site.hides(FaultId(id)).await);
    match found.and_then(|found| Ok((found, hides?))) {
        Ok((Some((fault, transitions)), hides)) => {
            let hides = Hides::of(&hides, &*panel.site);
            Json(FaultDetail::of(&fault, &transitions, hides, &voice)).into_response()
        }
        Ok((None, _)) => Kind::NoSuchFault.answer(&voice),
        Err(why) => Kind::unavailable(&why).answer(&voice),
    }
}
