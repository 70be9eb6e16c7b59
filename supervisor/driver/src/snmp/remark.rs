//! What a poll says beside its answer: why an SNMPv3 agent refused, and that it is another one than before.

use roundsman_core::text::Bilingual;
use std::fmt::Write as _;

/// What to tell the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// usmStatsUnknownUserNames.
    UnknownUser,
    /// usmStatsWrongDigests.
    WrongKey,
    /// usmStatsDecryptionErrors.
    WrongPrivacyKey,
    /// usmStatsUnsupportedSecLevels.
    Level,
    /// The user is known, but may not read (authorizationError, RFC 3416).
    NotPermitted,
    /// usmStatsNotInTimeWindows, although asked again with the agent's own time.
    Time,
    /// Another report, such as of an unknown context; its object.
    Reported(String),
    /// What came back was not signed by the key, or was no answer to the request.
    Unreadable,
    /// The library could not ask; what it said.
    NotAsked(String),
    /// Another SNMP engine answers at the address: the device or its main board was replaced, or its SNMP was reset.
    EngineReplaced {
        /// Identifier before, hex.
        before: String,
        /// Identifier now, hex.
        now: String,
    },
}

impl Remark {
    /// What happened and what to check, in both languages.
    pub fn text(&self) -> Bilingual {
        let (zh, en) = match self {
            Remark::UnknownUser => (
                "设备不认识此 SNMPv3 用户：核对用户名，及设备上是否已建该用户",
                "the device does not know this SNMPv3 user: check its name, and that it exists on the device",
            ),
            Remark::WrongKey => (
                "SNMPv3 认证失败：核对认证口令与认证算法",
                "the device rejects the SNMPv3 authentication: check the passphrase in auth_file and the algorithm of auth",
            ),
            Remark::WrongPrivacyKey => (
                "设备无法解密 SNMPv3 报文：核对加密口令与加密算法",
                "the device cannot decrypt what it is asked: check the passphrase in priv_file and the algorithm of priv",
            ),
            Remark::Level => (
                "设备上此用户不支持所配安全级别：核对设备上该用户是否设有认证与加密",
                "the user does not have this security level on the device: check whether it has auth and priv there",
            ),
            Remark::NotPermitted => (
                "用户有效，但设备不允许其以此安全级别读取：核对设备上的视图与最低安全级别",
                "the user is right, but may not read: check its view and the least security level on the device",
            ),
            Remark::Time => (
                "SNMPv3 时间窗不符，重新同步后仍被拒：核对设备时钟与 SNMP 引擎启动次数",
                "the device refuses the SNMPv3 time even when it is its own: restart its SNMP agent",
            ),
            Remark::Unreadable => (
                "SNMPv3 应答无法验证：核对口令与算法，或有其他设备占用此地址",
                "the SNMPv3 answers cannot be verified: check keys and algorithms, and whether two devices share the address",
            ),
            Remark::Reported(object) => {
                return Bilingual::new(
                    format!("设备拒绝 SNMPv3 请求，报告对象 {object}"),
                    format!("the device refuses the SNMPv3 request, it reports {object}"),
                );
            }
            Remark::NotAsked(why) => {
                return Bilingual::new(
                    format!("SNMPv3 请求未能发出：{why}"),
                    format!("the SNMPv3 request could not be made: {why}"),
                );
            }
            Remark::EngineReplaced { before, now } => {
                return Bilingual::new(
                    format!("SNMP 引擎标识由 {before} 变为 {now}：设备或主控板可能已更换"),
                    format!(
                        "the SNMP engine was {before} and is {now}: the device or its main board may have been replaced"
                    ),
                );
            }
        };
        Bilingual::new(zh, en)
    }
}

/// An engine's identifier as remarks name it.
pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}
