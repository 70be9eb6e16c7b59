// Devices whose names mean harm: markup, 200 characters, right-to-left marks, control characters, broken UTF-8. The
// same site once more beside the demo, played by a simulator that sends such names.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SCREENS, freePort, openContext, say, until } from './harness.mjs';
import { measure } from './looks.mjs';

const EVIL = ['rt-city-core', 'srv-database', 'sw-machine-room', 'ups-machine-room'];
/** An administrator may write long names too. */
const LONG = '很长的设备名称'.repeat(12);

const readyLine = (child, wanted) => new Promise((done, failed) => {
  let printed = '';
  child.stdout.on('data', (chunk) => { printed += chunk; const found = printed.match(wanted); if (found) done(found); });
  child.on('exit', (code) => failed(new Error(`ended with ${code}: ${printed}`)));
});

/** Runs in the browser: characters that turn or hide text, in what people can see. */
const hidden = () => document.body.innerText.match(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069]/g);

export const hostile = async (browser, binary, demo, pictures) => {
  const folder = mkdtempSync(join(tmpdir(), 'roundsman-hostile-'));
  const port = await freePort();
  const site = readFileSync(join(demo.data, 'site.toml'), 'utf8')
    .replace(/^listen = .*$/m, `listen = "127.0.0.1:${port}"`)
    .replace(/(address = "127\.16\.[\d.]+):\d+"/g, '$1:16900"')
    .replace(/rtsp_port = \d+/g, 'rtsp_port = 16554')
    .replace(/reach = "echo:\d+"/g, 'reach = "echo:16907"')
    .replace(/port = "(tcp:\/\/127\.16\.[\d.]+):\d+"/g, 'port = "$1:16900"')
    .replace(/port = ".*\/(bus-[\w-]+)"/g, `port = "${folder}/$1"`)
    .replace(/name = "市局核心路由器"/, `name = "${LONG}"`);
  writeFileSync(join(folder, 'site.toml'), site);
  writeFileSync(join(folder, 'community'), 'demo\n', { mode: 0o600 });
  writeFileSync(join(folder, 'camera-password'), readFileSync(join(demo.data, 'camera-password')), { mode: 0o600 });
  const io = { stdio: ['ignore', 'pipe', 'inherit'] };
  const faults = EVIL.flatMap((id) => ['--fault', `${id}=hostile-name`]);
  const players = spawn(binary, ['simulate', '--site', join(folder, 'site.toml'), ...faults], io);
  let service;
  try {
    await readyLine(players, /ready \d+ devices/);
    service = spawn(binary, ['run', '--config', join(folder, 'site.toml')], { ...io, env: { ...process.env, RUST_LOG: 'warn' } });
    const base = `http://127.0.0.1:${port}`;
    const readings = async (id) => {
      try { return (await (await fetch(`${base}/api/v1/devices/${id}/readings`)).json()).readings ?? []; } catch { return []; }
    };
    await until('hostile devices are polled', 60_000, async () => (await Promise.all(EVIL.map(readings))).every((r) => r.length > 5));
    const complaints = [], wrong = [];
    for (const screen of SCREENS) {
      const context = await openContext(browser, base, screen, 'zh-CN', 'dark', complaints);
      const page = await context.newPage();
      page.on('dialog', (dialog) => { wrong.push(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
      for (const path of [...EVIL.map((id) => `/devices/${id}`), '/', '/devices', '/wall']) {
        await page.goto(base + path);
        const where = `${path} ${screen.name}`;
        wrong.push(...(await page.evaluate(measure, screen.mm ? 20 * screen.mm : 44)).map((w) => `${where}: ${w}`));
        const found = await page.evaluate(hidden);
        if (found) wrong.push(`${where}: hidden characters ${JSON.stringify(found)}`);
        assert.equal(await page.locator('main script, main img').count(), 0, `${where}: a name became markup`);
        await page.screenshot({ path: join(pictures, `hostile-${path.split('/').pop() || 'overview'}-${screen.name}.png`) });
      }
      await context.close();
    }
    const shown = (await Promise.all(EVIL.map(readings))).flat().map((r) => `${r.instance} ${r.value}`).join('\n');
    assert(shown.includes('<script>alert('), 'the markup is there, as text');
    assert.deepEqual(wrong, [], 'hostile names');
    assert.deepEqual(complaints, [], 'the console is clean');
    say('names that mean harm are shown as text');
  } finally {
    service?.kill('SIGTERM');
    players.kill('SIGTERM');
    await Promise.all([service, players].filter(Boolean).map((child) => child.exitCode ?? new Promise((done) => child.on('exit', done))));
    rmSync(folder, { recursive: true, force: true });
  }
};
