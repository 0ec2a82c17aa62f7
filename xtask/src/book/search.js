// Finds sections by the words of their titles. Without this script, the list of pages is as it is.
const nav = document.querySelector("nav");
const input = nav.querySelector("input");
const found = nav.querySelector(".found");
const list = nav.querySelector(".list");
input.hidden = false;

function show() {
  const words = input.value.toLowerCase().split(/\s+/).filter((word) => word);
  found.hidden = words.length === 0;
  list.hidden = !found.hidden;
  const fits = ([title, page]) => words.every((word) => (title + " " + page).toLowerCase().includes(word));
  const hits = words.length ? SECTIONS.filter(fits) : [];
  found.replaceChildren(...hits.slice(0, 30).map(([title, page, place]) => {
    const link = document.createElement("a");
    link.href = nav.dataset.up + place;
    link.textContent = title;
    const small = document.createElement("small");
    small.textContent = page;
    const item = document.createElement("li");
    item.append(link, small);
    return item;
  }));
  if (words.length && hits.length === 0) found.textContent = "No section has these words in its title.";
  if (hits.length > 30) found.append(`and ${hits.length - 30} more`);
}
input.addEventListener("input", show);
show();
// On a narrow screen the list would hide the text.
if (matchMedia("(max-width: 60rem)").matches) nav.querySelector("details").open = false;
