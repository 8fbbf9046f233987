"""Measuring over ssh and adb: against stand-ins that cut connections, and an OpenSSH server where there is one."""

import ast
import getpass
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_models import write_conv

from edgejoule.config.load import check
from edgejoule.config.models import Device
from edgejoule.errors import EdgejouleError
from edgejoule.measure import remote
from edgejoule.measure.collect import collect
from edgejoule.measure.plan import Workload, sha256_of
from edgejoule.measure.prepare import make_plan
from edgejoule.measure.remote import bundle, fetch, hashes, persistently, record_remotely, send
from edgejoule.measure.transports import Adb, ConnectionLostError, Ssh, open_transport

#: Drops ssh's options and the alias, and runs the command in the host's home. Every third connection breaks: one before
#: the command, the next one after it, with what it printed cut short.
STAND_IN = """\
#!/bin/sh
while [ "$1" != "--" ]; do shift; done
shift 2
cd "$HOST_HOME" || exit 255
count=$(cat ../count 2>/dev/null || echo 0)
echo $((count + 1)) > ../count
if [ "$CUTS" = yes ] && [ $((count % 6)) = 2 ]; then echo "Connection reset by peer" >&2; exit 255; fi
if [ "$CUTS" = yes ] && [ $((count % 6)) = 5 ]; then sh -c "$1" | head -c 40; echo "Broken pipe" >&2; exit 255; fi
exec sh -c "$1"
"""

#: The same for adb: a phone of this serial number, whose shell and files are the host's. Copying a file takes two
#: calls, so every seventh is cut.
ADB_STAND_IN = """\
#!/bin/sh
[ "$1" = -s ] && [ "$2" != R58M ] && { echo "error: device '$2' not found" >&2; exit 1; }
[ "$1" = -s ] && shift 2
verb=$1
shift
cd "$HOST_HOME" || exit 1
count=$(cat ../count 2>/dev/null || echo 0)
echo $((count + 1)) > ../count
if [ "$CUTS" = yes ] && [ $((count % 14)) = 6 ]; then echo "error: device 'R58M' not found" >&2; exit 1; fi
short=cat
[ "$CUTS" = yes ] && [ $((count % 14)) = 13 ] && short="head -c 40"
case $verb in
shell) sh -c "$2" > ../printed; status=$?; $short ../printed;;
push | pull) mkdir -p "$(dirname "$2")"; $short < "$1" > "$2"; status=$?;;
esac
[ "$short" = cat ] || { echo "error: closed" >&2; exit 1; }
exit $status
"""


