//! The demo's site: a city bureau between its province and its stations, as the text of a site file.

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};

/// What others hang on.
const PROVINCE: &str = "rt-province";
const CORE: &str = "rt-city-core";
const LAN: &str = "rt-city-lan";
const INTERNET: &str = "rt-city-internet";
const GOV: &str = "rt-city-gov";
const AGGREGATION: &str = "rt-aggregation";

/// The LAN switch of the machine room: what the box plugs into.
const MACHINE_ROOM: &str = "sw-machine-room";

/// Where most of the city's devices stand.
const ROOM: &str = "1F 机房";

/// File of the community beside the site file.
pub const COMMUNITY_FILE: &str = "community";

/// The first device's address; every demo has it.
pub const FIRST_DEVICE: Ipv4Addr = Ipv4Addr::new(127, 16, 1, 1);

/// Time between two polls in the demo: a fault shows within half a minute.
const INTERVAL: &str = "10s";

/// How often lines are probed in the demo, and when a station's line counts as lossy there: within a scene of the story,
/// not within minutes.
const PROBED: &str = "1s";
const LOSSY: &str = "rule.line-lossy.major = { above = 10, clear = 5, for = \"10s\", clear_for = \"10s\" }";

/// Something with an id and a name.
type Named = (&'static str, &'static str);

/// Id and name of a county, and of four of its towns.
type County = (&'static str, &'static str, [Named; 4]);

/// The counties and districts of Linfen (临汾市, 17) with some of their towns and streets, which name the stations.
const COUNTIES: [County; 17] = [
    (
        "yaodu",
        "尧都区",
        [("jiefang", "解放路"), ("xiangxian", "乡贤街"), ("tumen", "土门镇"), ("liucun", "刘村镇")],
    ),
    (
        "quwo",
        "曲沃县",
        [("lechang", "乐昌镇"), ("shicun", "史村镇"), ("qucun", "曲村镇"), ("gaoxian", "高显镇")],
    ),
    (
        "yicheng",
        "翼城县",
        [("tangxing", "唐兴镇"), ("nanliang", "南梁镇"), ("lizhai", "里砦镇"), ("longhua", "隆化镇")],
    ),
    (
        "xiangfen",
        "襄汾县",
        [("xincheng", "新城镇"), ("zhaokang", "赵康镇"), ("fencheng", "汾城镇"), ("dengzhuang", "邓庄镇")],
    ),
    (
        "hongtong",
        "洪洞县",
        [("dahuaishu", "大槐树"), ("ganting", "甘亭镇"), ("zhaocheng", "赵城镇"), ("wan-an", "万安镇")],
    ),
    (
        "guxian",
        "古县",
        [("yueyang", "岳阳镇"), ("beiping", "北平镇"), ("guyang", "古阳镇"), ("jiuxian", "旧县镇")],
    ),
    (
        "anze",
        "安泽县",
        [("fucheng", "府城镇"), ("hechuan", "和川镇"), ("tangcheng", "唐城镇"), ("jishi", "冀氏镇")],
    ),
    (
        "fushan",
        "浮山县",
        [
            ("tiantan", "天坛镇"),
            ("xiangshuihe", "响水河镇"),
            ("beiwang", "北王镇"),
            ("zhangzhuang", "张庄镇"),
        ],
    ),
    (
        "jixian",
        "吉县",
        [("jichang", "吉昌镇"), ("tunli", "屯里镇"), ("hukou", "壶口镇"), ("checheng", "车城乡")],
    ),
    (
        "xiangning",
        "乡宁县",
        [("changning", "昌宁镇"), ("guanghua", "光华镇"), ("taitou", "台头镇"), ("guantou", "管头镇")],
    ),
    (
        "daning",
        "大宁县",
        [("xinshui", "昕水镇"), ("qu-e", "曲峨镇"), ("sanduo", "三多乡"), ("taide", "太德乡")],
    ),
    (
        "xixian",
        "隰县",
        [("longquan", "龙泉镇"), ("wucheng", "午城镇"), ("huangtu", "黄土镇"), ("yangtousheng", "阳头升乡")],
    ),
    (
        "yonghe",
        "永和县",
        [("zhihe", "芝河镇"), ("sangbi", "桑壁镇"), ("gedi", "阁底乡"), ("potou", "坡头乡")],
    ),
    (
        "puxian",
        "蒲县",
        [("pucheng", "蒲城镇"), ("xueguan", "薛关镇"), ("heilongguan", "黑龙关镇"), ("kecheng", "克城镇")],
    ),
    (
        "fenxi",
        "汾西县",
        [("yongan", "永安镇"), ("duizhu", "对竹镇"), ("qingxiang", "勍香镇"), ("heping", "和平镇")],
    ),
    ("houma", "侯马市", [("ludong", "路东"), ("luxi", "路西"), ("huibin", "浍滨"), ("shangma", "上马")]),
    (
        "huozhou",
        "霍州市",
        [("gulou", "鼓楼"), ("beihuan", "北环路"), ("nanhuan", "南环路"), ("bailong", "白龙镇")],
    ),
];

