// A secret that is shown once: leaving before it was copied, or before “I have stored it”, asks first.

const secret = document.querySelector("[data-secret]");
let stored = false;

secret?.addEventListener("click", (event) => {
  if (event.target.closest("[data-copy], [data-stored]")) stored = true;
});

addEventListener("beforeunload", (event) => {
  if (secret && !stored) event.preventDefault();
});
