//! `/faults`: open ones worst first, those hidden behind another failure, those that are shelved, and the past.

use super::rows::{Card, Past};
use super::sight::Sight;
use super::{Page, Part, Parts, Place};
use crate::router::Panel;
use crate::site::{DeviceState, Unavailable, Which};
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use roundsman_core::fault::{Fault, FaultId};
use serde::Deserialize;

/// Cards on the page; the number of the others is said.
const MOST_CARDS: usize = 60;
/// Ended faults on one page.
const PAST_PAGE: usize = 40;

/// What the address asks for; what means nothing is ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    /// `hidden`, `shelved` or `past`; else the open ones.
    view: String,
    /// Ended faults with smaller ids.
    before: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Open,
    Hidden,
    Shelved,
    Past,
}

impl View {
    fn of(word: &str) -> View {
        match word {
            "hidden" => View::Hidden,
            "shelved" => View::Shelved,
            "past" => View::Past,
            _ => View::Open,
        }
    }

    /// Where an open fault stands.
    fn of_fault(fault: &Fault) -> View {
        match (fault.hidden_by, &fault.shelf) {
            (Some(_), _) => View::Hidden,
            (None, Some(_)) => View::Shelved,
            (None, None) => View::Open,
        }
    }
}

struct Tab {
    word: String,
    href: &'static str,
    on: bool,
    count: Option<usize>,
}

#[derive(Template)]
#[template(path = "page/faults-tabs.html")]
struct Tabs<'a> {
    v: &'a Voice,
    tabs: [Tab; 4],
}

#[derive(Template)]
#[template(path = "page/faults-list.html")]
struct List<'a> {
    v: &'a Voice,
    title: String,
    total: usize,
    cards: Vec<Card>,
    past: Vec<Past>,
    /// What an empty list says.
    lead: String,
    more: String,
    older: Option<String>,
    unshown: usize,
    unavailable: bool,
}

fn tabs<'a>(view: View, sight: &Sight, v: &'a Voice) -> Tabs<'a> {
    let count = |of: View| sight.faults().iter().filter(|fault| View::of_fault(fault) == of).count();
    let tab = |of: View, key: &str, href| Tab {
        word: v.t(key).into_owned(),
        href,
        on: of == view,
        count: (of != View::Past).then(|| count(of)),
    };
    Tabs {
        v,
        tabs: [
            tab(View::Open, "faults.open", "/faults"),
            tab(View::Hidden, "faults.hidden", "/faults?view=hidden"),
            tab(View::Shelved, "faults.shelved", "/faults?view=shelved"),
            tab(View::Past, "faults.past", "/faults?view=past"),
        ],
    }
}

fn live<'a>(view: View, sight: &Sight, v: &'a Voice) -> List<'a> {
    let wanted = |fault: &&Fault| View::of_fault(fault) == view;
    let found: Vec<&Fault> = sight.faults().iter().filter(wanted).collect();
    let pending = sight.devices().iter().any(|d| d.state == DeviceState::Pending);
    let (title, lead, more) = match view {
        View::Hidden => ("faults.hidden-title", "faults.none-hidden", "faults.none-hidden-more"),
        View::Shelved => ("faults.shelved-title", "faults.none-shelved", "faults.none-shelved-more"),
        _ if pending => ("faults.open-title", "overview.pending", "overview.pending-more"),
        _ => ("faults.open-title", "overview.well", "overview.well-more"),
    };
    List {
        v,
        title: v.t(title).into_owned(),
        total: found.len(),
        unshown: found.len().saturating_sub(MOST_CARDS),
        cards: found.into_iter().take(MOST_CARDS).map(|fault| Card::of(fault, sight, v)).collect(),
        past: Vec::new(),
        lead: v.t(lead).into_owned(),
        more: v.t(more).into_owned(),
        older: None,
        unavailable: false,
    }
}

fn past<'a>(found: &Result<Vec<Fault>, Unavailable>, sight: &Sight, v: &'a Voice) -> List<'a> {
    let faults: &[Fault] = found.as_deref().unwrap_or_default();
    // One more than a page was asked for: it says whether there is another page.
    let oldest = faults.get(PAST_PAGE - 1).filter(|_| faults.len() > PAST_PAGE);
    List {
        v,
        title: v.t("faults.past-title").into_owned(),
        total: 0,
        cards: Vec::new(),
        past: faults.iter().take(PAST_PAGE).map(|fault| Past::of(fault, sight, v)).collect(),
        lead: v.t("faults.none-past").into_owned(),
        more: v.t("faults.none-past-more").into_owned(),
        older: oldest.map(|fault| format!("/faults?view=past&before={}", fault.id.0)),
        unshown: 0,
        unavailable: found.is_err(),
    }
}

/// `/faults`
pub(crate) async fn faults(
    State(panel): State<Panel>,
    viewer: Viewer,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let wanted = wanted.map(|Query(wanted)| wanted).unwrap_or_default();
    let view = View::of(&wanted.view);
    let ended = match view {
        View::Past => {
            let before = wanted.before.parse().ok().map(FaultId);
            Some(panel.site.faults(Which::Closed, None, PAST_PAGE + 1, before).await)
        }
        _ => None,
    };
    let sight = Sight::of(&panel);
    let v = &viewer.voice;
    let list = match &ended {
        Some(ended) => past(ended, &sight, v),
        None => live(view, &sight, v),
    };
    let parts: Parts = Part::of("tabs", &tabs(view, &sight, v))
        .and_then(|tabs| Ok(vec![tabs, Part::of("fault-list", &list)?]));
    let title = v.t("place.faults");
    Page::new(Place::Faults, &title, "faults").answer(&panel, &viewer, &sight, parts)
}
