//! `[credentials.…]`: how SNMP agents are spoken to, and who logs in elsewhere. Secrets are read from their files and show up in no error.

use super::values;
use roundsman_profile::diagnostic::{Diagnostic, Findings, did_you_mean, quoted};
use roundsman_profile::document::{Fields, Node, Value};
use roundsman_wire::snmp::Version;
use roundsman_wire::snmp::user::{Auth, Keys, Privacy, Secret, User};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Longest community (RFC 3584 names none; agents keep 32 to 255).
const LONGEST_COMMUNITY: usize = 255;

/// An entry: either of the two.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    pub(super) snmp: Option<Agent>,
    pub(super) login: Option<Arc<Login>>,
}

/// Who logs in. What it holds shows up in no log.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(super) user: Option<Arc<str>>,
    pub(super) password: Option<Arc<str>>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login(…)")
    }
}

/// How SNMP agents are spoken to.
#[derive(Clone)]
pub(super) struct Agent {
    pub(super) version: Version,
    pub(super) community: Arc<[u8]>,
    pub(super) user: Option<Arc<User>>,
}

/// Reads `[credentials.…]`; secrets are read from their files. `None` are those that have an error of their own.
pub(super) fn read(
    node: &Node,
    folder: &Path,
    warnings: &mut Vec<Diagnostic>,
    found: &mut Findings,
) -> BTreeMap<String, Option<Credentials>> {
    let mut all = BTreeMap::new();
    for entry in node.table(found).unwrap_or(&[]) {
        let credentials =
            Fields::of(&entry.node, "an entry of `credentials`", found).and_then(|mut fields| {
                let (snmp, login) = (fields.maybe("snmp"), fields.maybe("login"));
                fields.finish(found);
                match (snmp, login) {
                    (Some(snmp), None) => {
                        let snmp = Some(read_snmp(snmp, folder, warnings, found)?);
                        Some(Credentials { snmp, login: None })
                    }
                    (None, Some(login)) => {
                        let login = Some(Arc::new(read_login(login, folder, warnings, found)?));
                        Some(Credentials { snmp: None, login })
                    }
                    (Some(_), Some(login)) => {
                        let what = "an entry of `credentials` is either `snmp` or `login`";
                        found.note(Diagnostic::new(&login.at, what).hint("make it two entries"));
                        None
                    }
                    (None, None) => {
                        let what = "an entry of `credentials` needs the key `snmp`";
                        let hint = "write snmp = { version = \"2c\", community_file = \"community\" }";
                        let diagnostic = Diagnostic::new(&entry.node.at, what);
                        found.note(diagnostic.label("`snmp` is missing").hint(hint));
                        None
                    }
                }
            });
        all.insert(entry.key.clone(), credentials);
    }
    all
}

/// `login = { … }` of an entry.
fn read_login(
    node: &Node,
    folder: &Path,
    warnings: &mut Vec<Diagnostic>,
    found: &mut Findings,
) -> Option<Login> {
    let mut fields = Fields::of(node, "`login`", found)?;
    let user = fields.maybe("user").map(|n| n.text(found));
    let mut secrets = Secrets { folder, warnings };
    let password = fields.maybe("password_file").map(|n| secrets.read(n, found));
    fields.finish(found);
    if user.is_none() && password.is_none() {
        let hint = "login = { user = \"admin\", password_file = \"…\" }; PJLink has a password alone";
        found.note(Diagnostic::new(&node.at, "`login` says nothing").hint(hint));
        return None;
    }
    Some(Login {
        user: user.map_or(Some(None), |user| user.map(|user| Some(user.into())))?,
        password: password.map_or(Some(None), |read| read.map(|read| Some(read.into())))?,
    })
}

/// `snmp = { … }` of an entry.
fn read_snmp(
    node: &Node,
    folder: &Path,
    warnings: &mut Vec<Diagnostic>,
    found: &mut Findings,
) -> Option<Agent> {
    let mut fields = Fields::of(node, "`snmp`", found)?;
    let version_node = values::must(&mut fields, "`snmp`", "version", "version = \"2c\"", found);
    // A version that is not spoken has keys of its own: they are no further errors.
    let version = version(version_node?, found)?;
    let mut secrets = Secrets { folder, warnings };
    match version {
        Some(version) => community(version, node, fields, &mut secrets, found),
        None => v3(node, fields, &mut secrets, found),
    }
}

