// Keeps a page current while it is looked at. Without this script the page is the same, as of when it was opened.
"use strict";

(() => {
  const main = document.querySelector("main[data-live]");
  if (!main) return;
  const seconds = Math.max(2, Number(main.dataset.live) || 10);
  let tag = "";

  const busy = () => {
    const at = document.activeElement;
    const inside = at && main.contains(at) && at !== main;
    return document.hidden || (inside && at.matches("input, select, textarea")) || main.querySelector("dialog[open]");
  };

  // What has the focus, and which details are open, by their place in the page, stays so.
  const place = (element, root) => {
    const steps = [];
    for (let at = element; at && at !== root; at = at.parentElement) {
      steps.unshift([...at.parentElement.children].indexOf(at));
    }
    return steps;
  };
  const find = (steps, root) => steps.reduce((at, step) => at && at.children[step], root);

  const replace = (html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("main[data-live]");
    if (!fresh || fresh.innerHTML === main.innerHTML) return;
    const focused = main.contains(document.activeElement) ? place(document.activeElement, main) : null;
    const open = [...main.querySelectorAll("details[open]")].map((each) => place(each, main));
    const opened = open.map((steps) => find(steps, fresh)).filter((each) => each && each.matches("details"));
    opened.forEach((each) => each.setAttribute("open", ""));
    main.replaceChildren(...fresh.childNodes);
    const target = focused && find(focused, main);
    if (target && target.focus) target.focus({ preventScroll: true });
  };

  const look = async () => {
    if (!busy()) {
      try {
        const answer = await fetch(location.href, {
          headers: tag ? { "If-None-Match": tag } : {},
          cache: "no-store",
          redirect: "error",
          credentials: "same-origin",
        });
        if (answer.status === 200) {
          tag = answer.headers.get("ETag") || "";
          replace(await answer.text());
        }
      } catch {
        // The server is away, or the session is over: the next look, or the next click, tells.
      }
    }
    setTimeout(look, seconds * 1000);
  };
  setTimeout(look, seconds * 1000);
})();

// A week's page stands in a frame: as high as it is, so that one thing scrolls and not two.
(() => {
  const frame = document.querySelector("iframe.week");
  if (!frame) return;
  const fit = () => {
    const inside = frame.contentDocument;
    if (inside && inside.body) frame.style.height = `${inside.documentElement.offsetHeight + 4}px`;
  };
  frame.addEventListener("load", fit);
  window.addEventListener("resize", fit);
  fit();
})();
