/*
 * The readbrief snippet: tells the collector what a visitor really read.
 *
 *   <script async src="https://COLLECTOR/rb.js" data-site="SITEKEY"></script>
 *
 * Options, as attributes of the tag: data-consent="required" (store and send nothing before consent),
 * data-idle-s (seconds without a sign of use after which reading stops counting; 30).
 * Calls: readbrief("identify", token), readbrief("consent", "granted" or "denied").
 * Attributes in the page: data-rb-mask (the text within is never sent), data-rb-field (this form field is sent).
 */

import { takeToken } from "./source/address.js";
import { guard, on } from "./source/guard.js";
import { click, copy, submit } from "./source/interaction.js";
import { happened } from "./source/reaction.js";
import { TICK_MS, arrive, comeBack, count, leave, navigate, refreshTitle, restore, tick, use } from "./source/reading.js";
import { close, identify as sendToken, open } from "./source/sending.js";
import { UNSENT, VISITOR, recall, remember } from "./source/storage.js";
import { randomId } from "./source/values.js";

const script = document.currentScript || document.querySelector("script[data-site]");
const optedOut = navigator.globalPrivacyControl || navigator.doNotTrack === "1";
let tokens = []; // identifications that wait for consent
let activated, consent, running, installed;

function identify(token) {
  if (typeof token !== "string" || !token || token.length > 2000) return;
  if (running) sendToken(token);
  else tokens.push(token);
}

function forget() {
  running = false;
  tokens = [];
  happened();
  close();
  remember(VISITOR);
  remember(UNSENT);
}

function start() {
  const { site, idleS, consent: mode } = script.dataset;
  if (!activated || running || optedOut || consent === "denied") return;
  if (mode === "required" && consent !== "granted") return;
  running = true;
  let visitor = recall(VISITOR);
  if (!/^[a-z\d][\w-]{7,63}$/.test(visitor)) remember(VISITOR, (visitor = randomId()));
  open(new URL(script.src).origin + "/v1/events", site, visitor, refreshTitle);
  tokens.splice(0).forEach(identify);
  arrive((parseFloat(idleS) || 30) * 1000);
  if (!installed) install();
  installed = true;
}

function install() {
  const whileRunning = (act) => (event) => running && act(event);
  const byPerson = (act) => (event) => running && event.isTrusted && act(event);
  for (const name of ["pushState", "replaceState"]) {
    const original = history[name];
    history[name] = function (...args) {
      const result = original.apply(this, args);
      guard(whileRunning(navigate))(name === "replaceState");
      return result;
    };
  }
  on("popstate hashchange", whileRunning(() => navigate()));
  on("scroll mousemove wheel keydown pointerdown touchstart touchmove", byPerson(use));
  on("blur", whileRunning(count));
  on("focus", whileRunning(comeBack));
  on("pagehide", whileRunning(leave));
  on("pageshow", whileRunning((event) => event.persisted && restore()));
  on("visibilitychange", whileRunning(() => (document.hidden ? leave() : comeBack())));
  on("click auxclick", byPerson(click));
  on("copy", byPerson(copy));
  on("submit", byPerson(submit));
  setInterval(guard(whileRunning(tick)), TICK_MS);
}

function call(command, argument) {
  if (command === "identify") identify(argument);
  if (command === "consent") {
    consent = argument;
    if (argument === "denied") forget();
    else start();
  }
}

function activate() {
  activated = true;
  start();
}

guard(() => {
  const stub = window.readbrief || {};
  if (stub.loaded) return; // pasted twice, or a page that puts its scripts in anew
  (window.readbrief = guard(call)).loaded = true;
  // Who looks at an overlay of all readers is none of them: nothing is told, and of the page no more is needed.
  if (/^#rb-/.test(location.hash)) return import(new URL(script.src).origin + "/overlay.js");
  const token = takeToken();
  if (optedOut) forget();
  identify(token);
  for (const args of Array.from(stub.q || [])) call(...args);
  if (!/^http/.test(location)) return; // such a page has no address to report
  if (document.prerendering) on("prerenderingchange", activate);
  else activate();
})();
