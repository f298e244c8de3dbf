// Without a script the page tells everything but each row that went well: those that matter are there as on paper.
import assert from "node:assert/strict";

export const views = [{ javaScriptEnabled: false }];

export default async function scriptless({ page, run }) {
  for (const selector of [".tools", ".chips", ".status", ".table", "#theme"]) {
    assert.equal(await page.locator(selector).isVisible(), false, `${selector} is of no use`);
  }
  assert.equal(await page.locator(".copy").filter({ visible: true }).count(), 0);
  for (const selector of ["h1", ".legend", ".foot"]) assert.ok(await page.locator(selector).isVisible(), selector);
  const matter = run.outcomes.filter((row) => !["applied", "unchanged", "planned"].includes(row.outcome));
  if (matter.length === 0) return;
  assert.ok(await page.locator(".paper").isVisible());
  const told = await page.locator(".paper").innerText();
  for (const row of matter.slice(0, 1000)) assert.ok(told.includes(row.id ?? row.message), row.id);
}
