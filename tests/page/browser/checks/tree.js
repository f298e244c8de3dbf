// What a screen reader is told: every part with its role and name, and what changes while one works.
import assert from "node:assert/strict";
import { counted, search } from "../table.js";

export default async function tree({ page }) {
  const nodes = await told(page);
  const of = (role) => nodes.filter((node) => node.role === role);
  for (const role of ["button", "link", "image", "searchbox", "combobox", "navigation", "region", "search", "heading", "columnheader"]) {
    for (const node of of(role)) assert.notEqual(node.name, "", `a ${role} without a name`);
  }
  for (const role of ["banner", "navigation", "main", "contentinfo", "search"]) assert.equal(of(role).length, 1, `one ${role}`);
  assert.ok(of("image").length > 0 && of("status").length > 0);
  assert.equal(of("table").filter((node) => node.name === "Rows").length, 1);

  const levels = await page.locator("h1, h2, h3, h4").evaluateAll((all) => all.map((head) => Number(head.tagName[1])));
  assert.equal(levels.filter((level) => level === 1).length, 1, "one h1");
  for (const [k, level] of levels.entries()) assert.ok(level <= (levels[k - 1] ?? 0) + 1, `a heading is left out: ${levels}`);

  // The table of rows: how many there are, how many columns, and which of them a cell is in.
  const columns = Number(await page.locator("#table").getAttribute("aria-colcount"));
  assert.equal(await page.locator("#table [role=columnheader]").count(), columns);
  const rows = await page.locator("#list > [role=row]").evaluateAll((all) => all.map((row) => [
    Number(row.getAttribute("aria-rowindex")), [...row.children].map((cell) => cell.getAttribute("role")),
    [...row.children].map((cell) => Number(cell.getAttribute("aria-colindex")))]));
  const { shown } = await counted(page);
  for (const [k, [index, roles, at]] of rows.entries()) {
    assert.ok(index >= 2 && index <= shown + 1);
    if (k > 0) assert.ok(index > rows[k - 1][0], "in order");
    assert.deepEqual([...new Set(roles)], ["cell"]);
    assert.deepEqual(at, at.toSorted((a, b) => a - b));
    assert.ok(at.at(-1) <= columns);
  }
  if (shown === 0) return;

  const toggle = page.locator("#list .toggle").first(), expanded = async () => {
    const name = await toggle.getAttribute("aria-label");
    return (await told(page)).find((node) => node.role === "button" && node.name === name).properties.expanded;
  };
  assert.equal(await expanded(), false);
  await toggle.click();
  assert.equal(await expanded(), true);
  const fields = (await told(page)).filter((node) => node.role === "rowheader" || node.role === "definition");
  assert.ok(fields.length > 0, "what is opened is told");
  await toggle.click();

  const pressed = async (name) => (await told(page)).find((node) => node.role === "button" && node.name.startsWith(name)).properties.pressed;
  assert.equal(await pressed("all"), "true");
  await page.locator(".chip").nth(1).click();
  assert.equal(await pressed("all"), "false");
  await page.locator(".chip").first().click();

  const status = async () => (await told(page)).find((node) => node.role === "status");
  assert.equal((await status()).properties.live, "polite");
  await search(page, "no row says this");
  const said = await page.locator("[role=status]").textContent();
  assert.match(said, /^0 of [\d,]+ rows?$/, "how many pass is told while one types");
}

// The accessibility tree without what is ignored.
async function told(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  return nodes.filter((node) => !node.ignored).map((node) => ({
    role: node.role?.value, name: node.name?.value ?? "",
    properties: Object.fromEntries((node.properties ?? []).map(({ name, value }) => [name, value.value])),
  }));
}
