//! Virtual cameras as programs see them that nobody here wrote: curl with Digest, FFmpeg's RTSP client and decoder.

use roundsman_simulator::camera::quirk::Quirk;
use roundsman_simulator::camera::{CameraSpec, Ways};
use roundsman_simulator::clock::Clock;
use roundsman_simulator::fault::{Assignment, Fault};
use roundsman_simulator::site::Site;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Output;
use tokio::process::Command;

const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 24, 1, 1);
const LOGIN: &str = "patrol:se%22cret";

/// Whether curl and FFmpeg are there; where not, the test fails unless ALLOW_SKIP names ffmpeg.
async fn has_judges() -> bool {
    let mut there = true;
    for judge in ["curl", "ffprobe"] {
        there &= Command::new(judge).arg("-version").output().await.is_ok();
    }
    let may_skip =
        std::env::var("ALLOW_SKIP").is_ok_and(|names| names.split(',').any(|name| name.trim() == "ffmpeg"));
    assert!(there || may_skip, "curl or ffprobe is missing: run tests/run, or name ffmpeg in ALLOW_SKIP");
    there
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((ADDRESS, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// One camera.
async fn site() -> (Site, CameraSpec) {
    let spec = CameraSpec {
        id: "cam".into(),
        address: ADDRESS,
        http_port: free_port(),
        rtsp_port: free_port(),
        echo_port: None,
        user: "patrol".into(),
        password: "se\"cret".into(),
        ways: Ways::Both,
        maker: "HIKVISION".into(),
        model: "DS-2CD2T47".into(),
        codec: "H264".into(),
        size: (1_920, 1_080),
        frame_rate: 25,
        channels: Vec::new(),
        uplinks: Vec::new(),
    };
    let mut site = Site::start(&[], 1, Clock::start()).await.expect("the site");
    site.install(std::slice::from_ref(&spec)).await.expect("the camera");
    (site, spec)
}

async fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().await.expect("the judge starts")
}

async fn curl(arguments: &[&str]) -> (String, Vec<u8>) {
    let status = ["-s", "-m", "5", "-w", "%{stderr}%{http_code}"];
    let output = run("curl", &[&status[..], arguments].concat()).await;
    (String::from_utf8_lossy(&output.stderr).into_owned(), output.stdout)
}

#[tokio::test]
async fn curl_reads_the_time_and_the_picture_and_is_asked_who_it_is() {
    if !has_judges().await {
        return;
    }
    let (_site, spec) = site().await;
    let base = format!("http://{ADDRESS}:{}", spec.http_port);
    let ask = |operation: &str| {
        format!(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body>\
             <{operation} xmlns=\"http://www.onvif.org/ver10/device/wsdl\"/></s:Body></s:Envelope>"
        )
    };
    let device = format!("{base}/onvif/device_service");
    let (status, time) = curl(&["-d", &ask("GetSystemDateAndTime"), &device]).await;
    let time = String::from_utf8_lossy(&time).into_owned();
    assert!(status == "200" && time.contains("<tt:UTCDateTime>"), "{status} {time}");
    let (status, refused) = curl(&["-d", &ask("GetDeviceInformation"), &device]).await;
    assert!(status == "401" && String::from_utf8_lossy(&refused).contains("NotAuthorized"), "{status}");
    let digest = ["--digest", "-u", "patrol:se\"cret"];
    let (status, said) = curl(&[&digest[..], &["-d", &ask("GetDeviceInformation"), &device]].concat()).await;
    assert!(status.ends_with("200") && String::from_utf8_lossy(&said).contains("DS-2CD2T47"), "{status}");
    let picture = format!("{base}/snapshot.jpg");
    let (status, jpeg) = curl(&[&digest[..], &[&picture]].concat()).await;
    assert!(status.ends_with("200") && jpeg.starts_with(&[0xff, 0xd8]) && jpeg.ends_with(&[0xff, 0xd9]));
    let (status, _) = curl(&["--digest", "-u", "patrol:wrong", &picture]).await;
    assert_eq!(status, "401");
}

#[tokio::test]
async fn ffmpeg_decodes_the_stream_and_is_refused_what_is_not_there() {
    if !has_judges().await {
        return;
    }
    let (site, spec) = site().await;
    let url = |login: &str| format!("rtsp://{login}@{ADDRESS}:{}/stream/main", spec.rtsp_port);
    let probe = async |login: &str| {
        let shows = "stream=codec_name,width,height,nb_read_frames";
        let arguments = [
            "-v",
            "error",
            "-rtsp_transport",
            "tcp",
            "-count_frames",
            "-read_intervals",
            "%+2",
            "-show_entries",
        ];
        run("ffprobe", &[&arguments[..], &[shows, "-of", "csv=p=0", &url(login)]].concat()).await
    };
    let output = probe(LOGIN).await;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let fields: Vec<&str> = said.split(',').collect();
    assert_eq!(fields[..3], ["h264", "320", "180"], "{said} {errors}");
    assert!(fields[3].parse::<u32>().is_ok_and(|frames| frames >= 20), "{said} {errors}");
    assert_eq!(errors, "", "decoded without an error");
    let refused = probe("patrol:wrong").await;
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("401"));
    let fault = Some(Fault::Camera(Quirk::StreamMissing));
    site.apply(&Assignment { device: "cam".into(), fault }).expect("the quirk");
    let missing = probe(LOGIN).await;
    assert!(String::from_utf8_lossy(&missing.stderr).contains("404"), "{missing:?}");
}
