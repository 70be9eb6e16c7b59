//! Cameras and recorders of the site file: their ports, who logs in, how they are to be.

use super::credentials::Credentials;
use super::{device, values};
use roundsman_driver::onvif::Credentials as Login;
use roundsman_driver::onvif::camera::{RTSP_PORT, Target};
use roundsman_profile::diagnostic::{Diagnostic, Findings, did_you_mean, quoted};
use roundsman_profile::document::{Fields, Node};
use roundsman_wire::onvif::health::Expectation;
use sha2::{Digest, Sha256};

/// Usual port of the device service.
const HTTP_PORT: u16 = 80;

/// Codecs by their words.
const CODECS: [&str; 4] = ["h264", "h265", "jpeg", "mpeg4"];

/// Largest width or height of a picture.
const MOST_PIXELS: i64 = 32_768;

/// Most frames a second.
const MOST_FRAMES: f64 = 240.0;

/// Octets of a fingerprint's salt, and of its digest.
const SALT: usize = 16;

/// `rtsp_port` and `expect` of a device, as written.
pub(super) struct Draft<'a> {
    nodes: Vec<(&'static str, &'a Node)>,
    rtsp_port: u16,
    expects: Option<Expectation>,
}

/// Reads them.
pub(super) fn read<'a>(fields: &mut Fields<'a>, found: &mut Findings) -> Option<Draft<'a>> {
    let (port, expect) = (fields.maybe("rtsp_port"), fields.maybe("expect"));
    let nodes = [("rtsp_port", port), ("expect", expect)];
    let nodes = nodes.into_iter().filter_map(|(key, node)| Some((key, node?))).collect();
    let rtsp_port = port.map_or(Some(RTSP_PORT), |node| read_port(node, found));
    let expects = expect.map_or(Some(None), |node| read_expectation(node, found).map(Some));
    Some(Draft { nodes, rtsp_port: rtsp_port?, expects: expects? })
}

impl Draft<'_> {
    /// Refuses them for a device that is neither.
    pub(super) fn refuse(&self, profile: &str, found: &mut Findings) -> Option<()> {
        let Some((key, node)) = self.nodes.first() else { return Some(()) };
        let what = format!("profile `{profile}` is of no camera, `{key}` says nothing to it");
        let hint = "`roundsman profile list` says which profiles are cameras'";
        found.note(Diagnostic::new(&node.at, what).hint(hint));
        None
    }
}

fn read_port(node: &Node, found: &mut Findings) -> Option<u16> {
    let port = u16::try_from(node.integer(found)?).ok().filter(|port| *port > 0);
    if port.is_none() {
        found.note(Diagnostic::new(&node.at, "a port is a number from 1 to 65535").hint("554 without it"));
    }
    port
}

fn read_expectation(node: &Node, found: &mut Findings) -> Option<Expectation> {
    let example = "expect = { codec = \"h265\", width = 2560, height = 1440, fps = 25 }";
    if !values::is_table(node, example, found) {
        return None;
    }
    let mut fields = Fields::of(node, "`expect`", found)?;
    let codec = fields.maybe("codec").map(|node| {
        let word = node.text(found)?;
        if !CODECS.contains(&word) {
            let mut diagnostic = Diagnostic::new(&node.at, format!("{} is no codec", quoted(word)));
            diagnostic.hint = did_you_mean(&word.to_lowercase(), CODECS);
            found.note(diagnostic);
            return None;
        }
        Some(word.into())
    });
    let mut side = |key, found: &mut Findings| {
        fields.maybe(key).map(|node| {
            let side = node.integer(found)?;
            if !(1..=MOST_PIXELS).contains(&side) {
                let what = format!("a picture has 1 to {MOST_PIXELS} pixels each way");
                found.note(Diagnostic::new(&node.at, what).hint("width = 2560, height = 1440"));
                return None;
            }
            Some(side as u32)
        })
    };
    let (width, height) = (side("width", found), side("height", found));
    let rate = fields.maybe("fps").map(|node| {
        let rate = node.number(found)?;
        if rate <= 0.0 || rate > MOST_FRAMES {
            let what = format!("more than 0 and at most {MOST_FRAMES} frames a second");
            found.note(Diagnostic::new(&node.at, what).hint("fps = 25"));
            return None;
        }
        Some(rate)
    });
    fields.finish(found);
    Some(Expectation {
        codec: codec.map_or(Some(None), |read| read.map(Some))?,
        width: width.map_or(Some(None), |read| read.map(Some))?,
        height: height.map_or(Some(None), |read| read.map(Some))?,
        frame_rate: rate.map_or(Some(None), |read| read.map(Some))?,
    })
}

