//! The pages: what each shows, which part changes, what is looked for and found, and names that mean harm.

use super::*;
use roundsman_core::device::{Class, Network, Tier};
use roundsman_core::fault::{Ending, Fault, FaultId};
use roundsman_core::rule::Severity;
use roundsman_core::text::Bilingual;
use roundsman_core::time::Wall;
use roundsman_panel::{Storage, Trunk};
use site::{T0, device, fault};

/// All pages of the small site.
const PAGES: [&str; 25] = [
    "/",
    "/cameras",
    "/devices",
    "/devices?under=rt-province",
    "/devices?q=core",
    "/devices/rt-city-core",
    "/devices/rt-city-core/commands",
    "/devices/rt-city-core/history",
    "/devices/rt-city-core/history?group=interface",
    "/devices/rt-city-core/history?metric=cpu.load&span=24h",
    "/devices/rt-city-core/history?metric=interface.oper-status&instance=GE1%2F0%2F1",
    "/devices/rt-city-core/history?metric=memory.used",
    "/faults",
    "/faults?view=hidden",
    "/faults?view=past",
    "/faults/1",
    "/records",
    "/records?kind=spare&fault=1&q=x",
    "/records/M-2026-0001",
    "/records/M-2026-0001/amend",
    "/records/M-2026-0001/amend?field=cost",
    "/records/new?fault=1",
    "/reports",
    "/about",
    "/wall",
];

/// Hashes and stamps may differ between toolchains; that they follow the content is tested by itself.
pub(super) fn without_hashes(page: &str) -> String {
    let mut text = page.to_owned();
    for mark in ["data-hash=\"", "data-stamp=\"", "?v="] {
        let mut pieces = text.split(mark);
        let first = pieces.next().unwrap().to_owned();
        text = pieces.fold(first, |text, piece| {
            text + mark + "…" + piece.trim_start_matches(|c: char| c.is_ascii_hexdigit())
        });
    }
    text
}

/// The parts alone, without the frame.
pub(super) async fn parts(server: &Server, path: &str) -> String {
    server.ask(&format!("GET {path} HTTP/1.1\r\nx-held: 0\r\n")).await.body.replace("<section", "\n<section")
}

#[tokio::test]
async fn the_frame_in_both_languages() {
    let server = Server::start(SampleSite::small()).await;
    insta::assert_snapshot!("page_zh", without_hashes(&server.get("/").await.body));
    insta::assert_snapshot!("parts_en", without_hashes(&parts(&server, "/?lang=en").await));
}

#[tokio::test]
async fn every_page_as_a_golden() {
    let server = Server::start(SampleSite::small()).await;
    for path in &PAGES[1..] {
        let name: String = path.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        insta::assert_snapshot!(format!("parts{name}"), without_hashes(&parts(&server, path).await));
    }
}

#[tokio::test]
async fn only_the_part_that_changed_is_sent_again() {
    let server = Server::start(SampleSite::small()).await;
    let page = server.get("/").await.body;
    let held: Vec<&str> = page.split("data-hash=\"").skip(1).map(|p| &p[..16]).collect();
    let ask = format!("GET / HTTP/1.1\r\nx-held: {}\r\n", held.join(","));
    let same = server.ask(&ask).await;
    assert_eq!(same.body, "", "nothing changed");
    assert!(
        same.head.contains("x-parts: summary,networks,faults,counties,environment,classes,notice,places")
    );
    server.post("/api/v1/faults/1/acknowledge", &format!("authorization: Bearer {TOKEN}\r\n")).await;
    let changed = server.ask(&ask).await.body;
    assert_eq!(changed.matches("data-hash").count(), 1, "the list of faults alone");
    assert!(changed.starts_with("<section id=\"faults\""), "{changed}");
}

#[tokio::test]
async fn a_wall_is_seen_panel_by_panel() {
    let server = Server::start(SampleSite::with_wall()).await;
    let page = parts(&server, "/devices/wall-10f").await;
    let at = |id: &str| page.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("{id}: {page}"));
    let panels = &page[at("panels")..at("neighbours")];
    insta::assert_snapshot!("panels_of_a_wall", without_hashes(panels));
    assert!(!page.contains("<section id=\"readings\""), "all of them stand in the table of its panels");
    let english = parts(&server, "/devices/wall-10f?lang=en").await;
    assert!(english.contains("<h2>Panels<span class=\"total\">1/4 well</span>"), "{english}");
    let overview = parts(&server, "/").await;
    let tile = &overview[overview.find("href=\"/devices/wall-10f\"").unwrap()..];
    assert!(tile.contains("class=\"drawing\"") || tile.contains("<svg"), "{tile}");
    assert!(tile.contains("<span>1/4</span>"), "how many panels are well");
}

