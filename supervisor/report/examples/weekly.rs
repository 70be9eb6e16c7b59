//! Prints the summary of a made-up week as a page: `cargo run -p roundsman-report --example weekly [zh-CN|en]`.

#[path = "../tests/weekly/made.rs"]
mod made;

use jiff::tz::TimeZone;
use roundsman_core::text::Language;
use roundsman_core::time::Wall;
use roundsman_report::{About, Week, html, weekly};
use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let language = match std::env::args().nth(1).as_deref() {
        Some("en") => Language::English,
        _ => Language::Chinese,
    };
    let about =
        About { site: "临汾市市场监督管理局".into(), zone: TimeZone::get("Asia/Shanghai")? };
    let week = Week::parse("2026-W47")?;
    let end = week.span(&about.zone).to();
    let now = Wall(end.0 + 8 * made::HOUR);
    let page = html::page(&weekly(&made::five_weeks(end.0, now.0), &about, week, now)?, language)?;
    Ok(std::io::stdout().lock().write_all(page.as_bytes())?)
}
