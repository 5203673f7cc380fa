"use strict";
(() => {
  const form = document.querySelector("form.filter");
  if (form) {
    const parts = [...document.querySelectorAll("article[data-severity]")];
    const texts = new Map(parts.map((part) => [part, part.textContent.toLowerCase()]));
    const told = form.querySelector("output");
    const narrow = () => {
      const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
      const severities = new Set([...form.querySelectorAll("input[name=severity]:checked")].map((box) => box.value));
      let shown = 0;
      for (const part of parts) {
        const text = texts.get(part);
        const keep = severities.has(part.dataset.severity) && words.every((word) => text.includes(word));
        part.classList.toggle("off", !keep);
        shown += keep;
      }
      told.textContent = `${shown} of ${parts.length} shown`;
    };
    form.addEventListener("input", narrow);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    narrow();
    const follow = () => {
      const target = location.hash && document.getElementById(location.hash.slice(1));
      const part = target && target.closest("article.off");
      if (part) {
        part.classList.remove("off");
        target.scrollIntoView();
      }
    };
    addEventListener("hashchange", follow);
  }
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const number = head.classList.contains("num");
        const before = head.getAttribute("aria-sort");
        const up = before ? before === "descending" : !number;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const key = (row) => {
          const text = row.cells[place].textContent.trim();
          return number ? Number(text.replace(/[^0-9.-]/g, "")) || 0 : text.toLowerCase();
        };
        const body = table.tBodies[0];
        const rows = [...body.rows].map((row) => [key(row), row]);
        rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (up ? 1 : -1));
        body.append(...rows.map(([, row]) => row));
      });
    });
  }
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details.paper:not([open])")];
    opened.forEach((part) => (part.open = true));
  });
  addEventListener("afterprint", () => opened.forEach((part) => (part.open = false)));
})();
