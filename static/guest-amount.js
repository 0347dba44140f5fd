/* Who types a part of the amount wants to pay a part. */
document.querySelectorAll("[data-part]").forEach((field) => field.addEventListener("input", () => {
  if (field.value) field.form.querySelector("input[name=share][value=part]").checked = true;
}));
