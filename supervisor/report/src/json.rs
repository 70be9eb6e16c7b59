//! The summary as JSON: stable names, the unit in the name, times in RFC 3339 with the site's offset.
//!
//! Percentages stand as they are printed (99.91), so that a program shows what the paper says; `null` is no data.

use crate::voice::Voice;
use crate::weekly::{self, FaultRow, Grouping, Listed, Treatment, Unit, Weekly};
use roundsman_core::fault::Ending;
use roundsman_core::figures::comparison::{Direction, Verdict};
use roundsman_core::rule::Severity;
use roundsman_core::text::Language;
use roundsman_core::time::Wall;
use serde::Serialize;
use utoipa::ToSchema;

/// The weekly equipment health summary.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeeklyReport)]
pub struct Report {
    /// Always `weekly`.
    report: &'static str,
    /// The ISO week.
    #[schema(example = "2026-W47")]
    week: String,
    /// Name of the site.
    site: String,
    /// Language of the texts.
    language: &'static str,
    /// First moment of the period.
    from: String,
    /// First moment after it: the end of the week, or now while it runs.
    to: String,
    /// Whether the week is over.
    complete: bool,
    /// When this was made.
    made_at: String,
    conclusion: Conclusion,
    indicators: Vec<Indicator>,
    health: Option<Health>,
    coverage: Coverage,
    days: Vec<Day>,
    groups: Vec<Group>,
    faults: List<Fault>,
    repeats: List<Repeat>,
    root_causes: List<Root>,
    records: List<Record>,
    open_faults: List<Fault>,
    left_over: List<LeftOver>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeeklyConclusion)]
struct Conclusion {
    /// calm, watch, trouble, unknown.
    level: &'static str,
    /// Which rule gave the lead.
    rule: &'static str,
    lead: String,
    further: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeeklyIndicator)]
struct Indicator {
    id: &'static str,
    name: String,
    /// percent, points, count, minutes.
    unit: &'static str,
    this_week: Option<f64>,
    target: Option<f64>,
    previous_week: Option<f64>,
    /// Mean of those of the four weeks before that have data.
    four_week_mean: Option<f64>,
    /// How many those are.
    mean_of_weeks: usize,
    /// This week less the week before.
    change: Option<f64>,
    /// The same in percent of the week before.
    change_percent: Option<f64>,
    /// up, down, level.
    direction: Option<&'static str>,
    /// better, worse, neither.
    verdict: Option<&'static str>,
    /// Durations that cannot be known and are in no mean.
    unknown: u32,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeeklyHealth)]
struct Health {
    score_points: f64,
    not_available_points: f64,
    open_faults_points: f64,
    without_data_points: f64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeeklyCoverage)]
struct Coverage {
    /// Time in which the supervisor watched.
    watched_ms: u64,
    /// Of that, lived twice since the clock was set back.
    repeated_ms: u64,
    /// Time of the devices that nobody watched, summed.
    devices_unknown_ms: u64,
    /// Time of the devices in the site, summed.
    devices_in_site_ms: u64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeeklyDay)]
struct Day {
    date: String,
    availability_percent: Option<f64>,
    coverage_percent: Option<f64>,
    new_faults: NewFaults,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeeklyNewFaults)]
struct NewFaults {
    critical: u32,
    major: u32,
    minor: u32,
    warning: u32,
    indeterminate: u32,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeeklyGroup)]
struct Group {
    /// all, class, tier, network.
    by: &'static str,
    id: &'static str,
    name: String,
    /// At the end of the period.
    devices: u32,
    well: u32,
    critical: u32,
    major: u32,
    lesser: u32,
    hidden: u32,
    no_data: u32,
    serviceability_percent: Option<f64>,
    availability_percent: Option<f64>,
    health_points: Option<f64>,
}

/// What is printed, and how many more there are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeeklyList)]
struct List<T> {
    items: Vec<T>,
    left_off: usize,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeeklyFault)]
