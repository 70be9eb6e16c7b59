//! Requests, answers and interleaved packets of one connection (RFC 2326, sections 6, 7 and 10.12).

/// Longest head of an answer, octets.
pub const MOST_HEAD: usize = 16 * 1024;
/// Longest body of an answer, octets: a description of a camera's streams has a few hundred.
pub const MOST_BODY: usize = 64 * 1024;
/// Most headers of an answer.
const MOST_HEADERS: usize = 64;

/// A request. `headers` are whole lines without their ends.
pub fn request(method: &str, uri: &str, number: u32, headers: &[String]) -> String {
    let mut text = format!("{method} {uri} RTSP/1.0\r\nCSeq: {number}\r\nUser-Agent: Roundsman\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// The number of the request that it answers, where it says so.
    pub number: Option<u32>,
    /// Names and values.
    pub headers: Vec<(Box<str>, Box<str>)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| &**value)
    }

    /// All headers of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// An answer.
    Response(Response),
    /// A request of the device's own: some ask whether we are still there.
    Request,
    /// A packet of this channel.
    Packet(u8, Vec<u8>),
}

/// Why nothing more can be read of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The head of an answer does not end.
    #[error("the head of an answer is longer than {MOST_HEAD} octets")]
    Head,
    /// The body of an answer is too long.
    #[error("the body of an answer is longer than {MOST_BODY} octets")]
    Body,
    /// What came is neither an answer nor a packet.
    #[error("what came is no RTSP")]
    Strange,
}

/// Cuts what comes into items.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    octets: Vec<u8>,
    from: usize,
}

impl Reader {
    /// Takes what came. At most a head and a body are kept, since items are taken out as soon as they are whole.
    pub fn push(&mut self, octets: &[u8]) {
        if self.from > 0 {
            self.octets.drain(..self.from);
            self.from = 0;
        }
        self.octets.extend_from_slice(octets);
    }

    /// The next item, if it is whole.
    pub fn next_item(&mut self) -> Result<Option<Item>, Broken> {
        loop {
            let rest = &self.octets[self.from..];
            match rest {
                [] => return Ok(None),
                [b'$', channel, high, low, packet @ ..] => {
                    let len = usize::from(u16::from_be_bytes([*high, *low]));
                    let Some(packet) = packet.get(..len) else { return Ok(None) };
                    let item = Item::Packet(*channel, packet.to_vec());
                    self.from += 4 + len;
                    return Ok(Some(item));
                }
                [b'$', ..] => return Ok(None),
                // Empty lines between messages.
                [b'\r' | b'\n', ..] => self.from += 1,
                _ => return self.message(),
            }
        }
    }

    fn message(&mut self) -> Result<Option<Item>, Broken> {
        let rest = &self.octets[self.from..];
        let Some(head_len) = head_len(rest) else {
            return if rest.len() > MOST_HEAD { Err(Broken::Head) } else { Ok(None) };
        };
        if head_len > MOST_HEAD {
            return Err(Broken::Head);
        }
        let head = String::from_utf8_lossy(&rest[..head_len]).into_owned();
        let mut lines = head.lines();
        let first = lines.next().unwrap_or("");
        let pair = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((Box::from(name.trim()), Box::from(value.trim())))
        };
        let headers = lines.filter_map(pair).take(MOST_HEADERS).collect();
        let mut response = Response { headers, ..Response::default() };
        let body_len = response.header("content-length").map_or(Ok(0), |text| text.parse::<usize>());
        let body_len = body_len.map_err(|_| Broken::Strange)?;
        if body_len > MOST_BODY {
            return Err(Broken::Body);
        }
        let Some(body) = rest.get(head_len..head_len + body_len) else { return Ok(None) };
        response.body = body.to_vec();
        self.from += head_len + body_len;
        let Some(status) = first.strip_prefix("RTSP/") else {
            // `OPTIONS rtsp://… RTSP/1.0`
            return if first.contains(" RTSP/") { Ok(Some(Item::Request)) } else { Err(Broken::Strange) };
        };
        response.status =
            status.split_whitespace().nth(1).and_then(|status| status.parse().ok()).ok_or(Broken::Strange)?;
        response.number = response.header("cseq").and_then(|number| number.parse().ok());
        Ok(Some(Item::Response(response)))
    }
}

/// How long a head is with the empty line at its end.
fn head_len(octets: &[u8]) -> Option<usize> {
    let end =
        |mark: &[u8]| octets.windows(mark.len()).position(|window| window == mark).map(|at| at + mark.len());
    match (end(b"\r\n\r\n"), end(b"\n\n")) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The session of a `Session` header, without its timeout.
pub fn session(value: &str) -> &str {
    value.split(';').next().unwrap_or("").trim()
}