def host_programs(folder):
    """Make a folder with the host's python3, which is the one that runs the tests."""
    folder.mkdir()
    (folder / "python3").write_text(f'#!/bin/sh\nTMPDIR={folder} exec {sys.executable} "$@"\n')
    (folder / "python3").chmod(0o755)
    return folder


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A host behind the stand-in. Its home is a folder of the test."""
    programs = host_programs(tmp_path / "bin")
    (programs / "ssh").write_text(STAND_IN)
    (programs / "ssh").chmod(0o755)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CUTS", "no")
    monkeypatch.setattr(remote, "POLL_S", 0.05)
    monkeypatch.setattr(remote, "PAUSE_S", 0.01)
    return Ssh("board")


@pytest.fixture
def phone(tmp_path, host):
    """The same host behind adb."""
    (tmp_path / "bin/adb").write_text(ADB_STAND_IN)
    (tmp_path / "bin/adb").chmod(0o755)
    return Adb("R58M", root="recordings")


@pytest.fixture
def work(tmp_path):
    """A device, its plan, and the folder of its models."""
    value = {
        "name": "remote-1t", "title": "A board", "board": "board", "class": "board",
        "runtime": {"name": "onnxruntime", "threads": 1}, "meter": {"kind": "none"}, "power_scope": "model",
        "origin": "estimated",
        "source": {"kind": "live", "host": "ssh://board", "protocol": {
            "passes": 2, "minimum_s": 0.02, "maximum_s": 0.05, "half_width": 0.2, "idle_s": 0.01}},
    }  # fmt: skip
    device = check(Device, value, "test")
    models = tmp_path / "models"
    models.mkdir()
    workloads = []
    for size in (8, 16):
        path = write_conv(models / f"net {size}.onnx", size=size)
        workloads.append(Workload(f"net {size}", "network", "fp32", path.name, sha256_of(path)))
    return device, make_plan(device, workloads), models


def check_recording(device, folder):
    recording = collect(device, folder)
    assert sorted(recording.events.query("kind == 'network'")["workload"]) == ["net 16"] * 2 + ["net 8"] * 2
    assert recording.problems.empty
    assert recording.meta["runtime"]["version"] == recording.meta["versions"]["onnxruntime"]


@pytest.mark.parametrize("cuts", ["no", "yes"])
def test_a_plan_is_measured_there_and_its_parts_come_back(tmp_path, host, work, monkeypatch, cuts):
    monkeypatch.setenv("CUTS", cuts)
    device, plan, models = work
    told = []
    record_remotely(host, plan, models, tmp_path / "parts", lambda *args: told.append(args))
    check_recording(device, tmp_path / "parts")
    assert all(0 <= done <= total == 4 for done, total, _, _ in told)


def test_the_same_over_adb(tmp_path, phone, work, monkeypatch):
    monkeypatch.setenv("CUTS", "yes")
    device, plan, models = work
    record_remotely(phone, plan, models, tmp_path / "parts")
    check_recording(device, tmp_path / "parts")
    assert (tmp_path / "home/recordings/remote-1t/plan.json").is_file()


def test_adb_says_what_is_wrong(tmp_path, phone, work):
    _, plan, models = work
    with pytest.raises(EdgejouleError, match=r"'adb://R59' cannot be reached: error: device 'R59' not found; try: adb"):
        record_remotely(Adb("R59"), plan, models, tmp_path / "parts")
    with pytest.raises(EdgejouleError, match=r"host 'adb://R58M': .*no-such-command"):
        phone.run("no-such-command")


@pytest.mark.parametrize(("before", "message"), [
    ("", "error: device unauthorized."),
    ("* daemon not running; starting now at tcp:5037\n* daemon started successfully\n", "error: device unauthorized."),
    ("", "adb: error: connect failed: device unauthorized."),
])  # fmt: skip
def test_a_phone_that_does_not_trust_this_computer_is_known_by_any_of_adbs_lines(tmp_path, phone, before, message):
    (tmp_path / "bin/said").write_text(
        f"{before}{message}\nThis adb server's $ADB_VENDOR_KEYS is not set\n"
        "Try 'adb kill-server' if that seems wrong.\nOtherwise check for a confirmation dialog on your device.\n"
    )
    (tmp_path / "bin/adb").write_text(f"#!/bin/sh\ncat {tmp_path / 'bin/said'} >&2\nexit 1\n")
    with pytest.raises(EdgejouleError, match="does not trust this computer; accept it on its screen"):
        phone.run("true")


def test_a_host_is_reached_by_its_scheme():
    assert open_transport("ssh://board") == Ssh("board")
    assert open_transport("adb://R58M") == Adb("R58M")
    assert open_transport("adb://").url == "adb://"


def test_what_is_there_is_neither_copied_nor_measured_again(tmp_path, host, work):
    _, plan, models = work
    record_remotely(host, plan, models, tmp_path / "parts")
    parts = {path: path.read_bytes() for path in (tmp_path / "parts").glob("pass-*/*.json")}
    calls = int((tmp_path / "count").read_text())
    record_remotely(host, plan, models, tmp_path / "parts")
    assert {path: path.read_bytes() for path in parts} == parts
    again = int((tmp_path / "count").read_text()) - calls
    assert again < calls / 2, "looks alone; how many depends on how fast the machine is"


def test_an_error_there_is_told_here(tmp_path, host, work):
    _, plan, models = work
    plan = replace(plan, runtime={"name": "onnxruntime", "backend": "cuda"})
    with pytest.raises(EdgejouleError, match="host 'ssh://board': ONNX Runtime has no backend 'cuda' here"):
        record_remotely(host, plan, models, tmp_path / "parts")


def test_a_recorder_that_dies_there_is_told_here(tmp_path, host, work):
    _, plan, models = work
    files = bundle(plan, models) | {"code/edgejoule/measure/recorder.py": b"raise SystemExit('no such instruction')"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remote, "bundle", lambda *_: files)
        with pytest.raises(EdgejouleError, match="the recorder died: no such instruction"):
            record_remotely(host, plan, models, tmp_path / "parts")


def test_a_damaged_copy_is_fetched_again(tmp_path, host):
    send(host, "there", {"a": b"1", "deep er/b": b"2"})
    fetch(host, "there", tmp_path / "here")
    (tmp_path / "here/a").write_bytes(b"damaged")
    fetch(host, "there", tmp_path / "here")
    assert (tmp_path / "here/a").read_bytes() == b"1" and (tmp_path / "here/deep er/b").read_bytes() == b"2"


def test_a_host_cannot_write_outside_the_recording(tmp_path, host, monkeypatch):
    monkeypatch.setattr(remote, "hashes", lambda *_: {"../../outside": "0"})
    with pytest.raises(EdgejouleError, match=r"gives a file outside the recording: \.\./\.\./outside"):
        fetch(host, "there", tmp_path / "here")


def test_a_connection_that_does_not_come_back_is_said(monkeypatch):
    monkeypatch.setattr(remote, "PAUSE_S", 0.01)
    monkeypatch.setattr(remote, "PATIENCE_S", 0.05)

    def cut():
        raise ConnectionLostError("No route to host")

    with pytest.raises(EdgejouleError, match="cannot be reached: No route to host; the measurement there goes on"):
        persistently(cut)


def test_a_command_that_fails_there_is_no_lost_connection(host):
    with pytest.raises(EdgejouleError, match=r"host 'ssh://board': .*no-such-command"):
        host.run("no-such-command")


def test_the_bundle_needs_nothing_that_a_board_lacks(work):
    _, plan, models = work
    files = {name: path for name, path in bundle(plan, models).items() if name.endswith(".py")}
    modules = {
        name.removeprefix("code/").removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in files
    }
    # What drives a runtime or meter needs that package; building kernels needs onnx, and says so.
    own = {"onnxruntime", "openvino", "torch", "pynvml", "onnx", "ai_edge_litert", "flatbuffers"}
    own |= {"serial", "ppk2_api", "usb", "Monsoon", "pyjoulescope_driver"}
    for name, path in files.items():
        for node in ast.walk(ast.parse(path.read_text())):
            wanted = []
            if isinstance(node, ast.Import):
                wanted = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                wanted = [node.module]
            for module in wanted:
                top = module.split(".")[0]
                if top == "edgejoule":
                    assert module in modules, f"{name} imports {module}, which the bundle lacks"
                else:
                    there = sys.stdlib_module_names | own | {"numpy"}
                    if name.startswith(("code/edgejoule/graphs/", "code/edgejoule/tables/")):
                        # What builds networks is there for PyTorch only.
                        there |= {"pandas", "pyarrow", "timm", "torchvision"}
                    assert top in there, f"{name} imports {module}"


# -- a real server ---------------------------------------------------------------------------------------------------

SSHD = shutil.which("sshd", path=f"/usr/sbin:/usr/local/sbin:{os.environ.get('PATH', '')}")


@pytest.fixture
def server(tmp_path, monkeypatch):
    """An OpenSSH server on the loopback address, with keys of its own; its home is a folder of the test."""
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("no OpenSSH server here; install Debian's openssh-server to run this test")
    programs = host_programs(tmp_path / "bin")
    (tmp_path / "home").mkdir()
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / key], check=True)
    shutil.copy(tmp_path / "user.pub", tmp_path / "authorized")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "run").write_text(
        f'#!/bin/sh\ncd {tmp_path / "home"} && PATH={programs}:$PATH exec sh -c "$SSH_ORIGINAL_COMMAND"\n'
    )
    (tmp_path / "run").chmod(0o755)
    (tmp_path / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path / 'host'}\nPidFile {tmp_path / 'sshd.pid'}\n"
        f"AuthorizedKeysFile {tmp_path / 'authorized'}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        f"PermitRootLogin prohibit-password\nForceCommand {tmp_path / 'run'}\n"
    )
    public = (tmp_path / "host.pub").read_text().split()
    (tmp_path / "known").write_text(f"[127.0.0.1]:{port} {public[0]} {public[1]}\n")
    (tmp_path / "ssh_config").write_text(
        f"Host board\nHostName 127.0.0.1\nPort {port}\nUser {getpass.getuser()}\nIdentityFile {tmp_path / 'user'}\n"
        f"IdentitiesOnly yes\nUserKnownHostsFile {tmp_path / 'known'}\nGlobalKnownHostsFile /dev/null\n"
    )
    if os.access("/run", os.W_OK):
        Path("/run/sshd").mkdir(exist_ok=True)
    monkeypatch.setattr(remote, "POLL_S", 0.1)
    monkeypatch.setattr(remote, "PAUSE_S", 0.05)
    running = Server([SSHD, "-D", "-e", "-f", str(tmp_path / "sshd_config")], port)
    running.start()
    yield Ssh("board", tmp_path / "ssh_config"), running
    running.stop()


class Server:
    """A server that can be stopped and started again."""

    def __init__(self, command, port):
        self.command, self.port, self.process = command, port, None

    def start(self):
        self.process = subprocess.Popen(self.command, stderr=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        pytest.fail("the OpenSSH server does not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def test_over_a_real_server_that_goes_away_in_the_middle(tmp_path, server, work):
    host, running = server
    device, plan, models = work
    told = []

    def go_away_once(*args):
        told.append(args)
        if len(told) == 1:
            running.stop()
            with pytest.raises(ConnectionLostError, match="Connection refused"):
                host.run("true")
            threading.Timer(0.5, running.start).start()

    record_remotely(host, plan, models, tmp_path / "parts", go_away_once)
    check_recording(device, tmp_path / "parts")
    assert told


def test_a_host_whose_key_is_not_known_is_refused(tmp_path, server):
    (tmp_path / "known").write_text("")
    with pytest.raises(ConnectionLostError, match="Host key verification failed"):
        hashes(server[0], "there")
