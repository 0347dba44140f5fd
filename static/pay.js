/* The steps of paying: the running total, one click once, Stripe's Payment Element, and the bank's own question.
   Card digits are typed into Stripe's frame; this page only ever holds the token that names them. */
(() => {
  "use strict";
  const SLOW_MILLISECONDS = 15000;
  const show = (node, isShown = true) => { if (node) node.hidden = !isShown; };

  const loadStripe = (address, key, language) => new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const timer = setTimeout(() => reject(new Error("slow")), SLOW_MILLISECONDS);
    script.src = address;
    script.addEventListener("error", () => reject(new Error("blocked")));
    script.addEventListener("load", () => {
      clearTimeout(timer);
      try {
        resolve(window.Stripe(key, { locale: language }));
      } catch (error) {
        reject(error);
      }
    });
    document.head.append(script);
  });

  const setBusy = (button, isBusy) => {
    if (!button) return;
    button.dataset.label ||= button.textContent;
    button.setAttribute("aria-disabled", String(isBusy));
    button.textContent = isBusy ? button.dataset.busy || button.dataset.label : button.dataset.label;
  };

  /* A form that is sent once, however often its button is pressed. The server holds to it as well. */
  const once = (form) => {
    let isSent = false;
    form.addEventListener("submit", (event) => {
      if (isSent) return event.preventDefault();
      isSent = true;
      return setBusy(form.querySelector("button:not([type=button])"), true);
    });
    window.addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      isSent = false;
      setBusy(form.querySelector("button:not([type=button])"), false);
    });
  };

  /* Step 1: what the checked amounts sum to, where each can be read. */
  const total = (form) => {
    const line = form.querySelector("[data-total-line]");
    const cents = (text) => {
      const found = /^(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{2}))?$/.exec(text.trim());
      return found ? Number(found[1].replaceAll(",", "")) * 100 + Number(found[2] || 0) : Number.NaN;
    };
    const refresh = () => {
      let sum = 0;
      form.querySelectorAll(".pay-row").forEach((row) => {
        if (row.querySelector("input[type=checkbox]:checked")) sum += cents(row.querySelector("input[type=text]").value);
      });
      show(line, Number.isFinite(sum));
      const dollars = Math.floor(sum / 100).toLocaleString("en-US");
      line.querySelector("[data-total]").textContent = `$${dollars}.${String(sum % 100).padStart(2, "0")}`;
    };
    form.addEventListener("input", (event) => {
      const row = event.target.closest(".pay-row");
      if (row && event.target.type === "text" && event.target.value) row.querySelector("input[type=checkbox]").checked = true;
      refresh();
    });
    refresh();
  };

  /* Step 2: a saved method, or the Payment Element. */
  const method = (form) => {
    const part = (name) => form.querySelector(`[data-${name}]`);
    const button = form.querySelector("button[type=submit]");
    const isSetup = form.dataset.mode === "setup"; // nothing is paid: a method is added
    const isNew = () => isSetup || form.querySelector("input[name=method]:checked")?.value === "new";
    let stripe = null;
    let elements = null;
    let isSent = false;
    let isStarted = false;

    const problem = (text) => {
      part("problem").textContent = text || "";
      show(part("problem"), Boolean(text));
    };
    const blocked = () => {
      show(part("loading"), false);
      show(part("element"), false);
      show(part("keep"), false);
      show(part("blocked"));
    };
    const start = async () => {
      isStarted = true;
      try {
        stripe = await loadStripe(form.dataset.script, form.dataset.key, form.dataset.language);
      } catch {
        return blocked();
      }
      const colors = getComputedStyle(document.documentElement);
      elements = stripe.elements({
        ...(isSetup ? { mode: "setup" } : { mode: "payment", amount: Number(form.dataset.amount) }),
        currency: "usd", locale: form.dataset.language, paymentMethodTypes: form.dataset.types.split(","),
        // One payment does not wait for small deposits; an account that is added may.
        ...(isSetup ? {} : { paymentMethodOptions: { us_bank_account: { verification_method: "instant" } } }),
        appearance: { variables: { colorPrimary: colors.getPropertyValue("--brand").trim() || "#0a6a7a", borderRadius: "8px" } },
      });
      const element = elements.create("payment", { layout: "tabs" });
      element.on("ready", () => {
        show(part("loading"), false);
        show(part("keep"));
      });
      element.on("loaderror", blocked);
      element.on("change", (event) => {
        problem("");
        const isBank = event.value?.type === "us_bank_account";
        form.querySelectorAll("[data-for-card]").forEach((node) => show(node, !isBank));
        form.querySelectorAll("[data-for-bank]").forEach((node) => show(node, isBank));
      });
      element.mount(part("element"));
      return undefined;
    };
    const refresh = () => {
      show(part("card"), Boolean(isNew()));
      if (isNew() && !isStarted) start();
    };
    const keep = form.querySelector("input[name=saves_method]");
    keep?.addEventListener("change", () => elements?.update({ setupFutureUsage: keep.checked ? "off_session" : null }));
    form.addEventListener("change", refresh);
    form.addEventListener("submit", async (event) => {
      if (isSent) return event.preventDefault();
      isSent = true;
      setBusy(button, true);
      if (!isNew()) return undefined;
      event.preventDefault();
      const again = (text) => {
        isSent = false;
        setBusy(button, false);
        problem(text);
      };
      if (!elements) return again(part("blocked").hidden ? part("loading").textContent : part("blocked").textContent.trim());
      if (keep?.checked) elements.update({ setupFutureUsage: "off_session" });
      const checked = await elements.submit();
      if (checked.error) return again(checked.error.message);
      const made = await stripe.createConfirmationToken({ elements, params: { return_url: form.dataset.returnUrl } });
      if (made.error) return again(made.error.message);
      part("token").value = made.confirmationToken.id;
      return form.submit();
    });
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) window.location.reload();
    });
    show(part("new"));
    refresh();
  };

  /* 3-D Secure: the bank's window, then the return page, which asks how it ended. */
  const authenticate = (section) => {
    const part = (name) => section.querySelector(`[data-${name}]`);
    const { script, key, secret, language, returnUrl } = section.dataset;
    if (!secret) return;
    let stripe = null;
    const ask = async () => {
      show(part("start"), false);
      show(part("problem"), false);
      show(part("loading"));
      try {
        stripe ||= await loadStripe(script, key, language);
      } catch {
        show(part("loading"), false);
        show(part("start"));
        show(part("blocked"));
        return;
      }
      const result = await stripe.handleNextAction({ clientSecret: secret });
      if (result.error?.code === "authentication_canceled" || result.error?.type === "api_connection_error") {
        show(part("loading"), false);
        show(part("start"));
        part("problem").textContent = result.error.message;
        show(part("problem"));
        return;
      }
      window.location.assign(returnUrl);
    };
    part("start").addEventListener("click", ask);
    if ("atOnce" in section.dataset) ask();
    else show(part("start"));
  };

  document.querySelectorAll("form[data-once]").forEach(once);
  document.querySelectorAll("form[data-amounts]").forEach((form) => {
    once(form);
    if (form.querySelector("[data-total-line]")) total(form);
  });
  document.querySelectorAll("form[data-pay]").forEach(method);
  document.querySelectorAll("[data-authenticate]").forEach(authenticate);
})();
