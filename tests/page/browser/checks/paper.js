// On paper: A4, light whatever the screen is, every page named and numbered, the rows that matter in full beneath heads
// that repeat, and nothing that only a screen can do.
import assert from "node:assert/strict";
import { extractText, getDocumentProxy } from "unpdf";
import { fits } from "../fits.js";
import { grouped } from "../run.js";

export const views = [{ colorScheme: "light" }, { colorScheme: "dark" }];

const CONTROLS = [".mast nav", "#theme", ".copy", ".skip", ".tools", ".chips", ".status", ".table", "details", ".screen"];
// More rows than these are not printed.
const ROWS_ON_PAPER = 1000;
// What is printed on of A4, in pixels; and all of it, in points.
const SHEET = { width: 688, height: 980 };
const [WIDTH, HEIGHT] = [595, 842];

export default async function paper({ page, run, view }) {
  if (view.colorScheme === "dark") await page.locator("#theme").click({ clickCount: 2 });
  const matter = run.outcomes.filter((row) => matters(run, row)).slice(0, ROWS_ON_PAPER);
  await page.emulateMedia({ media: "print" });
  const shown = await page.evaluate((controls) => controls.filter((selector) => [...document.querySelectorAll(selector)].some((node) => node.checkVisibility())), CONTROLS);
  assert.deepEqual(shown, [], "nothing can be pressed on paper");
  await page.setViewportSize(SHEET);
  await fits(page, "on paper");
  const light = await page.locator("body").evaluate((body) => [getComputedStyle(body).backgroundColor, getComputedStyle(body).color]);
  assert.deepEqual(light, ["rgb(255, 255, 255)", "rgb(21, 28, 27)"], "always light");
  const rows = await page.locator(".paper tbody tr").evaluateAll((all) => all.map((row) => row.textContent));
  assert.equal(rows.length, matter.length);
  for (const [k, row] of matter.entries()) {
    for (const said of [row.id, row.outcome, row.request_ids.at(-1), row.code === row.outcome ? "" : row.code]) {
      assert.ok(rows[k].includes(said ?? ""), `${said} in ${rows[k]}`);
    }
  }
  if (view.colorScheme === "dark") return;

  const pdf = await getDocumentProxy(new Uint8Array(await page.pdf({ preferCSSPageSize: true })));
  const { totalPages, text } = await extractText(pdf);
  // Its parts take a few pages, and some rows stand on each of the others.
  assert.ok(totalPages <= 5 + matter.length / 6, `${totalPages} pages for ${matter.length} rows`);
  // Lines are broken anywhere, even within a word.
  const closed = text.map((of) => of.replace(/\s+/g, ""));
  const name = `referral-bulk ${await page.locator(".brand span").textContent()}`.replace(/\s+/g, "");
  for (const [k, of] of closed.entries()) {
    assert.ok(of.includes(`${k + 1}/${totalPages}`), `page ${k + 1} is numbered`);
    assert.ok(of.includes(name), `page ${k + 1} says of which run it is`);
    const [, , width, height] = (await pdf.getPage(k + 1)).view;
    assert.deepEqual([Math.round(width), Math.round(height)], [WIDTH, HEIGHT], "A4");
  }
  const all = closed.join("");
  const heads = (await page.locator(".paper thead").textContent()).replace(/\s+/g, "");
  for (const row of matter.filter((one) => one.id)) {
    const at = closed.findIndex((of) => of.includes(row.id));
    assert.ok(at >= 0, `${row.id} is printed`);
  }
  for (const of of closed.filter((one, k) => matter.some((row) => row.id && one.includes(row.id) && k === closed.findLastIndex((other) => other.includes(row.id))))) {
    assert.ok(of.includes(heads), `the heads of the table stand on every page that it is on: ${heads}`);
  }
  const ids = new Set(matter.map((row) => row.id));
  for (const row of run.outcomes.filter((one) => one.id && !ids.has(one.id))) assert.ok(!all.includes(row.id), `${row.id} matters on no paper`);
  const rest = run.summary.rows.total - matter.length;
  if (rest > 0 && matter.length > 0) assert.ok(all.includes(`${grouped(rest)}row`) || all.includes(`${grouped(rest)}more`), "what is not printed is said to stand elsewhere");
}

// What was not done as asked; of a plan, what cannot be taken back, too.
function matters(run, row) {
  if (!["applied", "unchanged", "planned"].includes(row.outcome)) return true;
  if (run.summary.state !== "planned") return false;
  const becomes = (path) => run.plan.get(row.id)?.changes.find((change) => change.path === path)?.after;
  return becomes("/status") === "Closed";
}