/// What differs between one demo and another.
#[derive(Clone, Debug)]
pub struct VirtualSite {
    /// Number of stations, spread over the counties.
    pub stations: u16,
    /// Port of every SNMP agent.
    pub snmp_port: u16,
    /// Port of every echo.
    pub echo_port: u16,
    /// Where the panel listens.
    pub listen: SocketAddr,
    /// Folder of the store, from the site file's folder.
    pub store: String,
    /// Folder of the links to the virtual lines' ends, absolute.
    pub lines: String,
}

/// A device as the site file gets it.
struct Entry<'a> {
    id: &'a str,
    name: &'a str,
    profile: &'a str,
    tier: &'a str,
    network: &'a str,
    location: &'a str,
    /// The last two octets of 127.16.x.x.
    address: [u8; 2],
    /// The parent, and the number of its port.
    uplink: Option<(&'a str, usize)>,
    /// The line's speed.
    line: &'a str,
}

/// A device of the city: id, name, profile, network, location, parent, line.
type City = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static str,
);

/// The city bureau: the core between province and counties, the office networks, what hangs on them. A parent stands
/// before its children.
const CITY: [City; 18] = [
    (CORE, "市局核心路由器", "huawei-vrp", "business", ROOM, Some(PROVINCE), "1000M"),
    (AGGREGATION, "县区汇聚路由器", "huawei-vrp", "business", ROOM, Some(CORE), "10000M"),
    (LAN, "机关局域网路由器", "huawei-vrp", "lan", ROOM, Some(CORE), "10000M"),
    (INTERNET, "互联网出口路由器", "auto", "internet", ROOM, Some(CORE), "1000M"),
    (GOV, "政务内网路由器", "huawei-vrp", "gov-intranet", ROOM, Some(CORE), "1000M"),
    ("rt-city-meeting", "视频会议路由器", "snmp-generic", "business", "10F 会议室", Some(CORE), "1000M"),
    (MACHINE_ROOM, "机房交换机", "h3c-comware", "lan", ROOM, Some(LAN), "10000M"),
    ("sw-1f", "1 楼办事大厅交换机", "h3c-comware", "lan", "1F 弱电间", Some(MACHINE_ROOM), "1000M"),
    ("sw-3f", "3 楼交换机", "h3c-comware", "lan", "3F 弱电间", Some(MACHINE_ROOM), "1000M"),
    ("sw-9f", "9 楼交换机", "auto", "lan", "9F 弱电间", Some(MACHINE_ROOM), "1000M"),
    ("sw-10f", "10 楼会议室交换机", "h3c-comware", "lan", "10F 弱电间", Some(MACHINE_ROOM), "1000M"),
    ("sw-internet", "互联网区交换机", "h3c-comware", "internet", ROOM, Some(INTERNET), "1000M"),
    ("sw-gov", "政务内网交换机", "h3c-comware", "gov-intranet", "9F 弱电间", Some(GOV), "1000M"),
    ("srv-platform", "业务平台服务器", "linux-net-snmp", "lan", ROOM, Some(MACHINE_ROOM), "1000M"),
    ("srv-database", "数据库服务器", "linux-net-snmp", "lan", ROOM, Some(MACHINE_ROOM), "1000M"),
    ("srv-backup", "备份服务器", "linux-net-snmp", "lan", ROOM, Some(MACHINE_ROOM), "1000M"),
    ("ups-machine-room", "机房 UPS", "ups-mib", "lan", ROOM, Some(MACHINE_ROOM), "100M"),
    ("prn-3f", "3 楼文印室打印机", "printer-mib", "lan", "3F 文印室", Some("sw-3f"), "100M"),
];

