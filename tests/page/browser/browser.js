// A browser with an empty profile, and pages that keep account of everything that is not in order with them.
import assert from "node:assert/strict";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

// Longer than the slowest machine takes, in milliseconds: whatever hangs comes to an end, and the browser with it. No step
// has a time of its own, for how long one takes hangs on what else the machine does.
export const PATIENCE = 1_200_000;

// Nothing that a page asks for may leave this machine, even where its policy should fail.
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--disable-smooth-scrolling", "--host-resolver-rules=MAP * ~NOTFOUND",
];

// A laptop's window, in a place and a language of its own. Nothing glides, so that all is at once where it comes to be.
const USUAL = {
  viewport: { width: 1280, height: 900 }, locale: "en-GB", timezoneId: "Pacific/Auckland", colorScheme: "light", reducedMotion: "reduce",
};

// The browser is the system's own: none is ever downloaded.
export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? inPath("chromium"), args: FLAGS, timeout: PATIENCE });
}

function inPath(name) {
  for (const folder of process.env.PATH.split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch { /* not there */ }
  }
  throw new Error(`${name} is not installed: see tests/page/main.rs`);
}

// Opens a file in a profile of its own. `view` are options of the profile; `media` is emulated.
export async function open(browser, file, { media, ...view } = {}) {
  const url = pathToFileURL(file).href;
  const context = await browser.newContext({ ...USUAL, ...view });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const trouble = [];
  page.on("console", (message) => trouble.push(message.text()));
  page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
  context.on("request", (request) => request.url() !== url && trouble.push(`request: ${request.url()}`));
  context.on("response", (answer) => answer.url() !== url && trouble.push(`answer: ${answer.url()}`));
  await page.addInitScript(() => addEventListener("securitypolicyviolation", (event) => console.error(
    `policy: ${event.effectiveDirective} ${event.blockedURI}`)));
  if (media) await page.emulateMedia(media);
  await page.goto(url);
  // Waits for a frame to be drawn, and the one after it.
  page.drawn = () => page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  // What was not in order since the page was opened. What happened before a frame was drawn has been told by then; where
  // no script runs, nothing tells when that is, and nothing happens later.
  page.trouble = async () => {
    if (view.javaScriptEnabled !== false) await page.drawn();
    return trouble;
  };
  page.inOrder = async () => assert.deepEqual(await page.trouble(), []);
  return page;
}

// Waits until something holds.
export async function until(what, holds) {
  for (const end = Date.now() + PATIENCE; Date.now() < end;) {
    if (await holds()) return;
    await new Promise((later) => setTimeout(later, 10));
  }
  throw new Error(`it never came: ${what}`);
}
