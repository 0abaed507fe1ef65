// Values within the bounds that the collector checks.

const LATEST_MS = 4e12; // in the year 2096; the collector takes some years more

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
  return bound(Date.now(), LATEST_MS);
}

/** 96 random bits, as digits; crypto.randomUUID is missing on pages without TLS. */
export function randomId() {
  return crypto.getRandomValues(new Uint32Array(3)).join("");
}