/// Where a bus ends.
#[derive(Clone, Copy)]
enum Bus {
    /// At a link to a virtual line's end.
    Line(&'static str),
    /// At a serial server.
    Server(Ipv4Addr),
}

/// The buses: id, and where they end.
const BUSES: [(&str, Bus); 3] = [
    (WALL, Bus::Line(WALL)),
    ("machine-room", Bus::Line("machine-room")),
    ("conference-10f", Bus::Server(Ipv4Addr::new(127, 16, 4, 1))),
];

/// The video wall of the meeting room, and the line that it has for itself.
const WALL: &str = "wall-10f";

/// A device on a bus: id, name, profile, location, bus, the rest of its section.
type OnBus = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

/// What hangs on buses. A dead panel and a warm room show in the demo within half a minute as everything does; on a real
/// wall two minutes are right, in a real room three.
const ON_BUSES: [OnBus; 4] = [
    (
        WALL,
        "10楼会议室大屏",
        "samsung-mdc",
        "10F 会议室",
        WALL,
        "grid = { rows = 3, columns = 3, first_unit = 1 }\n\
         rule.panel-silent.major = { for = \"15s\", clear_for = \"20s\" }",
    ),
    ("mtr-machine-room", "机房配电电表", "pzem-004t", ROOM, "machine-room", "unit = 1"),
    (
        "env-machine-room",
        "机房环境探测板",
        "roundsman-probe",
        ROOM,
        "machine-room",
        "unit = 2\nrule.hot.minor = { for = \"15s\", clear_for = \"10s\" }",
    ),
    ("conf-10f", "10楼会议室会议主机", "modbus-generic", "10F 会议室", "conference-10f", "unit = 1"),
];

/// A switch, and the cameras on its ports: name and location.
type Filmed = (&'static str, &'static [Named]);

/// The building's 25 cameras, by the switch that feeds them.
const CAMERAS: [Filmed; 4] = [
    (
        "sw-1f",
        &[
            ("正门", "1F 大门"),
            ("侧门", "1F 侧门"),
            ("办事大厅东", "1F 办事大厅"),
            ("办事大厅西", "1F 办事大厅"),
            ("办事窗口 1–4", "1F 办事大厅"),
            ("办事窗口 5–8", "1F 办事大厅"),
            ("一楼电梯厅", "1F 电梯厅"),
            ("停车场入口", "室外"),
            ("停车场出口", "室外"),
            ("机房门", "1F 机房"),
        ],
    ),
    (
        "sw-3f",
        &[
            ("三楼走廊东", "3F 走廊"),
            ("三楼走廊西", "3F 走廊"),
            ("三楼电梯厅", "3F 电梯厅"),
            ("档案室", "3F 档案室"),
            ("文印室", "3F 文印室"),
        ],
    ),
    (
        "sw-9f",
        &[
            ("九楼走廊东", "9F 走廊"),
            ("九楼走廊西", "9F 走廊"),
            ("九楼电梯厅", "9F 电梯厅"),
            ("检验室", "9F 检验室"),
            ("物证室", "9F 物证室"),
        ],
    ),
    (
        "sw-10f",
        &[
            ("会议室前", "10F 会议室"),
            ("会议室后", "10F 会议室"),
            ("十楼走廊", "10F 走廊"),
            ("十楼电梯厅", "10F 电梯厅"),
            ("楼顶设备间", "楼顶"),
        ],
    ),
];

/// The number of the first camera's port on its switch.
const FIRST_CAMERA_PORT: usize = 11;

/// The recorder of all of them.
const RECORDER: (&str, &str) = ("nvr-1f", "网络硬盘录像机");

/// Who logs in to them, in which credentials, and the file of the password beside the site file.
const CAMERA_USER: &str = "roundsman";
const CAMERA_CREDENTIALS: &str = "cameras";
/// File of the cameras' password beside the site file.
pub const CAMERA_PASSWORD_FILE: &str = "camera-password";

/// Profiles of counties and stations in turn.
const COUNTY_PROFILES: [&str; 4] = ["huawei-vrp", "huawei-vrp", "huawei-vrp", "auto"];
const STATION_PROFILES: [&str; 3] = ["huawei-vrp", "snmp-generic", "auto"];

/// A port's name as the makers of the parent and the trunk give it: by the first part of the device's id.
fn port_name(device: &str, number: usize) -> String {
    match device.split('-').next() {
        Some("sw") => format!("GigabitEthernet1/0/{number}"),
        Some("rt") => format!("GigabitEthernet0/0/{number}"),
        _ => "eth0".to_owned(),
    }
}

/// The port by which a device hangs on its parent.
fn trunk(device: &str) -> String {
    match device.split('-').next() {
        Some("sw") => "Ten-GigabitEthernet1/0/25".to_owned(),
        _ => port_name(device, 0),
    }
}

impl VirtualSite {
    /// The site file's text. It names [`COMMUNITY_FILE`] beside it.
    pub fn text(&self) -> String {
        let mut out = format!(
            "# The demo's site: every device is virtual and lives on a loopback address of this machine.\n\n\
             [site]\nname = \"临汾市市场监督管理局（演示）\"\ntimezone = \"Asia/Shanghai\"\nlanguage = \"zh-CN\"\nclock = \"trusted\"\n\
             attached_to = \"{MACHINE_ROOM}\"\n\n[store]\npath = \"{}\"\n\n[panel]\nlisten = \"{}\"\n\n\
             [credentials.demo]\nsnmp = {{ version = \"2c\", community_file = \"{COMMUNITY_FILE}\" }}\n\n\
             [credentials.{CAMERA_CREDENTIALS}]\nlogin = {{ user = \"{CAMERA_USER}\", password_file = \"{CAMERA_PASSWORD_FILE}\" }}\n\n\
             [[override]]\ntier = \"station\"\n{LOSSY}\n",
            self.store, self.listen
        );
        self.city(&mut out);
        self.counties(&mut out);
        self.stations(&mut out);
        self.on_buses(&mut out);
        self.cameras(&mut out);
        out
    }

