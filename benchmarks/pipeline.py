"""Time, memory and size of the whole pipeline: a fresh run, nothing to do, and a dry run with many devices.

    python benchmarks/pipeline.py [--devices 200] [--skip-fresh]

Works in a copy of the checkout's tracked files under the temporary folder. Prints one Markdown table.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import yaml

ROOT = Path(__file__).resolve().parents[1]
SNAKEMAKE = [str(Path(sys.executable).with_name("snakemake")), "--cores", "2", "--quiet", "all"]


def watch(command: list[str], folder: Path) -> tuple[float, float, int]:
    """Run a command; return its wall time (s), the peak resident memory of its process tree (MB), its exit status."""
    peak, done = 0.0, threading.Event()

    def sample(process: psutil.Process) -> None:
        nonlocal peak
        while not done.wait(0.05):
            total = 0
            for each in [process, *_children(process)]:
                try:
                    total += each.memory_info().rss
                except psutil.Error:
                    continue
            peak = max(peak, total / 1e6)

    start = time.perf_counter()
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    watcher = threading.Thread(target=sample, args=(psutil.Process(child.pid),))
    watcher.start()
    status = child.wait()
    wall = time.perf_counter() - start
    done.set()
    watcher.join()
    return wall, peak, status


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def copy_checkout(folder: Path) -> Path:
    """Copy the tracked files into ``folder``; return the copy."""
    copy = folder / "checkout"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, files.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    return copy


def add_devices(checkout: Path, number: int) -> None:
    """Add ``number`` devices that replay the first board's rows under other names."""
    device = yaml.safe_load((checkout / "config/devices/rpi4-tflite-v2.7.1-ruy.yaml").read_text())
    for index in range(number):
        name = f"copy-{index:03d}"
        (checkout / f"config/devices/{name}.yaml").write_text(yaml.safe_dump(device | {"name": name, "board": name}))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--skip-fresh", action="store_true")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        checkout = copy_checkout(Path(folder))
        if not options.skip_fresh:
            wall, peak, status = watch(SNAKEMAKE, checkout)
            size = sum(f.stat().st_size for f in (checkout / "results").rglob("*") if f.is_file()) / 1e6
            rows.append((f"default run, fresh (status {status})", wall, peak, f"{size:.0f} MB under results/"))
            wall, peak, status = watch(SNAKEMAKE, checkout)
            rows.append((f"nothing to do (status {status})", wall, peak, ""))
        add_devices(checkout, options.devices)
        wall, peak, status = watch([*SNAKEMAKE, "--dry-run"], checkout)
        rows.append((f"dry run with {options.devices} further devices (status {status})", wall, peak, ""))
    print("| what | wall, s | peak memory of all processes, MB | |\n|---|---|---|---|")
    for name, wall, peak, note in rows:
        print(f"| {name} | {wall:.1f} | {peak:.0f} | {note} |")


if __name__ == "__main__":
    main()
