//! Every virtual device against documented octets, both ways.

use super::hex;
use crate::bus::hearing::{Greeting, Hearing};
use crate::bus::panel::{self, Status};
use crate::bus::party::{Body, Party, Unit};
use crate::bus::slave::{Climate, Mains, Slave};
use crate::bus::{Framing, Kind, MemberSpec, Protocol, projector};
use crate::fault::Fault;
use roundsman_rtu::slave::{Registers, answer};

/// 2026-11-18, 10:00 in China: a working day.
const MORNING: f64 = 1_794_967_200.0;

/// A slave that stays as it is.
struct Still<T>(T);

impl<T: Registers + Send> Slave for Still<T> {
    fn answer(&mut self, pdu: &[u8], _: f64, out: &mut [u8]) -> usize {
        answer(pdu, &mut self.0, out)
    }
}

fn still(slave: impl Registers + Send + 'static) -> Party {
    Party::of(vec![Unit::new(0, 1, Body::Slave(Box::new(Still(slave))))])
}

fn party(kind: Kind, units: &[u8]) -> Party {
    let member = MemberSpec { id: "p".into(), kind, units: units.to_vec(), password: None };
    Party::new(&[member], 1, MORNING)
}

/// What comes back when these octets are on the line and then nothing.
fn asks(party: &mut Party, hearing: &mut Hearing, octets: &[u8], now: f64) -> Vec<u8> {
    let mut heard = hearing.hear(octets, party, now);
    heard.extend(hearing.silence(party, now));
    heard.into_iter().flat_map(|heard| heard.answer).collect()
}

fn rtu() -> Hearing {
    Hearing::new(Protocol::Modbus, Framing::Rtu, Greeting::default())
}

fn mdc() -> Hearing {
    Hearing::new(Protocol::Mdc, Framing::Rtu, Greeting::default())
}

#[test]
fn registers_answer_the_documented_octets() {
    let climate = |celsius, humidity| still(Climate { celsius, humidity });
    let mains = still(Mains {
        volts: 220.0,
        amperes: 1.0,
        watts: 220.0,
        watt_hours: 0.0,
        hertz: 50.0,
        power_factor: 1.0,
        overload: false,
        is_reset: false,
    });
    let relays = || party(Kind::Relays, &[1]);
    let table: [(&str, Party, &str, &str); 8] = [
        ("XY-MD02", climate(30.5, 54.6), "010400010002200B", "010404013102222ACE"),
        ("XY-MD02, frost", climate(-20.5, 54.6), "010400010002200B", "010404FF330222BAE6"),
        ("XY-MD02, no such register", climate(0.0, 0.0), "0104000A000111C8", "018402C2C1"),
        ("PZEM-004T", mains, "01040000000A700D", "010414089803E80000089800000000000001F40064000063CE"),
        ("PZEM-004T, energy to zero", party(Kind::Meter, &[1]), "01428011", "01428011"),
        ("relays, 1 on", relays(), "01050000FF008C3A", "01050000FF008C3A"),
        ("relays, read", relays(), "0101000000083DCC", "01010105918B"),
        ("relays, another unit's", relays(), "0201000000083DFF", ""),
    ];
    for (name, mut party, request, answer) in table {
        assert_eq!(asks(&mut party, &mut rtu(), &hex(request), MORNING), hex(answer), "{name}");
    }
}

#[test]
fn the_meter_counts_energy_until_it_is_reset() {
    let mut party = party(Kind::Meter, &[1]);
    let mut energy = |at: f64| {
        let answer = asks(&mut party, &mut rtu(), &hex("01040000000A700D"), at);
        let word = |at: usize| u32::from(u16::from_be_bytes([answer[at], answer[at + 1]]));
        word(13) | word(15) << 16
    };
    let (before, after) = (energy(MORNING), energy(MORNING + 3_600.0));
    assert!((1_000..2_700).contains(&(after - before)), "{before} {after}");
    asks(&mut party, &mut rtu(), &hex("01428011"), MORNING + 3_600.0);
    let mut energy = |at: f64| {
        let answer = asks(&mut party, &mut rtu(), &hex("01040000000A700D"), at);
        u16::from_be_bytes([answer[13], answer[14]])
    };
    assert_eq!(energy(MORNING + 3_600.0), 0);
    assert!(energy(MORNING + 7_200.0) > 1_000);
}