    fn city(&self, out: &mut String) {
        let province = Entry {
            id: PROVINCE,
            name: "省局路由器",
            profile: "huawei-vrp",
            tier: "province",
            network: "business",
            location: "省局机房",
            address: [1, 1],
            uplink: None,
            line: "",
        };
        self.device(out, &province);
        for (at, (id, name, profile, network, location, parent, line)) in CITY.into_iter().enumerate() {
            // The number of a parent's port: how many of its children stand before.
            let place = CITY[..at].iter().filter(|other| other.5 == parent).count() + 1;
            let uplink = parent.map(|parent| (parent, place));
            let address = [1, at as u8 + 2];
            self.device(
                out,
                &Entry { id, name, profile, tier: "city", network, location, address, uplink, line },
            );
        }
    }

    fn counties(&self, out: &mut String) {
        for (at, (id, county, _)) in COUNTIES.iter().enumerate() {
            self.device(
                out,
                &Entry {
                    id: &format!("rt-{id}"),
                    name: &format!("{county}局路由器"),
                    profile: COUNTY_PROFILES[at % COUNTY_PROFILES.len()],
                    tier: "county",
                    network: "business",
                    location: &format!("{county}市场监督管理局"),
                    address: [3, at as u8 + 1],
                    uplink: Some((AGGREGATION, at + 1)),
                    line: "100M",
                },
            );
        }
    }

