//! `roundsman discover --onvif`: cameras and recorders in the network, as entries for the site file.
//!
//! Nobody's password is shown: what can be read without one is read, the rest says what a device told when it was found.

use crate::print;
use crate::site::{self, Asked, Site};
use anyhow::{Context, Result};
use roundsman_driver::onvif::camera::{Camera, Target};
use roundsman_driver::onvif::discover::{Found, discover};
use roundsman_driver::onvif::{Credentials, Http};
use roundsman_profile::catalogue::Catalogue;
use roundsman_wire::onvif::discovery::GROUP;
use roundsman_wire::onvif::health::{Answer, Question, Value};
use roundsman_wire::onvif::login::Kept;
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

/// How long answers are waited for, ms.
const WAIT_MS: u64 = 4_000;

/// The profiles of devices whose maker no other profile is for.
const GENERIC_CAMERA: &str = "onvif-generic";
const GENERIC_RECORDER: &str = "nvr-onvif-generic";

/// Port of the device service where a device names none.
const HTTP_PORT: u16 = 80;

/// A device as it is printed.
struct Entry {
    address: SocketAddr,
    /// Its id in the site file, where it stands there.
    known: Option<String>,
    id: String,
    name: String,
    maker: String,
    model: String,
    location: String,
    profile: String,
}

/// Finds them and prints them.
pub(crate) fn run(path: &Path, places: &[SocketAddr], as_json: bool) -> Result<ExitCode> {
    let site = match site::load(path) {
        Ok(site) => site,
        Err(rejected) => return print::rejected(&rejected, as_json),
    };
    let everybody = [SocketAddr::from(GROUP)];
    let places = if places.is_empty() { &everybody[..] } else { places };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let entries = runtime.block_on(find(&site, places))?;
    if as_json {
        let entries: Vec<_> = entries.iter().map(shown).collect();
        print::json(&json!({ "devices": entries }))?;
    } else {
        print_entries(&entries)?;
    }
    Ok(ExitCode::from(u8::from(entries.is_empty())))
}

async fn find(site: &Site, places: &[SocketAddr]) -> Result<Vec<Entry>> {
    let found = discover(places, WAIT_MS).await.context("asking the network for cameras")?;
    let http = Http::new()?;
    let mut entries: Vec<Entry> = Vec::new();
    for found in &found {
        let entry = look(site, &http, found).await?;
        entries.push(entry);
    }
    Ok(entries)
}

/// What can be known of a device without a login.
async fn look(site: &Site, http: &Http, found: &Found) -> Result<Entry> {
    let address = SocketAddr::new(found.from.ip(), port(found));
    let known = site.devices.iter().find(|entry| match &entry.asked {
        Asked::Onvif(target) => target.address == address,
        _ => entry.address == Some(address.ip()),
    });
    let target = Target { address, rtsp_port: 1, credentials: None::<Credentials>, expects: None };
    let answer = Camera::new(http.clone(), target, Kept::default()).check(&[Question::Information]).await;
    let said = |item: &str| text(&answer, item);
    let name = found.said.name.clone().unwrap_or_default();
    // Many put their maker in front of their name.
    let maker =
        said("maker").or_else(|| name.split_whitespace().next().map(str::to_owned)).unwrap_or_default();
    let model = said("model").or_else(|| found.said.hardware.clone()).unwrap_or_default();
    Ok(Entry {
        address,
        known: known.map(|entry| entry.device.id.to_string()),
        id: format!("cam-{}", address.ip().to_string().replace(['.', ':'], "-")),
        name: if name.is_empty() { format!("{maker} {model}").trim().to_owned() } else { name },
        profile: profile(&site.catalogue, &maker, &model),
        location: found.said.location.clone().unwrap_or_default(),
        maker,
        model,
    })
}

fn text(answer: &Answer, item: &str) -> Option<String> {
    let at = Question::Information.item(item)?;
    match answer.of(Question::Information).ok()?.first()?.value(at)? {
        Value::Text(text) => Some(roundsman_core::text::safe(text, 128)),
        _ => None,
    }
}

/// The port of the address that the device gives of itself; its host may be one of another network.
fn port(found: &Found) -> u16 {
    let port = |given: &str| {
        let authority = given.strip_prefix("http://")?.split('/').next()?;
        authority.rsplit_once(':').filter(|(_, port)| !port.contains(']'))?.1.parse().ok()
    };
    found.said.given.iter().find_map(|given| port(given)).unwrap_or(HTTP_PORT)
}

fn profile(catalogue: &Catalogue, maker: &str, model: &str) -> String {
    if let Some(profile) = catalogue.resolve_onvif(maker, model) {
        return profile.id.to_string();
    }
    let is_recorder = ["NVR", "DVR", "XVR"].iter().any(|word| model.to_uppercase().contains(word));
    if is_recorder { GENERIC_RECORDER } else { GENERIC_CAMERA }.to_owned()
}

fn shown(entry: &Entry) -> serde_json::Value {
    json!({
        "address": entry.address.to_string(),
        "known": entry.known,
        "name": entry.name,
        "maker": entry.maker,
        "model": entry.model,
        "location": entry.location,
        "profile": entry.profile,
    })
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn print_entries(entries: &[Entry]) -> Result<()> {
    let (known, new): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| entry.known.is_some());
    for entry in &known {
        let id = entry.known.as_deref().unwrap_or_default();
        print::line(&format!("# {} is {id}: {} {}", entry.address, entry.maker, entry.model))?;
    }
    for entry in &new {
        let mut section = format!(
            "\n# {} {}\n[[device]]\nid = {}\nname = {}\nprofile = {}\ntier = \"city\"\nnetwork = \"lan\"\n",
            entry.maker,
            entry.model,
            quoted(&entry.id),
            quoted(if entry.name.is_empty() { &entry.id } else { &entry.name }),
            quoted(&entry.profile)
        );
        if !entry.location.is_empty() {
            section += &format!("location = {}\n", quoted(&entry.location));
        }
        let port = entry.address.port();
        let address =
            if port == HTTP_PORT { entry.address.ip().to_string() } else { entry.address.to_string() };
        section += &format!("address = {}\ncredentials = \"cameras\"", quoted(&address));
        print::line(&section)?;
    }
    let said = match (new.len(), known.len()) {
        (0, 0) => "nobody answered: cameras answer in their own network alone (multicast), and some have ONVIF or its \
                   discovery switched off; --at ADDRESS:3702 asks one of them"
            .to_owned(),
        (new, known) => format!("{new} new, {known} in the site file; passwords were not used"),
    };
    eprintln!("roundsman: {said}");
    Ok(())
}
