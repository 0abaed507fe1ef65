// Clicks, and forms sent. Never what was typed, but for the fields that the page itself has opted in.

import { locate, pushOfPage, viewport } from "./reading.js";
import { cut, fraction } from "./values.js";
import { describe, textOf } from "./words.js";

const INTERACTIVE = "a,button,input,select,textarea,label,summary,[role=button],[role=tab]";

export function click(event) {
  if (event.type === "auxclick" && event.button !== 1) return; // the middle button opens links, too
  const actor = event.target.closest(INTERACTIVE);
  const element = actor || event.target;
  const link = event.target.closest("a[href]");
  const box = element.getBoundingClientRect();
  const byKey = !event.detail && !event.clientX && !event.clientY; // then it has no place: take the middle
  const x = byKey ? box.left + box.width / 2 : event.clientX;
  const y = byKey ? box.top + box.height / 2 : event.clientY;
  pushOfPage("click", {
    element: describe(element),
    text: actor || !element.firstElementChild ? textOf(element) : "",
    href: link ? cut(`${link.href}`.replace(/#rb=[^&]*&?/, "#"), 2000) : "",
    element_x: fraction(x - box.left, box.width),
    element_y: fraction(y - box.top, box.height),
    ...locate(x, y),
    viewport: viewport(),
  });
}

/** A password is one even while its text is shown. */
function fieldsOf(form) {
  const fields = {};
  const opted = Array.from(document.querySelectorAll("[data-rb-field]")).filter((field) => {
    const kind = field.type + " " + field.autocomplete;
    const left = /password|^file|cc-/.test(kind) || (/^(checkbox|radio)/.test(kind) && !field.checked);
    return field.form === form && !left && !field.closest("[data-rb-mask]");
  });
  for (const field of opted.slice(0, 30)) fields[cut(field.dataset.rbField || field.name, 200)] = cut(field.value, 500);
  return fields;
}

export function submit({ target }) {
  const name = target.getAttribute("name") || target.getAttribute("id");
  pushOfPage("form_submit", { form: cut(name, 200) || describe(target), fields: fieldsOf(target) });
}
