// SQL: the published tables in SQLite, compiled to WebAssembly, in this browser and nowhere else.
"use strict";
(() => {
  const codes = read("codes");
  const words = read("words");
  const by = (id) => document.getElementById(id);
  const MOST = 1000;
  let database;

  const binary = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  const fill = (name, columns, rows) => {
    database.run(`CREATE TABLE ${name} (${columns.join(", ")})`);
    const statement = database.prepare(`INSERT INTO ${name} VALUES (${columns.map(() => "?").join(", ")})`);
    for (const row of rows) statement.run(row);
    statement.free();
  };

  const estimates = (indicator, parts) =>
    parts.flatMap(([wave, domain, cells]) => {
      const labels = codes.domains.find((each) => each[0] === domain)[2];
      return cells.map(([category, code, value = null, low = null, high = null, n = null, se = null, flag = null, note = null]) => [
        wave, indicator, codes.categories[indicator][category][0], domain, labels[code][0], value, low, high, n, se, flag, note,
      ]);
    });

  const start = async () => {
    by("status").textContent = words.sql_loading;
    const SQL = await initSqlJs({ wasmBinary: binary(window.sqlWasm) });
    database = new SQL.Database();
    database.run("BEGIN");
    fill("waves", ["wave", "label", "country", "country_label"], codes.waves);
    fill("indicators", ["indicator", "label", "unit_measure"], codes.indicators);
    fill("categories", ["indicator", "category", "label"], Object.entries(codes.categories).flatMap(([key, rows]) => rows.map((row) => [key, ...row])));
    fill("domains", ["domain", "domain_code", "domain_label", "label"], codes.domains.flatMap(([key, name, cells]) => cells.map(([code, label]) => [key, code, name, label])));
    const names = codes.indicators.flatMap(([key]) => [key, `${key}.crossed`]);
    const parts = await Promise.all(names.map((name) => table(codes.package, name)));
    const rows = parts.flatMap((part, at) => estimates(names[at].replace(/\.crossed$/, ""), part));
    fill("estimates", ["wave", "indicator", "category", "domain", "domain_code", "value REAL", "ci_low REAL", "ci_high REAL", "n INTEGER", "se REAL", "flag", "note"], rows);
    database.run("COMMIT");
    database.run("PRAGMA query_only = ON");
    by("run").disabled = false;
    by("status").textContent = words.sql_ready;
  };

  const cells = (tag, values) => {
    const row = document.createElement("tr");
    for (const value of values) {
      const cell = document.createElement(tag);
      if (tag === "th") cell.scope = "col";
      if (typeof value === "number") cell.className = "num";
      cell.textContent = value === null ? "" : String(value);
      row.append(cell);
    }
    return row;
  };

  const run = () => {
    const result = by("result");
    result.tHead.replaceChildren();
    result.tBodies[0].replaceChildren();
    try {
      const found = database.exec(by("statement").value).at(-1);
      const rows = found ? found.values : [];
      if (found) result.tHead.append(cells("th", found.columns));
      result.tBodies[0].append(...rows.slice(0, MOST).map((row) => cells("td", row)));
      by("status").textContent = words.rows_of.replace("{shown}", Math.min(MOST, rows.length)).replace("{all}", rows.length);
    } catch (error) {
      by("status").textContent = `${words.sql_failed} ${error.message}`;
    }
  };

  by("asking").addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  by("statement").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
  });
  start().catch((error) => {
    by("status").textContent = `${words.sql_failed} ${error.message}`;
  });
})();
