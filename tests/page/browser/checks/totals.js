// The numbers on the page are those of summary.json, to the digit, wherever they are told.
import assert from "node:assert/strict";
import { OUTCOMES, grouped } from "../run.js";
import { counted } from "../table.js";

// More rows than this are not all in the page; the counts are of the whole run all the same.
const ROWS_IN_PAGE = 50_000;

export default async function totals({ page, run }) {
  const { rows } = run.summary;
  const there = OUTCOMES.filter((outcome) => rows[outcome] > 0);
  const told = Object.fromEntries(there.map((outcome) => [outcome, grouped(rows[outcome])]));

  const legend = await page.locator(".legend a").evaluateAll((links) => Object.fromEntries(links.map(
    (link) => [link.querySelector("span").textContent, link.querySelector("b").textContent])));
  assert.deepEqual(legend, told, "the legend");

  const chips = await page.locator(".chip").evaluateAll((all) => all.map(
    (chip) => [chip.dataset.outcome, chip.querySelector("span").textContent]));
  assert.deepEqual(chips.shift(), ["", grouped(rows.total)], "the chip of all");
  assert.deepEqual(Object.fromEntries(chips), told, "the chips");

  if (rows.total > 0) {
    const bar = await page.locator(".bar").getAttribute("aria-label");
    for (const outcome of there) assert.match(bar, new RegExp(`\\b${told[outcome]} ${outcome}\\b`), "the bar");
    const segments = await page.locator(".bar [data-filter] > title").allTextContents();
    for (const outcome of there) assert.ok(segments.includes(`${told[outcome]} ${outcome}`), `${outcome} of the bar`);
  }
  const here = Math.min(rows.total, ROWS_IN_PAGE);
  assert.deepEqual(await counted(page), { shown: here, all: here });
  assert.equal(here, Math.min(run.outcomes.length, ROWS_IN_PAGE));
  if (rows.total > 0) assert.ok(await page.locator("#list > [role=row]").count() > 0, "rows are shown");
  await narrowed(page);
}

// What the choice of what to narrow to promises, comes.
async function narrowed(page) {
  const told = await page.locator("#narrow").evaluate((narrow) => [...narrow.options].slice(1).map(({ value, label }) => {
    narrow.value = value;
    narrow.dispatchEvent(new Event("change"));
    return [label, document.getElementById("count").textContent];
  }));
  for (const [label, count] of told) assert.equal(count.match(/^[\d,]+/)[0], label.match(/\(([\d,]+)( rows?)?\)$/)[1], label);
  await page.locator("#narrow").selectOption("");
}
