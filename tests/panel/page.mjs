// The page in a real browser, on top of a real demo: looks, live changes, acknowledging, losing the server.
//
// usage: node tests/panel/page.mjs BINARY [FOLDER-FOR-SCREENSHOTS]
// Starts `BINARY demo` on a free port and ends it. Waits for conditions; prints how long each took.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(new URL('../peers/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const [binary, pictures = 'target/panel'] = process.argv.slice(2);
mkdirSync(pictures, { recursive: true });
const began = Date.now();
const say = (what) => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${what}`);

const freePort = () => new Promise((found) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => found(port));
  });
});

const data = mkdtempSync(join(tmpdir(), 'roundsman-page-'));
const port = await freePort();
const demo = spawn(binary, ['demo', '--listen', `127.0.0.1:${port}`, '--data', data], { stdio: ['ignore', 'pipe', 'inherit'] });
let printed = '';
demo.stdout.on('data', (chunk) => { printed += chunk; });
const ended = new Promise((done) => demo.on('exit', (code) => done(code)));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
});

const until = async (what, limit_ms, look) => {
  const deadline = Date.now() + limit_ms;
  for (;;) {
    const found = await look();
    if (found) { say(what); return found; }
    assert(Date.now() < deadline, `${what}: not within ${limit_ms} ms`);
    await new Promise((next) => setTimeout(next, 200));
  }
};

const complaints = [];
const open = async (width, height, language, hash = '') => {
  const page = await browser.newPage({ viewport: { width, height }, locale: language });
  page.on('console', (line) => { if (line.type() === 'error') complaints.push(`${width}x${height} ${language}: ${line.text()}`); });
  page.on('pageerror', (error) => complaints.push(`${width}x${height} ${language}: ${error.message}`));
  await page.goto(`http://127.0.0.1:${port}/?lang=${language}${hash}`);
  return page;
};

try {
  const token = await until('the demo prints its address', 30_000, () => printed.match(/#token=([0-9a-f]+)/)?.[1]);

  for (const [width, height] of [[1280, 800], [1024, 600], [390, 844], [1920, 1080]]) {
    for (const language of ['zh-CN', 'en']) {
      const page = await open(width, height, language);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wide, 0, `${width}x${height} ${language} scrolls sideways by ${wide} px`);
      const small = await page.evaluate(() => [...document.querySelectorAll('body *')].filter((e) =>
        e.childNodes.length && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) &&
        parseFloat(getComputedStyle(e).fontSize) < 14 && e.getClientRects().length).map((e) => e.textContent.trim()));
      assert.deepEqual(small, [], 'no text below 14 px');
      await page.screenshot({ path: join(pictures, `overview-${width}-${language}.png`), fullPage: true });
      await page.close();
    }
  }
  say('four sizes in two languages');

  const page = await open(1280, 800, 'zh-CN', `#token=${token}`);
  let loads = 0;
  page.on('load', () => { loads += 1; });
  await until('a fault appears without a reload', 90_000, () => page.locator('button:visible:has-text("确认故障")').count());
  assert.equal(loads, 0, 'the page was loaded again');
  await page.screenshot({ path: join(pictures, 'fault-zh.png') });
  const box = await page.locator('button:has-text("确认故障")').first().boundingBox();
  assert(box.height >= 44, `the button is ${box.height} px high`);

  const stranger = await open(1024, 600, 'zh-CN');
  await stranger.locator('button:has-text("确认故障")').first().click();
  await until('without a token it is asked for', 5_000, () => stranger.locator('dialog input:visible').count());
  await stranger.screenshot({ path: join(pictures, 'token-zh.png') });
  await stranger.close();

  await page.locator('button:has-text("确认故障")').first().click();
  await page.locator('dialog button:visible:has-text("确认")').last().click();
  await until('the fault is acknowledged', 10_000, async () => {
    const faults = (await (await fetch(`http://127.0.0.1:${port}/api/v1/faults?state=all`)).json()).faults;
    return faults.some((fault) => fault.operator === 'acknowledged');
  });
  await until('the page says so', 10_000, async () => (await page.locator('text=已确认').count()) > 0);

  demo.kill('SIGSTOP');
  await until('a silent server is said', 45_000, async () => (await page.locator('text=与服务器失去联系').first().isVisible()));
  await page.screenshot({ path: join(pictures, 'stale-zh.png') });
  demo.kill('SIGCONT');
  await until('and forgotten when it is back', 60_000, async () => !(await page.locator('text=与服务器失去联系').first().isVisible()));
  assert.deepEqual(complaints.filter((line) => !line.includes('ERR_')), [], 'the console is clean');
} finally {
  await browser.close();
  demo.kill('SIGCONT');
  demo.kill('SIGTERM');
  const code = await ended;
  rmSync(data, { recursive: true, force: true });
  assert.equal(code, 0, `the demo ended with ${code}`);
}
say('the demo ended in order');
console.log('1 passed, 0 failed');