    /// One station after the other to each county in turn; past its four towns they are numbered.
    fn stations(&self, out: &mut String) {
        for at in 0..usize::from(self.stations) {
            let (county_id, county, towns) = &COUNTIES[at % COUNTIES.len()];
            let turn = at / COUNTIES.len();
            let (town_id, town) = towns[turn % towns.len()];
            let (id, name) = match turn / towns.len() {
                0 => (format!("rt-{county_id}-{town_id}"), format!("{county}{town}市场监管所")),
                more => (
                    format!("rt-{county_id}-{town_id}-{}", more + 1),
                    format!("{county}{town}市场监管{}所", more + 1),
                ),
            };
            self.device(
                out,
                &Entry {
                    id: &id,
                    name: &name,
                    profile: STATION_PROFILES[at % STATION_PROFILES.len()],
                    tier: "station",
                    network: "business",
                    location: &format!("{county}{town}"),
                    address: [10 + (at / 250) as u8, (at % 250) as u8 + 1],
                    uplink: Some((&format!("rt-{county_id}"), turn + 1)),
                    line: "50M",
                },
            );
        }
    }

    /// The buses, and what hangs on them: two serial lines and a serial server.
    fn on_buses(&self, out: &mut String) {
        let port = |bus: Bus| match bus {
            Bus::Line(id) => format!("{}/bus-{id}", self.lines).replace('\\', "\\\\").replace('"', "\\\""),
            Bus::Server(address) => format!("tcp://{address}:{}", self.snmp_port),
        };
        for (id, bus) in BUSES {
            let _ = write!(out, "\n[[bus]]\nid = \"{id}\"\nport = \"{}\"\n", port(bus));
        }
        for (id, name, profile, location, bus, units) in ON_BUSES {
            let _ = write!(
                out,
                "\n[[device]]\nid = \"{id}\"\nname = \"{name}\"\nprofile = \"{profile}\"\ntier = \"city\"\n\
                 network = \"lan\"\nlocation = \"{location}\"\nbus = \"{bus}\"\n{units}\ninterval = \"{INTERVAL}\"\n"
            );
        }
    }

    /// The cameras, each on a port of its floor's switch, and the recorder in the machine room. Their services are at the
    /// ports of SNMP and echo, which are UDP's.
    fn cameras(&self, out: &mut String) {
        let all = CAMERAS.iter().flat_map(|(switch, cameras)| {
            cameras.iter().enumerate().map(move |(at, camera)| (*switch, FIRST_CAMERA_PORT + at, *camera))
        });
        for (at, (switch, port, (name, location))) in all.enumerate() {
            let number = at + 1;
            // Every fifth is of 4 megapixels, and speaks of them by the second media service.
            let expects = match number % 5 {
                0 => "{ codec = \"h264\", width = 2560, height = 1440, fps = 25 }",
                _ => "{ codec = \"h264\", width = 1920, height = 1080, fps = 25 }",
            };
            let own = format!("rtsp_port = {}\nexpect = {expects}\n", self.echo_port);
            let entry = (format!("cam-{number:02}"), name, "onvif-generic", location);
            self.camera(out, entry, (number as u8, switch, port), &own);
        }
        let (id, name) = RECORDER;
        let entry = (id.to_owned(), name, "nvr-onvif-generic", ROOM);
        let own = format!("rtsp_port = {}\n", self.echo_port);
        self.camera(out, entry, (100, MACHINE_ROOM, FIRST_CAMERA_PORT), &own);
    }

    fn camera(
        &self,
        out: &mut String,
        (id, name, profile, location): (String, &str, &str, &str),
        (fourth, switch, port): (u8, &str, usize),
        own: &str,
    ) {
        let (http, echo) = (self.snmp_port, self.echo_port);
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "\n[[device]]\nid = \"{id}\"\nname = \"{name}\"\nprofile = \"{profile}\"\ntier = \"city\"\n\
             network = \"lan\"\nlocation = \"{location}\"\naddress = \"127.16.5.{fourth}:{http}\"\n\
             credentials = \"{CAMERA_CREDENTIALS}\"\nreach = \"echo:{echo}\"\ninterval = \"{INTERVAL}\"\n\
             uplink = [{{ device = \"{switch}\", port = \"{}\" }}]\n{own}",
            port_name(switch, port)
        );
    }

