// Shows how far something is while it goes on: fetches the page again and takes over what is marked.
// Without it one reloads the page.
"use strict";
const EVERY_MS = 2000;
const watch = async () => {
  const shown = document.querySelector("[data-progress]");
  if (!shown?.querySelector("progress")) return;
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-progress]");
      if (answer.ok && fresh) {
        const isOver = !fresh.querySelector("progress");
        // What can be pressed is left alone, so that nobody loses their place; the end is another page.
        if (isOver) { location.reload(); return; }
        for (const part of shown.querySelectorAll("[data-part]")) {
          const now = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
          if (now) part.replaceChildren(...now.childNodes);
        }
      }
    } catch {
      // The store is away for a moment: the next look shows more.
    }
  }
  setTimeout(watch, EVERY_MS);
};
setTimeout(watch, EVERY_MS);
