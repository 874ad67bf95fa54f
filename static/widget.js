// Before the page is drawn: light or dark as the system says. Nothing is kept: within another site's page a browser may forbid that.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => (document.documentElement.dataset.bsTheme = dark.matches ? "dark" : "light");
  apply();
  dark.addEventListener("change", apply);
})();
