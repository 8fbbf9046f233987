"""Retrieval from a loopback server that behaves well, badly, and badly at first; and from a mirror."""

import hashlib
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.traces.manifest import PinnedFile, archives_of, read_manifest
from edgejoule.traces.pinning import pin_system
from edgejoule.traces.retrieve import ATTEMPTS, retrieve

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONTENTS = {"open/a/spl.txt": b"watts " * 5000, "open/a/name with space.txt": b"", "LICENSE": b"Apache-2.0"}


def pinned(path, data=None):
    data = CONTENTS[path] if data is None else data
    return PinnedFile("someone/results", COMMIT, path, hashlib.sha256(data).hexdigest(), len(data), "all")


FILES = [pinned(path) for path in CONTENTS]


class Server(ThreadingHTTPServer):
    """Serves ``CONTENTS``; ``faults`` are used up one per request, first ones first."""

    def __init__(self):
        self.faults, self.requests = [], []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/{{repository}}/{{commit}}/{{path}}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requests.append(self.path)
        prefix = f"/someone/results/{COMMIT}/"
        data = CONTENTS.get(self.path.removeprefix(prefix).replace("%20", " "))
        fault = self.server.faults.pop(0) if self.server.faults else None
        if fault == "drop":
            self.close_connection = True
            return
        if data is None or isinstance(fault, int):
            self.send_error(fault or 404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if fault == "truncate":
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
        elif fault == "damage":
            self.wfile.write(data[::-1])
        else:
            self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def check(path):
    with zipfile.ZipFile(path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"results/{name}": data for name, data in CONTENTS.items()
        }


def test_good_server_and_equal_bytes(server, tmp_path):
    retrieve(FILES, tmp_path / "a.zip", server.address)
    retrieve(FILES[::-1], tmp_path / "b.zip", server.address)
    check(tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("fault", [503, 429, "drop", "truncate", "damage"])
def test_what_passes_is_tried_again(server, tmp_path, fault):
    server.faults = [fault] * (ATTEMPTS - 1)
    retrieve(FILES[:1], tmp_path / "a.zip", server.address, pause_s=0.001)
    assert len(server.requests) == ATTEMPTS
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.read("results/open/a/spl.txt") == CONTENTS["open/a/spl.txt"]


@pytest.mark.parametrize(
    ("fault", "message"),
    [(503, "answered 503"), ("drop", "connection failed"), ("truncate", "connection failed"), ("damage", "is pinned")],
)
def test_what_does_not_pass_stops_with_a_sentence_and_leaves_nothing(server, tmp_path, fault, message):
    server.faults = [fault] * 99
    with pytest.raises(EdgejouleError, match=f"{message}.*given up after {ATTEMPTS} attempts"):
        retrieve(FILES[:1], tmp_path / "a.zip", server.address, pause_s=0.001)
    assert not list(tmp_path.iterdir())


def test_a_missing_file_is_not_asked_for_again(server, tmp_path):
    with pytest.raises(EdgejouleError, match=r"nowhere\.txt: the server answered 404"):
        retrieve([pinned("nowhere.txt", b"x")], tmp_path / "a.zip", server.address, pause_s=0.001)
    assert len(server.requests) == 1


def test_another_file_than_the_pinned_one(server, tmp_path):
    other = PinnedFile("someone/results", COMMIT, "LICENSE", "0" * 64, len(CONTENTS["LICENSE"]), "all")
    with pytest.raises(EdgejouleError, match=r"sha256 is [0-9a-f]{64}, but 0{64} is pinned"):
        retrieve([other], tmp_path / "a.zip", server.address, pause_s=0.001)


def test_no_server_at_all(tmp_path):
    with Server() as closed:
        address = closed.address
    with pytest.raises(EdgejouleError, match="connection failed"):
        retrieve(FILES[:1], tmp_path / "a.zip", address, pause_s=0.001)


def test_a_wrong_template(tmp_path):
    with pytest.raises(EdgejouleError, match=r"\{repository\}, \{commit\}, \{path\}"):
        retrieve(FILES, tmp_path / "a.zip", "http://127.0.0.1/{owner}")


@pytest.fixture
def mirror(tmp_path):
    for name, data in CONTENTS.items():
        path = tmp_path / "mirror" / "results" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "mirror"


def test_a_mirror_gives_the_same_bytes_as_the_server(server, mirror, tmp_path):
    retrieve(FILES, tmp_path / "a.zip", server.address)
    retrieve(FILES, tmp_path / "b.zip", mirror=mirror)
    retrieve(FILES, tmp_path / "c.zip", mirror=mirror.parent)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes() == (tmp_path / "c.zip").read_bytes()


def test_a_mirror_of_another_commit(mirror, tmp_path):
    (mirror / "results" / "LICENSE").write_bytes(b"MIT")
    with pytest.raises(EdgejouleError, match=f"3 bytes came, 10 are pinned; mirror commit {COMMIT}"):
        retrieve(FILES, tmp_path / "a.zip", mirror=mirror)
    (mirror / "results" / "LICENSE").unlink()
    with pytest.raises(EdgejouleError, match="not in the mirror"):
        retrieve(FILES, tmp_path / "a.zip", mirror=mirror)


def test_bad_manifests(tmp_path):
    with pytest.raises(EdgejouleError, match="no such manifest"):
        read_manifest(tmp_path / "m.tsv")
    (tmp_path / "m.tsv").write_text("repository\tcommit\n")
    with pytest.raises(EdgejouleError, match="the columns should be repository, commit, path"):
        read_manifest(tmp_path / "m.tsv")
    header = "repository\tcommit\tpath\tsha256\tbytes\tarchive\tnetwork\tprecision\tprecision_source\n"
    (tmp_path / "m.tsv").write_text(header + "someone/results\tabc\tLICENSE\tdef\t3\tall\t\t\t\n")
    with pytest.raises(EdgejouleError, match="LICENSE: commit or sha256 is not hexadecimal"):
        read_manifest(tmp_path / "m.tsv")
    (tmp_path / "m.tsv").write_text(header + "someone/results\tabc\n")
    with pytest.raises(EdgejouleError, match="line 2 is not complete"):
        read_manifest(tmp_path / "m.tsv")


def test_the_shipped_manifests_are_whole(root):
    for path in sorted((root / "resources" / "mlperf").glob("*.tsv")):
        if path.stem != "archives":
            files, archives = read_manifest(path), archives_of(path)
            assert {file.archive for file in files} == archives.keys()
            assert len({file.name for file in files}) == len(files)


@pytest.mark.slow
def test_the_shipped_manifests_are_what_the_mirror_gives(root, shared_data, tmp_path):
    mirror = shared_data / "mlperf_inference"
    for system in ("rpi4-tflite-v2.7.1-ruy", "AGX_Xavier_TRT_MaxQ"):
        pin_system(system, "mlperf-inference", mirror / "index.csv", mirror, tmp_path / f"{system}.tsv")
        shipped = root / "resources" / "mlperf" / f"{system}.tsv"
        assert (tmp_path / shipped.name).read_bytes() == shipped.read_bytes()
        assert archives_of(tmp_path / shipped.name) == archives_of(shipped)
