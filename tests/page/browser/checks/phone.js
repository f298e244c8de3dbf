// On a phone: nothing is wider than the screen, and all that is to be pressed is large enough for a thumb.
import assert from "node:assert/strict";
import { openAll } from "../axe.js";
import { fits } from "../fits.js";

export const views = [{ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }];

export default async function phone({ page }) {
  await fits(page, "closed");
  await openAll(page);
  await fits(page, "open");
  // Everything of a row is within its card, and cards do not lie on each other.
  const cards = await page.locator("#list > [role=row]").evaluateAll((all) => all.map((row) => {
    const { top, bottom } = row.getBoundingClientRect();
    return { top, bottom, over: Math.max(...[...row.children].map((cell) => cell.getBoundingClientRect().bottom)) - bottom };
  }));
  for (const [k, card] of cards.entries()) {
    assert.ok(card.over <= 1, `a cell of card ${k} is ${card.over} px out of it`);
    if (k > 0) assert.ok(card.top >= cards[k - 1].bottom - 1, `card ${k} lies on the one before`);
  }
  // The page scrolls, and rows come.
  const last = page.locator("#list > [role=row]").last();
  const before = await last.getAttribute("aria-rowindex");
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await page.drawn();
  assert.ok(Number(await last.getAttribute("aria-rowindex")) >= Number(before));
}
