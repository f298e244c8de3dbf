// The page loads nothing, sends nothing and runs nothing but its own script; and where something would be put into
// it, the browser says that it was kept from it: this check can fail.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "../browser.js";

export const alone = true;

// What is put into the page, and what is said of each.
const FOREIGN = {
  '<script>document.title = "ran"</script>': "script-src-elem inline",
  '<script src="https://example.com/x.js"></script>': "script-src-elem https://example.com/x.js",
  '<img alt="" onerror="document.title = \'ran\'" src="x.png">': "script-src-attr inline",
  '<img alt="" src="https://example.com/x.png">': "img-src https://example.com/x.png",
  '<img alt="" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">': "img-src data",
  "<style>main { display: none }</style>": "style-src-elem inline",
  '<p style="color: red">x</p>': "style-src-attr inline",
  '<link rel="stylesheet" href="https://example.com/x.css">': "style-src-elem https://example.com/x.css",
  '<iframe title="x" src="https://example.com/x.html"></iframe>': "frame-src https://example.com",
  '<object data="https://example.com/x.swf"></object>': "object-src https://example.com",
  '<video src="https://example.com/x.webm"></video>': "media-src https://example.com/x.webm",
  '<base href="https://example.com/">': "base-uri https://example.com/",
};

export default async function policy({ browser, run }) {
  const foreign = Object.keys(FOREIGN).join("");
  const said = await mutated(browser, run.html.replace("</main>", () => `${foreign}</main>`));
  for (const [html, what] of Object.entries(FOREIGN)) assert.ok(said.includes(`policy: ${what}`), `${html}: ${said.join("\n")}`);
  // What is asked for is told before the policy is; nothing may come of it.
  assert.ok(!said.some((line) => line.startsWith("answer: ")), said.join("\n"));
  // Neither does a byte that is changed in script or style go unnoticed.
  for (const [from, to, what] of [['"use strict";', '"use strict" ;', "script-src-elem inline"], ["<style>", "<style> ", "style-src-elem inline"]]) {
    const changed = await mutated(browser, run.html.replace(from, to));
    assert.ok(changed.includes(`policy: ${what}`), `${to}: ${changed.join("\n")}`);
  }
}

// What the browser says of a page that somebody changed.
async function mutated(browser, html) {
  const folder = mkdtempSync(join(tmpdir(), "page-policy-")), file = join(folder, "mutant.html");
  writeFileSync(file, html);
  const page = await open(browser, file);
  try {
    assert.notEqual(await page.title(), "ran");
    return await page.trouble();
  } finally {
    await page.context().close();
    rmSync(folder, { recursive: true });
  }
}
