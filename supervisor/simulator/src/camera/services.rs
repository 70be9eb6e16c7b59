//! What a virtual camera answers to an envelope.

use super::body::Body;
use super::login::Admission;
use super::quirk::Quirk;
use super::text::{calendar, element, moment, operation, seconds};

/// How long a subscription is granted where nothing is asked for, s.
const USUAL_S: u64 = 60;

/// Longest that a subscription is granted, and longest that a pull waits, s.
const MOST_S: u64 = 600;
const MOST_WAIT_S: u64 = 60;

/// How far back recordings reach, s: 34 days.
const KEPT_S: f64 = 34.0 * 86_400.0;

/// How old the newest picture is, s.
const FRESH_S: f64 = 12.0;

/// How old it is where nothing is recorded any more, s.
const STALE_S: f64 = 3_600.0;

/// What comes back: a status, further headers, an envelope.
pub(super) struct Reply {
    pub(super) status: &'static str,
    pub(super) headers: String,
    pub(super) body: Vec<u8>,
}

/// What an answer is made of.
struct Asked<'a> {
    body: &'a Body,
    xml: &'a str,
    path: &'a str,
}

/// Answers an envelope that came to a path.
pub(super) async fn answer(body: &Body, path: &str, authorization: Option<&str>, xml: &str) -> Reply {
    let operation = operation(xml).unwrap_or("");
    let is_open = operation == "GetSystemDateAndTime" && !body.is(Quirk::TimeNeedsLogin);
    if !is_open {
        match body.admits(xml, authorization, ("POST", path), true) {
            Admission::Granted => {}
            Admission::Locked => {
                return fault(body, "403 Forbidden", "ter:NotAuthorized", "the account is locked");
            }
            Admission::Missing | Admission::Wrong => {
                let mut reply = fault(body, "401 Unauthorized", "ter:NotAuthorized", "Sender not authorized");
                if body.spec.ways != super::login::Ways::Token {
                    reply.headers.push_str(&super::login::challenge());
                }
                return reply;
            }
        }
    }
    if operation.is_empty() {
        return fault(body, "400 Bad Request", "ter:WellFormed", "no operation");
    }
    let asked = Asked { body, xml, path };
    match operation {
        "PullMessages" => asked.pull().await,
        "CreatePullPointSubscription" | "Renew" | "Unsubscribe" => asked.of_events(operation),
        _ => asked.plain(operation),
    }
}

fn envelope(body: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><env:Envelope xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" xmlns:trt=\"http://www.onvif.org/ver10/media/wsdl\" \
         xmlns:tr2=\"http://www.onvif.org/ver20/media/wsdl\" xmlns:tev=\"http://www.onvif.org/ver10/events/wsdl\" \
         xmlns:tse=\"http://www.onvif.org/ver10/search/wsdl\" xmlns:tt=\"http://www.onvif.org/ver10/schema\" \
         xmlns:wsnt=\"http://docs.oasis-open.org/wsn/b-2\" xmlns:wsa=\"http://www.w3.org/2005/08/addressing\" \
         xmlns:tns1=\"http://www.onvif.org/ver10/topics\" xmlns:ter=\"http://www.onvif.org/ver10/error\" \
         xmlns:own=\"urn:camera\"><env:Body>{body}</env:Body></env:Envelope>"
    )
    .into_bytes()
}

fn good(body: String) -> Reply {
    Reply { status: "200 OK", headers: String::new(), body: envelope(&body) }
}

fn fault(body: &Body, status: &'static str, code: &str, reason: &str) -> Reply {
    let said = format!(
        "<env:Fault><env:Code><env:Value>env:Sender</env:Value><env:Subcode><env:Value>{code}</env:Value></env:Subcode>\
         </env:Code><env:Reason><env:Text xml:lang=\"en\">{reason}</env:Text></env:Reason></env:Fault>"
    );
    let status = if body.is(Quirk::Fault200) { "200 OK" } else { status };
    Reply { status, headers: String::new(), body: envelope(&said) }
}

