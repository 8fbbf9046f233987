"""Measuring on a board over ssh or adb: a bundle is copied, run detached, followed, and its parts are fetched.

The board needs Python 3.11, NumPy, the runtime and the meter's package, and no edgejoule: the bundle brings what it
needs. Every step can be repeated, so a connection that drops costs time only. Keys and host keys are those of the
user's ssh configuration; nothing here ever asks for or holds a password.
"""

import json
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from edgejoule.errors import EdgejouleError
from edgejoule.measure.parts import replace_bytes
from edgejoule.measure.plan import Plan, sha256_of
from edgejoule.measure.recorder import Progress
from edgejoule.measure.transports import ConnectionLostError, Transport

T = TypeVar("T")

#: Time between two looks at a running measurement (s).
POLL_S = 5.0
#: First pause before a lost connection is tried again, and for how long it is (s).
PAUSE_S = 2.0
PATIENCE_S = 1800.0
#: The part of the package that runs on the board.
BUNDLE = (
    "__init__.py",
    "errors.py",
    "jetson.py",
    "names.py",
    "measure/*.py",
    "measure/meters/*.py",
    "measure/runtimes/*.py",
)
#: What builds networks there, for runtimes that read no files of them; it needs pandas, pyarrow, timm and torchvision.
#: ``graphs/__init__.py`` stays at home: it opens the way to modules that read ONNX.
BUILDERS = (
    "tables/*.py",
    "tables/contracts/*.py",
    "graphs/builders.py",
    "graphs/mobile.py",
    "graphs/references.py",
    "graphs/torchvision_import.py",
    "graphs/variants.py",
    "graphs/zoo.py",
)
#: Modules of it that a board has no use for, and could not import.
AT_HOME = {
    "bundle.py",
    "collect.py",
    "energies.py",
    "exports.py",
    "freeze.py",
    "inside.py",
    "live.py",
    "noise.py",
    "observed.py",
    "prepare.py",
    "remote.py",
    "transports.py",
}

# What runs on the board, given to its python3 as standard input; arguments are JSON.
HASHES = """
import hashlib, json, pathlib, sys
root = pathlib.Path(sys.argv[1])
files = [path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
print(json.dumps({str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}))
"""
START = """
import os, pathlib, subprocess, sys
root = pathlib.Path(sys.argv[1]).resolve()
pid = root / "pid"
def alive():
    try:
        return b"edgejoule.measure.recorder" in pathlib.Path("/proc", pid.read_text(), "cmdline").read_bytes()
    except OSError:
        return False
if sys.argv[2] == "start" and not alive():
    (root / "parts").mkdir(exist_ok=True)
    (root / "parts/progress.json").unlink(missing_ok=True)
    with open(root / "recorder.log", "ab") as log:
        command = [sys.executable, "-m", "edgejoule.measure.recorder", "plan.json", "models", "parts"]
        process = subprocess.Popen(command, cwd=root, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=True, env={**os.environ, "PYTHONPATH": str(root / "code")})
    pid.write_text(str(process.pid))
print(int(alive()))
"""


def persistently(action: Callable[[], T]) -> T:
    """Return what an action gives, repeating it while the connection is lost.

    Raises:
        EdgejouleError: the connection did not come back in time.
    """
    end, pause_s = time.monotonic() + PATIENCE_S, PAUSE_S
    while True:
        try:
            return action()
        except ConnectionLostError as error:
            if time.monotonic() + pause_s > end:
                raise EdgejouleError(
                    f"the host cannot be reached: {error}; the measurement there goes on; run the command again later"
                ) from error
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, 30 * PAUSE_S)


def record_remotely(host: Transport, plan: Plan, models: Path, folder: Path, progress: Progress | None = None) -> None:
    """Measure a plan on a host, and leave its parts in ``folder`` as if they had been measured here.

    Args:
        host: where.
        plan: what.
        models: folder that the plan's model files are relative to.
        folder: where the parts go.
        progress: told as the measurement there proceeds.

    Raises:
        EdgejouleError: the host cannot be reached, lacks something, or the recorder there stopped with an error.
    """
    root = f"{host.root}/{plan.device}"
    try:
        host.run("python3 --version")
    except ConnectionLostError as error:
        raise EdgejouleError(f"host '{host.url}' cannot be reached: {error}; try: {host.check}") from error
    persistently(lambda: send(host, root, bundle(plan, models)))
    persistently(lambda: host.run(f"python3 - {shlex.quote(root)} start", START.encode()))
    for state in follow(host, root):
        if progress:
            progress(state["done"], state["total"], state["left_s"], state["name"])
    persistently(lambda: fetch(host, f"{root}/parts", folder))


def bundle(plan: Plan, models: Path) -> dict[str, bytes | Path]:
    """Return the files that a board needs, by their path there."""
    package = Path(__file__).parents[1]
    files: dict[str, bytes | Path] = {
        f"code/edgejoule/{path.relative_to(package).as_posix()}": path
        for pattern in (*BUNDLE, *BUILDERS)
        for path in sorted(package.glob(pattern))
        if path.parent.name != "measure" or path.name not in AT_HOME
    }
    files |= {f"models/{workload.model}": models / workload.model for workload in plan.workloads if workload.model}
    return files | {"plan.json": json.dumps(plan.to_json()).encode()}


def hashes(host: Transport, root: str) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder of the host, which is made if it is not there."""
    quoted = shlex.quote(root)
    return json.loads(host.run(f"mkdir -p {quoted} && python3 - {quoted}", HASHES.encode()))


def send(host: Transport, root: str, files: Mapping[str, bytes | Path]) -> None:
    """Copy the files that the host lacks or has otherwise, each under another name until it is whole."""
    there = hashes(host, root)
    for name, content in files.items():
        digest = sha256_of(content) if isinstance(content, Path) else sha256(content).hexdigest()
        if there.get(name) == digest:
            continue
        host.push(content, f"{root}/{name}")


def follow(host: Transport, root: str) -> Iterator[dict]:
    """Yield the state of the measurement until it has ended.

    Raises:
        EdgejouleError: it ended with an error, or without a word.
    """
    quoted = shlex.quote(root)
    while True:
        # First whether it runs, then how far it is: so that an end between the two is not taken for a death.
        alive = persistently(lambda: host.run(f"python3 - {quoted} look", START.encode())).strip() == b"1"
        text = persistently(lambda: host.run(f"cat {quoted}/parts/progress.json 2>/dev/null || echo '{{}}'"))
        state = json.loads(text)
        if state.get("error"):
            raise EdgejouleError(f"host '{host.url}': {state['error']}")
        if state.get("finished"):
            # The end is told too, however short the measurement was; a state without counts has nothing to tell.
            if "done" in state:
                yield state
            return
        if not alive:
            log = host.run(f"tail -n 1 {quoted}/recorder.log").decode("utf-8", "replace").strip()
            raise EdgejouleError(f"host '{host.url}': the recorder died: {log or 'no word in recorder.log'}")
        if state:
            yield state
        time.sleep(POLL_S)


def fetch(host: Transport, root: str, folder: Path) -> None:
    """Copy the files below a folder of the host that ``folder`` lacks or has otherwise, and check each by its hash."""
    for name, digest in hashes(host, root).items():
        target = folder / name
        if not target.resolve().is_relative_to(folder.resolve()):
            raise EdgejouleError(f"host '{host.url}': gives a file outside the recording: {name}")
        if target.is_file() and sha256_of(target) == digest:
            continue
        content = host.pull(f"{root}/{name}")
        if sha256(content).hexdigest() != digest:
            raise ConnectionLostError(f"{name} came incomplete")
        replace_bytes(target, content)