    fn device(&self, out: &mut String, entry: &Entry<'_>) {
        let [third, fourth] = entry.address;
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "\n[[device]]\nid = \"{}\"\nname = \"{}\"\nprofile = \"{}\"\ntier = \"{}\"\nnetwork = \"{}\"\n\
             location = \"{}\"\naddress = \"127.16.{third}.{fourth}:{}\"\ncredentials = \"demo\"\n\
             reach = \"echo:{}\"\ninterval = \"{INTERVAL}\"\n",
            entry.id,
            entry.name,
            entry.profile,
            entry.tier,
            entry.network,
            entry.location,
            self.snmp_port,
            self.echo_port
        );
        if let Some((parent, number)) = entry.uplink {
            let _ = write!(
                out,
                "uplink = [{{ device = \"{parent}\", port = \"{}\" }}]\nline = \"{}\"\nline_quality = \"{PROBED}\"\n\
                 tag = {{ \"{}\" = \"uplink\" }}\n",
                port_name(parent, number),
                entry.line,
                trunk(entry.id)
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn site(stations: u16) -> VirtualSite {
        VirtualSite {
            stations,
            snmp_port: 16100,
            echo_port: 16107,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            store: "store".to_owned(),
            lines: "/demo".to_owned(),
        }
    }

    fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
        let start = format!("{key} = \"");
        text.lines().filter_map(|line| line.strip_prefix(&start)?.strip_suffix('"')).collect()
    }

    /// Parent and port of every uplink.
    fn uplinks(text: &str) -> Vec<(&str, &str)> {
        let of = |line: &'_ str| -> Option<(usize, usize)> {
            Some((line.find("device = \"")?, line.find("port = \"")?))
        };
        let lines = text.lines().filter(|line| line.starts_with("uplink"));
        lines
            .map(|line| {
                let (device, port) = of(line).unwrap();
                let quoted =
                    |rest: &'static str, at: usize| line[at + rest.len()..].split('"').next().unwrap();
                (quoted("device = \"", device), quoted("port = \"", port))
            })
            .collect()
    }

    #[test]
    fn one_province_the_city_17_counties_and_the_stations() {
        for stations in [0, 20, 60, 1000] {
            let text = site(stations).text();
            // An override names a tier as well.
            let tiers = values(&text[text.find("[[device]]").unwrap()..], "tier");
            let count = |tier| tiers.iter().filter(|found| **found == tier).count();
            assert_eq!(count("province"), 1);
            let cameras = CAMERAS.iter().map(|(_, cameras)| cameras.len()).sum::<usize>();
            assert_eq!(cameras, 25);
            // And their recorder.
            let filmed = cameras + 1;
            assert_eq!(count("city"), CITY.len() + ON_BUSES.len() + filmed);
            assert_eq!(count("county"), 17);
            assert_eq!(count("station"), usize::from(stations));
            let agents = 18 + CITY.len() + usize::from(stations);
            let devices: String =
                text.split_inclusive("[[").filter(|part| part.starts_with("device")).collect();
            for (key, count) in [("id", agents + ON_BUSES.len() + filmed), ("address", agents + filmed)] {
                let all = values(&devices, key);
                assert_eq!(all.len(), count);
                assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "{key} twice");
            }
            let ids = values(&devices, "id");
            let uplinks = uplinks(&text);
            assert_eq!(uplinks.len() + 1, agents + filmed, "all but the province hang on something");
            assert!(uplinks.iter().all(|(parent, _)| ids.contains(parent)));
            assert_eq!(uplinks.iter().collect::<HashSet<_>>().len(), uplinks.len(), "a port used twice");
            assert!(
                text.contains(&format!("attached_to = \"{MACHINE_ROOM}\"")) && ids.contains(&MACHINE_ROOM)
            );
        }
    }

    #[test]
    fn ids_say_what_a_device_plays_where_the_profile_does_not() {
        use crate::model::Model;
        for (id, _, profile, ..) in CITY {
            let played = Model::of_id(id);
            match profile {
                "auto" => assert!([Model::Vrp, Model::Comware].contains(&played), "{id}"),
                "snmp-generic" => {}
                profile => assert_eq!(Model::of_profile(profile), played, "{id}"),
            }
        }
    }
}
