//! The weekly summary of made-up pasts: what it says in both languages, as text and as JSON.

mod made;
mod pages;
mod weeks;

use jiff::tz::TimeZone;
use made::{DAY, HOUR, Made, WEEK};
use roundsman_core::text::Language;
use roundsman_core::time::Wall;
use roundsman_report::{About, Past, Week, Weekly, html, json, weekly};

/// Midnight before Monday, 2026-11-16, in Shanghai: week 47 begins.
const MONDAY: i64 = 1_794_758_400_000;

fn about(zone: &str) -> About {
    About { site: "临汾市市场监督管理局".into(), zone: TimeZone::get(zone).unwrap() }
}

fn week(text: &str) -> Week {
    Week::parse(text).unwrap()
}

/// Of week 47 in Shanghai, made on the Monday after it.
fn of_week_47(past: &Past) -> Weekly {
    weekly(past, &about("Asia/Shanghai"), week("2026-W47"), Wall(MONDAY + WEEK + 8 * HOUR)).unwrap()
}
