// Makes the page live: incidents come by server-sent events, the filter acts as
// one types. Without it the page works, and stands still.
"use strict";

const mostRows = 500;
const form = document.getElementById("filter");
const list = document.getElementById("list");
const state = document.getElementById("state");
let source = null;

function query() {
  const q = new URLSearchParams(new FormData(form));
  for (const [name, value] of [...q]) if (value === "") q.delete(name);
  return q;
}

function say(text, live) {
  state.textContent = text;
  state.classList.toggle("live", live);
}

// listen follows the filter of the page from the last change that it shows.
function listen() {
  if (source) source.close();
  const q = query();
  q.set("seen", document.getElementById("rows").dataset.seen);
  source = new EventSource("/events?" + q);
  source.addEventListener("open", () => say("Live", true));
  source.addEventListener("error", () => say("The console does not answer. The page tries again.", false));
  source.addEventListener("restart", () => refresh());
  source.addEventListener("incidents", (e) => take(JSON.parse(e.data), e.lastEventId));
}

function take(push, seen) {
  const numbers = document.getElementById("numbers");
  const focused = numbers.contains(document.activeElement) ? document.activeElement.dataset.window : null;
  numbers.innerHTML = push.numbers;
  if (focused) numbers.querySelector(`[data-window="${CSS.escape(focused)}"]`)?.focus();
  if (push.whole) {
    refresh();
    return;
  }
  const rows = document.getElementById("rows");
  rows.dataset.seen = seen;
  const held = rows.contains(document.activeElement) ? document.activeElement.closest("tr").id : null;
  for (const { id, html } of push.rows || []) {
    document.getElementById("i-" + id)?.remove();
    rows.insertAdjacentHTML("afterbegin", html);
    rows.firstElementChild.classList.add("fresh");
    document.getElementById("empty")?.remove();
  }
  while (rows.children.length > mostRows) rows.lastElementChild.remove();
  if (held) document.getElementById(held)?.querySelector("a").focus();
}

// refresh shows the latest incidents that the filter chooses.
let latest = 0;
async function refresh() {
  const turn = ++latest;
  const q = query();
  try {
    const reply = await fetch("/rows?" + q);
    if (turn !== latest) return;
    if (!reply.ok) throw new Error(reply.statusText);
    list.innerHTML = await reply.text();
    history.replaceState(null, "", "/?" + q);
  } catch {
    say("The console does not answer. The page tries again.", false);
    setTimeout(() => { if (turn === latest) refresh(); }, 2000);
    return;
  }
  listen();
}

if (form) {
  let wait = 0;
  form.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(refresh, 200);
  });
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    refresh();
  });
  document.addEventListener("click", (e) => {
    const chosen = e.target.closest("[data-window]");
    if (!chosen || e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    form.elements.window.value = chosen.dataset.window;
    refresh();
  });
  document.addEventListener("keydown", (e) => {
    if (e.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) {
      e.preventDefault();
      form.elements.q.focus();
    }
  });
  const paged = new URLSearchParams(location.search).has("before");
  if (paged) say("Older incidents", false);
  else listen();
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}
