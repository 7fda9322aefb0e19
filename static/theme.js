// Light or dark at once; the form's own POST keeps the choice in a cookie, so that the server draws it next time.

document.querySelector("[data-theme-form]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const theme = event.submitter?.value ?? "";
  const page = document.documentElement;

  if (theme) page.dataset.theme = theme;
  else delete page.dataset.theme;
  document.querySelector("meta[name=color-scheme]").content = theme || "light dark";
  for (const button of form.querySelectorAll("[name=theme]")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
  form.hidePopover?.();

  const body = new FormData(form);
  body.set("theme", theme);
  // The answer is a redirect back to this page, which is already here.
  fetch(form.action, { method: "POST", body, redirect: "manual" });
});
