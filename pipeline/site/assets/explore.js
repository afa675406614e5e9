// Explore: filter, sort, copy and download the published estimates of one indicator.
"use strict";
(() => {
  const codes = read("codes");
  const words = read("words");
  const by = (id) => document.getElementById(id);
  const waves = new Map(codes.waves.map((row) => [row[0], row]));
  const domains = new Map(codes.domains.map((row) => [row[0], row]));
  const NAMES = ["wave", "country", "indicator", "category", "domain", "domain_code", "value", "ci_low", "ci_high", "n", "se", "flag", "note"];
  const PAGE = 300;
  let rows = [];
  let shown = [];
  let limit = PAGE;
  let order = { key: null, direction: 1 };

  const unpack = (indicator, parts) =>
    parts.flatMap(([wave, domain, cells]) => {
      const labels = domains.get(domain);
      const digits = (value) => (value === null || value === undefined ? 0 : (String(value).split(".")[1] || "").length);
      const decimals = Math.max(...cells.flatMap((cell) => [digits(cell[2]), digits(cell[3]), digits(cell[4])]));
      const ordered = [...cells].sort((a, b) => a[1] - b[1] || a[0] - b[0]);
      return ordered.map(([category, code, value = null, low = null, high = null, n = null, se = null, flag = null, note = null]) => {
        const [key, name] = codes.categories[indicator][category];
        const [cell, group] = labels[2][code];
        const place = waves.get(wave);
        return {
          keys: [wave, place[2], indicator, key, domain, cell, value, low, high, n, se, flag, note],
          wave: place[1], country: place[2], waveKey: wave, category: name, categoryKey: key,
          domain: labels[1], domainKey: domain, group, value, low, high, n, flag,
          interval: low, note, decimals,
        };
      });
    });

  const load = async () => {
    const indicator = by("f-indicator").value;
    by("status").textContent = words.loading;
    rows = unpack(indicator, await table(codes.package, indicator));
    const crossed = codes.domains.some((each) => each[0] === by("f-domain").value && each[3] > 1);
    if (crossed) rows = rows.concat(unpack(indicator, await table(codes.package, `${indicator}.crossed`)));
    show();
  };

  const fill = (keep) => {
    const indicator = by("f-indicator").value;
    const all = ["", words.all_word];
    options(by("f-category"), [all, ...codes.categories[indicator]]);
    if (keep) return;
    options(by("f-country"), [all, ...new Map(codes.waves.map((row) => [row[2], row[3]]))]);
    options(by("f-wave"), [all, ...codes.waves.map((row) => [row[0], row[1]])]);
    options(by("f-domain"), [all, ...codes.domains.map((row) => [row[0], row[1]])]);
    by("f-domain").value = codes.total;
  };

  const wanted = (row) => {
    const text = by("f-text").value.trim().toLocaleLowerCase();
    return (
      (!by("f-category").value || row.categoryKey === by("f-category").value) &&
      (!by("f-country").value || row.country === by("f-country").value) &&
      (!by("f-wave").value || row.waveKey === by("f-wave").value) &&
      (!by("f-domain").value || row.domainKey === by("f-domain").value) &&
      (!text || `${row.wave} ${row.category} ${row.domain} ${row.group} ${row.note || ""}`.toLocaleLowerCase().includes(text))
    );
  };

  const show = () => {
    shown = rows.filter(wanted);
    if (order.key) {
      shown.sort((a, b) => {
        const [left, right] = [a[order.key], b[order.key]];
        if (left === null || right === null) return (left === null) - (right === null);
        return order.direction * (typeof left === "number" ? left - right : left.localeCompare(right, document.documentElement.lang));
      });
    }
    const body = by("result").tBodies[0];
    body.replaceChildren(...shown.slice(0, limit).map(line));
    by("more").hidden = shown.length <= limit;
    by("status").textContent = shown.length
      ? words.rows_of.replace("{shown}", Math.min(limit, shown.length)).replace("{all}", shown.length)
      : words.no_rows;
  };

  const line = (row) => {
    const element = document.createElement("tr");
    const cells = [
      row.wave, row.category, row.domain, row.group,
      row.value === null ? ":" : format(row.value, words, row.decimals),
      row.low === null ? "" : `${format(row.low, words, row.decimals)}–${format(row.high, words, row.decimals)}`,
      format(row.n, words),
    ];
    cells.forEach((text, at) => {
      const cell = document.createElement(at ? "td" : "th");
      if (!at) cell.scope = "row";
      if (at > 3) cell.className = "num";
      cell.textContent = text;
      element.append(cell);
    });
    const last = document.createElement("td");
    if (row.flag) {
      const mark = document.createElement("abbr");
      mark.className = "flag";
      mark.title = words[`flag_${row.flag}`] || row.flag;
      mark.textContent = row.flag.slice(-1).toLowerCase() === "f" ? "q" : row.flag.slice(-1).toLowerCase();
      last.append(mark);
    }
    if (row.note) last.append(` ${row.note}`);
    element.append(last);
    return element;
  };

  const separated = (mark) => {
    const quoted = (value) => {
      const text = value === null ? "" : String(value);
      return text.includes(mark) || /["\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    return [NAMES, ...shown.map((row) => row.keys)].map((each) => each.map(quoted).join(mark)).join("\n") + "\n";
  };

  const start = () => {
    options(by("f-indicator"), codes.indicators);
    const asked = decodeURIComponent(location.hash.slice(1));
    if (codes.indicators.some((row) => row[0] === asked)) by("f-indicator").value = asked;
    fill(false);
    by("f-indicator").addEventListener("change", () => {
      fill(true);
      limit = PAGE;
      load();
    });
    for (const id of ["f-category", "f-country", "f-wave"]) by(id).addEventListener("change", () => { limit = PAGE; show(); });
    by("f-domain").addEventListener("change", () => { limit = PAGE; load(); });
    by("f-text").addEventListener("input", show);
    by("filters").addEventListener("submit", (event) => event.preventDefault());
    by("more").addEventListener("click", () => { limit += 1000; show(); });
    by("copy").addEventListener("click", async () => {
      await copyText(separated("\t"));
      by("status").textContent = words.copied;
    });
    by("download").addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([separated(",")], { type: "text/csv" }));
      link.download = `${codes.package}-${by("f-indicator").value}.csv`;
      link.click();
      URL.revokeObjectURL(link.href);
    });
    for (const button of document.querySelectorAll("[data-sort]")) {
      button.addEventListener("click", () => {
        const head = button.parentElement;
        const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        for (const other of document.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
        order = { key: button.dataset.sort, direction };
        show();
      });
    }
    load();
  };
  start();
})();
