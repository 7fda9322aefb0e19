// A button with data-copy puts its text on the clipboard and says so, to the eye and to a screen reader.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const announcer = document.getElementById("announcer");
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // The clipboard is closed to pages served over plain http: select the value beside the button instead.
    const value = button.parentElement.querySelector("code, .mono");
    if (value) getSelection().selectAllChildren(value);
    announcer.textContent = "Selected. Press Control or Command and C to copy.";
    return;
  }
  button.dataset.copied = "";
  announcer.textContent = "Copied";
  setTimeout(() => {
    delete button.dataset.copied;
    announcer.textContent = "";
  }, 1600);
});
