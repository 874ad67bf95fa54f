// /logs/: a file goes up in pieces. The server says how much it has, so an upload that broke off goes on where it stopped: by itself
// when the network is back, and after a reload when the same file is chosen again.
const form = document.getElementById("log-form");
const panel = document.getElementById("upload");
const bar = document.getElementById("upload-bar");
const said = document.getElementById("upload-said");
const problem = document.getElementById("upload-problem");
const token = () => form.elements.csrfmiddlewaretoken.value;
const LONGEST_WAIT = 30_000;

class Refused extends Error {}
class Gone extends Error {}

const ask = async (address, options = {}) => {
  const response = await fetch(address, { ...options, headers: { "X-CSRFToken": token(), ...options.headers } });
  const told = response.headers.get("Content-Type")?.includes("json") ? await response.json() : {};
  if (response.status === 404) throw new Gone();
  if (response.status >= 500 && response.status !== 507) throw new TypeError(`HTTP ${response.status}`); // a server that restarts
  if (!response.ok && response.status !== 409) throw new Refused(told.problem || `HTTP ${response.status}`);
  return told;
};

// What was begun is remembered under the file's name, length and date.
const keyOf = (file) => `log ${file.name} ${file.size} ${file.lastModified}`;
const remember = (file, address) => { try { localStorage.setItem(keyOf(file), address); } catch { /* private window */ } };
const remembered = (file) => { try { return localStorage.getItem(keyOf(file)); } catch { return null; } };
const forget = (file) => { try { localStorage.removeItem(keyOf(file)); } catch { /* private window */ } };

const begin = async (file) => {
  const earlier = form.dataset.resume || remembered(file);
  if (earlier) {
    try {
      const told = await ask(earlier);
      if (told.state === "uploading") return told;
    } catch (error) {
      if (!(error instanceof Gone)) throw error;
    }
    forget(file);
  }
  const body = new URLSearchParams({ name: file.name, size: file.size, modified: file.lastModified });
  return ask(form.dataset.begin, { method: "POST", body });
};

const show = (arrived, size) => {
  bar.value = Math.floor((100 * arrived) / size);
  const mb = (bytes) => (bytes / 1e6).toFixed(1);
  const text = said.dataset.of.replace("{n}", mb(arrived)).replace("{all}", mb(size));
  if (said.textContent !== text) said.textContent = text;
};

const wait = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

const upload = async (file, signal) => {
  let told = null;
  let pause = 1000;
  for (;;) {
    try {
      if (!told) {
        told = await begin(file);
        remember(file, told.pieces);
        signal.cancelAt = `${told.page}cancel/`;
      }
      while (told.arrived < file.size) {
        if (signal.cancelled) return;
        show(told.arrived, file.size);
        const body = file.slice(told.arrived, told.arrived + Number(form.dataset.piece));
        const next = await ask(`${told.pieces}?at=${told.arrived}`, { method: "POST", body, headers: { "Content-Type": "application/octet-stream" } });
        told = { ...told, ...next };
        pause = 1000;
        problem.hidden = true;
      }
      show(file.size, file.size);
      forget(file);
      location.assign(told.page);
      return;
    } catch (error) {
      if (signal.cancelled) return;
      if (error instanceof Refused) {
        fail(error.message);
        return;
      }
      if (error instanceof Gone) {
        forget(file);
        told = null;
        if (form.dataset.resume) { location.reload(); return; }
      } else if (error.name === "NotReadableError" || error.name === "NotFoundError") { // the file was changed or taken away
        fail(`${form.dataset.failed} ${error.message}`);
        return;
      }
      problem.textContent = form.dataset.offline;
      problem.hidden = false;
      await wait(pause);
      pause = Math.min(pause * 2, LONGEST_WAIT);
      if (told) told = await ask(told.pieces).catch(() => told);
    }
  }
};

const fail = (sentence) => {
  panel.hidden = true;
  form.hidden = false;
  problem.textContent = sentence;
  problem.hidden = false;
};

const signal = { cancelled: false, cancelAt: "" };
form.addEventListener("submit", (event) => {
  const file = form.elements.file.files[0];
  if (!file) return; // what was pasted goes as the form itself
  event.preventDefault();
  if (form.dataset.resume && Number(form.dataset.size) !== file.size) {
    fail(form.dataset.other);
    return;
  }
  problem.hidden = true;
  form.hidden = true;
  panel.hidden = false;
  document.getElementById("upload-name").textContent = file.name;
  signal.cancelled = false;
  upload(file, signal);
});
document.getElementById("upload-cancel")?.addEventListener("click", async () => {
  signal.cancelled = true;
  if (signal.cancelAt) await fetch(signal.cancelAt, { method: "POST", headers: { "X-CSRFToken": token() } }).catch(() => null);
  location.reload();
});
addEventListener("beforeunload", (event) => {
  if (!panel.hidden && bar.value < 100 && !signal.cancelled) event.preventDefault();
});