#[test]
fn relays_switch_and_the_host_takes_a_mode() {
    let mut relays = party(Kind::Relays, &[1]);
    asks(&mut relays, &mut rtu(), &hex("010500000000CDCA"), MORNING);
    assert_eq!(asks(&mut relays, &mut rtu(), &hex("0101000000083DCC"), MORNING)[3], 0b100);
    let mut host = party(Kind::Host, &[1]);
    // The octets of the profile's fixture.
    let written = asks(&mut host, &mut rtu(), &hex("01 10 00 00 00 01 02 00 03 E6 51"), MORNING);
    assert_eq!(written[..6], hex("01 10 00 00 00 01"));
    assert_eq!(asks(&mut host, &mut rtu(), &hex("010300000001840A"), MORNING)[3..5], [0, 3]);
    let read = asks(&mut host, &mut rtu(), &hex("010400000003B00B"), MORNING);
    assert_eq!(read[3..9], [0, 2, 0, 24, 0, 24], "in session with all units at ten o'clock");
}

#[test]
fn modbus_tcp_carries_the_same_registers() {
    let mut party = still(Climate { celsius: 30.5, humidity: 54.6 });
    let mut hearing = Hearing::new(Protocol::Modbus, Framing::ModbusTcp, Greeting::default());
    let request = hex("1234 0000 0006 01 04 0001 0002");
    let (head, tail) = request.split_at(5);
    assert_eq!(asks(&mut party, &mut hearing, head, MORNING), hex(""));
    let answer = hex("1234 0000 0007 01 04 04 0131 0222");
    assert_eq!(asks(&mut party, &mut hearing, tail, MORNING), answer);
    let both = [request.clone(), request].concat();
    assert_eq!(asks(&mut party, &mut hearing, &both, MORNING), [answer.clone(), answer].concat());
    assert_eq!(asks(&mut party, &mut hearing, b"GET / HTTP/1.1\r\n", MORNING), hex(""));
}

#[test]
fn panels_answer_the_documented_octets() {
    let status = Status { lamp: 0, too_hot: 1, sensor: 2, no_signal: 1, celsius: 47, fan: 1 };
    assert_eq!(panel::answer(1, b'A', 0x0d, &status.data()), hex("AAFF0108410D000102012F018A"));
    let hours = |hours| panel::answer(1, b'A', 0x83, &panel::panel_time(hours));
    assert_eq!(hours(32_768.0 / 6.0), hex("AAFF01044183800048"));
    assert_eq!(hours(65_536.0 / 6.0), hex("AAFF01054183010000CA"));
    let table = [
        ("power?", "AA11010012", "AAFF010341110156"),
        ("a power it does not have", "AA1101010316", "AAFF01034E110163"),
        ("input?", "AA14010015", "AAFF010341142179"),
        ("input DVI", "AA140101182E", "AAFF010341141870"),
        ("off", "AA1101010013", "AAFF010341110055"),
        ("reboot", "AA1101010215", "AAFF010341110257"),
        ("a wrong sum", "AA11010013", ""),
        ("a command it does not know", "AA7701 00 78", "AAFF01034E7701C9"),
        ("another panel's", "AA110A001B", ""),
        ("noise before", "00FF13 AA11010012", "AAFF010341110156"),
    ];
    for (name, request, answer) in table {
        let mut party = party(Kind::Panels, &[1, 2]);
        assert_eq!(asks(&mut party, &mut mdc(), &hex(request), MORNING), hex(answer), "{name}");
    }
}

