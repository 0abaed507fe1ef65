// What the browser keeps for us: the visitor's id and the reports that could not be sent.

export const VISITOR = "rb_v";
export const UNSENT = "rb_q";

export function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return ""; // denied
  }
}

/** Keep a text, or nothing in its place. */
export function remember(key, text) {
  try {
    if (text) localStorage.setItem(key, text);
    else localStorage.removeItem(key);
  } catch {
    // denied or full
  }
}
