// The pages of a case and of a domain check: the back button returns to the question before, and the keyboard follows what
// htmx swaps in. `data-then` names what is looked at next.
document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.target.closest?.("form[data-asked]");
  // The entry that is left should show the question that was asked here, not whichever is next by then.
  if (form) history.replaceState({ htmx: true }, "", `?ask=${encodeURIComponent(form.dataset.asked)}`);
});

let next = "";
let said = "";
const verdict = () => [...document.querySelectorAll("#verdict, .case-certainty")].map((part) => part.textContent.trim()).join(". ");
document.addEventListener("htmx:beforeSwap", (event) => {
  // Too many requests: the page that comes with it says when to go on.
  if (event.detail.xhr.status === 429) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
  // What the end of a stream brings in must not take the reader away from where they are.
  const cause = event.detail.requestConfig?.triggeringEvent;
  next = cause?.type === "submit" || cause?.type === "click" ? event.detail.requestConfig.elt.closest("[data-then]")?.dataset.then ?? "" : "";
});
document.addEventListener("htmx:afterSwap", (event) => {
  announce();
  const byReader = ["submit", "click"].includes(event.detail.requestConfig?.triggeringEvent?.type);
  const lost = byReader && event.detail.target?.id === "case" && document.activeElement === document.body;
  const place = (next || lost) && (document.getElementById("problem") ?? document.getElementById(next) ?? document.getElementById("verdict"));
  next = "";
  if (!place) return;
  place.focus({ preventScroll: true });
  const { top, bottom } = place.getBoundingClientRect();
  if (top < 0 || bottom > innerHeight * 0.8) place.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
});

// What is swapped in is not read out; a new verdict is.
function announce() {
  const now = verdict();
  const place = document.getElementById("announce");
  if (place && said && now !== said) place.textContent = now;
  said = now;
}
document.addEventListener("DOMContentLoaded", () => { said = verdict(); });

// Choosing another cause from the list chooses its radio button too.
document.addEventListener("change", (event) => {
  const radio = event.target.dataset?.picks && document.getElementById(event.target.dataset.picks);
  if (radio && event.target.value) radio.checked = true;
});

// A long paste opens at what the server said.
function showReply() {
  const box = document.querySelector("#case .pasted");
  const mark = box?.querySelector(".mark-d") ?? box?.querySelector("mark");
  if (mark) box.scrollTop = mark.offsetTop - box.offsetTop - box.clientHeight / 3;
}
document.addEventListener("DOMContentLoaded", showReply);
document.addEventListener("htmx:afterSettle", showReply);
