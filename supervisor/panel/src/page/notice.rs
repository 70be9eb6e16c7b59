//! The notice above every page: the disk under the store has too little room, and what to do; or a past is being taken
//! over, and how far that is. The part is there on every page, empty where there is nothing to say.

use super::Part;
use crate::figure::number;
use crate::router::Panel;
use crate::site::Storage;
use crate::voice::Voice;
use askama::Template;

#[derive(Default, Template)]
#[template(path = "page/notice.html")]
struct Notice {
    /// Something is wrong.
    alarm: bool,
    title: String,
    /// What is lost meanwhile, and what is not.
    meanwhile: String,
    /// What to do.
    advice: String,
    /// How far something is, and of how much.
    progress: Option<(u32, u32)>,
}

/// The notice.
pub(super) fn notice(panel: &Panel, v: &Voice) -> Result<Part, askama::Error> {
    let storage = panel.site.storage();
    let notice = match (storage.writes_refused, storage.history_paused, storage.filling) {
        (true, ..) => short_of_room(&storage, "storage.refused", "storage.refused-meanwhile", v),
        (false, true, _) => short_of_room(&storage, "storage.paused", "storage.paused-meanwhile", v),
        (false, false, Some((done, all))) => Notice {
            title: v.t("storage.filling").into_owned(),
            meanwhile: v.n("storage.filled", format!("{done}/{all}")),
            progress: Some((done, all)),
            ..Notice::default()
        },
        (false, false, None) => Notice::default(),
    };
    Part::of("notice", &notice)
}

fn short_of_room(storage: &Storage, title: &str, meanwhile: &str, v: &Voice) -> Notice {
    let free = storage.free_bytes.map_or_else(|| "—".to_owned(), |bytes| number(bytes as f64, "By").line());
    Notice {
        alarm: true,
        title: v.n(title, free),
        meanwhile: v.t(meanwhile).into_owned(),
        advice: v.n("storage.advice", &storage.folder),
        progress: None,
    }
}
