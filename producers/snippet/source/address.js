// The address of a page, and the token that an email link leaves in it.

import { guard, on } from "./guard.js";
import { cut } from "./values.js";

const HASH_ROUTE = /^#!?\//;
const TRACKING = /^(utm_\w+|rb|[gd]clid|fbclid|msclkid|mc_[ce]id|_hs\w+|mkt_tok|yclid|ref)=/i;

/** The fragment where it is the route, as in #/pricing. Any other stays home: it may hold secrets. */
function route() {
  return HASH_ROUTE.test(location.hash) ? location.hash : "";
}

export function address() {
  return cut(location.origin + location.pathname + location.search + route(), 2000);
}

/** What must differ for a page to be another one: tracking parameters that a script clears away do not count. */
export function pageKey() {
  const query = location.search.slice(1).split("&");
  return location.pathname + "?" + query.filter((pair) => !TRACKING.test(pair)).join("&") + route();
}

/** Take the token out of the address, and restore the page's own fragment. */
export function takeToken() {
  const found = /^#rb=([^&]*)&?(.*)/.exec(location.hash);
  if (!found) return;
  let own = found[2];
  try {
    own = decodeURIComponent(own);
  } catch {
    // not encoded after all: it stands as it is
  }
  history.replaceState(history.state, "", location.pathname + location.search + (own && "#" + own));
  if (route()) {
    // A router that looked earlier saw no route it knows.
    dispatchEvent(new PopStateEvent("popstate", { state: history.state }));
    dispatchEvent(new Event("hashchange"));
  } else if (own) {
    const scroll = guard(() => document.getElementById(own).scrollIntoView()); // if there is such a place
    if (document.readyState === "loading") on("DOMContentLoaded", scroll);
    else scroll();
  }
  return found[1];
}
