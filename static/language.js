// The language chosen in one code panel is chosen in all of them, and next time too.

const KEY = "gatehouse.language";

function choose(language) {
  for (const radio of document.querySelectorAll("[data-languages] input[type=radio]")) {
    if (radio.value === language) radio.checked = true;
  }
}

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-languages] input[type=radio]")) return;
  localStorage.setItem(KEY, event.target.value);
  choose(event.target.value);
});

const remembered = () => choose(localStorage.getItem(KEY));
document.addEventListener("htmx:after:swap", remembered);
remembered();