#[tokio::test]
async fn cameras_stand_in_their_places_and_say_what_is_wrong() {
    let server = Server::start(SampleSite::with_cameras()).await;
    insta::assert_snapshot!("cameras_zh", without_hashes(&parts(&server, "/cameras").await));
    insta::assert_snapshot!("cameras_en", without_hashes(&parts(&server, "/cameras?lang=en").await));
    for (id, name) in [("cam-01", "well"), ("cam-02", "down"), ("cam-03", "silent"), ("nvr-1f", "recorder")] {
        let page = parts(&server, &format!("/devices/{id}")).await;
        let from = page.find("<section id=\"camera\"").unwrap_or_else(|| panic!("{page}"));
        let camera = &page[from..from + page[from..].find("<section id=\"figures\"").unwrap()];
        insta::assert_snapshot!(format!("camera_{name}"), without_hashes(camera));
    }
    let overview = parts(&server, "/").await;
    assert!(overview.contains("href=\"/cameras\""), "the tile of the class leads there");
    assert!(parts(&server, "/devices").await.contains("href=\"/cameras\""));
    let none = Server::start(SampleSite::small()).await;
    let page = parts(&none, "/cameras").await;
    assert!(page.contains("未配置摄像机") && page.contains("discover --onvif"), "{page}");
}

#[tokio::test]
async fn the_empty_states_say_what_to_do() {
    let none = Server::start(SampleSite::empty()).await;
    let page = none.get("/").await.body;
    assert!(page.contains("尚未配置设备") && page.contains("[[device]]") && page.contains("roundsman check"));
    for path in [
        "/devices",
        "/faults",
        "/records",
        "/records/new",
        "/faults?view=past",
        "/faults?view=hidden",
        "/about",
        "/wall",
    ] {
        assert_eq!(none.get(path).await.status, 200, "{path}");
    }
    let well = SampleSite::empty();
    well.state.lock().unwrap().devices = vec![device("a", "甲", Tier::City, "")];
    let well = Server::start(well).await;
    assert!(well.get("/").await.body.contains("当前无故障"));
    let english = well.get("/?lang=en").await.body;
    assert!(english.contains("No open faults.") && english.contains("<html lang=\"en\""));
    assert!(well.get("/devices?q=nothing").await.body.contains("没有符合条件的设备"));
}

#[tokio::test]
async fn the_worst_stands_first_and_stations_under_their_county() {
    let server = Server::start(SampleSite::whole()).await;
    for path in ["/", "/faults"] {
        let page = server.get(path).await.body;
        let order = ["F-2026-0121", "F-2026-0122", "F-2026-0123", "F-2026-0124", "F-2026-0125"];
        let places: Vec<usize> = order.iter().map(|n| page.find(n).unwrap()).collect();
        // 0124 began before 0123; both are minor, so the newer one is first.
        assert!(places.is_sorted(), "{path}: {places:?}");
    }
    let county = server.get("/devices?under=rt-county-6").await.body;
    assert!(
        county.contains("href=\"/devices/rt-county-6\"") && county.contains("href=\"/devices/rt-station-6\"")
    );
    assert!(!county.contains("href=\"/devices/rt-county-7\"") && !county.contains("rt-station-7"));
}

