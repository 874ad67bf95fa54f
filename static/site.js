// Small things that work on every page, also on parts that htmx swaps in later.
document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const source = document.getElementById(copy.dataset.copy);
    await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
    const label = copy.textContent;
    copy.textContent = copy.dataset.copied;
    setTimeout(() => { copy.textContent = label; }, 1500);
  }
  if (event.target.closest("[data-theme-toggle]")) {
    const root = document.documentElement;
    root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.bsTheme);
  }
});

// "/" puts the cursor into the search box, unless something is being typed.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
  const box = document.querySelector("[data-search]");
  if (box) {
    event.preventDefault();
    box.focus();
    box.select();
  }
});

// In the search box and its results: arrows move, Enter opens, Escape clears. The results lie in the element that data-search names.
document.addEventListener("keydown", (event) => {
  const box = document.querySelector("[data-search]");
  const results = box && document.getElementById(box.dataset.search);
  if (!results || !(event.target === box || results.contains(event.target))) return;
  if (event.key === "Escape") {
    event.preventDefault();
    box.value = "";
    box.focus();
    box.dispatchEvent(new Event("input", { bubbles: true }));
    if (results.classList.contains("search-drop")) results.replaceChildren();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const stops = [box, ...results.querySelectorAll("a[href], button")];
    const next = stops[stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  }
});
// Results that hang below the header's box go away with what they were for.
document.addEventListener("htmx:afterSwap", () => {
  const box = document.querySelector("[data-search='site-results']");
  if (box && !box.value.trim()) document.getElementById("site-results").replaceChildren();
});
document.addEventListener("focusin", (event) => {
  const drop = document.getElementById("site-results");
  if (drop && !event.target.closest(".search")) drop.replaceChildren();
});
document.addEventListener("click", (event) => {
  const drop = document.getElementById("site-results");
  if (drop && !event.target.closest(".search")) drop.replaceChildren();
});

// A table that filters as one types; knowledge/reference/codes.py find_codes does the same on the server.
const filterTable = (form) => {
  const table = document.getElementById(form.dataset.filter);
  const count = document.querySelector("[data-filter-count]");
  const words = form.elements.q.value.toLowerCase().split(/[\s,;#()-]+/).filter(Boolean);
  const digit = form.elements.class.value;
  const sort = form.elements.sort.value;
  let shown = 0;
  for (const row of table.tBodies[0].rows) {
    const { words: text, class: own, sort: kind } = row.dataset;
    const holds = (word) => text.includes(word) || (/^[245x]\.\d/.test(word) && text.startsWith(`x${word.slice(1)}`));
    row.hidden = !((!digit || digit === own || (own === "X" && digit !== "3")) && (!sort || sort === kind) && words.every(holds));
    shown += row.hidden ? 0 : 1;
  }
  table.hidden = !shown;
  count.textContent = shown ? count.dataset.of.replace("{n}", shown).replace("{all}", table.tBodies[0].rows.length) : count.dataset.none;
};
document.addEventListener("input", (event) => {
  const form = event.target.closest("[data-filter]");
  if (form && document.getElementById(form.dataset.filter) && !location.search) filterTable(form);
});
// The server's answer to a filter holds only what fits; from there a change asks the server again.
document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-filter]");
  if (form && location.search && event.target.matches("select")) form.requestSubmit();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-filter]") && !location.search) event.preventDefault();
});

// A file dropped on a form's text box becomes the form's file.
document.addEventListener("dragover", (event) => {
  const zone = event.target.closest("[data-drop]");
  if (zone) {
    event.preventDefault();
    zone.classList.add("dropping");
  }
});
document.addEventListener("dragleave", (event) => event.target.closest("[data-drop]")?.classList.remove("dropping"));
document.addEventListener("drop", (event) => {
  const zone = event.target.closest("[data-drop]");
  const input = zone && document.getElementById(zone.dataset.drop);
  if (!input || !event.dataTransfer.files.length) return;
  event.preventDefault();
  zone.classList.remove("dropping");
  input.files = event.dataTransfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
});
