// Lists of events that could not be sent, kept for the next try. The oldest go first when there is too much.

import { guard } from "./guard.js";
import { UNSENT, recall, remember } from "./storage.js";

const MAX_CHARS = 48 * 1024;

export function unsent() {
  // Mostly there is nothing, and to parse that would throw: what an exception costs is more than all the rest.
  return guard(() => JSON.parse(recall(UNSENT) || "[]").filter(([event]) => event.event_id))() || [];
}

/** Keep or drop what one report tells; returns all that is kept. */
export function keep(events, wanted) {
  const lists = unsent().filter(([event]) => event.event_id !== events[0].event_id);
  if (wanted) lists.push(events);
  while (JSON.stringify(lists).length > MAX_CHARS) lists.shift();
  remember(UNSENT, lists[0] && JSON.stringify(lists));
  return lists;
}
