// What is typed is found wherever a row says it, and only there.
import assert from "node:assert/strict";
import { place } from "../run.js";
import { clear, search, shown } from "../table.js";

export default async function searching({ page, run }) {
  const sent = run.outcomes.find((row) => row.request_ids.length > 0) ?? run.outcomes[0];
  const told = run.outcomes.find((row) => row.message !== "") ?? sent;
  const changed = run.outcomes.find((row) => run.plan.get(row.id)?.changes.length > 0) ?? sent;
  const value = String(run.plan.get(changed.id)?.changes[0]?.after ?? changed.id);
  const word = (text) => text.split(/\s/).reduce((longest, next) => (next.length > longest.length ? next : longest), "");

  const cases = [
    ["an id", sent.id, sent], ["a piece of an id", sent.id.slice(9, 23), sent], ["an id in capitals", sent.id.toUpperCase(), sent],
    ["a name", word(sent.name), sent], ["a code", told.code, told], ["a message", word(told.message || told.code), told],
    ["a value", value, changed], ["a place", place(sent), sent], ["two words", `${sent.id} ${word(sent.name)}`, sent],
    ["an outcome", told.outcome, told], ["a status", String(sent.status ?? sent.outcome), sent],
    ["a request", sent.request_ids.at(-1) ?? sent.id, sent],
  ];
  const byPlace = new Map(run.outcomes.map((row) => [place(row), row]));
  for (const [what, words, wanted] of cases) {
    await search(page, words);
    const rows = await shown(page);
    assert.ok(rows.map(place).includes(place(wanted)), `${what}: ${words}`);
    // What a row says and the table's file does not: the messages of its findings.
    for (const row of rows) {
      const of = byPlace.get(place(row));
      const says = `${place(row)} ${Object.values(row).join(" ")} ${JSON.stringify([of, run.plan.get(of.id)])}`.toLowerCase();
      for (const one of words.toLowerCase().split(/\s+/)) assert.ok(says.includes(one), `${what}: ${one} in ${says}`);
    }
  }
  for (const [what, words] of [["an id", sent.id], ["a request", sent.request_ids.at(-1) ?? sent.id]]) {
    await search(page, words);
    const ids = (await shown(page)).map((row) => row.id);
    assert.deepEqual([...new Set(ids)], [sent.id], `${what} is one referral's`);
  }
  await search(page, "no row says this");
  assert.equal((await shown(page)).length, 0);
  assert.equal(await page.locator("#list").innerText(), "No row is like that. Esc takes every filter away.");
  await clear(page);
  assert.equal((await shown(page)).length, run.outcomes.length);
}
