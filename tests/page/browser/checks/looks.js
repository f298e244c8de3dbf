// Dark as the system says or the button does, colours that the system forces, and no motion where none is wanted.
import assert from "node:assert/strict";

export const views = [{ colorScheme: "light" }, { colorScheme: "dark" }, { forcedColors: "active" }, { reducedMotion: "no-preference" }];

export default async function looks({ page, view }) {
  const style = (selector, property) => page.locator(selector).first().evaluate((node, name) => getComputedStyle(node)[name], property);
  const motion = await style(".toggle .g", "transitionDuration");
  if (view.reducedMotion) {
    assert.notEqual(motion, "0s");
    assert.equal(await style("html", "scrollBehavior"), "smooth");
    return;
  }
  assert.equal(motion, "0s");
  assert.equal(await style("html", "scrollBehavior"), "auto");
  if (view.forcedColors) {
    // What is pressed, and what one is at, is told by more than colours of the page's own.
    assert.equal(await style('.chip[aria-pressed="true"]', "outlineStyle"), "solid");
    const fills = await page.locator(".bar .fill").evaluateAll((all) => new Set(all.map((node) => getComputedStyle(node).fill)).size);
    assert.equal(fills, await page.locator(".bar .fill").count(), "the bar keeps its colours");
    return;
  }
  const isDark = async () => {
    const lightness = (color) => Math.max(...color.match(/\d+/g).slice(0, 3).map(Number));
    const dark = lightness(await style("body", "backgroundColor")) < 60;
    assert.equal(lightness(await style("body", "color")) > 200, dark, "text stands out");
    assert.equal(await page.locator("#theme").getAttribute("aria-pressed"), String(dark), "the button tells it");
    return dark;
  };
  const system = view.colorScheme === "dark";
  assert.equal(await isDark(), system);
  await page.emulateMedia({ colorScheme: system ? "light" : "dark" });
  assert.equal(await isDark(), !system, "it follows the system");
  await page.locator("#theme").click();
  assert.equal(await isDark(), system, "until the button is pressed");
  await page.emulateMedia({ colorScheme: system ? "dark" : "light" });
  assert.equal(await isDark(), system);
  await page.locator("#theme").click();
  assert.equal(await isDark(), !system);
}
