// Before the first paint: which colours somebody chose, and that there is JavaScript at all.
document.documentElement.classList.add("js");
try { document.documentElement.dataset.theme = localStorage.getItem("theme") || ""; } catch { /* not kept */ }
