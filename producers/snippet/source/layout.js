// Where things are: what scrolls, how tall it is, and where its sections begin.
// Read only where the browser has just worked out the layout, so that nothing here ever makes it do so.

import { cut } from "./values.js";
import { textOf } from "./words.js";

const MAX_HEADINGS = 200; // of each level
const HEADINGS_AT_ONCE = 4;
const SAME_ROW_PX = 8;

/** What scrolls: the page, or in an app shell the box that fills most of the window. */
function scroller(page) {
  if (page.scrollHeight <= page.clientHeight + 1) {
    for (let box = document.elementFromPoint(innerWidth / 2, innerHeight / 2); box; box = box.parentElement) {
      const scrolls = box.scrollHeight > box.clientHeight + 1 && box.clientHeight > innerHeight / 2;
      if (scrolls && /auto|scroll/.test(getComputedStyle(box).overflowY)) return box;
    }
  }
  return page;
}

/** Banners and pinned headers move with the reader, so their headings start no section. */
function pinned(heading, root) {
  for (let box = heading.offsetParent; box && box !== root && root.contains(box); box = box.offsetParent) {
    if (/fixed|sticky/.test(getComputedStyle(box).position)) return true;
  }
}

/** The section's id if its heading has one, else its title; numbered where it comes again. */
function keyOf(heading, title, seen) {
  const key = cut(heading.id || title, 190) || "section";
  const times = (seen[key] = (seen[key] || 0) + 1);
  return times > 1 ? key + "-" + times : key;
}

/** Measure all that changes rarely, in slices so small that no frame is late. */
export function* measure() {
  const page = document.scrollingElement;
  const root = scroller(page);
  const isPage = root === page;
  const { left, top } = isPage ? { left: 0, top: 0 } : root.getBoundingClientRect();
  const sections = [];
  const seen = { __proto__: null };
  // One level at a time: the browser finds a single tag name many times faster than a list of them.
  for (const level of ["h1", "h2", "h3"]) {
    yield;
    for (const [n, heading] of [...root.querySelectorAll(level)].slice(0, MAX_HEADINGS).entries()) {
      if (!(n % HEADINGS_AT_ONCE)) yield;
      const box = heading.getBoundingClientRect();
      if (!box.height || pinned(heading, root)) continue;
      const title = textOf(heading);
      sections.push({ key: keyOf(heading, title, seen), title, top: box.top + root.scrollTop - top });
    }
  }
  yield;
  const height = root.scrollHeight || 1;
  sections.sort((a, b) => a.top - b.top);
  for (const [n, section] of sections.entries()) {
    // Headings side by side begin a section each, and all end where the next row begins.
    let next = n;
    while (sections[next]?.top <= section.top + SAME_ROW_PX) next++;
    section.bottom = sections[next]?.top ?? height;
  }
  return { root, left, top, sections, height, room: isPage ? innerHeight : root.clientHeight };
}
