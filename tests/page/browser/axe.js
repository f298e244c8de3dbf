// axe, which finds what keeps people from using a page. Its code comes by the debugger, which no policy forbids: the
// page's own stays in force.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function findsNothing(page, what) {
  if (!await page.evaluate(() => "axe" in window)) await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { violations, passes } = await window.axe.run(document, { resultTypes: ["violations"] });
    const told = violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
    return { told, passes: passes.length };
  });
  assert.deepEqual(found.told, [], what);
  assert.ok(found.passes > 20, `axe looked at little: ${found.passes} rules`);
}

// Opens all that can be opened: the details, and the first rows.
export async function openAll(page) {
  await page.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    for (let k = 0; k < 3; k += 1) document.querySelector("#list .toggle[aria-expanded=false]")?.click();
  });
  await page.drawn();
}
