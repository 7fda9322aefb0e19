// Chips that fill in a number of seconds, and the number in words beside it.

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function inWords(seconds) {
  const parts = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(seconds / size);
    seconds %= size;
    if (count) parts.push(`${count.toLocaleString("en")} ${unit}${count === 1 ? "" : "s"}`);
    else if (parts.length) break;
  }
  return parts.slice(0, 2).join(" ");
}

function show(group) {
  const value = group.querySelector("input").value;
  for (const chip of group.querySelectorAll("[data-preset]")) {
    chip.setAttribute("aria-pressed", String(chip.dataset.preset === value));
  }
  const words = group.querySelector("[data-in-words]");
  if (words) words.textContent = /^\d+$/.test(value) ? inWords(Number(value)) : "";
}

document.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-preset]");
  if (!chip) return;
  const input = chip.closest("[data-presets]").querySelector("input");
  input.value = chip.dataset.preset;
  input.dispatchEvent(new Event("input", { bubbles: true }));
});

for (const name of ["input", "reset"]) {
  document.addEventListener(name, () => setTimeout(() => document.querySelectorAll("[data-presets]").forEach(show)));
}
