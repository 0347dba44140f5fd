/* The sandbox's own Stripe.js: the part of its surface that docs.stripe.com/js describes and the portal uses.
   Card and bank digits are typed into a frame of this script's origin and never reach the page that loads it. */
(() => {
  "use strict";
  const ORIGIN = new URL(document.currentScript.src).origin;
  let frames = 0;

  class IntegrationError extends Error {
    constructor(message) {
      super(message);
      this.name = "IntegrationError";
    }
  }

  const setStyle = (node, style) => Object.entries(style).forEach(([name, value]) => {
    node.style[name] = value;
  });

  const flatten = (value, prefix, into) => {
    Object.entries(value).forEach(([name, item]) => {
      const key = prefix ? `${prefix}[${name}]` : name;
      if (item && typeof item === "object") flatten(item, key, into);
      else if (item !== undefined && item !== null) into.append(key, String(item));
    });
    return into;
  };

  const call = async (method, path, key, params) => {
    const form = flatten({ ...params, key }, "", new URLSearchParams());
    const options = method === "GET" ? {} : { method, body: form };
    const url = method === "GET" ? `${ORIGIN}${path}?${form}` : `${ORIGIN}${path}`;
    try {
      const response = await fetch(url, { ...options, credentials: "omit" });
      return await response.json();
    } catch {
      return { error: { type: "api_connection_error", message: "We could not reach the payment service." } };
    }
  };

  class PaymentElement {
    constructor(elements, options) {
      this._elements = elements;
      this._options = options;
      this._listeners = {};
      this._waiting = new Map();
      this._next = 1;
      this._receive = this._receive.bind(this);
    }

    mount(target) {
      const place = typeof target === "string" ? document.querySelector(target) : target;
      if (!place) throw new IntegrationError(`The selector you specified (${target}) applies to no DOM elements.`);
      frames += 1;
      const frame = document.createElement("iframe");
      frame.name = `__privateStripeFrame${1000 + frames}`;
      frame.title = this._elements._locale() === "es" ? "Campo de pago seguro" : "Secure payment input frame";
      frame.setAttribute("allow", "payment *");
      setStyle(frame, { border: "0", width: "100%", height: "320px", display: "block", margin: "0", padding: "0" });
      const hash = new URLSearchParams({ parent: window.location.origin });
      window.addEventListener("message", this._receive);
      frame.addEventListener("error", () => this._emit("loaderror", { error: { type: "api_connection_error" } }));
      frame.src = `${ORIGIN}/v3/element#${hash}`;
      this._timer = setTimeout(() => this._emit("loaderror", { error: { type: "api_connection_error" } }), 15000);
      place.replaceChildren(frame);
      this._frame = frame;
      return this;
    }

    on(name, listener) {
      (this._listeners[name] ||= []).push(listener);
      return this;
    }

    off(name, listener) {
      this._listeners[name] = (this._listeners[name] || []).filter((known) => listener && known !== listener);
      return this;
    }

    once(name, listener) {
      const wrapped = (event) => {
        this.off(name, wrapped);
        listener(event);
      };
      return this.on(name, wrapped);
    }

    update(options) {
      Object.assign(this._options, options);
      this._post("update", this._elements._frameOptions(this._options));
    }

    focus() {
      this._post("focus", {});
    }

    unmount() {
      clearTimeout(this._timer);
      window.removeEventListener("message", this._receive);
      this._frame?.remove();
      this._frame = null;
      return this;
    }

    destroy() {
      this.unmount();
      this._listeners = {};
      this._elements._element = null;
    }

    _emit(name, detail) {
      const event = { elementType: "payment", ...detail };
      (this._listeners[name] || []).forEach((listener) => listener(event));
    }

    _post(kind, payload, id) {
      this._frame?.contentWindow?.postMessage({ sandbox: 1, kind, id, payload }, ORIGIN);
    }

    _ask(kind, payload) {
      if (!this._frame) throw new IntegrationError("The Payment Element must be mounted first.");
      const id = this._next;
      this._next += 1;
      return new Promise((resolve) => {
        this._waiting.set(id, resolve);
        this._post(kind, payload, id);
      });
    }

    _receive(event) {
      if (event.origin !== ORIGIN || !this._frame || event.source !== this._frame.contentWindow) return;
      const { sandbox, kind, id, payload } = event.data || {};
      if (sandbox !== 1) return;
      if (kind === "hello") this._post("start", this._elements._frameOptions(this._options));
      else if (kind === "height") this._frame.style.height = `${Math.ceil(Number(payload))}px`;
      else if (kind === "answer") {
        this._waiting.get(id)?.(payload);
        this._waiting.delete(id);
      } else if (["ready", "change", "focus", "blur"].includes(kind)) {
        if (kind === "ready") clearTimeout(this._timer);
        this._emit(kind, payload);
      }
    }
  }

  class Elements {
    constructor(key, options) {
      this._key = key;
      this._options = { ...options };
      this._element = null;
    }

    create(type, options = {}) {
      if (type !== "payment") throw new IntegrationError(`The sandbox has the payment element only, not ${type}.`);
      if (this._element) throw new IntegrationError("Can only create one Element of type payment.");
      this._element = new PaymentElement(this, { ...options });
      return this._element;
    }

    getElement(type) {
      return type === "payment" ? this._element : null;
    }

    update(options) {
      Object.assign(this._options, options);
      this._element?.update({});
    }

    async submit() {
      return this._required()._ask("submit", {});
    }

    async fetchUpdates() {
      return {};
    }

    _required() {
      if (!this._element) throw new IntegrationError("Create and mount a Payment Element first.");
      return this._element;
    }

    _locale() {
      const wanted = this._options.locale || "auto";
      return (wanted === "auto" ? navigator.language : wanted).slice(0, 2) === "es" ? "es" : "en";
    }

    _frameOptions(element) {
      const {
        mode, amount, currency, paymentMethodTypes, paymentMethodOptions, setupFutureUsage, appearance, clientSecret,
      } = this._options;
      return JSON.parse(JSON.stringify({
        key: this._key, locale: this._locale(), mode, amount, currency, paymentMethodTypes, paymentMethodOptions, setupFutureUsage,
        appearance: { variables: (appearance || {}).variables || {} }, clientSecret,
        element: { defaultValues: element.defaultValues, fields: element.fields, wallets: element.wallets, terms: element.terms },
      }));
    }
  }

  const challenge = (url) => new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-label", "3D Secure");
    setStyle(dialog, { border: "0", padding: "0", borderRadius: "8px", width: "min(440px, 96vw)", maxWidth: "96vw", overflow: "hidden" });
    const frame = document.createElement("iframe");
    frame.name = "stripe-challenge-frame";
    frame.title = "3D Secure";
    frame.src = url;
    setStyle(frame, { border: "0", width: "100%", height: "430px", display: "block" });
    const done = (finished) => {
      window.removeEventListener("message", listen);
      dialog.close();
      dialog.remove();
      resolve(finished);
    };
    const listen = (event) => {
      if (event.origin !== ORIGIN || event.source !== frame.contentWindow) return;
      if (event.data?.sandbox === 1 && event.data.kind === "challenge_done") done(true);
    };
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      done(false);
    });
    window.addEventListener("message", listen);
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "\u00d7";
    close.setAttribute("aria-label", document.documentElement.lang.startsWith("es") ? "Cerrar" : "Close");
    setStyle(close, {
      position: "absolute", top: "8px", right: "8px", width: "44px", height: "44px", border: "0", fontSize: "24px",
      background: "transparent", color: "#30313d", cursor: "pointer",
    });
    close.addEventListener("click", () => done(false));
    dialog.append(close, frame);
    document.body.append(dialog);
    dialog.showModal();
  });

  const kindOf = (clientSecret) => (clientSecret.startsWith("seti_") ? "setup_intent" : "payment_intent");
  const named = (intent) => (intent.object === "setup_intent" ? { setupIntent: intent } : { paymentIntent: intent });
  const failure = (intent) => (intent.object === "setup_intent" ? intent.last_setup_error : intent.last_payment_error);

  const retrieve = async (key, clientSecret) => {
    if (typeof clientSecret !== "string" || !/^(pi|seti)_\w+_secret_\w+$/.test(clientSecret)) {
      throw new IntegrationError("Invalid value for clientSecret: it must be of the form ${id}_secret_${secret}.");
    }
    const id = clientSecret.split("_secret_")[0];
    return call("GET", `/v1/${kindOf(clientSecret)}s/${id}`, key, { client_secret: clientSecret });
  };

  const followUp = async (key, intent) => {
    const action = intent.next_action;
    if (intent.status !== "requires_action" || !action) return named(intent);
    if (action.type === "redirect_to_url") {
      window.location.assign(action.redirect_to_url.url);
      return new Promise(() => {});
    }
    if (action.type !== "use_stripe_sdk") return named(intent);
    const url = new URL(action.use_stripe_sdk.stripe_js);
    const finished = await challenge(`${ORIGIN}${url.pathname}${url.search}`);
    const latest = await retrieve(key, intent.client_secret);
    if (latest.error) return latest;
    if (!finished && latest.status === "requires_action") {
      return { error: { type: "validation_error", code: "authentication_canceled", message: "The authentication was closed before it ended." } };
    }
    const error = failure(latest);
    if (error && latest.status === "requires_payment_method") {
      return { error: { ...error, [latest.object]: latest } };
    }
    return named(latest);
  };

  const confirm = async (key, kind, options) => {
    const { elements, confirmParams = {}, redirect = "always" } = options;
    const clientSecret = options.clientSecret || elements?._options.clientSecret;
    if (!clientSecret) throw new IntegrationError("clientSecret is required.");
    const params = { ...confirmParams, client_secret: clientSecret, use_stripe_sdk: true };
    const path = `/v1/${kind}s/${clientSecret.split("_secret_")[0]}/confirm`;
    const answer = elements
      ? await elements._required()._ask("confirm", { path, params })
      : await call("POST", path, key, params);
    if (answer.error) return { error: answer.error };
    const result = await followUp(key, answer);
    const intent = result.paymentIntent || result.setupIntent;
    if (intent && redirect !== "if_required" && confirmParams.return_url) {
      const url = new URL(confirmParams.return_url);
      url.searchParams.set(kind, intent.id);
      url.searchParams.set(`${kind}_client_secret`, intent.client_secret);
      url.searchParams.set("redirect_status", "succeeded");
      window.location.assign(url.href);
      return new Promise(() => {});
    }
    return result;
  };

  const Stripe = (key) => {
    if (typeof key !== "string" || !key.startsWith("pk_")) {
      throw new IntegrationError("You should pass Stripe a publishable key, which begins with pk_.");
    }
    return {
      elements: (options = {}) => new Elements(key, options),
      createConfirmationToken: async ({ elements, params = {} }) => {
        const answer = await elements._required()._ask("token", params);
        return answer.error ? { error: answer.error } : { confirmationToken: answer };
      },
      createPaymentMethod: async ({ elements, params = {} }) => {
        const answer = await elements._required()._ask("method", params);
        return answer.error ? { error: answer.error } : { paymentMethod: answer };
      },
      confirmPayment: (options) => confirm(key, "payment_intent", options),
      confirmSetup: (options) => confirm(key, "setup_intent", options),
      handleNextAction: async ({ clientSecret }) => {
        const intent = await retrieve(key, clientSecret);
        return intent.error ? intent : followUp(key, intent);
      },
      retrievePaymentIntent: async (clientSecret) => {
        const intent = await retrieve(key, clientSecret);
        return intent.error ? intent : { paymentIntent: intent };
      },
      retrieveSetupIntent: async (clientSecret) => {
        const intent = await retrieve(key, clientSecret);
        return intent.error ? intent : { setupIntent: intent };
      },
      registerAppInfo: () => {},
    };
  };
  Stripe.version = "sandbox";
  window.Stripe = Stripe;
})();
