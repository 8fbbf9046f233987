/* A table that sorts and filters. */
const FIRST_ROWS = 50;

/**
 * Fill `place` with a table.
 * @param rows objects; @param columns [{key, title, meaning?, digits?, show?, wide?}]: `digits` makes it a number, "auto" or a count of
 * decimals; @param selects keys that get a drop-down filter; @param start {key, down, chosen} the order and the chosen filters at first.
 */
function makeTable(place, rows, columns, selects, start) {
  const state = { key: start.key, down: Boolean(start.down), text: "", chosen: {}, all: false };
  for (const [key, value] of Object.entries(start.chosen || {})) {
    if (rows.some((row) => row[key] === value)) state.chosen[key] = value;
  }
  const display = (column, row) => {
    const value = row[column.key];
    if (column.show) return column.show(value, row);
    if (column.digits === undefined) return value === null || value === "" ? NONE : String(value);
    return column.digits === "auto" ? number(value) : fixed(value, column.digits);
  };
  for (const row of rows) row.searched = columns.map((column) => display(column, row)).join(" ").toLowerCase();

  const count = make("span", { class: "count" });
  const search = make("input", {
    type: "search", placeholder: "Filter", "aria-label": "Filter rows",
    oninput: () => { state.text = search.value.toLowerCase(); draw(); },
  });
  const filters = selects.map((key) => {
    const column = columns.find((candidate) => candidate.key === key);
    const values = [...new Set(rows.map((row) => row[key]))].sort((a, b) => String(a).localeCompare(String(b), "en", { numeric: true }));
    const select = make("select", {
      "aria-label": column.title,
      "data-filter": key,
      onchange: () => { state.chosen[key] = select.value; draw(); },
    }, make("option", { value: "" }, `${column.title}: all`));
    for (const value of values) select.append(make("option", { value }, (typeof value === "number" ? `${column.title}: ` : "") + display(column, { [key]: value })));
    select.value = state.chosen[key] || "";
    return select;
  });
  const save = make("button", { type: "button", class: "save", title: "Save the rows that match, rounded as here; whole tables are in results/ as Parquet", onclick: download }, "CSV");
  const head = columns.map((column) =>
    make("th", { class: column.digits === undefined ? null : "number", scope: "col" },
      make("button", {
        type: "button",
        title: column.meaning || null,
        onclick: () => {
          state.down = state.key === column.key ? !state.down : column.digits !== undefined;
          state.key = column.key;
          draw();
        },
      }, column.title)));
  const body = make("tbody");
  const more = make("div", { class: "more" },
    make("button", { type: "button", onclick: () => { state.all = true; draw(); } }, "Show all rows"));
  const none = make("div", { class: "none" }, rows.length ? "No row matches." : "This run has no such rows.");
  place.replaceChildren(make("div", { class: "tablebox" },
    make("div", { class: "tools" }, search, ...filters, count, save),
    make("div", { class: "scroll", tabindex: "0" }, make("table", {}, make("thead", {}, make("tr", {}, ...head)), body), none),
    more));

  function compare(a, b) {
    const [left, right] = [a[state.key], b[state.key]];
    const empty = (left === null) - (right === null);
    if (empty) return empty;
    const order = typeof left === "number" ? left - right : String(left).localeCompare(String(right), "en", { numeric: true });
    return state.down ? -order : order;
  }

  function matching() {
    return rows.filter((row) => row.searched.includes(state.text)
      && Object.entries(state.chosen).every(([key, value]) => value === "" || String(row[key]) === String(value))).sort(compare);
  }

  /** Save the matching rows as they are in the data: keys as headings, numbers unformatted. */
  function download() {
    const cell = (value) => (value === null ? "" : /[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
    const lines = [columns.map((column) => column.key), ...matching().map((row) => columns.map((column) => row[column.key]))];
    const file = new Blob([lines.map((line) => `${line.map(cell).join(",")}\n`).join("")], { type: "text/csv" });
    const link = make("a", { href: URL.createObjectURL(file), download: `${place.dataset.name || document.title}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function draw() {
    const wanted = matching();
    const shown = state.all ? wanted : wanted.slice(0, FIRST_ROWS);
    body.replaceChildren(...shown.map((row) => make("tr", {}, ...columns.map((column) => {
      const text = display(column, row);
      const classes = [column.digits === undefined ? "" : "number", text === NONE ? "missing" : "", column.wide ? "wide" : ""].join(" ").trim();
      return make("td", { class: classes || null }, text);
    }))));
    head.forEach((cell, i) => {
      if (columns[i].key === state.key) cell.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    count.textContent = `${wanted.length} of ${rows.length} rows`;
    more.hidden = shown.length === wanted.length;
    none.hidden = wanted.length > 0;
  }
  draw();
  return {
    /** Set a drop-down filter from outside. */
    filter(key, value) {
      const select = filters[selects.indexOf(key)];
      select.value = value;
      select.dispatchEvent(new Event("change"));
    },
  };
}