struct Fault {
    id: u64,
    number: String,
    severity: &'static str,
    device: String,
    device_name: String,
    location: String,
    summary: String,
    advice: String,
    /// First bad evidence.
    first_bad: String,
    /// When the condition was over; null while it lasts.
    recovered: Option<String>,
    /// cleared, closed, withdrawn; null while it is open at the end of the period.
    ending: Option<&'static str>,
    /// How long; of an open one until the end of the period; null where nobody can know.
    lasted_ms: Option<u64>,
    /// Raised before the period.
    carried_in: bool,
    acknowledged: bool,
    /// The latest maintenance record about it.
    record: Option<String>,
    /// What that says was done.
    treatment: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeeklyRepeat)]
struct Repeat {
    device: String,
    device_name: String,
    summary: String,
    worst: &'static str,
    times: usize,
    numbers: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeeklyRoot)]
struct Root {
    number: String,
    device_name: String,
    summary: String,
    /// Faults behind it.
    hidden: u32,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeeklyRecord)]
struct Record {
    number: String,
    kind: Option<&'static str>,
    at: String,
    devices: Vec<String>,
    faults: Vec<String>,
    process: String,
    parts: Vec<String>,
    engineer: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeeklyLeftOver)]
struct LeftOver {
    record: String,
    at: String,
    devices: Vec<String>,
    what: String,
    engineer: String,
}

/// Basis points as the percentage that is printed.
fn percent(points: Option<u32>) -> Option<f64> {
    points.map(|points| f64::from(points) / 100.0)
}

