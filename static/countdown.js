// What a token has left, every second. The fixed end is in the text that screen readers get, so nothing is announced.

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

function inWords(seconds) {
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  const parts = UNITS.slice(first < 0 ? -1 : first, UNITS.length);
  return parts.map(([unit, size], i) => {
    const count = Math.floor(i ? (seconds % parts[i - 1][1]) / size : seconds / size);
    return `${count}\u00a0${unit}`;
  }).join(" ");
}

function tick() {
  for (const lifetime of document.querySelectorAll("[data-countdown]")) {
    // Counted from when the page arrived, so that a clock set wrong does not matter.
    lifetime.ends ??= performance.now() + Number(lifetime.dataset.countdown) * 1000;
    const left = Math.max(0, Math.round((lifetime.ends - performance.now()) / 1000));
    lifetime.querySelector("progress").value = left;
    lifetime.querySelector("[data-left]").textContent = left ? inWords(left) : "no time: it has expired";
  }
}

tick();
setInterval(tick, 1000);
