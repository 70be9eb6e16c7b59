use super::*;

fn calm_week() -> Grounds {
    Grounds {
        devices: 60,
        observed: Some(10_000),
        availability: Some(10_000),
        target: 9_990,
        watched_ms: 604_800_000,
        ..Grounds::default()
    }
}

/// A change of a calm week.
type Change = fn(&mut Grounds);

/// Each week has what the rules below its own look for as well: the order decides.
#[test]
fn the_first_rule_that_holds_gives_the_verdict() {
    let changes: [(Change, &str, Level); 12] = [
        (|_| (), "quiet", Level::Calm),
        (|g| (g.new, g.ended) = (5, 5), "recovered", Level::Calm),
        (|g| g.open = 2, "open", Level::Calm),
        (|g| (g.open, g.new_critical) = (0, 1), "recovered-critical", Level::Calm),
        (
            |g| (g.observed, g.watched_ms, g.unwatched_ms) = (Some(9_000), 544_320_000, 60_480_000),
            "unobserved",
            Level::Watch,
        ),
        (|g| (g.repeats, g.most_repeated) = (2, Some(("ＵＰＳ".into(), 4))), "repeated", Level::Watch),
        (|g| (g.open, g.open_major) = (1, vec!["核心路由器".into()]), "major-open", Level::Watch),
        (
            |g| {
                g.availability = Some(8_912);
                g.worst = Some(WorstDevice { name: "洪洞县局".into(), down_ms: 31_020_000 });
            },
            "below-target",
            Level::Trouble,
        ),
        (
            |g| g.open_critical = ["甲所", "乙所", "丙所", "丁所"].map(Arc::from).to_vec(),
            "critical-open",
            Level::Trouble,
        ),
        (|g| (g.observed, g.unseen) = (Some(4_999), 3), "mostly-unobserved", Level::Unknown),
        (|g| (g.observed, g.availability) = (Some(0), None), "nothing-observed", Level::Unknown),
        (|g| (g.devices, g.observed) = (0, None), "no-devices", Level::Unknown),
    ];
    let mut grounds = calm_week();
    let mut text = String::new();
    for (change, rule, level) in changes {
        change(&mut grounds);
        let found = conclude(&grounds);
        assert_eq!((found.rule, found.level), (rule, level));
        text += &format!("{rule}: {}\n", level.word());
        for said in std::iter::once(&found.lead).chain(&found.further) {
            text += &format!("  {}\n  {}\n", said.zh, said.en);
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_edges_of_the_rules() {
    let with = |change: Change| {
        let mut grounds = calm_week();
        change(&mut grounds);
        conclude(&grounds).rule
    };
    assert_eq!(with(|g| g.availability = Some(9_990)), "quiet", "the target is reached");
    assert_eq!(with(|g| g.availability = Some(9_989)), "below-target");
    let level = |availability| conclude(&Grounds { availability: Some(availability), ..calm_week() }).level;
    assert_eq!([9_989, 9_901, 9_900].map(level), [Level::Watch, Level::Watch, Level::Trouble]);
    assert_eq!(with(|g| g.observed = Some(9_950)), "quiet");
    assert_eq!(with(|g| g.observed = Some(9_949)), "unobserved");
    assert_eq!(with(|g| g.observed = Some(5_000)), "unobserved");
    // The site began on Friday: its devices were observed ever since, the week was not.
    assert_eq!(with(|g| (g.watched_ms, g.unwatched_ms) = (200_000_000, 404_800_000)), "mostly-unobserved");
    assert_eq!(with(|g| (g.watched_ms, g.unwatched_ms) = (600_000_000, 4_800_000)), "unobserved");
    // All of it under maintenance: observed, and nothing that should have run.
    assert_eq!(with(|g| g.availability = None), "quiet");
    assert_eq!(with(|g| g.ended = 3), "recovered", "old ones that ended this week");
}
