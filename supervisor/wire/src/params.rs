//! What stands in the `{braces}` of a request: the unit's address, a command's arguments, credentials.

use std::sync::Arc;

/// Octets by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(Arc<str>, Arc<[u8]>)>);

impl Params {
    /// With one more; a later one of the same name takes the place of the earlier.
    #[must_use]
    pub fn with(mut self, name: &str, octets: impl Into<Arc<[u8]>>) -> Params {
        self.0.retain(|(known, _)| &**known != name);
        self.0.push((Arc::from(name), octets.into()));
        self
    }

    /// The octets of a name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(known, _)| &**known == name).map(|(_, octets)| &**octets)
    }
}

impl std::fmt::Debug for Params {
    /// Names alone: some of them are passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// A name in a request for which nothing is given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing is given for `{{{0}}}` of the request")]
pub struct Missing(pub Arc<str>);
