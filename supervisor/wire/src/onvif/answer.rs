//! Whether an answer is what was asked for, a fault, or nothing of either.

use roundsman_core::text::safe;

use super::call::Call;
use super::xml::{self, Broken, Element};

/// Longest reason that is kept of a fault, and longest code.
const MOST_REASON: usize = 256;
const MOST_CODE: usize = 64;

/// Why an answer holds nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// It is no XML.
    #[error("the answer is no XML: {0}")]
    Broken(#[from] Broken),
    /// It is no SOAP envelope with a body.
    #[error("<{0}> is no SOAP envelope")]
    NoEnvelope(Box<str>),
    /// The device refuses.
    #[error("{0}")]
    Fault(Fault),
    /// It answers another question, or echoes this one.
    #[error("<{came}> came where <{expected}Response> was due")]
    Other {
        /// What came.
        came: Box<str>,
        /// The operation that was asked.
        expected: &'static str,
    },
}

/// What kind of refusal a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The login is missing or wrong, or the token's time is outside the window.
    NotAuthorized,
    /// The account or our address is locked: nothing may be tried for a while.
    Locked,
    /// The device does not do this.
    NotSupported,
    /// A subscription, profile or search is not there any more.
    NotThere,
    /// Anything else.
    Other,
}

/// A SOAP fault (SOAP 1.2 part 1, section 5.4; the words of 1.1 are read as well).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {reason}")]
pub struct Fault {
    /// The innermost code without a prefix, such as `NotAuthorized`.
    pub code: Box<str>,
    /// What it says of itself, fit to be shown.
    pub reason: Box<str>,
    /// What kind it is.
    pub refusal: Refusal,
}

/// The answer's own element.
pub fn read(call: &Call<'_>, octets: &[u8]) -> Result<Element, Unread> {
    let document = xml::read(octets)?;
    if *document.name != *"Envelope" {
        return Err(Unread::NoEnvelope(shown(&document.name)));
    }
    let body = document.child("Body").ok_or_else(|| Unread::NoEnvelope(shown(&document.name)))?;
    if let Some(fault) = body.child("Fault") {
        return Err(Unread::Fault(read_fault(fault)));
    }
    let expected = call.operation();
    let is_due = |name: &str| name.strip_suffix("Response") == Some(expected);
    match body.children().iter().find(|child| is_due(&child.name)) {
        Some(answer) => Ok(answer.clone()),
        None => {
            let came = body.children().first().map_or_else(|| "Body".into(), |child| shown(&child.name));
            Err(Unread::Other { came, expected })
        }
    }
}

/// A name that the device chose, fit to be shown.
fn shown(name: &str) -> Box<str> {
    safe(name, MOST_CODE).into()
}

fn read_fault(fault: &Element) -> Fault {
    // Codes are nested, the innermost says most.
    let mut codes = Vec::new();
    let mut at = fault.child("Code");
    while let Some(code) = at {
        codes.extend(code.said(&["Value"]));
        at = code.child("Subcode");
    }
    codes.extend(fault.said(&["faultcode"]));
    let local = |code: &str| code.rsplit(':').next().unwrap_or(code).to_owned();
    let codes: Vec<String> = codes.into_iter().map(local).collect();
    let reason = fault.said(&["Reason", "Text"]).or_else(|| fault.said(&["faultstring"])).unwrap_or("");
    let detail = fault.said(&["Detail", "Text"]).or_else(|| fault.said(&["detail"])).unwrap_or("");
    let reason = if reason.is_empty() { detail } else { reason };
    let refusal = kind(&codes, &format!("{reason} {detail}").to_lowercase());
    let code = codes.last().map_or("Fault", |code| code);
    Fault { code: safe(code, MOST_CODE).into(), reason: safe(reason, MOST_REASON).into(), refusal }
}

fn kind(codes: &[String], said: &str) -> Refusal {
    let coded =
        |words: &[&str]| codes.iter().any(|code| words.iter().any(|word| code.eq_ignore_ascii_case(word)));
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    // "Blocked" holds "locked"; "not locked" is said by nobody.
    if coded(&["AccountLocked", "Locked"])
        || says(&["is locked", "account locked", "been locked", "blocked", "锁定"])
    {
        Refusal::Locked
    } else if coded(&[
        "NotAuthorized",
        "FailedAuthentication",
        "InvalidSecurity",
        "FailedCheck",
        "InvalidSecurityToken",
    ]) || says(&[
        "not authorized",
        "unauthorized",
        "authentication fail",
        "authority failure",
        "sender not authorized",
    ]) {
        Refusal::NotAuthorized
    } else if coded(&["ActionNotSupported", "OptionalActionNotImplemented", "NotSupported"])
        || says(&["not supported", "unsupported", "not implemented", "unknown action"])
    {
        Refusal::NotSupported
    } else if coded(&["ResourceUnknownFault", "NoProfile", "NoEntity", "InvalidToken", "NoSuchToken"])
        || says(&["resource unknown"])
    {
        Refusal::NotThere
    } else {
        Refusal::Other
    }
}
