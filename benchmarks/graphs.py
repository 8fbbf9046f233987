"""Speed of the graphs stage, on one core: export without weights, kernels by rules, kernels as the runtimes say.

    OMP_NUM_THREADS=1 python benchmarks/graphs.py config/networks.tsv

Prints one Markdown table. Start-up (importing PyTorch, timm, ONNX Runtime) is paid before the clock starts. With
``--nn-meter PYTHON``, the interpreter of an environment of nn-Meter's (see ``nn_meter_detector.py``), a second table:
the same runnable files, read and taken apart into kernels by nn-Meter and by this project's rules.
"""

import argparse
import json
import os
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from edgejoule.graphs import read_zoo, select
from edgejoule.graphs.export import save, tidy, trace
from edgejoule.graphs.files import load
from edgejoule.graphs.kernels import by_rules, kernels_of_file
from edgejoule.graphs.model import read_graph
from edgejoule.graphs.runnable import export_with_weights
from edgejoule.graphs.runtimes import ask

NETWORKS = ("mobilenetv2_100", "resnet50", "densenet121", "mobilevit_s", "vit_tiny_patch16_224", "vgg16")


def seconds(work, repeats: int) -> float:
    """Return the median processor time of ``work`` on its one core (s)."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return sorted(times)[len(times) // 2]


def own_speed(zoo, repeats: int, folder: Path) -> None:
    has_openvino = find_spec("openvino") is not None
    print(
        "| network | kernels | export (s) | file (kB) | rules, file to kernels (ms) | rules (networks/s) "
        "| ONNX Runtime asked (s) | OpenVINO asked (s) |\n|---|---|---|---|---|---|---|---|"
    )
    for row in zoo.itertuples():
        name, path = row.architecture, folder / f"{row.architecture}.onnx"
        exported = trace(row)
        save(tidy(exported, name), path)
        exporting = seconds(lambda row=row, name=name: tidy(trace(row), name), 1)
        whole = seconds(lambda path=path: kernels_of_file(path, "tflite"), repeats)
        model = load(path)

        def rules(model=model, name=name):
            return by_rules(read_graph(model, name), name, "fp32", "tflite")[0]

        ruled = seconds(rules, repeats)
        graph = read_graph(model, name)

        def asked(runtime, model=model, graph=graph, name=name, exported=exported):
            return seconds(lambda: ask(runtime, model, graph, name, exported), 3)

        openvino = f"{asked('openvino'):.2f}" if has_openvino else "not installed"
        print(
            f"| {name} | {len(rules())} | {exporting:.2f} | {path.stat().st_size / 1000:.0f} | {1000 * whole:.0f} "
            f"| {1 / ruled:.0f} | {asked('onnxruntime'):.2f} | {openvino} |"
        )


def beside_nn_meter(zoo, python: str, repeats: int, folder: Path) -> None:
    paths = {}
    for row in zoo.itertuples():
        paths[row.architecture] = folder / f"{row.architecture}-weights.onnx"
        export_with_weights(row, paths[row.architecture])
    detector = Path(__file__).with_name("nn_meter_detector.py")
    command = [python, str(detector), str(repeats), *map(str, paths.values())]
    # Not this environment's packages.
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=clean).stdout
    found = json.loads(told.splitlines()[-1])
    print("| network | nn-Meter: kernels | ms | edgejoule: kernels | ms | ratio |\n|---|---|---|---|---|---|")
    for name, path in paths.items():
        theirs = found[str(path)]
        ours = seconds(lambda path=path: kernels_of_file(path, "tflite"), repeats)
        kernels = len(kernels_of_file(path, "tflite"))
        if "error" in theirs:
            print(f"| {name} | {theirs['error']} | | {kernels} | {1000 * ours:.0f} | |")
        else:
            ratio = theirs["seconds"] / ours
            print(
                f"| {name} | {theirs['kernels']} | {1000 * theirs['seconds']:.0f} | {kernels} | {1000 * ours:.0f} "
                f"| {ratio:.1f} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zoo", type=Path, nargs="?", default=Path("config/networks.tsv"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--nn-meter", metavar="PYTHON", help="interpreter of an environment with nn-Meter")
    arguments = parser.parse_args()
    zoo = select(read_zoo(arguments.zoo), list(NETWORKS)).drop_duplicates("architecture")
    trace(next(zoo.itertuples()))
    with TemporaryDirectory() as folder:
        own_speed(zoo, arguments.repeats, Path(folder))
        if arguments.nn_meter:
            print()
            beside_nn_meter(zoo, arguments.nn_meter, arguments.repeats, Path(folder))


if __name__ == "__main__":
    main()
