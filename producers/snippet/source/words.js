// The words of a page, without those that are nobody's business.

import { cut } from "./values.js";

const PRIVATE = "[data-rb-mask],input,textarea,select,[contenteditable],script,style";
const BLOCK = /^(br|div|h\d|li|p|t[dr])$/;

function gather(node, room) {
  let text = "";
  for (let child = node.firstChild; child && text.length < room; child = child.nextSibling) {
    if (child.nodeType === 3) text += child.data.slice(0, room);
    else if (child.nodeType === 1 && !child.matches(PRIVATE)) {
      const gap = BLOCK.test(child.localName) ? " " : "";
      text += gap + gather(child, room - text.length) + gap;
    }
  }
  return text;
}

/** What an element says; nothing where it is masked or typed in. */
export function textOf(element) {
  if (element.closest(PRIVATE)) return "";
  return cut(gather(element, 1000), 200) || cut(element.getAttribute("aria-label"), 200);
}

/** Such as a.cta#buy. The id is read as an attribute, since a form's own field may hide the property. */
export function describe(element) {
  const classes = [...element.classList].slice(0, 3);
  const id = element.getAttribute("id");
  return cut([element.localName, ...classes].join(".") + (id ? "#" + id : ""), 200);
}
