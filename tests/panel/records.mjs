// A maintenance record in a browser: from a fault to the form, refused, saved, amended, found, printed.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openContext, say, until } from './harness.mjs';

const DESK = { name: 'desk', width: 1280, height: 800 };

export const writesRecord = async (browser, demo, pictures, complaints) => {
  // The one that was acknowledged: those of the past have their records.
  const fault = (await demo.api('faults?state=all')).faults.find((f) => f.operator !== 'none' && f.id > demo.past);
  const context = await openContext(browser, demo.base, DESK, 'zh-CN', 'dark', complaints);
  const page = await context.newPage();
  await page.goto(`${demo.base}/faults/${fault.id}`);
  await page.locator('#records a[href^="/records/new"]').click();
  await page.waitForURL('**/records/new?fault=*');
  const field = (word) => page.locator(`[data-field=${word}]`);
  assert.equal(await field('devices').locator('select').inputValue(), fault.device);
  assert.equal(await field('faults').locator('select').inputValue(), String(fault.id));
  assert.equal(await field('symptom').locator('textarea').inputValue(), fault.summary);

  // What is typed stays while the page goes on hearing the server.
  await field('engineer').locator('input').fill('王建国');
  await page.evaluate(() => {
    window.ticks = 0;
    new BroadcastChannel('roundsman-stream').onmessage = ({ data }) => { window.ticks += data.kind === 'tick'; };
  });
  await until('two ticks while the form is open', 40_000, () => page.evaluate(() => window.ticks >= 2));
  assert.equal(await field('engineer').locator('input').inputValue(), '王建国');

  const save = page.locator('.record-form button.go');
  const refused = (what) => until(what, 5_000, async () => (await page.locator('#record-error').textContent()).trim());
  await page.locator('#record-token-field').fill('wrong');
  await save.click();
  await refused('a wrong token is refused in words');
  await page.locator('#record-token-field').fill(demo.token);
  await save.click();
  await until('what is missing is said at its field', 5_000, async () =>
    (await field('process').locator('.wrong').textContent()).includes('处理过程'));
  await page.screenshot({ path: join(pictures, 'record-refused.png'), fullPage: true });
  await field('process').locator('textarea').fill('1. 更换电源模块。\n2. 观察 30 分钟，链路稳定。');
  const part = field('parts').locator('.entry').first().locator('input');
  for (const [at, text] of ['电源模块', 'PW-0231', 'PW-0788'].entries()) await part.nth(at).fill(text);
  await field('parts').locator('[data-add]').click();
  assert.equal(await field('parts').locator('.entry').count(), 2, 'room for another part');
  await field('cost').locator('input').fill('860');
  await save.click();
  await page.waitForURL('**/records/M-*');
  say('saved');
  const { records } = await demo.api(`records?fault=${fault.id}`);
  assert.equal(records.length, 1, 'written once');
  const { number, fields } = records[0];
  assert(page.url().endsWith(number));
  assert.deepEqual([fields.kind, fields.engineer, fields.cost, fields.parts.length], ['corrective', '王建国', '860.00', 1]);
  // A form knows minutes: the time of the fault in site time, its seconds cut off.
  assert.equal(Date.parse(fields.reported_at), Math.floor(Date.parse(fault.first_bad) / 60_000) * 60_000);

  await page.locator('a[href$="/amend"]').click();
  await page.locator('a[href$="?field=cost"]').click();
  await field('cost').locator('input').fill('1280');
  await field('reason').locator('input').fill('漏记滤网费用');
  await field('author').locator('input').fill('周宁');
  await save.click(); // the token is known by now
  await page.waitForURL(`**/records/${number}`);
  assert.equal(await page.locator('.amended del').textContent(), '¥ 860.00');
  assert.equal(await page.locator('.amended ins').textContent(), '¥ 1280.00');

  await page.emulateMedia({ media: 'print' });
  assert(await page.locator('.signs').isVisible(), 'room for signatures on paper');
  for (const gone of ['#places', 'header', '.sheet-buttons']) assert(!(await page.locator(gone).first().isVisible()), gone);
  await page.screenshot({ path: join(pictures, 'record-printed.png'), fullPage: true });
  await page.emulateMedia({ media: null });

  await page.locator('#places a[href="/records"]').click();
  await page.locator('.record-search input[name=q]').fill('更换电源模块 周宁');
  await page.locator('.record-search button').click();
  await until('who amends it is not what it says', 5_000, async () => await page.locator('#record-list .row').count() === 0);
  await page.locator('.record-search input[name=q]').fill('更换电源模块 王建国');
  await page.locator('.record-search button').click();
  await until('it is found by its words', 5_000, () => page.locator(`#record-list a[href="/records/${number}"]`).count());
  await context.close();
};
