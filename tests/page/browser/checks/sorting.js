// Each column sorts, up and down; what is equal stays in the order of the run.
import assert from "node:assert/strict";
import { OUTCOMES, place } from "../run.js";
import { press, shown } from "../table.js";

// What a row is sorted by, as the page's file has it.
const KEYS = {
  name: (row) => row.name.toLowerCase(),
  outcome: (row) => OUTCOMES.indexOf(row.outcome),
  http: (row) => Number(row.status),
  time: (row) => (row.at === "" ? Infinity : Date.parse(row.at)),
  code: (row) => row.code + row.message,
};

export default async function sorting({ page }) {
  const usual = (await shown(page)).map(place);
  const at = new Map(usual.map((row, k) => [row, k]));
  const heads = await page.locator("#table [data-sort]").evaluateAll((all) => all.map((head) => head.dataset.sort));
  assert.deepEqual(heads.slice(0, 3), ["row", "name", "outcome"]);
  for (const head of heads.filter((name) => name !== "row")) {
    const cell = page.locator(`#table [data-sort="${head}"]`);
    await press(cell.locator("button"));
    assert.equal(await cell.getAttribute("aria-sort"), "ascending");
    assert.equal(await page.locator("#table [aria-sort]:not([aria-sort=none])").count(), 1);
    const up = await shown(page), key = KEYS[head];
    assert.deepEqual(up.map(place).toSorted(), usual.toSorted(), `${head}: no row is lost`);
    for (const [k, row] of up.entries()) {
      const before = up[k - 1];
      if (!key || !before) continue;
      const isInOrder = key(before) < key(row) || (key(before) === key(row) && at.get(place(before)) < at.get(place(row)));
      assert.ok(isInOrder, `${head}: ${key(before)} before ${key(row)}`);
    }
    await press(cell.locator("button"));
    assert.equal(await cell.getAttribute("aria-sort"), "descending");
    assert.deepEqual((await shown(page)).map(place), up.map(place).toReversed(), `${head}, downwards`);
  }
  await press(page.locator('#table [data-sort="row"] button'));
  assert.deepEqual((await shown(page)).map(place), usual, "by row, as it was");
}
