// The page view under way: how long it was really read, how far, and what of it.

import { address, pageKey } from "./address.js";
import { noAttention, share } from "./attention.js";
import { guard } from "./guard.js";
import { measure } from "./layout.js";
import { happened } from "./reaction.js";
import { flush, push } from "./sending.js";
import { bound, cut, fraction, randomId } from "./values.js";

export const TICK_MS = 1000; // how often time is counted; also the most that is counted at once
const DAY_MS = 864e5; // the most that is told of one page view
const PROGRESS_TICKS = 5;
const SETTLE_MS = 500; // a router scrolls up only some time after it has changed the address
const TITLE_MS = 4000; // so long after a change of the address, its title may still be the old one
const RESTORE_MS = 1000; // so long after opening, a scroll may be the browser's own, not the reader's

// Calls back right after the browser has worked out the next frame's layout: to read it there costs nothing.
const afterLayout = new ResizeObserver(guard(see));

let view, layout, attention; // of the page view under way; none before consent
let activeMs, owedMs, top, bottom, reach; // owed: counted, but not yet shared among the page's parts
let ticks, measuring, pointer;
let idleMs;
let person; // a sign of use was seen; until then it may be a mail scanner's browser, and nothing is told
let engaged; // visible and focused since countedTo
let countedTo;
let usedAt;

export function viewport() {
  return innerWidth < 640 ? "mobile" : innerWidth < 1024 ? "tablet" : "desktop";
}

export function pushOfPage(type, fields) {
  return push(type, { page_view_id: view.id, url: view.url, ...fields });
}

/** Single-page apps set the title some time after the address: until it changes, it may be the page's before. */
export function refreshTitle() {
  const title = cut(document.title, 500);
  if (title !== view.oldTitle || performance.now() - view.began > TITLE_MS) view.oldTitle = "";
  view.title = view.opened.title = view.oldTitle ? "" : title;
}

/** Begin the first page view of a visit to this document: also when it comes back from the back-forward cache. */
export function arrive(idle = idleMs) {
  idleMs = idle;
  usedAt = performance.now();
  begin(document.referrer, "");
}

function begin(referrer, oldTitle) {
  view = { id: randomId(), url: address(), key: pageKey(), path: pageKey(true), began: performance.now(), oldTitle };
  layout = measuring = null;
  attention = noAttention();
  activeMs = owedMs = reach = ticks = 0;
  view.opened = pushOfPage("page_view", {
    referrer: cut(referrer, 2000),
    viewport: viewport(),
    lang: cut(navigator.language, 35),
  });
  setTimeout(guard(look), SETTLE_MS + 9); // timers may be a little early
  engaged = false;
  count();
}

/** Tell how far it has come, if that is news, or if the reader leaves. */
function progress(left) {
  const { bands, sections } = person ? attention : noAttention();
  const active = person ? Math.round(activeMs) : 0;
  const depth = person && layout ? bound((reach / layout.height) * 100, 100) : 0;
  const told = active + "/" + depth;
  if (!left && (view.told || "0/0") === told) return;
  view.told = told;
  pushOfPage("page_progress", {
    title: view.title,
    active_ms: active,
    depth_pct: depth,
    bands: bands.map(Math.round),
    sections: [...sections].map(([key, { title, ms }]) => ({ key, title, active_ms: Math.round(ms) })),
    left,
  });
}

function end() {
  happened();
  count();
  if (!view.title) refreshTitle();
  if (!view.left) progress((view.left = true));
}

/** The page is hidden or closed: perhaps for good. */
export function leave() {
  end();
  flush(true);
}

/** The page, or its window, is looked at again: a sign of use in itself. */
export function comeBack() {
  count();
  usedAt = countedTo;
  view.left = false;
}

/** Routers report every change of the address, some of them twice: only another page ends a page view. */
export function navigate(rewritten) {
  const samePage = pageKey(rewritten) === view[rewritten ? "path" : "key"];
  view.key = pageKey();
  if (samePage) return;
  end();
  begin(view.url, view.title);
}

/** Count the time since last asked, as far as the page was visible, focused and used. */
export function count() {
  const now = performance.now();
  // What is longer than a tick was sleep, or a hanging machine.
  const ms = engaged ? Math.min(now - countedTo, usedAt + idleMs - countedTo, TICK_MS, DAY_MS - activeMs) : 0;
  countedTo = now;
  engaged = !document.hidden && document.hasFocus();
  if (ms > 0) {
    activeMs += ms;
    owedMs += ms;
    settle();
  }
}

/** Where a point of the window lies in the page, as fractions of its width and height. */
export function locate(x, y) {
  const { root, left, top: above } = layout || { root: document.scrollingElement, left: 0, top: 0 };
  return {
    page_x: fraction(x - left + root.scrollLeft, root.scrollWidth),
    page_y: fraction(y - above + root.scrollTop, root.scrollHeight),
  };
}

function settle() {
  if (!layout) return; // a new page is still on its way: what is owed waits
  share(attention, layout, top, bottom, owedMs);
  owedMs = 0;
}

/** Take a sign of use. Called for every scroll and mouse move, it must never read the layout. */
export function use(event) {
  const now = performance.now();
  if (event.type === "scroll") {
    happened();
    look();
    if (!person && now - view.began < RESTORE_MS) return;
  } else if (event.type === "mousemove") {
    // Browsers also send one when the page moves below a resting pointer.
    const place = event.screenX + "/" + event.screenY;
    if (place === pointer) return;
    pointer = place;
  }
  person = true;
  if (now > usedAt + idleMs) count(); // before the new sign: what was idle stays uncounted
  usedAt = now;
}

export function tick() {
  if (document.hidden) return;
  count();
  if (countedTo < usedAt + idleMs) measuring ||= measure();
  look();
  refreshTitle();
  if (++ticks % PROGRESS_TICKS === 0) progress(false);
}

/** See, as soon as the next frame is laid out, what part of the page is in view. */
function look() {
  afterLayout.observe(document.documentElement);
}

function see() {
  afterLayout.disconnect();
  if (document.hidden || performance.now() - view.began < SETTLE_MS) return;
  count(); // for what was in view until now
  if (!layout) measuring ||= measure();
  if (measuring) {
    const { done, value } = measuring.next();
    if (done) {
      layout = value;
      measuring = null;
    } else {
      look();
    }
  }
  if (!layout) return;
  top = layout.root.scrollTop;
  bottom = top + layout.room;
  reach = Math.max(reach, bottom);
  settle();
}
