// What the browser keeps for us: the visitor's id and the reports that could not be sent.

import { guard } from "./guard.js";

export const VISITOR = "rb_v";
export const UNSENT = "rb_q";

export function recall(key) {
  return guard(() => localStorage.getItem(key))() || ""; // it may be denied
}

/** Keep a text, or nothing in its place. */
export function remember(key, text) {
  // It may be denied, or full.
  guard(() => (text ? localStorage.setItem(key, text) : localStorage.removeItem(key)))();
}
