"use strict";
// Sorting and filtering of the tables. Without scripting the report is complete, only fixed in its order.
const value = (cell) => {
  const text = cell.textContent.trim().replace(/^[\u25b2\u25bc] */, "").replace("\u2212", "-").replace(/,/g, "");
  const found = parseFloat(text.replace(/^[+±<>]/, ""));
  return text.startsWith("–") ? -Infinity : Number.isNaN(found) ? text : found;
};
const order = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return a === b ? 0 : a < b ? -1 : 1;
  return String(a).localeCompare(String(b));
};
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  if (body.rows.length < 3) continue;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") !== "descending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const rows = [...body.rows].map((row) => [value(row.cells[column]), row]);
      rows.sort((a, b) => (falling ? -1 : 1) * order(a[0], b[0]));
      body.append(...rows.map((row) => row[1]));
    });
  });
}
for (const filter of document.querySelectorAll("[data-filter]")) {
  filter.hidden = false;
  const table = document.getElementById(filter.dataset.filter);
  const rows = table.tBodies[0].rows;
  filter.querySelector("input").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    const folded = table.closest("details");
    if (folded && wanted) folded.open = true;
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
}
