// Clicks, copies, and forms sent. Never what was typed, but for the fields that the page itself has opted in.

import { awaitReaction, happened, isRage } from "./reaction.js";
import { locate, pushOfPage, viewport } from "./reading.js";
import { clock, cut, fraction } from "./values.js";
import { describe, textOf } from "./words.js";

const BUTTONS = "a,button,summary,[role=button],[role=tab]";
const FIELDS = "input,select,textarea,label"; // they take the focus or the choice, which is change enough

/** Whether the link leads to another page: that may open slowly, or elsewhere, and shows nothing on this one. */
function leadsAway(href) {
  return href && !/^javascript:/.test(href) && href.split("#")[0] !== location.href.split("#")[0];
}

export function click(event) {
  if (event.button > 1) return; // the middle button opens links, too
  const actor = event.target.closest(BUTTONS + "," + FIELDS);
  const element = actor || event.target;
  const link = event.target.closest("a[href]");
  const href = link ? `${link.href}` : "";
  const box = element.getBoundingClientRect();
  const byKey = !event.detail; // then it has no place: take the middle
  const x = byKey ? box.left + box.width / 2 : event.clientX;
  const y = byKey ? box.top + box.height / 2 : event.clientY;
  const fields = {
    occurred_ms: clock(),
    element: describe(element),
    text: actor || !element.firstElementChild ? textOf(element) : "",
    href: href && cut(href.replace(/#rb=[^&]*&?/, "#"), 2000),
    element_x: fraction(x - box.left, box.width),
    element_y: fraction(y - box.top, box.height),
    ...locate(x, y),
    viewport: viewport(),
    download: !!link?.hasAttribute("download"),
    rage: isRage(x, y),
  };
  const tell = (dead) => pushOfPage("click", { ...fields, dead });
  const promises = actor ? actor.matches(BUTTONS) : getComputedStyle(element).cursor === "pointer";
  awaitReaction(tell, promises && !leadsAway(href));
}

/** Only how much was copied. */
export function copy() {
  const chars = `${getSelection()}`.length;
  if (chars) pushOfPage("copy", { chars });
}

/** A password is one even while its text is shown. */
function fieldsOf(form) {
  const fields = {};
  const opted = [...document.querySelectorAll("[data-rb-field]")].filter((field) => {
    const kind = field.type + " " + field.autocomplete;
    const left = /password|^file|cc-/.test(kind) || (/^(checkbox|radio)/.test(kind) && !field.checked);
    return field.form === form && !left && !field.closest("[data-rb-mask]");
  });
  for (const field of opted.slice(0, 30)) fields[cut(field.dataset.rbField || field.name, 200)] = cut(field.value, 500);
  return fields;
}

export function submit({ target }) {
  happened();
  const name = target.getAttribute("name") || target.getAttribute("id");
  pushOfPage("form_submit", { form: cut(name, 200) || describe(target), fields: fieldsOf(target) });
}
