// Replaces the list when something new has come, so that an open mail and the place on the page stay as they are.
const chat = document.body.classList.contains("chat");
let seen;

async function look() {
  const answer = await fetch("/count");
  const { mails, messages } = await answer.json();
  const state = mails + "/" + messages;
  if (seen !== undefined && state !== seen) {
    const page = await (await fetch(chat ? "/chat" : location.pathname)).text();
    const fresh = new DOMParser().parseFromString(page, "text/html");
    for (const id of ["list", "mail-count", "chat-count"]) {
      const now = fresh.getElementById(id);
      if (now) document.getElementById(id).replaceWith(now);
    }
  }
  seen = state;
}

setInterval(() => look().catch(() => undefined), 1000); // the demo may have been stopped
