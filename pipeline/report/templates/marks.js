(() => {
  const list = document.getElementById("list");
  const bar = list && list.querySelector(".marks");
  if (!bar) return;
  const form = list.querySelector("template.mark").content.firstElementChild;
  const { config, day } = bar.dataset;
  const key = `churn ${config} ${day}`;
  const columns = ["config", "list", "customer_id", "occurred_at", "outcome", "note", "action", "channel", "agent"];
  const marks = new Map();
  const count = new Intl.NumberFormat(document.documentElement.lang);
  try {
    for (const [customer, mark] of JSON.parse(localStorage.getItem(key) || "[]")) marks.set(customer, mark);
  } catch { /* a browser that keeps nothing, or something else under this name: begin anew */ }

  function moment() {
    const now = new Date();
    // The page of a day long past is marked as of that day.
    return now - new Date(day) < 31 * 86400e3 ? now.toISOString().slice(0, 19) + "Z" : `${day}T12:00:00Z`;
  }

  function text() {
    const cell = (value) => `"${String(value ?? "").replaceAll('"', '""')}"`;
    const rows = [...list.querySelectorAll("tbody[data-customer]")].filter((row) => marks.has(row.dataset.customer));
    const lines = rows.map(({ dataset: data }) => {
      const mark = marks.get(data.customer);
      return [config, day, data.customer, mark.at, mark.outcome, mark.note, data.action, data.channel, data.owner].map(cell).join(",");
    });
    return [columns.join(","), ...lines, ""].join("\n");
  }

  function show(row) {
    const mark = marks.get(row.dataset.customer);
    row.classList.toggle("marked", Boolean(mark));
    let label = row.querySelector("small.mark");
    if (!mark) return label && label.remove();
    if (!label) {
      label = document.createElement("small");
      label.className = "mark";
      row.querySelector(".id").append(label);
    }
    label.textContent = `\u2713 ${form.querySelector(`option[value=${mark.outcome}]`).textContent}`;
  }

  function told() {
    bar.hidden = !marks.size;
    bar.querySelector(".status").textContent = bar.dataset.marked.replace("{n}", count.format(marks.size));
  }

  function changed(row, outcome, note) {
    if (outcome) marks.set(row.dataset.customer, { outcome, note, at: moment() });
    else marks.delete(row.dataset.customer);
    try { localStorage.setItem(key, JSON.stringify([...marks])); } catch { /* kept while the page is open */ }
    show(row);
    told();
  }

  function offer(row) {
    const inside = row.querySelector(".inside");
    if (inside.querySelector(".happened")) return;
    const own = form.cloneNode(true);
    const [outcome, note] = [own.querySelector("select"), own.querySelector("input")];
    const mark = marks.get(row.dataset.customer);
    if (mark) [outcome.value, note.value] = [mark.outcome, mark.note];
    for (const field of [outcome, note]) field.addEventListener("change", () => changed(row, outcome.value, note.value.trim()));
    inside.prepend(own);
  }

  list.addEventListener("toggle", (event) => {
    const row = event.target.closest("tbody");
    if (row && event.target.open) offer(row);
  }, true);
  bar.addEventListener("click", async (event) => {
    const what = event.target.dataset.do;
    if (what === "save") {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text()], { type: "text/csv" }));
      link.download = `contacted-${config}-${day}.csv`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    } else if (what === "copy") {
      let said = bar.dataset.copied;
      try { await navigator.clipboard.writeText(text()); } catch { said = bar.dataset.uncopied; }
      bar.querySelector(".status").textContent = said;
    }
  });
  for (const row of list.querySelectorAll("tbody[data-customer]")) if (marks.has(row.dataset.customer)) show(row);
  told();
})();
