// Compare: two waves and an indicator, as the published comparisons have them.
"use strict";
(() => {
  const choices = document.getElementById("choices");
  if (!choices) return;
  const codes = read("codes");
  const words = read("words");
  const by = (id) => document.getElementById(id);
  const waves = new Map(codes.waves.map((row) => [row[0], row[1]]));
  const domains = new Map(codes.domains.map((row) => [row[0], row]));

  const element = (tag, text, name) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (name) made.className = name;
    return made;
  };

  const rowsOf = (all, waveA, waveB) =>
    all
      .filter((part) => (part[0] === waveA && part[1] === waveB) || (part[0] === waveB && part[1] === waveA))
      .flatMap(([a, , scope, verdict, reasons, cells]) =>
        cells.map(([category, domain, code, valueA, valueB, difference, low, high, p, adjusted]) => {
          const turned = a !== waveA;
          const turn = (value) => (value === null || !turned ? value : -value);
          return {
            category, domain, code, scope, verdict,
            reasons: reasons ? reasons.split("|") : [],
            first: turned ? valueB : valueA,
            second: turned ? valueA : valueB,
            difference: turn(difference),
            low: turned ? turn(high) : low,
            high: turned ? turn(low) : high,
            p, adjusted,
          };
        }),
      );

  const chance = (p) => (p !== null && p < 0.0001 ? `<${format(0.0001, words)}` : format(p, words, 4));

  const label = (indicator, row) => {
    const category = (codes.categories[indicator].find((each) => each[0] === row.category) || [0, row.category])[1];
    if (row.domain === codes.total) return [category, words.everyone];
    const domain = domains.get(row.domain);
    const cell = domain && domain[2].find((each) => each[0] === row.code);
    return [category, domain ? `${domain[1]}: ${cell ? cell[1] : row.code}` : row.code];
  };

  const answer = (indicator, rows) => {
    const made = [];
    const order = ["comparable", "like_for_like", "caution", "not_comparable"];
    const main = rows.filter((row) => row.domain === codes.total);
    const counted = new Map();
    for (const row of main.length ? main : rows) counted.set(row.verdict, (counted.get(row.verdict) || 0) + 1);
    const usual = [...counted].sort((a, b) => b[1] - a[1] || order.indexOf(b[0]) - order.indexOf(a[0]))[0][0];
    const chosen = (main.length ? main : rows).find((row) => row.verdict === usual);
    const box = element("div", undefined, `verdict ${chosen.verdict}`);
    box.append(element("strong", words[`verdict_${chosen.verdict}`]));
    const reasons = [...new Set((main.length ? main : rows).filter((row) => row.verdict === usual).flatMap((row) => row.reasons))];
    if (reasons.length) {
      const list = element("ul");
      for (const reason of reasons) list.append(element("li", codes.reasons[reason] || reason));
      box.append(list);
    }
    if (chosen.scope) box.append(element("p", `${words.scope_shared} ${codes.scopes[chosen.scope] || chosen.scope}`));
    if (chosen.verdict === "not_comparable") box.append(element("p", words.apart_no_difference));
    made.push(box);
    const table = element("table");
    const head = element("tr");
    const names = [words.category, words.group, waves.get(by("c-a").value), waves.get(by("c-b").value), words.difference, words.interval, words.p_value, words.p_adjusted];
    names.forEach((name, at) => {
      const cell = element("th", name, at > 1 ? "num" : "");
      cell.scope = "col";
      head.append(cell);
    });
    table.append(element("thead"), element("tbody"));
    table.tHead.append(head);
    const digits = (row) => Math.max(...[row.first, row.second, row.difference, row.low, row.high].map((value) => (value === null ? 0 : (String(value).split(".")[1] || "").length)));
    const decimals = Math.max(...rows.filter((row) => row.domain === codes.total).map(digits), 0);
    const place = (row) => codes.categories[indicator].findIndex((each) => each[0] === row.category);
    const area = (row) => codes.domains.findIndex((each) => each[0] === row.domain);
    rows.sort((a, b) => area(a) - area(b) || a.code.localeCompare(b.code) || place(a) - place(b));
    for (const row of rows) {
      const many = row.domain === codes.total ? decimals : digits(row);
      const line = element("tr");
      const apart = row.difference === null;
      const [category, group] = label(indicator, row);
      const texts = [
        category, group, format(row.first, words, many), format(row.second, words, many),
        apart ? words[`verdict_${row.verdict}`] : (row.difference > 0 ? "+" : "") + format(row.difference, words, many),
        row.low === null ? "" : `${format(row.low, words, many)} – ${format(row.high, words, many)}`,
        chance(row.p), chance(row.adjusted),
      ];
      texts.forEach((text, at) => {
        const cell = element(at ? "td" : "th", text, at > 1 ? "num" : "");
        if (!at) cell.scope = "row";
        line.append(cell);
      });
      table.tBodies[0].append(line);
    }
    const wide = element("div", undefined, "wide");
    wide.tabIndex = 0;
    wide.setAttribute("role", "group");
    wide.setAttribute("aria-label", words.difference);
    wide.append(table);
    made.push(wide);
    return made;
  };

  let all = [];
  const show = async () => {
    const asked = [by("c-indicator").value, by("c-a").value, by("c-b").value];
    const rows = rowsOf(all, asked[1], asked[2]);
    if (by("c-groups").checked) {
      const groups = await table(codes.package, `${asked[0]}.compared.groups`).catch(() => []);
      if (by("c-indicator").value !== asked[0]) return;
      rows.push(...rowsOf(groups, asked[1], asked[2]));
    }
    by("answer").replaceChildren(...(rows.length ? answer(by("c-indicator").value, rows) : [element("p", words.no_pair)]));
  };

  const load = async () => {
    by("answer").replaceChildren(element("p", words.loading));
    const indicator = by("c-indicator").value;
    try {
      all = await table(codes.package, `${indicator}.compared`);
    } catch {
      all = [];
    }
    const known = new Set(all.flatMap((part) => [part[0], part[1]]));
    const there = codes.waves.filter((row) => known.has(row[0])).map((row) => [row[0], row[1]]);
    const kept = [by("c-a").value, by("c-b").value];
    options(by("c-a"), there);
    options(by("c-b"), there);
    const pick = (select, key, otherwise) => {
      select.value = known.has(key) ? key : (otherwise || ["", ""])[0];
    };
    const first = all[0] || ["", ""];
    pick(by("c-a"), kept[0], [first[0]]);
    pick(by("c-b"), kept[1], [first[1]]);
    show();
  };

  options(by("c-indicator"), codes.indicators);
  const asked = decodeURIComponent(location.hash.slice(1));
  if (codes.indicators.some((row) => row[0] === asked)) by("c-indicator").value = asked;
  by("c-indicator").addEventListener("change", load);
  by("c-a").addEventListener("change", show);
  by("c-b").addEventListener("change", show);
  by("c-groups").addEventListener("change", show);
  choices.addEventListener("submit", (event) => event.preventDefault());
  load();
})();
