// Values within the bounds that the collector checks.

export const DAY_MS = 864e5;
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

/** A random UUID; crypto.randomUUID is missing on pages without TLS. */
export function uuid() {
  const random = () => crypto.getRandomValues(new Uint8Array(1))[0];
  // 0 and 1 stand for any hex digit, 8 for one from 8 to b, 4 for itself.
  return "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) =>
    (digit ^ (random() & (15 >> (digit / 4)))).toString(16),
  );
}
