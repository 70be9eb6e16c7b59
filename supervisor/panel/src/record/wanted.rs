//! Which records an address asks for: the API, the page and the table take the same words.

use crate::site::RecordQuery;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use roundsman_core::fault::FaultId;
use roundsman_core::record::{Kind, RecordNumber};
use roundsman_core::time::Wall;
use serde::Deserialize;
use utoipa::IntoParams;

/// Longest search, characters.
const LONGEST_SEARCH: usize = 100;

/// What is asked for; an empty value does not matter.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only records of this device.
    #[param(required = false)]
    pub(crate) device: String,
    /// Only records of the fault with this id.
    #[param(required = false)]
    pub(crate) fault: String,
    /// preventive, corrective, inspection, change or spare.
    #[param(required = false)]
    pub(crate) kind: String,
    /// Happened on this day or later (2026-11-18 in site time), or at this moment or later (RFC 3339).
    #[param(required = false)]
    pub(crate) from: String,
    /// Happened on this day or earlier, or before this moment.
    #[param(required = false)]
    pub(crate) to: String,
    /// Words that all stand somewhere in the record; at most 100 characters.
    #[param(required = false)]
    pub(crate) q: String,
    /// 1 to 200; 50 unless said otherwise.
    #[param(required = false)]
    pub(crate) limit: String,
    /// Only records written before the one with this number: the next page.
    #[param(required = false)]
    pub(crate) before: String,
}

impl Wanted {
    /// The question; `None` if a word of it means nothing.
    pub(crate) fn query(&self, zone: &TimeZone) -> Option<RecordQuery> {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Some(RecordQuery {
            device: given(&self.device).map(Into::into),
            fault: given(&self.fault).map(|id| id.parse().map(FaultId)).transpose().ok()?,
            kind: match &*self.kind {
                "" => None,
                word => Some(Kind::from_word(word)?),
            },
            from: moment(&self.from, zone, false)?,
            to: moment(&self.to, zone, true)?,
            text: self.q.chars().take(LONGEST_SEARCH).collect(),
        })
    }

    /// The question without the words that mean nothing: a page ignores them.
    pub(crate) fn understood(mut self, zone: &TimeZone) -> (Wanted, RecordQuery) {
        if self.fault.parse::<u64>().is_err() {
            self.fault.clear();
        }
        if Kind::from_word(&self.kind).is_none() {
            self.kind.clear();
        }
        if moment(&self.from, zone, false).is_none() {
            self.from.clear();
        }
        if moment(&self.to, zone, true).is_none() {
            self.to.clear();
        }
        self.q = self.q.chars().take(LONGEST_SEARCH).collect();
        let query = self.query(zone).unwrap_or_default();
        (self, query)
    }

    /// Where the page begins; an error where the number is none.
    pub(crate) fn before(&self) -> Result<Option<RecordNumber>, ()> {
        match &*self.before {
            "" => Ok(None),
            text => RecordNumber::parse(text).map(Some).ok_or(()),
        }
    }

    /// The filters, by the words of the address.
    pub(crate) fn pairs(&self) -> [(&'static str, &str); 6] {
        [
            ("kind", &self.kind),
            ("device", &self.device),
            ("fault", &self.fault),
            ("from", &self.from),
            ("to", &self.to),
            ("q", &self.q),
        ]
    }
}

/// A day's begin (or end) in the zone, or a moment; `None` if the text is neither, `Some(None)` if it is empty.
fn moment(text: &str, zone: &TimeZone, end: bool) -> Option<Option<Wall>> {
    if text.is_empty() {
        return Some(None);
    }
    let at = match text.parse::<Date>() {
        Ok(day) => {
            let day = if end { day.tomorrow().ok()? } else { day };
            day.to_zoned(zone.clone()).ok()?.timestamp()
        }
        Err(_) => text.parse::<Timestamp>().ok()?,
    };
    Some(Some(Wall(at.as_millisecond())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_are_read_in_site_time() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        for (text, end, ms) in [
            ("", false, Some(None)),
            ("2026-11-18", false, Some(Some(1_794_931_200_000))),
            ("2026-11-18", true, Some(Some(1_795_017_600_000))),
            ("2026-11-18T00:00:00+08:00", false, Some(Some(1_794_931_200_000))),
            ("2026-11-18T00:00:00Z", true, Some(Some(1_794_960_000_000))),
            ("2026-13-01", false, None),
            ("yesterday", false, None),
            ("9999-12-31", true, None),
        ] {
            assert_eq!(moment(text, &zone, end), ms.map(|at| at.map(Wall)), "{text}");
        }
        let wanted = Wanted { kind: "x".into(), fault: "y".into(), from: "z".into(), ..Wanted::default() };
        assert_eq!(wanted.query(&zone), None);
        assert_eq!(wanted.understood(&zone).1, RecordQuery::default());
    }
}
