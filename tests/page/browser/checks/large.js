// A large page opens, filters, searches and sorts in times that are compared with what the same browser takes for an
// empty page just before: a slow machine is slow at both.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "../browser.js";
import { counted } from "../table.js";

export const alone = true;

// Of 50,000 rows; a byte more would not be sent by mail in many a company.
const MOST_BYTES = 12_000_000;
// How many empty pages each may take: several times of what a machine takes that has nothing else to do.
const MOST = { opened: 40, filtered: 15, searched: 30, sorted: 40 };

export default async function large({ browser, run, facts }) {
  const folder = mkdtempSync(join(tmpdir(), "page-large-"));
  try {
    const html = multiplied(run.html, facts.times), bytes = Buffer.byteLength(html);
    const [file, empty] = [["large.html", html], ["empty.html", "<!DOCTYPE html><title>Empty</title><p>Empty"]].map(([name, text]) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    });
    const blank = await open(browser, empty);
    const unit = (await several(5, () => opening(blank, empty))).at(2);
    await blank.context().close();

    const { page, took } = await measured(browser, file, facts);
    const told = Object.entries(took).map(([what, ms]) => `${what} in ${Math.round(ms)} ms (${(ms / unit).toFixed(1)} ×)`).join(", ");
    console.log(`measured ${facts.rows} rows, ${bytes} bytes, an empty page in ${unit.toFixed(1)} ms; ${told}`);
    assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
    for (const [what, most] of Object.entries(MOST)) assert.ok(took[what] <= most * unit, `${what}: more than ${most} empty pages; ${told}`);
    await page.inOrder();
    await page.context().close();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measured(browser, file, facts) {
  const page = await open(browser, file);
  const took = { opened: await opening(page, file) };
  assert.equal((await counted(page)).shown, facts.rows);
  took.filtered = (await several(4, () => acting(page, () => document.querySelectorAll(".chip")[1].click()))).at(-1);
  took.searched = (await several(2, () => acting(page, () => {
    const find = document.getElementById("find");
    find.value = find.value === "" ? "4999" : "";
    find.dispatchEvent(new Event("input"));
  }))).at(-1);
  took.sorted = (await several(2, () => acting(page, () => document.querySelector('#table [data-sort="name"] button').click()))).at(-1);
  assert.equal((await counted(page)).shown, facts.rows, "it is as it was");
  assert.ok(await page.locator("#list > *").count() < 100, "only what is in sight is built");
  return { page, took };
}

// The page with each row so many times, each time with ids of its own. The policy is about style and script alone.
function multiplied(html, times) {
  const [before, json, after] = html.split(/(?<=<script type="application\/json" id="data">)([^<]*)/);
  const data = JSON.parse(json);
  const again = (k) => data.rows.map(([file, line, id, ...rest]) => [file, line + k * data.rows.length, id.replace(/^.{4}/, String(1000 + k)), ...rest]);
  data.rows = Array.from({ length: times }, (_, k) => again(k)).flat();
  return before + JSON.stringify(data).replaceAll("<", "\\u003c") + after;
}

async function several(times, act) {
  const took = [];
  for (let k = 0; k < times; k += 1) took.push(await act());
  return took.toSorted((a, b) => a - b);
}

// Until the page is there and drawn.
async function opening(page, file) {
  const began = performance.now();
  await page.goto(`file://${file}`);
  await page.drawn();
  return performance.now() - began;
}

// Until what comes of it is drawn.
function acting(page, act) {
  return page.evaluate(`(async () => {
    const began = performance.now();
    (${act})();
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    return performance.now() - began;
  })()`);
}
