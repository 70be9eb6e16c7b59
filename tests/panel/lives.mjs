// A page that stays open: changes without a reload, seven tabs at once, an operator's action, a server that is gone
// and comes back, a panel that nobody touches.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { SCREENS, openContext, say, until } from './harness.mjs';

const screen = (name) => SCREENS.find((s) => s.name === name);
const DESK = { name: 'desk', width: 1280, height: 800 };

/** A fault comes up on a page that nobody reloads. */
export const changes = async (browser, demo, pictures, complaints) => {
  const context = await openContext(browser, demo.base, DESK, 'zh-CN', 'dark', complaints);
  const page = await context.newPage();
  await page.goto(`${demo.base}/#token=${demo.token}`);
  assert(!page.url().includes(demo.token), 'the token is gone from the address');
  await page.evaluate(() => { window.stayed = true; });
  await until('a fault appears without a reload', 90_000, () => page.locator('#faults .card').count());
  assert.equal(await page.evaluate(() => window.stayed), true, 'the page was loaded again');
  await page.screenshot({ path: join(pictures, 'live-fault.png') });
  return page;
};

/** Acknowledging from the card, with and without the token. */
export const acknowledges = async (browser, demo, page, pictures, complaints) => {
  const context = await openContext(browser, demo.base, screen('1024x600'), 'zh-CN', 'dark', complaints);
  const stranger = await context.newPage();
  await stranger.goto(`${demo.base}/faults`);
  await stranger.locator('[data-act=acknowledge]').first().click();
  await until('without a token it is asked for', 5_000, () => stranger.locator('#ask-token:visible').count());
  await stranger.screenshot({ path: join(pictures, 'token.png') });
  await stranger.locator('#ask-token').fill('wrong');
  await stranger.locator('#ask-go').click();
  await until('a wrong one is refused in words', 5_000, async () => (await stranger.locator('#ask-error').textContent()).trim());
  await context.close();

  await page.locator('[data-act=acknowledge]').first().click();
  await page.locator('#ask-go').click();
  await until('the fault is acknowledged', 10_000, async () =>
    (await demo.api('faults?state=all')).faults.some((fault) => fault.operator === 'acknowledged' && fault.id > demo.past));
  await until('and the page says so', 10_000, () => page.locator('.card-taken').count());
  await page.locator('.card.acknowledged .card-link').first().click();
  await page.waitForURL('**/faults/*');
  await until('its own page has advice and a timeline of two steps', 10_000, async () =>
    (await page.locator('#advice').count()) && (await page.locator('.timeline li').count()) >= 2);
  await page.screenshot({ path: join(pictures, 'fault.png') });
};

/** Somebody is sent, is there, and puts the fault aside; it stands among the shelved ones until it is taken back. */
export const putsAside = async (demo, page, pictures) => {
  const id = page.url().split('/').at(-1);
  const fault = async () => demo.api(`faults/${id}`);
  const act = async (name, fill) => {
    await page.locator(`[data-act=${name}]`).click();
    await fill?.();
    await page.screenshot({ path: join(pictures, `act-${name}.png`) });
    await page.locator('#ask-go').click();
  };
  await act('assign', () => page.locator('#ask [name=to]').fill('王建国'));
  await until('it is assigned', 10_000, async () => (await fault()).operator === 'assigned');
  await until('and the button to arrive is there', 10_000, () => page.locator('[data-act=arrive]').count());
  await act('arrive');
  await until('somebody is on site', 10_000, async () => (await fault()).operator === 'on-site');
  await until('nobody else is to arrive', 10_000, async () => !(await page.locator('[data-act=arrive]').count()));
  await act('shelve', async () => {
    await page.locator('#ask [name=for_min]').selectOption('480');
    await page.locator('#ask [name=more]').fill('采购单 2026-118');
  });
  await until('it is shelved', 10_000, async () => (await fault()).suppression === 'shelved');
  assert.match((await fault()).shelf_reason, /：采购单 2026-118$/);
  await page.goto(`${demo.base}/faults?view=shelved`);
  await until('it stands among the shelved ones', 10_000, () => page.locator(`.card[data-fault="${id}"]`).count());
  await page.screenshot({ path: join(pictures, 'shelved.png') });
  await page.locator(`.card[data-fault="${id}"] .card-link`).click();
  await page.waitForURL('**/faults/*');
  await act('unshelve');
  await until('and no longer when it is taken back', 10_000, async () => (await fault()).suppression === 'none');
  await until('its page has every step', 10_000, async () => (await page.locator('.timeline li').count()) >= 6);
  await page.screenshot({ path: join(pictures, 'fault-acts.png'), fullPage: true });
};

/** Seven tabs of one browser, which opens six connections to a host and no more. */
export const sevenTabs = async (browser, demo, complaints) => {
  const context = await openContext(browser, demo.base, DESK, 'zh-CN', 'dark', complaints);
  const tabs = [];
  for (const path of ['/', '/devices', '/faults', '/about', '/wall?pinned=1', '/', '/devices']) {
    const tab = await context.newPage();
    await tab.goto(demo.base + path);
    tabs.push(tab);
  }
  const alive = (tab) => tab.locator('#live.on').count();
  await until('seven tabs are live', 20_000, async () => (await Promise.all(tabs.map(alive))).every(Boolean));
  // The age of the data begins anew with every tick of the server: each tab has to hear further ones.
  await Promise.all(tabs.map((tab) => tab.evaluate(() => {
    window.ticks = 0;
    new BroadcastChannel('roundsman-stream').onmessage = ({ data }) => { window.ticks += data.kind === 'tick'; };
  })));
  await until('each hears the server twice more', 40_000, async () =>
    (await Promise.all(tabs.map((tab) => tab.evaluate(() => window.ticks)))).every((ticks) => ticks >= 2));
  assert((await Promise.all(tabs.map(alive))).every(Boolean), 'all of them are live');
  await tabs[0].close(); // it came first: it held the stream
  await tabs[1].evaluate(() => { window.ticks = 0; });
  await until('also when the one that held the stream is gone', 40_000, async () =>
    (await Promise.all(tabs.slice(1).map(alive))).every(Boolean) && (await tabs[6].evaluate(() => window.ticks)) >= 3);
  await context.close();
};

/** The server stops answering, then is back. */
export const serverGone = async (demo, page, pictures) => {
  await page.goto(demo.base);
  await until('the page is live', 20_000, () => page.locator('#live.on').count());
  demo.process.kill('SIGSTOP');
  await until('a silent server is said within 30 s', 30_000, () => page.locator('#banner:visible').count());
  await page.screenshot({ path: join(pictures, 'stale.png') });
  demo.process.kill('SIGCONT');
  await until('and forgotten when it is back', 60_000, async () => !(await page.locator('#banner:visible').count()));
};

/** A panel that nobody touches shows the wall view; the touch that wakes it does nothing else. */
export const idlePanel = async (browser, demo, complaints) => {
  const context = await openContext(browser, demo.base, screen('1280x800'), 'zh-CN', 'dark', complaints);
  const page = await context.newPage();
  await page.goto(`${demo.base}/devices?idle=10&mm=5.88&lang=zh-CN`);
  await until('an idle panel shows the wall view', 40_000, () => page.url().endsWith('/wall'));
  await page.touchscreen.tap(300, 300);
  await page.waitForURL(`${demo.base}/`);
  say('a touch leads back to the overview');
  await page.goto(`${demo.base}/wall?pinned=1`);
  await page.touchscreen.tap(300, 300);
  assert(page.url().endsWith('/wall?pinned=1'), 'pinned, it stays');
  await context.close();
};