/// Where and as whom a camera is asked.
pub(super) fn target(
    draft: &device::Draft<'_>,
    credentials: Option<(&Node, &Credentials)>,
    found: &mut Findings,
) -> Option<Target> {
    let strangers = [("bus", draft.bus), ("unit", draft.units.map(|units| units.node()))];
    let strangers = strangers.into_iter().chain([("write_credentials", draft.write_credentials)]);
    for (key, node) in strangers {
        let Some(node) = node else { continue };
        let what = format!("a camera or recorder is asked by ONVIF, `{key}` says nothing to it");
        found.note(
            Diagnostic::new(&node.at, what).hint("it has `address`, `rtsp_port`, `credentials` and `expect`"),
        );
        return None;
    }
    let Some((node, _)) = draft.address else {
        let what = format!("the device {} is asked by ONVIF and needs `address`", quoted(draft.id));
        found.note(Diagnostic::new(&draft.id_node.at, what).hint("address = \"192.0.2.107\""));
        return None;
    };
    let address = values::address(node, HTTP_PORT, found)?;
    let credentials = match credentials {
        None => None,
        Some((node, credentials)) => {
            let login = credentials.login.as_ref();
            let both = login.and_then(|login| login.user.as_ref().zip(login.password.as_ref()));
            let Some((user, password)) = both else {
                let what = "a camera or recorder is logged in to with a user and a password";
                let hint = "name a section with login = { user = \"…\", password_file = \"…\" }";
                found.note(Diagnostic::new(&node.at, what).hint(hint));
                return None;
            };
            Some(Login { user: user.to_string(), password: password.to_string() })
        }
    };
    let draft = &draft.camera;
    Some(Target { address, rtsp_port: draft.rtsp_port, credentials, expects: draft.expects.clone() })
}

/// Tells credentials from others without telling them: a salt, and a digest of it with user and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(Vec<u8>);

impl Fingerprint {
    /// Of these credentials, with a salt nobody has used.
    pub(crate) fn new(credentials: Option<&Login>) -> Fingerprint {
        let mut salt = [0; SALT];
        // Without chance the same credentials have the same salt, which tells no more than that.
        let _ = rustix::rand::getrandom(&mut salt, rustix::rand::GetRandomFlags::NONBLOCK);
        Fingerprint::salted(&salt, credentials)
    }

    /// What the store kept, where it is of these credentials.
    pub(crate) fn kept(octets: &[u8], credentials: Option<&Login>) -> Option<Fingerprint> {
        let known = Fingerprint::salted(octets.get(..SALT)?, credentials);
        (known.0 == octets).then_some(known)
    }

    /// As it is kept.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }

    fn salted(salt: &[u8], credentials: Option<&Login>) -> Fingerprint {
        let (user, password) = credentials.map_or(("", ""), |login| (&login.user, &login.password));
        let digest = Sha256::new()
            .chain_update(salt)
            .chain_update((user.len() as u64).to_be_bytes())
            .chain_update(user)
            .chain_update(password)
            .finalize();
        Fingerprint(salt.iter().chain(digest.iter()).copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_of_its_credentials_alone() {
        let login = |user: &str, password: &str| Login { user: user.into(), password: password.into() };
        let own = login("admin", "secret");
        let kept = Fingerprint::new(Some(&own));
        assert_eq!(Fingerprint::kept(kept.octets(), Some(&own)), Some(kept.clone()));
        for other in [login("admin", "Secret"), login("admins", "ecret"), login("", "")] {
            assert_eq!(Fingerprint::kept(kept.octets(), Some(&other)), None, "{other:?}");
        }
        assert_eq!(Fingerprint::kept(kept.octets(), None), None);
        assert_eq!(Fingerprint::kept(&kept.octets()[..20], Some(&own)), None);
        assert_eq!(Fingerprint::kept(&[], Some(&own)), None);
        assert_ne!(Fingerprint::new(Some(&own)), kept);
    }
}
