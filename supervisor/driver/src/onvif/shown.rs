//! Who asks, shown by HTTP: challenges that were heard, and the headers that answer them.

use http_auth::basic::encode_credentials;
use http_auth::digest::DigestClient;
use http_auth::{PasswordParams, parse_challenges};
use roundsman_wire::onvif::login::Way;

use super::Credentials;

/// What a device offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Offered {
    pub(super) digest: bool,
    pub(super) basic: bool,
    /// The challenge that was answered was too old.
    pub(super) stale: bool,
}

/// The last challenge of a device.
#[derive(Debug, Default)]
pub(super) struct Challenges {
    digest: Option<DigestClient>,
}

impl Challenges {
    /// Takes the challenges of an answer to a request that went this way.
    pub(super) fn hear(&mut self, values: &[String], way: Way) -> Offered {
        let mut offered = Offered::default();
        let parsed = values.iter().filter_map(|value| parse_challenges(value).ok()).flatten();
        for challenge in parsed {
            if challenge.scheme.eq_ignore_ascii_case("Basic") {
                offered.basic = true;
            } else if challenge.scheme.eq_ignore_ascii_case("Digest")
                && let Ok(client) = DigestClient::try_from(&challenge)
            {
                // Several differ in their algorithm, the best one first (RFC 7616, section 3.7).
                if !offered.digest {
                    offered.stale = way == Way::Digest && client.stale();
                    self.digest = Some(client);
                }
                offered.digest = true;
            }
        }
        offered
    }

    /// The `Authorization` header of a request that goes this way.
    pub(super) fn respond(
        &mut self,
        way: Way,
        credentials: &Credentials,
        (method, uri): (&str, &str),
        body: &[u8],
    ) -> Option<String> {
        let Credentials { user, password } = credentials;
        match way {
            Way::Plain | Way::Token => None,
            Way::Basic => Some(encode_credentials(user, password)),
            Way::Digest => {
                let params = PasswordParams { username: user, password, uri, method, body: Some(body) };
                self.digest.as_mut()?.respond(&params).ok()
            }
        }
    }
}
