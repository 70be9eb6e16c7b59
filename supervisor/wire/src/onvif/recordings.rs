//! What a recorder says of its recordings (Recording Search Service, sections 5.4 to 5.7).

use roundsman_core::time::Wall;

use super::MOST_LISTED;
use super::moment;
use super::xml::Element;

/// All channels together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The oldest picture.
    pub from: Option<Wall>,
    /// The newest.
    pub until: Option<Wall>,
    /// How many recordings there are.
    pub recordings: Option<u32>,
}

impl Summary {
    /// Reads the answer of GetRecordingSummary.
    pub fn read(answer: &Element) -> Summary {
        let said = |name: &str| answer.said(&["Summary", name]);
        Summary {
            from: said("DataFrom").and_then(moment::read),
            until: said("DataUntil").and_then(moment::read),
            recordings: said("NumberRecordings").and_then(|text| text.parse().ok()),
        }
    }
}

/// One recording: a channel's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Its token.
    pub token: Box<str>,
    /// The camera it is of, as the recorder names it.
    pub source: Box<str>,
    /// Its oldest picture.
    pub from: Option<Wall>,
    /// Its newest picture.
    pub until: Option<Wall>,
    /// `Initiated`, `Recording`, `Stopped`, `Removing`, `Removed` or `Unknown`.
    pub status: Box<str>,
}

/// The token of a search, from the answer of FindRecordings.
pub fn search(answer: &Element) -> Option<&str> {
    answer.said(&["SearchToken"])
}

/// What a search found up to now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Whether that is all.
    pub complete: bool,
    /// The recordings, at most [`MOST_LISTED`].
    pub recordings: Vec<Recording>,
}

impl Found {
    /// Reads the answer of GetRecordingSearchResults.
    pub fn read(answer: &Element) -> Found {
        let Some(list) = answer.child("ResultList") else { return Found::default() };
        let recordings = list.all("RecordingInformation").filter_map(recording).take(MOST_LISTED).collect();
        Found { complete: list.said(&["SearchState"]) == Some("Completed"), recordings }
    }
}

fn recording(said: &Element) -> Option<Recording> {
    let tracks = || said.all("Track");
    let moment = |name: &str| said.said(&[name]).and_then(moment::read);
    // Some say it of the tracks alone.
    let of_tracks = |name: &'static str| tracks().filter_map(move |track| moment::read(track.said(&[name])?));
    Some(Recording {
        token: said.said(&["RecordingToken"])?.into(),
        source: said
            .said(&["Source", "Name"])
            .or_else(|| said.said(&["Source", "SourceId"]))
            .unwrap_or("")
            .into(),
        from: moment("EarliestRecording").or_else(|| of_tracks("DataFrom").min()),
        until: moment("LatestRecording").or_else(|| of_tracks("DataTo").max()),
        status: said.said(&["RecordingStatus"]).unwrap_or("Unknown").into(),
    })
}
