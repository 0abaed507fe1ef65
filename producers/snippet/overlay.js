/*
 * The overlay: what readers did, drawn over the page itself. The snippet loads it where the address ends in
 * #rb-overlay=TOKEN, and then tells nothing of the reading. What comes from the collector is text, never markup.
 * Links that are followed once it is closed lead to addresses that end in #rb-off: who looks is no reader there, either.
 */

import { describe, textOf } from "./source/words.js";

const STYLE = `
  :host { all: initial; }
  canvas { position: fixed; inset: 0; pointer-events: none; }
  section { position: fixed; left: 16px; bottom: 16px; max-width: min(340px, calc(100vw - 64px)); padding: 14px 16px;
    font: 14px/1.45 system-ui, sans-serif; color: #16202c; background: #fff; border-radius: 10px;
    box-shadow: 0 0 0 1px #16202c22, 0 8px 30px #16202c44; overflow-wrap: anywhere; }
  h2 { margin: 0 0 2px; font-size: 15px; } p { margin: 4px 0; } .quiet { color: #4d5b6a; font-size: 13px; }
  .scale { height: 8px; border-radius: 4px; margin: 8px 0 2px;
    background: linear-gradient(90deg, #2b6cb0, #2f9e8f, #e0b528, #d9480f); }
  div.row { display: flex; flex-wrap: wrap; gap: 6px; margin: 8px 0; }
  button { font: inherit; color: inherit; padding: 4px 10px; min-height: 32px; border: 1px solid #8593a3;
    border-radius: 6px; background: #fff; cursor: pointer; }
  button[aria-pressed=true] { background: #16324f; border-color: #16324f; color: #fff; }
  button:focus-visible { outline: 3px solid #e0b528; outline-offset: 1px; }
`;
const DEVICES = ["", "mobile", "tablet", "desktop"];
const AGAIN_MS = 2000; // so often elements are looked for again: pages fill in late
const STRIP_PX = 14;

const collector = new URL(import.meta.url).origin;
const host = document.createElement("div");
const shade = host.attachShadow({ mode: "open" });
const canvas = document.createElement("canvas");
let heat, device, places, asked, timer;

/** The snippet's classes of windows; its own file of them begins a page view, which is not wanted here. */
function ownDevice() {
  return innerWidth < 640 ? "mobile" : innerWidth < 1024 ? "tablet" : "desktop";
}

/** Cold to warm, as the legend's scale. */
function colour(share, alpha) {
  return `hsl(${Math.round(210 - 190 * Math.min(1, share))} 75% 42% / ${alpha})`;
}

/** Find each spot's element: of those described alike, the one of the same text, nearest to where it was clicked. */
function look() {
  const alike = new Map();
  for (const element of document.body.querySelectorAll("*")) {
    const name = describe(element);
    if (!alike.has(name)) alike.set(name, []);
    alike.get(name).push(element);
  }
  const { scrollWidth: width, scrollHeight: height } = document.scrollingElement;
  places = shown().map((spot) => {
    const far = (element) => {
      const box = element.getBoundingClientRect();
      if (!box.width || !box.height) return Infinity;
      const x = (box.left + scrollX + box.width * spot.x) / width - spot.page_x;
      const y = (box.top + scrollY + box.height * spot.y) / height - spot.page_y;
      return Math.hypot(x, y) + (spot.text && textOf(element) !== spot.text ? 10 : 0);
    };
    const [best] = (alike.get(spot.element) || []).map((element) => [far(element), element]).sort((a, b) => a[0] - b[0]);
    return { spot, element: best && best[0] < Infinity ? best[1] : null };
  });
}

function shown() {
  return heat.spots.filter((spot) => !device || spot.viewport === device);
}

function draw() {
  asked = 0;
  const scale = devicePixelRatio || 1;
  canvas.width = innerWidth * scale;
  canvas.height = innerHeight * scale;
  canvas.style.width = innerWidth + "px";
  canvas.style.height = innerHeight + "px";
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  drawDepth(pen);
  const most = Math.max(1, ...places.map(({ spot }) => spot.clicks));
  for (const { spot, element } of [...places].reverse()) {
    if (!element) continue;
    const box = element.getBoundingClientRect();
    drawSpot(pen, box.left + box.width * spot.x, box.top + box.height * spot.y, spot, spot.clicks / most);
  }
}

function drawSpot(pen, x, y, spot, share) {
  const radius = 16 + 22 * Math.sqrt(share);
  const glow = pen.createRadialGradient(x, y, 2, x, y, radius);
  glow.addColorStop(0, colour(share, 0.85));
  glow.addColorStop(1, colour(share, 0));
  pen.fillStyle = glow;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
  pen.fill();
  const said = `${spot.clicks}`;
  pen.font = "600 12px system-ui, sans-serif";
  const half = Math.max(10, pen.measureText(said).width / 2 + 6);
  pen.fillStyle = "#16202c";
  pen.strokeStyle = spot.rage || spot.dead ? "#ff922b" : "#fff";
  pen.lineWidth = 2;
  pen.beginPath();
  pen.roundRect(x - half, y - 10, 2 * half, 20, 10);
  pen.fill();
  pen.stroke();
  pen.fillStyle = "#fff";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(said, x, y + 0.5);
}

