/* The Payment Element inside its frame: tabs, fields, errors, and the only place that sees the digits. */
import { CHECKS, brandOf, formatExpiry, formatNumber, methodData } from "./element_fields.js";
import { TEXTS } from "./texts.js";

const PARENT = new URLSearchParams(window.location.hash.slice(1)).get("parent") || "";
const form = document.getElementById("form");
const tabs = document.getElementById("tabs");
const terms = document.getElementById("terms");
const state = { options: null, kind: "card", values: {}, touched: new Set(), applePay: false, lastChange: "" };

const FIELDS = {
  card: ["number", "expiry", "cvc", "country", "postalCode"],
  us_bank_account: ["name", "email", "routingNumber", "accountNumber", "accountType", "verification"],
  apple_pay: [],
};
const AUTOCOMPLETE = {
  number: "cc-number", expiry: "cc-exp", cvc: "cc-csc", postalCode: "postal-code", name: "name", email: "email",
  routingNumber: "off", accountNumber: "off", country: "country",
};
const WIDE = new Set(["number", "name", "email", "accountType", "verification"]);
const PLACEHOLDERS = { number: "1234 1234 1234 1234", postalCode: "12345", routingNumber: "110000000", accountNumber: "000123456789" };
const COUNTRIES = { US: "United States", CA: "Canada", MX: "México", PR: "Puerto Rico" };

const text = (key) => TEXTS[state.options?.locale === "es" ? "es" : "en"][key] || key;
const post = (kind, payload, id) => window.parent.postMessage({ sandbox: 1, kind, id, payload }, PARENT);

const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  node.append(...children);
  return node;
};

const errorKey = (name) => CHECKS[name]?.(state.values[name] || "", state.values) || null;
const complete = () => (state.kind === "apple_pay" ? state.applePay : FIELDS[state.kind].every((name) => !errorKey(name)));

const announce = () => {
  const names = FIELDS[state.kind].filter((name) => CHECKS[name]);
  const empty = names.every((name) => !state.values[name]) && !(state.kind === "apple_pay" && state.applePay);
  const change = { empty, complete: complete(), collapsed: false, value: { type: state.kind } };
  const seen = JSON.stringify(change);
  if (seen !== state.lastChange) {
    state.lastChange = seen;
    post("change", change);
  }
};

const showError = (name) => {
  const input = form.elements.namedItem(name);
  const place = document.getElementById(`${name}-error`);
  if (!input || !place) return;
  const key = state.touched.has(name) ? errorKey(name) : null;
  place.textContent = key ? text(key) : "";
  if (key) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
};

const typed = (name, input, event) => {
  const back = event.inputType === "deleteContentBackward";
  if (name === "number") input.value = formatNumber(input.value);
  if (name === "expiry") input.value = formatExpiry(input.value, back);
  if (name === "cvc") input.value = input.value.replace(/\D/g, "").slice(0, brandOf((state.values.number || "").replace(/ /g, "")) === "amex" ? 4 : 3);
  state.values[name] = input.value;
  if (state.touched.has(name)) showError(name);
  announce();
};

const textField = (name) => {
  const input = make("input", {
    class: "input", id: `Field-${name}Input`, name, autocomplete: AUTOCOMPLETE[name], type: name === "email" ? "email" : "text",
    placeholder: name === "expiry" ? text("expiryPlaceholder") : name === "cvc" ? text("cvcPlaceholder") : PLACEHOLDERS[name] || "",
    "aria-describedby": `${name}-error`, "aria-required": "true", spellcheck: "false",
  });
  if (!["name", "email"].includes(name)) input.setAttribute("inputmode", name === "postalCode" ? "text" : "numeric");
  input.value = state.values[name] || "";
  input.addEventListener("input", (event) => typed(name, input, event));
  input.addEventListener("blur", () => {
    if (state.values[name]) state.touched.add(name);
    showError(name);
  });
  return make("div", { class: WIDE.has(name) ? "field wide" : "field" },
    make("label", { class: "label", for: input.id }, text(name)), input,
    make("p", { class: "error", id: `${name}-error`, role: "alert" }));
};

