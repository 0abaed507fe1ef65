// Values within the bounds that the collector checks.

const YEAR_2100_MS = 41024448e5;

/** A whole number from 0 to max. */
export function bound(number, max) {
  return Math.max(0, Math.min(Math.round(number) || 0, max));
}

/** A fraction from 0 to 1, of four digits. */
export function fraction(part, whole) {
  return bound((part / whole) * 1e4, 1e4) / 1e4;
}

/** One line of at most max characters, without half of a surrogate pair, which no JSON reader takes. */
export function cut(text, max) {
  return `${text || ""}`.replace(/\s+/g, " ").trim().slice(0, max).replace(/\p{Cs}/gu, "");
}

export function clock() {
  return bound(Date.now(), YEAR_2100_MS);
}

/** 128 random bits; crypto.randomUUID is missing on pages without TLS. */
export function randomId() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((number) => number.toString(36)).join("");
}
