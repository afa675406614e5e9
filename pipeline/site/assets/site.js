// Sortable tables and copying, on every page. Without scripts the pages are whole.
"use strict";
(() => {
  const number = (text) => {
    const found = text.replace(/[\s\u00a0\u202f]/g, "").match(/^[\u2212-]?[\d.,]+/);
    if (!found) return null;
    let digits = found[0].replace("\u2212", "-");
    const marks = digits.replace(/[^.,]/g, "");
    const last = marks.slice(-1);
    if (marks.length === 1 && /[.,]\d{3}$/.test(digits)) digits = digits.replace(last, "");
    else digits = digits.split(last).map((part) => part.replace(/[.,]/g, "")).join(".");
    return Number.parseFloat(digits);
  };

  const sort = (table, column, direction) => {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => {
      const text = row.cells[column].textContent.trim();
      return { row, text, number: number(text) };
    });
    rows.sort((a, b) => {
      if (a.number !== null && b.number !== null) return direction * (a.number - b.number);
      if (a.number !== null || b.number !== null) return a.number === null ? 1 : -1;
      return direction * a.text.localeCompare(b.text, document.documentElement.lang);
    });
    body.append(...rows.map((each) => each.row));
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
        sort(table, column, direction);
      });
    });
  }

  window.copyText = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };

  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await window.copyText(document.getElementById(button.dataset.copy).textContent);
      button.parentElement.querySelector(".status").textContent = "✓";
    });
  }
})();
