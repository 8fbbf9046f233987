/* Figures by category, one card each; a card of several pictures has a drop-down. */
function makeGallery(data) {
  const place = document.getElementById("gallery");
  const zoom = document.getElementById("zoom");
  for (const category of [...new Set(data.gallery.map((entry) => entry.category))]) {
    const grid = make("div", { class: "gallery" });
    for (const entry of data.gallery.filter((candidate) => candidate.category === category)) grid.append(card(entry));
    place.append(make("h3", {}, category), grid);
  }

  function card(entry) {
    const box = make("div");
    const select = make("select", { "aria-label": `Picture of: ${entry.help}`, onchange: () => show(entry.pictures[select.value]) });
    entry.pictures.forEach((picture, i) => select.append(make("option", { value: i }, pictureName(picture))));
    const first = Math.max(entry.pictures.findIndex((picture) => picture.drawn), 0);
    select.value = first;
    show(entry.pictures[first]);
    return make("figure", { class: "figure", "data-figure": entry.figure },
      make("header", {}, make("h4", {}, entry.help.replace(/\.$/, "")), entry.pictures.length > 1 ? select : null), box);

    function show(picture) {
      if (!picture.drawn) {
        box.replaceChildren(make("div", { class: "state" }, `Not drawn: ${picture.reason}.`));
        return;
      }
      const source = picture.embedded || picture.files.png;
      const enlarge = () => { const image = zoom.querySelector("img"); image.src = source; image.alt = picture.title; zoom.showModal(); };
      // A page sent without its folder has the first pictures inside, and of the others only their names.
      const missing = (event) => event.target.parentElement.replaceWith(make("div", { class: "state" }, `This picture is a file beside the page: ${source}.`));
      box.replaceChildren(
        make("button", { class: "sheet", type: "button", "aria-label": "Enlarge", onclick: enlarge }, make("img", { src: source, alt: picture.title, loading: "lazy", onerror: missing })),
        make("figcaption", {}, make("strong", {}, `${picture.title}. `), picture.caption),
        make("div", { class: "files" }, ...["pdf", "svg", "png"].map((kind) => make("a", { href: picture.files[kind] }, kind.toUpperCase()))));
    }
  }

  function pictureName(picture) {
    const device = data.devices.find((candidate) => candidate.name === picture.name);
    // Titles of further pictures of one device, and of pairs, say what they are of.
    const of = data.devices.some((candidate) => picture.name.startsWith(`${candidate.name}-`));
    return device ? device.title : of ? picture.title : picture.name.replaceAll("-", " ");
  }
}
