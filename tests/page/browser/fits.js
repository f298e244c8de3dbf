// Whether a page fits into a window: nothing wider than it, no text in a column of single letters, and all that is to be
// pressed large enough for a thumb.
import assert from "node:assert/strict";

export async function fits(page, what) {
  const { wide, small, squeezed } = await page.evaluate(() => {
    // What only screen readers are told is clipped.
    const isClipped = (node) => node !== null && (getComputedStyle(node).clipPath !== "none" || isClipped(node.parentElement));
    const isShown = (node) => node.checkVisibility({ visibilityProperty: true }) && !isClipped(node) && !node.closest(".skip");
    const name = (node) => `${node.tagName} .${node.getAttribute("class")} ${node.textContent.trim().slice(0, 40)}`;
    const wide = [...document.querySelectorAll("main *, header *, footer *")].filter(isShown)
      .filter((node) => node.getBoundingClientRect().right > innerWidth + 1 && !node.closest("svg, .td, [role=columnheader]"))
      .map((node) => `${name(node)}: ${node.getBoundingClientRect().right}`);
    if (document.documentElement.scrollWidth > innerWidth) wide.push(`the page: ${document.documentElement.scrollWidth}`);
    // A link in a sentence is as high as its line.
    const small = [...document.querySelectorAll("a, button, select, input, summary")].filter(isShown)
      .filter((node) => getComputedStyle(node).display !== "inline")
      .filter((node) => { const { width, height } = node.getBoundingClientRect(); return width < 24 || height < 24; })
      .map((node) => `${name(node)}: ${node.getBoundingClientRect().width} × ${node.getBoundingClientRect().height}`);
    const squeezed = [...document.querySelectorAll("main *")].filter(isShown)
      .filter((node) => [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim().length > 12))
      .filter((node) => { const { width, height } = node.getBoundingClientRect(); return width < 48 && height > 4 * width; })
      .map(name);
    return { wide, small, squeezed };
  });
  assert.deepEqual(wide, [], `${what}: wider than the screen`);
  assert.deepEqual(squeezed, [], `${what}: a word takes several lines`);
  assert.deepEqual(small, [], `${what}: too small to press`);
}
