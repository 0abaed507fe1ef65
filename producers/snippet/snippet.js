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

// In the order that compresses best.
import { randomId } from "./source/values.js";
import { close, identify as sendToken, open } from "./source/sending.js";
import { click, copy, submit } from "./source/interaction.js";
import { takeToken } from "./source/address.js";
import { happened } from "./source/reaction.js";
import { UNSENT, VISITOR, recall, remember } from "./source/storage.js";
import { TICK_MS, arrive, comeBack, count, leave, navigate, refreshTitle, tick, use } from "./source/reading.js";
import { guard, on } from "./source/guard.js";

const script = document.currentScript || document.querySelector("script[data-site]");
const optedOut = navigator.globalPrivacyControl || navigator.doNotTrack === "1";
let tokens = []; // identifications that wait for consent
let activated, consent, running, starting;

function identify(token) {
  if (typeof token !== "string" || !token || token.length > 2000) return;
  if (running) sendToken(token);
  else tokens.push(token);
}

function forget() {
  running = starting = false;
  tokens = [];
  happened();
  close();
  remember(VISITOR);
  remember(UNSENT);
}

function start() {
  if (!activated || starting || consent === "denied") return;
  if (script.dataset.consent === "required" && consent !== "granted") return;
  starting = steps();
  proceed();
}

/** Take the next step of the start in a task of its own, so that none is long. */
function proceed() {
  setTimeout(guard(() => starting.next().done || proceed()));
}

function* steps() {
  const { site, idleS } = script.dataset;
  let visitor = recall(VISITOR);
  if (!/^[a-z\d][\w-]{7,63}$/.test(visitor)) remember(VISITOR, (visitor = randomId()));
  yield;
  open(new URL("/v1/events", script.src), site, visitor, refreshTitle);
  yield;
  for (; tokens[0]; yield) sendToken(tokens.shift());
  running = true;
  arrive((+idleS || 30) * 1000);
}

function install() {
  const during = (types, act) => on(types, (event) => running && act(event));
  const byPerson = (types, act) => during(types, (event) => event.isTrusted && act(event));
  for (const name of ["pushState", "replaceState"]) {
    const original = history[name];
    history[name] = function (...args) {
      const result = original.apply(this, args);
      guard(() => running && navigate(name === "replaceState"))();
      return result;
    };
  }
  during("popstate hashchange", () => navigate());
  byPerson("scroll mousemove wheel keydown pointerdown touchstart touchmove", use);
  during("blur", count);
  during("focus", comeBack);
  during("pagehide", leave);
  during("pageshow", (event) => event.persisted && arrive());
  during("visibilitychange", () => (document.hidden ? leave() : comeBack()));
  byPerson("click auxclick", click);
  byPerson("copy", copy);
  byPerson("submit", submit);
  setInterval(
    guard(() => running && tick()),
    TICK_MS,
  );
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
  setTimeout(guard(install));
  start();
}

guard(() => {
  const stub = window.readbrief || {};
  if (stub.loaded) return; // pasted twice, or a page that puts its scripts in anew
  (window.readbrief = guard(call)).loaded = true;
  // Who looks at an overlay of all readers is none of them: nothing is told, and of the page no more is needed.
  if (/^#rb-/.test(location.hash)) return import(new URL("/overlay.js", script.src));
  const token = takeToken();
  if (optedOut) forget();
  identify(token);
  for (const args of stub.q || []) call(...args);
  if (optedOut || !/^http/.test(location)) return; // nobody to report, or no address
  if (document.prerendering) on("prerenderingchange", activate);
  else activate();
})();
