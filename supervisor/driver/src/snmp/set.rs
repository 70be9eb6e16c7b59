//! SET: an agent is told once, by whoever gives a command, apart from all polls.
//!
//! **Duty.** [`set`] has the library write and send one SetRequest with all bindings, which the agent carries out as a
//! whole or not at all (RFC 3416 section 4.2.5), and says what came back in the words of the RFC.
//!
//! **Refuses.** It never sends twice: whether a request that stayed unanswered was carried out only a look at the device
//! can tell. What is asked before (the engine of v3) may be asked for again.

use super::counted::Passed;
use super::exchange::{Failure, Shared, Speaker, failure};
use super::remark::Remark;
use async_snmp::{Error, ErrorStatus, Oid, Value};
use roundsman_core::reading::Absence;
use roundsman_wire::bus::order::Verdict;
use roundsman_wire::snmp::session::Target;
use roundsman_wire::snmp::set::{Binding, Setting};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Receive buffer of the socket, octets: one answer fits.
const RECEIVE_BUFFER: usize = 128 << 10;

/// What came of a SET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What the agent said: an error status of RFC 3416 and the object that it is about; or why it was not asked.
    pub said: Option<String>,
    /// What that means.
    pub verdict: Verdict,
    /// Whether the request went out.
    pub sent: bool,
}

impl Answered {
    fn unsent(failure: Failure) -> Answered {
        let (why, said) = reason(failure);
        Answered { said, verdict: Verdict::Failed(why), sent: false }
    }
}

/// Sets `bindings` in the agent `target`, as the community or user that it names. Waits `timeout_ms` of the target for
/// the answer.
pub async fn set(target: &Target, bindings: &[Binding]) -> Answered {
    let shared = Shared::new(Ipv4Addr::UNSPECIFIED, RECEIVE_BUFFER);
    let once = Arc::new(Target { retries: 0, ..target.clone() });
    let speaker = match Speaker::of_target(&shared, &once, &Passed::default()).await {
        Ok(speaker) => speaker,
        Err(failure) => return Answered::unsent(failure),
    };
    if target.user.is_some()
        && let Err(failure) = discovered(&speaker, target.retries).await
    {
        return Answered::unsent(failure);
    }
    let values: Vec<(Oid, Value)> = bindings.iter().map(value).collect();
    match speaker.set(&values).await {
        Ok(()) => Answered {
            said: Some(ErrorStatus::NoError.to_string()),
            verdict: Verdict::Acknowledged,
            sent: true,
        },
        Err(error) => refused(&error, bindings),
    }
}

/// Finds the engine of a v3 agent, so that the SET itself is one datagram. A user who may write and not read is refused
/// a reading only.
async fn discovered(speaker: &Speaker, retries: u8) -> Result<(), Failure> {
    for _ in 0..retries {
        match speaker.knock().await {
            Err(Failure::Silent) => {}
            Ok(()) | Err(Failure::Refused(Remark::NotPermitted)) => return Ok(()),
            Err(failure) => return Err(failure),
        }
    }
    speaker.knock().await
}

fn value(binding: &Binding) -> (Oid, Value) {
    let name = |oid: &roundsman_wire::snmp::oid::Oid| Oid::from_slice(oid.arcs());
    let value = match &binding.value {
        Setting::Integer(number) => Value::Integer(*number),
        Setting::Unsigned(number) => Value::Gauge32(*number),
        Setting::Text(text) => Value::OctetString(text.as_bytes().to_vec().into()),
        Setting::Name(other) => Value::ObjectIdentifier(name(other)),
    };
    (name(&binding.oid), value)
}

/// What a SET that was not carried out came to.
fn refused(error: &Error, bindings: &[Binding]) -> Answered {
    let Error::Snmp { status, index, .. } = error.exchange_source() else {
        let (why, said) = reason(failure(error));
        let verdict = match why {
            Absence::Denied => Verdict::Refused(why),
            _ => Verdict::Failed(why),
        };
        return Answered { said, verdict, sent: true };
    };
    let about = usize::try_from(*index).ok().and_then(|index| bindings.get(index.checked_sub(1)?));
    let said = about.map_or_else(|| status.to_string(), |binding| format!("{status}: {}", binding.oid));
    Answered { said: Some(said), verdict: Verdict::Refused(meaning(*status)), sent: true }
}

/// RFC 3416 section 4.2.5, in the order of the numbers of its section 3.
fn meaning(status: ErrorStatus) -> Absence {
    match status {
        ErrorStatus::ReadOnly
        | ErrorStatus::NoAccess
        | ErrorStatus::AuthorizationError
        | ErrorStatus::NotWritable => Absence::Denied,
        ErrorStatus::NoSuchName | ErrorStatus::NoCreation | ErrorStatus::InconsistentName => {
            Absence::Unsupported
        }
        _ => Absence::Invalid,
    }
}

/// Why there is no answer, and what is to be said of it.
fn reason(failure: Failure) -> (Absence, Option<String>) {
    match failure {
        Failure::Silent => (Absence::Timeout, None),
        Failure::Refused(remark) | Failure::Stale(remark) => {
            (Absence::Denied, Some(remark.text().en.to_string()))
        }
    }
}
