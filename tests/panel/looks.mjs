// Every page on every screen, in both languages and themes: nothing in the console, nothing scrolls sideways, no text
// too small, no target too small for a finger, nothing serious for axe; a picture of each is kept.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCREENS, axeSource, openContext, say } from './harness.mjs';

/** Pages by name; ids are taken from the running site. */
const pagesOf = (devices, faults, records, week) => {
  const one = (wanted) => devices.find(wanted)?.id;
  const router = one((d) => d.tier === 'city' && d.class === 'router');
  const county = one((d) => d.tier === 'county');
  const pages = {
    overview: '/', devices: '/devices', county: `/devices?under=${county}`, nothing: '/devices?q=nothing-like-this',
    device: `/devices/${router}`, devicepast: `/devices/${router}?span=13w`, history: `/devices/${router}/history`,
    series: `/devices/${one((d) => d.class === 'server')}/history?metric=cpu.load&span=7d`,
    states: `/devices/${router}/history?metric=interface.oper-status&instance=GigabitEthernet0%2F0%2F1`,
    noseries: `/devices/${router}/history?metric=nothing&span=7d`, faults: '/faults', hidden: '/faults?view=hidden', shelved: '/faults?view=shelved', past: '/faults?view=past',
    records: '/records', norecords: '/records?q=nothing-like-this', newrecord: '/records/new',
    reports: '/reports', noreports: '/reports?before=2001-W01', weekly: `/reports/weekly/${week}`, unwatched: '/reports/weekly/2020-W53',
    about: '/about', cameras: '/cameras', wall: '/wall', pinned: '/wall?pinned=1', styleguide: '/styleguide',
  };
  for (const kind of ['server', 'ups', 'printer', 'switch', 'video-wall', 'conference-host', 'camera', 'recorder']) {
    const id = one((d) => d.class === kind);
    if (id) pages[kind.replace('-', '')] = `/devices/${id}`;
  }
  const [wall, host] = ['video-wall', 'conference-host'].map((kind) => one((d) => d.class === kind));
  Object.assign(pages, { commands: `/devices/${wall}/commands`, hostcommands: `/devices/${host}/commands`, nocommands: `/devices/${router}/commands` });
  if (faults.length) pages.fault = `/faults/${faults[0].id}`;
  if (records.length) {
    const path = `/records/${records[0].number}`;
    Object.assign(pages, { record: path, recordfields: `${path}/amend`, recordamend: `${path}/amend?field=parts` });
  }
  return pages;
};

/** The week that the list of reports begins with. */
const runningWeek = async (browser, demo) => {
  const page = await browser.newPage();
  await page.goto(`${demo.base}/reports`, { waitUntil: 'load' });
  const href = await page.locator('.report-row').first().getAttribute('href');
  await page.close();
  return href.split('/').at(-1);
};

/** What is wrong with the page as it is laid out: runs in the browser. */
export const measure = (target) => {
  const wrong = [];
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) wrong.push(`scrolls sideways by ${wide} px`);
  const seen = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && e.getClientRects().length > 0;
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !seen(e) || e.closest('.unseen, .skip') || e.tagName.toLowerCase() === 'title') continue;
    const size = parseFloat(getComputedStyle(e).fontSize);
    const drawing = e.ownerSVGElement;
    const scale = drawing?.viewBox.baseVal ? drawing.getScreenCTM().a : 1;
    if (size * scale < 13.5) wrong.push(`text of ${(size * scale).toFixed(1)} px: ${e.textContent.trim().slice(0, 30)}`);
  }
  for (const e of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary')) {
    if (!seen(e) || e.closest('.skip')) continue;
    const { width, height } = e.getBoundingClientRect();
    // Half a pixel is rounding.
    if (width < target - 0.5 || height < target - 0.5) {
      wrong.push(`target of ${width.toFixed(0)}×${height.toFixed(0)} px, ${target.toFixed(0)} wanted: ${(e.textContent.trim() || e.outerHTML).slice(0, 40)}`);
    }
  }
  return [...new Set(wrong)].slice(0, 8);
};

