//! Who asks in SNMPv3 (RFC 3414): a name, and the keys that prove it and hide what is said.
//!
//! **Duty.** Plain data with words for the site file. A key never shows up in `Debug`.
//!
//! **Refuses.** No cryptography: `driver` has it done by a library.

use std::fmt;
use std::sync::Arc;

/// How a message is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// HMAC-MD5-96 (RFC 3414); broken as a digest, still all that old devices have.
    Md5,
    /// HMAC-SHA-96 (RFC 3414).
    Sha1,
    /// HMAC-128-SHA-224 (RFC 7860), like the rest.
    Sha224,
    /// HMAC-192-SHA-256.
    Sha256,
    /// HMAC-256-SHA-384.
    Sha384,
    /// HMAC-384-SHA-512.
    Sha512,
}

impl Auth {
    /// All, with their words in the site file.
    pub const ALL: [(&'static str, Auth); 6] = [
        ("md5", Auth::Md5),
        ("sha1", Auth::Sha1),
        ("sha224", Auth::Sha224),
        ("sha256", Auth::Sha256),
        ("sha384", Auth::Sha384),
        ("sha512", Auth::Sha512),
    ];
}

/// How a message is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// CBC-DES (RFC 3414); of 56 bits, still all that old devices have.
    Des,
    /// CFB128-AES-128 (RFC 3826).
    Aes128,
    /// AES-192, its key stretched as net-snmp does (draft-blumenthal-aes-usm-04).
    Aes192,
    /// AES-256, its key stretched as net-snmp does.
    Aes256,
    /// AES-192, its key stretched as Cisco does (draft-reeder-snmpv3-usm-3desede-00).
    Aes192Cisco,
    /// AES-256, its key stretched as Cisco does.
    Aes256Cisco,
}

impl Privacy {
    /// All, with their words in the site file.
    pub const ALL: [(&'static str, Privacy); 6] = [
        ("des", Privacy::Des),
        ("aes128", Privacy::Aes128),
        ("aes192", Privacy::Aes192),
        ("aes256", Privacy::Aes256),
        ("aes192-cisco", Privacy::Aes192Cisco),
        ("aes256-cisco", Privacy::Aes256Cisco),
    ];
}

/// A passphrase. Its content shows up in no `Debug` and no error.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<[u8]>);

impl Secret {
    /// Fewest octets of a passphrase (RFC 3414 section 11.2); libraries and agents refuse shorter ones.
    pub const FEWEST: usize = 8;

    /// Takes a passphrase over.
    pub fn new(octets: &[u8]) -> Secret {
        Secret(Arc::from(octets))
    }

    /// The passphrase, for the library that makes a key of it.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// How a user proves to be one, and hides what is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// How messages are signed.
    pub auth: Auth,
    /// With what.
    pub auth_key: Secret,
    /// How messages are encrypted, and with what; `None` is authNoPriv.
    pub privacy: Option<(Privacy, Secret)>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name, 1 to [`User::LONGEST_NAME`] octets.
    pub name: Arc<str>,
    /// Its keys; `None` is noAuthNoPriv.
    pub keys: Option<Keys>,
}

impl User {
    /// Longest name, octets (RFC 3414 section 5, SnmpAdminString of usmUserName).
    pub const LONGEST_NAME: usize = 32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_show_up_in_debug() {
        let privacy = Some((Privacy::Aes128, Secret::new(b"privsecret")));
        let keys = Keys { auth: Auth::Sha256, auth_key: Secret::new(b"authsecret"), privacy };
        let shown = format!("{:?}", User { name: "roundsman".into(), keys: Some(keys) });
        assert!(shown.contains("roundsman") && shown.contains("Sha256"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}
