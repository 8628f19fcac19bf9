// Makes the switches of a report work: from the table of exposures that the page carries, and nothing else.
"use strict";
document.querySelectorAll("script.mk-exposures").forEach((holder) => {
  const section = holder.closest("section");
  const table = JSON.parse(holder.textContent);
  const MARKETING = 0;
  const flips = new Map(); // from a switch's number to on or off, from the beginning; the others are as `start` has them
  let start = table.own;

  const slotsOf = table.switches.map(() => []);
  table.slots.forEach((number, slot) => { if (number >= 0) slotsOf[number].push(slot); });
  const atStart = (number) => table.switches[number][start === table.own ? "own" : "flipped"];
  const isOn = (number) => flips.get(number) ?? atStart(number);

  function setting() {
    return table.slots.map((number, slot) => (flips.has(number) ? Number(flips.get(number)) : start[slot]));
  }

  function counted(on) {
    const statuses = [0, 0, 0];
    const bySource = table.sources.map(() => [0, 0, 0]);
    const contacts = table.exposures.map(() => 0);
    const reached = table.exposures.map((slots) => slots.some((slot) => on[slot]));
    for (const [exposure, source, rest, count] of table.rows) {
      const status = reached[exposure] ? MARKETING : rest;
      statuses[status] += count;
      bySource[source][status] += count;
      contacts[exposure] += count;
    }
    const accounts = table.switches.map(() => ({ exposed: 0, sole: 0, credit: 0 }));
    table.exposures.forEach((slots, exposure) => {
      const numbers = new Set(slots.map((slot) => table.slots[slot]).filter((number) => number >= 0));
      for (const number of numbers) accounts[number].exposed += contacts[exposure];
      if (slots.some((slot) => table.slots[slot] < 0 && on[slot])) return; // marketing whatever the switches
      const through = new Set(slots.filter((slot) => on[slot]).map((slot) => table.slots[slot]));
      for (const number of through) accounts[number].credit += contacts[exposure] / through.size;
      if (through.size === 1) for (const number of through) accounts[number].sole += contacts[exposure];
    });
    return { statuses, bySource, accounts };
  }

  const live = section.querySelector(".mk-live");
  const switchTable = section.querySelector(".mk-switches");
  const rows = [...switchTable.tBodies[0].rows];
  const sourceRows = [...section.querySelector(".mk-by-source tbody").rows];
  const numberOf = (row) => Number(row.dataset.switch);
  const boxes = new Map();
  const baseline = counted(table.own);

  const whole = new Intl.NumberFormat("en");
  const tenths = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const say = (count) => whole.format(count);

  function against(count, other) {
    if (count === other) return "the same as the baseline";
    return `${say(Math.abs(count - other))} ${count > other ? "more" : "fewer"} than the baseline`;
  }

  function againstTier(count) {
    if (table.tier === null) return "";
    if (count === table.tier) return `; exactly the tier of ${say(table.tier)}`;
    return `; ${say(Math.abs(count - table.tier))} ${count > table.tier ? "over" : "below"} the tier of ${say(table.tier)}`;
  }

  function through(flipped) {
    if (!flipped) return "with the portal's own switches, the baseline";
    if (isWhatIf()) return "with the what-if of this report";
    return `with ${flipped === 1 ? "1 switch" : `${say(flipped)} switches`} flipped`;
  }

  const isWhatIf = () => start === table.flipped && !flips.size;

  function show() {
    const on = setting();
    const now = counted(on);
    let flipped = 0;
    for (const row of rows) {
      const number = numberOf(row);
      const state = isOn(number);
      const dated = slotsOf[number].some((slot) => Boolean(on[slot]) !== state);
      const differs = state !== table.switches[number].own || slotsOf[number].some((slot) => on[slot] !== table.own[slot]);
      const { exposed, sole, credit } = now.accounts[number];
      flipped += differs;
      boxes.get(number).checked = state;
      boxes.get(number).nextSibling.textContent = `${state ? "on" : "off"}${dated ? ", dated" : ""}`;
      row.classList.toggle("mk-flipped", differs);
      [say(exposed), say(sole), tenths.format(credit)]
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
    asPortal.setAttribute("aria-pressed", String(!flipped));
    asWhatIf?.setAttribute("aria-pressed", String(isWhatIf()));
    const marketing = now.statuses[MARKETING];
    const total = now.statuses.reduce((sum, count) => sum + count, 0);
    const change = flipped ? `, ${against(marketing, baseline.statuses[MARKETING])}` : "";
    live.textContent = `${say(marketing)} of ${say(total)} ${total === 1 ? "contact is" : "contacts are"} marketing`
      + `${table.counted} ${through(flipped)}${change}${againstTier(marketing)}.`;
  }

  const make = (name, attributes = {}, text = "") => {
    const element = Object.assign(document.createElement(name), attributes);
    element.textContent = text;
    return element;
  };

  for (const row of rows) {
    const number = numberOf(row);
    const box = make("input", { type: "checkbox", id: `switch-${number}` });
    box.addEventListener("change", () => {
      flips.delete(number);
      if (box.checked !== atStart(number)) flips.set(number, box.checked);
      show();
    });
    boxes.set(number, box);
    const state = make("span");
    state.setAttribute("aria-hidden", "true"); // the box says it
    const holds = make("span", { className: "mk-switch" });
    holds.append(box, state);
    row.cells[1].replaceChildren(holds);
    row.cells[0].replaceChildren(make("label", { htmlFor: box.id }, row.cells[0].textContent));
  }

  const controls = section.querySelector(".mk-controls");
  const button = (text, act) => {
    const element = make("button", { type: "button" }, text);
    element.addEventListener("click", () => { act(); show(); });
    controls.append(element);
    return element;
  };
  const from = (states) => () => { flips.clear(); start = states; };
  const asPortal = button("As the portal has it", from(table.own));
  const differs = table.flipped.some((on, slot) => on !== table.own[slot]);
  const asWhatIf = differs ? button("The what-if of this report", from(table.flipped)) : null;
  const allOff = button("All off", () => { for (const row of rows) if (!row.hidden) flips.set(numberOf(row), false); });
  if (rows.length > 15) {
    const search = make("input", { type: "search", placeholder: "Find a switch" });
    const caption = switchTable.caption.textContent;
    search.setAttribute("aria-label", "Find a switch");
    search.addEventListener("input", () => {
      const sought = search.value.trim().toLowerCase();
      for (const row of rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(sought);
      const shown = rows.filter((row) => !row.hidden).length;
      allOff.textContent = sought ? "All of these off" : "All off";
      switchTable.caption.textContent = sought ? `${caption} ${say(shown)} of ${say(rows.length)} shown.` : caption;
    });
    controls.append(search);
  }
  section.querySelector(".mk-still").remove();
  show();
});

// What scrolls can be reached and scrolled by keyboard, in any browser.
document.querySelectorAll(".mk-scroll").forEach((box) => {
  const told = { tabindex: "0", role: "group", "aria-label": box.querySelector("caption")?.textContent ?? "Picture" };
  new ResizeObserver(() => {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    for (const [name, value] of Object.entries(told)) scrolls ? box.setAttribute(name, value) : box.removeAttribute(name);
  }).observe(box);
});
