// “All” and “None” above a list of checkboxes.

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-all], [data-none]");
  const list = button?.closest("[data-select-all]");
  if (!list) return;
  const boxes = list.querySelectorAll("input[type=checkbox]:enabled");
  for (const box of boxes) box.checked = "all" in button.dataset;
  boxes[0]?.dispatchEvent(new Event("input", { bubbles: true }));
});