/// Up and lossy is neither up nor down: another shape, and a word. What the probes say alone raises nothing.
#[tokio::test]
async fn a_trunk_that_loses_packets_is_seen_as_such() {
    let trunk = |up| Trunk { up: Some(up), in_rate: Some(3e7), out_rate: Some(1e7), speed: Some(1e8) };
    for (up, loss, fault_of, shape, words) in [
        (true, Some(12.6), "line-lossy", "trunk is-lossy", Some("丢包 13%")),
        (true, Some(12.6), "line-slow", "trunk is-up", None),
        (true, None, "line-lossy", "trunk is-up", None),
        (false, Some(12.6), "line-lossy", "trunk is-down", None),
    ] {
        let site = SampleSite::small();
        {
            let mut state = site.state.lock().unwrap();
            let mut county = device("rt-lossy", "甲县局路由器", Tier::County, "rt-city-core");
            county.headlines.trunk = Some(trunk(up));
            county.headlines.line_loss = loss;
            let mut open = fault(90, "rt-lossy", Severity::Major);
            open.key.rule = fault_of.into();
            state.devices.push(county);
            state.faults.insert(90, open);
        }
        let server = Server::start(site).await;
        let page = server.get("/").await.body;
        assert!(page.contains(shape), "{fault_of}: no {shape}");
        assert_eq!(page.contains("trunk-gaps"), words.is_some());
        let wall = server.get("/wall").await.body;
        assert_eq!(wall.contains("t-lossy"), words.is_some(), "{fault_of}");
        for page in [page, wall] {
            assert_eq!(page.contains("丢包"), words.is_some());
            assert!(words.is_none_or(|words| page.contains(words)));
        }
    }
}

#[tokio::test]
async fn devices_are_found_by_every_filter_and_every_word() {
    let site = SampleSite::empty();
    let mut router = device("rt-core", "市局核心路由器", Tier::City, "");
    router.address = "192.0.2.17:161".into();
    let mut switch = device("sw-3f", "三楼接入交换机", Tier::City, "rt-core");
    (switch.class, switch.network, switch.location) = (Class::Switch, Network::Lan, "3F 弱电间".into());
    site.state.lock().unwrap().devices =
        vec![router, switch, device("rt-quwo", "曲沃县局", Tier::County, "rt-core")];
    let server = Server::start(site).await;
    for (query, found) in [
        ("", "rt-core sw-3f rt-quwo"),
        ("tier=city", "rt-core sw-3f"),
        ("network=lan", "sw-3f"),
        ("class=switch&tier=city", "sw-3f"),
        ("class=switch&tier=county", ""),
        ("state=ok", "rt-core sw-3f rt-quwo"),
        ("state=bad", ""),
        ("state=critical", ""),
        ("under=rt-core", "rt-core sw-3f rt-quwo"),
        ("under=rt-quwo", "rt-quwo"),
        ("q=192.0.2.17", "rt-core"),
        ("q=%E6%9B%B2%E6%B2%83", "rt-quwo"),
        ("q=SW-3F+%E4%BA%A4%E6%8D%A2", "sw-3f"),
        ("q=3F", "sw-3f"),
        ("tier=nonsense", ""),
        ("page=99", "rt-core sw-3f rt-quwo"),
        ("page=x", "rt-core sw-3f rt-quwo"),
    ] {
        let page = server.get(&format!("/devices?{query}")).await.body;
        let rows = page.split("href=\"/devices/").skip(1).map(|piece| piece.split('"').next().unwrap());
        assert_eq!(rows.collect::<Vec<_>>().join(" "), found, "{query}");
    }
}

#[tokio::test]
async fn a_thousand_devices_come_in_pages() {
    let site = SampleSite::empty();
    site.state.lock().unwrap().devices =
        (0..1_000).map(|n| device(&format!("d-{n}"), "甲", Tier::Station, "")).collect();
    let server = Server::start(site).await;
    let page = server.get("/devices?tier=station&page=2").await.body;
    assert_eq!(page.matches("class=\"row ").count(), 60);
    assert!(page.contains("href=\"/devices?tier=station&#38;page=3\"") && page.contains("2 / 17"), "{page}");
}

#[tokio::test]
async fn what_is_hidden_stands_apart() {
    let site = SampleSite::whole();
    {
        let mut state = site.state.lock().unwrap();
        let station = state.devices.iter_mut().find(|d| &*d.id == "rt-station-6").unwrap();
        station.behind = Some("rt-county-6".into());
        let hidden = Fault { hidden_by: Some(FaultId(1)), ..fault(9, "rt-station-6", Severity::Critical) };
        state.faults.insert(9, hidden);
    }
    let server = Server::start(site).await;
    let open = server.get("/faults").await.body;
    assert!(!open.contains("href=\"/faults/9\"") && open.contains("影响下级 1 台"));
    assert!(server.get("/faults?view=hidden").await.body.contains("href=\"/faults/9\""));
    assert!(server.get("/devices/rt-station-6").await.body.contains("受上级设备故障影响"));
}

