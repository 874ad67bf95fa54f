// The page of a letter: its link for the mail program and its list of blanks follow what is typed (troubleshoot/letters.py mailto
// and whybounce/letters.py blanks_in do the same on the server).
const letter = document.querySelector("[data-letter]");
if (letter) {
  const { to, subject, body } = letter.elements;
  const link = document.getElementById("mailto");
  const short = document.getElementById("mailto-short");
  const blanks = document.getElementById("blanks");
  const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const entry = (text) => {
    const item = document.createElement("li");
    item.append(Object.assign(document.createElement("button"), { type: "button", className: "linklike", textContent: text }));
    return item;
  };
  const follow = () => {
    const most = Number(letter.dataset.mailtoMost);
    const start = `mailto:${encode(to.value.trim()).replaceAll("%40", "@")}?subject=${encode(subject.value)}`;
    const whole = `${start}&body=${encode(body.value.replace(/\r?\n/g, "\r\n"))}`;
    link.hidden = start.length > most;
    link.href = whole.length <= most ? whole : start;
    short.hidden = whole.length <= most;
    const open = new Set([...`${subject.value}\n${body.value}`.matchAll(/\[FILL IN: ([^[\]]{1,200})\]/g)].map((found) => found[1]));
    blanks.hidden = !open.size;
    const list = blanks.querySelector("ul");
    const shown = [...list.querySelectorAll("button")].map((item) => item.textContent);
    if (shown.join("\n") !== [...open].join("\n")) list.replaceChildren(...[...open].map(entry));
  };
  letter.addEventListener("input", follow);
  follow();
  // A blank that is chosen in the list is marked whole in the text, ready to be typed over.
  blanks.addEventListener("click", (event) => {
    const item = event.target.closest("button");
    const field = [body, subject].find((box) => item && box.value.includes(`[FILL IN: ${item.textContent}]`));
    if (!field) return;
    const start = field.value.indexOf(`[FILL IN: ${item.textContent}]`);
    field.focus();
    field.setSelectionRange(start, start + item.textContent.length + 11);
  });
}
