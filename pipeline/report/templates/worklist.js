"use strict";
(() => {
  const list = document.getElementById("list");
  const table = list && list.querySelector("table.list");
  if (!table) return;
  const rows = [...table.tBodies];
  const tools = list.querySelector(".tools");
  const fields = tools.elements;
  const status = tools.querySelector(".status");
  const heads = [...table.tHead.querySelectorAll("[data-sort]")];
  const numeric = new Set(["rank", "chance", "value", "gain"]);
  const locale = document.documentElement.lang;
  const count = new Intl.NumberFormat(locale);
  const words = new Intl.Collator(locale, { numeric: true });
  const say = (text) => { status.textContent = text; };
  let falling = false;

  const plain = (text) => text.normalize("NFKC").toLocaleLowerCase(locale);
  // What stands in a cell is not sent once more as an attribute.
  for (const [place, row] of rows.entries()) {
    row.dataset.rank = place + 1;
    const action = row.querySelector(".action bdi");
    if (action && action.textContent !== "–") row.dataset.action = action.textContent;
  }
  const texts = new Map(rows.map((row) => [row, plain(row.textContent)]));
  const visible = () => rows.filter((row) => !row.hidden);

  function filter() {
    const wanted = plain(fields.search.value).split(/\s+/).filter(Boolean);
    const chosen = (name) => (fields[name] ? fields[name].value : "");
    const least = chosen("least") === "" ? -Infinity : Number(chosen("least"));
    for (const row of rows) {
      const data = row.dataset;
      row.hidden = !(
        wanted.every((word) => texts.get(row).includes(word)) &&
        ["owner", "channel", "action"].every((name) => !chosen(name) || data[name] === chosen(name)) &&
        (!chosen("segment") || (data.segments || "").split("\n").includes(chosen("segment"))) &&
        (least === -Infinity || Number(data.value ?? NaN) >= least)
      );
    }
    say(tools.dataset.shown.replace("{n}", count.format(visible().length)).replace("{all}", count.format(rows.length)));
  }

  function compare(key) {
    const sign = falling ? -1 : 1;
    return (a, b) => {
      const [x, y] = [a.dataset[key], b.dataset[key]];
      if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
      return sign * (numeric.has(key) ? x - y : words.compare(x, y)) || a.dataset.rank - b.dataset.rank;
    };
  }

  function sort() {
    const key = fields.sort.value;
    table.append(...rows.sort(compare(key)));
    for (const head of heads) {
      if (head.dataset.sort === key) head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  }

  function sortBy(key) {
    falling = fields.sort.value === key ? !falling : numeric.has(key) && key !== "rank";
    fields.sort.value = key;
    sort();
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.body.appendChild(document.createElement("textarea"));
      area.value = text;
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      if (!done) return say(tools.dataset.uncopied);
    }
    return say(tools.dataset.copied);
  }

  function print() {
    const before = [...rows];
    rows.sort((a, b) => words.compare(a.dataset.owner || "", b.dataset.owner || ""));
    let owner;
    for (const row of rows) {
      table.append(row);
      row.classList.toggle("first", !row.hidden && owner !== undefined && owner !== row.dataset.owner);
      if (!row.hidden) owner = row.dataset.owner || "";
    }
    document.body.classList.add("only-list");
    window.addEventListener("afterprint", () => {
      document.body.classList.remove("only-list");
      rows.splice(0, rows.length, ...before);
      rows.forEach((row) => row.classList.remove("first"));
      table.append(...rows);
    }, { once: true });
    window.print();
  }

  function move(event) {
    const row = event.target.closest("tbody");
    if (!row || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    const seen = visible();
    const at = seen.indexOf(row);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: seen.length - 1 }[event.key];
    if (to !== undefined && seen[to]) seen[to].querySelector("summary").focus();
    else if (event.key === "/") fields.search.focus();
    else if (event.key === "c" && row.querySelector(".message")) copy(row.querySelector(".message").textContent);
    else return;
    event.preventDefault();
  }

  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(head.dataset.sort));
    head.append(button);
  }
  for (const message of list.querySelectorAll(".message")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = tools.dataset.copy;
    message.after(button);
  }
  table.addEventListener("click", (event) => {
    if (event.target.matches(".copy")) copy(event.target.parentElement.querySelector(".message").textContent);
  });
  table.addEventListener("keydown", move);
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.addEventListener("input", filter);
  fields.sort.addEventListener("input", () => { falling = numeric.has(fields.sort.value) && fields.sort.value !== "rank"; sort(); });
  fields.reverse.addEventListener("click", () => { falling = !falling; sort(); });
  fields.open.addEventListener("click", () => {
    const seen = visible().map((row) => row.querySelector("details"));
    const open = !seen.every((one) => one.open);
    seen.forEach((one) => { one.open = open; });
  });
  fields.print.addEventListener("click", print);
  tools.addEventListener("reset", () => setTimeout(() => { falling = false; sort(); filter(); }));
  tools.hidden = false;
  filter();
})();
