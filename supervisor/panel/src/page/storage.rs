//! The notice above every page while the disk under the store has too little room, and what to do.

use super::Part;
use crate::figure::number;
use crate::router::Panel;
use crate::voice::Voice;
use askama::Template;

#[derive(Template)]
#[template(path = "page/storage.html")]
struct Notice {
    title: String,
    /// What is lost meanwhile, and what is not.
    meanwhile: String,
    /// What to do.
    advice: String,
}

/// The notice, if there is anything to say.
pub(super) fn notice(panel: &Panel, v: &Voice) -> Result<Option<Part>, askama::Error> {
    let storage = panel.site.storage();
    let (title, meanwhile) = match (storage.writes_refused, storage.history_paused) {
        (true, _) => ("storage.refused", "storage.refused-meanwhile"),
        (false, true) => ("storage.paused", "storage.paused-meanwhile"),
        (false, false) => return Ok(None),
    };
    let free = storage.free_bytes.map_or_else(|| "—".to_owned(), |bytes| number(bytes as f64, "By").line());
    let notice = Notice {
        title: v.n(title, free),
        meanwhile: v.t(meanwhile).into_owned(),
        advice: v.n("storage.advice", &storage.folder),
    };
    Part::of("storage", &notice).map(Some)
}
