"""Import of a 1 GB Monsoon-style CSV, stamped in bursts: time, rate and memory of the whole process.

    python benchmarks/import_csv.py [--megabytes 1000] [--runs 3]

Makes the file in the temporary folder, imports it by ``edgejoule trace import`` into a canonical recording, and prints
one Markdown table.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from integration import cpu_s
from pipeline import watch

ROWS = 1 << 20
RATE_HZ = 5000


def make_csv(path: Path, megabytes: float) -> int:
    """Write rows of time (ms), current (mA) and voltage (V) until the file has its size; return their number."""
    rng = np.random.default_rng(0)
    rows = 0
    with path.open("wb") as handle:
        handle.write(b"Time(ms),Current(mA),Voltage(V)\n")
        while handle.tell() < megabytes * 1e6:
            number = rows + np.arange(ROWS)
            arrival = np.ceil(number / RATE_HZ / 0.028) * 28.0 + 1e-3 * (number % 140)
            current = np.round(np.where(number // 100_000 % 2, 650.0, 210.0) + rng.normal(0, 5, ROWS), 3)
            voltage = np.round(4.0 + rng.normal(0, 0.002, ROWS), 4)
            table = pa.table({"t": np.round(arrival, 3), "i": current, "v": voltage})
            pa.csv.write_csv(table, handle, pa.csv.WriteOptions(include_header=False))
            rows += ROWS
    return rows


def main() -> None:
    """Make the file, import it, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = make_csv(folder / "monsoon.csv", options.megabytes)
        size = (folder / "monsoon.csv").stat().st_size / 1e6
        edgejoule = str(Path(sys.executable).with_name("edgejoule"))
        command = [edgejoule, "trace", "import", "monsoon.csv", "--device", "d", "--output", "recording"]
        print("| readings | MB | wall s, median | of runs | MB/s | CPU s | peak MB |\n|---|---|---|---|---|---|---|")
        walls, peaks, before = [], [], cpu_s()
        for _ in range(options.runs):
            wall, peak, status = watch(command, folder)
            if status:
                sys.exit(f"import failed with status {status}")
            walls.append(wall)
            peaks.append(peak)
        used = (cpu_s() - before) / options.runs
        wall, runs = float(np.median(walls)), ", ".join(f"{each:.1f}" for each in walls)
        print(f"| {rows:,} | {size:.0f} | {wall:.1f} | {runs} | {size / wall:.0f} | {used:.1f} | {max(peaks):.0f} |")


if __name__ == "__main__":
    main()
