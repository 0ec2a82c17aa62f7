"use strict";
// Names of classes, models and files are put on the page as text, never as HTML.
const at = (id) => document.getElementById(id);
const wishes = new URLSearchParams(location.hash.slice(1));
const headers = wishes.has("token") ? { Authorization: "Bearer " + wishes.get("token") } : {};
let image = null; // the file or blob that was chosen
let asked = 0; // the number of the last question: answers to earlier ones come too late

const say = (text, bad = false) => {
  at("status").textContent = text;
  at("status").classList.toggle("bad", bad);
};

const ask = async (what, body, type) => {
  const query = new URLSearchParams({ model: at("model").value });
  if (what === "predict") query.set("top", "10");
  const response = await fetch(`api/${what}?${query}`, {
    method: "POST", body, headers: { ...headers, "Content-Type": type },
  });
  if (response.ok) return response;
  const reason = await response.json().catch(() => ({}));
  throw new Error(reason.error || `the server answers ${response.status}`);
};

const typeOf = (blob) => (blob.type.startsWith("image/") ? blob.type : "application/octet-stream");

const show = (answer) => {
  const several = answer.labels.length !== 1;
  at("class").textContent = several ? answer.labels.join(", ") || "nothing that the model knows" : answer.labels[0];
  at("stranger").hidden = !answer.is_stranger;
  at("stranger").textContent = "This is unlike any image that the model was trained on. The classes mean little.";
  at("bars").replaceChildren(...answer.classes.map((found) => {
    const row = document.createElement("li");
    const name = document.createElement("span");
    const bar = document.createElement("progress");
    const number = document.createElement("output");
    name.textContent = found.class;
    bar.value = found.probability;
    number.textContent = (100 * found.probability).toFixed(1) + " %";
    row.append(name, bar, number);
    return row;
  }));
  at("result").hidden = false;
};

const choose = async (blob) => {
  image = blob;
  const number = ++asked;
  at("preview").src = URL.createObjectURL(blob);
  at("preview").hidden = false;
  at("hint").hidden = true;
  at("heat").hidden = true;
  at("result").hidden = true;
  say("Looking …");
  try {
    const answer = await (await ask("predict", blob, typeOf(blob))).json();
    if (number !== asked) return;
    say("");
    show(answer);
  } catch (error) {
    if (number === asked) say(error.message, true);
  }
};

at("preview").onload = () => URL.revokeObjectURL(at("preview").src);
at("preview").onerror = () => { at("preview").hidden = true; at("hint").hidden = false; };
for (const id of ["file", "camera"]) {
  at(id).onchange = () => { if (at(id).files.length) choose(at(id).files[0]); at(id).value = ""; };
}
at("model").onchange = () => { if (image) choose(image); };
at("drop").onclick = () => at("file").click();
at("drop").onkeydown = (event) => {
  if (event.key === "Enter" || event.key === " ") { event.preventDefault(); at("file").click(); }
};
for (const kind of ["dragenter", "dragover"]) {
  at("drop").addEventListener(kind, (event) => { event.preventDefault(); at("drop").classList.add("over"); });
}
for (const kind of ["dragleave", "drop"]) {
  at("drop").addEventListener(kind, () => at("drop").classList.remove("over"));
}
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) choose(event.dataTransfer.files[0]);
  else say("that was no file; save the image first, or copy and paste it", true);
});
addEventListener("paste", (event) => {
  const found = [...event.clipboardData.files].find((file) => file.type.startsWith("image/"));
  if (found) choose(found);
  else say("there is no image to paste", true);
});

at("where").onclick = async () => {
  const number = asked;
  say("Looking where …");
  try {
    const picture = await (await ask("explain", image, typeOf(image))).blob();
    if (number !== asked) return;
    at("heat").querySelector("img").src = URL.createObjectURL(picture);
    at("heat").hidden = false;
    say("");
  } catch (error) {
    if (number === asked) say(error.message, true);
  }
};

const begin = async () => {
  const response = await fetch("api/models", { headers });
  if (response.status === 401) throw new Error("a token is needed: open this page as …/#token=TOKEN");
  const { models, examples } = await response.json();
  for (const model of models) {
    const option = document.createElement("option");
    option.textContent = option.value = model.name;
    option.selected = model.is_first;
    at("model").append(option);
  }
  at("choice").hidden = models.length < 2;
  const blobOf = async (number) => (await fetch(`api/examples/${number}`, { headers })).blob();
  for (const [number, name] of examples.entries()) {
    const button = document.createElement("button");
    const picture = document.createElement("img");
    button.type = "button";
    button.title = picture.alt = name;
    picture.src = URL.createObjectURL(await blobOf(number));
    button.onclick = async () => { choose(await blobOf(number)); scrollTo({ top: 0, behavior: "smooth" }); };
    button.append(picture);
    at("examples").append(button);
    at("gallery").hidden = false;
  }
  // A link may ask for an example, `#example=0`, and for where its class is, `&where`.
  if (wishes.has("example")) {
    await choose(await blobOf(wishes.get("example")));
    if (wishes.has("where")) await at("where").onclick();
  }
};
begin().catch((error) => say(error.message, true));
