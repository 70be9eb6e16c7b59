// The panel left open: does the browser or the server pile anything up?
//
// usage: node tests/soak/panel.mjs BINARY [MINUTES]      (60 minutes unless said)
//
// Four pages stay open on a running demo: the pinned wall view, the overview, a device, the faults. A fifth goes from
// page to page every ten seconds, as a panel does that people use. Every minute the heap after a collection, the DOM
// nodes and the listeners of each page are read, and the server's memory and sockets. The first ten minutes (a tenth
// of a shorter run) settle; after that nothing may be above its ceiling, and what every one of the last samples is
// above counts as grown: a single sample may fall into the moment in which a part is being swapped.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { openContext, say, startBrowser, startDemo } from '../panel/harness.mjs';

const [binary, minutes = '60'] = process.argv.slice(2);
const span_ms = Number(minutes) * 60_000;
const settle_ms = Math.min(600_000, span_ms / 10);
const CEILING = { heap_mb: 24, nodes: 6_000, listeners: 200, sockets: 24, server_mb: 64 };
/** The least of so many latest samples, compared with the most of the settling time: how much more is growth. */
const LAST = 10;
const GROWTH = 1.1;

const demo = await startDemo(binary);
const browser = await startBrowser();
const complaints = [];
const sockets = () => readdirSync(`/proc/${demo.process.pid}/fd`).filter((fd) => {
  try { return readlinkSync(`/proc/${demo.process.pid}/fd/${fd}`).startsWith('socket:'); } catch { return false; }
}).length;
const server_mb = () => Number(readFileSync(`/proc/${demo.process.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;
// The demo is one process that serves and a child that plays the devices; only the first is looked at.
execFileSync('test', ['-d', `/proc/${demo.process.pid}/fd`]);

const screen = { name: 'panel', width: 1280, height: 800, mm: 5.88 };
const context = await openContext(browser, demo.base, screen, 'zh-CN', 'dark', complaints);
const { devices } = await demo.api('devices');
const device = devices.find((d) => d.tier === 'city' && d.class === 'router').id;
const STAY = { wall: '/wall?pinned=1', overview: '/', device: `/devices/${device}`, faults: '/faults' };
const WANDER = ['/', '/devices', `/devices/${device}`, '/faults', '/about', '/faults?view=past', '/devices?tier=station'];

const open = async (path) => {
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send('Performance.enable');
  await page.goto(demo.base + path);
  return { page, cdp };
};
const look = async ({ cdp }) => {
  await cdp.send('HeapProfiler.collectGarbage');
  const { metrics } = await cdp.send('Performance.getMetrics');
  const of = (name) => metrics.find((m) => m.name === name).value;
  return { heap_mb: of('JSHeapUsedSize') / 1_048_576, nodes: of('Nodes'), listeners: of('JSEventListeners') };
};

let failed = 1;
try {
  const pages = {};
  for (const [name, path] of Object.entries(STAY)) pages[name] = await open(path);
  pages.wanderer = await open('/');
  const most = {}, settled = {}, latest = [];
  const note = (name, values, into) => {
    for (const [key, value] of Object.entries(values)) {
      into[name] ??= {};
      into[name][key] = Math.max(into[name][key] ?? 0, value);
    }
  };
  const began = Date.now();
  let step = 0, next = began + 60_000;
  while (Date.now() - began < span_ms) {
    await pages.wanderer.page.goto(demo.base + WANDER[step % WANDER.length]);
    step += 1;
    await new Promise((done) => setTimeout(done, 10_000));
    if (Date.now() < next && Date.now() - began < span_ms) continue;
    next += 60_000;
    const into = Date.now() - began < settle_ms ? settled : most;
    const sample = {};
    const line = [];
    for (const [name, page] of Object.entries(pages)) {
      const values = await look(page);
      note(name, values, into);
      sample[name] = values;
      line.push(`${name} ${values.heap_mb.toFixed(1)} MB ${values.nodes} nodes`);
      assert.equal(await page.page.locator('#live.on').count() > 0 || name === 'wanderer', true, `${name} is live`);
    }
    const server = { sockets: sockets(), server_mb: server_mb() };
    note('server', server, into);
    sample.server = server;
    latest.push(sample);
    if (latest.length > LAST) latest.shift();
    say(`${line.join(' · ')} · server ${server.server_mb.toFixed(1)} MB ${server.sockets} sockets`);
  }
  for (const [name, values] of Object.entries(most)) {
    for (const [key, value] of Object.entries(values)) {
      const limit = CEILING[key];
      assert(value <= limit, `${name}: ${key} ${value.toFixed(1)}, ceiling ${limit}`);
      const before = settled[name]?.[key];
      const least = Math.min(...latest.map((sample) => sample[name][key]));
      if (before) assert(least <= before * GROWTH, `${name}: ${key} grew from ${before.toFixed(1)} to ${least.toFixed(1)}`);
    }
  }
  assert.deepEqual(complaints, [], 'the console is clean');
  console.log(JSON.stringify({ minutes: Number(minutes), pages_opened: step, settled, most }, null, 1));
  failed = 0;
} finally {
  await browser.close();
  await demo.end();
}
console.log(`1 ${failed ? 'failed' : 'passed'}`);
