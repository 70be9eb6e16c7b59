// An RP2040 in rp2040js with what the board has around it: a boot ROM that writes the flash, sensors on I²C, the shift
// register of the contacts, tachometers, and the Modbus line. Time is the chip's own: nothing here waits for a clock.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../tests/peers/package.json', import.meta.url));
const { Simulator } = require('rp2040js');

const FLASH = 0x10000000;
const CLOCK_NS = 1e9 / 125e6;
const STREAM_COUNTER = 0x14000018;
const WRITE = 0;
const TX_EMPTY = 1 << 4;
const ROM_LOOKUP = 0x80;
const ROM_CODE = 0x200;
const OCTET_NS = (10 / 9600) * 1e9;
export const PIN = {
  drive: 2, fans: [3, 7, 9, 11], buzzer: 4, load: 6, clock: 8, data: 10, mains: 12, leak: 13, door: 14, button: 15,
  relays: [16, 17, 18, 19], sda: 20, scl: 21, wire: 22, lamp: 28,
};

// The pages of a UF2 file, as the boot loader takes them (github.com/microsoft/uf2).
function pages(file) {
  return [...Array(file.length / 512).keys()].map((at) => {
    const block = file.subarray(at * 512, at * 512 + 512);
    const [magic, more, , address, size, number, count, family] = [...Array(8).keys()].map((field) => block.readUInt32LE(field * 4));
    const good = magic === 0x0a324655 && more === 0x9e5d5157 && block.readUInt32LE(508) === 0x0ab16f30;
    if (!good || family !== 0xe48bff56 || number !== at || count !== file.length / 512) throw new Error(`block ${at} is none of a UF2 file for the RP2040`);
    return { address, octets: block.subarray(32, 32 + size) };
  });
}

const crc8 = (octets) => octets.reduce((crc, octet) => {
  crc ^= octet;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x80 ? (crc << 1) ^ 0x31 : crc << 1) & 0xff;
  return crc;
}, 0xff);
const word = (value) => [value >> 8 & 0xff, value & 0xff];
const checked = (...values) => values.flatMap((value) => [...word(value), crc8(word(value))]);

// A frame of a PMS5003 (data manual V2.3, appendix I).
export function dust(pm25, pm10) {
  const octets = [0x42, 0x4d, 0, 28, ...Array(26).fill(0)];
  [octets[13], octets[15]] = [pm25, pm10];
  return [...octets, ...word(octets.reduce((sum, octet) => sum + octet, 0))];
}

// A DS18B20 on a pin: what it pulls down and when, by the times of its data sheet (19-7487, "1-Wire signaling").
class Thermometer {
  constructor(pin, clock, scratchpad) {
    Object.assign(this, { pin, clock, scratchpad, there: false, state: 'deaf', bits: [], out: [], fell: 0, driven: false, shortest: Infinity });
    pin.addListener(() => this.moved(pin.outputEnable && !pin.outputValue));
    this.held(false);
  }

  // The line itself: low while anybody pulls.
  held(low) { this.pulls = low; this.pin.setInputValue(!low && !this.driven); }

  pull(after_us, for_us) {
    this.clock.createAlarm(() => this.held(true)).schedule(after_us * 1000);
    this.clock.createAlarm(() => this.held(false)).schedule((after_us + for_us) * 1000);
  }

  moved(low) {
    if (low === this.driven) return;
    this.driven = low;
    this.held(this.pulls);
    const now = this.clock.nanos / 1000;
    if (low) {
      // It answers a slot at once, for 15 µs and not longer.
      if (this.fell) this.shortest = Math.min(this.shortest, now - this.fell);
      this.fell = now;
      if (this.state === 'says' && this.out.shift() === 0) { this.held(true); this.pull(0, 15); }
      return;
    }
    const low_us = now - this.fell;
    if (low_us >= 480 && !this.there) {
      this.state = 'deaf';
    } else if (low_us >= 480) {
      [this.state, this.bits] = ['hears', []];
      this.pull(60, 75);
    } else if (this.state === 'hears') {
      if (low_us >= 15 && (low_us < 60 || low_us > 120)) throw new Error(`1-Wire: low for ${low_us} µs is neither bit`);
      this.bits.push(low_us < 15 ? 1 : 0);
      if (this.bits.length === 16) this.ordered();
    }
  }

