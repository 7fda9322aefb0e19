// A field above a long list of checkboxes that shows only the lines with the words typed. Checked ones stay checked.

const LONG = 10;

function offer(list) {
  const lines = list.querySelectorAll(".checkbox-list .check");
  if (lines.length <= LONG || list.querySelector("[data-filter-field]")) return;
  const field = document.createElement("input");
  field.type = "search";
  field.className = "filter-list";
  field.placeholder = "Filter this list";
  field.setAttribute("aria-label", "Filter this list");
  field.dataset.filterField = "";
  list.querySelector(".checkbox-list").before(field);
}

document.addEventListener("input", (event) => {
  const list = event.target.closest("[data-filter-field]")?.closest("[data-filter-list]");
  if (!list) return;
  const words = event.target.value.trim().toLowerCase();
  for (const line of list.querySelectorAll(".checkbox-list .check")) {
    line.hidden = !line.textContent.toLowerCase().includes(words);
  }
});

// Enter in the field would send the form it stands in.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("[data-filter-field]")) event.preventDefault();
});

const all = () => document.querySelectorAll("[data-filter-list]").forEach(offer);
new MutationObserver(all).observe(document.body, { childList: true, subtree: true });
all();
