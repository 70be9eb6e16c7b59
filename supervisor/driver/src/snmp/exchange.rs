//! One request and its answer inside SNMPv3: what the session wrote as a v2c message is asked through async-snmp,
//! and the answer is given back as one.
//!
//! The library wants names and gives values, the session writes and reads datagrams; going through the v2c form
//! keeps one session for all versions, with all that it remembers of a device.

use super::counted::{Counted, Passed};
use super::remark::Remark;
use async_snmp::message::CommunityMessage;
use async_snmp::pdu::{Pdu, PduBody, PduType, StandardPduType};
use async_snmp::transport::UdpTransport;
use async_snmp::v3::{DesSaltState, EngineCache, PersistedDesSaltState, ReportStatus};
use async_snmp::{
    Auth, AuthProtocol, Client, ClientBuilder, DecodeConfig, Error, ErrorStatus, MasterKeys, Oid,
    PrivProtocol, Retry, UsmConfig, Value, VarBind,
};
use roundsman_wire::snmp::Version;
use roundsman_wire::snmp::session::Target;
use roundsman_wire::snmp::user::{self, Privacy, User};
use std::convert::Infallible;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// Credentials whose keys are kept derived; a site has a handful. Past it they are derived anew.
const MOST_USERS: usize = 64;
/// Names in one request: more than the session ever asks for at once, so the library never splits one.
const MOST_NAMES: usize = 256;
/// sysUpTime.0 (RFC 3418).
const UPTIME: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 3, 0];

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing came back in time.
    Silent,
    /// The agent refused, or what came back is of no use.
    Refused(Remark),
    /// What is known of the engine may be out of date: worth another try from its discovery on.
    Stale(Remark),
}

/// The sockets and keys of all v3 devices.
pub(super) struct Shared {
    source: Ipv4Addr,
    receive_buffer: usize,
    v4: OnceCell<UdpTransport>,
    v6: OnceCell<UdpTransport>,
    keys: Mutex<Vec<(Arc<User>, UsmConfig)>>,
    /// RFC 3414 section 8.1.1.1 wants no DES salt used twice under one key: a start begins at a random boot count.
    salt: Option<DesSaltState>,
}

impl Shared {
    pub(super) fn new(source: Ipv4Addr, receive_buffer: usize) -> Shared {
        let random = RandomState::new().build_hasher().finish();
        let boots = PersistedDesSaltState::new((random >> 34) as u32 + 1);
        let salt =
            boots.ok().and_then(|boots| DesSaltState::restart(boots, |_| Ok::<(), Infallible>(())).ok());
        Shared {
            source,
            receive_buffer,
            v4: OnceCell::new(),
            v6: OnceCell::new(),
            keys: Mutex::default(),
            salt,
        }
    }

    /// Datagrams that belonged to no request that waited, on both sockets: late, double, foreign or unreadable.
    pub(super) fn strays(&self) -> u64 {
        let open = [&self.v4, &self.v6].into_iter().filter_map(OnceCell::get);
        open.map(|transport| transport.stats())
            .map(|stats| stats.discarded_datagrams.saturating_add(stats.malformed_datagrams))
            .sum()
    }

    async fn transport(&self, to: SocketAddr) -> async_snmp::Result<&UdpTransport> {
        let (cell, local) = match to {
            SocketAddr::V4(_) => (&self.v4, format!("{}:0", self.source)),
            SocketAddr::V6(_) => (&self.v6, "[::]:0".to_owned()),
        };
        let open = || UdpTransport::builder().bind(local).recv_buffer_size(self.receive_buffer).build();
        cell.get_or_try_init(open).await
    }

    /// The user with its keys; the derivation (a megabyte through the digest, RFC 3414 appendix A.2) is done once.
    fn usm(&self, user: &Arc<User>) -> async_snmp::v3::CryptoResult<UsmConfig> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, usm)) = keys.iter().find(|(known, _)| known == user) {
            return Ok(usm.clone());
        }
        let mut usm = UsmConfig::new(user.name.as_bytes().to_vec());
        if let Some(own) = &user.keys {
            let mut master = MasterKeys::new(auth(own.auth), own.auth_key.reveal())?;
            if let Some((privacy, key)) = &own.privacy {
                master = master.with_privacy(protocol(*privacy), key.reveal())?;
            }
            usm = usm.with_master_keys(master)?;
        }
        if keys.len() >= MOST_USERS {
            keys.clear();
        }
        keys.push((user.clone(), usm.clone()));
        Ok(usm)
    }
}

