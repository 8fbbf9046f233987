/* The accuracy-energy plot: switch device, move the budget, see what is recommended. */
const SYMBOLS = { fp32: "circle", fp16: "diamond", int8: "square" };

function makeExplorer(data) {
  const networks = rowsOf(data.networks);
  const place = document.getElementById("plot");
  const [device, method] = [document.getElementById("device"), document.getElementById("method")];
  const [slider, typed] = [document.getElementById("budget"), document.getElementById("budget-mj")];
  const answer = document.getElementById("answer");
  const others = document.getElementById("others");
  const state = { device: null, method: null, at: 0 };
  const look = () => data.devices.find((candidate) => candidate.name === state.device);
  const choices = () => (data.recommendations[state.device] || {})[state.method] || [];

  for (const entry of data.devices) device.append(make("option", { value: entry.name }, entry.title));
  device.addEventListener("change", () => setDevice(device.value));
  method.addEventListener("change", () => { const budget = current()?.budget; state.method = method.value; fill(); if (budget) toBudget(budget); drawPlot(); });
  others.addEventListener("change", drawPlot);
  slider.addEventListener("input", () => setAt(Number(slider.value)));
  typed.addEventListener("change", () => { if (Number(typed.value) > 0) toBudget(Number(typed.value)); });

  function current() { return choices()[state.at]; }

  /** Go to the largest budget of the table that is not above `budget`: a recommendation never spends more than asked. */
  function toBudget(budget) {
    const list = choices();
    let at = 0;
    list.forEach((choice, i) => { if (choice.budget <= budget * (1 + 1e-6)) at = i; });
    setAt(at);
  }

  /** The other devices whose energies may stand beside this one's: one scope of power, and fronts to show. */
  function likewise() {
    return data.devices.filter((other) => other.name !== state.device && other.scope === look().scope && data.fronts[other.name].length);
  }

  function setDevice(name) {
    state.device = name;
    device.value = name;
    others.disabled = likewise().length === 0;
    const methods = Object.keys(data.recommendations[name] || {});
    method.replaceChildren(...methods.map((key) => make("option", { value: key }, data.names.method[key])));
    state.method = methods.includes(state.method) ? state.method : ["refine", "mix", ...methods].find((key) => methods.includes(key)) || null;
    if (state.method) method.value = state.method;
    method.disabled = methods.length < 2;
    fill();
    state.at = Math.floor(choices().length / 2);
    drawPlot();
    setAt(state.at);
  }

  function fill() {
    slider.max = Math.max(choices().length - 1, 0);
    slider.disabled = typed.disabled = choices().length === 0;
    state.at = Math.min(state.at, Math.max(choices().length - 1, 0));
  }

  function setAt(at) {
    state.at = at;
    slider.value = at;
    const choice = current();
    typed.value = choice ? number(choice.budget).replaceAll("\u202f", "") : "";
    say(choice);
    mark(choice);
  }

  function say(choice) {
    if (!choice) {
      answer.replaceChildren(make("p", { class: "small" }, "No recommendation for this device: none of its networks has both an energy and an ImageNet accuracy."));
      return;
    }
    const used = (100 * choice.energy) / choice.budget;
    const modelled = look().origin === "estimated" ? ", modelled" : "";
    answer.replaceChildren(
      make("div", { class: "big" }, `${fixed(choice.top1, 1)} % top-1`),
      make("div", { class: "small" }, `${number(choice.energy)} mJ per inference${modelled} (${fixed(used, 0)} % of the budget), ${number(choice.latency)} ms`),
      make("ul", {}, ...choice.networks.map(([name, share, energy, top1]) => make("li", {},
        make("strong", {}, choice.networks.length > 1 ? `${fixed(100 * share, 0)} % ` : ""), name,
        make("div", { class: "small" }, `${number(energy)} mJ, ${fixed(top1, 1)} %`),
        make("div", { class: "bar" }, make("i", { style: `width:${100 * share}%` }))))),
      make("div", { class: "small" }, choice.networks.length > 1 ? "Shares are of the requests: each request runs one of the two." : "Every request runs this network."));
  }

  function hover(row) {
    const modelled = look().origin === "estimated" ? " (modelled)" : "";
    const flag = row.quality === "ok" ? "" : `<br>${row.quality}: ${row.reason}`;
    return `<b>${row.network}</b><br>${fixed(row.top1, 1)} % top-1<br>${number(row.energy_mj)} mJ${modelled}<br>${number(row.latency_ms)} ms, ${row.precision}<br>weights: ${row.licence}${flag}`;
  }

  function drawPlot() {
    const rows = networks.filter((row) => row.device === state.device && row.quality !== "failed" && row.energy_mj !== null && row.top1 !== null);
    const traces = Object.keys(data.families).filter((family) => rows.some((row) => row.family === family)).map((family) => {
      const own = rows.filter((row) => row.family === family).sort((a, b) => a.precision.localeCompare(b.precision));
      return {
        type: "scatter", mode: "markers", name: family, x: own.map((row) => row.energy_mj), y: own.map((row) => row.top1),
        text: own.map(hover), hovertemplate: "%{text}<extra></extra>",
        marker: {
          size: 9, color: data.families[family], line: { width: 1, color: themeColour("--card") },
          symbol: own.map((row) => SYMBOLS[row.precision] + (look().origin === "estimated" ? "-open" : "")),
        },
      };
    });
    if (others.checked) {
      for (const other of likewise()) {
        const own = data.fronts[other.name].map((i) => networks[i]);
        traces.unshift({
          type: "scatter", mode: "lines", name: other.title, line: { shape: "hv", width: 1.5, color: other.colour, dash: other.origin === "estimated" ? "dot" : "solid" }, opacity: 0.7,
          x: own.map((row) => row.energy_mj), y: own.map((row) => row.top1), text: own.map((row) => `<b>${other.title}</b><br>${row.network}<br>${fixed(row.top1, 1)} % top-1<br>${number(row.energy_mj)} mJ`),
          hovertemplate: "%{text}<extra></extra>",
        });
      }
    }
    const front = data.fronts[state.device].map((i) => networks[i]);
    traces.unshift({
      type: "scatter", mode: "lines", name: "Pareto front", hoverinfo: "skip", line: { shape: "hv", width: 1.5, color: themeColour("--soft") },
      x: front.map((row) => row.energy_mj), y: front.map((row) => row.top1),
    });
    traces.unshift({
      type: "scatter", mode: "lines", name: `recommended: ${data.names.method[state.method] || NONE}`, hoverinfo: "skip",
      line: { width: 2, dash: "dash", color: themeColour("--chosen") },
      x: choices().map((choice) => choice.energy), y: choices().map((choice) => choice.top1),
    });
    traces.push({ type: "scatter", mode: "markers", name: "members", showlegend: false, hoverinfo: "skip", x: [], y: [], marker: { size: 17, symbol: "circle-open", line: { width: 2.5 }, color: themeColour("--chosen") } });
    traces.push({ type: "scatter", mode: "markers", name: "your choice", showlegend: false, hoverinfo: "skip", x: [], y: [], marker: { size: 15, symbol: "star", color: themeColour("--chosen"), line: { width: 1.2, color: themeColour("--card") } } });
    const axis = { gridcolor: themeColour("--grid"), zeroline: false, linecolor: themeColour("--line"), ticks: "outside", tickcolor: themeColour("--line"), automargin: true };
    const narrow = place.clientWidth < 560;
    const modelled = look().origin === "estimated" ? ", modelled" : "";
    const nothing = rows.length ? [] : [{ text: "No network of this device has both<br>an energy and an ImageNet accuracy.", showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5 }];
    Plotly.react(place, traces, {
      xaxis: { ...axis, visible: rows.length > 0, type: "log", title: { text: `Energy per inference (mJ${modelled})`, standoff: 8 }, dtick: narrow ? 1 : "D2", tickformat: "~f", minor: { ticks: "outside", ticklen: 3, tickcolor: themeColour("--line") } },
      yaxis: { ...axis, visible: rows.length > 0, title: { text: "ImageNet top-1 (%)", standoff: 8 } },
      margin: { l: 48, r: 12, t: 12, b: 44 }, height: narrow ? 480 : 560, hovermode: "closest", dragmode: "zoom",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: narrow ? 12 : 13, color: themeColour("--ink") },
      legend: { orientation: "h", y: narrow ? -0.21 : -0.13, yanchor: "top", x: 0, font: { size: 12 } },
      hoverlabel: { align: "left" }, modebar: { bgcolor: "rgba(0,0,0,0)", color: themeColour("--soft"), activecolor: themeColour("--accent") }, shapes: [], annotations: nothing, uirevision: state.device,
    }, { responsive: true, displaylogo: false, edits: { shapePosition: true }, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"], displayModeBar: narrow ? false : "hover" });
    mark(current());
  }

  function mark(choice) {
    if (!place.data) return;
    const last = place.data.length - 1;
    if (!choice) { Plotly.relayout(place, { shapes: [] }); return; }
    Plotly.restyle(place, {
      x: [choice.networks.map((member) => member[2]), [choice.energy]],
      y: [choice.networks.map((member) => member[3]), [choice.top1]],
    }, [last - 1, last]);
    Plotly.relayout(place, { shapes: [{ type: "line", x0: choice.budget, x1: choice.budget, yref: "paper", y0: 0, y1: 1, line: { color: themeColour("--chosen"), width: 2.5 } }] });
  }

  // Measured devices stand first: the first one that has something to choose.
  setDevice((data.devices.find((entry) => Object.keys(data.recommendations[entry.name]).length) || data.devices[0]).name);
  place.on("plotly_relayout", (change) => {
    const moved = change["shapes[0].x0"];
    if (moved !== undefined) toBudget(Number(moved));
  });
  return { setDevice, drawPlot };
}
