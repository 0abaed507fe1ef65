// What a click led to: nothing at all (a dead click), or more clicks on the same spot, in anger (rage clicks).

import { guard } from "./guard.js";

const WINDOW_MS = 1000; // so long a click may take to show, and so soon angry clicks follow each other
const SAME_SPOT_PX = 30;
const ANGRY_CLICKS = 3;

const CHANGES = { attributes: true, characterData: true, childList: true, subtree: true };
const changes = new MutationObserver(guard(happened)); // observes from a click that waits until the next change
let recent = []; // clicks of the last moment, on the same spot
const waiting = new Set(); // clicks that are not told yet

/** Whether this click is at least the third of a series. */
export function isRage(x, y) {
  const now = performance.now();
  recent = recent.filter((other) => now - other.at < WINDOW_MS && Math.hypot(x - other.x, y - other.y) <= SAME_SPOT_PX);
  return recent.push({ at: now, x, y }) >= ANGRY_CLICKS;
}

/** Call tell(dead) in another task: when something happens, when nothing did, or at once if no reaction is owed. */
export function awaitReaction(tell, owed) {
  waiting.add(tell);
  if (owed) changes.observe(document, CHANGES);
  setTimeout(
    guard(() => waiting.delete(tell) && tell(owed)),
    owed && WINDOW_MS,
  );
}

/** The page moved, changed or went away: no click that waits is dead. */
export function happened() {
  changes.disconnect();
  waiting.forEach((tell) => tell(false));
  waiting.clear();
}
