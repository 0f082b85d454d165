// The page is whole without this; it only hides rows.
const tools = document.querySelector(".tools");
const search = tools.querySelector("[type=search]");
const kinds = [...tools.querySelectorAll("[name=kind]")];
const brought = tools.querySelector("[name=brought]");
const sections = [...document.querySelectorAll("section")].map((section) => ({
  section,
  details: section.querySelector("details"),
  count: section.querySelector("summary span"),
  whole: section.querySelector("summary span").textContent,
  rows: [...section.querySelectorAll("tr")].map((row) => ({ row, text: row.textContent.toLowerCase() })),
}));

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = new Set(kinds.filter((kind) => kind.checked).map((kind) => kind.value));
  let left = 0;
  for (const { section, details, count, whole, rows } of sections) {
    let shown = 0;
    for (const { row, text } of rows) {
      const fits = wanted.has(row.dataset.kind) && words.every((word) => text.includes(word));
      row.hidden = !fits || (!brought.checked && "brought" in row.dataset);
      shown += row.hidden ? 0 : 1;
    }
    section.hidden = shown === 0;
    if (words.length > 0 && shown > 0) details.open = true;
    count.textContent = shown === rows.length ? whole : `${shown} of ${rows.length}`;
    left += shown;
  }
  document.querySelector(".none").hidden = left > 0;
}

tools.hidden = false;
tools.addEventListener("input", filter);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
  }
});
filter();