/// Versions 1 and 2c: a community.
fn community(
    version: Version,
    node: &Node,
    mut fields: Fields<'_>,
    secrets: &mut Secrets<'_>,
    found: &mut Findings,
) -> Option<Agent> {
    let inline = fields.maybe("community");
    let file = fields.maybe("community_file");
    fields.finish(found);
    let community = match (inline, file) {
        (Some(node), None) => {
            let warning = Diagnostic::new(&node.at, "a secret stands in the site file itself");
            secrets
                .warnings
                .push(warning.hint("put it into a file of mode 0600 and name that as `community_file`"));
            node.text(found)?.to_owned()
        }
        (None, Some(node)) => secrets.read(node, found)?,
        (Some(_), Some(node)) => {
            let what = "`community` and `community_file` exclude each other";
            found.note(Diagnostic::new(&node.at, what).hint("keep `community_file`, leave `community` out"));
            return None;
        }
        (None, None) => {
            let what = "`snmp` needs a community";
            found.note(
                Diagnostic::new(&node.at, what)
                    .hint("name a file that holds it: community_file = \"community\""),
            );
            return None;
        }
    };
    if community.is_empty() || community.len() > LONGEST_COMMUNITY {
        let what = format!("a community has 1 to {LONGEST_COMMUNITY} bytes, this one {}", community.len());
        let hint = match file {
            Some(_) => "the file's first line is the community, nothing else",
            None => "the community that is configured on the device, such as by `snmp-agent community read`",
        };
        found.note(Diagnostic::new(&inline.or(file)?.at, what).hint(hint));
        return None;
    }
    Some(Agent { version, community: Arc::from(community.as_bytes()), user: None })
}

/// Version 3: a user, and its keys if it has any.
fn v3(node: &Node, mut fields: Fields<'_>, secrets: &mut Secrets<'_>, found: &mut Findings) -> Option<Agent> {
    let name = values::must(&mut fields, "`snmp`", "user", "user = \"roundsman\"", found);
    let auth = Pair::of(&mut fields, "auth", "auth_file");
    let privacy = Pair::of(&mut fields, "priv", "priv_file");
    let community = fields.maybe("community").or(fields.maybe("community_file"));
    fields.finish(found);
    if let Some(community) = community {
        let what = "SNMP version 3 has no community";
        found.note(
            Diagnostic::new(&community.at, what)
                .hint("it has a user with keys: user, auth, auth_file, priv, priv_file"),
        );
    }
    let name = name.and_then(|name| user_name(name, found));
    let auth_read = auth.read(&Auth::ALL, "auth = \"sha256\"", secrets, found);
    let privacy_read = privacy.read(&Privacy::ALL, "priv = \"aes128\"", secrets, found);
    if let (Some(at), None) = (privacy.first(), auth.first()) {
        let what = "`priv` needs `auth`: SNMPv3 encrypts only what it signs (RFC 3414)";
        found.note(
            Diagnostic::new(&at.at, what)
                .hint("add auth = \"sha256\" and auth_file, as the user has them on the device"),
        );
        return None;
    }
    let (auth, privacy) = (auth_read?, privacy_read?);
    if auth.is_none() {
        let what = "this SNMPv3 user has no keys: whoever is on the way may read and forge";
        secrets
            .warnings
            .push(Diagnostic::new(&node.at, what).hint("give it auth and priv, on the device and here"));
    }
    let keys = auth.map(|(auth, auth_key)| Keys { auth, auth_key, privacy });
    let user = Arc::new(User { name: name?.into(), keys });
    // The session inside speaks v2c without a community; the driver carries it in v3 messages.
    community.is_none().then(|| Agent { version: Version::V2c, community: Arc::default(), user: Some(user) })
}

fn user_name<'a>(node: &'a Node, found: &mut Findings) -> Option<&'a str> {
    let name = node.text(found)?;
    if name.is_empty() || name.len() > User::LONGEST_NAME {
        let what = format!("a user's name has 1 to {} bytes, this one {}", User::LONGEST_NAME, name.len());
        let hint = "the user as it is configured on the device, such as by `snmp-agent usm-user v3`";
        found.note(Diagnostic::new(&node.at, what).hint(hint));
        return None;
    }
    Some(name)
}

/// An algorithm and the file of its passphrase.
struct Pair<'a> {
    algorithm: (&'static str, Option<&'a Node>),
    file: (&'static str, Option<&'a Node>),
}

impl<'a> Pair<'a> {
    fn of(fields: &mut Fields<'a>, algorithm: &'static str, file: &'static str) -> Pair<'a> {
        Pair { algorithm: (algorithm, fields.maybe(algorithm)), file: (file, fields.maybe(file)) }
    }

    /// Whichever of the two there is.
    fn first(&self) -> Option<&'a Node> {
        self.algorithm.1.or(self.file.1)
    }

