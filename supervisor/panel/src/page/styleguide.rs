//! `/styleguide`: the nine states, type, buttons, cards, what a page says when it is empty, stale or failing, and
//! every drawing in every state.
//!
//! For demo builds (cargo feature `styleguide`). Its specimens are the goldens of the drawings too: what is tested is
//! what is looked at. They are made up and the same every day; nothing of the site is shown.

mod specimens;

use super::sight::Sight;
use super::{Page, Part};
use crate::router::Panel;
use crate::site::DeviceState;
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use specimens::Specimen;

/// What only this page needs.
const STYLE: &str = include_str!("../../assets/styleguide.css");
/// Stands for the still of a camera.
const STILL: &str = include_str!("../../assets/still.svg");

/// A fault card as the macro `card` reads it.
struct Card {
    id: u64,
    state: &'static str,
    word: String,
    number: &'static str,
    device: String,
    summary: String,
    since_ms: i64,
    since: &'static str,
    stale: bool,
    affected: usize,
    advice: String,
    acknowledged: Option<&'static str>,
    people: Option<&'static str>,
    shelved: Option<String>,
    open: bool,
    closable: bool,
}

struct Drawings<'a> {
    title: &'a str,
    /// Name of its arrangement.
    kind: &'static str,
    specimens: Vec<Specimen>,
}

#[derive(Template)]
#[template(path = "page/styleguide.html")]
struct Styleguide<'a> {
    v: &'a Voice,
    states: Vec<(&'static str, String)>,
    themes: [(&'static str, &'a str); 2],
    cards: Vec<Card>,
    drawings: Vec<Drawings<'a>>,
}

fn cards(v: &Voice) -> Vec<Card> {
    let card = |state: DeviceState, zh: [&str; 3], en: [&str; 3]| {
        let text = |i: usize| v.say(zh[i], en[i]).to_owned();
        Card {
            id: 0,
            state: state.word(),
            word: v.text(&state.name()),
            number: "F-2026-0123",
            device: text(0),
            summary: text(1),
            since_ms: specimens::NOW - 25 * 60_000,
            since: "11-18 17:35",
            stale: false,
            affected: 0,
            advice: text(2),
            acknowledged: None,
            people: None,
            shelved: None,
            open: true,
            closable: false,
        }
    };
    vec![
        Card {
            affected: 12,
            ..card(
                DeviceState::Critical,
                ["洪洞县局路由器", "设备失联", "先查县局供电，再联系运营商查专线"],
                ["Hongtong county router", "Unreachable", "Check power at the county, then call the carrier"],
            )
        },
        card(
            DeviceState::Major,
            ["市局汇聚路由器", "板卡温度 68 °C", "检查风扇与滤网，确认机房空调"],
            [
                "City aggregation router",
                "Board at 68 °C",
                "Check fans and filter, then the room's air conditioning",
            ],
        ),
        Card {
            acknowledged: Some("17:41:20"),
            people: Some(v.say("已到场：王工 18:02:10", "On site: Wang 18:02:10")),
            stale: true,
            ..card(
                DeviceState::Minor,
                ["三楼打印机", "黑色碳粉剩 4 %", "更换碳粉盒，旧盒回收"],
                ["Printer, 3rd floor", "Black toner at 4 %", "Replace the cartridge, recycle the old one"],
            )
        },
        Card {
            open: false,
            closable: true,
            ..card(
                DeviceState::Warning,
                ["办公网交换机 3F", "端口 GE1/0/7 频繁抖动", ""],
                ["Office switch 3F", "Port GE1/0/7 keeps flapping", ""],
            )
        },
    ]
}

