// What a click led to: nothing at all (a dead click), or more clicks on the same spot, in anger (rage clicks).

import { guard } from "./guard.js";

const WINDOW_MS = 1000; // so long a click may take to show, and so soon angry clicks follow each other
const SAME_SPOT_PX = 30;
const ANGRY_CLICKS = 3;

const CHANGES = { attributes: true, characterData: true, childList: true, subtree: true };
const changes = new MutationObserver(guard(happened)); // observes only while a click waits
let recent = []; // clicks of the last moment, on the same spot
let waiting = []; // clicks that have led to nothing yet

/** Whether this click is at least the third of a series. */
export function isRage(x, y) {
  const now = performance.now();
  recent = recent.filter((other) => now - other.at < WINDOW_MS && Math.hypot(x - other.x, y - other.y) <= SAME_SPOT_PX);
  return recent.push({ at: now, x, y }) >= ANGRY_CLICKS;
}

/** Call tell(dead) as soon as something happens, or when nothing did. */
export function awaitReaction(tell) {
  waiting.push(tell);
  changes.observe(document, CHANGES);
  setTimeout(
    guard(() => {
      if (waiting[0] !== tell) return; // it has been told
      waiting.shift();
      if (!waiting[0]) changes.disconnect();
      tell(true);
    }),
    WINDOW_MS,
  );
}

/** The page moved, changed or went away: no click that waits is dead. */
export function happened() {
  changes.disconnect();
  for (const tell of waiting.splice(0)) tell(false);
}