    /// `Some(None)` where neither is given, `None` where something is wrong.
    fn read<T: Copy>(
        &self,
        known: &[(&'static str, T)],
        example: &str,
        secrets: &mut Secrets<'_>,
        found: &mut Findings,
    ) -> Option<Option<(T, Secret)>> {
        let (algorithm, file) = match (self.algorithm.1, self.file.1) {
            (None, None) => return Some(None),
            (Some(algorithm), Some(file)) => (algorithm, file),
            (Some(node), None) => {
                let what = format!("`{}` needs `{}`", self.algorithm.0, self.file.0);
                let hint = format!("a file of mode 0600 with the passphrase: {0} = \"{0}\"", self.file.0);
                found.note(Diagnostic::new(&node.at, what).hint(hint));
                return None;
            }
            (None, Some(node)) => {
                let what = format!("`{}` needs `{}`", self.file.0, self.algorithm.0);
                let hint = format!("the algorithm that the user has on the device, such as {example}");
                found.note(Diagnostic::new(&node.at, what).hint(hint));
                return None;
            }
        };
        let algorithm = word(algorithm, self.algorithm.0, known, found);
        let key = secrets.read(file, found)?;
        if key.len() < Secret::FEWEST {
            let what = format!(
                "a passphrase of SNMPv3 has at least {} bytes, this one {} (RFC 3414 section 11.2)",
                Secret::FEWEST,
                key.len()
            );
            let hint = "the file's first line is the passphrase of the user on the device, nothing else";
            found.note(Diagnostic::new(&file.at, what).hint(hint));
            return None;
        }
        Some(Some((algorithm?, Secret::new(key.as_bytes()))))
    }
}

/// An algorithm by its word.
fn word<T: Copy>(node: &Node, key: &str, known: &[(&'static str, T)], found: &mut Findings) -> Option<T> {
    let text = node.text(found)?;
    let value = known.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if value.is_none() {
        // `SHA-256`, `AES_128`, as devices and tools write them.
        let plain = text.to_ascii_lowercase().replace(['_', ' '], "-");
        let joined = plain.replacen('-', "", 1);
        let mut diagnostic =
            Diagnostic::new(&node.at, format!("{} is no algorithm of `{key}`", quoted(text)));
        // `aes` and `sha` name a family: the first of it is meant more often than a word of as many letters.
        let family =
            known.iter().map(|(word, _)| *word).find(|word| joined.len() > 1 && word.starts_with(&joined));
        diagnostic.hint = match family {
            Some(word) => Some(format!("did you mean `{word}`?")),
            None => did_you_mean(&joined, known.iter().map(|(word, _)| *word)),
        };
        found.note(diagnostic);
    }
    value
}

/// `Some(None)` is version 3: it has no community.
fn version(node: &Node, found: &mut Findings) -> Option<Option<Version>> {
    let (what, hint) = match &node.value {
        Value::Text(word) => match word.as_str() {
            "1" => return Some(Some(Version::V1)),
            "2c" => return Some(Some(Version::V2c)),
            "3" => return Some(None),
            other => (
                format!("SNMP version {} is not spoken here", quoted(other)),
                did_you_mean(other, ["1", "2c", "3"]),
            ),
        },
        _ => (
            format!("the version is text, this is {}", node.kind()),
            Some("in quotes: \"2c\", \"3\", or \"1\" for old devices".to_owned()),
        ),
    };
    let mut diagnostic = Diagnostic::new(&node.at, what);
    diagnostic.hint = hint;
    found.note(diagnostic);
    None
}

/// Where secrets are read from, and what is to be said of their files.
struct Secrets<'a> {
    folder: &'a Path,
    warnings: &'a mut Vec<Diagnostic>,
}

impl Secrets<'_> {
    /// The first line of a secret's file. Its content never shows up in an error.
    fn read(&mut self, node: &Node, found: &mut Findings) -> Option<String> {
        use std::os::unix::fs::PermissionsExt;
        let path = values::path(node, self.folder, found)?;
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(why) => {
                let what = format!("the secret's file {} cannot be read: {why}", path.display());
                found.note(
                    Diagnostic::new(&node.at, what)
                        .hint("it must exist and be readable by the service's user"),
                );
                return None;
            }
        };
        let others = std::fs::metadata(&path).map(|meta| meta.permissions().mode() & 0o077).unwrap_or(0);
        if others != 0 {
            let what = format!("others may read the secret's file {}", path.display());
            self.warnings.push(Diagnostic::new(&node.at, what).hint("chmod 600"));
        }
        Some(text.lines().next().unwrap_or("").trim_end().to_owned())
    }
}
