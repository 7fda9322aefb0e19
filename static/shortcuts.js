// Single keys press what carries their data-shortcut. They rest while a field has focus and can be switched off.

const KEY = "gatehouse.shortcuts";
const dialog = document.getElementById("shortcuts");
const box = dialog?.querySelector("[data-shortcuts-on]");
const on = () => localStorage.getItem(KEY) !== "off";
let first = "";
let timer;

function press(keys) {
  const target = document.querySelector(`[data-shortcut="${CSS.escape(keys)}"]`);
  target?.click();
  return Boolean(target);
}

document.addEventListener("keydown", (event) => {
  const busy = event.target.closest?.("input, select, textarea, [contenteditable], dialog, :popover-open");
  if (!dialog || !on() || busy || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  clearTimeout(timer);
  if (event.key === "?") dialog.showModal();
  else if (press(first ? `${first} ${event.key}` : event.key)) event.preventDefault();
  first = !first && event.key === "g" ? "g" : "";
  timer = setTimeout(() => (first = ""), 1500);
});

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-open-shortcuts]")) return;
  document.getElementById("user-menu").hidePopover();
  dialog.showModal();
});

if (box) {
  box.checked = on();
  box.addEventListener("change", () => localStorage.setItem(KEY, box.checked ? "on" : "off"));
}
