// From events to reports, and on to the collector.

import { guard } from "./guard.js";
import { keep, unsent } from "./unsent.js";
import { clock, uuid } from "./values.js";

const BUFFER_MS = 1000;
const MAX_EVENTS = 100;
const MAX_REPORT_BYTES = 50000; // browsers let 64 KiB outlive the page, beacons and fetches together
const MAX_KEEPALIVE_CHARS = 15000;

let endpoint, site, visitor; // visitor is set only while sending is allowed
let buffer = [];
let timer;
let beforeFlush;

/** Send to this address from now on; finish is called before each report is made up. */
export function open(url, siteKey, visitorId, finish) {
  endpoint = url;
  site = siteKey;
  visitor = visitorId;
  beforeFlush = finish;
  retry(unsent());
}

/** Send nothing more, not even what is under way. */
export function close() {
  visitor = 0;
  buffer = [];
  clearTimeout(timer);
  timer = 0;
}

export function push(type, fields) {
  const event = { type, event_id: uuid(), occurred_ms: clock(), ...fields };
  buffer.push(event);
  timer = timer || setTimeout(guard(flush), BUFFER_MS);
  return event;
}

export function flush(leaving) {
  clearTimeout(timer);
  timer = 0;
  beforeFlush();
  while (buffer.length) {
    const events = [];
    for (let size = 0; buffer.length && events.length < MAX_EVENTS; events.push(buffer.shift())) {
      size += new Blob([JSON.stringify(buffer[0])]).size;
      if (events.length && size > MAX_REPORT_BYTES) break;
    }
    post({ v: 1, site, visitor_id: visitor, events }, leaving);
  }
}

/** A beacon outlives the page but tells nothing of its fate. A fetch does, so it is used while the page lives. */
function post(report, leaving) {
  report.sent_ms = clock(); // also when sent again: the collector works out times from the age of each event
  const body = JSON.stringify(report);
  if (leaving && navigator.onLine && navigator.sendBeacon && navigator.sendBeacon(endpoint, body)) return;
  const failed = guard(() => visitor && keep(report, true));
  if (leaving) failed(); // no answer will be seen any more; to send it twice does no harm
  fetch(endpoint, { method: "POST", body, keepalive: leaving || body.length < MAX_KEEPALIVE_CHARS, credentials: "omit" }).then(
    guard((answer) => (answer.status === 429 || answer.status > 499 ? failed() : visitor && retry(keep(report)))),
    failed,
  );
}

/** Send again, one by one, what failed before: a repeated report changes nothing. */
function retry([report]) {
  if (report) post(report);
}
