//! What is asked: operations, their SOAP actions and envelopes (SOAP 1.2).

use quick_xml::escape::escape;

use super::token::Token;

/// Namespace of the device service.
pub const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
/// Namespace of the first media service.
pub const MEDIA: &str = "http://www.onvif.org/ver10/media/wsdl";
/// Namespace of the second media service.
pub const MEDIA2: &str = "http://www.onvif.org/ver20/media/wsdl";
/// Namespace of the event service.
pub const EVENTS: &str = "http://www.onvif.org/ver10/events/wsdl";
/// Namespace of the recording search service.
pub const SEARCH: &str = "http://www.onvif.org/ver10/search/wsdl";
/// Namespace of WS-BaseNotification.
const NOTIFICATION: &str = "http://docs.oasis-open.org/wsn/b-2";
const SUBSCRIPTION_ACTION: &str = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager";
const SCHEMA: &str = "http://www.onvif.org/ver10/schema";

/// The media service a device has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// The first, which every profile S device has.
    One,
    /// The second, of profile T: H.265.
    Two,
}

impl Media {
    /// Its namespace.
    pub fn namespace(self) -> &'static str {
        match self {
            Media::One => MEDIA,
            Media::Two => MEDIA2,
        }
    }
}

/// One operation and what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call<'a> {
    /// The device's time; answered without a login (Core, section 8.3.4), by most.
    SystemDateAndTime,
    /// Maker, model, firmware, serial number.
    DeviceInformation,
    /// Which services there are, and where.
    Services,
    /// The same of older devices.
    Capabilities,
    /// Its network interfaces.
    NetworkInterfaces,
    /// Its host name.
    Hostname,
    /// Restarts it.
    SystemReboot,
    /// Its media profiles with their encoders.
    Profiles(Media),
    /// Where a profile streams from.
    StreamUri(Media, &'a str),
    /// Where a profile's picture is.
    SnapshotUri(Media, &'a str),
    /// A subscription that is asked for its messages, for so many seconds.
    CreatePullPoint(u32),
    /// Messages of a subscription: waits so many seconds for the first, takes so many.
    PullMessages(u32, u32),
    /// Keeps a subscription for so many seconds more.
    Renew(u32),
    /// Ends a subscription.
    Unsubscribe,
    /// What a recorder has of all its channels.
    RecordingSummary,
    /// Begins a search for recordings.
    FindRecordings,
    /// What the search with this token found.
    RecordingResults(&'a str),
    /// Ends the search with this token.
    EndSearch(&'a str),
}

/// What a person can have a device do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Restart.
    Reboot,
    /// Let us log in anew, after a login was refused.
    LogIn,
}

impl Errand {
    /// Its word.
    pub fn word(self) -> &'static str {
        Errand::ALL.iter().find(|(_, known)| *known == self).map_or("", |(word, _)| word)
    }

    /// Both with their words, as profiles write them.
    pub const ALL: [(&'static str, Errand); 2] =
        [("device.SystemReboot", Errand::Reboot), ("login", Errand::LogIn)];
}

impl Call<'_> {
    /// The operation's name; its answer is called so, with `Response` behind it.
    pub fn operation(&self) -> &'static str {
        match self {
            Call::SystemDateAndTime => "GetSystemDateAndTime",
            Call::DeviceInformation => "GetDeviceInformation",
            Call::Services => "GetServices",
            Call::Capabilities => "GetCapabilities",
            Call::NetworkInterfaces => "GetNetworkInterfaces",
            Call::Hostname => "GetHostname",
            Call::SystemReboot => "SystemReboot",
            Call::Profiles(_) => "GetProfiles",
            Call::StreamUri(..) => "GetStreamUri",
            Call::SnapshotUri(..) => "GetSnapshotUri",
            Call::CreatePullPoint(_) => "CreatePullPointSubscription",
            Call::PullMessages(..) => "PullMessages",
            Call::Renew(_) => "Renew",
            Call::Unsubscribe => "Unsubscribe",
            Call::RecordingSummary => "GetRecordingSummary",
            Call::FindRecordings => "FindRecordings",
            Call::RecordingResults(_) => "GetRecordingSearchResults",
            Call::EndSearch(_) => "EndSearch",
        }
    }

    /// The namespace of its service.
    pub fn namespace(&self) -> &'static str {
        match self {
            Call::SystemDateAndTime
            | Call::DeviceInformation
            | Call::Services
            | Call::Capabilities
            | Call::NetworkInterfaces
            | Call::Hostname
            | Call::SystemReboot => DEVICE,
            Call::Profiles(media) | Call::StreamUri(media, _) | Call::SnapshotUri(media, _) => {
                media.namespace()
            }
            Call::CreatePullPoint(_) | Call::PullMessages(..) => EVENTS,
            Call::Renew(_) | Call::Unsubscribe => NOTIFICATION,
            Call::RecordingSummary
            | Call::FindRecordings
            | Call::RecordingResults(_)
            | Call::EndSearch(_) => SEARCH,
        }
    }

    /// The SOAP action. Some devices answer nothing without it.
    pub fn action(&self) -> String {
        let (namespace, operation) = (self.namespace(), self.operation());
        match self {
            Call::CreatePullPoint(_) => format!("{namespace}/EventPortType/{operation}Request"),
            Call::PullMessages(..) => format!("{namespace}/PullPointSubscription/{operation}Request"),
            Call::Renew(_) | Call::Unsubscribe => format!("{SUBSCRIPTION_ACTION}/{operation}Request"),
            _ => format!("{namespace}/{operation}"),
        }
    }

    /// The `Content-Type` of the request.
    pub fn content_type(&self) -> String {
        format!("application/soap+xml; charset=utf-8; action=\"{}\"", self.action())
    }

    /// Whether it may be sent a second time when nobody knows whether the first one arrived.
    pub fn repeats(&self) -> bool {
        !matches!(self, Call::SystemReboot | Call::CreatePullPoint(_) | Call::FindRecordings)
    }

    fn parameters(&self) -> String {
        match self {
            Call::Services => "<IncludeCapability>false</IncludeCapability>".to_owned(),
            Call::Capabilities => "<Category>All</Category>".to_owned(),
            Call::Profiles(Media::Two) => "<Type>VideoEncoder</Type>".to_owned(),
            Call::StreamUri(Media::One, profile) => format!(
                "<StreamSetup><Stream xmlns=\"{SCHEMA}\">RTP-Unicast</Stream><Transport xmlns=\"{SCHEMA}\">\
                 <Protocol>RTSP</Protocol></Transport></StreamSetup><ProfileToken>{}</ProfileToken>",
                escape(*profile)
            ),
            Call::StreamUri(Media::Two, profile) => {
                format!("<Protocol>RTSP</Protocol><ProfileToken>{}</ProfileToken>", escape(*profile))
            }
            Call::SnapshotUri(_, profile) => format!("<ProfileToken>{}</ProfileToken>", escape(*profile)),
            // Seconds: some devices read PT10M as ten seconds.
            Call::CreatePullPoint(seconds) => {
                format!("<InitialTerminationTime>PT{seconds}S</InitialTerminationTime>")
            }
            Call::PullMessages(seconds, limit) => {
                format!("<Timeout>PT{seconds}S</Timeout><MessageLimit>{limit}</MessageLimit>")
            }
            Call::Renew(seconds) => format!("<TerminationTime>PT{seconds}S</TerminationTime>"),
            Call::FindRecordings => "<Scope/><KeepAliveTime>PT30S</KeepAliveTime>".to_owned(),
            Call::RecordingResults(token) => {
                format!("<SearchToken>{}</SearchToken><WaitTime>PT2S</WaitTime>", escape(*token))
            }
            Call::EndSearch(token) => format!("<SearchToken>{}</SearchToken>", escape(*token)),
            _ => String::new(),
        }
    }
}

