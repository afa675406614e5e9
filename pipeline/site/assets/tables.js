// Loads the cells of an indicator by adding a script: the only way to load data that also works from a folder.
"use strict";
(() => {
  const waiting = new Map();
  const loaded = new Map();
  const root = document.currentScript.src.replace(/assets\/tables\.js.*$/, "");

  window.barometer = (name, data) => {
    loaded.set(name, data);
    for (const done of waiting.get(name) || []) done(data);
    waiting.delete(name);
  };

  window.table = (pack, name) =>
    new Promise((resolve, reject) => {
      if (loaded.has(name)) return resolve(loaded.get(name));
      const first = !waiting.has(name);
      waiting.set(name, [...(waiting.get(name) || []), resolve]);
      if (!first) return;
      const script = document.createElement("script");
      script.src = `${root}tables/${pack}/${name}.js`;
      script.onerror = () => reject(new Error(name));
      document.head.append(script);
    });

  window.read = (id) => JSON.parse(document.getElementById(id).textContent);

  window.format = (value, words, decimals) => {
    if (value === null || value === undefined) return "";
    const [whole, part] = (decimals === undefined ? String(value) : value.toFixed(decimals)).replace("-", "\u2212").split(".");
    const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, words.group_mark);
    return part ? grouped + words.decimal_mark + part : grouped;
  };

  window.options = (select, pairs) => {
    select.replaceChildren(
      ...pairs.map(([value, text]) => {
        const option = document.createElement("option");
        option.value = value;
        option.textContent = text;
        return option;
      }),
    );
  };
})();
