//! Fuzzes the readers of ONVIF's answers for five seconds: octets changed anywhere, documents strung together, and tags
//! exchanged so that more of them stay well-formed.

mod mutate;

use mutate::{Dice, Run, corpus, stream};
use roundsman_core::time::Wall;
use roundsman_wire::onvif::address::Base;
use roundsman_wire::onvif::call::{Addressing, Call, Media, envelope};
use roundsman_wire::onvif::xml::Element;
use roundsman_wire::onvif::{MOST_LISTED, answer, device, events, media, recordings, xml};

const CALLS: [Call<'static>; 17] = [
    Call::SystemDateAndTime,
    Call::DeviceInformation,
    Call::Services,
    Call::Capabilities,
    Call::NetworkInterfaces,
    Call::Hostname,
    Call::Profiles(Media::One),
    Call::Profiles(Media::Two),
    Call::StreamUri(Media::One, ""),
    Call::SnapshotUri(Media::One, ""),
    Call::CreatePullPoint(600),
    Call::PullMessages(50, 100),
    Call::Renew(600),
    Call::RecordingSummary,
    Call::FindRecordings,
    Call::RecordingResults(""),
    Call::EndSearch(""),
];

/// Everything that can be read of an answer, whichever it is.
fn read(said: &Element) -> usize {
    if let Some(time) = device::DeviceTime::read(said) {
        for now in [0, i64::MAX, i64::MIN] {
            time.skew(Wall(now));
        }
    }
    device::Information::read(said);
    device::hardware_address(said);
    device::host_name(said);
    let base = Base { scheme: "http", host: "192.0.2.7".into(), port: 80 };
    if let Some(led) = media::uri(said).and_then(|uri| base.lead(uri)) {
        assert!(led.url.starts_with("http://192.0.2.7:80/") && led.url.is_ascii());
    }
    let point = events::PullPoint::read(said);
    let to = Addressing { to: &point.address, parameters: &point.parameters, message: 1 };
    let written = envelope(&Call::Unsubscribe, None, Some(&to));
    // Whatever is echoed, the message stays one.
    let again = xml::read(written.as_bytes()).expect("our own message");
    assert!(again.at(&["Body", "Unsubscribe"]).is_some(), "{written}");
    recordings::Summary::read(said);
    let lists = [
        device::services(said).len(),
        device::capabilities(said).len(),
        media::profiles(Media::One, said).len(),
        media::profiles(Media::Two, said).len(),
        events::notifications(said).len(),
        recordings::Found::read(said).recordings.len(),
    ];
    assert!(lists.iter().all(|len| *len <= MOST_LISTED));
    lists.iter().sum()
}

/// Puts a piece of one document from tag to tag into another.
fn exchange(corpus: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let pick = |dice: &mut Dice| &corpus[dice.roll(corpus.len() as u64) as usize];
    let tag = |document: &[u8], dice: &mut Dice| {
        let from = dice.roll(document.len().max(1) as u64) as usize;
        from + document[from..].iter().position(|octet| *octet == b'<').unwrap_or(0)
    };
    let (to, of) = (pick(dice), pick(dice));
    let (at, begins) = (tag(to, dice), tag(of, dice));
    let ends = (begins + dice.roll(300) as usize).min(of.len());
    let ends =
        of[begins..ends].iter().rposition(|octet| *octet == b'>').map_or(begins, |last| begins + last + 1);
    [&to[..at], &of[begins..ends], &to[at..]].concat()
}

#[test]
fn answers() {
    let corpus = corpus("onvif", "");
    let Run { mut dice, clock, named } = Run::start();
    let (mut documents, mut whole, mut listed, mut faults) = (0_u64, 0_u64, 0, 0_u64);
    while !clock.is_over() {
        for _ in 0..100 {
            documents += 1;
            let octets = match dice.roll(2) {
                0 => exchange(&corpus, &mut dice),
                _ => stream(&corpus, &mut dice),
            };
            let Ok(document) = xml::read(&octets) else { continue };
            whole += 1;
            read(&document);
            for call in &CALLS {
                let name = format!("{}Response", call.operation());
                if document.at(&["Body", &name]).is_none() {
                    continue;
                }
                match answer::read(call, &octets) {
                    Ok(said) => listed += read(&said),
                    Err(_) => faults += 1,
                }
            }
            faults += u64::from(matches!(answer::read(&CALLS[0], &octets), Err(answer::Unread::Fault(_))));
        }
    }
    eprintln!("onvif fuzz, {named}: {documents} documents, {whole} whole, {listed} listed, {faults} faults");
    assert!(whole > 100 && listed > 100 && faults > 10, "{whole} {listed} {faults}");
}
