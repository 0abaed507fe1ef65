// Whatever goes wrong in the snippet is its own to bear: the page must never notice.

export function guard(act) {
  return function (...args) {
    try {
      return act.apply(this, args);
    } catch {
      // nobody to tell
    }
  };
}

/** Listen to events anywhere in the window, given as names with spaces between, without ever holding up the page. */
export function on(types, act) {
  for (const type of types.split(" ")) addEventListener(type, guard(act), { passive: true, capture: true });
}
