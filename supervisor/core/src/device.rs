//! A device of the site: what it is, where it stands, what it hangs on.

use crate::line::Line;
use crate::model::{InstanceIx, Labels};
use crate::text::Bilingual;
use std::sync::Arc;

/// Dense index of a device in the site as it is loaded now; a reload may give the same device another index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceIx(pub u32);

impl DeviceIx {
    /// The index as a position in a slice.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal $zh:literal $en:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// All of them, in the order of the design.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word used in site files, profiles and the API.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// The one with this word, if there is one.
            pub fn from_word(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }

            /// The name shown to people.
            pub fn name(self) -> Bilingual {
                match self { $($name::$variant => Bilingual::new($zh, $en)),+ }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Tier of the four-tier network (省 市 县 所).
    Tier {
        /// Province, 省.
        Province = "province" "省" "Province",
        /// City, 市.
        City = "city" "市" "City",
        /// County, 县.
        County = "county" "县" "County",
        /// Station, 所.
        Station = "station" "所" "Station",
    }
}

words! {
    /// The network a device belongs to.
    Network {
        /// The four-tier business network.
        Business = "business" "业务网" "Business network",
        /// The office LAN.
        Lan = "lan" "机关局域网" "Office LAN",
        /// The Internet line.
        Internet = "internet" "互联网" "Internet",
        /// The government intranet.
        GovIntranet = "gov-intranet" "政务内网" "Government intranet",
    }
}

words! {
    /// Class of a device; the profile says it.
    Class {
        /// A router.
        Router = "router" "路由器" "Router",
        /// A switch.
        Switch = "switch" "交换机" "Switch",
        /// A firewall.
        Firewall = "firewall" "防火墙" "Firewall",
        /// A wireless controller or access point.
        Wireless = "wireless" "无线设备" "Wireless",
        /// A server.
        Server = "server" "服务器" "Server",
        /// An office PC.
        Pc = "pc" "办公电脑" "PC",
        /// A printer, copier or scanner.
        Printer = "printer" "打印机" "Printer",
        /// An uninterruptible power supply.
        Ups = "ups" "不间断电源" "UPS",
        /// A surveillance camera.
        Camera = "camera" "摄像机" "Camera",
        /// A video recorder.
        Recorder = "recorder" "网络硬盘录像机" "Recorder",
        /// A video wall.
        VideoWall = "video-wall" "拼接屏" "Video wall",
        /// A single display.
        Display = "display" "显示屏" "Display",
        /// A projector.
        Projector = "projector" "投影机" "Projector",
        /// A digital conference host.
        ConferenceHost = "conference-host" "会议主机" "Conference host",
        /// A video conference terminal.
        VideoTerminal = "video-terminal" "视频会议终端" "Video terminal",
        /// An audio signal processor.
        AudioDsp = "audio-dsp" "音频处理器" "Audio DSP",
        /// Power distribution, meters, sequencers.
        Power = "power" "配电设备" "Power",
        /// Environment sensors.
        Environment = "environment" "环境监测" "Environment",
        /// A service: web site, interface, database.
        Service = "service" "服务" "Service",
    }
}

/// What a device hangs on: another device, and the port there where it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uplink {
    /// The parent.
    pub device: DeviceIx,
    /// The parent's port (an instance label), if the site file names it.
    pub port: Option<Arc<str>>,
}

/// The tag of an interface that leads to what the device hangs on.
pub const UPLINK_TAG: &str = "uplink";

/// Units of one kind in rows and columns, called `r1c1`, `r1c2` and so on, row by row from the upper left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// From 1.
    pub rows: u8,
    /// From 1.
    pub columns: u8,
}

impl Grid {
    /// What its units are called, row by row.
    pub fn labels(self) -> impl Iterator<Item = String> {
        let cells = move |row: u8| (1..=self.columns).map(move |column| format!("r{row}c{column}"));
        (1..=self.rows).flat_map(cells)
    }
}

/// A device as the site file describes it, references resolved.
#[derive(Clone, Debug)]
pub struct Device {
    /// The site file's id, unique in the site.
    pub id: Arc<str>,
    /// Name shown to people.
    pub name: Arc<str>,
    /// Class, from its profile.
    pub class: Class,
    /// Id of the resolved profile.
    pub profile: Arc<str>,
    /// Tier in the four-tier network.
    pub tier: Tier,
    /// Network it belongs to.
    pub network: Network,
    /// Where it stands; may be empty.
    pub location: Arc<str>,
    /// Address as configured (host or host:port); shown, never parsed here.
    pub address: Arc<str>,
    /// What it hangs on; empty at the top.
    pub uplinks: Vec<Uplink>,
    /// Seconds between two polls, 1 to 86,400.
    pub interval_s: u32,
    /// Site's tags per instance label, for guards such as `interface.tag == 'uplink'`.
    pub tags: Vec<(Arc<str>, Arc<str>)>,
    /// The line towards what it hangs on.
    pub line: Line,
}

impl Device {
    /// The interfaces tagged [`UPLINK_TAG`], as far as they were seen, in the order of the site file.
    pub fn uplink_interfaces(&self, labels: &Labels) -> Vec<InstanceIx> {
        self.uplink_labels().filter_map(|label| labels.find(label)).collect()
    }

    /// Labels of the interfaces tagged [`UPLINK_TAG`], in the order of the site file.
    pub fn uplink_labels(&self) -> impl Iterator<Item = &Arc<str>> {
        self.tags.iter().filter(|(_, tag)| **tag == *UPLINK_TAG).map(|(label, _)| label)
    }
}
