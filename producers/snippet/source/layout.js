// Where things are: what scrolls, how tall it is, and where its sections begin.
// To be called in an animation frame only: there the browser is about to work out the layout anyway.

import { cut } from "./values.js";
import { textOf } from "./words.js";

const MAX_HEADINGS = 300;
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
  return false;
}

/** The section's id if its heading has one, else its title as one word; numbered where it comes again. */
function keyOf(heading, title, seen) {
  const slug = title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 80);
  const key = cut(heading.id || slug.replace(/^-|-$/g, ""), 190) || "section";
  seen[key] = (seen[key] || 0) + 1;
  return seen[key] > 1 ? key + "-" + seen[key] : key;
}

function sectionsOf(root, offset) {
  const sections = [];
  const seen = { __proto__: null };
  for (const heading of Array.from(root.querySelectorAll("h1,h2,h3")).slice(0, MAX_HEADINGS)) {
    const { top, height } = heading.getBoundingClientRect();
    if (!height || pinned(heading, root)) continue;
    const title = textOf(heading);
    sections.push({ key: keyOf(heading, title, seen), title, top: top + offset });
  }
  return sections.sort((a, b) => a.top - b.top);
}

/** Measure all that changes rarely. Headings side by side share a row, and its time. */
export function measure() {
  const page = document.scrollingElement || document.documentElement;
  const root = scroller(page);
  const isPage = root === page;
  const { left, top } = isPage ? { left: 0, top: 0 } : root.getBoundingClientRect();
  const rows = [];
  for (const section of sectionsOf(root, root.scrollTop - top)) {
    const row = rows[rows.length - 1];
    if (row && section.top - row.top < SAME_ROW_PX) row.sections.push(section);
    else rows.push({ top: section.top, sections: [section] });
  }
  return { root, left, top, rows, room: isPage ? innerHeight : root.clientHeight, height: root.scrollHeight || 1 };
}