const selectField = (name, choices) => {
  const select = make("select", { class: "input", id: `Field-${name}Input`, name });
  if (name === "country") select.setAttribute("autocomplete", "country");
  Object.entries(choices).forEach(([value, label]) => select.append(make("option", { value }, label)));
  state.values[name] ||= Object.keys(choices)[0];
  select.value = state.values[name];
  select.addEventListener("change", () => {
    state.values[name] = select.value;
    announce();
  });
  return make("div", { class: WIDE.has(name) ? "field wide" : "field" },
    make("label", { class: "label", for: select.id }, text(name)), select);
};

const verificationField = () => {
  state.values.verification ||= "instant";
  const only = state.options.paymentMethodOptions?.us_bank_account?.verification_method;
  if (only === "instant") state.values.verification = "instant";
  const choices = (only === "instant" ? ["instant"] : ["instant", "microdeposits"]).map((value) => {
    const radio = make("input", { type: "radio", name: "verification", value, id: `verification-${value}` });
    radio.checked = state.values.verification === value;
    radio.addEventListener("change", () => {
      state.values.verification = value;
      announce();
    });
    return make("div", { class: "choice" }, radio, make("label", { for: radio.id }, text(value)));
  });
  return make("fieldset", { class: "field wide" }, make("legend", { class: "label" }, text("verification")), ...choices);
};

const fieldFor = (name) => {
  if (name === "country") return selectField(name, COUNTRIES);
  if (name === "accountType") return selectField(name, { checking: text("checking"), savings: text("savings") });
  return name === "verification" ? verificationField() : textField(name);
};

const walletPanel = () => {
  const button = make("button", { type: "button", class: "wallet", id: "apple-pay-button" }, text("applePayButton"));
  const status = make("p", { class: "terms", role: "status" }, state.applePay ? text("applePayReady") : "");
  const error = make("p", { class: "error", id: "applePay-error", role: "alert" });
  button.addEventListener("click", () => {
    state.applePay = true;
    status.textContent = text("applePayReady");
    error.textContent = "";
    announce();
  });
  return [button, status, error];
};

const termsText = () => {
  if (state.options.element?.terms?.card === "never" && state.kind !== "us_bank_account") return "";
  if (state.kind === "us_bank_account") return text("bankTerms");
  return state.options.setupFutureUsage || state.options.mode === "setup" ? text("cardTerms") : "";
};

const draw = () => {
  [...tabs.children].forEach((tab) => {
    const chosen = tab.id === `${state.kind}-tab`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  });
  const panel = make("div", { class: "grid", role: "tabpanel", id: "panel", "aria-labelledby": `${state.kind}-tab` });
  if (state.kind === "apple_pay") panel.append(make("div", { class: "wide" }, ...walletPanel()));
  else panel.append(...FIELDS[state.kind].map(fieldFor));
  form.replaceChildren(panel);
  terms.textContent = termsText();
  FIELDS[state.kind].forEach(showError);
  announce();
};

const choose = (kind, focus) => {
  state.kind = kind;
  draw();
  if (focus) document.getElementById(`${kind}-tab`).focus();
};

const drawTabs = () => {
  const wanted = state.options.paymentMethodTypes || ["card", "us_bank_account"];
  const kinds = ["card", "us_bank_account"].filter((kind) => wanted.includes(kind));
  if (kinds.includes("card") && state.options.element?.wallets?.applePay !== "never") kinds.push("apple_pay");
  tabs.setAttribute("aria-label", text("methods"));
  tabs.replaceChildren(...kinds.map((kind) => {
    const tab = make("button", { type: "button", class: "tab", role: "tab", id: `${kind}-tab`, "aria-controls": "panel", value: kind }, text(kind));
    tab.addEventListener("click", () => choose(kind, false));
    return tab;
  }));
  tabs.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    choose(kinds[(kinds.indexOf(state.kind) + step + kinds.length) % kinds.length], true);
  };
  tabs.hidden = kinds.length < 2;
  if (!kinds.includes(state.kind)) [state.kind] = kinds;
};

