// Before the page is drawn: light or dark as the system says, or as the viewer chose here. And the viewer's time zone, for the server.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const chosen = localStorage.getItem("theme");
    // The admin keeps its own choice under the same name, and there it may be "auto".
    document.documentElement.dataset.bsTheme = chosen === "dark" || chosen === "light" ? chosen : dark.matches ? "dark" : "light";
  };
  apply();
  dark.addEventListener("change", apply);
  addEventListener("storage", apply);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `timezone=${zone};path=/;max-age=31536000;samesite=lax`;
})();
