"use strict";
// The table of all rows: searched, filtered, sorted, opened. Everything else on the page stands without a script.
// Rows stay arrays, as they came; only those in sight are elements. Text is set as text, never as HTML.
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const { rows, files, fields, outcomes, labels, prefix } = data;
  // The members of a row; of a change: field, before, after, and what is there now where that is something else.
  const [FILE, LINE, ID, NAME, OUTCOME, CHANGES, CODE, MESSAGE, CURRENCY, HTTP, AT, TRIES, FINDINGS] = Array(13).keys();
  const [STATUS, SUBSTATUS, VALUE, MONEY] = ["/status", "/substatus", "/details/dealValue", "/details/currency"].map((f) => fields.indexOf(f));
  const SPARE = 6; // rows kept ready above and below those in sight
  const table = $("table"), list = $("list"), find = $("find"), narrow = $("narrow"), order = $("order");
  const state = { words: [], outcomes: new Set(), narrow: "", sort: "row", down: false };
  let shown = []; // the rows that pass, by their numbers, in the order in which they are shown
  let active = -1; // the row that Tab comes to
  let height = 0; // of a closed row
  let scrolls = true; // the table scrolls; on a phone the page does
  const open = new Map(); // row → how much taller it is than a closed one
  const built = new Map(); // row → its element

  // ---- What a row says
  const NOT_SEEN = -1; // of a value that the plan was made without looking at
  const text = (index) => (index === NOT_SEEN ? "not seen" : data.strings[index] ?? "");
  const place = (r) => `${files[r[FILE]]}:${r[LINE]}`;
  const outcome = (r) => outcomes[r[OUTCOME]];
  const of = (r, field) => r[CHANGES].find((c) => c[0] === field);
  const closing = (r) => (text(of(r, STATUS)?.[2]) === "Closed" ? text(of(r, SUBSTATUS)?.[2]) : "");
  const thousands = (n) => n.toLocaleString("en-US");
  const time = (r) => (r[AT] == null ? "" : new Date(Date.parse(data.start) + r[AT]).toISOString());
  const requests = (r) => (r[TRIES] ?? []).map((attempt) => attempt[0]).join(" ");
  const short = (field, value) => (field !== VALUE ? value.replace(/T00:00:00(\.0+)?Z$/, "") || "empty"
    : value.replace(/\d(?=(\d{3})+(?!\d))(?<!\.\d*)/g, "$&,"));

  // ---- Which rows are shown, and in which order
  // A filter is "outcome:conflict", "code:type", "rule:early-win", "http:404", "closing:Won" ("closing:" for any), "find:words".
  function test(filter) {
    const kind = filter.split(":", 1)[0], wanted = filter.slice(kind.length + 1);
    if (kind === "code") return (r) => text(r[CODE]) === wanted;
    if (kind === "rule") return (r) => r[FINDINGS]?.some((finding) => text(finding[0]) === wanted);
    if (kind === "http") return (r) => String(r[HTTP]) === wanted;
    if (kind === "closing") return (r) => (wanted ? closing(r) === wanted : closing(r) !== "");
    return () => true;
  }
  const keys = {
    name: (r) => r[NAME].toLowerCase(), outcome: (r) => r[OUTCOME], http: (r) => r[HTTP] || 0, time: (r) => r[AT] ?? Infinity,
    change: (r) => r[CHANGES].map((c) => labels[c[0]] + text(c[2])).join() || "~", code: (r) => text(r[CODE]) + text(r[MESSAGE]),
  };
  // Of every repeated text it is asked once whether a word is in it.
  const lower = data.strings.map((s) => s.toLowerCase());
  function saying(word) {
    const has = lower.map((s) => s.includes(word));
    return (r) => has[r[CODE]] || has[r[MESSAGE]] || has[r[CURRENCY]] || r[ID].includes(word) || r[NAME].toLowerCase().includes(word)
      || r[CHANGES].some((c) => has[c[1]] || has[c[2]] || has[c[3]]) || r[TRIES]?.some((attempt) => attempt[0].includes(word))
      || r[FINDINGS]?.some((finding) => has[finding[0]] || has[finding[2]])
      || place(r).toLowerCase().includes(word) || outcome(r).includes(word) || String(r[HTTP]) === word;
  }
  function refilter() {
    const passes = [test(state.narrow), ...state.words.map(saying)], key = keys[state.sort];
    shown = [];
    rows.forEach((r, i) => {
      if (state.outcomes.size && !state.outcomes.has(outcome(r))) return;
      if (passes.every((pass) => pass(r))) shown.push(i);
    });
    if (key) {
      const worth = new Map(shown.map((i) => [i, key(rows[i])]));
      shown.sort((a, b) => (worth.get(a) < worth.get(b) ? -1 : worth.get(a) > worth.get(b) ? 1 : a - b));
    }
    if (state.down) shown.reverse();
    active = shown[0] ?? -1;
    built.clear();
    const nothing = rows.length ? "No row is like that. Esc takes every filter away." : "There are no rows.";
    list.replaceChildren(...(shown.length ? [] : [el("div", { role: "row" }, el("div", { role: "cell", class: "nothing" }, nothing))]));
    table.scrollTop = 0;
    table.setAttribute("aria-rowcount", shown.length + 1);
    const part = shown.length < rows.length ? `${thousands(shown.length)} of ` : "";
    $("count").textContent = `${part}${thousands(rows.length)} ${rows.length === 1 ? "row" : "rows"}`;
    const pressed = ({ outcome }) => (outcome ? state.outcomes.has(outcome) : !state.outcomes.size);
    const sorted = ({ sort }) => (sort !== state.sort ? "none" : state.down ? "descending" : "ascending");
    for (const chip of document.querySelectorAll(".chip")) chip.setAttribute("aria-pressed", pressed(chip.dataset));
    for (const head of table.querySelectorAll("[data-sort]")) head.setAttribute("aria-sort", sorted(head.dataset));
    order.value = state.sort;
    paint();
  }
  function search() {
    state.words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    refilter();
  }
  function show(filter) {
    const kind = filter.split(":", 1)[0], wanted = filter.slice(kind.length + 1);
    state.outcomes = new Set(kind === "outcome" ? [wanted] : []);
    state.narrow = ["outcome", "find"].includes(kind) ? "" : filter;
    narrow.value = state.narrow;
    find.value = kind === "find" ? wanted : "";
    search();
  }

  // ---- Elements
  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }
  function glyph(name) {
    const svg = document.querySelector("#theme .g").cloneNode(true);
    svg.firstElementChild.setAttribute("href", "#g-" + name);
    return svg;
  }
  const span = (type, ...children) => el("span", { class: type }, ...children);
  const line = (type, ...children) => el("div", { class: type }, ...children);
  const mono = (value) => span("mono", value);
  const button = (type, label, attributes, shape) => el("button", { type: "button", class: type, "aria-label": label, ...attributes }, glyph(shape));
  const copier = (value, what) => button("copy", "Copy " + what, { "data-copy": value, title: "Copy " + what }, "copy");
  // At most two changes, on a line each; status and substatus are one.
  function summary(r) {
    const changes = r[CHANGES].filter((c) => c[1] !== c[2] && (c[0] !== SUBSTATUS || !of(r, STATUS)));
    changes.sort((a, b) => [STATUS, SUBSTATUS].includes(b[0]) - [STATUS, SUBSTATUS].includes(a[0])); // what closes is never left out
    const becomes = (field, value) => (field === STATUS && of(r, SUBSTATUS) ? `${value}/${text(of(r, SUBSTATUS)[2])}` : value);
    const lines = changes.slice(0, 2).map(([field, before, after]) => [
      span("tag", field === STATUS ? "" : labels[field] + " "),
      ...(fields[field].endsWith("/-") ? [] : [span("old v", short(field, text(before))), field === VALUE && of(r, MONEY) ? " " + text(of(r, MONEY)[1]) : "", span("arrow", " → ")]),
      span(field === STATUS && closing(r) ? "v closes" : "v", becomes(field, short(field, text(after)))),
      field === VALUE ? " " + text(r[CURRENCY]) : "",
    ]);
    if (prefix[outcome(r)]) lines[0]?.unshift(span("tag", prefix[outcome(r)] + " "));
    const rest = changes.length > 2 ? span("tag", `+${changes.length - 2}`) : "";
    return lines.map((parts, k) => line("fit", span("", ...parts), k ? rest : ""));
  }
  function build(i) {
    const r = rows[i], name = outcome(r), code = text(r[CODE]);
    const cell = (column, type, ...children) => el("div", { role: "cell", "aria-colindex": column, class: "td " + type }, ...children);
    const node = el("div", { role: "row", class: "tr o-" + name },
      cell(1, "open", button("toggle", `Row ${place(r)} in full`, { "aria-expanded": open.has(i) }, "chevron")),
      cell(2, "place", line("", thousands(r[LINE])), line("small", files[r[FILE]])),
      cell(3, "name", line("v", r[NAME]), line("small", ...(r[ID] ? [mono(r[ID].slice(0, 8) + "…" + r[ID].slice(-4)), copier(r[ID], "the referral's id")] : ["no referral"]))),
      cell(4, "outcome", line("", glyph(name), " " + name)),
      cell(5, "change", ...summary(r)),
      cell(6, "said", line("mono", code === name ? "" : code), line("small v", text(r[MESSAGE]))));
    if (data.kind === "run") node.append(cell(7, "http n", line("", r[HTTP] || "")), cell(8, "time n", line("", time(r).slice(11, 19))));
    if (open.has(i)) node.append(inFull(r));
    return node;
  }
  function inFull(r) {
    const conflict = outcome(r) === "conflict", three = r[CHANGES].some((c) => c.length > 3);
    const heads = !three ? ["Before", "After"] : conflict ? ["Base", "Ours", "Theirs"] : ["Before", "Ours", "Kept"];
    const value = (index) => (index === NOT_SEEN ? span("empty", "not seen")
      : text(index) === "" ? span("empty", "empty") : span("v", text(index)));
    const line = (change) => el("tr", {}, el("th", { scope: "row", class: "mono" }, fields[change[0]]), ...heads.map((head, k) => {
      const moved = k === 2 && change.length > 3 && change[3] !== change[conflict ? 1 : 2] && ![change[1], change[3]].includes(NOT_SEEN);
      return el("td", { "data-th": head, class: moved ? "kept" : "" }, moved ? "≠ " : "", change.length > k + 1 ? value(change[k + 1]) : "");
    }));
    const head = el("thead", {}, el("tr", {}, ...["Field", ...heads].map((name) => el("th", { scope: "col" }, name))));
    const changes = el("table", { class: "grid cards" }, head, el("tbody", {}, ...r[CHANGES].map(line)));
    const facts = el("dl", {});
    const fact = (term, ...parts) => facts.append(el("div", {}, el("dt", {}, term), el("dd", {}, ...parts)));
    const below = (words) => el("div", { class: "faint v" }, words);
    if (r[ID]) fact("Referral", mono(r[ID]), copier(r[ID], "the referral's id"));
    for (const [id, status, ms] of r[TRIES] ?? []) {
      fact("Request", mono(id), copier(id, "the request's id"), below((status ? "HTTP " + status : "no answer") + (ms === null ? "" : `, ${thousands(ms)} ms`)));
    }
    for (const [rule, denied, said] of r[FINDINGS] ?? []) fact(denied ? "Denied by" : "Warned by", mono(text(rule)), below(text(said)));
    const quoted = /^[\w./:-]+$/.test(place(r)) ? place(r) : `'${place(r).replaceAll("'", "'\\''")}'`;
    const explain = `${data.explain} ${quoted}`;
    fact("History", el("code", {}, explain), copier(explain, "the command"));
    const sides = el("div", { class: "sides" }, r[CHANGES].length ? changes : el("p", { class: "soft" }, "No field is changed."), facts);
    return el("div", { role: "cell", "aria-colindex": data.kind === "run" ? 9 : 7, class: "more" }, el("p", { class: "v" }, text(r[MESSAGE])), sides);
  }

  // ---- Only what is in sight is built. Closed rows are equally high; what an open one has on top is measured and added.
  function paint() {
    const lifts = open.size ? [...open].map(([i, extra]) => [shown.indexOf(i), extra]).filter(([at]) => at >= 0) : [];
    const top = (at) => at * height + lifts.reduce((sum, [other, extra]) => sum + (other < at ? extra : 0), 0);
    const at = (y) => { let n = Math.floor(y / height); while (n > 0 && top(n) > y) n--; return n; };
    list.style.height = shown.length ? `${top(shown.length)}px` : ""; // first, for the table is as high as its rows until it scrolls
    const box = list.getBoundingClientRect(), frame = scrolls ? table.getBoundingClientRect() : { top: 0, bottom: innerHeight };
    const first = Math.max(0, at(frame.top - box.top) - SPARE);
    const last = Math.min(shown.length, Math.max(at(frame.bottom - box.top) + 1, 1) + SPARE);
    const positions = Array.from({ length: Math.max(0, last - first) }, (_, k) => first + k);
    const home = shown.indexOf(active); // stays built, so that Tab and the arrows find it
    if (home >= 0 && home < first) positions.unshift(home);
    if (home >= Math.max(first, last)) positions.push(home);
    const wanted = new Set(positions.map((n) => shown[n]));
    for (const [i, node] of built) if (!wanted.has(i)) node.remove(), built.delete(i);
    let next = list.firstElementChild, grown = false;
    for (const n of positions) {
      const i = shown[n], node = built.get(i) ?? build(i);
      if (node === next) next = next.nextElementSibling;
      else list.insertBefore(node, next);
      built.set(i, node);
      node.setAttribute("aria-rowindex", n + 2);
      node.style.transform = `translateY(${top(n)}px)`;
      for (const within of node.querySelectorAll("button")) within.tabIndex = i === active ? 0 : -1;
      const extra = node.offsetHeight - height;
      if (open.has(i) && open.get(i) !== extra) open.set(i, extra), (grown = true);
    }
    if (grown) paint();
  }
  function toggle(i) {
    const node = built.get(i);
    if (open.delete(i)) node.querySelector(".more").remove();
    else open.set(i, 0), node.append(inFull(rows[i]));
    node.querySelector(".toggle").setAttribute("aria-expanded", open.has(i));
    paint();
  }
  function go(at) {
    active = shown[Math.min(Math.max(at, 0), shown.length - 1)];
    paint();
    built.get(active).scrollIntoView({ block: "nearest" });
    built.get(active).querySelector(".toggle").focus({ preventScroll: true });
  }
  const rowOf = (node) => [...built].find(([, element]) => element.contains(node))?.[0];

  // ---- The rows that are shown, as a file. What could run as a formula in a spreadsheet is defused, as in the reports: some
  // split a cell at such signs even within quotes, pass over blanks, or take signs of full width.
  function download() {
    const cell = (value) => {
      const safe = String(value).replace(/(^|[,;\t\r\n])(?=[ \u00a0\u3000"]*[=+\-@＝＋－＠\t\r\n])/g, "$1'");
      return /[",;\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
    };
    const change = (c) => `${fields[c[0]]}: ${c.slice(1).map((v) => text(v) || "(empty)").join(" → ")}`;
    const lines = shown.map((i) => rows[i]).map((r) => [files[r[FILE]], r[LINE], r[ID], r[NAME], outcome(r), text(r[CODE]), text(r[MESSAGE]),
      r[HTTP] || "", time(r), requests(r), r[CHANGES].map(change).join("; ")].map(cell).join(","));
    lines.unshift("file,line,id,name,outcome,code,message,status,at,request_ids,changes");
    const url = URL.createObjectURL(new Blob(["\ufeff" + lines.join("\r\n") + "\r\n"], { type: "text/csv" }));
    el("a", { href: url, download: `${data.run}-rows.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
  async function copy(from) {
    const done = await navigator.clipboard.writeText(from.dataset.copy).then(() => true, () => false);
    const tell = (words, shape) => { $("said").textContent = words; from.replaceChildren(glyph(shape)); };
    tell(done ? "Copied" : "This browser does not let the page copy", done ? "done" : "deny");
    setTimeout(tell, 1500, "", "copy");
  }

  // ---- What the page answers to
  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest(selector);
    const filter = hit("[data-filter]"), chip = hit(".chip"), head = hit("[data-sort] button");
    if (hit(".copy")) copy(hit(".copy"));
    else if (filter) {
      event.preventDefault();
      show(filter.dataset.filter);
      $("rows").scrollIntoView();
      $("rows-title").focus({ preventScroll: true });
    } else if (chip) {
      const { outcome } = chip.dataset;
      if (!outcome) state.outcomes.clear();
      else if (!state.outcomes.delete(outcome)) state.outcomes.add(outcome);
      refilter();
    } else if (head) {
      const { sort } = head.parentElement.dataset;
      state.down = state.sort === sort && !state.down;
      state.sort = sort;
      refilter();
    } else if (!hit(".more") && !getSelection().toString()) {
      const i = rowOf(event.target);
      if (i !== undefined) (active = i), toggle(i);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const i = rowOf(event.target), position = shown.indexOf(i), before = [find, $("rows-title")].includes(event.target);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === "/" && !event.target.closest("input, select")) {
      event.preventDefault();
      find.focus();
    } else if (event.key === "Escape" && open.has(i)) {
      toggle(i);
      go(position);
    } else if (event.key === "Escape" && event.target.closest("#rows") && event.target !== narrow) {
      show("find:");
      find.focus();
    } else if (step && (position >= 0 || (before && step === 1 && shown.length))) {
      event.preventDefault();
      go(position + step); // from the search: -1 + 1, the first row
    }
  });
  list.addEventListener("focusin", (event) => {
    const i = rowOf(event.target);
    if (i !== undefined && i !== active) (active = i), paint();
  });
  find.addEventListener("input", search);
  narrow.addEventListener("change", () => { state.narrow = narrow.value; refilter(); });
  order.addEventListener("change", () => { state.sort = order.value; state.down = false; refilter(); });
  $("csv").addEventListener("click", download);
  $("tools").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("scroll", paint, { capture: true, passive: true });
  addEventListener("resize", measure);
  function measure() {
    height = parseFloat(getComputedStyle(list).getPropertyValue("--row"));
    scrolls = getComputedStyle(table).overflowY === "auto";
    paint();
  }

  // ---- Light or dark: as the system says, until the button is pressed
  const root = document.documentElement, system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const tell = () => $("theme").setAttribute("aria-pressed", isDark());
  $("theme").addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; tell(); });
  system.addEventListener("change", tell);
  tell();
  measure();
  refilter();
})();
