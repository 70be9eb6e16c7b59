//! RTSP: what comes is cut into answers and packets, descriptions are read, streams are watched.

mod mutate;

use mutate::{Run, stream};
use roundsman_core::time::Mono;
use roundsman_wire::rtsp::message::{Broken, Item, MOST_BODY, MOST_HEAD, Reader, Response, request, session};
use roundsman_wire::rtsp::nal::Codec;
use roundsman_wire::rtsp::sdp::{Video, control, video};
use roundsman_wire::rtsp::watch::Watch;

/// Everything that comes of octets, cut into pieces of this length.
fn items(octets: &[u8], piece: usize) -> Result<Vec<Item>, Broken> {
    let (mut reader, mut items) = (Reader::default(), Vec::new());
    for piece in octets.chunks(piece) {
        reader.push(piece);
        while let Some(item) = reader.next_item()? {
            items.push(item);
        }
    }
    Ok(items)
}

#[test]
fn a_request_is_what_the_rfc_shows() {
    let text = request("SETUP", "rtsp://192.0.2.1:554/a?b", 3, &["Session: 1".into()]);
    assert_eq!(
        text,
        "SETUP rtsp://192.0.2.1:554/a?b RTSP/1.0\r\nCSeq: 3\r\nUser-Agent: Roundsman\r\nSession: 1\r\n\r\n"
    );
    assert_eq!(session("12345678;timeout=60"), "12345678");
}

#[test]
fn answers_packets_and_requests_are_told_apart_however_they_are_cut() {
    let octets = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 4\r\n\r\nv=0\n$\x01\x00\x03abc\r\n\
        OPTIONS rtsp://c/ RTSP/1.0\r\nCSeq: 9\r\n\r\n$\x00\x00\x00RTSP/1.0 401 Unauthorized\ncseq: 3\n\
        WWW-Authenticate: Basic realm=a\nwww-authenticate: Digest realm=b\n\n";
    let whole = items(octets, octets.len()).unwrap();
    let [
        Item::Response(first),
        Item::Packet(1, packet),
        Item::Request,
        Item::Packet(0, empty),
        Item::Response(last),
    ] = &whole[..]
    else {
        panic!("{whole:?}")
    };
    assert_eq!((first.status, first.number, &first.body[..]), (200, Some(2), &b"v=0\n"[..]));
    assert_eq!((&packet[..], empty.len()), (&b"abc"[..], 0));
    let challenges: Vec<&str> = last.all("WWW-Authenticate").collect();
    assert_eq!((last.status, challenges), (401, vec!["Basic realm=a", "Digest realm=b"]));
    for piece in 1..octets.len() {
        assert_eq!(items(octets, piece).as_ref(), Ok(&whole), "pieces of {piece}");
    }
}

