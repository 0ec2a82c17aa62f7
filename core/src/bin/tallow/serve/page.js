"use strict";
// Names of classes, models, columns and files are put on the page as text, never as HTML.
const at = (id) => document.getElementById(id);
const made = (tag, text = "", more = {}) => Object.assign(document.createElement(tag), { textContent: text }, more);
const wishes = new URLSearchParams(location.hash.slice(1));
const headers = wishes.has("token") ? { Authorization: "Bearer " + wishes.get("token") } : {};
const models = new Map();
let question = null; // the body of the last question, and its type
let asked = 0; // the number of the last question: answers to earlier ones come too late

// What each kind of model is asked by: a part of the page, its words, and what is behind the button under an answer.
const kinds = {
  photos: {
    input: "image", title: "What does it show?", where: "Where does it see that?",
    about: "Drop, paste, pick or photograph an image. It is sent to this server, and not kept.",
    alt: "The image as the network sees it; what speaks for the class is orange",
    caption: "The image as the network sees it. What speaks most for the class is orange (Grad-CAM).",
  },
  masks: {
    input: "image", title: "What is where?", where: "",
    about: "Drop, paste, pick or photograph an image. It is sent to this server, and not kept.",
    alt: "The image with the classes of its parts over it, each in its colour",
    caption: "Each part of the image in the colour of its class.",
  },
  texts: {
    input: "text", title: "What kind of text is it?", where: "Which words decide?",
    about: "The text is sent to this server, and not kept.",
  },
  table: {
    input: "table", title: "What will it be?", where: "",
    about: "Fill in what is known: what is left empty counts as missing. It is sent to this server, and not kept.",
  },
  ratings: {
    input: "ratings", title: "What will they like?", where: "",
    about: "A user alone gets recommendations, an item alone the items that are like it; both get the rating.",
  },
};
const model = () => models.get(at("model").value);
const kind = () => kinds[model().kind];

const say = (text, bad = false) => {
  at("status").textContent = text;
  at("status").classList.toggle("bad", bad);
};

const ask = async (what, { body, type }) => {
  const query = new URLSearchParams({ model: model().name });
  if (what === "predict") query.set("top", "10");
  const response = await fetch(`api/${what}?${query}`, {
    method: "POST", body, headers: { ...headers, "Content-Type": type },
  });
  if (response.ok) return response;
  const reason = await response.json().catch(() => ({}));
  throw new Error(reason.error || `the server answers ${response.status}`);
};

// A row of the list under an answer: its name, a bar of a share between 0 and 1, if there is one, and a number.
const row = (name, share, number, colour = "") => {
  const line = document.createElement("li");
  const label = made("span", name);
  if (colour) {
    const swatch = made("i");
    swatch.style.backgroundColor = colour;
    label.prepend(swatch);
  }
  line.append(label, share === null ? made("span") : made("progress", "", { value: share }), made("output", number));
  return line;
};
const percent = (share) => (100 * share).toFixed(1) + " %";
const digits = (number) => String(Number(number.toPrecision(6)));

const shown = {
  photos: (answer) => {
    const several = answer.labels.length !== 1;
    at("stranger").hidden = !answer.is_stranger;
    at("stranger").textContent = "This is unlike any image that the model was trained on. The classes mean little.";
    return [several ? answer.labels.join(", ") || "nothing that the model knows" : answer.labels[0], classes(answer)];
  },
  masks: (answer) => {
    const colour = (name) => model().colours[model().classes.indexOf(name)];
    const rows = answer.classes.map((found) => row(found.class, found.share, percent(found.share), colour(found.class)));
    return [answer.classes.length ? "Mostly " + answer.classes[0].class : "Nothing", rows];
  },
  texts: (answer) => [answer.class, classes(answer)],
  table: (answer) => {
    if (answer.classes) return [`${model().target.join(", ")}: ${answer.class}`, classes(answer)];
    const numbers = Object.entries(answer.numbers);
    const title = numbers.map(([column, number]) => `${column}: ${digits(number)}`).join(", ");
    return [title, numbers.length > 1 ? numbers.map(([column, number]) => row(column, null, digits(number))) : []];
  },
  ratings: (answer) => {
    if (!answer.items) {
      const unknown = [answer.unknown_user && model().user, answer.unknown_item && model().item].filter(Boolean);
      answer.notes = unknown.map((what) => `this ${what} is unknown: nothing was learnt of it`);
      return [`${answer.name}: ${answer.rating.toFixed(2)}`, []];
    }
    const title = answer.similar === undefined ? `For ${model().user} ${answer.user}` : "What is like it";
    return [title, answer.items.map((item) => row(item.name, null, (item.rating ?? item.similarity).toFixed(2)))];
  },
};
const classes = (answer) => answer.classes.map((found) => row(found.class, found.probability, percent(found.probability)));

