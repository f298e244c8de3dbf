// What others wrote is text wherever it is told: no element, no attribute, no address and no script is theirs, nothing
// steers how other text is shown, and what is long is cut off and says so.
import assert from "node:assert/strict";
import { search, shown } from "../table.js";

// What text may not bring with it.
const FOREIGN = "img, iframe, object, embed, base, link, video, audio, template, noscript, textarea, math, foreignObject, animate, set, dialog, marquee, b b";
// What is not seen, or steers what is around it; line ends are the page's own.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

export const views = [{}, { media: { media: "print" } }];

export default async function hostile({ page, run, facts, view }) {
  await isTheirs(page, "closed");
  await page.evaluate(() => {
    for (const toggle of document.querySelectorAll("#list .toggle[aria-expanded=false]")) toggle.click();
  });
  await isTheirs(page, "open");
  if (view.media) return;
  console.log(`typed ${JSON.stringify(await page.locator("#list .more code").first().textContent())}`);
  assert.deepEqual(run.html.replace(/[\n\ufeff]/g, "").match(HIDDEN), null, "nothing hidden is in the file");
  for (const [marker, text] of Object.entries(facts.texts)) {
    await search(page, marker);
    const told = await page.locator("#list").textContent();
    if (text !== null) assert.ok(told.includes(text), `${text} is told as it is: ${told}`);
    const rows = await shown(page);
    assert.ok(rows.length > 0, `${marker} is found`);
    for (const [column, cell] of rows.flatMap((row) => Object.entries(row))) {
      assert.ok(cell.length < 4_000, `${marker}: ${column} is ${cell.length} long`);
      assert.doesNotMatch(cell, /(^|[,;\t\r\n])[\s"]*[=+\-@＝＋－＠]/, `${marker}: ${column} is no formula, wherever it is split`);
    }
  }
  await search(page, Object.keys(facts.texts).at(-1));
  assert.match(await page.locator("#list").textContent(), /… \(cut off: 1,0\d\d,\d{3} characters\)/, "what is long is cut off");
}

async function isTheirs(page, what) {
  const { foreign, scripts, styles, handlers, addresses, ran } = await page.evaluate((selector) => {
    const all = [...document.querySelectorAll("*")];
    return {
      foreign: [...document.querySelectorAll(selector)].map((node) => node.outerHTML.slice(0, 200)),
      scripts: document.scripts.length, styles: document.querySelectorAll("style").length,
      handlers: all.flatMap((node) => [...node.attributes].filter(({ name }) => name.startsWith("on") || name === "srcdoc")).map(({ name }) => name),
      addresses: all.flatMap((node) => [...node.attributes].filter(({ name }) => ["href", "src", "action", "xlink:href", "formaction"].includes(name))
        .map(({ value }) => value)).filter((value) => !/^#[a-z][\w-]*$/.test(value)),
      ran: document.title === "ran",
    };
  }, FOREIGN);
  assert.deepEqual({ foreign, scripts, styles, handlers, addresses, ran }, { foreign: [], scripts: 2, styles: 1, handlers: [], addresses: [], ran: false }, what);
}
