// What holds of every page, whatever kind of run it is of.
import assert from "node:assert/strict";
import { findsNothing, openAll } from "../axe.js";
import { fits } from "../fits.js";
import totals from "./totals.js";

export default async function kind({ page, run }) {
  await page.inOrder();
  await totals({ page, run });
  assert.notEqual((await page.locator("h1").textContent()).trim(), "");
  assert.match(await page.title(), /\S/);
  for (const part of await page.locator("main > section").all()) {
    assert.notEqual(await part.locator("h1, h2").first().textContent(), "");
  }
  for (const link of await page.locator('a[href^="#"]').all()) {
    const target = await link.getAttribute("href");
    assert.equal(await page.locator(target).count(), 1, `${target} is there`);
  }
  await openAll(page);
  await findsNothing(page, "open");
  await fits(page, "on a desk");
  await page.setViewportSize({ width: 360, height: 740 });
  await page.drawn();
  await fits(page, "on a phone");
}