  ordered() {
    const octet = (at) => this.bits.slice(at, at + 8).reduce((sum, bit, place) => sum | bit << place, 0);
    const crc = this.scratchpad.reduce((sum, next) => {
      sum ^= next;
      for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >> 1) ^ 0x8c : sum >> 1;
      return sum;
    }, 0);
    if (octet(0) !== 0xcc) throw new Error(`1-Wire: ROM order ${octet(0).toString(16)}`);
    // Converting is over at once; what is read afterwards is 1.
    this.out = octet(8) === 0xbe ? [...this.scratchpad, crc].flatMap((next) => [...Array(8).keys()].map((bit) => next >> bit & 1)) : [];
    this.state = 'says';
  }
}

// Sensors by address, and what each measures; null is one that is not there. What was written last gives what is read.
export function sensors() {
  const at = { 0x44: [25502, 27053], 0x45: [28274, 24903], 0x40: [0x1f40, 0x2570], 0x48: [20253, 1800], 0x69: [12, 20] };
  let [input, weighs] = [0, false];
  const said = {
    0x44: ([order]) => order === 0xfd && checked(...at[0x44]),
    0x45: ([order, more]) => order === 0x2c && more === 0x06 && checked(...at[0x45]),
    0x40: ([register]) => ({ 0xfe: word(0x5449), 1: word(at[0x40][0]), 2: word(at[0x40][1]) })[register],
    0x48: ([register, high]) => {
      if (register === 1 && high !== undefined) input = high >> 4 & 3;
      return register === 1 ? [0xc3, 0xe3] : word(at[0x48][input]);
    },
    0x69: ([high, low]) => {
      if (high === 0x00 && low === 0x10) weighs = true;
      return high === 2 ? checked(Number(weighs)) : checked(1, at[0x69][0], 2, at[0x69][1]);
    },
  };
  return { at, said, there: (address) => Boolean(at[address]) };
}

export class Pico {
  constructor(file, room) {
    this.pages = pages(readFileSync(file));
    this.room = room;
    this.flash = null;
    this.contacts = 0;
    this.said = [];
    this.driven = true;
    this.start({ reason: 0, scratch: 0 });
  }

  // A chip anew; what its flash and its watchdog hold stays.
  start({ reason, scratch }) {
    const { clock, rp2040: chip } = new Simulator();
    Object.assign(this, { clock, chip });
    chip.logger = { debug() {}, info() {}, warn() {}, error: (what, text) => this.fail(`${what}: ${text}`) };
    for (const { address, octets } of this.pages) chip.flash.set(octets, address - FLASH);
    if (this.flash) chip.flash.set(this.flash, 2 * 1024 * 1024 - 8192);
    const watchdog = chip.peripherals[0x40058];
    watchdog.reason = reason;
    watchdog.scratchData[0] = scratch;
    this.restarts = null;
    // The program stands still, the chip does not.
    this.dead = false;
    watchdog.onWatchdogTrigger = () => {
      this.restarts = { reason: watchdog.reason, scratch: watchdog.scratchData[0] };
      watchdog.alarm.enable = false;
    };
    // Registers it has not: nothing is being streamed from flash; power came.
    const read = chip.readUint32.bind(chip);
    chip.readUint32 = (address) => (address === STREAM_COUNTER ? 0 : read(address));
    chip.peripherals[0x40064].readUint32 = () => (reason ? 0 : 1 << 8);
    this.rom();
    this.wire();
    chip.core.VTOR = FLASH + 0x100;
    chip.core.reset();
    chip.core.VTOR = FLASH + 0x100;
    chip.core.SP = chip.readUint32(FLASH + 0x100);
    chip.core.PC = chip.readUint32(FLASH + 0x104) & ~1;
  }

