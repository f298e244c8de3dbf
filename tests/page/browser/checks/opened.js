// An opened row tells all that the run's files say of it: each field before → after, requests, findings, the command.
import assert from "node:assert/strict";
import { OUTCOMES, grouped, place } from "../run.js";
import { until } from "../browser.js";
import { find } from "../table.js";

export const views = [{ permissions: ["clipboard-read", "clipboard-write"] }];

export default async function opened({ page, run }) {
  // One row of each outcome: the one of which there is most to tell.
  const much = (row) => (run.plan.get(row.id)?.changes.length ?? 0) + row.request_ids.length + (row.findings?.length ?? 0);
  await page.evaluate(() => {
    window.heard = new Set();
    const said = document.getElementById("said");
    new MutationObserver(() => window.heard.add(said.textContent)).observe(said, { childList: true });
  });
  for (const outcome of OUTCOMES) {
    const [row] = run.outcomes.filter((one) => one.outcome === outcome).toSorted((a, b) => much(b) - much(a));
    if (row) await tells(page, run, row);
  }
  await until("it is told again that nothing is copied any more", () => page.evaluate(() => window.heard.has("Copied") && window.heard.has("")));
}

async function tells(page, run, row) {
  const element = await find(page, row);
  const toggle = element.locator(".toggle"), more = element.locator(".more"), said = place(row);
  assert.equal(await toggle.getAttribute("aria-expanded"), "false");
  await element.locator(".place").click();
  assert.equal(await toggle.getAttribute("aria-expanded"), "true", said);

  const changes = run.plan.get(row.id)?.changes ?? [];
  const told = await more.locator("tbody tr").evaluateAll((all) => all.map((line) => [...line.cells].map((cell) => cell.textContent)));
  if (told.length > 0) {
    for (const { path, before: planned, after } of changes) {
      // What planning found in conflict was made from something else than what it found there, which nobody saw.
      const before = row.outcome === "conflict" && row.status === null ? NOT_SEEN : planned;
      const line = told.find(([field]) => field === path);
      assert.ok(line, `${said}: ${path} in ${JSON.stringify(told)}`);
      same(line[1], before, `${said}: ${path} before`);
      same(line[2], after, `${said}: ${path} after`);
    }
  } else {
    assert.equal(await more.locator("p.soft").textContent(), "No field is changed.", said);
  }
  const facts = await more.locator("dl > div").evaluateAll((all) => all.map((fact) => [...fact.children].map((part) => part.textContent)));
  const of = (term) => facts.filter(([name]) => name === term).map(([, what]) => what);
  assert.deepEqual(of("Referral"), [row.id].filter(Boolean), said);
  assert.equal(of("Request").length, row.request_ids.length, said);
  for (const [k, id] of row.request_ids.entries()) assert.ok(of("Request")[k].startsWith(id), `${said}: ${id}`);
  const rules = (level) => (row.findings ?? []).filter((finding) => finding.level === level).map((finding) => finding.rule);
  for (const [level, term] of [["deny", "Denied by"], ["warn", "Warned by"]]) {
    for (const rule of rules(level)) assert.ok(of(term).some((what) => what.startsWith(rule)), `${said}: ${term} ${rule}`);
  }
  const [explain] = of("History");
  assert.match(explain, /^referral-bulk explain /);
  assert.ok(explain.replace(/'$/, "").endsWith(said), explain);
  console.log(`typed ${JSON.stringify(explain)}`);

  for (const button of await more.locator(".copy").all()) {
    const wanted = await button.evaluate((node) => node.previousSibling.textContent);
    await button.click();
    await until(`${wanted} is copied`, async () => (await page.evaluate(() => navigator.clipboard.readText())) === wanted);
  }
  assert.equal(await more.isVisible(), true, "what is pressed within does not close the row");
  await toggle.click();
  assert.equal(await more.count(), 0, said);
  const line = (await element.locator(".place > div").first().textContent());
  assert.equal(line, grouped(row.line));
}

// The base of a row that is bound to another version than the one which the plan found.
const NOT_SEEN = Symbol("not seen");

// A value as people read it: a number with its digits as they came. What is masked, or a list, is not compared.
function same(shown, value, what) {
  if (shown.includes("•") || (typeof value === "object" && value !== null)) return;
  if (value === NOT_SEEN) assert.equal(shown, "not seen", what);
  else if (typeof value === "number") assert.equal(Number(shown), value, what);
  else assert.equal(shown, String(value ?? "") || "empty", what);
}
