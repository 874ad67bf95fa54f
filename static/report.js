// The page of a report: the button that prints it.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});
