// The address of a page, and the token that an email link leaves in it.

import { guard } from "./guard.js";
import { cut } from "./values.js";

/** The path, and the fragment where it is the route, as in #/pricing. Any other stays home: it may hold secrets. */
function place(query) {
  const { pathname, hash } = location;
  return pathname + query + (/^#!?\//.test(hash) ? hash : "");
}

export function address() {
  return cut(location.origin + place(location.search), 2000);
}

/** What tells pages apart: with the query, or without, for a query that was only rewritten (cleaned of tracking, say). */
export function pageKey(rewritten) {
  return place(rewritten ? "" : location.search);
}

/** Take the token out of the address, and restore the page's own fragment. */
export function takeToken() {
  const [, token, rest] = /^#rb=([^&]*)&?(.*)/.exec(location.hash) || [];
  if (!token) return;
  let own = rest;
  guard(() => (own = decodeURIComponent(rest)))(); // one that was not encoded stands as it is
  // To go to a fragment scrolls to its place and tells the page's router, as if the address had always been this.
  if (own) location.replace("#" + own);
  else history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}
