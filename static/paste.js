// The start page: a file dropped anywhere on it is the paste, and is read at once. Without JavaScript there is the file field.
const form = document.querySelector("form.paste");
const field = form.querySelector("input[type=file]");
const carriesFile = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

document.querySelector("[data-drop-hint]").hidden = !matchMedia("(hover: hover)").matches;

// Before site.js, whose text boxes take files too but do not send them.
document.addEventListener("dragover", (event) => {
  if (!carriesFile(event)) return;
  event.preventDefault();
  event.stopPropagation();
  event.dataTransfer.dropEffect = "copy";
  form.classList.add("dropping");
}, { capture: true });
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) form.classList.remove("dropping");
}, { capture: true });
document.addEventListener("drop", (event) => {
  if (!carriesFile(event) || !event.dataTransfer.files.length) return;
  event.preventDefault();
  event.stopPropagation();
  form.classList.remove("dropping");
  const one = new DataTransfer(); // the field takes one file; of several, the first is read
  one.items.add(event.dataTransfer.files[0]);
  field.files = one.files;
  form.requestSubmit();
}, { capture: true });
