// A real demo and a real browser for the panel's tests: starts both, waits for conditions, ends both.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(new URL('../peers/package.json', import.meta.url));
const { chromium } = require('playwright-core');
export const axeSource = () => require('axe-core').source;

const began = Date.now();
export const say = (what) => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${what}`);

export const freePort = () => new Promise((found) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => found(port));
  });
});

/** Looks again and again until there is something; a condition that does not come is a failed test. */
export const until = async (what, limit_ms, look) => {
  const deadline = Date.now() + limit_ms;
  for (;;) {
    const found = await look();
    if (found) { say(what); return found; }
    assert(Date.now() < deadline, `${what}: not within ${limit_ms} ms`);
    await new Promise((next) => setTimeout(next, 200));
  }
};

/** `BINARY demo` on a free port; `end()` ends it and says how it ended. */
export const startDemo = async (binary, more = []) => {
  const data = mkdtempSync(join(tmpdir(), 'roundsman-panel-'));
  const port = await freePort();
  const demo = spawn(binary, ['demo', '--listen', `127.0.0.1:${port}`, '--data', data, ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  demo.stdout.on('data', (chunk) => { printed += chunk; });
  const ended = new Promise((done) => demo.on('exit', (code) => done(code)));
  const base = `http://127.0.0.1:${port}`;
  const token = await until('the demo prints its address', 60_000, () => printed.match(/#token=([0-9a-f]+)/)?.[1]);
  const api = async (path) => (await fetch(`${base}/api/v1/${path}`)).json();
  const end = async () => {
    demo.kill('SIGCONT');
    demo.kill('SIGTERM');
    const code = await ended;
    rmSync(data, { recursive: true, force: true });
    assert.equal(code, 0, `the demo ended with ${code}`);
  };
  // The newest fault of the weeks that the demo has behind it.
  const past = Math.max(0, ...(await api('faults?state=all')).faults.map((fault) => fault.id));
  return { process: demo, data, base, token, api, past, end, printed: () => printed };
};

export const startBrowser = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

/** Screens the panel is made for: pixels, and pixels in a millimetre where it is a panel (7″, 10.1″, 21.5″). */
export const SCREENS = [
  { name: '1024x600', width: 1024, height: 600, mm: 6.69 },
  { name: '1280x800', width: 1280, height: 800, mm: 5.88 },
  { name: '390x844', width: 390, height: 844 },
  { name: '1920x1080', width: 1920, height: 1080, mm: 4.03 },
];

/** A browser context of one screen, language and theme; `complaints` gathers what the console says. */
export const openContext = async (browser, base, screen, language, theme, complaints) => {
  const context = await browser.newContext({ viewport: { width: screen.width, height: screen.height }, hasTouch: true });
  const choice = [`lang=${language}`, `theme=${theme}`, screen.mm && `mm=${screen.mm.toFixed(2)}`].filter(Boolean).join('&');
  await context.addCookies([{ name: 'roundsman-view', value: choice, domain: new URL(base).hostname, path: '/' }]);
  const where = `${screen.name} ${language} ${theme}`;
  context.on('page', (page) => {
    page.on('console', (line) => { if (['error', 'warning'].includes(line.type())) complaints.push(`${where} ${page.url()}: ${line.text()}`); });
    page.on('pageerror', (error) => complaints.push(`${where} ${page.url()}: ${error.message}`));
  });
  return context;
};