#[test]
fn what_never_ends_is_given_up() {
    let endless = [&b"RTSP/1.0 200 OK\r\nX: "[..], &vec![b'a'; MOST_HEAD]].concat();
    let huge = format!("RTSP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", MOST_BODY + 1);
    for (octets, broken) in [
        (&endless[..], Broken::Head),
        (huge.as_bytes(), Broken::Body),
        (b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n", Broken::Strange),
        (b"HTTP/1.1 200 OK\r\n\r\n", Broken::Strange),
        (b"RTSP/1.0 fine\r\n\r\n", Broken::Strange),
    ] {
        assert_eq!(items(octets, 512), Err(broken));
    }
}

const DESCRIPTION: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=cam\r\na=control:*\r\nm=audio 0 RTP/AVP 8\r\na=control:trackID=9\r\n\
    m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1; profile-level-id=42E01F; \
    sprop-parameter-sets=Z0LgH9oB4AiflgI=,aM4wpIA=\r\na=control:trackID=1\r\nm=application 0 RTP/AVP 107\r\n";

#[test]
fn the_first_video_of_a_description_is_found() {
    let found = video(DESCRIPTION.as_bytes()).unwrap();
    assert_eq!((&found.codec, found.kind, found.clock), (&Codec::H264, 96, 90_000));
    assert_eq!(found.control.as_deref(), Some("trackID=1"));
    assert_eq!(found.sets.iter().map(|set| set[0] & 0x1f).collect::<Vec<_>>(), [7, 8]);
    let h265 = "m=video 0 RTP/AVP 98\na=rtpmap:98 H265/90000\na=fmtp:98 sprop-vps=QAE=;sprop-sps=QgE=;sprop-pps=RAE=\n";
    let found = video(h265.as_bytes()).unwrap();
    assert_eq!((found.codec, found.sets.len(), found.control), (Codec::H265, 3, None));
    assert_eq!(video(b"m=video 0 RTP/AVP 26\n").unwrap().codec, Codec::Jpeg);
    for none in ["", "m=audio 0 RTP/AVP 8\n", "m=video\n", "m=video 0 RTP/AVP x\n", "m=video 0 RTP/AVP 96\n"]
    {
        assert_eq!(video(none.as_bytes()), None, "{none}");
    }
    for (base, given, led) in [
        ("rtsp://c/live", Some("trackID=1"), "rtsp://c/live/trackID=1"),
        ("rtsp://c/live/", Some("trackID=1"), "rtsp://c/live/trackID=1"),
        ("rtsp://c/live", Some("rtsp://d/x"), "rtsp://d/x"),
        ("rtsp://c/live", None, "rtsp://c/live"),
    ] {
        assert_eq!(control(base, given), led);
    }
}

/// An RTP packet of type 96.
fn packet(sequence: u16, timestamp: u32, marker: bool, payload: &[u8]) -> Vec<u8> {
    let mut octets = vec![0x80, if marker { 0xe0 } else { 0x60 }];
    octets.extend(sequence.to_be_bytes());
    octets.extend(timestamp.to_be_bytes());
    octets.extend([0, 0, 0, 1]);
    octets.extend(payload);
    octets
}

fn h264() -> Video {
    video(DESCRIPTION.as_bytes()).unwrap()
}

/// A key frame in two fragments, three further frames.
fn frames() -> Vec<(u16, u32, bool, Vec<u8>)> {
    vec![
        (10, 0, false, vec![0x7c, 0x85, 1, 2]),
        (11, 0, true, vec![0x7c, 0x45, 3, 4]),
        (12, 3_600, true, vec![0x41, 9]),
        (13, 7_200, true, vec![0x41, 9]),
        (14, 10_800, true, vec![0x41, 9]),
    ]
}

fn watched(video: &Video, frames: &[(u16, u32, bool, Vec<u8>)]) -> Watch {
    let mut watch = Watch::new(video);
    for (at, (sequence, timestamp, marker, payload)) in frames.iter().enumerate() {
        watch.take(&packet(*sequence, *timestamp, *marker, payload), Mono(at as u64 * 40));
    }
    watch
}

#[test]
fn a_stream_is_alive_with_its_first_packet_and_decodable_with_a_whole_key_frame() {
    let all = watched(&h264(), &frames());
    let seen = all.seen();
    assert_eq!((seen.first_packet, seen.first_key_frame), (Some(Mono(0)), Some(Mono(40))));
    assert_eq!((seen.frames, seen.lost, seen.strange), (4, 0, 0));
    // Without its first fragment, with a gap, without parameter sets, without a key frame.
    let late = watched(&h264(), &frames()[1..]);
    assert!(!late.is_decodable() && late.seen().first_packet.is_some(), "the key frame had begun");
    let mut torn = frames();
    torn[1].0 = 12;
    (2..5).for_each(|at| torn[at].0 += 1);
    let torn = watched(&h264(), &torn);
    assert_eq!((torn.is_decodable(), torn.seen().lost, torn.seen().frames), (false, 1, 3));
    let bare = Video { sets: Vec::new(), ..h264() };
    assert!(!watched(&bare, &frames()).is_decodable());
    // Parameter sets in the stream itself, together (STAP-A) with the picture behind them.
    let sets = h264().sets;
    let mut stap = vec![0x78];
    for set in &sets {
        stap.extend((set.len() as u16).to_be_bytes());
        stap.extend(set);
    }
    let mut inside = vec![(9, 0, false, stap)];
    inside.extend(frames());
    assert!(watched(&bare, &inside).is_decodable());
    let wrong = Video { sets: vec![vec![0x67, 3, 0, 200, 1], vec![0x68, 1, 2]], ..h264() };
    assert!(!watched(&wrong, &frames()).is_decodable(), "no SPS has this profile and level");
    assert!(!watched(&h264(), &frames()[2..]).is_decodable());
}

#[test]
fn numbers_begin_anew_and_wrap_without_a_loss() {
    let mut wrapping = frames();
    wrapping.iter_mut().for_each(|frame| frame.0 = frame.0.wrapping_sub(13));
    assert_eq!(watched(&h264(), &wrapping).seen().lost, 0);
    let mut anew = frames();
    anew[3].0 = 40_000;
    anew[4].0 = 40_001;
    assert_eq!(watched(&h264(), &anew).seen().lost, 0);
    // Of another payload type, or no RTP at all.
    let mut watch = Watch::new(&h264());
    let mut other = packet(1, 0, true, &[0x65, 1]);
    other[1] = 0x60 | 1;
    for octets in [&other[..], &[], &[0x80; 5]] {
        watch.take(octets, Mono(0));
    }
    assert_eq!((watch.seen().strange, watch.seen().first_packet), (3, None));
}

/// Whatever comes: no panic, and nothing is kept beyond the limits.
#[test]
fn damaged_octets_are_read_without_harm() {
    let mut good = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 3\r\n\r\nabc".to_vec();
    for (sequence, timestamp, marker, payload) in frames() {
        let packet = packet(sequence, timestamp, marker, &payload);
        good.extend([b'$', 0, 0, packet.len() as u8]);
        good.extend(packet);
    }
    let seeds = [good, DESCRIPTION.as_bytes().to_vec()];
    let mut run = Run::start();
    while !run.clock.is_over() {
        let octets = stream(&seeds, &mut run.dice);
        let mut watch = Watch::new(&h264());
        let _ = video(&octets);
        let piece = 1 + run.dice.roll(64) as usize;
        for item in items(&octets, piece).unwrap_or_default() {
            match item {
                Item::Packet(_, octets) => watch.take(&octets, Mono(0)),
                Item::Response(Response { body, .. }) => assert!(body.len() <= MOST_BODY, "{}", run.named),
                Item::Request => {}
            }
        }
    }
}
