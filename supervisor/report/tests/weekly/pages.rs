//! The pages as text: goldens in both languages; escaping; what a page never holds.

use super::*;
use roundsman_core::record::Field;
use roundsman_core::rule::Severity;

/// The words of a page, one line an element that ends a line of reading; tags left out.
fn words(html: &str) -> String {
    let from = html.find("<article").unwrap();
    let mut text = String::new();
    for piece in html[from..].split('<') {
        let Some((tag, said)) = piece.split_once('>') else { continue };
        let name: String = tag.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect();
        match &*name {
            "/tr" | "/p" | "/li" | "/h1" | "/h2" | "/h3" | "/svg" | "/figcaption" | "/div" | "/ul" => {
                text.push('\n')
            }
            "/td" | "/th" => text.push_str(" | "),
            "small" | "span" | "text" | "dt" => text.push(' '),
            _ => {}
        }
        text.push_str(said.trim_end_matches('\n'));
    }
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let lines = lines.map(|line| line.trim_end_matches(" |").to_owned());
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn pretty(weekly: &Weekly, language: Language) -> String {
    serde_json::to_string_pretty(&json::report(weekly, language)).unwrap()
}

#[test]
fn a_week_with_a_story_in_both_languages() {
    let past = made::five_weeks(MONDAY + WEEK, MONDAY + WEEK + 8 * HOUR);
    let weekly = of_week_47(&past);
    insta::assert_snapshot!("story-zh", words(&html::page(&weekly, Language::Chinese).unwrap()));
    insta::assert_snapshot!("story-en", words(&html::page(&weekly, Language::English).unwrap()));
    insta::assert_snapshot!("story-json", pretty(&weekly, Language::English));
}

#[test]
fn the_running_week_is_held_against_the_same_part_of_the_weeks_before() {
    let now = MONDAY + 2 * DAY + 14 * HOUR + 3 * made::MINUTE;
    let past = made::five_weeks(MONDAY + WEEK, now);
    let running = weekly(&past, &about("Asia/Shanghai"), week("2026-W47"), Wall(now)).unwrap();
    assert!(running.is_running);
    assert_eq!(running.period.to(), Wall(now));
    assert_eq!(running.unknown_ms, 0, "time to come is not time without data");
    insta::assert_snapshot!("running-zh", words(&html::page(&running, Language::Chinese).unwrap()));
    // The counts of the week before until its Wednesday, 14:03, are those of a week that ended there.
    let before = weekly(&past, &about("Asia/Shanghai"), week("2026-W46"), Wall(now - WEEK)).unwrap();
    for (this, then) in running.indicators.iter().zip(&before.indicators) {
        assert_eq!(this.comparison.previous, then.comparison.this, "{:?}", this.measure);
    }
}

#[test]
fn a_week_of_nothing_says_so_and_counts_nothing_as_normal() {
    let weekly = of_week_47(&Past::default());
    insta::assert_snapshot!("nothing-zh", words(&html::page(&weekly, Language::Chinese).unwrap()));
    insta::assert_snapshot!("nothing-en", words(&html::page(&weekly, Language::English).unwrap()));
    insta::assert_snapshot!("nothing-json", pretty(&weekly, Language::Chinese));
}

/// What devices and people wrote is text on the page.
#[test]
fn text_of_strangers_stays_text() {
    let evil = "<script>alert(1)</script>\"'&";
    let mut past = {
        let mut made = Made::default();
        made.watch(MONDAY, MONDAY + WEEK);
        let place = (
            roundsman_core::device::Class::Router,
            roundsman_core::device::Tier::City,
            roundsman_core::device::Network::Lan,
        );
        made.device("rt", evil, evil, place, MONDAY);
        for hour in [30, 50] {
            let at = MONDAY + hour * HOUR;
            let root = made.fault("rt", Severity::Critical, made::SILENT, at, Some(HOUR), None);
            made.behind(root, "rt");
        }
        made.fault("rt", Severity::Major, made::HOT, MONDAY + 70 * HOUR, None, None);
        let words = [
            (Field::Process, evil),
            (Field::Remaining, evil),
            (Field::Engineer, evil),
            (Field::Parts, "<script>alert(1)</script>\t\t"),
        ];
        made.record("rt", None, MONDAY + 60 * HOUR, words);
        made.build()
    };
    for fault in past.details.values_mut() {
        fault.summary = roundsman_core::text::Bilingual::new(evil, evil);
        fault.advice = fault.summary.clone();
    }
    let mut weekly = of_week_47(&past);
    weekly.site = evil.into();
    for language in [Language::Chinese, Language::English] {
        for html in [html::page(&weekly, language).unwrap(), html::sheet(&weekly, language).unwrap()] {
            assert!(!html.contains("<script"), "{html}");
            assert!(html.contains("&#60;script&#62;"), "it is there, as text");
            for stranger in ["http:", "https:", "src=", "url(", "@import", "javascript:", " style="] {
                let found = html.replace("http://www.w3.org/2000/svg", "");
                assert!(!found.contains(stranger), "the page fetches nothing: {stranger}");
            }
        }
    }
}

/// A week of a thousand faults prints the worst and says how many more there are.
#[test]
fn a_terrible_week_is_still_two_pages_and_drops_nothing_silently() {
    let mut made = Made::default();
    made.watch(MONDAY, MONDAY + WEEK);
    made::town(&mut made, MONDAY);
    for n in 0..1_000 {
        let device = format!("rt-station-{}-{}", n % 8, n / 8 % 2);
        let at = MONDAY + n * 9 * made::MINUTE;
        let lasted = (n % 10 > 0).then_some(5 * made::MINUTE);
        made.fault(&device, Severity::Minor, made::FLAPS, at, lasted, None);
    }
    let weekly = of_week_47(&made.build());
    let text = words(&html::page(&weekly, Language::Chinese).unwrap());
    for said in [
        "共 1000 起",
        "另有 992 起较轻的故障未列出",
        "未恢复故障 100 起",
        "另有 90 起未恢复故障未列出",
        "另有 11 项",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(text.lines().count() < 140, "{}", text.lines().count());
}
