//! `/devices`: all devices, worst first, filtered by tier, network, class, state, by what they hang on, and searched.

use super::rows::Row;
use super::sight::Sight;
use super::{Page, Part, Parts, Place, link};
use crate::router::Panel;
use crate::site::{DeviceState, SiteDevice};
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use roundsman_core::device::{Class, Network, Tier};
use serde::Deserialize;

/// Rows on one page.
const PAGE: usize = 60;
/// Longest search.
const LONGEST_SEARCH: usize = 100;

/// What the address asks for; words that mean nothing are ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    tier: String,
    network: String,
    class: String,
    /// A state's word, or `bad` for every state but ok.
    state: String,
    /// Id of the device that they hang on.
    under: String,
    q: String,
    page: String,
}

/// The state filter's word for all that are not well.
const BAD: &str = "bad";

impl Wanted {
    fn fits(&self, device: &SiteDevice, sight: &Sight) -> bool {
        (self.tier.is_empty() || device.tier.word() == self.tier)
            && (self.network.is_empty() || device.network.word() == self.network)
            && (self.class.is_empty() || device.class.word() == self.class)
            && match self.state.as_str() {
                "" => true,
                BAD => device.state != DeviceState::Ok,
                word => device.state.word() == word,
            }
            && (self.under.is_empty() || *device.id == *self.under || sight.is_under(device, &self.under))
            && self.found_in(device)
    }

    /// Whether each word of the search is in the name, the id, the address or the place.
    fn found_in(&self, device: &SiteDevice) -> bool {
        if self.q.is_empty() {
            return true;
        }
        let text =
            format!("{} {} {} {}", device.name, device.id, device.address, device.location).to_lowercase();
        self.q.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }

    /// This page with one filter set (or none, for the empty value), from its first page on.
    fn with(&self, key: &str, value: &str) -> String {
        let pairs = self.pairs().map(|(k, v)| if k == key { (k, value) } else { (k, v) });
        link::query("/devices", &pairs)
    }

    fn pairs(&self) -> [(&'static str, &str); 6] {
        [
            ("tier", &self.tier),
            ("network", &self.network),
            ("class", &self.class),
            ("state", &self.state),
            ("under", &self.under),
            ("q", &self.q),
        ]
    }

    fn at_page(&self, page: usize) -> String {
        let path = link::query("/devices", &self.pairs());
        format!("{path}{}page={page}", if path.contains('?') { '&' } else { '?' })
    }
}

struct Chip {
    word: String,
    href: String,
    on: bool,
    count: usize,
}

struct Group {
    title: String,
    chips: Vec<Chip>,
}

#[derive(Template)]
#[template(path = "page/devices-filter.html")]
struct Filter<'a> {
    v: &'a Voice,
    q: &'a str,
    /// The filters that a search keeps.
    kept: Vec<(&'static str, &'a str)>,
    /// The filters that are set, in words.
    active: String,
    groups: Vec<Group>,
}

#[derive(Template)]
#[template(path = "page/devices-list.html")]
struct List<'a> {
    v: &'a Voice,
    title: String,
    total: usize,
    devices: usize,
    /// Cameras have a page of their own.
    has_cameras: bool,
    rows: Vec<Row>,
    page: usize,
    pages: usize,
    before: Option<String>,
    after: Option<String>,
}

