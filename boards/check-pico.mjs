#!/usr/bin/env node
// Starts the Pico's firmware in an emulated RP2040 (rp2040js, from tests/peers) and speaks Modbus RTU with it at 9600 Bd
// of the chip's own time: sensors and contacts, alarms, relays, the direction of the line, settings over a restart, noise.

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { PIN, Pico, dust, sensors } from './pico-rs485/emulated.mjs';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const FIRMWARE = `${process.env.BOARDS_TARGET || `${HERE}target/boards`}/pico-rs485.uf2`;
const REQUESTS = Number(process.argv[2] || 300);

const crc = (octets) => octets.reduce((value, octet) => {
  value ^= octet;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >> 1) ^ 0xa001 : value >> 1;
  return value;
}, 0xffff);
const frame = (unit, ...pdu) => {
  const body = [unit, ...pdu];
  const sum = crc(body);
  return [...body, sum & 0xff, sum >> 8];
};
const word = (value) => [value >> 8 & 0xff, value & 0xff];

const room = sensors();
const pico = new Pico(FIRMWARE, room);
const shown = (what) => console.log(`shown: ${what} (${(pico.now_ms / 1000).toFixed(1)} s of the chip's time)`);

function ask(pdu, patience_ms) {
  const said = pico.ask(frame(1, ...pdu), patience_ms);
  assert.ok(said.length >= 5 && crc([...said]) === 0 && said[0] === 1, `${said.toString('hex')} to ${pdu}`);
  assert.ok(pico.driven, 'the transceiver sends while octets leave');
  pico.run(1);
  assert.equal(pico.chip.gpio[PIN.drive].value, 0, 'and listens afterwards');
  return said.subarray(1, -2);
}
function inputs(first, count) {
  const said = ask([4, ...word(first), ...word(count)], 30 + count * 2.1 + 20);
  assert.deepEqual([...said.subarray(0, 2)], [4, 2 * count]);
  return [...Array(count).keys()].map((at) => said.readUInt16BE(2 + 2 * at));
}
const write = (address, value) => assert.deepEqual([...ask([6, ...word(address), ...word(value)], 900)], [6, ...word(address), ...word(value)]);
const coil = (address, on) => ask([5, ...word(address), on ? 0xff : 0, 0]);
function until(what, holds, patience_ms = 20000) {
  const end = pico.now_ms + patience_ms;
  let got = inputs(0, 80);
  while (!holds(got)) {
    assert.ok(pico.now_ms < end, `${what}: ${got}`);
    pico.run(200);
    got = inputs(0, 80);
  }
  shown(what);
  return got;
}
// splitmix32, so that every run is the same.
let state = 7;
const dice = (sides) => {
  state = (state + 0x9e3779b9) | 0;
  let mixed = state ^ (state >>> 16);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return ((mixed ^ (mixed >>> 15)) >>> 0) % sides;
};

// Fan 1 turns: 40 revolutions a second of two pulses.
let level = false;
const turn = () => {
  level = !level;
  pico.chip.gpio[PIN.fans[0]].setInputValue(level);
  pico.clock.createAlarm(turn).schedule(1e9 / 160);
};

function measured() {
  turn();
  const got = until('all sensors measured', (said) => said.slice(40, 54).every((quality) => quality === 0));
  assert.deepEqual([got[0], got[3], got[10]], [0x524d, 3, 1], 'the Pico, after power');
  assert.deepEqual(got.slice(20, 29), [231, 305, 456, 380, 12, 20, 1198, 4810, 2000]);
  assert.deepEqual(got.slice(30, 34), [0, 0, 0, 180]);
  until('fan 1 at 2,400 revolutions a minute', (said) => Math.abs(said[29] - 2400) <= 15);
}

function requests() {
  const expected = inputs(20, 9);
  let [slowest, left] = [0, REQUESTS];
  while (left > 0) {
    const [first, count] = [dice(9), 1 + dice(9)];
    const quantity = Math.min(count, 9 - first);
    assert.deepEqual(inputs(20 + first, quantity), expected.slice(first, first + quantity));
    slowest = Math.max(slowest, pico.waited_ms - ((5 + 2 * quantity) * 10) / 9.6);
    left -= 1;
  }
  assert.ok(slowest < 10, `an answer came after ${slowest} ms`);
  shown(`${REQUESTS} requests without an error, the slowest answer began after ${slowest.toFixed(2)} ms`);
}