fn auth(auth: user::Auth) -> AuthProtocol {
    match auth {
        user::Auth::Md5 => AuthProtocol::Md5,
        user::Auth::Sha1 => AuthProtocol::Sha1,
        user::Auth::Sha224 => AuthProtocol::Sha224,
        user::Auth::Sha256 => AuthProtocol::Sha256,
        user::Auth::Sha384 => AuthProtocol::Sha384,
        user::Auth::Sha512 => AuthProtocol::Sha512,
    }
}

fn protocol(privacy: Privacy) -> PrivProtocol {
    match privacy {
        Privacy::Des => PrivProtocol::Des,
        Privacy::Aes128 => PrivProtocol::Aes128,
        Privacy::Aes192 => PrivProtocol::Aes192Blumenthal,
        Privacy::Aes256 => PrivProtocol::Aes256Blumenthal,
        Privacy::Aes192Cisco => PrivProtocol::Aes192Reeder,
        Privacy::Aes256Cisco => PrivProtocol::Aes256Reeder,
    }
}

/// The way to one agent.
pub(super) struct Speaker {
    client: Client<Counted>,
    passed: Passed,
    engines: Arc<EngineCache>,
    /// Whom and how it asks.
    pub(super) target: Arc<Target>,
}

impl Speaker {
    /// Sends nothing: the engine is discovered with the first request. `lenient` listens to unsigned reports under a
    /// signed request (RFC 3414 section 3.2 has an agent refuse a user or a key so); anybody on the way can forge one,
    /// so it is for finding out why there is silence, and takes no data unsigned either. What it costs goes to `passed`.
    pub(super) async fn new(
        shared: &Shared,
        target: &Arc<Target>,
        user: &Arc<User>,
        lenient: bool,
        passed: &Passed,
    ) -> Result<Speaker, Failure> {
        let usm = shared.usm(user).map_err(|error| Failure::Refused(Remark::NotAsked(error.to_string())))?;
        Speaker::with(shared, target, usm.into(), lenient, passed).await
    }

    /// The same to whatever agent, with the community or the user that the target names.
    pub(super) async fn of_target(
        shared: &Shared,
        target: &Arc<Target>,
        passed: &Passed,
    ) -> Result<Speaker, Failure> {
        let community = target.community.to_vec();
        let auth = match (&target.user, target.version) {
            (Some(user), _) => return Speaker::new(shared, target, user, false, passed).await,
            (None, Version::V1) => Auth::v1(community),
            (None, Version::V2c) => Auth::v2c(community),
        };
        Speaker::with(shared, target, auth, false, passed).await
    }

    async fn with(
        shared: &Shared,
        target: &Arc<Target>,
        auth: Auth,
        lenient: bool,
        passed: &Passed,
    ) -> Result<Speaker, Failure> {
        let not_asked = |why: String| Failure::Refused(Remark::NotAsked(why));
        let transport =
            shared.transport(target.address).await.map_err(|error| not_asked(error.to_string()))?;
        let retry = Retry::fixed(target.retries.into(), Duration::ZERO);
        let retry = retry.map_err(|error| not_asked(error.to_string()))?;
        // A cache of its own: what is known of the engine is forgotten with the speaker.
        let engines = Arc::new(EngineCache::new());
        let handle = transport.handle(target.address).map_err(|error| not_asked(error.to_string()))?;
        let mut builder = ClientBuilder::new(auth)
            .request_timeout(Duration::from_millis(target.timeout_ms.into()))
            .retry(retry)
            .max_oids_per_request(MOST_NAMES)
            .allow_unauthenticated_v3_time_correction(lenient)
            .engine_cache(engines.clone());
        if let Some(salt) = &shared.salt {
            builder = builder.des_salt_state(salt.clone());
        }
        let way = Counted { handle: handle.strict_source(target.strict_source), passed: passed.clone() };
        let client = builder.build_with_transport(way).map_err(|error| not_asked(error.to_string()))?;
        Ok(Speaker { client, passed: passed.clone(), engines, target: target.clone() })
    }

    /// The identifier of the engine that answers.
    pub(super) fn engine(&self) -> Option<Vec<u8>> {
        self.engines.get(&self.target.address).map(|state| state.engine_id().to_vec())
    }

