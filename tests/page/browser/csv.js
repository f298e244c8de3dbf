// A reader of CSV by RFC 4180 that knows nothing of who wrote it.
import assert from "node:assert/strict";

// The records by the names of their columns.
export function parseCsv(text) {
  assert.ok(text.startsWith("\ufeff"), "a spreadsheet takes it for UTF-8");
  const [header, ...records] = cells(text.slice(1));
  return records.map((record) => {
    assert.equal(record.length, header.length, JSON.stringify(record));
    return Object.fromEntries(record.map((cell, k) => [header[k], cell]));
  });
}

function cells(text) {
  const records = [];
  let record = [], cell = "", at = 0;
  while (at < text.length) {
    if (text[at] === '"') {
      for (at += 1; text[at] !== '"' || text[at + 1] === '"'; at += 1) {
        assert.ok(at < text.length, "a quote is never closed");
        if (text[at] === '"') at += 1;
        cell += text[at];
      }
      at += 1;
      assert.ok([",", "\r"].includes(text[at]), `after a quoted cell: ${JSON.stringify(text.slice(at, at + 9))}`);
    }
    if (text[at] === ",") {
      record.push(cell);
      cell = "";
    } else if (text.startsWith("\r\n", at)) {
      records.push([...record, cell]);
      record = [];
      cell = "";
      at += 1;
    } else {
      assert.ok(!'"\r\n'.includes(text[at]), `in a plain cell: ${JSON.stringify(text.slice(at - 9, at + 9))}`);
      cell += text[at];
    }
    at += 1;
  }
  assert.deepEqual([record, cell], [[], ""], "the last line is whole");
  return records;
}
