// The pictures of the README, taken from a running demo in both languages.
//
// usage: node tests/panel/pictures.mjs BINARY [FOLDER]      (docs/pictures unless said)
//
// Waits for the moment of the story when a county is cut off, its stations are hidden behind it and another router is
// hot, so that the pictures show what the panel is for.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openContext, say, startBrowser, startDemo, until } from './harness.mjs';

const [binary, folder = 'docs/pictures'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const DESK = { name: 'desk', width: 1280, height: 800 };
const PANEL = { name: 'panel', width: 1280, height: 800, mm: 5.88 };
const PHONE = { name: 'phone', width: 390, height: 844 };

const demo = await startDemo(binary);
const browser = await startBrowser();
const complaints = [];
try {
  const hot = await until('a county is cut off and a router is hot', 240_000, async () => {
    const { devices } = await demo.api('devices');
    const { faults } = await demo.api('faults?state=open');
    const own = faults.filter((fault) => fault.suppression === 'none');
    return devices.some((d) => d.state === 'hidden') && own.length >= 2 && own.find((fault) => fault.rule !== 'unreachable');
  });
  const take = async (name, screen, path, theme = 'dark') => {
    for (const language of ['zh-CN', 'en']) {
      const context = await openContext(browser, demo.base, screen, language, theme, complaints);
      const page = await context.newPage();
      await page.goto(demo.base + path);
      await page.locator('#live.on').waitFor();
      await page.screenshot({ path: join(folder, `${name}-${language.slice(0, 2)}.png`) });
      await context.close();
    }
    say(name);
  };
  await take('overview', DESK, '/');
  await take('wall', PANEL, '/wall?pinned=1');
  await take('fault', DESK, `/faults/${hot.id}`, 'light');
  await take('phone', PHONE, '/');
  await take('device', DESK, `/devices/${hot.device}?span=7d`);
  const { week } = await demo.api('reports/weekly');
  await take('weekly', { ...DESK, height: 1_100 }, `/reports/weekly/${week}`, 'light');
  assert.deepEqual(complaints, [], 'the console is clean');
} finally {
  await browser.close();
  await demo.end();
}