const put = async (body, type) => {
  question = { body, type };
  const number = ++asked;
  for (const id of ["heat", "marked", "alike", "result", "stranger"]) at(id).hidden = true;
  say("Looking …");
  try {
    const answer = await (await ask("predict", question)).json();
    if (number !== asked) return;
    say("");
    const [title, rows] = shown[model().kind](answer);
    at("class").textContent = title;
    at("bars").replaceChildren(...rows);
    at("notes").replaceChildren(...(answer.notes || []).map((note) => made("li", note)));
    at("where").hidden = !kind().where;
    at("like").hidden = !model().similar;
    at("result").hidden = false;
    if (model().kind === "masks") await explain();
  } catch (error) {
    if (number === asked) say(error.message, true);
  }
};

const explain = async () => {
  const number = asked;
  say("Looking where …");
  try {
    const answer = await ask("explain", question);
    if (model().kind === "texts") mark(await answer.json());
    else {
      const picture = await answer.blob();
      if (number !== asked) return;
      const image = at("heat").querySelector("img");
      image.src = URL.createObjectURL(picture);
      image.alt = kind().alt;
      at("heat").querySelector("figcaption").textContent = kind().caption;
      at("heat").hidden = false;
    }
    if (number === asked) say("");
  } catch (error) {
    if (number === asked) say(error.message, true);
  }
};
at("where").onclick = explain;

at("like").onclick = async () => {
  const number = asked;
  say("Looking for what is like it …");
  try {
    const { images } = await (await ask("similar", question)).json();
    if (number !== asked) return;
    at("alike").replaceChildren(...images.map(({ file, cosine, png }) => {
      const figure = made("figure", "", { title: file });
      if (png) figure.append(made("img", "", { src: "data:image/png;base64," + png, alt: file }));
      figure.append(made("figcaption", `${cosine.toFixed(2)} ${file}`));
      return figure;
    }));
    at("alike").hidden = false;
    say("");
  } catch (error) {
    if (number === asked) say(error.message, true);
  }
};

// The text with its words in colour: the stronger, the more the class depends on them.
const mark = ({ class: name, words, stretch }) => {
  const most = Math.max(1e-9, ...words.map((word) => Math.abs(word.fall)));
  const marked = words.map((word) => {
    const mark = made("mark", word.text, { className: word.fall < 0 ? "against" : "for" });
    mark.style.setProperty("--strength", Math.abs(word.fall) / most);
    mark.title = `without it, ${name} is ${percent(Math.abs(word.fall))} ${word.fall < 0 ? "more" : "less"} probable`
      + (word.is_known ? "" : "; unknown to the network");
    return mark;
  });
  const stretches = stretch > 1 ? ` ${stretch} words are left out at a time.` : "";
  const legend = made("small", `Orange words speak for ${name}, blue ones against it.${stretches}`);
  at("marked").replaceChildren(...marked, document.createElement("br"), legend);
  at("marked").hidden = false;
};

// Images.
const choose = (blob) => {
  at("preview").src = URL.createObjectURL(blob);
  at("preview").hidden = false;
  at("hint").hidden = true;
  return put(blob, blob.type.startsWith("image/") ? blob.type : "application/octet-stream");
};
at("preview").onload = () => URL.revokeObjectURL(at("preview").src);
at("preview").onerror = () => { at("preview").hidden = true; at("hint").hidden = false; };
for (const id of ["file", "camera"]) {
  at(id).onchange = () => { if (at(id).files.length) choose(at(id).files[0]); at(id).value = ""; };
}
at("drop").onclick = () => at("file").click();
at("drop").onkeydown = (event) => {
  if (event.key === "Enter" || event.key === " ") { event.preventDefault(); at("file").click(); }
};
for (const name of ["dragenter", "dragover"]) {
  at("drop").addEventListener(name, (event) => { event.preventDefault(); at("drop").classList.add("over"); });
}
for (const name of ["dragleave", "drop"]) {
  at("drop").addEventListener(name, () => at("drop").classList.remove("over"));
}
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  if (at("image").hidden) return;
  if (event.dataTransfer.files.length) choose(event.dataTransfer.files[0]);
  else say("that was no file; save the image first, or copy and paste it", true);
});
addEventListener("paste", (event) => {
  if (at("image").hidden) return;
  const found = [...event.clipboardData.files].find((file) => file.type.startsWith("image/"));
  if (found) choose(found);
  else say("there is no image to paste", true);
});

