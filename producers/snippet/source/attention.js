// Which part of a page has had how much of the reader's time.

const MAX_SECTIONS = 50;

/** Nothing read so far. */
export function noAttention() {
  return { bands: Array(10).fill(0), sections: new Map() };
}

/** Share milliseconds among bands and sections, by the part of the window, from top to bottom, that each one fills. */
export function share(attention, { rows, height }, top, bottom, ms) {
  const end = Math.min(bottom, height);
  const msPerPx = ms / Math.max(1, end - top);
  const part = (from, to) => Math.max(0, Math.min(end, to) - Math.max(top, from)) * msPerPx;
  attention.bands = attention.bands.map((had, n) => had + part((n * height) / 10, ((n + 1) * height) / 10));
  rows.forEach((row, n) => {
    const more = part(row.top, rows[n + 1] ? rows[n + 1].top : height) / row.sections.length;
    if (more > 0) for (const section of row.sections) attend(attention.sections, section, more);
  });
}

function attend(sections, { key, title }, more) {
  const had = sections.get(key);
  if (had || sections.size < MAX_SECTIONS) sections.set(key, { title, ms: (had ? had.ms : 0) + more });
}
