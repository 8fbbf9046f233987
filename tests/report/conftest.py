"""One small page for all tests of the report."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest

from edgejoule.figures.picture import Picture, save_pictures
from edgejoule.figures.registry import FIGURES
from edgejoule.report.page import write_page
from edgejoule.tables import contracts, empty, write_json, write_table
from edgejoule.tables.schema import Table

matplotlib.use("Agg")

DEVICES = {"pi": ("measured", "wall"), "cpu": ("estimated", "model")}
NETWORKS = 12
TABLES = ("networks", "accuracy", "scores", "choices", "device_choices", "tasks")


def look(name: str, origin: str, scope: str) -> dict:
    return {
        "name": name,
        "title": f"Device <{name}>",
        "board": f"{name}-board",
        "device_class": "board",
        "runtime": "tflite",
        "origin": origin,
        "power_scope": scope,
        "meter": "meter",
        "watts": 15.0 if origin == "estimated" else None,
        "note": "",
        "colour": "#0072B2",
        "marker": "o",
        "backend": "cpu",
    }


REASONS = {
    3: "</script><b>drift",
    5: "all samples lost",
    6: "the device file asks for other precisions ('source.precisions')",
}


def networks_of(device: str, origin: str, scope: str) -> pd.DataFrame:
    size = np.geomspace(1, 40, NETWORKS)
    rows = pd.DataFrame({name: [None] * NETWORKS for name in contracts.NETWORKS.names})
    return rows.assign(
        device=device,
        board=f"{device}-board",
        network=[f"mobilenet-v{1 + i % 2}-{i}" for i in range(NETWORKS)],
        architecture="a",
        family=[f"mobilenet-v{1 + i % 2}" for i in range(NETWORKS)],
        precision=["fp32" if i % 3 else "int8" for i in range(NETWORKS)],
        runtime="tflite",
        latency_ms=size,
        power_w=5.0,
        energy_mj=5 * size,
        top1=40 + 9 * np.log(size),
        origin=origin,
        power_scope=scope,
        source="test",
        quality=["flagged" if i == 3 else "failed" if i in (5, 6) else "ok" for i in range(NETWORKS)],
        reason=[REASONS.get(i, "") for i in range(NETWORKS)],
    )


def recommendations_of(rows: pd.DataFrame) -> pd.DataFrame:
    good = rows[rows["quality"] != "failed"].reset_index(drop=True)
    chosen = []
    for method in ("single", "mix"):
        for i in range(len(good) - 1):
            pair = good.iloc[[i, i + 1]] if method == "mix" else good.iloc[[i]]
            shares = [0.25, 0.75] if method == "mix" else [1.0]
            energy, top1 = (float((pair[c].astype(float) * shares).sum()) for c in ("energy_mj", "top1"))
            for (_, row), share in zip(pair.iterrows(), shares, strict=True):
                values = [row["device"], method, "gross", energy * 1.01, row["network"], share, row["energy_mj"]]
                chosen.append([*values, row["latency_ms"], row["top1"], energy, row["latency_ms"], top1])
    return pd.DataFrame(chosen, columns=contracts.RECOMMENDATIONS.names)


def write_one(path: Path, table: Table, values: dict) -> None:
    """Write a table of one row: what is not given is empty where it may be, else zero, false, or the first choice."""
    simple = {"string": "", "double": 0.0, "int64": 0, "bool": False}
    given = {"device": "pi", "origin": "measured"} | values
    row = {c.name: None if c.nullable else c.choices[0] if c.choices else simple[str(c.type)] for c in table.columns}
    row |= {key: value for key, value in given.items() if key in row}
    write_table(pd.DataFrame([row]), path, table)


def accuracy_of(device: str, origin: str) -> dict:
    numbers = {column.name: 1.0 for column in contracts.ACCURACY.columns if column.name not in ("device", "origin")}
    metric = "energy_mj" if origin == "measured" else "latency_ms"
    text = {"metric": metric, "predictor": "edgejoule", "protocol": "leave-one-family-out", "worst_family": "x"}
    counts = {"networks": NETWORKS, "abstained": 0, "flagged": True, "mape_percent": 7.3, "within10_percent": 81.0}
    return {"device": device, "origin": origin} | numbers | text | counts


@pytest.fixture(scope="session")
def page_inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("report")
    tables = {device: networks_of(device, *kind) for device, kind in DEVICES.items()}
    write_table(pd.concat(tables.values(), ignore_index=True), root / "networks.parquet", contracts.NETWORKS)
    for device, rows in tables.items():
        write_table(recommendations_of(rows), root / f"recommendations/{device}.parquet", contracts.RECOMMENDATIONS)
    accuracy = [accuracy_of(device, kind[0]) for device, kind in DEVICES.items()]
    write_table(pd.DataFrame(accuracy), root / "accuracy.parquet", contracts.ACCURACY)
    score = {"score": "IECS", "definition": "robust", "league": "board", "value": 2.5, "pairs": 30}
    write_one(root / "scores.parquet", contracts.SCORES, score | {"rank": 1, "rank_worst": 2})
    choice = {"method": "mix", "energies": "measured", "budget_mj": 50.0, "energy_mj": 49.0, "top1": 70.0, "gap": 0.02}
    write_one(root / "choices.parquet", contracts.RECOMMENDATION_VALIDATION, choice)
    reached = {"target_top1": 70.0, "power_scope": "wall", "networks": "n1+n2", "shares": "0.25+0.75", "energy_mj": 5.0}
    write_one(root / "device_choices.parquet", contracts.DEVICE_CHOICES, reached | {"rank": 1})
    write_table(empty(contracts.TASK_CHOICES), root / "tasks.parquet", contracts.TASK_CHOICES)
    write_json(root / "devices.json", [look(device, *kind) for device, kind in DEVICES.items()])
    for i, name in enumerate(FIGURES):
        drawing = matplotlib.figure.Figure(figsize=(2, 1)) if i == 0 else None
        picture = Picture("all-devices", f"Title {i}", "Caption.", drawing, "" if drawing else "no data for it")
        save_pictures([picture], root / "figures" / name, name)
    files = {key: root / f"{key}.parquet" for key in TABLES}
    folders = {"recommendations": root / "recommendations", "figures": root / "figures"}
    return files | folders | {"devices": root / "devices.json", "output": root / "report" / "index.html"}


@pytest.fixture(scope="session")
def page(page_inputs: dict[str, Path]) -> Path:
    write_page(**page_inputs)
    return page_inputs["output"]


@pytest.fixture(scope="session")
def lean_page(page_inputs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run with little: two devices of one scope, one whose networks have no accuracy, no scores."""
    root = tmp_path_factory.mktemp("lean")
    kinds = {"pi": ("measured", "wall"), "pj": ("measured", "wall"), "bare": ("measured", "rail")}
    tables = {device: networks_of(device, *kind) for device, kind in kinds.items()}
    tables["bare"]["top1"] = np.nan
    tables["pj"]["energy_mj"] *= 0.8
    write_table(pd.concat(tables.values(), ignore_index=True), root / "networks.parquet", contracts.NETWORKS)
    for device, rows in tables.items():
        chosen = empty(contracts.RECOMMENDATIONS) if device == "bare" else recommendations_of(rows)
        write_table(chosen, root / f"recommendations/{device}.parquet", contracts.RECOMMENDATIONS)
    nothing = {
        "accuracy": contracts.ACCURACY,
        "scores": contracts.SCORES,
        "choices": contracts.RECOMMENDATION_VALIDATION,
        "device_choices": contracts.DEVICE_CHOICES,
    }
    for name, table in nothing.items():
        write_table(empty(table), root / f"{name}.parquet", table)
    write_json(root / "devices.json", [look(device, *kind) for device, kind in kinds.items()])
    files = {name: root / f"{name}.parquet" for name in ("networks", *nothing)}
    folders = {"recommendations": root / "recommendations", "devices": root / "devices.json"}
    write_page(**(page_inputs | files | folders | {"output": root / "index.html"}))
    return root / "index.html"
