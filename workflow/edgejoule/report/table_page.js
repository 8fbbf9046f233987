/* One table, whole. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  makeTable(document.getElementById("table"), rowsOf(data.rows), data.columns, data.selects, { key: data.columns[0].key });
})();