/// Figures of sums have noise in their last digits: nobody prints more than four.
fn clean(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

fn texts<T: ToString>(list: &[T]) -> Vec<String> {
    list.iter().map(T::to_string).collect()
}

fn list<T, U>(listed: &Listed<T>, of: impl Fn(&T) -> U) -> List<U> {
    List { items: listed.rows.iter().map(of).collect(), left_off: listed.left_off }
}

fn indicator(of: &weekly::Indicator, v: &Voice) -> Indicator {
    let comparison = &of.comparison;
    let change = comparison.against_previous;
    Indicator {
        id: of.measure.word(),
        name: v.text(&of.measure.name()),
        unit: match of.measure.unit() {
            Unit::Percent => "percent",
            Unit::Points => "points",
            Unit::Count => "count",
            Unit::Minutes => "minutes",
        },
        this_week: comparison.this.map(clean),
        target: of.target,
        previous_week: comparison.previous.map(clean),
        four_week_mean: comparison.mean.map(clean),
        mean_of_weeks: comparison.mean_of,
        change: change.map(|change| clean(change.by)),
        change_percent: change.and_then(|change| change.relative).map(|share| clean(share * 100.0)),
        direction: change.map(|change| match change.direction {
            Direction::Up => "up",
            Direction::Down => "down",
            Direction::Level => "level",
        }),
        verdict: change.map(|change| match change.verdict {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::Neither => "neither",
        }),
        unknown: of.unknown,
    }
}

fn group(of: &weekly::Group, v: &Voice) -> Group {
    let standing = &of.standing;
    Group {
        by: match of.by {
            Grouping::All => "all",
            Grouping::Class => "class",
            Grouping::Tier => "tier",
            Grouping::Network => "network",
        },
        id: of.word,
        name: v.text(&of.name),
        devices: standing.devices,
        well: standing.well,
        critical: standing.critical,
        major: standing.major,
        lesser: standing.lesser,
        hidden: standing.hidden,
        no_data: standing.unseen,
        serviceability_percent: percent(of.serviceability),
        availability_percent: percent(of.availability),
        health_points: of.health.map(|health| f64::from(health.score.0) / 10.0),
    }
}

fn fault(of: &FaultRow, v: &Voice) -> Fault {
    let (record, treatment) = match &of.treatment {
        Treatment::Recorded { number, process } => (Some(number.to_string()), Some(process.to_string())),
        _ => (None, None),
    };
    Fault {
        id: of.id.0,
        number: of.number.to_string(),
        severity: of.severity.word(),
        device: of.device.to_string(),
        device_name: of.name.to_string(),
        location: of.location.to_string(),
        summary: v.text(&of.what),
        advice: v.text(&of.advice),
        first_bad: v.rfc3339(of.began),
        recovered: of.recovered.map(|at| v.rfc3339(at)),
        ending: of.ended.map(Ending::word),
        lasted_ms: of.lasted_ms,
        carried_in: !of.is_new,
        acknowledged: of.is_acknowledged,
        record,
        treatment,
    }
}

fn day(of: &weekly::Day, v: &Voice) -> Day {
    let [critical, major, minor, warning, indeterminate] = of.new;
    // The array has the order of the vocabulary.
    const { assert!(Severity::ALL.len() == 5) };
    Day {
        date: v.date(of.date),
        availability_percent: percent(of.availability),
        coverage_percent: percent(of.coverage),
        new_faults: NewFaults { critical, major, minor, warning, indeterminate },
    }
}

/// The summary for programs, with texts in a language.
pub fn report(weekly: &Weekly, language: Language) -> Report {
    let v = &Voice { language, zone: weekly.zone.clone() };
    let time = |at: Wall| v.rfc3339(at);
    let points = |tenths: roundsman_core::figures::health::Tenths| f64::from(tenths.0) / 10.0;
    Report {
        report: "weekly",
        week: weekly.week.to_string(),
        site: weekly.site.to_string(),
        language: language.tag(),
        from: time(weekly.period.from()),
        to: time(weekly.period.to()),
        complete: !weekly.is_running,
        made_at: time(weekly.made_at),
        conclusion: Conclusion {
            level: weekly.conclusion.level.word(),
            rule: weekly.conclusion.rule,
            lead: v.text(&weekly.conclusion.lead),
            further: weekly.conclusion.further.iter().map(|said| v.text(said)).collect(),
        },
        indicators: weekly.indicators.iter().map(|of| indicator(of, v)).collect(),
        health: weekly.health.map(|health| Health {
            score_points: points(health.score),
            not_available_points: points(health.unavailable),
            open_faults_points: points(health.faults),
            without_data_points: points(health.without_data),
        }),
        coverage: Coverage {
            watched_ms: weekly.watched_ms,
            repeated_ms: weekly.repeated_ms,
            devices_unknown_ms: weekly.unknown_ms,
            devices_in_site_ms: weekly.in_site_ms,
        },
        days: weekly.days.iter().map(|of| day(of, v)).collect(),
        groups: weekly.groups.iter().map(|of| group(of, v)).collect(),
        faults: list(&weekly.faults, |of| fault(of, v)),
        repeats: list(&weekly.repeats, |of| Repeat {
            device: of.device.to_string(),
            device_name: of.name.to_string(),
            summary: v.text(&of.what),
            worst: of.worst.word(),
            times: of.numbers.len(),
            numbers: texts(&of.numbers),
        }),
        root_causes: list(&weekly.roots, |of| Root {
            number: of.number.to_string(),
            device_name: of.name.to_string(),
            summary: v.text(&of.what),
            hidden: of.hidden,
        }),
        records: list(&weekly.records, |of| Record {
            number: of.number.to_string(),
            kind: of.kind.map(|kind| kind.word()),
            at: time(of.at),
            devices: texts(&of.devices),
            faults: texts(&of.faults),
            process: of.process.to_string(),
            parts: texts(&of.parts),
            engineer: of.engineer.to_string(),
        }),
        open_faults: list(&weekly.open, |of| fault(of, v)),
        left_over: list(&weekly.left_over, |of| LeftOver {
            record: of.number.to_string(),
            at: time(of.at),
            devices: texts(&of.devices),
            what: of.what.to_string(),
            engineer: of.engineer.to_string(),
        }),
    }
}