/// The chips of one filter: all, then every word that some device has.
fn group(
    wanted: &Wanted,
    sight: &Sight,
    v: &Voice,
    key: &'static str,
    chosen: &str,
    words: Vec<(&'static str, String)>,
    word_of: impl Fn(&SiteDevice) -> &'static str,
) -> Group {
    let devices = sight.devices();
    let all = Chip {
        word: v.t("devices.all").into_owned(),
        href: wanted.with(key, ""),
        on: chosen.is_empty(),
        count: devices.len(),
    };
    let chips = words.into_iter().map(|(word, name)| Chip {
        word: name,
        href: wanted.with(key, word),
        on: chosen == word,
        count: match word {
            BAD => devices.iter().filter(|d| d.state != DeviceState::Ok).count(),
            _ => devices.iter().filter(|d| word_of(d) == word).count(),
        },
    });
    let chips = std::iter::once(all).chain(chips.filter(|chip| chip.count > 0 || chip.on));
    let title = match key {
        "tier" => v.t("devices.tier"),
        "network" => v.t("devices.network"),
        "class" => v.t("devices.class"),
        _ => v.t("devices.state"),
    };
    Group { title: title.into_owned(), chips: chips.collect() }
}

fn filter<'a>(wanted: &'a Wanted, sight: &Sight, v: &'a Voice) -> Filter<'a> {
    let tiers = Tier::ALL.iter().map(|t| (t.word(), v.text(&t.name()))).collect();
    let networks = Network::ALL.iter().map(|n| (n.word(), v.text(&n.name()))).collect();
    let classes = Class::ALL.iter().map(|c| (c.word(), v.text(&c.name()))).collect();
    let mut states = vec![(BAD, v.t("devices.bad").into_owned())];
    states.extend(DeviceState::ALL.iter().map(|s| (s.word(), v.text(&s.name()))));
    let groups = vec![
        group(wanted, sight, v, "state", &wanted.state, states, |d| d.state.word()),
        group(wanted, sight, v, "tier", &wanted.tier, tiers, |d| d.tier.word()),
        group(wanted, sight, v, "network", &wanted.network, networks, |d| d.network.word()),
        group(wanted, sight, v, "class", &wanted.class, classes, |d| d.class.word()),
    ];
    let set = groups.iter().filter_map(|g| g.chips.iter().skip(1).find(|c| c.on)).map(|c| c.word.clone());
    let under = sight.device(&wanted.under).map(|root| v.n("devices.under", &root.name));
    let searched = (!wanted.q.is_empty()).then(|| format!("“{}”", wanted.q));
    let active: Vec<String> = set.chain(under).chain(searched).collect();
    let kept = wanted.pairs().into_iter().filter(|(key, value)| *key != "q" && !value.is_empty());
    Filter { v, q: &wanted.q, kept: kept.collect(), active: active.join(" · "), groups }
}

fn list<'a>(wanted: &Wanted, sight: &Sight, v: &'a Voice) -> List<'a> {
    let mut found: Vec<&SiteDevice> = sight.devices().iter().filter(|d| wanted.fits(d, sight)).collect();
    // Worst first; inside a state the order of the site file.
    found.sort_by_key(|device| device.state);
    let pages = found.len().div_ceil(PAGE).max(1);
    let page = wanted.page.parse().unwrap_or(1).clamp(1, pages);
    let shown = found.iter().skip((page - 1) * PAGE).take(PAGE);
    let title = match sight.device(&wanted.under) {
        Some(root) => v.n("devices.under", &root.name),
        None => v.t("place.devices").into_owned(),
    };
    List {
        v,
        title,
        total: found.len(),
        devices: sight.devices().len(),
        has_cameras: sight.devices().iter().any(|device| device.class == Class::Camera),
        rows: shown.map(|device| Row::of(device, sight, v)).collect(),
        page,
        pages,
        before: (page > 1).then(|| wanted.at_page(page - 1)),
        after: (page < pages).then(|| wanted.at_page(page + 1)),
    }
}

fn parts(wanted: &Wanted, sight: &Sight, v: &Voice) -> Parts {
    Ok(vec![Part::of("filter", &filter(wanted, sight, v))?, Part::of("list", &list(wanted, sight, v))?])
}

/// `/devices`
pub(crate) async fn devices(
    State(panel): State<Panel>,
    viewer: Viewer,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let mut wanted = wanted.map(|Query(wanted)| wanted).unwrap_or_default();
    if let Some((at, _)) = wanted.q.char_indices().nth(LONGEST_SEARCH) {
        wanted.q.truncate(at);
    }
    let sight = Sight::of(&panel);
    let title = viewer.voice.t("place.devices");
    let parts = parts(&wanted, &sight, &viewer.voice);
    Page::new(Place::Devices, &title, "devices").answer(&panel, &viewer, &sight, parts)
}
