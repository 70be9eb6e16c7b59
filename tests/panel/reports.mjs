// The weekly summary in a browser: from the rail to a week, its files, its two sides of paper, in both languages.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openContext, say } from './harness.mjs';

const DESK = { name: 'desk', width: 1280, height: 800 };
/** A4 in CSS pixels. */
const A4 = { width: 794, height: 1123 };

/** Pages of a PDF as Chromium writes it: one object of this type a page, outside of compressed streams. */
const sides = (pdf) => pdf.toString('latin1').match(/\/Type \/Page\s/g)?.length ?? 0;

export const weeklySummary = async (browser, demo, pictures, complaints) => {
  for (const language of ['zh-CN', 'en']) {
    const context = await openContext(browser, demo.base, DESK, language, 'dark', complaints);
    const page = await context.newPage();
    await page.goto(demo.base);
    await page.locator('#places a[href="/reports"]').click();
    await page.locator('.report-row').first().click();
    await page.waitForURL('**/reports/weekly/*');
    const week = page.url().split('/').at(-1);
    const report = await demo.api(`reports/weekly?week=${week}&language=${language}`);
    assert.equal(report.complete, false, 'the list begins with the running week');
    assert.equal(await page.locator('.weekly .lead').textContent(), report.conclusion.lead, 'page and API say the same');
    assert(report.groups[0].devices > 50, 'the devices of the demo');
    assert.equal(await page.locator('.weekly .groups-table .all td').first().textContent(), String(report.groups[0].devices));

    const [file] = await Promise.all([page.waitForEvent('download'), page.locator('a[href*="format=html"]').click()]);
    assert.equal(file.suggestedFilename(), `${week}-${language}.html`);
    const html = readFileSync(await file.path(), 'utf8');
    assert(html.startsWith('<!DOCTYPE html>') && !html.includes('<script'), 'a whole page without a script');

    // Printed from the panel and from its own file: light, without the frame, signed at the end, on two sides; a third where the running week has many open faults.
    await page.emulateMedia({ media: 'print' });
    assert(await page.locator('.weekly-signs').isVisible(), 'room for signatures');
    for (const gone of ['#places', 'header', '#report-head']) assert(!(await page.locator(gone).first().isVisible()), gone);
    await page.setViewportSize(A4);
    await page.screenshot({ path: join(pictures, `weekly-printed-${language}.png`), fullPage: true });
    const fromPanel = sides(await page.pdf({ preferCSSPageSize: true }));
    assert(fromPanel >= 1 && fromPanel <= 3, `${fromPanel} sides from the panel`);
    await page.emulateMedia({ media: null });
    const own = await context.newPage();
    await own.setViewportSize(A4);
    await own.goto(`${demo.base}/api/v1/reports/weekly?week=${week}&language=${language}&format=html`);
    await own.screenshot({ path: join(pictures, `weekly-own-${language}.png`), fullPage: true });
    const fromFile = sides(await own.pdf({ preferCSSPageSize: true }));
    assert(fromFile >= 1 && fromFile <= 3, `${fromFile} sides from the file`);
    say(`the summary in ${language}: ${fromPanel} and ${fromFile} sides`);

    await page.goto(`${demo.base}/reports/weekly/${week}`);
    await page.locator('a[rel=prev]').click();
    await page.waitForURL((url) => !url.href.endsWith(week));
    await page.locator('a[rel=next]').click();
    await page.waitForURL(`**/${week}`);
    await context.close();
  }
  say('the weekly summary is read, taken along and printed');
};