#[tokio::test]
async fn the_past_comes_in_pages_and_survives_a_store_that_does_not_answer() {
    let site = SampleSite::small();
    for id in 10..=60 {
        let mut ended = fault(id, "rt-city-core", Severity::Minor);
        (ended.ending, ended.cleared) = (Some(Ending::Cleared), Some(Wall(T0 - 1_000)));
        site.state.lock().unwrap().faults.insert(id, ended);
    }
    let server = Server::start(site).await;
    let page = server.get("/faults?view=past").await.body;
    assert!(
        page.contains("href=\"/faults/60\"") && page.contains("href=\"/faults?view=past&#38;before=21\""),
        "{page}"
    );
    let next = server.get("/faults?view=past&before=21").await.body;
    assert!(
        next.contains("href=\"/faults/20\"")
            && !next.contains("href=\"/faults/21\"")
            && !next.contains("class=\"more\"")
    );
    server.site.store_down.store(true, std::sync::atomic::Ordering::Relaxed);
    for path in ["/faults?view=past", "/devices/rt-city-core"] {
        let page = server.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.body.contains("历史故障暂时无法读取") && !page.body.contains("disk full"), "{path}");
    }
    assert_eq!(server.get("/faults/1").await.status, 503);
}

#[tokio::test]
async fn what_is_not_there_is_a_page_for_people_and_a_problem_for_programs() {
    let server = Server::start(SampleSite::small()).await;
    for path in
        ["/devices/nope", "/faults/99", "/faults/abc", "/records/M-2026-0099", "/records/x/amend", "/nope"]
    {
        let people = server.ask(&format!("GET {path} HTTP/1.1\r\naccept: text/html,*/*\r\n")).await;
        assert_eq!(people.status, 404, "{path}");
        assert!(
            people.head.contains("content-type: text/html") && people.body.contains("返回总览"),
            "{path}"
        );
    }
    let program = server.get("/nope").await;
    assert!(program.head.contains("application/problem+json"));
    let api = server.ask("GET /api/v1/nope HTTP/1.1\r\naccept: text/html\r\n").await;
    assert!(api.head.contains("application/problem+json"));
}

#[tokio::test]
async fn a_choice_is_kept_and_nothing_else() {
    let server = Server::start(SampleSite::small()).await;
    let chosen = server.get("/devices?lang=en&mm=5.88&idle=60&theme=light&tier=city").await;
    let cookie = "set-cookie: roundsman-view=lang=en&theme=light&mm=5.88&idle=60; path=/; max-age=315360000; \
                  samesite=strict; httponly";
    assert!(chosen.head.contains(cookie), "{}", chosen.head);
    let kept = server.ask("GET /devices?tier=city HTTP/1.1\r\ncookie: a=b; roundsman-view=lang=en&theme=light&mm=5.88&idle=60\r\n").await;
    assert!(!kept.head.contains("set-cookie"));
    assert!(kept.body.contains("<html lang=\"en\" data-theme=\"light\" data-panel>"));
    assert!(kept.body.contains("/assets/mm-588.css") && kept.body.contains("data-idle=\"60\""));
    assert!(kept.body.contains("href=\"/devices?tier=city&#38;lang=zh-CN\""));
    assert_eq!(server.get("/assets/mm-588.css").await.body, ":root{--mm:5.88px}");
    let strange = server.ask("GET //elsewhere.example/x HTTP/1.1\r\naccept: text/html\r\n").await;
    assert!(!strange.body.contains("\"//elsewhere"), "no link leads away: {}", strange.body);
    for wrong in ["mm-x.css", "mm-.css", "mm-99999999.css", "mm-1;}.css"] {
        assert_eq!(server.get(&format!("/assets/{wrong}")).await.status, 404, "{wrong}");
    }
}

