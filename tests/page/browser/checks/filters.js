// Every way to narrow the table shows the rows that outcomes.jsonl says are such, and no others.
import assert from "node:assert/strict";
import { OUTCOMES, place } from "../run.js";
import { clear, counted, press, shown } from "../table.js";

export default async function filters({ page, run }) {
  const places = async () => (await shown(page)).map(place);
  const wanted = (passes) => run.outcomes.filter(passes).map(place);
  const is = async (passes, what) => assert.deepEqual(await places(), wanted(passes), what);
  const there = OUTCOMES.filter((outcome) => run.summary.rows[outcome] > 0);

  for (const outcome of there) {
    const isSuch = (row) => row.outcome === outcome;
    await press(page.locator(`.legend a[data-filter="outcome:${outcome}"]`));
    assert.equal(await page.evaluate(() => document.activeElement.id), "rows-title", "the keyboard goes on at the table");
    await is(isSuch, `the legend: ${outcome}`);
    await clear(page);
    await press(page.locator(`.chip[data-outcome="${outcome}"]`));
    await is(isSuch, `the chip: ${outcome}`);
    assert.equal(await page.locator(`.chip[data-outcome="${outcome}"]`).getAttribute("aria-pressed"), "true");
    await press(page.locator(`.chip[data-outcome="${outcome}"]`));
    assert.equal((await counted(page)).shown, run.outcomes.length, "pressed again, it filters no longer");
  }
  // The bar tells each trouble twice, the second time large enough to press.
  for (const outcome of there) {
    await press(page.locator(`.bar [data-filter="outcome:${outcome}"]`).last());
    await is((row) => row.outcome === outcome, `the bar: ${outcome}`);
  }
  await clear(page);
  const [first, second] = there;
  await page.locator(`.chip[data-outcome="${first}"]`).click();
  if (second) await page.locator(`.chip[data-outcome="${second}"]`).click();
  await is((row) => [first, second].includes(row.outcome), "two chips");
  await page.locator('.chip[data-outcome=""]').click();
  await is(() => true, "the chip of all");

  const options = await page.locator("#narrow option").evaluateAll((all) => all.map((option) => option.value));
  for (const option of options.filter(Boolean)) {
    const kind = option.split(":", 1)[0], value = option.slice(kind.length + 1);
    await page.locator("#narrow").selectOption(option);
    await is(SUCH[kind](value, run), option);
  }
  await clear(page);
  assert.equal(await page.locator("#narrow").inputValue(), "", "Esc takes every filter away");
  await is(() => true, "Esc takes every filter away");

  // A link in a part leads to the rows that it counts.
  for (const link of await page.locator(".part:not(#rows) a[data-filter]").all()) {
    const filter = await link.getAttribute("data-filter");
    const kind = filter.split(":", 1)[0], value = filter.slice(kind.length + 1);
    await press(link);
    await is(SUCH[kind](value, run), filter);
    const row = link.locator("xpath=ancestor::tr[td[contains(@class, 'n')]]");
    if (await row.count() && kind === "rule") {
      assert.ok((await row.textContent()).includes((await counted(page)).shown.toLocaleString("en-US")), `${filter} counts what it shows`);
    }
    await clear(page);
  }
}

const SUCH = {
  outcome: (value) => (row) => row.outcome === value,
  code: (value) => (row) => row.code === value,
  http: (value) => (row) => String(row.status) === value,
  rule: (value, run) => (row) => [...(row.findings ?? []), ...(run.plan.get(row.id)?.findings ?? [])].some((finding) => finding.rule === value),
  closing: (value, run) => (row) => {
    const becomes = (path) => run.plan.get(row.id)?.changes.find((change) => change.path === path)?.after;
    return becomes("/status") === "Closed" && (value === "" || becomes("/substatus") === value);
  },
  find: (value) => (row) => row.id === value,
};
