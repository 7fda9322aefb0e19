// Messages leave by themselves after five seconds, unless they are errors, under the pointer or in focus.

const SECONDS = 5;
const toasts = document.querySelector("[data-toasts]");

for (const toast of toasts?.children ?? []) {
  // Screen readers announce what changes in a live region, not what was there from the start.
  const words = toast.querySelector("p");
  const text = words.textContent;
  words.textContent = "";
  requestAnimationFrame(() => (words.textContent = text));

  if (toast.classList.contains("error") || toast.classList.contains("warning")) continue;
  let timer;
  const start = () => (timer = setTimeout(() => toast.remove(), SECONDS * 1000));
  const stop = () => clearTimeout(timer);
  toast.addEventListener("pointerenter", stop);
  toast.addEventListener("pointerleave", start);
  toast.addEventListener("focusin", stop);
  toast.addEventListener("focusout", start);
  start();
}

toasts?.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) event.target.closest(".toast").remove();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") toasts?.replaceChildren();
});