#[tokio::test]
async fn uplinks_in_a_circle_end() {
    let site = SampleSite::empty();
    site.state.lock().unwrap().devices =
        vec![device("a", "甲", Tier::Station, "b"), device("b", "乙", Tier::Station, "a")];
    let server = Server::start(site).await;
    for path in ["/", "/devices?under=a", "/devices/a", "/wall"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn names_from_the_network_are_text_and_never_markup() {
    const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}&amp;";
    let site = SampleSite::empty();
    let mut bad = device(EVIL, EVIL, Tier::County, "");
    bad.location = EVIL.into();
    bad.uplinks = vec![("c".into(), Some(EVIL.into()))];
    let mut city = device("c", EVIL, Tier::City, "");
    city.location = EVIL.into();
    let mut ups = device("u", EVIL, Tier::City, "c");
    (ups.class, ups.behind) = (Class::Ups, Some(EVIL.into()));
    let mut f = fault(1, EVIL, Severity::Critical);
    f.key.instance = EVIL.into();
    f.summary = Bilingual::new(EVIL, EVIL);
    f.advice = Bilingual::new(EVIL, EVIL);
    {
        let mut state = site.state.lock().unwrap();
        state.devices = vec![bad, city, ups];
        state.faults.insert(1, f);
    }
    let server = Server::start(site).await;
    let id: String = EVIL.bytes().map(|b| format!("%{b:02X}")).collect();
    let own = [format!("/devices/{id}"), format!("/devices?under={id}"), format!("/devices?q={id}")];
    let paths =
        ["/", "/devices", "/devices/c", "/devices/u", "/faults", "/faults/1", "/wall", "/?lang=%3Cscript%3E"];
    for path in paths.into_iter().chain(own.iter().map(String::as_str)) {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        let page = answer.body;
        assert!(!page.contains("<script>") && !page.contains("<img"), "{path}");
        assert!(page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"), "{path}");
        // Outside of quotes no tag holds anything of the name.
        for tag in page.split('<').skip(1).filter_map(|t| t.split('>').next()) {
            let bare: String = tag.split('"').step_by(2).collect();
            assert!(!bare.contains("alert"), "{tag}");
        }
    }
}

#[tokio::test]
async fn a_full_disk_is_said_on_every_page_in_both_languages() {
    let server = Server::start(SampleSite::small()).await;
    let full = Storage {
        folder: "/var/lib/roundsman".into(),
        free_bytes: Some(12 << 20),
        history_paused: true,
        ..Storage::default()
    };
    for path in PAGES {
        assert!(!server.get(path).await.body.contains("class=\"notice"), "{path}: a disk with room");
    }
    for (refused, words) in [
        (
            false,
            [
                "历史数据已暂停记录；故障与维保记录照常保存。",
                "History is not recorded; faults and maintenance records are.",
            ],
        ),
        (true, ["无法保存，正在重试", "cannot be stored and are tried again"]),
    ] {
        *server.site.storage.lock().unwrap() = Storage { writes_refused: refused, ..full.clone() };
        for path in PAGES {
            for (language, words) in ["zh-CN", "en"].into_iter().zip(words) {
                let mark = if path.contains('?') { '&' } else { '?' };
                let page = server.get(&format!("{path}{mark}lang={language}")).await.body;
                let (_, notice) =
                    page.split_once("class=\"notice alarm\"").unwrap_or_else(|| panic!("{path}"));
                let notice = notice.split("</div>").next().unwrap();
                assert!(notice.contains(words) && notice.contains("/var/lib/roundsman"), "{path}: {notice}");
                assert!(notice.contains("12"), "how much is left: {notice}");
            }
        }
    }
}

#[tokio::test]
async fn how_far_a_past_is_taken_over_is_said_and_is_no_alarm() {
    let server = Server::start(SampleSite::small()).await;
    *server.site.storage.lock().unwrap() = Storage { filling: Some((12, 36)), ..Storage::default() };
    for (language, words) in [("zh-CN", "已完成 12/36 天"), ("en", "12/36 days are there")] {
        let page = server.get(&format!("/?lang={language}")).await.body;
        assert!(page.contains(words) && page.contains("<progress max=\"36\" value=\"12\""), "{language}");
        assert!(page.contains("class=\"notice\"") && !page.contains("notice alarm"), "{language}");
    }
}

#[tokio::test]
async fn a_fault_shows_what_happened_around_it() {
    let server = Server::start(SampleSite::whole()).await;
    let page = server.get("/faults/1").await.body;
    let around = page.split("id=\"around\"").nth(1).and_then(|rest| rest.split("</section>").next()).unwrap();
    assert!(around.contains("href=\"/faults/3\"") && !around.contains("href=\"/faults/1\""), "{around}");
    let english = server.get("/faults/1?lang=en").await.body;
    assert!(english.contains("Around that time"));
    let calm = Server::start(SampleSite::small()).await.get("/faults/1").await.body;
    assert!(calm.contains("前后 10 分钟内没有其他故障"));
}
