// What the run's other files say, which the page has to agree with.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

// In the order of the contract.
export const OUTCOMES = ["applied", "unchanged", "planned", "conflict", "invalid", "refused", "failed", "partial", "unknown", "unsent"];

export function readRun(file) {
  const folder = dirname(file);
  const text = (name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : "");
  const lines = (name) => text(name).split("\n").filter(Boolean).map((line) => JSON.parse(line));
  return {
    html: readFileSync(file, "utf8"),
    summary: JSON.parse(text("summary.json") || "null"),
    outcomes: lines("outcomes.jsonl"),
    plan: new Map(lines("plan.jsonl").map((item) => [item.id, item])),
  };
}

// A row's place, as people type it.
export const place = (row) => `${row.file}:${row.line}`;

// Numbers as the page writes them.
export const grouped = (number) => number.toLocaleString("en-US");