#[test]
fn commands_change_panels() {
    let mut party = party(Kind::Panels, &[1, 2, 3]);
    let mut ask = |octets: &str, at: f64| asks(&mut party, &mut mdc(), &hex(octets), MORNING + at);
    assert_eq!(ask("AA11FE010010", 0.0), hex(""), "all of them, and none answers");
    assert_eq!(ask("AA11020013", 1.0), hex("AAFF020341110056"));
    assert_eq!(ask("AA14020016", 1.0), hex("AAFF02034E140167"), "asleep");
    assert_eq!(ask("AA0D02000F", 1.0)[9], 1, "no signal");
    assert_eq!(ask("AA1102010115", 2.0), hex("AAFF020341110157"));
    assert_eq!(ask("AA11020013", 5.0), hex(""), "it hears nothing while it starts");
    assert_eq!(ask("AA11020013", 20.0), hex("AAFF020341110157"));
    assert_eq!(ask("AA11010012", 20.0), hex("AAFF010341110055"), "its neighbour is still off");
}

#[test]
fn faults_reach_units() {
    let mut wall = party(Kind::Panels, &[1, 2, 3]);
    wall.set_fault(0, Some(&Fault::DeadUnit(2)), MORNING);
    let ask = |wall: &mut Party, octets: &str| asks(wall, &mut mdc(), &hex(octets), MORNING + 60.0);
    assert_eq!(ask(&mut wall, "AA11020013"), hex(""));
    assert_eq!(ask(&mut wall, "AA11010012"), hex("AAFF010341110156"));
    wall.set_fault(0, Some(&Fault::Hot(80.0)), MORNING);
    assert_eq!(ask(&mut wall, "AA11020013"), hex("AAFF020341110157"), "alive again");
    let status = ask(&mut wall, "AA0D02000F");
    assert_eq!((status[7], status[10]), (1, 81), "too hot");
    wall.set_fault(0, Some(&Fault::Silent), MORNING);
    assert_eq!(ask(&mut wall, "AA11010012"), hex(""));
    let mut sensor = party(Kind::Sensor, &[1]);
    sensor.set_fault(0, Some(&Fault::Hot(41.0)), MORNING);
    let read = asks(&mut sensor, &mut rtu(), &hex("010400010002200B"), MORNING + 60.0);
    assert_eq!(read[3..5], 410_u16.to_be_bytes());
}

/// What it says is what the board's own firmware says of a room that gets warm.
#[test]
fn the_probe_board_is_its_firmware() {
    let mut probe = party(Kind::Probe, &[2]);
    let ask = |probe: &mut Party, pdu: &str, at: f64| {
        let mut frame = [&[2][..], &hex(pdu)].concat();
        frame.extend(roundsman_rtu::crc::crc16(&frame).to_le_bytes());
        asks(probe, &mut rtu(), &frame, MORNING + at)
    };
    let inputs = |probe: &mut Party, at: f64| -> Vec<u16> {
        let answer = ask(probe, "0400000048", at);
        assert_eq!(answer[..3], [2, 4, 144]);
        answer[3..147].chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    };
    let well = inputs(&mut probe, 0.0);
    assert_eq!((well[0], well[3], well[10]), (0x524d, 2, 1), "a probe, on a host, by power");
    assert_eq!(
        (well[9], well[8]),
        ((3 * 86_400_u32) as u16, ((3 * 86_400_u32) >> 16) as u16),
        "for three days"
    );
    assert_eq!(well[11..15], [0, 0, 0, 7], "no alarm, settings saved, watchdog fed");
    assert!((210..260).contains(&well[20]) && (350..600).contains(&well[22]), "{well:?}");
    assert_eq!(well[40..54], [0; 14], "every channel is good");

    probe.set_fault(0, Some(&Fault::Hot(29.5)), MORNING + 10.0);
    let warm = inputs(&mut probe, 60.0);
    assert_eq!((warm[20], warm[12], warm[71]), (295, 1, 0x30), "above 27 Cel: buzzer and lamp by itself");
    assert!(warm[22] < well[22], "the same water in warmer air");
    probe.set_fault(0, None, MORNING + 60.0);
    let back = inputs(&mut probe, 110.0);
    assert_eq!((back[12], back[71]), (0, 0));

    let mut said = |pdu: &str, at: f64| ask(&mut probe, pdu, at)[1..].to_vec();
    assert_eq!(said("050001FF00", 111.0)[..5], hex("050001FF00"));
    assert_eq!(said("55", 112.0)[..2], hex("D501"), "a function that nobody knows");
    assert_eq!(said("0600050005", 113.0)[..5], hex("0600050005"), "it restarts");
    let anew = said("0400080003", 115.5);
    assert_eq!(anew[2..8], hex("000000020003"), "for two seconds, since a master asked for it");
    assert_eq!(said("0400470001", 115.5)[2..4], hex("0000"), "its relays in their boot state");
    assert_eq!(said("04000D0001", 115.5)[2..4], hex("0000"), "its settings were kept");
}

