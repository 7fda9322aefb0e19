// The save bar of a form with data-dirty-form: says what has changed, and asks before the changes are lost.

const form = document.querySelector("form[data-dirty-form]");
const bar = form?.querySelector(".save-bar");

function changed(control) {
  if (control.type === "hidden" || !control.name) return false;
  if (control.type === "checkbox" || control.type === "radio") return control.checked !== control.defaultChecked;
  if (control.options) {
    const preset = [...control.options].some((option) => option.defaultSelected);
    return [...control.options].some((o, i) => o.selected !== (preset ? o.defaultSelected : i === 0));
  }
  return control.value !== control.defaultValue;
}

function label(control) {
  const words = control.closest("fieldset.field")?.querySelector("legend") ?? control.labels?.[0];
  const name = words?.matches(".check") ? words.lastElementChild : words?.firstChild;
  return name?.textContent.trim() ?? control.name;
}

function show() {
  const names = [...new Set([...form.elements].filter(changed).map(label))];
  const dirty = names.length > 0 || "unsaved" in bar.dataset;
  form.dataset.dirtyForm = dirty ? "dirty" : "clean";
  const count = names.length === 1 ? "1 unsaved change" : `${names.length} unsaved changes`;
  bar.querySelector("[data-count]").textContent = names.length ? count : "Unsaved changes";
  bar.querySelector("[data-names]").textContent = names.join(", ");
}

if (bar) {
  let leaving = false;
  form.addEventListener("input", show);
  form.addEventListener("submit", () => (leaving = true));
  form.addEventListener("reset", () => {
    // A form that came back with errors was filled in by the server: discarding it means loading the page again.
    if ("unsaved" in bar.dataset) location.assign(location.href);
    setTimeout(show);
  });
  addEventListener("beforeunload", (event) => {
    if (!leaving && form.dataset.dirtyForm === "dirty" && !("unsaved" in bar.dataset)) event.preventDefault();
  });
  show();
}
