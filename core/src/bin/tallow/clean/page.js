"use strict";
// Names of files and classes are put on the page as text, never as HTML.
const at = (id) => document.getElementById(id);
const headers = { Authorization: "Bearer " + (new URLSearchParams(location.hash.slice(1)).get("token") || "") };
const PAGE = 60;
const WORDS = {
  label: "label doubted", both_sides: "also on the other side of the split", two_classes: "also in another class",
  copy: "copy", alike: "nearly a copy", blank: "blank", tiny: "tiny", odd: "unlike all others", unreadable: "unreadable",
  other_kind: "of another kind than its name says", pages: "has several pages",
};
const inWords = (problem) => WORDS[problem] || problem;
let data = { photos: [], findings: [], classes: [] };
let shown = PAGE;

const say = (text, bad = false) => {
  at("status").textContent = text;
  at("status").classList.toggle("bad", bad);
};

const call = async (path, body) => {
  const request = body === undefined ? { headers }
    : { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch("api/" + path, request);
  if (response.ok) return response;
  if (response.status === 401) throw new Error("open this page with the address that the terminal shows");
  const reason = await response.json().catch(() => ({}));
  throw new Error(reason.error || `the program answers ${response.status}`);
};

const tried = (work) => async (...args) => {
  try { return await work(...args); } catch (error) { say(error.message, true); }
};

const element = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text, ...more });

const changed = () => data.photos.filter((photo) => photo.change);
const label = (photo) => !photo.change ? photo.class
  : photo.change.delete ? "to be deleted" : `${photo.class} → ${photo.change.class}`;

// Photos come into the page when they come into view.
const watcher = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    watcher.unobserve(target);
    call("photo?" + new URLSearchParams({ file: target.dataset.file })).then((response) => response.blob())
      .then((blob) => { target.src = URL.createObjectURL(blob); })
      .catch(() => { target.alt = "cannot be shown"; });
  }
}, { rootMargin: "600px" });

const decide = tried(async (photo, change) => {
  await call("decide", { file: photo.file, ...change });
  photo.change = change.delete || change.class !== undefined && change.class !== photo.class ? change : null;
  for (const card of document.querySelectorAll("article")) if (card.photo === photo) dress(card);
  count();
});

const dress = (card) => {
  const { photo } = card;
  card.classList.toggle("deleted", Boolean(photo.change && photo.change.delete));
  card.classList.toggle("relabelled", Boolean(photo.change && photo.change.class));
  card.querySelector("strong").textContent = label(photo);
};

const count = () => {
  const n = changed().length;
  at("apply").disabled = n === 0;
  at("apply").textContent = n ? `Apply ${n} …` : "Apply …";
};

const cardOf = (photo) => {
  const card = element("article", "", { tabIndex: 0, photo });
  const finding = data.findings.find((found) => found.file === photo.file && found.suggested);
  const picture = element("img", "", { alt: photo.file });
  picture.dataset.file = photo.file;
  const look = photo.looks_like === null ? "not judged" : `looks like ${photo.looks_like}, loss ${photo.loss.toFixed(2)}`;
  const others = data.findings.filter((found) => found.file === photo.file)
    .map((found) => found.other ? `${inWords(found.problem)}: ${found.other}` : inWords(found.problem));
  const buttons = element("div", "", { className: "buttons" });
  const button = (text, change) => buttons.append(element("button", text, { type: "button", onclick: () => decide(photo, change) }));
  button("Keep", {});
  button("Delete", { delete: true });
  const classes = element("select", "", { ariaLabel: "Another class" });
  classes.append(new Option("Class …", ""), ...data.classes.map((name, i) => new Option(i < 9 ? `${i + 1} ${name}` : name, name)));
  classes.onchange = () => { if (classes.value) decide(photo, { class: classes.value }); classes.value = ""; };
  buttons.append(classes);
  card.suggestion = finding ? { class: finding.suggested } : null;
  card.append(picture, element("strong", label(photo)), element("span", look), element("span", photo.file));
  if (others.length) card.append(element("span", others.join("; ")));
  card.append(buttons);
  watcher.observe(picture);
  dress(card);
  return card;
};

const show = () => {
  const problem = at("problem").value;
  const files = new Set(data.findings.filter((found) => found.problem === problem).map((found) => found.file));
  const wanted = data.photos.filter((photo) => (problem === "" || (problem === "changed" ? photo.change : files.has(photo.file)))
    && (at("class").value === "" || photo.class === at("class").value)
    && (at("side").value === "" || photo.side === at("side").value));
  watcher.disconnect();
  at("photos").replaceChildren(...wanted.slice(0, shown).map(cardOf));
  at("more").hidden = wanted.length <= shown;
  if (!at("status").classList.contains("bad")) say(`${wanted.length} photos, by falling loss`);
  count();
};

const fill = (select, all, values) => {
  const before = select.value;
  select.replaceChildren(new Option(all, ""), ...values.map(([value, text]) => new Option(text, value)));
  select.value = values.some(([value]) => value === before) ? before : "";
};

const load = async () => {
  data = await (await call("photos")).json();
  at("folder").textContent = "Cleaning " + data.folder;
  const problems = new Map();
  for (const found of data.findings) problems.set(found.problem, (problems.get(found.problem) || 0) + 1);
  fill(at("problem"), "all photos", [...problems].map(([name, n]) => [name, `${inWords(name)} (${n})`])
    .concat([["changed", "what is decided"]]));
  fill(at("class"), "all classes", data.classes.map((name) => [name, name]));
  fill(at("side"), "all sides", [...new Set(data.photos.map((photo) => photo.side))].filter(Boolean).map((side) => [side, side]));
  show();
};

for (const id of ["problem", "class", "side"]) at(id).onchange = () => { shown = PAGE; say(""); show(); };
at("more").onclick = () => { shown += PAGE; show(); };
at("apply").onclick = () => {
  at("list").replaceChildren(...changed().map((photo) => element("li", `${photo.file}: ${label(photo)}`)));
  at("dialog").showModal();
};
at("no").onclick = () => at("dialog").close();
at("yes").onclick = tried(async () => {
  at("dialog").close();
  const { moved } = await (await call("apply", { changes: changed().length })).json();
  await load();
  say(`${moved} files were moved`);
});
at("undo").onclick = tried(async () => {
  const { restored } = await (await call("undo", {})).json();
  await load();
  say(restored ? `${restored} files are where they were` : "there is nothing to take back");
});

addEventListener("keydown", (event) => {
  const card = document.activeElement;
  if (at("dialog").open || event.ctrlKey || event.metaKey || event.altKey) return;
  const cards = [...document.querySelectorAll("article")];
  const place = cards.indexOf(card);
  if (place < 0 && !(event.key.startsWith("Arrow") && document.activeElement === document.body)) return;
  const columns = getComputedStyle(at("photos")).gridTemplateColumns.split(" ").length;
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
  if (step) {
    const next = cards[place < 0 ? 0 : Math.max(0, Math.min(cards.length - 1, place + step))];
    if (next) next.focus();
  } else if (event.key === "x") decide(card.photo, { delete: true });
  else if (event.key === "k") decide(card.photo, {});
  else if (event.key === "Enter" && card.suggestion) decide(card.photo, card.suggestion);
  else if (/^[1-9]$/.test(event.key) && data.classes[event.key - 1]) decide(card.photo, { class: data.classes[event.key - 1] });
  else return;
  event.preventDefault();
});
tried(load)();
