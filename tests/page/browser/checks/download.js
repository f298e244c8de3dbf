// The file that the page hands out has exactly the rows that are shown, as outcomes.jsonl has them; nothing in it
// runs in a spreadsheet.
import assert from "node:assert/strict";
import { parseCsv } from "../csv.js";
import { place } from "../run.js";
import { download, shown } from "../table.js";

const COLUMNS = ["file", "line", "id", "name", "outcome", "code", "message", "status", "at", "request_ids", "changes"];

export default async function downloads({ page, run }) {
  const { name, text } = await download(page);
  assert.match(name, /^[\w.-]+-rows\.csv$/);
  assert.ok(!text.includes("\0"), "a spreadsheet would stop there");
  const records = parseCsv(text);
  assert.deepEqual(records, await shown(page));
  if (records.length > 0) assert.deepEqual(Object.keys(records[0]), COLUMNS);
  assert.deepEqual(records.map(place), run.outcomes.map(place));
  for (const [k, record] of records.entries()) {
    const row = run.outcomes[k], said = place(row);
    assert.equal(record.id, row.id ?? "", said);
    assert.equal(record.outcome, row.outcome, said);
    assert.equal(record.code, row.code, said);
    assert.equal(record.status, String(row.status ?? ""), said);
    assert.equal(record.request_ids, row.request_ids.join(" "), said);
    if (row.request_ids.length > 0) assert.ok(Math.abs(Date.parse(record.at) - Date.parse(row.at)) < 1000, `${said}: ${record.at}, ${row.at}`);
    for (const column of ["name", "message"]) plainly(record[column], row[column] ?? "", `${said}: ${column}`);
    for (const [column, cell] of Object.entries(record)) assert.doesNotMatch(cell, /(^|[,;\t\r\n])[\s"]*[=+\-@＝＋－＠]/, `${said}: ${column}`);
  }
}

// What is masked, cut or made visible for people is not compared.
function plainly(shown, wanted, what) {
  const isPlain = wanted.length < 400 && /^[\p{L}\p{N}\p{P}\p{S}\p{Zs}]*$/u.test(wanted) && !/(^|[,;])[\s"]*[=+\-@]/.test(wanted);
  if (isPlain && !shown.includes("•")) assert.equal(shown, wanted, what);
}
