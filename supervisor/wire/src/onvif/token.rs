//! WS-UsernameToken with a digest (OASIS Web Services Security UsernameToken Profile 1.0, section 3.1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_xml::escape::escape;
use roundsman_core::time::Wall;
use sha1::{Digest, Sha1};
use std::fmt;

use super::moment;

/// Who signs a request, when.
#[derive(Clone, Copy)]
pub struct Token<'a> {
    /// The user.
    pub user: &'a str,
    /// The password; it is never sent.
    pub password: &'a str,
    /// Chance, new for each request.
    pub nonce: [u8; 16],
    /// The device's own time, in whole seconds: it takes nothing from outside its window of 5 to 300 s.
    pub created: Wall,
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("user", &self.user)
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

/// Base64(SHA-1(nonce, created, password)).
pub fn digest(nonce: &[u8], created: &str, password: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(nonce);
    hash.update(created);
    hash.update(password);
    STANDARD.encode(hash.finalize())
}

impl Token<'_> {
    /// The `Security` header.
    pub(super) fn header(&self) -> String {
        const SECURITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss";
        let created = moment::written(self.created);
        let user = escape(self.user);
        let digest = digest(&self.nonce, &created, self.password);
        let nonce = STANDARD.encode(self.nonce);
        format!(
            "<w:Security xmlns:w=\"{SECURITY}-wssecurity-secext-1.0.xsd\" s:mustUnderstand=\"1\"><w:UsernameToken>\
             <w:Username>{user}</w:Username>\
             <w:Password Type=\"{SECURITY}-username-token-profile-1.0#PasswordDigest\">{digest}</w:Password>\
             <w:Nonce EncodingType=\"{SECURITY}-soap-message-security-1.0#Base64Binary\">{nonce}</w:Nonce>\
             <u:Created xmlns:u=\"{SECURITY}-wssecurity-utility-1.0.xsd\">{created}</u:Created>\
             </w:UsernameToken></w:Security>"
        )
    }
}
