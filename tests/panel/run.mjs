// The panel in a real browser, on top of a real demo.
//
// usage: node tests/panel/run.mjs BINARY [FOLDER-FOR-PICTURES]
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { say, startBrowser, startDemo } from './harness.mjs';
import { hostile } from './hostile.mjs';
import { acknowledges, changes, idlePanel, putsAside, serverGone, sevenTabs } from './lives.mjs';
import { looks } from './looks.mjs';
import { writesRecord } from './records.mjs';
import { weeklySummary } from './reports.mjs';

const [binary, pictures = 'target/panel'] = process.argv.slice(2);
mkdirSync(pictures, { recursive: true });
const demo = await startDemo(binary);
const browser = await startBrowser();
const complaints = [];
try {
  const page = await changes(browser, demo, pictures, complaints);
  await acknowledges(browser, demo, page, pictures, complaints);
  await putsAside(demo, page, pictures);
  await writesRecord(browser, demo, pictures, complaints);
  await weeklySummary(browser, demo, pictures, complaints);
  await sevenTabs(browser, demo, complaints);
  await idlePanel(browser, demo, complaints);
  await looks(browser, demo, pictures);
  await hostile(browser, binary, demo, pictures);
  await serverGone(demo, page, pictures);
  // While the server is stopped its connections fail, and a wrong token and a form that is not whole are refused: the browser reports these.
  const ours = complaints.filter((line) => !/ERR_|status of (403|422)/.test(line));
  assert.deepEqual(ours, [], 'the console is clean');
} finally {
  await browser.close();
  await demo.end();
}
say('the demo ended in order');
console.log('10 passed, 0 failed');
