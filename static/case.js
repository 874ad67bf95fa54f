// The case page: the back button returns to the question before, and the keyboard follows what htmx swaps in.
document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.target.closest?.("form[data-asked]");
  // The entry that is left should show the question that was asked here, not whichever is next by then.
  if (form) history.replaceState({ htmx: true }, "", `?ask=${encodeURIComponent(form.dataset.asked)}`);
});

let focusNext = false;
document.addEventListener("htmx:beforeSwap", (event) => {
  focusNext = Boolean(event.detail.requestConfig?.elt?.closest?.("#question"));
});
document.addEventListener("htmx:afterSettle", () => {
  if (!focusNext) return;
  focusNext = false;
  document.querySelector("#case [data-focus]")?.focus({ preventScroll: false });
});

// Choosing another cause from the list chooses its radio button too.
document.addEventListener("change", (event) => {
  const radio = event.target.dataset?.picks && document.getElementById(event.target.dataset.picks);
  if (radio && event.target.value) radio.checked = true;
});