/// To whom a message of a subscription goes (WS-Addressing 1.0).
#[derive(Clone, Copy, Debug)]
pub struct Addressing<'a> {
    /// The subscription's address as the device gave it, even where it is reached by another.
    pub to: &'a str,
    /// Its reference parameters, as they came.
    pub parameters: &'a [Box<str>],
    /// Tells this message from others.
    pub message: u128,
}

/// A request's envelope.
pub fn envelope(call: &Call<'_>, token: Option<&Token<'_>>, to: Option<&Addressing<'_>>) -> String {
    let mut header = String::new();
    if let Some(Addressing { to, parameters, message }) = to {
        let id = format!("{message:032x}");
        let id = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
        header.push_str("<a:Action s:mustUnderstand=\"1\">");
        header.push_str(&call.action());
        header.push_str("</a:Action><a:MessageID>urn:uuid:");
        header.push_str(&id);
        header.push_str("</a:MessageID><a:To s:mustUnderstand=\"1\">");
        header.push_str(&escape(*to));
        header.push_str("</a:To>");
        header.extend(parameters.iter().map(|parameter| &**parameter));
    }
    header.extend(token.map(Token::header));
    let (operation, namespace, parameters) = (call.operation(), call.namespace(), call.parameters());
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://www.w3.org/2005/08/addressing\"><s:Header>{header}</s:Header>\
         <s:Body><{operation} xmlns=\"{namespace}\">{parameters}</{operation}></s:Body></s:Envelope>"
    )
}
