//! Which services a device has, and under which paths: asked once, and anew when something it said no longer holds.

use roundsman_wire::onvif::address::Base;
use roundsman_wire::onvif::answer::Refusal;
use roundsman_wire::onvif::call::{Call, EVENTS, MEDIA, MEDIA2, Media, SEARCH};
use roundsman_wire::onvif::device::{capabilities, services};

use super::{Device, Failure};

/// Where the device service is, on every device (Core Specification, section 5.1.1).
pub(super) const DEVICE_PATH: &str = "/onvif/device_service";

/// The paths of a device's services; `None` where it has no such service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Services {
    /// The second media service, where it has one, else the first.
    pub(super) media: Option<(Media, Box<str>)>,
    /// The first media service beside the second.
    pub(super) older_media: Option<Box<str>>,
    /// The event service.
    pub(super) events: Option<Box<str>>,
    /// The recording search service.
    pub(super) search: Option<Box<str>>,
}

impl Services {
    fn of(list: &[(Box<str>, Box<str>)], base: &Base) -> Services {
        let path = |namespace: &str| {
            let (_, given) = list.iter().find(|(known, _)| **known == *namespace)?;
            path_of(base, given)
        };
        let (one, two) = (path(MEDIA), path(MEDIA2));
        let (media, older_media) = match (one, two) {
            (one, Some(two)) => (Some((Media::Two, two)), one),
            (one, None) => (one.map(|one| (Media::One, one)), None),
        };
        Services { media, older_media, events: path(EVENTS), search: path(SEARCH) }
    }
}

/// The path of an address that a device gave, whatever host it named.
pub(super) fn path_of(base: &Base, given: &str) -> Option<Box<str>> {
    let led = base.lead(given)?;
    if led.moved {
        tracing::debug!(
            given = led.given,
            used = led.url,
            "a device names another host or port than the site file"
        );
    }
    let behind = led.url.find("://").map_or(0, |at| at + 3);
    let begins = led.url[behind..].find('/')? + behind;
    Some(led.url[begins..].into())
}

impl Device {
    /// Asks which services there are; older devices know the second question alone.
    pub(super) async fn services(&self) -> Result<Services, Failure> {
        match self.call(&Call::Services, DEVICE_PATH, None).await {
            Ok(answer) => {
                let found = Services::of(&services(&answer), &self.base);
                if found != Services::default() {
                    return Ok(found);
                }
            }
            Err(Failure::Fault(fault))
                if !matches!(fault.refusal, Refusal::NotAuthorized | Refusal::Locked) => {}
            Err(Failure::Unread { .. }) => {}
            Err(failure) => return Err(failure),
        }
        let answer = self.call(&Call::Capabilities, DEVICE_PATH, None).await?;
        Ok(Services::of(&capabilities(&answer), &self.base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_led_to_where_the_device_is() {
        let base = Base { scheme: "http", host: "192.0.2.7".into(), port: 8_080 };
        let list = |pairs: &[(&str, &str)]| -> Vec<(Box<str>, Box<str>)> {
            pairs.iter().map(|(namespace, given)| (Box::from(*namespace), Box::from(*given))).collect()
        };
        let both = list(&[
            (MEDIA, "http://10.0.0.2/onvif/media"),
            (MEDIA2, "http://192.0.2.7:8080/onvif/media2?x=1"),
            (EVENTS, "(null)"),
            (SEARCH, "http://127.0.0.1:80"),
        ]);
        let found = Services::of(&both, &base);
        assert_eq!(found.media, Some((Media::Two, "/onvif/media2?x=1".into())));
        assert_eq!(found.older_media.as_deref(), Some("/onvif/media"));
        assert_eq!((found.events, found.search.as_deref()), (None, Some("/")));
        let one = Services::of(&both[..1], &base);
        assert_eq!((one.media, one.older_media), (Some((Media::One, "/onvif/media".into())), None));
    }
}