const start = (options) => {
  state.options = options;
  document.documentElement.lang = options.locale;
  Object.entries(options.appearance?.variables || {}).forEach(([name, value]) => {
    if (/^[a-zA-Z]+$/.test(name)) document.documentElement.style.setProperty(`--${name}`, String(value));
  });
  const known = options.element?.defaultValues?.billingDetails || {};
  state.values.name ||= known.name || "";
  state.values.email ||= known.email || "";
  state.values.postalCode ||= known.address?.postal_code || "";
  drawTabs();
  draw();
};

const check = () => {
  if (complete()) return null;
  if (state.kind === "apple_pay") {
    document.getElementById("applePay-error").textContent = text("applePay_incomplete");
    return { type: "validation_error", code: "incomplete_wallet", message: text("applePay_incomplete") };
  }
  FIELDS[state.kind].forEach((name) => state.touched.add(name));
  FIELDS[state.kind].forEach(showError);
  const first = FIELDS[state.kind].find(errorKey);
  document.getElementById(`Field-${first}Input`)?.focus();
  return { type: "validation_error", code: `incomplete_${first}`, message: text(errorKey(first)) };
};

const flatten = (value, prefix, into) => {
  Object.entries(value).forEach(([name, item]) => {
    const key = prefix ? `${prefix}[${name}]` : name;
    if (item && typeof item === "object") flatten(item, key, into);
    else if (item !== undefined && item !== null && item !== "") into.append(key, String(item));
  });
  return into;
};

const send = async (path, params) => {
  const body = flatten({ ...params, key: state.options.key }, "", new URLSearchParams());
  try {
    return await (await fetch(path, { method: "POST", body, credentials: "omit" })).json();
  } catch {
    return { error: { type: "api_connection_error", message: "We could not reach the payment service." } };
  }
};

const dataFor = (given) => {
  const billing = { ...(state.options.element?.defaultValues?.billingDetails || {}), ...(given?.billing_details || {}) };
  return methodData(state.kind, state.values, billing);
};

const ACTIONS = {
  submit: () => {
    const error = check();
    return error ? { error } : { selectedPaymentMethod: state.kind };
  },
  token: async (params) => {
    const error = check();
    if (error) return { error };
    return send("/v1/confirmation_tokens", {
      payment_method_data: dataFor(params.payment_method_data), return_url: params.return_url, shipping: params.shipping,
      setup_future_usage: state.options.setupFutureUsage || (state.options.mode === "setup" ? "off_session" : undefined),
    });
  },
  method: async (params) => {
    const error = check();
    return error ? { error } : send("/v1/payment_methods", dataFor(params));
  },
  confirm: async ({ path, params }) => {
    const error = check();
    if (error) return { error };
    if (!/^\/v1\/(payment|setup)_intents\/\w+\/confirm$/.test(path)) return { error: { type: "invalid_request_error", message: "Bad path." } };
    const { payment_method_data: given, ...others } = params;
    const mandate = state.kind === "us_bank_account"
      ? { mandate_data: { customer_acceptance: { type: "online", online: { infer_from_client: true } } } } : {};
    return send(path, { ...others, ...mandate, payment_method_data: dataFor(given) });
  },
};

window.addEventListener("message", async (event) => {
  if (event.source !== window.parent || event.origin !== PARENT) return;
  const { sandbox, kind, id, payload } = event.data || {};
  if (sandbox !== 1) return;
  if (kind === "start") {
    start(payload);
    post("ready", {});
  } else if (kind === "update") start({ ...state.options, ...payload });
  else if (kind === "focus") form.querySelector("input, select, button")?.focus();
  else if (Object.hasOwn(ACTIONS, kind)) post("answer", await ACTIONS[kind](payload), id);
});

form.addEventListener("submit", (event) => event.preventDefault());
new ResizeObserver(() => post("height", document.getElementById("element").getBoundingClientRect().height + 2))
  .observe(document.getElementById("element"));
if (PARENT && window.parent !== window) post("hello", {});