    /// Asks for sysUpTime.0 alone, and says why that brings nothing.
    pub(super) async fn knock(&self) -> Result<(), Failure> {
        self.passed.begin();
        match self.client.get(&Oid::from_slice(&UPTIME)).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// Sets objects, all or none.
    pub(super) async fn set(&self, values: &[(Oid, Value)]) -> async_snmp::Result<()> {
        self.passed.begin();
        self.client.set_many(values).await.map(|_| ())
    }

    /// What an error means, silence counted.
    fn failure(&self, error: &Error) -> Failure {
        let failure = failure(error);
        if matches!(failure, Failure::Silent) {
            self.passed.timed_out();
        }
        failure
    }

    /// Asks what the v2c message `datagram` asks; the answer is a v2c message as well.
    pub(super) async fn exchange(&self, datagram: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let asked = CommunityMessage::decode(datagram.into(), DecodeConfig::default());
        let asked = asked.map_err(|error| Failure::Refused(Remark::NotAsked(error.to_string())))?;
        let Some(asked) = asked.value.into_pdu() else {
            return Err(Failure::Refused(Remark::NotAsked("a trap".to_owned())));
        };
        self.passed.begin();
        let names: Vec<Oid> = asked.varbinds().iter().map(|bind| bind.oid.clone()).collect();
        let answer = match (asked.get_bulk_fields(), asked.pdu_type()) {
            (Some((singles, repetitions)), _) => self.client.get_bulk(&names, singles, repetitions).await,
            (None, PduType::GetNextRequest) => {
                self.client.get_next_many(&names).await.map(|response| response.varbinds)
            }
            (None, _) => self.client.get_many(&names).await.map(|response| response.varbinds),
        };
        let (status, index, binds) = match answer {
            Ok(binds) => (ErrorStatus::NoError, 0, binds),
            Err(error) => match status(&error) {
                // RFC 3416 section 4.2.1: this one comes without bindings.
                Some((ErrorStatus::TooBig, _)) => (ErrorStatus::TooBig, 0, Vec::new()),
                Some((status, index)) => (status, index, nulls(names)),
                None => return Err(self.failure(&error)),
            },
        };
        let body = PduBody::Standard {
            pdu_type: StandardPduType::Response,
            error_status: status.as_i32(),
            error_index: i32::try_from(index).unwrap_or(0),
        };
        let answer = Pdu::from_raw_parts(asked.request_id(), body, binds);
        let message = CommunityMessage::v2c(Vec::new(), answer).and_then(|message| message.encode());
        message.map(|octets| octets.to_vec()).map_err(|error| {
            tracing::debug!(%error, "an SNMPv3 answer that does not fit the v2c form");
            Failure::Refused(Remark::Unreadable)
        })
    }
}

fn nulls(names: Vec<Oid>) -> Vec<VarBind> {
    names.into_iter().map(VarBind::null).collect()
}

/// An error status that the session knows to handle.
fn status(error: &Error) -> Option<(ErrorStatus, u32)> {
    match error.exchange_source() {
        Error::Snmp { status: ErrorStatus::AuthorizationError, .. } => None,
        // An error about no name in particular: the session asks for less, as after tooBig.
        Error::Snmp { index: 0, .. } => Some((ErrorStatus::TooBig, 0)),
        Error::Snmp { status: ErrorStatus::Unknown(_), index, .. } => Some((ErrorStatus::GenErr, *index)),
        Error::Snmp { status, index, .. } => Some((*status, *index)),
        Error::OutboundMessageTooLarge { .. } => Some((ErrorStatus::TooBig, 0)),
        _ => None,
    }
}

pub(super) fn failure(error: &Error) -> Failure {
    match error.exchange_source() {
        Error::Timeout { .. } => Failure::Silent,
        Error::Network { source, target } => {
            tracing::debug!(to = %target, %source, "an SNMPv3 request could not be sent");
            Failure::Silent
        }
        Error::Snmp { .. } => Failure::Refused(Remark::NotPermitted),
        Error::Report { status, .. } => match &**status {
            ReportStatus::UnknownUserName { .. } => Failure::Refused(Remark::UnknownUser),
            ReportStatus::WrongDigest { .. } => Failure::Refused(Remark::WrongKey),
            ReportStatus::DecryptionError { .. } => Failure::Refused(Remark::WrongPrivacyKey),
            ReportStatus::UnsupportedSecurityLevel { .. } => Failure::Refused(Remark::Level),
            ReportStatus::NotInTimeWindow { .. } => Failure::Stale(Remark::Time),
            ReportStatus::UnknownEngineId { .. } => Failure::Stale(Remark::Unreadable),
            ReportStatus::Other { oid, .. } => Failure::Refused(Remark::Reported(oid.to_string())),
            other => Failure::Refused(Remark::Reported(other.to_string())),
        },
        Error::Auth { .. } | Error::MalformedResponse { .. } | Error::Decode(_) => {
            Failure::Stale(Remark::Unreadable)
        }
        other => Failure::Refused(Remark::NotAsked(other.to_string())),
    }
}
