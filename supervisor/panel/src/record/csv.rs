//! Records as a table for spreadsheets (RFC 4180), in the asker's language.
//!
//! The byte order mark makes spreadsheets of Chinese offices read it as UTF-8. What people and devices wrote must not
//! become a formula there: a cell that could be one begins with an apostrophe.

use super::{Wanted, shown};
use crate::problem::{Kind, Problem};
use crate::router::Panel;
use crate::site::RecordQuery;
use crate::voice::Voice;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use roundsman_core::record::{Field, Record, RecordNumber};
use std::io;
use std::sync::Arc;

/// Records read at a time: the table is sent as it is read and never stands in memory whole.
const AT_A_TIME: usize = 100;

/// Maintenance records as they stand, as comma-separated values in UTF-8 with a byte order mark.
#[utoipa::path(get, path = "/api/v1/records.csv", tag = "records", params(Wanted),
    responses((status = 200, body = String, content_type = "text/csv", description = "All that fit; `limit` and `before` do not count"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn csv(
    State(panel): State<Panel>,
    voice: Voice,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let Some(query) = wanted.ok().and_then(|Query(wanted)| wanted.query(&voice.zone)) else {
        return Kind::BadRecordQuery.answer(&voice);
    };
    // The first part is read before the head is sent: a store that does not answer is said so.
    let first = match panel.site.records(query.clone(), AT_A_TIME, None).await {
        Ok(first) => first,
        Err(why) => return Kind::unavailable(&why).answer(&voice),
    };
    let name = format!("attachment; filename=\"records-{}.csv\"", voice.day(panel.site.now()));
    let begin = format!("\u{feff}{}{}", heading(&voice), table(&first, &voice));
    let next = following(&first);
    let state = (panel, Arc::new(voice), query, next);
    let rest = stream::unfold(state, |(panel, voice, query, next)| async move {
        let part = part(&panel, &voice, &query, next?).await;
        let next = part.as_ref().ok().and_then(|(_, next)| *next);
        Some((part.map(|(text, _)| text), (panel, voice, query, next)))
    });
    let all = futures_util::StreamExt::chain(stream::once(async { Ok::<_, io::Error>(begin) }), rest);
    let head = [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, &name)];
    (head, Body::from_stream(all)).into_response()
}

/// Where the next part begins, if there is one.
fn following(part: &[Record]) -> Option<RecordNumber> {
    part.last().filter(|_| part.len() == AT_A_TIME).map(|record| record.number)
}

/// One more part. An error cuts the download off, so that half a table is never taken for a whole one.
async fn part(
    panel: &Panel,
    voice: &Voice,
    query: &RecordQuery,
    before: RecordNumber,
) -> io::Result<(String, Option<RecordNumber>)> {
    let records = panel.site.records(query.clone(), AT_A_TIME, Some(before)).await.map_err(|why| {
        tracing::error!(reason = why.0, "the table of records was cut off");
        io::Error::other("the store does not answer")
    })?;
    Ok((table(&records, voice), following(&records)))
}

fn heading(v: &Voice) -> String {
    let own = ["records.number", "records.written", "records.amended"].map(|key| v.t(key).into_owned());
    let fields = Field::of_record().map(|field| v.text(&field.name()));
    line(own.into_iter().chain(fields))
}

fn table(records: &[Record], v: &Voice) -> String {
    let row = |record: &Record| {
        let now = record.current();
        let own = [record.number.to_string(), v.long(record.at), record.amendments.len().to_string()];
        line(own.into_iter().chain(Field::of_record().map(|field| match field {
            // A bare number, to be added up.
            Field::Cost => now.text(field),
            field => shown(&now, field, v),
        })))
    };
    records.iter().map(row).collect()
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|text| cell(&text)).collect();
    cells.join(",") + "\r\n"
}

/// One cell: no formula, quoted where it must be.
fn cell(text: &str) -> String {
    // Also in the full width that Chinese input gives, which some spreadsheets take for the same.
    let first = text.trim_start().chars().next();
    let is_formula =
        first.is_some_and(|c| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '|' | '%'));
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    let must_be_quoted = text.contains(['"', ',', ';', '\t', '\r', '\n', '\'']);
    if must_be_quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_every_cell_stays_one() {
        for (text, written) in [
            ("", ""),
            ("王工", "王工"),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            ("+86 357", "\"'+86 357\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("＝1", "\"'＝1\""),
            ("\t=1", "\"'\t=1\""),
            ("a,b", "\"a,b\""),
            ("两\n行", "\"两\n行\""),
            ("a=b", "a=b"),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
    }
}