const RULES = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], rules: { 'target-size': { enabled: true } } };
const axe = async (page, screen) => {
  // As high as its content: a bar that sticks to the edge covers nothing then, which it does only until one scrolls.
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width: screen.width, height: Math.max(screen.height, height) });
  await page.evaluate(axeSource());
  const { violations } = await page.evaluate((rules) => window.axe.run(document, rules), RULES);
  await page.setViewportSize({ width: screen.width, height: screen.height });
  const bad = violations.filter((v) => ['serious', 'critical'].includes(v.impact));
  return bad.map((v) => `axe ${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.any[0]?.message ?? ''}`).join(' | ')}`);
};

export const looks = async (browser, demo, pictures) => {
  mkdirSync(pictures, { recursive: true });
  const { devices } = await demo.api('devices');
  const { faults } = await demo.api('faults?state=all');
  const { records } = await demo.api('records');
  const { week } = await demo.api(`reports/weekly?week=${await runningWeek(browser, demo)}`);
  const pages = pagesOf(devices, faults, records, week);
  const wrong = [], complaints = [];
  let seen = 0, checked = 0;
  for (const screen of SCREENS) {
    for (const theme of ['dark', 'light']) {
      for (const language of ['zh-CN', 'en']) {
        const context = await openContext(browser, demo.base, screen, language, theme, complaints);
        const page = await context.newPage();
        for (const [name, path] of Object.entries(pages)) {
          const where = `${name} ${screen.name} ${language} ${theme}`;
          const answer = await page.goto(demo.base + path, { waitUntil: 'load' });
          assert.equal(answer.status(), 200, where);
          assert.equal(await page.getAttribute('html', 'lang'), language, where);
          assert.equal(await page.getAttribute('html', 'data-theme'), theme, where);
          wrong.push(...(await page.evaluate(measure, screen.mm ? 20 * screen.mm : 44)).map((w) => `${where}: ${w}`));
          // Structure and contrast are the same on every screen of a theme: a large and the small one tell.
          if (['1280x800', '390x844'].includes(screen.name) && (language === 'zh-CN' || theme === 'light')) {
            wrong.push(...(await axe(page, screen)).map((w) => `${where}: ${w}`));
            checked += 1;
          }
          await page.screenshot({ path: join(pictures, `${name}-${screen.name}-${language}-${theme}.png`) });
          seen += 1;
        }
        await context.close();
      }
    }
  }
  // A desk page at 200 % has half the pixels; whoever needs it has often forced colours and no motion as well.
  const zoomed = { name: 'zoom-200', width: 640, height: 400 };
  const context = await openContext(browser, demo.base, zoomed, 'zh-CN', 'dark', complaints);
  const page = await context.newPage();
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  for (const [name, path] of Object.entries(pages)) {
    if (['wall', 'pinned', 'styleguide'].includes(name)) continue; // for across the room, and for whoever builds it
    await page.goto(demo.base + path, { waitUntil: 'load' });
    wrong.push(...(await page.evaluate(measure, 44)).map((w) => `${name} zoomed: ${w}`));
    await page.screenshot({ path: join(pictures, `${name}-zoom-200.png`) });
    seen += 1;
  }
  await context.close();
  const missing = await browser.newPage();
  const answer = await missing.goto(`${demo.base}/devices/nothing`);
  assert.equal(answer.status(), 404);
  assert((await missing.locator('main a[href="/"]').count()) > 0, 'the page that is not there leads home');
  await missing.close();
  writeFileSync(join(pictures, 'wrong.txt'), wrong.join('\n'));
  assert.equal(wrong.length, 0, `${wrong.length} places look wrong, all in ${pictures}/wrong.txt: ${wrong.slice(0, 10).join('\n')}`);
  assert.deepEqual(complaints, [], 'the console is clean');
  say(`${seen} pages looked at, ${checked} of them by axe; pictures in ${pictures}`);
};
