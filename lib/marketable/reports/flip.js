// Makes the switches of a report work: from the table of exposures that the page carries, and nothing else.
"use strict";
document.querySelectorAll("script.mk-exposures").forEach((holder) => {
  const section = holder.closest("section");
  const table = JSON.parse(holder.textContent);
  const MARKETING = 0;
  const flips = new Map(); // from a switch's number to on or off; what is not in it is as `start` has it
  let start = table.own;

  const say = (count) => count.toLocaleString("en");
  const isOn = (number) => flips.get(number) ?? table.switches[number][start === table.own ? "own" : "flipped"];
  const make = (name, attributes = {}, text = "") => {
    const element = Object.assign(document.createElement(name), attributes);
    element.textContent = text;
    return element;
  };

  function counted() {
    const on = table.slots.map((number, slot) => (flips.has(number) ? Number(flips.get(number)) : start[slot]));
    const reached = table.exposures.map((slots) => slots.some((slot) => on[slot]));
    const statuses = [0, 0, 0];
    const bySource = table.sources.map(() => [0, 0, 0]);
    const contacts = table.exposures.map(() => 0);
    for (const [exposure, source, rest, count] of table.rows) {
      const status = reached[exposure] ? MARKETING : rest;
      statuses[status] += count;
      bySource[source][status] += count;
      contacts[exposure] += count;
    }
    const accounts = table.switches.map(() => ({ exposed: 0, sole: 0, credit: 0 }));
    table.exposures.forEach((slots, exposure) => {
      const numbers = [...new Set(slots.map((slot) => table.slots[slot]))];
      const through = slots.includes(0) ? [] : [...new Set(slots.filter((slot) => on[slot]).map((slot) => table.slots[slot]))];
      for (const number of numbers) if (number >= 0) accounts[number].exposed += contacts[exposure];
      for (const number of through) accounts[number].credit += contacts[exposure] / through.length;
      if (through.length === 1) accounts[through[0]].sole += contacts[exposure];
    });
    return { statuses, bySource, accounts };
  }

  const live = section.querySelector(".mk-live");
  const rows = [...section.querySelectorAll("tr[data-switch]")];
  const boxes = new Map();
  const [, sourceTable] = section.querySelectorAll("table");
  const sourceRows = [...sourceTable.tBodies[0].rows];
  const baseline = counted();

  function against(count, other, named) {
    if (count === other) return `the same as ${named}`;
    return `${say(Math.abs(count - other))} ${count > other ? "more" : "fewer"} than ${named}`;
  }

  function againstTier(count) {
    if (table.tier === null) return "";
    if (count === table.tier) return `; exactly the tier of ${say(table.tier)}`;
    return `; ${say(Math.abs(count - table.tier))} ${count > table.tier ? "over" : "below"} the tier of ${say(table.tier)}`;
  }

  function show() {
    const now = counted();
    const marketing = now.statuses[MARKETING];
    const total = now.statuses.reduce((sum, count) => sum + count, 0);
    const change = against(marketing, baseline.statuses[MARKETING], "the baseline");
    live.textContent = `${say(marketing)} of ${say(total)} contacts are marketing, ${change}${againstTier(marketing)}.`;
    for (const row of rows) {
      const number = Number(row.dataset.switch);
      const on = isOn(number);
      const { exposed, sole, credit } = now.accounts[number];
      boxes.get(number).checked = on;
      boxes.get(number).nextSibling.textContent = on ? "on" : "off";
      row.classList.toggle("mk-flipped", on !== table.switches[number].own);
      [say(exposed), say(sole), credit.toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 })]
        .forEach((text, column) => { row.cells[column + 2].textContent = text; });
    }
    for (const row of sourceRows) {
      const source = table.sources.indexOf(row.cells[0].textContent);
      const counts = source < 0 ? now.statuses : now.bySource[source];
      const before = source < 0 ? baseline.statuses[MARKETING] : baseline.bySource[source][MARKETING];
      const all = counts.reduce((sum, count) => sum + count, 0);
      [counts[0], before, counts[0] - before, counts[1], counts[2], all]
        .forEach((count, column) => { row.cells[column + 1].textContent = say(count); });
    }
  }

  for (const row of rows) {
    const number = Number(row.dataset.switch);
    const box = make("input", { type: "checkbox" });
    const label = make("label", { className: "mk-switch" });
    box.setAttribute("aria-label", table.switches[number].name);
    box.addEventListener("change", () => {
      flips.delete(number);
      if (box.checked !== isOn(number)) flips.set(number, box.checked);
      show();
    });
    boxes.set(number, box);
    label.append(box, make("span"));
    row.cells[1].replaceChildren(label);
  }

  const controls = section.querySelector(".mk-controls");
  const button = (text, act) => {
    const element = make("button", { type: "button" }, text);
    element.addEventListener("click", () => { act(); show(); });
    controls.append(element);
  };
  button("As the portal has it", () => { flips.clear(); start = table.own; });
  if (table.flipped.some((on, slot) => on !== table.own[slot])) {
    button("The what-if of this report", () => { flips.clear(); start = table.flipped; });
  }
  button("All off", () => { rows.filter((row) => !row.hidden).forEach((row) => flips.set(Number(row.dataset.switch), false)); });
  if (rows.length > 15) {
    const search = make("input", { type: "search", placeholder: "Find a switch" });
    search.setAttribute("aria-label", "Find a switch");
    search.addEventListener("input", () => {
      const sought = search.value.trim().toLowerCase();
      for (const row of rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(sought);
    });
    controls.append(search);
  }
  show();
});
