"""What sampling a meter costs: the share of one core that the sampling process takes at a given rate.

    python benchmarks/sampling.py --seconds 20

Prints one Markdown table. The share is the one that every recording holds (``sampling_share``): the process's own
processor time over the time that it sampled, opening the meter and starting Python left out. sysfs meters read trees of
files in memory here, so a sensor's own delay on its bus is not in it; of the `command` meter, the program that it reads
is not.
"""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from edgejoule.measure.sampler import Sampler

PROGRAM = """
import sys, time
while True:
    print(f"{time.monotonic():.6f},3.5", flush=True)
    time.sleep(float(sys.argv[1]))
"""


def write_tree(root: Path, files: Mapping[str, object]) -> str:
    """Write files below a folder; return it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return str(root)


def meters(folder: Path, rate_hz: float) -> dict[str, dict]:
    """Return the meters to compare, by what they are."""
    rapl = {"name": "package-0", "energy_uj": 2_500_000, "max_energy_range_uj": 262_143_328_850}
    channels = {
        f"{kind}{number}_{part}": value
        for number, label in enumerate(("VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"), start=1)
        for kind, part, value in (("in", "label", label), ("in", "input", 5000), ("curr", "input", 820))
    }
    sysfs = {
        "rapl, one counter": {"kind": "rapl", "root": write_tree(
            folder / "rapl", {f"sys/class/powercap/intel-rapl:0/{name}": value for name, value in rapl.items()})},
        "hwmon, INA3221 of three rails": {"kind": "hwmon", "root": write_tree(
            folder / "hwmon", {f"sys/class/hwmon/hwmon0/{name}": value for name, value in channels.items()}
            | {"sys/class/hwmon/hwmon0/name": "ina3221"})},
    }  # fmt: skip
    program = folder / "watts.py"
    program.write_text(PROGRAM)
    command = f"{sys.executable} {program} {1 / rate_hz}"
    return {name: meter | {"rate_hz": rate_hz} for name, meter in sysfs.items()} | {
        "command, lines of a program": {"kind": "command", "command": command, "rate_hz": rate_hz}
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rate-hz", type=float, default=100.0)
    arguments = parser.parse_args()
    print("| meter | readings/s | share of one core |")
    print("|---|---|---|")
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        for name, meter in meters(Path(folder), arguments.rate_hz).items():
            trace = Path(folder) / "trace.csv"
            with Sampler(meter, trace) as sampler:
                time.sleep(arguments.seconds)
            rails = max(1, len(sampler.rails))
            readings = len(trace.read_text().splitlines()) / rails / arguments.seconds
            print(f"| {name} | {readings:.0f} | {100 * sampler.share:.2f} % |")


if __name__ == "__main__":
    main()
