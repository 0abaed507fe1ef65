// Reports that could not be sent, kept for the next try. The oldest go first when there are too many.

import { UNSENT, recall, remember } from "./storage.js";

const MAX_REPORTS = 20;
const MAX_CHARS = 48 * 1024;

export function unsent() {
  try {
    return JSON.parse(recall(UNSENT)).filter((report) => report.events[0].event_id);
  } catch {
    return [];
  }
}

/** Keep or drop a report; returns those that are kept. */
export function keep(report, wanted) {
  let reports = unsent().filter((other) => other.events[0].event_id !== report.events[0].event_id);
  if (wanted) reports = [...reports, report].slice(-MAX_REPORTS);
  while (JSON.stringify(reports).length > MAX_CHARS) reports.shift();
  remember(UNSENT, reports[0] && JSON.stringify(reports));
  return reports;
}
