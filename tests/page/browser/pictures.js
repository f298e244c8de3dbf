// Takes the pictures of a page that the documentation shows: pictures.js PAGE FOLDER
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { launch, open } from "./browser.js";
import { reduced } from "./png.js";

const [file, folder] = process.argv.slice(2);
const DESK = { viewport: { width: 1200, height: 900 } };
// An A4 sheet at 96 dots an inch, and its margins.
const SHEET = { width: 794, height: 1123 };
const MARGINS = "60px 53px";

const browser = await launch();
try {
  await take("report-light", { ...DESK, colorScheme: "light" });
  await take("report-dark", { ...DESK, colorScheme: "dark" }, opened("partial"));
  await take("report-phone", { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 });
  await take("report-print", { viewport: SHEET, media: { media: "print" } }, margins);
} finally {
  await browser.close();
}

async function take(name, view, prepare = async () => {}) {
  const page = await open(browser, file, view);
  await prepare(page);
  await page.drawn();
  await page.inOrder();
  writeFileSync(join(folder, `${name}.png`), reduced(await page.screenshot()));
  await page.context().close();
}

// What the printer adds.
async function margins(page) {
  await page.locator("body").evaluate((body, margin) => { body.style.margin = margin; }, MARGINS);
}

// The table of rows, those first that need a look, with the first of an outcome opened.
function opened(outcome) {
  return async (page) => {
    const head = page.locator('#table [data-sort="outcome"] button');
    await head.click();
    await head.click();
    await page.locator(`#list > .o-${outcome} .toggle`).first().click();
    await page.evaluate(() => { document.activeElement.blur(); document.getElementById("rows").scrollIntoView(); });
  };
}
