"""Speed of the graphs stage, on one core: export without weights, kernels by rules, kernels as the runtime says.

    OMP_NUM_THREADS=1 python benchmarks/graphs.py config/networks.tsv

Prints one Markdown table. Start-up (importing PyTorch, timm, ONNX Runtime) is paid before the clock starts.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from edgejoule.graphs import read_zoo, select
from edgejoule.graphs.export import describe, save
from edgejoule.graphs.kernels import by_rules, kernels_of_file
from edgejoule.graphs.model import load, read_graph
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zoo", type=Path, nargs="?", default=Path("config/networks.tsv"))
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    zoo = select(read_zoo(arguments.zoo), list(NETWORKS)).drop_duplicates("architecture")
    describe(next(zoo.itertuples()))
    print(
        "| network | kernels | export (s) | file (kB) | rules, file to kernels (ms) | rules (networks/s) | asked (s) |"
    )
    print("|---|---|---|---|---|---|---|")
    with TemporaryDirectory() as folder:
        for row in zoo.itertuples():
            path = Path(folder) / f"{row.architecture}.onnx"
            save(describe(row), path)
            exporting = seconds(lambda row=row: describe(row), 1)
            whole = seconds(lambda path=path: kernels_of_file(path, "tflite"), arguments.repeats)
            name = row.architecture
            model = load(path)

            def rules(model=model, name=name):
                return by_rules(read_graph(model, name), name, "fp32", "tflite")[0]

            graph = read_graph(model, name)
            ruled = seconds(rules, arguments.repeats)
            asked = seconds(lambda model=model, graph=graph, name=name: ask("onnxruntime", model, graph, name), 3)
            size = path.stat().st_size / 1000
            print(
                f"| {name} | {len(rules())} | {exporting:.2f} | {size:.0f} | {1000 * whole:.0f} | {1 / ruled:.0f} "
                f"| {asked:.2f} |"
            )


if __name__ == "__main__":
    main()