// Texts, tables and ratings.
const putJson = (value) => put(JSON.stringify(value), "application/json");
const submit = {
  text: () => putJson({ text: at("words").value }),
  table: () => {
    const cells = [...at("table").elements].filter((cell) => cell.name && cell.value.trim() !== "");
    return putJson(Object.fromEntries(cells.map((cell) => [cell.name, cell.value])));
  },
  ratings: () => {
    const [user, item] = [at("user").value.trim(), at("item").value.trim()];
    if (!user && !item) return say("name a user, an item, or both", true);
    return putJson(!user ? { similar: item } : item ? { user, item } : { user });
  },
};
for (const [id, send] of Object.entries(submit)) {
  at(id).onsubmit = (event) => { event.preventDefault(); send(); };
}
at("item").oninput = async () => {
  const text = at("item").value;
  if (text.length < 2) return;
  const found = await fetch(`api/find?${new URLSearchParams({ model: model().name, text })}`, { headers });
  if (!found.ok || text !== at("item").value) return;
  const { items } = await found.json();
  at("items").replaceChildren(...items.map(({ item, name }) => made("option", name, { value: name === item ? item : name })));
};

const field = (column) => {
  const label = made("label");
  const cell = column.values ? made("select") : made("input", "", { type: column.kind === "date" ? "date" : "text" });
  if (column.values) cell.append(made("option", "", { value: "" }), ...column.values.map((value) => made("option", value, { value })));
  if (column.kind === "number") Object.assign(cell, { inputMode: "decimal", placeholder: digits(column.median) });
  cell.name = column.name;
  label.append(made("span", column.name), cell);
  return label;
};

// Shows the part of the page by which the chosen model is asked.
const turnTo = () => {
  const { input, title, about, where } = kind();
  for (const id of ["image", "text", "table", "ratings"]) at(id).hidden = id !== input;
  at("result").hidden = true;
  at("title").textContent = document.title = title;
  at("about").textContent = about;
  at("where").textContent = where;
  at("gallery").hidden = input !== "image" || !at("examples").children.length;
  if (input === "table") at("columns").replaceChildren(...model().columns.map(field));
  if (input === "ratings") {
    at("of-user").textContent = model().user;
    at("of-item").textContent = model().item + ", by id or title";
  }
};
at("model").onchange = () => {
  const before = question;
  turnTo();
  if (before && before.body instanceof Blob && !at("image").hidden) put(before.body, before.type);
};

const begin = async () => {
  const response = await fetch("api/models", { headers });
  if (response.status === 401) throw new Error("a token is needed: open this page as …/#token=TOKEN");
  const { models: all, examples } = await response.json();
  for (const model of all) {
    models.set(model.name, model);
    at("model").append(made("option", model.name, { value: model.name, selected: model.is_first }));
  }
  if (models.has(wishes.get("model"))) at("model").value = wishes.get("model");
  at("choice").hidden = models.size < 2;
  const blobOf = async (number) => (await fetch(`api/examples/${number}`, { headers })).blob();
  for (const [number, name] of examples.entries()) {
    const button = made("button", "", { type: "button", title: name });
    const picture = made("img", "", { alt: name, src: URL.createObjectURL(await blobOf(number)) });
    button.onclick = async () => { choose(await blobOf(number)); scrollTo({ top: 0, behavior: "smooth" }); };
    button.append(picture);
    at("examples").append(button);
  }
  turnTo();
  // A link may ask: `#example=0`, `#text=...`, `#user=7&item=...` or `#column=value&...`; `&where` for what decides, `&like` for similar photos.
  const input = kind().input;
  if (input === "image") {
    if (!wishes.has("example")) return;
    await choose(await blobOf(wishes.get("example")));
  } else {
    const nameOf = (cell) => cell.name || (cell.id === "words" ? "text" : cell.id);
    const named = [...at(input).elements].filter((cell) => wishes.has(nameOf(cell)));
    if (!named.length) return;
    for (const cell of named) cell.value = wishes.get(nameOf(cell));
    await submit[input]();
  }
  if (wishes.has("where") && kind().where) await explain();
  if (wishes.has("like") && model().similar) await at("like").onclick();
};
begin().catch((error) => say(error.message, true));