  fail(text) { throw new Error(text); }

  // The functions of the boot ROM that the firmware calls (RP2040 datasheet, section 2.8.3).
  rom() {
    const { chip } = this;
    chip.bootrom[0x10 / 4] = 0x0175_4d | 2 << 24;
    chip.bootrom[0x18 / 4] = ROM_LOOKUP | 1;
    this.calls = [];
  }

  called(pc) {
    const { chip } = this;
    const { core, flash } = chip;
    const [r0, r1, r2] = core.registers;
    const each = (write) => { for (let at = 0; at < r2; at += 1) write(r0 + at, r1 + at); };
    if (pc === ROM_LOOKUP) {
      this.calls.push(String.fromCharCode(r1 & 0xff, r1 >> 8 & 0xff));
      core.registers[0] = (ROM_CODE + 2 * (this.calls.length - 1)) | 1;
    } else {
      const code = this.calls[(pc - ROM_CODE) / 2];
      if (code === 'RE') flash.fill(0xff, r0, r0 + r1);
      if (code === 'RP') each((to, from) => { flash[to] &= chip.readUint8(from); });
      if (code === 'MC' || code === 'C4') each((to, from) => chip.writeUint8(to, chip.readUint8(from)));
      if (code === 'MS' || code === 'S4') each((to) => chip.writeUint8(to, r1 & 0xff));
    }
    core.PC = core.LR & ~1;
  }

  wire() {
    const { chip } = this;
    const { gpio } = chip;
    // Pads as a reset leaves them: input on, pulled down, Schmitt trigger (RP2040 datasheet, PADS_BANK0).
    for (const pin of gpio) pin.padValue = 0x56;
    for (const pin of [PIN.mains, PIN.door]) gpio[pin].setInputValue(false);
    for (const pin of [PIN.leak, PIN.button, PIN.sda, PIN.scl, PIN.wire, PIN.data, ...PIN.fans]) gpio[pin].setInputValue(true);
    // 74HC165: low loads, a rising edge moves on; input H comes out first, a closed contact is low.
    let held = 0;
    const out = () => gpio[PIN.data].setInputValue(!(held & 0x80));
    gpio[PIN.load].addListener((state) => { if (state === 0) { held = this.contacts; out(); } });
    gpio[PIN.clock].addListener((state) => { if (state === 1) { held = held << 1 & 0xff; out(); } });
    chip.uart.forEach((uart) => this.sends(uart));
    chip.uart[0].onByte = (octet) => this.said.push(octet);
    chip.uart[0].onShift = () => { this.driven = this.driven && gpio[PIN.drive].value === 1; };
    // rp2040js hands an edge to the counters only while no PWM pin at all is an output.
    chip.pwm.gpioOnInput = (pin) => chip.pwm.channels.filter((slice) => slice.pinB1 === pin).forEach((slice) => slice.gpioBChanged());
    this.bus(chip.i2c[0]);
    // +25.0625 Cel.
    this.thermometer = new Thermometer(gpio[PIN.wire], this.clock, [0x91, 0x01, 0x4b, 0x46, 0x7f, 0xff, 0x0f, 0x10]);
  }

