//! One HTTP request to a device, with a limit on its time and on every octet of the answer.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE};
use std::error::Error as _;
use std::time::Duration;

use super::Failure;

/// Most challenges that are read of one answer.
const MOST_CHALLENGES: usize = 8;

/// What goes out.
pub(super) struct Request<'a> {
    pub(super) url: &'a str,
    /// Of the body; `None` where there is none: then it is fetched by GET.
    pub(super) content_type: Option<&'a str>,
    pub(super) authorization: Option<&'a str>,
    pub(super) body: String,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    /// The values of `WWW-Authenticate`.
    pub(super) challenges: Vec<String>,
    pub(super) body: Vec<u8>,
}

/// The client that all devices share. It follows no redirect, asks no proxy, keeps no cookie.
#[derive(Clone, Debug)]
pub struct Http(reqwest::Client);

impl Http {
    /// A client without open connections.
    pub fn new() -> Result<Http, Failure> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .http1_ignore_invalid_headers_in_responses(true)
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(Duration::from_secs(20))
            .build();
        client.map(Http).map_err(|error| Failure::Unreachable(root(&error)))
    }

    /// Sends one request. The whole of it, to the last octet of the answer, takes `timeout_ms` at most.
    pub(super) async fn send(
        &self,
        request: &Request<'_>,
        timeout_ms: u64,
        most: usize,
    ) -> Result<Answer, Failure> {
        let builder = match request.content_type {
            Some(kind) => self.0.post(request.url).header(CONTENT_TYPE, kind).body(request.body.clone()),
            None => self.0.get(request.url),
        };
        let mut builder = builder.timeout(Duration::from_millis(timeout_ms));
        if let Some(value) = request.authorization {
            builder = builder.header(AUTHORIZATION, value);
        }
        let failed = |error: reqwest::Error| -> Failure {
            if error.is_timeout() {
                Failure::Silent { timeout_ms }
            } else if error.is_connect() {
                Failure::Unreachable(root(&error))
            } else {
                Failure::Closed(root(&error))
            }
        };
        let mut response = builder.send().await.map_err(failed)?;
        let challenges = challenges(response.headers());
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > most {
                return Err(Failure::TooLong { most });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, challenges, body })
    }
}

fn challenges(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter();
    values.filter_map(|value| value.to_str().ok().map(str::to_owned)).take(MOST_CHALLENGES).collect()
}

/// The innermost reason: what surrounds it names the address again.
fn root(error: &reqwest::Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(inner) = reason.source() {
        reason = inner;
    }
    if error.source().is_none() { error.to_string() } else { reason.to_string() }
}
