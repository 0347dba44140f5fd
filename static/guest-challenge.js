/* The proof of work of guest pay. The worker is our own file; the widget is put in once it is known, and starts by itself. */
const box = document.querySelector("[data-challenge]");
const template = box?.querySelector("[data-widget]");
if (template && globalThis.$altcha && globalThis.isSecureContext) {
  globalThis.$altcha.algorithms.set("PBKDF2/SHA-256", () => new Worker(box.dataset.worker));
  template.after(template.content.cloneNode(true));
  box.querySelectorAll("[data-scripted]").forEach((node) => { node.hidden = false; });
  box.querySelectorAll("[data-unscripted]").forEach((node) => { node.hidden = true; });
}
