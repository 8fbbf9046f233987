/* Puts the page together. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const title = Object.fromEntries(data.devices.map((device) => [device.name, device.title]));
  const called = (kind) => (value) => data.names[kind][value] || value;
  const named = (value) => title[value] || value;
  const root = document.documentElement;
  root.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";

  const modelled = data.devices.filter((device) => device.origin === "estimated");
  const boards = new Set(data.devices.map((device) => device.board)).size;
  const sum = (key) => data.devices.reduce((total, device) => total + device[key], 0);
  const without = [[sum("failed"), "failed"], [sum("untried"), "nobody asked for"]].filter(([count]) => count);
  const kinds = new Set(data.networks.network).size;
  document.getElementById("summary").textContent =
    `${many(data.devices.length, "device")} on ${many(boards, "board")}: ${many(kinds, "network")}, ` +
    `${many(data.networks.device.length - sum("failed") - sum("untried"), "measurement")} of them on the devices` +
    `${without.length ? `; ${without.map(([count, state]) => `${count} that ${state}`).join(" and ")}, each with its reason` : ""}. ` +
    "Every number and figure here was made from the tables of one run of the pipeline.";
  const honest = [];
  if (modelled.length) honest.push(`Energy of ${modelled.map((device) => device.title).join("; ")} is modelled (${[...new Set(modelled.map((device) => device.energy_label.replace(/^energy modelled, /, "")))].join("; ")}), not measured. Latency was measured there; a modelled energy proves nothing and gets no rank.`);
  if (data.devices.some((device) => device.scope === "wall")) honest.push("Energies at the wall include the losses of the power supply; energies of different scope are never compared.");
  if (data.devices.some((device) => device.note.includes("MLPerf"))) honest.push("Energies per inference from MLPerf recordings are derived by this project; they are not MLPerf scores.");
  document.getElementById("honest").append(...honest.map((line) => make("li", {}, line)));

  const explorer = makeExplorer(data);
  const range = (pair, unit, write) => (pair ? `${write(pair[0])} to ${write(pair[1])} ${unit}` : NONE);
  const entry = (name, value) => [make("dt", {}, name), make("dd", {}, value)];
  let networksTable;
  document.getElementById("cards").append(...data.devices.map((device) => make("article", { class: "card", style: `--own:${device.colour}` },
    make("h3", {}, device.title),
    make("p", { class: "where" }, device.name),
    make("div", {}, make("span", { class: device.origin === "estimated" ? "badge modelled" : "badge" }, device.energy_label)),
    make("dl", {},
      ...entry("Networks", [`${device.networks - device.failed - device.untried}`, ...["flagged", "failed"].filter((state) => device[state]).map((state) => `${device[state]} ${state}`)].join(", ")),
      ...entry("Energy", range(device.energy_mj, "mJ", number)),
      ...entry("Top-1", range(device.top1, "%", (value) => fixed(value, 1))),
      ...entry("Idle", device.idle_w === null ? NONE : `${number(device.idle_w)} W`),
      ...(device.error ? entry(`Error of ${device.error.metric.replace(" per inference", "")}`, `${number(device.error.mape)} %`) : []),
      ...(device.error ? entry("Within 10 %", `${number(device.error.within10)} %`) : []),
      ...device.ranks.flatMap((rank) => entry(`Rank by ${rank.score}`, `${rank.rank} in ${rank.league}`))),
    device.note ? make("p", { class: "note" }, device.note) : null,
    make("button", { type: "button", onclick: () => {
      explorer.setDevice(device.name);
      networksTable.filter("device", device.name);
      document.getElementById("explorer").scrollIntoView();
    } }, "Choose a network →"))));

  const mix = (value, row) => (value === "" ? NONE : value.split("+").map((network, i) => `${fixed(100 * Number(row.shares.split("+")[i]), 0)} % ${network}`).join(", "));
  const targets = [...new Set(data.device_choices.target_top1)];
  makeTable(document.getElementById("which-table"), rowsOf(data.device_choices), [
    { key: "device", title: "Device", show: named }, { key: "rank", title: "Rank", digits: 0 },
    { key: "target_top1", title: "Top-1 (%)", digits: "auto" }, { key: "energy_mj", title: "Energy (mJ)", digits: "auto" },
    { key: "latency_ms", title: "Latency (ms)", digits: "auto" }, { key: "most_hz", title: "Most requests (1/s)", digits: "auto" },
    { key: "idle_w", title: "Idle (W)", digits: "auto" }, { key: "networks", title: "Runs", show: mix, wide: true }, { key: "power_scope", title: "Measured at" },
  ], ["target_top1", "device", "power_scope"], { key: "rank", chosen: { target_top1: targets.filter((target) => target <= 70).pop() } });

  document.getElementById("tasks").hidden = data.tasks.task.length === 0;
  makeTable(document.getElementById("tasks-table"), rowsOf(data.tasks), [
    { key: "task", title: "Task" }, { key: "rank", title: "Rank", digits: 0 }, { key: "device", title: "Device", show: named },
    { key: "energy_mj", title: "Energy (mJ)", digits: "auto" }, { key: "latency_ms", title: "Latency (ms)", digits: "auto" },
    { key: "accuracy", title: "Accuracy", digits: "auto" }, { key: "target", title: "Target", digits: "auto" }, { key: "metric", title: "Accuracy is" },
    { key: "network", title: "Network" }, { key: "precision", title: "Precision" }, { key: "power_scope", title: "Measured at" }, { key: "reason", title: "Not ranked because" },
  ], ["task", "device", "power_scope"], { key: "rank" });

  networksTable = makeTable(document.getElementById("networks-table"), rowsOf(data.networks), [
    { key: "network", title: "Network" }, { key: "device", title: "Device", show: named }, { key: "family", title: "Family" },
    { key: "precision", title: "Precision" }, { key: "top1", title: "Top-1 (%)", digits: 1 },
    { key: "energy_mj", title: "Energy (mJ)", digits: "auto" }, { key: "energy_above_idle_mj", title: "Above idle (mJ)", digits: "auto" },
    { key: "latency_ms", title: "Latency (ms)", digits: "auto" }, { key: "power_w", title: "Power (W)", digits: "auto" },
    { key: "origin", title: "Energy is" }, { key: "licence", title: "Licence of weights" }, { key: "quality", title: "Quality" }, { key: "reason", title: "Reason" },
    // One device at first: energies of different scope, or modelled ones, are not to be read as one list.
  ], ["device", "family", "precision", "licence", "quality"], { key: "energy_mj", chosen: { device: data.devices[0].name } });

  makeTable(document.getElementById("accuracy-table"), rowsOf(data.accuracy), [
    { key: "device", title: "Device", show: named }, { key: "metric", title: "Metric", show: called("metric") },
    { key: "predictor", title: "Predictor", show: called("predictor") }, { key: "protocol", title: "Left out", show: (value) => value.replaceAll("-", " ") },
    { key: "mape_percent", title: "MAPE (%)", digits: 1 }, { key: "within5_percent", title: "Within 5 %", digits: 0 },
    { key: "within10_percent", title: "Within 10 %", digits: 0 }, { key: "within15_percent", title: "Within 15 %", digits: 0 },
    { key: "spearman", title: "Spearman", digits: 3 }, { key: "coverage_percent", title: "In 90 % interval (%)", digits: 0 },
    { key: "worst_family", title: "Worst family" }, { key: "worst_mape_percent", title: "Its MAPE (%)", digits: 1 },
    { key: "networks", title: "Networks", digits: 0 }, { key: "abstained", title: "Abstained", digits: 0 },
  ], ["device", "metric", "predictor", "protocol"], { key: "mape_percent", chosen: { protocol: "leave-one-family-out", metric: "energy_mj" } });

  makeTable(document.getElementById("choices-table"), rowsOf(data.choices), [
    { key: "device", title: "Device", show: named }, { key: "method", title: "Method", show: called("method") },
    { key: "energies", title: "Energies", show: (value) => value.replaceAll("-", " ") }, { key: "budgets", title: "Budgets", digits: 0 },
    { key: "answered", title: "Answered", digits: 0 }, { key: "gap", title: "Budget missed (%)", digits: 1 },
    { key: "violations", title: "Exceeded (% of answered)", digits: 0 }, { key: "worst_violation", title: "Worst excess (%)", digits: 1 },
    { key: "regret_top1", title: "Regret (points)", digits: 2 }, { key: "measurements", title: "Measurements", digits: 1 },
  ], ["device", "method", "energies"], { key: "regret_top1" });

  makeTable(document.getElementById("scores-table"), rowsOf(data.scores), [
    { key: "league", title: "League" }, { key: "score", title: "Score" }, { key: "definition", title: "Definition" },
    { key: "device", title: "Device", show: named }, { key: "value", title: "Value", digits: "auto" },
    { key: "lower", title: "From", digits: "auto" }, { key: "upper", title: "To", digits: "auto" }, { key: "score_unit", title: "Unit" }, { key: "rank", title: "Rank at best", digits: 0 }, { key: "rank_worst", title: "At worst", digits: 0 },
    { key: "pairs", title: "Pairs", digits: 0 }, { key: "missing", title: "Missing", digits: 0 }, { key: "failed", title: "Of which failed", digits: 0 }, { key: "origin", title: "Energy is" }, { key: "reason", title: "Reason" },
  ], ["league", "score", "definition"], { key: "rank" });

  makeGallery(data);
  document.getElementById("foot").textContent = `Made by edgejoule ${data.version} from results/. MLPerf is a trademark of MLCommons.`;
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    explorer.drawPlot();
  });
})();
