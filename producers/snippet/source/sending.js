// From events to reports, and on to the collector.

import { guard } from "./guard.js";
import { keep, unsent } from "./unsent.js";
import { clock, randomId } from "./values.js";

const BUFFER_MS = 1000;
const MAX_EVENTS = 100;
const MAX_REPORT_CHARS = 15000; // browsers let 64 KiB outlive the page, beacons and fetches together

let endpoint, site, visitor; // visitor is set only while sending is allowed
let buffer = [];
let outgoing = []; // reports made up, each to be sent in a task of its own
let timer;
let beforeFlush;

/** Send to this address from now on; finish is called before each report is made up. */
export function open(url, siteKey, visitorId, finish) {
  endpoint = url;
  site = siteKey;
  visitor = visitorId;
  beforeFlush = finish;
  post(unsent()[0]); // one by one, what failed before: a repeated report changes nothing
}

/** Send nothing more, not even what is under way. */
export function close() {
  visitor = 0;
  buffer = [];
  outgoing = [];
}

function happening(type, fields) {
  return { type, event_id: randomId(), occurred_ms: clock(), ...fields };
}

export function push(type, fields) {
  const event = happening(type, fields);
  buffer.push(event);
  timer ||= setTimeout(guard(flush), BUFFER_MS);
  return event;
}

/** Send a token at once and in a report of its own: one that is expired or forged costs its whole report. */
export function identify(token) {
  post([happening("identify", { token })]);
}

export function flush(leaving) {
  clearTimeout(timer);
  timer = 0;
  beforeFlush();
  while (buffer[0]) {
    const events = [];
    for (let size = 0; buffer[0] && !events[MAX_EVENTS - 1]; events.push(buffer.shift())) {
      size += JSON.stringify(buffer[0]).length;
      if (events[0] && size > MAX_REPORT_CHARS) break;
    }
    outgoing.push(events);
    if (!leaving) setTimeout(guard(() => post(outgoing.shift())));
  }
  while (leaving && outgoing[0]) post(outgoing.shift(), leaving);
}

/** A beacon outlives the page but tells nothing of its fate. A fetch does, so it is used while the page lives. */
function post(events, leaving) {
  if (!events) return;
  // The time is that of sending, also when sent again: the collector works out times from the age of each event.
  const body = JSON.stringify({ v: 1, site, visitor_id: visitor, sent_ms: clock(), events });
  if (leaving && navigator.onLine && navigator.sendBeacon?.(endpoint, body)) return;
  const failed = guard(() => visitor && keep(events, true));
  if (leaving) failed(); // no answer will be seen any more; to send it twice does no harm
  fetch(endpoint, { method: "POST", body, keepalive: true }).then(
    guard((answer) => (answer.status === 429 || answer.status > 499 ? failed() : visitor && post(keep(events)[0]))),
    failed,
  );
}
