// What plain HTML cannot do: colours, copying, running clocks, keys. Pages work without it.
"use strict";

const root = document.documentElement;
const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (button?.id === "theme") {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* for this page only */ }
  } else if (button?.dataset.copy) {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }
});

// A page that nobody sees need not be fetched again, nor one in which something is being typed or chosen.
document.addEventListener("htmx:before:request", (event) => {
  const polls = event.detail?.ctx?.sourceElement?.id === "main";
  if (polls && (document.hidden || !document.getSelection().isCollapsed)) event.preventDefault();
});

// A service that is down or cannot use its database leaves the page as it was, and the page asks on.
document.addEventListener("htmx:finally:request", (event) => {
  const { sourceElement, status, response } = event.detail.ctx;
  if (sourceElement?.id !== "main" || !(response || status?.startsWith("error"))) return;
  const told = !response || response.status >= 500 ? "The service does not answer now. This is what it said before; the page goes on when it is back." : "";
  const stale = document.getElementById("stale");
  if (stale.textContent !== told) stale.textContent = told;
});

// A form that is on its way is not sent twice; it may be when the browser comes back to the page.
let sent = new WeakMap();
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (performance.now() - sent.get(event.target) < 10_000) event.preventDefault();
  else sent.set(event.target, performance.now());
});
addEventListener("pageshow", () => { sent = new WeakMap(); });

// What the service says the time is, counted on by this machine until the service says it anew.
let said = 0, heard = 0;
const hear = () => {
  const clock = document.querySelector("#clock time");
  const now = clock ? Date.parse(clock.dateTime) : Date.now();
  if (now !== said) { said = now; heard = performance.now(); }
  return { clock, now: clock && !("running" in clock.dataset) ? said : said + performance.now() - heard };
};
const span = (seconds) => {
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]].filter(([unit]) => seconds >= unit).slice(0, 2);
  return parts.map(([unit, name], i) => `${Math.floor((i ? seconds % parts[0][0] : seconds) / unit)} ${name}`).join(" ") || "0 s";
};
setInterval(() => {
  const { clock, now } = hear();
  if (clock) clock.textContent = new Date(now).toISOString().slice(0, 19).replace("T", " ") + " UTC";
  for (const time of document.querySelectorAll("time[data-countdown]")) {
    const seconds = Math.round((Date.parse(time.dateTime) - now) / 1000);
    time.textContent = seconds > 0 ? `in ${span(seconds)}` : "now";
  }
}, 500);

let lead = "";
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const open of document.querySelectorAll("details:is(.turning, .account)[open]")) {
      open.open = false;
      open.querySelector("summary").focus();
    }
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
  const entry = lead === "g" && document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`);
  lead = event.key;
  if (entry) location.assign(entry.href);
  else if (event.key === "?") document.getElementById("keys").showModal();
  else if (event.key === "/") { event.preventDefault(); document.querySelector(".search input")?.focus(); }
});
