// Everything can be done without a mouse, and one always sees where one is.
import assert from "node:assert/strict";
import { counted } from "../table.js";

// The page is large enough to have more rows than are built at a time.
export default async function keyboard({ page }) {
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  const { shown: rows } = await counted(page);
  const at = () => page.evaluate(() => Number(document.activeElement.closest("#list > [role=row]")?.getAttribute("aria-rowindex") ?? 0) - 2);
  const id = () => page.evaluate(() => document.activeElement.id);

  await press("Tab");
  const skip = await page.evaluate(() => [document.activeElement.className, document.activeElement.getBoundingClientRect().left]);
  assert.ok(skip[0] === "skip" && skip[1] >= 0, `the first stop is the way to the rows, in sight: ${skip}`);
  const stops = await walk(page);
  const isInList = stops.filter((stop) => stop.row !== null);
  assert.equal(new Set(isInList.map((stop) => stop.row)).size, Math.min(rows, 1), "one row is in the tab order");
  for (const stop of stops) assert.ok(stop.outline >= 2, `where one is can be seen: ${stop.html}`);
  for (const stop of stops) assert.ok(stop.name !== "", `what one is at has a name: ${stop.html}`);
  assert.deepEqual(stops.map((stop) => stop.order), stops.map((stop) => stop.order).toSorted((a, b) => a - b), "in the order of the page");

  await press("/");
  assert.equal(await id(), "find");
  await press("ArrowDown");
  assert.equal(await at(), 0);
  await press("ArrowDown");
  assert.equal(await at(), Math.min(1, rows - 1));
  await press("ArrowUp", "PageDown");
  assert.equal(await at(), Math.min(10, rows - 1));
  await inSight(page);
  await press("PageUp");
  assert.equal(await at(), Math.max(0, Math.min(10, rows - 1) - 10));
  await press("End");
  assert.equal(await at(), rows - 1);
  await inSight(page);
  await press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-expanded")), "true");
  await press("Tab", "Escape");
  assert.equal(await at(), rows - 1, "Esc goes back to the row");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-expanded")), "false", "and closes it");
  await press("Home");
  assert.equal(await at(), 0);
  await inSight(page);

  await press("/");
  await page.keyboard.type("a/b");
  assert.equal(await page.locator("#find").inputValue(), "a/b", "a slash can be searched for");
  await press("Escape");
  assert.equal(await page.locator("#find").inputValue(), "");
  assert.equal((await counted(page)).shown, rows);
  const chip = page.locator(".chip").nth(1);
  await chip.focus();
  await press("Space");
  assert.equal(await chip.getAttribute("aria-pressed"), "true");
  const { shown: fewer } = await counted(page);
  await press("Escape");
  assert.equal((await counted(page)).shown, rows, `Esc takes ${fewer} back to all`);
  const head = page.locator('#table [data-sort="name"] button');
  await head.focus();
  await press("Enter", "Enter");
  assert.equal(await page.locator('#table [data-sort="name"]').getAttribute("aria-sort"), "descending");
  const link = page.locator(".legend a").last();
  await link.focus();
  await press("Enter", "ArrowDown");
  assert.equal(await at(), 0, "from a link on to the first row that it leads to");
  await inSight(page);
}

// The stops of Tab from here to the end of the page.
async function walk(page) {
  const stops = [];
  for (let k = 0; k < 500; k += 1) {
    const stop = await page.evaluate(() => {
      const node = document.activeElement;
      if (node === document.body) return null;
      const { outlineStyle, outlineWidth } = getComputedStyle(node);
      const all = [...document.querySelectorAll("*")];
      return {
        html: node.outerHTML.slice(0, 120), order: all.indexOf(node), outline: outlineStyle === "none" ? 0 : parseFloat(outlineWidth),
        name: node.getAttribute("aria-label") ?? (node.textContent.trim() || (node.labels?.[0]?.textContent ?? "")),
        row: node.closest("#list > [role=row]")?.getAttribute("aria-rowindex") ?? null,
      };
    });
    if (stop === null) return stops;
    stops.push(stop);
    await page.keyboard.press("Tab");
  }
  throw new Error("Tab comes to no end");
}

// What one is at is not beneath the heads, nor outside of the table or the window.
async function inSight(page) {
  const [top, bottom, from, to] = await page.evaluate(() => {
    const box = document.activeElement.getBoundingClientRect(), table = document.getElementById("table").getBoundingClientRect();
    const heads = document.querySelector("#table .thead").getBoundingClientRect();
    return [box.top, box.bottom, Math.max(heads.bottom, 0), Math.min(table.bottom, innerHeight)];
  });
  assert.ok(top >= from - 1 && bottom <= to + 1, `${top} to ${bottom} is within ${from} to ${to}`);
}