function faulty() {
  for (let round = 0; round < REQUESTS / 3; round += 1) {
    let bad = frame(dice(3) ? 1 : 9, 4, 0, 20, 0, 14);
    if (!dice(3)) bad = [...Array(9)].map(() => dice(256)).concat(bad);
    if (!dice(3)) bad = bad.slice(0, dice(bad.length));
    if (bad.length && !dice(3)) bad[dice(bad.length)] ^= 1 << dice(8);
    pico.ask(bad, 60);
    pico.run(20);
    assert.deepEqual(inputs(0, 1), [0x524d]);
  }
  shown(`${Math.ceil(REQUESTS / 3)} good answers behind as many damaged requests`);
}

function sensorsComeAndGo() {
  const kept = room.at[0x40];
  room.at[0x40] = null;
  until('a supply sensor lost', (got) => got[46] === 1 && got[48] === 1 && got[26] === 0xffff && got[13] & 0x10);
  room.at[0x40] = kept;
  until('and back', (got) => got[46] === 0 && got[26] === 1198);
  // No pull-ups, or a sensor that holds the line: the board goes on.
  pico.chip.gpio[PIN.sda].setInputValue(false);
  until('a bus held low: its sensors lost, the board alive', (got) => [0, 1, 4, 6, 7].every((at) => got[40 + at] === 1));
  pico.chip.gpio[PIN.sda].setInputValue(true);
  until('and free again', (got) => got.slice(40, 54).every((quality) => quality === 0), 60000);
}

function otherSensors() {
  // A PMS5003 instead of an SPS30, a DS18B20 instead of the second SHT, while octets come and go on the line.
  Object.assign(room.at, { 0x69: null, 0x45: null });
  pico.thermometer.there = true;
  const frame_ms = 33;
  for (let second = 0; second < 24; second += 1) {
    pico.hear(dust(7, 9));
    inputs(0, 80);
    pico.run(1000 - frame_ms - 172 - 84);
  }
  const got = until('dust by UART, temperature 2 by 1-Wire', (said) => said[24] === 7 && said[25] === 9 && said[21] === 251);
  assert.equal(got[43], 1, 'the second humidity is lost');
  assert.ok(pico.thermometer.shortest >= 61, `a 1-Wire slot of ${pico.thermometer.shortest} µs`);
  const failures = got[65];
  pico.run(8000);
  const more = inputs(65, 1)[0] - failures;
  // Humidity 2 fails each second; the thermometer never does, whatever interrupts come.
  assert.ok(more <= 10, `${more} failed readings in 8 s`);
  pico.thermometer.there = false;
  Object.assign(room.at, { 0x69: [12, 20], 0x45: [28274, 24903] });
  until('and the first ones again', (said) => said[24] === 12 && said[21] === 305 && said[43] === 0, 120000);
}

function contactsAndOutputs() {
  const pin = (at) => pico.chip.gpio[at];
  pico.contacts = 0b1010_0001;
  // Low closes. A is the first of the eight.
  until('free contacts', (got) => (got[70] >> 4 & 0xff) === 0b1010_0001);
  pin(PIN.leak).setInputValue(false);
  until('leak, buzzer and lamp', (got) => got[13] & 1 && pin(PIN.buzzer).value === 1 && pin(PIN.lamp).value === 1);
  pin(PIN.button).setInputValue(false);
  until('silenced by the button', (got) => got[13] & 1 && pin(PIN.buzzer).value === 0 && pin(PIN.lamp).value === 1);
  pin(PIN.button).setInputValue(true);
  pin(PIN.leak).setInputValue(true);
  pin(PIN.mains).setInputValue(true);
  until('mains lost', (got) => got[13] & 4 && !(got[70] & 1));
  pin(PIN.mains).setInputValue(false);
  until('mains back', (got) => !(got[13] & 4));
  coil(2, true);
  pico.run(5);
  assert.deepEqual(PIN.relays.map((at) => pin(at).value), [0, 0, 1, 0]);
  coil(2, false);
  shown('relay 3 on by its pin');
}

function settingsAndRestarts() {
  write(30, 0b0100);
  write(5, 1);
  until('settings saved in flash', (got) => got[17] === 1 && !(got[13] & 0x20));
  write(5, 5);
  pico.run(50);
  turn();
  until('restarted by a master: cause, boot state and settings', (got) => got[10] === 3 && (got[71] & 15) === 4 && got[17] === 1);
  pico.dead = true;
  pico.run(9000);
  turn();
  until('restarted by the watchdog', (got) => got[10] === 2 && (got[71] & 15) === 4);
}

measured();
requests();
faulty();
sensorsComeAndGo();
otherSensors();
contactsAndOutputs();
settingsAndRestarts();
