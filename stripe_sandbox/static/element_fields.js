/* What the fields accept: formatting while typing, and the text key of what is wrong, or null. */
const digits = (text) => text.replace(/\D/g, "");

export const brandOf = (number) => {
  if (/^3[47]/.test(number)) return "amex";
  if (/^4/.test(number)) return "visa";
  if (/^(5[1-5]|2[2-7])/.test(number)) return "mastercard";
  if (/^(6011|65|64)/.test(number)) return "discover";
  return "";
};

const lengthOf = (number) => (brandOf(number) === "amex" ? 15 : 16);

const passesLuhn = (number) => {
  const sum = [...number].reverse().reduce((total, digit, place) => {
    const value = Number(digit) * (place % 2 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
};

const validRouting = (number) => {
  const weights = [3, 7, 1, 3, 7, 1, 3, 7, 1];
  return number.length === 9 && weights.reduce((sum, weight, at) => sum + weight * Number(number[at]), 0) % 10 === 0;
};

export const formatNumber = (text) => {
  const number = digits(text).slice(0, 19);
  const groups = brandOf(number) === "amex" ? /^(\d{0,4})(\d{0,6})(\d{0,5}).*$/ : /^(\d{0,4})(\d{0,4})(\d{0,4})(\d{0,7}).*$/;
  return number.match(groups).slice(1).filter(Boolean).join(" ");
};

export const formatExpiry = (text, typedBack) => {
  let value = digits(text).slice(0, 4);
  if (value.length === 1 && value > "1") value = `0${value}`;
  if (value.length < 2 || (value.length === 2 && typedBack)) return value;
  return `${value.slice(0, 2)} / ${value.slice(2)}`;
};

export const CHECKS = {
  number: (text) => {
    const number = digits(text);
    if (number.length < lengthOf(number)) return "number_incomplete";
    return passesLuhn(number) ? null : "number_invalid";
  },
  expiry: (text) => {
    const value = digits(text);
    if (value.length < 4) return "expiry_incomplete";
    const month = Number(value.slice(0, 2));
    const year = 2000 + Number(value.slice(2));
    if (month < 1 || month > 12 || year > new Date().getFullYear() + 50) return "expiry_invalid";
    return new Date(year, month, 1) <= new Date() ? "expiry_past" : null;
  },
  cvc: (text, values) => {
    const wanted = brandOf(digits(values.number || "")) === "amex" ? 4 : 3;
    return digits(text).length === wanted ? null : "cvc_incomplete";
  },
  postalCode: (text, values) => {
    if (values.country && values.country !== "US") return text.trim() ? null : "postalCode_incomplete";
    return /^\d{5}(-?\d{4})?$/.test(text.trim()) ? null : "postalCode_incomplete";
  },
  name: (text) => (text.trim() ? null : "required"),
  email: (text) => (/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(text.trim()) ? null : "email_invalid"),
  routingNumber: (text) => (validRouting(digits(text)) ? null : "routing_invalid"),
  accountNumber: (text) => (/^\d{4,17}$/.test(text.trim()) ? null : "account_invalid"),
};

export const methodData = (kind, values, billing) => {
  if (kind === "apple_pay") return { type: "card", card: { token: "tok_applePay" }, billing_details: billing };
  if (kind === "card") {
    const expiry = digits(values.expiry);
    const address = { ...(billing.address || {}), country: values.country, postal_code: values.postalCode.trim() };
    return {
      type: "card", billing_details: { ...billing, address },
      card: {
        number: digits(values.number), exp_month: expiry.slice(0, 2), exp_year: `20${expiry.slice(2)}`, cvc: digits(values.cvc),
      },
    };
  }
  return {
    type: "us_bank_account", billing_details: { ...billing, name: values.name.trim(), email: values.email.trim() },
    us_bank_account: {
      account_number: values.accountNumber.trim(), routing_number: digits(values.routingNumber),
      account_holder_type: "individual", account_type: values.accountType,
      sandbox_verified: values.verification === "instant",
    },
  };
};