fn drawings(v: &Voice) -> Vec<Drawings<'_>> {
    let some = |title, kind, specimens| Drawings { title, kind, specimens };
    let mut charts = specimens::charts(v, 640.0);
    charts.extend(specimens::charts(v, 320.0));
    let mut runs = specimens::runs(v, 860.0);
    runs.extend(specimens::runs(v, 320.0).into_iter().skip(1).take(1));
    let mut strips = specimens::strips(v, 860.0);
    strips.extend(specimens::strips(v, 320.0).into_iter().skip(3));
    let mut walls = specimens::walls(v, 560.0);
    walls.extend(specimens::walls(v, 304.0).into_iter().take(2));
    let mut cameras = specimens::camera_grids(v, 900.0, 5);
    cameras.extend(specimens::camera_grids(v, 320.0, 2).into_iter().take(1));
    let pictures =
        [((1_280.0, 800.0), 60), ((1_024.0, 600.0), 60), ((1_920.0, 1_080.0), 1_000), ((390.0, 844.0), 60)];
    vec![
        some(v.say("所点阵", "Mosaics"), "small", specimens::mosaics(v)),
        some(v.say("端口面板", "Interface strips"), "wide", strips),
        some(v.say("曲线", "Charts"), "middle", charts),
        some(v.say("状态变化", "Runs of a state"), "wide", runs),
        some(v.say("大屏拼接墙", "Video walls"), "middle", walls),
        some(v.say("摄像机", "Cameras"), "wide", cameras),
        some(
            v.say("四级总图", "The four tiers"),
            "wide",
            pictures
                .into_iter()
                .flat_map(|(size, stations)| specimens::pictures(v, size, stations))
                .collect(),
        ),
    ]
}

/// `/styleguide`
pub(crate) async fn styleguide(State(panel): State<Panel>, viewer: Viewer) -> Response {
    let v = &viewer.voice;
    let part = Styleguide {
        v,
        states: DeviceState::ALL.iter().map(|state| (state.word(), v.text(&state.name()))).collect(),
        themes: [("dark", v.say("深色", "Dark")), ("light", v.say("浅色", "Light"))],
        cards: cards(v),
        drawings: drawings(v),
    };
    let title = v.say("界面样张", "Styleguide");
    let page = Page { place: None, title, layout: "styleguide", status: StatusCode::OK };
    page.answer(&panel, &viewer, &Sight::of(&panel), Part::of("styleguide", &part).map(|part| vec![part]))
}

/// `/styleguide/style.css`
pub(crate) async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// `/styleguide/still.svg`
pub(crate) async fn still() -> Response {
    ([(CONTENT_TYPE, "image/svg+xml")], STILL).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use roundsman_core::text::Language;

    /// The page is whole in both languages and does not mix them.
    #[test]
    fn the_page_shows_every_state_and_every_drawing() {
        for language in [Language::Chinese, Language::English] {
            let v = Voice { language, zone: TimeZone::UTC };
            let all = drawings(&v);
            let count: usize = all.iter().map(|group| group.specimens.len()).sum();
            let states: Vec<_> = DeviceState::ALL.iter().map(|s| (s.word(), v.text(&s.name()))).collect();
            let words: Vec<String> = states.iter().map(|s| s.1.clone()).collect();
            let themes = [("dark", "a"), ("light", "b")];
            let html =
                Styleguide { v: &v, states, themes, cards: cards(&v), drawings: all }.render().unwrap();
            assert_eq!(html.matches("class=\"specimen\"").count(), count);
            for word in words {
                assert!(html.contains(&word), "{word}");
            }
            assert!(!html.contains(" style="), "the page's own policy forbids it");
            let chinese = html.chars().filter(|c| ('\u{4E00}'..='\u{9FFF}').contains(c)).count();
            assert_eq!(chinese > 0, language == Language::Chinese, "{chinese} Chinese characters");
        }
    }

    /// Every drawing in every state, in Chinese: a golden each, so that a change of look is seen and meant.
    #[test]
    fn drawings_look_as_they_did() {
        let v = Voice { language: Language::Chinese, zone: TimeZone::UTC };
        for group in drawings(&v) {
            for (i, specimen) in group.specimens.iter().enumerate() {
                // A line for each element: a change shows where it is.
                let lines = specimen.svg.replace("><", ">\n<");
                insta::assert_snapshot!(format!("{}-{i}", specimen.name), lines);
            }
        }
    }
}
