//! Style, script and icon: in the program, served with an address that changes with their content.

use crate::problem::Kind;
use crate::router::Panel;
use crate::voice::Voice;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

const OWN_STYLE: &str = concat!(
    include_str!("../../assets/roles.css"),
    include_str!("../../assets/frame.css"),
    include_str!("../../assets/pages.css"),
    include_str!("../../assets/drawing.css"),
    include_str!("../../assets/commands.css"),
    include_str!("../../assets/records.css"),
    include_str!("../../assets/reports.css"),
);
const SCRIPT: &str = include_str!("../../assets/panel.js");
/// For the page of commands alone.
const COMMANDS: &str = include_str!("../../assets/commands.js");
/// For the pages of maintenance records alone.
const RECORDS: &str = include_str!("../../assets/records.js");
const ICON: &str = include_str!("../../assets/icon.svg");

/// Asked for with the stamp, so that another content has another address and this one may be kept for long.
const KEPT: &str = "public, max-age=31536000, immutable";

/// What the addresses of assets end with.
pub(super) fn stamp() -> &'static str {
    static STAMP: OnceLock<String> = OnceLock::new();
    STAMP.get_or_init(|| {
        let mut hasher = DefaultHasher::new();
        (OWN_STYLE, roundsman_report::html::STYLE, SCRIPT, COMMANDS, RECORDS, ICON).hash(&mut hasher);
        format!("{:08x}", hasher.finish() as u32)
    })
}

/// The style sheet alone, for a page without a site behind it.
pub(crate) async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], OWN_STYLE).into_response()
}

/// `/assets/{name}`; `mm-588.css` says that a millimetre has 5.88 pixels.
pub(crate) async fn asset(State(_): State<Panel>, voice: Voice, Path(name): Path<String>) -> Response {
    let (media, text) = match name.as_str() {
        "panel.css" => ("text/css; charset=utf-8", [OWN_STYLE, roundsman_report::html::STYLE].concat()),
        "panel.js" => ("text/javascript; charset=utf-8", SCRIPT.to_owned()),
        "commands.js" => ("text/javascript; charset=utf-8", COMMANDS.to_owned()),
        "records.js" => ("text/javascript; charset=utf-8", RECORDS.to_owned()),
        "icon.svg" => ("image/svg+xml", ICON.to_owned()),
        other => match millimetre(other) {
            Some(style) => ("text/css; charset=utf-8", style),
            None => return Kind::NoSuchPath.answer(&voice),
        },
    };
    ([(CONTENT_TYPE, media), (CACHE_CONTROL, KEPT)], text).into_response()
}

fn millimetre(name: &str) -> Option<String> {
    let hundredths: u16 = name.strip_prefix("mm-")?.strip_suffix(".css")?.parse().ok()?;
    Some(format!(":root{{--mm:{}.{:02}px}}", hundredths / 100, hundredths % 100))
}
