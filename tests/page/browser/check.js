// Checks pages in one browser. Standard input names them: a line of JSON for each, {"page": FILE, "checks": [NAME…],
// "facts": {…}}. Standard output says what held, a line for each check: "ok NAME FILE"; what did not, says why, and
// makes the exit code 1.
import { createInterface } from "node:readline";
import { PATIENCE, launch, open } from "./browser.js";
import { readRun } from "./run.js";

const browser = await launch();
setTimeout(() => { throw new Error("a check hangs"); }, PATIENCE).unref();
try {
  for await (const line of createInterface({ input: process.stdin })) {
    const { page: file, checks, facts = {} } = JSON.parse(line);
    const run = readRun(file);
    for (const name of checks) await hold(name, file, run, facts);
  }
} finally {
  await browser.close();
}

async function hold(name, file, run, facts) {
  const check = await import(`./checks/${name}.js`);
  const began = performance.now();
  // A check that asks for no view opens its pages itself.
  const views = check.views ?? [{}];
  try {
    for (const view of views) {
      const page = check.alone ? undefined : await open(browser, file, view);
      try {
        await check.default({ browser, file, page, run, facts, view });
        await page?.inOrder();
      } catch (error) {
        throw new Error(`seen as ${JSON.stringify(view)}`, { cause: error });
      } finally {
        await page?.context().close();
      }
    }
    console.log(`ok ${name} ${file} (${Math.round(performance.now() - began)} ms)`);
  } catch (error) {
    console.log(`FAILED ${name} ${file}, ${error.message}\n${error.cause?.stack ?? error.stack}`);
    process.exitCode = 1;
  }
}