  // rp2040js sends in no time and asks for more for ever. A PL011 holds one octet or 32, shifts one out in ten bits, and
  // interrupts when it has room again (ARM DDI 0183, sections 2.4.2, 2.8).
  sends(uart) {
    const [TX, FIFO, BUSY, FULL, EMPTY] = [1 << 5, 1 << 4, 1 << 3, 1 << 5, 1 << 7];
    const waiting = [];
    let shifts = null;
    const room = () => (uart.lineCtrlRegister & FIFO ? 32 : 1);
    const shift = () => {
      shifts = waiting.shift() ?? null;
      if (shifts === null) return;
      if (waiting.length <= room() / 4) {
        uart.interruptStatus |= TX;
        uart.checkInterrupts();
      }
      uart.onShift?.();
      this.clock.createAlarm(() => {
        uart.onShift?.();
        uart.onByte?.(shifts);
        shift();
      }).schedule(1e10 / uart.baudRate);
    };
    uart.checkInterrupts = () => this.chip.setInterrupt(uart.irq, !!(uart.interruptStatus & uart.interruptMask));
    const [read, write] = [uart.readUint32.bind(uart), uart.writeUint32.bind(uart)];
    uart.readUint32 = (register) => {
      // No DMA.
      if (register === 0x48) return 0;
      if (register !== 0x18) return read(register);
      const busy = shifts !== null || waiting.length > 0;
      return (read(register) & ~EMPTY) | (busy ? BUSY : 0) | (waiting.length ? 0 : EMPTY) | (waiting.length >= room() ? FULL : 0);
    };
    uart.writeUint32 = (register, value) => {
      if (register !== 0) { write(register, value); return; }
      uart.interruptStatus &= ~TX;
      uart.checkInterrupts();
      waiting.push(value & 0xff);
      if (shifts === null) shift();
    };
  }

  bus(i2c) {
    // The chip flushes what was to be sent when nobody answers, and says so; rp2040js flushes only.
    const abort = i2c.abort.bind(i2c);
    i2c.abort = (reason) => { abort(reason); i2c.setInterrupts(TX_EMPTY); };
    const written = {};
    let [address, reading] = [0, null];
    const said = () => this.room.said[address]?.(written[address] ?? []) ?? null;
    i2c.onConnect = (to, mode) => {
      [address, reading] = [to, null];
      if (mode === WRITE) written[to] = [];
      i2c.completeConnect(this.room.there(to));
    };
    i2c.onWriteByte = (octet) => {
      written[address].push(octet);
      said();
      i2c.completeWrite(true);
    };
    i2c.onReadByte = () => {
      reading ??= [...(said() || [])];
      i2c.completeRead(reading.shift() ?? 0xff);
    };
    i2c.onStop = () => i2c.completeStop();
    i2c.onStart = () => i2c.completeStart();
  }

  get now_ms() { return this.clock.nanos / 1e6; }

  // Lets it run until a moment of its own time, or until something holds.
  run(ms, until = () => false) {
    const { core } = this.chip;
    const end = this.clock.nanos + ms * 1e6;
    while (this.clock.nanos < end && !until()) {
      for (let step = 0; step < 200 && this.clock.nanos < end; step += 1) {
        if (core.waiting || this.dead) {
          const next = this.clock.nanosToNextAlarm;
          // A nanosecond at least: less is lost in rounding.
          this.clock.tick(Math.max(1, Math.min(next > 0 ? next : 1000, end - this.clock.nanos)));
          if (!this.dead && core.checkForInterrupts()) core.waiting = false;
        } else {
          if (core.PC === ROM_LOOKUP || (core.PC >= ROM_CODE && core.PC < ROM_CODE + 256)) this.called(core.PC);
          this.clock.tick(core.executeInstruction() * CLOCK_NS);
        }
        if (this.restarts) {
          this.flash = this.chip.flash.slice(2 * 1024 * 1024 - 8192, 2 * 1024 * 1024);
          this.start(this.restarts);
          return false;
        }
      }
    }
    return until();
  }

  // Octets on the UART of the dust sensor.
  hear(octets) {
    for (const octet of octets) {
      this.run(OCTET_NS / 1e6);
      this.chip.uart[1].feedByte(octet);
    }
  }

  // Sends octets at 9600 Bd and gives what is answered within a while, once it was silent for 5 ms.
  ask(octets, patience_ms = 100) {
    this.said = [];
    for (const octet of octets) {
      this.run(OCTET_NS / 1e6);
      this.chip.uart[0].feedByte(octet);
    }
    const asked = this.now_ms;
    let [heard, since] = [0, null];
    this.run(patience_ms, () => {
      if (this.said.length !== heard) [heard, since] = [this.said.length, this.now_ms];
      return since !== null && this.now_ms - since > 5;
    });
    this.waited_ms = since === null ? null : since - asked;
    return Buffer.from(this.said);
  }
}
