// Which part of a page has had how much of the reader's time.

const MAX_SECTIONS = 50;

/** Nothing read so far. */
export function noAttention() {
  return { bands: Array(10).fill(0), sections: new Map() };
}

/** Share milliseconds among bands and sections, by the part of the window, from top to bottom, that each one fills. */
export function share(attention, layout, top, bottom, ms) {
  const end = Math.min(bottom, layout.height);
  const msPerPx = ms / Math.max(1, end - top);
  const part = (from, to) => Math.max(0, Math.min(end, to) - Math.max(top, from)) * msPerPx;
  const band = layout.height / 10;
  attention.bands = attention.bands.map((had, n) => had + part(n * band, (n + 1) * band));
  for (const section of layout.sections) {
    if (section.top >= end) break;
    if (section.bottom <= top) continue;
    const had = attention.sections.get(section.key);
    const ms = part(section.top, section.bottom) + (had?.ms || 0);
    if (had || attention.sections.size < MAX_SECTIONS) attention.sections.set(section.key, { title: section.title, ms });
  }
}
