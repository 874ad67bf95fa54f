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
  }
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
