// The table of rows as somebody in front of it has it: what it says it shows, and what it gives as a file.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { parseCsv } from "./csv.js";

// The numbers in front of the table: of how many rows how many are shown.
export async function counted(page) {
  const [shown, all = shown] = (await page.locator("#count").textContent()).match(/[\d,]+/g).map((n) => Number(n.replaceAll(",", "")));
  assert.equal(Number(await page.locator("#table").getAttribute("aria-rowcount")), shown + 1, "the heads are a row, too");
  return { shown, all };
}

// The rows that are shown, all of them and in order, as the page hands them out; the screen begins with the same. The
// file is caught before the browser keeps it, for it lets a page hand out only so many.
export async function shown(page) {
  const text = await page.evaluate(async () => {
    const { createObjectURL } = URL, { click } = HTMLAnchorElement.prototype;
    let file;
    URL.createObjectURL = (blob) => { file = blob; return ""; };
    HTMLAnchorElement.prototype.click = () => {};
    document.getElementById("csv").click();
    [URL.createObjectURL, HTMLAnchorElement.prototype.click] = [createObjectURL, click];
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await file.arrayBuffer());
  });
  const records = parseCsv(text);
  assert.equal(records.length, (await counted(page)).shown);
  const places = await page.locator("#list > [role=row] .place").evaluateAll((cells) => cells.slice(0, 5).map(
    (cell) => `${cell.lastElementChild.textContent}:${cell.firstElementChild.textContent.replaceAll(",", "")}`));
  assert.deepEqual(places, records.slice(0, 5).map((record) => `${record.file}:${record.line}`));
  return records;
}

// The same as a browser keeps it.
export async function download(page) {
  const [file] = await Promise.all([page.waitForEvent("download"), page.locator("#csv").click()]);
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), "utf8") };
}

// Takes every filter away, as the key says it does.
export async function clear(page) {
  await page.locator("#find").focus();
  await page.keyboard.press("Escape");
}

// Types into the search.
export async function search(page, words) {
  await page.locator("#find").fill(words);
}

// Presses something without moving a pointer there, which takes frames.
export async function press(locator) {
  await locator.evaluate((node) => node.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true })));
}

// A row's element, found by its place; it is the only one that is shown.
export async function find(page, row) {
  await clear(page);
  await search(page, `${row.file}:${row.line}`);
  const all = page.locator("#list > [role=row]");
  const exact = all.filter({ has: page.locator(`.toggle[aria-label="${`Row ${row.file}:${row.line} in full`.replaceAll('"', '\\"')}"]`) });
  assert.equal(await exact.count(), 1, `${row.file}:${row.line}`);
  return exact;
}
