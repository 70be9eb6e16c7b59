//! The sample site at large: four tiers with trouble, and as many devices as are asked for.

use super::things::service;
use super::{SampleSite, T0, device, fault};
use roundsman_core::device::{Network, Tier};
use roundsman_core::fault::{Acknowledgement, Change};
use roundsman_core::rule::Severity;
use roundsman_core::text::Bilingual;
use roundsman_core::time::Wall;
use roundsman_panel::DeviceState;

impl SampleSite {
    /// The four-tier site of the demo, with trouble.
    pub fn whole() -> SampleSite {
        const COUNTIES: [&str; 17] = [
            "尧都区局",
            "侯马市局",
            "霍州市局",
            "曲沃县局",
            "翼城县局",
            "襄汾县局",
            "洪洞县局",
            "古县局",
            "安泽县局",
            "浮山县局",
            "吉县局",
            "乡宁县局",
            "大宁县局",
            "隰县局",
            "永和县局",
            "蒲县局",
            "汾西县局",
        ];
        let site = SampleSite::empty();
        let mut all = vec![device("rt-province", "省局骨干路由器", Tier::Province, "rt-core")];
        let city = [
            ("rt-core", "市局核心路由器", Network::Business, "1F 机房 / A1"),
            ("rt-lan", "机关局域网出口", Network::Lan, "1F 机房 / A2"),
            ("rt-inet", "互联网出口路由器", Network::Internet, "1F 机房 / A2"),
            ("rt-gov", "政务内网接入", Network::GovIntranet, "1F 机房 / A3"),
            ("rt-meet", "视频会议专线", Network::Business, "10F 会议室"),
            ("rt-agg", "县级汇聚路由器", Network::Business, "1F 机房 / A1"),
        ];
        for (id, name, network, location) in city {
            let mut d = device(id, name, Tier::City, "rt-core");
            (d.network, d.location) = (network, location.into());
            all.push(d);
        }
        for (n, name) in COUNTIES.iter().enumerate() {
            all.push(device(&format!("rt-county-{n}"), name, Tier::County, "rt-agg"));
        }
        for n in 0..20_usize {
            let county = n % 17;
            let name = format!("{}{}所", &COUNTIES[county][..6], ["城关", "城东"][n / 17]);
            all.push(device(
                &format!("rt-station-{n}"),
                &name,
                Tier::Station,
                &format!("rt-county-{county}"),
            ));
        }
        let states = [
            ("rt-county-6", DeviceState::Critical),
            ("rt-station-6", DeviceState::Hidden),
            ("rt-core", DeviceState::Major),
            ("rt-station-2", DeviceState::NoData),
            ("rt-inet", DeviceState::Minor),
            ("rt-county-11", DeviceState::Warning),
            ("rt-station-15", DeviceState::Pending),
            ("rt-meet", DeviceState::OutOfService),
        ];
        for (id, state) in states {
            let d = all.iter_mut().find(|d| &*d.id == id).unwrap();
            d.state = state;
        }
        site.state.lock().unwrap().devices = all;
        let mut trouble = vec![
            fault(1, "rt-county-6", Severity::Critical),
            fault(2, "rt-core", Severity::Major),
            fault(3, "rt-inet", Severity::Minor),
            fault(4, "rt-station-2", Severity::Minor),
            fault(5, "rt-county-11", Severity::Warning),
        ];
        trouble[0].service = Some(service());
        let hot = &mut trouble[1];
        hot.key.instance = "MPU Board 0".into();
        hot.first_bad = Wall(T0 - 3_900_000);
        hot.summary = Bilingual::new("板卡温度 68.5 ℃，上限 65 ℃", "Board at 68.5 °C, limit 65 °C");
        hot.advice = Bilingual::new(
            "检查风扇与滤网，确认机房空调",
            "Check fans and filter, then the room's air conditioning",
        );
        hot.acknowledged = Some(Acknowledgement { by: "panel".into(), at: Wall(T0 - 3_000_000) });
        let busy = &mut trouble[2];
        busy.key.instance = "GigabitEthernet0/0/1".into();
        busy.first_bad = Wall(T0 - 90_000);
        busy.summary = Bilingual::new("出口带宽占用 94%", "Uplink 94 % used");
        busy.advice =
            Bilingual::new("查看占用最高的终端，必要时限速", "Find the busiest hosts; limit them if needed");
        let silent = &mut trouble[3];
        silent.stale = true;
        silent.summary =
            Bilingual::new("可以连通，但连续 3 次取不到数据", "Reachable, but no data in 3 attempts");
        silent.advice =
            Bilingual::new("核对 SNMP 团体字与访问控制", "Check the SNMP community and access list");
        let skew = &mut trouble[4];
        skew.first_bad = Wall(T0 - 90_000_000);
        skew.summary = Bilingual::new("设备 1 天前重启过", "Restarted a day ago");
        skew.advice = Bilingual::default();
        for f in trouble {
            site.change(Change::Raised, f);
        }
        site
    }

    /// The whole site with stations up to this many devices; one in fifty of the added ones has a fault.
    pub fn scaled(devices: usize) -> SampleSite {
        let site = SampleSite::whole();
        let first = site.state.lock().unwrap().devices.len();
        for n in first..devices {
            let (id, county) = (format!("rt-added-{n}"), n % 17);
            let mut d = device(&id, &format!("基层所 {n}"), Tier::Station, &format!("rt-county-{county}"));
            d.address = format!("192.0.2.{}", n % 250).into();
            if n % 50 == 0 {
                (d.state, d.faults) = (DeviceState::Minor, 1);
                site.change(Change::Raised, fault(1_000 + n as u64, &id, Severity::Minor));
            }
            site.state.lock().unwrap().devices.push(d);
        }
        site
    }
}
