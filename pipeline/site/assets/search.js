// Search over titles, labels and questions; every word must be found, titles first.
"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const plain = (text) => text.toLocaleLowerCase().normalize("NFD").replace(/\p{Diacritic}/gu, "");
  const words = read("words");
  const entries = read("entries").map(([kind, title, more, place]) => ({ kind, title, more, place, inTitle: plain(title), all: plain(`${kind} ${title} ${more}`) }));
  const box = document.getElementById("q");
  const list = document.getElementById("found");
  const status = document.getElementById("status");

  const item = ({ kind, title, more, place }) => {
    const made = document.createElement("li");
    const link = document.createElement("a");
    link.href = place;
    link.textContent = title;
    const about = document.createElement("span");
    about.textContent = `${kind}${more ? ` · ${more.slice(0, 160)}` : ""}`;
    made.append(link, about);
    return made;
  };

  const show = () => {
    const asked = plain(box.value).split(/\s+/).filter(Boolean);
    const found = asked.length ? entries.filter((entry) => asked.every((word) => entry.all.includes(word))) : [];
    const score = (entry) => asked.filter((word) => entry.inTitle.includes(word)).length;
    found.sort((a, b) => score(b) - score(a));
    list.replaceChildren(...found.slice(0, 60).map(item));
    status.textContent = !asked.length ? "" : found.length ? words.found_n.replace("{n}", found.length) : words.found_none;
    history.replaceState(null, "", box.value ? `#${encodeURIComponent(box.value)}` : location.pathname);
  };

  document.getElementById("searching").addEventListener("submit", (event) => event.preventDefault());
  box.value = decodeURIComponent(location.hash.slice(1));
  box.addEventListener("input", show);
  if (box.value) show();
})();