/** The strip at the right edge: how long each tenth was read, and what share of the views came that far. */
function drawDepth(pen) {
  const { reached, band_ms: times, views } = heat.curves[device];
  const height = document.scrollingElement.scrollHeight / 10;
  const longest = Math.max(1, ...times);
  for (let tenth = 0; tenth < 10; tenth++) {
    const top = tenth * height - scrollY;
    if (top > innerHeight || top + height < 0) continue;
    pen.fillStyle = colour(times[tenth] / longest, 0.9);
    pen.fillRect(document.documentElement.clientWidth - STRIP_PX, top, STRIP_PX, height);
    if (!views) continue;
    const said = heat.words.came_here.replace("{share}", Math.round((100 * reached[tenth]) / views) + " %");
    pen.font = "600 12px system-ui, sans-serif";
    pen.textAlign = "right";
    pen.textBaseline = "top";
    const right = document.documentElement.clientWidth - STRIP_PX - 6;
    const width = pen.measureText(said).width;
    pen.fillStyle = "rgb(255 255 255 / 0.92)";
    pen.fillRect(right - width - 6, top + 2, width + 12, 20);
    pen.fillStyle = "#16202c";
    pen.fillText(said, right, top + 6);
  }
}

function redraw() {
  asked ||= requestAnimationFrame(draw);
}

function put(parent, name, text, props) {
  const made = document.createElement(name);
  made.textContent = text || "";
  parent.append(Object.assign(made, props));
  return made;
}

function choose(next) {
  device = next;
  look();
  say();
  redraw();
}

/** The legend says what is shown, and what could not be. */
function say() {
  shade.querySelector("section")?.remove();
  const legend = put(shade, "section");
  legend.setAttribute("role", "dialog");
  legend.setAttribute("aria-label", heat ? heat.words.title : "readbrief");
  if (!heat) return legend;
  const { words } = heat;
  put(legend, "h2", words.title);
  put(legend, "p", heat.whose, { className: "quiet" });
  const row = put(legend, "div", "", { className: "row" });
  for (const name of DEVICES) {
    const button = put(row, "button", words["device." + name], { type: "button", onclick: () => choose(name) });
    button.setAttribute("aria-pressed", name === device);
  }
  const lost = places.filter(({ element }) => !element).reduce((sum, { spot }) => sum + spot.clicks, 0);
  const all = places.reduce((sum, { spot }) => sum + spot.clicks, 0);
  put(legend, "p", words.counts.replace("{views}", heat.curves[device].views).replace("{clicks}", all));
  if (lost) put(legend, "p", words.lost.replace("{clicks}", lost), { className: "quiet" });
  put(legend, "div", "", { className: "scale" });
  put(legend, "p", words.scale, { className: "quiet" });
  if (device && device !== ownDevice()) put(legend, "p", words.other_layout, { className: "quiet" });
  put(legend, "button", words.close, { type: "button", onclick: close });
  return legend;
}

/** While it is open, the page can be scrolled and looked at, and nothing on it be done. */
function hold(event) {
  if (event.type === "keydown" && event.key === "Escape") close();
  if (event.composedPath().includes(host)) return;
  if (event.type === "keydown" && event.key !== "Enter") return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

const HELD = ["click", "auxclick", "submit", "keydown"];

function close() {
  quieten();
  clearInterval(timer);
  host.remove();
  for (const name of HELD) removeEventListener(name, hold, true);
  for (const name of ["scroll", "resize"]) removeEventListener(name, redraw, true);
}

/** Mark each link that is about to be followed, so that the page it leads to is silent, too. */
function quieten() {
  for (const name of ["click", "auxclick"]) addEventListener(name, mark, true);
}

function mark(event) {
  const link = event.composedPath().find((each) => each.href && each.matches?.("a, area"));
  if (!link || link.origin !== location.origin) return;
  const here = link.pathname === location.pathname && link.search === location.search;
  if (!here && !link.hash.startsWith("#rb-")) link.hash = "rb-off&" + link.hash.slice(1);
}

async function open() {
  const style = new CSSStyleSheet();
  style.replaceSync(STYLE);
  shade.adoptedStyleSheets = [style];
  host.style.cssText = "position:fixed;z-index:2147483647;inset:auto";
  shade.append(canvas);
  document.body.append(host);
  for (const name of HELD) addEventListener(name, hold, true);
  const token = /#rb-overlay=([\w.-]+)/.exec(location.hash)?.[1] || "";
  const answer = await fetch(collector + "/v1/overlay", { method: "POST", body: token }).catch(() => null);
  if (!answer?.ok) {
    const legend = say();
    put(legend, "h2", "readbrief");
    put(legend, "p", answer?.status === 403 ? "This link is not valid any more: open the page's figures and take a new one." :
      "The figures can't be had at the moment.");
    put(legend, "button", "Close", { type: "button", onclick: close }).focus();
    return;
  }
  heat = await answer.json();
  for (const name of ["scroll", "resize"]) addEventListener(name, redraw, { capture: true, passive: true });
  choose("");
  shade.querySelector("button").focus({ preventScroll: true });
  timer = setInterval(() => (look(), redraw()), AGAIN_MS);
}

/** Of a page that was come to from an overlay nothing is shown; its own fragment stands behind the mark. */
function stayQuiet() {
  quieten();
  const goal = document.getElementById(location.hash.slice("#rb-off&".length));
  goal?.scrollIntoView();
  const there = scrollY;
  // As a browser does for a fragment of its own: what came late (styles, pictures) has moved the goal.
  addEventListener("load", () => scrollY === there && goal?.scrollIntoView());
}

const begin = /^#rb-overlay=/.test(location.hash) ? open : stayQuiet;
// Not as soon as there is a body: the goal may stand in what has not come yet.
if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
else begin();
