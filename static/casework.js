// Single keys for staff, in the list of cases and on a case. They do nothing while something is typed, and can be turned off
// (WCAG 2.1, 2.1.4). Everything they do can be done with Tab and Enter, too.
const keysOn = () => localStorage.getItem("keys") !== "off";
const typing = (target) => target.closest("input, textarea, select, [contenteditable], dialog");

const rows = () => [...document.querySelectorAll("[data-row]")];
function step(by) {
  const all = rows();
  if (!all.length) return;
  const now = all.indexOf(document.activeElement?.closest("[data-row]"));
  const row = all[now < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, now + by))];
  row.querySelector("a").focus();
  row.scrollIntoView({ block: "nearest" });
}

function take() {
  const place = document.activeElement?.closest("[data-row]") ?? (rows().length ? null : document.getElementById("desk"));
  place?.querySelector("[data-take]")?.click();
}

function search() {
  const box = document.querySelector("[data-list-search]");
  if (!box) return false;
  box.focus();
  box.select();
  return true;
}

function help() {
  const dialog = document.getElementById("keys");
  if (!dialog) return;
  dialog.querySelector("[data-keys-on]").checked = keysOn();
  dialog.showModal();
}

// In the capturing phase: "/" means the search of this list before that of the whole site.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "?") {
    event.preventDefault();
    help();
    return;
  }
  if (!keysOn()) return;
  if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
  else if (event.key === "a") take();
  else if (event.key === "/" && search()) event.stopImmediatePropagation();
  else return;
  event.preventDefault();
}, true);

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys]")) help();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-keys-on]")) localStorage.setItem("keys", event.target.checked ? "on" : "off");
});

// A form that changed something is gone with what it swapped: the keyboard stays at the row, or at the work on the case.
let back = "";
document.addEventListener("htmx:beforeRequest", (event) => {
  const row = event.target.closest?.("[data-row]");
  back = row ? row.id : event.target.closest?.("#desk") ? "desk" : "";
});
// So it does where the list is found anew while a row of it has the focus: a search that was typed before is answered late.
document.addEventListener("htmx:beforeSwap", () => {
  back ||= document.activeElement?.closest("[data-row]")?.id ?? "";
});
document.addEventListener("htmx:afterSwap", () => {
  const place = back && document.getElementById(back);
  back = "";
  if (place) (place.querySelector("a.mono") && place.matches("[data-row]") ? place.querySelector("a.mono") : place).focus({ preventScroll: true });
});
// What is typed is searched for as it is typed. Leaving the box would do it once more, and swap the list under the keys that follow.
document.querySelector("[data-list-search]")?.addEventListener("change", (event) => event.stopPropagation());
for (const button of document.querySelectorAll("[data-keys]")) button.hidden = false;