fn projector() -> Party {
    party(Kind::Projector, &[1])
}

fn pjlink(nonce: Option<&str>) -> Hearing {
    let password = "JBMIAProjectorLink".to_owned();
    let nonce = nonce.map(str::to_owned);
    Hearing::new(Protocol::PjLink, Framing::Rtu, Greeting { nonce, password, is_signed: false })
}

#[test]
fn a_projector_asks_for_the_documented_digest() {
    let mut party = projector();
    let mut open = pjlink(None);
    assert_eq!(open.greets().as_deref(), Some("PJLINK 0\r"));
    assert_eq!(asks(&mut party, &mut open, b"%1POWR ?\r", MORNING), b"%1POWR=1\r");
    let mut locked = pjlink(Some("498e4a67"));
    assert_eq!(locked.greets().as_deref(), Some("PJLINK 1 498e4a67\r"));
    assert_eq!(asks(&mut party, &mut locked, b"%1POWR ?\r", MORNING), b"PJLINK ERRA\r");
    let signed = b"5d8409bc1c3fa39749434aa3a5c38682%1POWR ?\r";
    assert_eq!(asks(&mut party, &mut locked, signed, MORNING), b"%1POWR=1\r");
    assert_eq!(asks(&mut party, &mut locked, b"%1CLSS ?\r", MORNING), b"%1CLSS=1\r", "signed once");
    assert_eq!(projector::digest("498e4a67", "JBMIAProjectorLink"), "5d8409bc1c3fa39749434aa3a5c38682");
}

#[test]
fn a_projector_warms_up_and_cools_down() {
    let mut party = projector();
    let mut hearing = pjlink(None);
    let mut ask = |text: &str, at: f64| {
        let line = format!("{text}\r");
        let answer = asks(&mut party, &mut hearing, line.as_bytes(), MORNING + at);
        String::from_utf8(answer).unwrap().trim_end().to_owned()
    };
    for (at, request, answer) in [
        (0.0, "%1ERST ?", "%1ERST=000000"),
        (0.0, "%1INPT 32", "%1INPT=OK"),
        (0.0, "%1INPT ?", "%1INPT=32"),
        (0.0, "%1INPT 99", "%1INPT=ERR2"),
        (0.0, "%1AVMT 31", "%1AVMT=OK"),
        (0.0, "%1AVMT ?", "%1AVMT=31"),
        (0.0, "%1NAME ?", "%1NAME=p"),
        (0.0, "%1ABCD ?", "%1ABCD=ERR1"),
        (0.0, "%1POWR 7", "%1POWR=ERR2"),
        (1.0, "%1POWR 0", "%1POWR=OK"),
        (2.0, "%1POWR ?", "%1POWR=2"),
        (2.0, "%1POWR 1", "%1POWR=ERR3"),
        (2.0, "%1INPT ?", "%1INPT=ERR3"),
        (20.0, "%1POWR ?", "%1POWR=0"),
        (21.0, "%1POWR 1", "%1POWR=OK"),
        (22.0, "%1POWR ?", "%1POWR=3"),
        (40.0, "%1POWR ?", "%1POWR=1"),
    ] {
        assert_eq!(ask(request, at), answer, "{request} at {at}");
    }
    assert!(ask("%1LAMP ?", 41.0).ends_with(" 1"));
    party.set_fault(0, Some(&Fault::Hot(80.0)), MORNING + 50.0);
    let answer = asks(&mut party, &mut pjlink(None), b"%1ERST ?\r", MORNING + 70.0);
    assert_eq!(answer, b"%1ERST=002000\r");
}