impl Asked<'_> {
    /// An address of its own, right or wrong.
    fn address(&self, path: &str) -> String {
        let spec = &self.body.spec;
        match self.body.is(Quirk::WrongXaddr) {
            true => format!("http://192.0.2.64:8899{path}"),
            false => format!("http://{}:{}{path}", spec.address, spec.http_port),
        }
    }

    fn refused(&self) -> Reply {
        fault(self.body, "400 Bad Request", "ter:ActionNotSupported", "not supported")
    }

    fn plain(&self, operation: &str) -> Reply {
        let spec = &self.body.spec;
        let is_second = self.path == "/onvif/media2";
        let body = match operation {
            "GetSystemDateAndTime" => self.time(),
            "GetDeviceInformation" => {
                let model = if self.body.is(Quirk::BadUtf8) { "\u{1}BAD" } else { &spec.model };
                let said = format!(
                    "<tds:GetDeviceInformationResponse><tds:Manufacturer>{}</tds:Manufacturer><tds:Model>{model}</tds:Model>\
                     <tds:FirmwareVersion>V5.7.15</tds:FirmwareVersion><tds:SerialNumber>VIRTUAL-{}</tds:SerialNumber>\
                     <tds:HardwareId>88</tds:HardwareId></tds:GetDeviceInformationResponse>",
                    spec.maker, spec.id
                );
                let mut reply = good(said);
                // Octets that no UTF-8 has.
                if let Some(at) = reply.body.windows(4).position(|four| four == b"\x01BAD") {
                    reply.body[at] = 0xb7;
                    reply.body[at + 1] = 0xff;
                }
                return reply;
            }
            "GetServices" => self.services(),
            "GetCapabilities" => self.capabilities(),
            "GetHostname" => format!(
                "<tds:GetHostnameResponse><tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP><tt:Name>{}</tt:Name>\
                 </tds:HostnameInformation></tds:GetHostnameResponse>",
                spec.id
            ),
            "GetNetworkInterfaces" => {
                let [_, _, third, fourth] = spec.address.octets();
                format!(
                    "<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token=\"eth0\"><tt:Enabled>true</tt:Enabled>\
                     <tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>02:00:00:00:{third:02x}:{fourth:02x}</tt:HwAddress></tt:Info>\
                     </tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>"
                )
            }
            "SystemReboot" => {
                self.body.restart();
                "<tds:SystemRebootResponse><tds:Message>Rebooting in a moment</tds:Message></tds:SystemRebootResponse>"
                    .to_owned()
            }
            "GetProfiles" if is_second => self.profiles_2(),
            "GetProfiles" => self.profiles_1(),
            "GetStreamUri" => {
                let token = element(self.xml, "ProfileToken").unwrap_or("");
                let host = if self.body.is(Quirk::WrongXaddr) {
                    "10.9.8.7".to_owned()
                } else {
                    spec.address.to_string()
                };
                let uri =
                    format!("rtsp://{host}:{}/stream/{token}?transport=tcp&amp;unicast=true", spec.rtsp_port);
                self.uri("GetStreamUri", &uri, is_second)
            }
            "GetSnapshotUri" => {
                let uri = self.address("/snapshot.jpg");
                self.uri("GetSnapshotUri", &uri, is_second)
            }
            "GetRecordingSummary" | "FindRecordings" | "GetRecordingSearchResults" | "EndSearch"
                if !spec.channels.is_empty() =>
            {
                self.recordings(operation)
            }
            _ => return self.refused(),
        };
        good(body)
    }

    fn time(&self) -> String {
        let [year, month, day, hour, minute, second] = calendar(self.body.own_s());
        let kind = if matches!(self.body.quirk(), Some(Quirk::ClockSkew(_))) { "Manual" } else { "NTP" };
        format!(
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>{kind}</tt:DateTimeType>\
             <tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>CST-8</tt:TZ></tt:TimeZone><tt:UTCDateTime>\
             <tt:Time><tt:Hour>{hour}</tt:Hour><tt:Minute>{minute}</tt:Minute><tt:Second>{second}</tt:Second></tt:Time>\
             <tt:Date><tt:Year>{year}</tt:Year><tt:Month>{month}</tt:Month><tt:Day>{day}</tt:Day></tt:Date>\
             </tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )
    }

    fn services(&self) -> String {
        let mut list = String::new();
        let recorder = !self.body.spec.channels.is_empty();
        let all = [
            ("http://www.onvif.org/ver10/device/wsdl", "/onvif/device_service", true),
            ("http://www.onvif.org/ver10/media/wsdl", "/onvif/media", !recorder),
            (
                "http://www.onvif.org/ver20/media/wsdl",
                "/onvif/media2",
                !recorder && self.body.spec.size.0 > 1_920,
            ),
            ("http://www.onvif.org/ver10/events/wsdl", "/onvif/events", true),
            ("http://www.onvif.org/ver10/search/wsdl", "/onvif/search", recorder),
        ];
        for (namespace, path, _) in all.into_iter().filter(|(_, _, has)| *has) {
            list.push_str(&format!(
                "<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>{}</tds:XAddr><tds:Version><tt:Major>2\
                 </tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>",
                self.address(path)
            ));
        }
        format!("<tds:GetServicesResponse>{list}</tds:GetServicesResponse>")
    }

    fn capabilities(&self) -> String {
        format!(
            "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Device><tt:XAddr>{}</tt:XAddr></tt:Device><tt:Events><tt:XAddr>{}\
             </tt:XAddr><tt:WSPullPointSupport>true</tt:WSPullPointSupport></tt:Events><tt:Media><tt:XAddr>{}</tt:XAddr></tt:Media>\
             </tds:Capabilities></tds:GetCapabilitiesResponse>",
            self.address("/onvif/device_service"),
            self.address("/onvif/events"),
            self.address("/onvif/media")
        )
    }

    /// Codec, width, height, frames a second of the first profile as they are set now.
    fn settings(&self) -> (&str, u32, u32, u32) {
        let spec = &self.body.spec;
        match self.body.is(Quirk::SettingsChanged) {
            true => ("H264", 1_280, 720, 15),
            false => (&spec.codec, spec.size.0, spec.size.1, spec.frame_rate),
        }
    }

    fn profiles_1(&self) -> String {
        let (codec, width, height, frame_rate) = self.settings();
        let profile = |token: &str,
                       name: &str,
                       codec: &str,
                       (width, height): (u32, u32),
                       rate: u32,
                       bits: u32| {
            format!(
                "<trt:Profiles token=\"{token}\" fixed=\"true\"><tt:Name>{name}</tt:Name><tt:VideoEncoderConfiguration \
                 token=\"E-{token}\"><tt:Name>E</tt:Name><tt:Encoding>{codec}</tt:Encoding><tt:Resolution><tt:Width>{width}\
                 </tt:Width><tt:Height>{height}</tt:Height></tt:Resolution><tt:RateControl><tt:FrameRateLimit>{rate}\
                 </tt:FrameRateLimit><tt:BitrateLimit>{bits}</tt:BitrateLimit></tt:RateControl><tt:H264><tt:GovLength>50\
                 </tt:GovLength></tt:H264></tt:VideoEncoderConfiguration></trt:Profiles>"
            )
        };
        format!(
            "<trt:GetProfilesResponse>{}{}</trt:GetProfilesResponse>",
            profile("main", "mainStream", codec, (width, height), frame_rate, 4_096),
            profile("sub", "subStream", "H264", (640, 360), 15, 512)
        )
    }

    fn profiles_2(&self) -> String {
        let (codec, width, height, frame_rate) = self.settings();
        format!(
            "<tr2:GetProfilesResponse><tr2:Profiles token=\"main\" fixed=\"true\"><tr2:Name>mainStream</tr2:Name>\
             <tr2:Configurations><tr2:VideoEncoder token=\"E\" GovLength=\"50\" Profile=\"Main\"><tt:Name>E</tt:Name>\
             <tt:Encoding>{codec}</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height>\
             </tt:Resolution><tt:RateControl ConstantBitRate=\"false\"><tt:FrameRateLimit>{frame_rate}</tt:FrameRateLimit>\
             <tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl></tr2:VideoEncoder></tr2:Configurations></tr2:Profiles>\
             </tr2:GetProfilesResponse>"
        )
    }

    fn uri(&self, operation: &str, uri: &str, is_second: bool) -> String {
        match is_second {
            true => format!("<tr2:{operation}Response><tr2:Uri>{uri}</tr2:Uri></tr2:{operation}Response>"),
            false => format!(
                "<trt:{operation}Response><trt:MediaUri><tt:Uri>{uri}</tt:Uri><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>\
                 </trt:{operation}Response>"
            ),
        }
    }

    fn recordings(&self, operation: &str) -> String {
        let now = self.body.own_s();
        let age_s = if self.body.is(Quirk::NoRecording) { STALE_S } else { FRESH_S };
        let (from, until) = (moment(now - KEPT_S), moment(now - age_s));
        let channels = &self.body.spec.channels;
        match operation {
            "GetRecordingSummary" => format!(
                "<tse:GetRecordingSummaryResponse><tse:Summary><tt:DataFrom>{from}</tt:DataFrom><tt:DataUntil>{until}</tt:DataUntil>\
                 <tt:NumberRecordings>{}</tt:NumberRecordings></tse:Summary></tse:GetRecordingSummaryResponse>",
                channels.len()
            ),
            "FindRecordings" => {
                "<tse:FindRecordingsResponse><tse:SearchToken>S1</tse:SearchToken></tse:FindRecordingsResponse>".to_owned()
            }
            "EndSearch" => format!("<tse:EndSearchResponse><tse:Endpoint>{until}</tse:Endpoint></tse:EndSearchResponse>"),
            _ => {
                let status = if self.body.is(Quirk::NoRecording) { "Stopped" } else { "Recording" };
                let one = |(at, name): (usize, &String)| {
                    format!(
                        "<tt:RecordingInformation><tt:RecordingToken>R{at}</tt:RecordingToken><tt:Source><tt:SourceId>D{at}\
                         </tt:SourceId><tt:Name>{name}</tt:Name></tt:Source><tt:EarliestRecording>{from}</tt:EarliestRecording>\
                         <tt:LatestRecording>{until}</tt:LatestRecording><tt:Content/><tt:RecordingStatus>{status}\
                         </tt:RecordingStatus></tt:RecordingInformation>"
                    )
                };
                let all: String = channels.iter().enumerate().map(one).collect();
                format!(
                    "<tse:GetRecordingSearchResultsResponse><tse:ResultList><tt:SearchState>Completed</tt:SearchState>{all}\
                     </tse:ResultList></tse:GetRecordingSearchResultsResponse>"
                )
            }
        }
    }

    /// The subscription that a message is for: by the reference parameter, which has to come back as it was given.
    fn subscription(&self) -> Option<u64> {
        element(self.xml, "SubscriptionId")?.trim().parse().ok()
    }

    fn forgotten(&self) -> Reply {
        fault(self.body, "400 Bad Request", "wsrf:ResourceUnknownFault", "resource unknown")
    }

    fn granted(&self, name: &str) -> (u64, String) {
        let asked = element(self.xml, name).and_then(seconds).unwrap_or(USUAL_S).clamp(1, MOST_S);
        let now = self.body.clock.now_s();
        let times = format!(
            "<wsnt:CurrentTime>{}</wsnt:CurrentTime><wsnt:TerminationTime>{}</wsnt:TerminationTime>",
            moment(now),
            moment(now + asked as f64)
        );
        (asked, times)
    }

    fn of_events(&self, operation: &str) -> Reply {
        if self.body.is(Quirk::NoEvents) {
            return self.refused();
        }
        if operation == "CreatePullPointSubscription" {
            let (seconds, times) = self.granted("InitialTerminationTime");
            let Some(id) = self.body.subscribe(seconds) else {
                return fault(
                    self.body,
                    "500 Internal Server Error",
                    "ter:MaxPullPoints",
                    "too many subscriptions",
                );
            };
            return good(format!(
                "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa:Address>{}</wsa:Address>\
                 <wsa:ReferenceParameters><own:SubscriptionId>{id}</own:SubscriptionId></wsa:ReferenceParameters>\
                 </tev:SubscriptionReference>{times}</tev:CreatePullPointSubscriptionResponse>",
                self.address("/onvif/subscription")
            ));
        }
        let Some(id) = self.subscription() else { return self.forgotten() };
        if operation == "Unsubscribe" {
            return match self.body.unsubscribe(id) {
                true => good("<wsnt:UnsubscribeResponse/>".to_owned()),
                false => self.forgotten(),
            };
        }
        let (seconds, times) = self.granted("TerminationTime");
        match self.body.renew(id, seconds) {
            true => good(format!("<wsnt:RenewResponse>{times}</wsnt:RenewResponse>")),
            false => self.forgotten(),
        }
    }

    /// Waits for messages as long as the subscriber asks.
    async fn pull(&self) -> Reply {
        let Some(id) = self.subscription() else { return self.forgotten() };
        let wait_s = element(self.xml, "Timeout").and_then(seconds).unwrap_or(1).min(MOST_WAIT_S);
        let limit =
            element(self.xml, "MessageLimit").and_then(|limit| limit.trim().parse().ok()).unwrap_or(10);
        let waited = tokio::time::sleep(std::time::Duration::from_secs(wait_s));
        tokio::pin!(waited);
        let mut is_over = false;
        loop {
            let changed = self.body.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            let Some(messages) = self.body.pull(id, limit) else { return self.forgotten() };
            if !messages.is_empty() || is_over {
                let now = self.body.clock.now_s();
                return good(format!(
                    "<tev:PullMessagesResponse><tev:CurrentTime>{}</tev:CurrentTime><tev:TerminationTime>{}\
                     </tev:TerminationTime>{}</tev:PullMessagesResponse>",
                    moment(now),
                    moment(now + USUAL_S as f64),
                    messages.concat()
                ));
            }
            tokio::select! {
                () = &mut changed => {}
                () = &mut waited => is_over = true,
            }
        }
    }
}
