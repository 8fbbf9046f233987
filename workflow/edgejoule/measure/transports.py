"""Ways to a machine that measures: ssh, and adb for Android. Each runs commands there and copies files to and fro."""

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Protocol

from edgejoule.errors import EdgejouleError

#: No questions, and only hosts whose key is known.
SSH_OPTIONS = ("BatchMode=yes", "StrictHostKeyChecking=yes", "ConnectTimeout=15", "ServerAliveInterval=15")
#: ssh's own status when the connection, not the command, failed.
SSH_LOST = 255
#: Where adb's shell may write, and where a Python for Android is looked for besides the shell's own path.
ANDROID_ROOT = "/data/local/tmp/edgejoule"
ANDROID_PATH = "/data/local/tmp/python/bin"
#: How adb's own messages begin; those of a command that failed do not.
ADB_MESSAGES = ("error: ", "adb: ")
ADB_LOST = ("not found", "offline", "closed", "no devices", "protocol fault", "cannot connect", "connection reset")


class ConnectionLostError(Exception):
    """The connection failed; what was asked for may or may not have been done."""


class Transport(Protocol):
    """A machine that can be reached. Every step may be repeated.

    ``url`` is how the device file names it, ``root`` the folder there that recordings stand in, and ``check`` a command
    for a person who wants to see whether it can be reached.
    """

    url: str
    root: str
    check: str

    def run(self, command: str, data: bytes = b"") -> bytes:
        """Run a shell command there, ``data`` as its standard input, and return its standard output.

        Raises:
            ConnectionLostError: the connection failed.
            EdgejouleError: the program for it is not installed, or the command failed.
        """

    def push(self, content: bytes | Path, target: str) -> None:
        """Write a file there, under another name until it is whole; raises as ``run`` does."""

    def pull(self, source: str) -> bytes:
        """Return the content of a file there; raises as ``run`` does."""


def open_transport(host: str) -> Transport:
    """Return the way to a ``host`` of a device file: ``ssh://alias`` or ``adb://serial``."""
    scheme, _, name = host.partition("://")
    return Ssh(name) if scheme == "ssh" else Adb(name)


def _call(program: str, arguments: list[str], data: bytes, url: str) -> tuple[int, bytes, list[str]]:
    """Run a local program; return its status, its output, and the lines that it complained with, at least one."""
    try:
        done = subprocess.run([program, *arguments], input=data, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise EdgejouleError(f"host '{url}': the program {program} is not installed here") from error
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return done.returncode, done.stdout, lines or [f"status {done.returncode}"]


def _in_place(target: str) -> tuple[str, str, str]:
    """Return a file's folder, its name, and its name while it is not whole, quoted for a shell."""
    path = PurePosixPath(target)
    folder, whole, part = (shlex.quote(str(each)) for each in (path.parent, path, f"{path}.part"))
    return folder, whole, part


@dataclass(frozen=True)
class Ssh:
    """A host that the user's ssh configuration knows, or another configuration file."""

    alias: str
    config: Path | None = None
    root: str = ".cache/edgejoule"

    @property
    def url(self) -> str:
        """How a device file names it."""
        return f"ssh://{self.alias}"

    @property
    def check(self) -> str:
        """What a person types to see whether it can be reached."""
        return f"ssh {self.alias}"

    def run(self, command: str, data: bytes = b"") -> bytes:
        """Run a shell command there and return its standard output."""
        options = [part for option in SSH_OPTIONS for part in ("-o", option)]
        options += ["-F", str(self.config)] if self.config else []
        status, output, complaints = _call("ssh", [*options, "--", self.alias, command], data, self.url)
        if status == SSH_LOST:
            raise ConnectionLostError(complaints[-1])
        if status:
            raise EdgejouleError(f"host '{self.url}': {complaints[-1]}")
        return output

    def push(self, content: bytes | Path, target: str) -> None:
        """Write a file there."""
        folder, whole, part = _in_place(target)
        data = content.read_bytes() if isinstance(content, Path) else content
        self.run(f"mkdir -p {folder} && cat > {part} && mv {part} {whole}", data)

    def pull(self, source: str) -> bytes:
        """Return the content of a file there."""
        return self.run(f"cat {shlex.quote(source)}")


@dataclass(frozen=True)
class Adb:
    """An Android device that adb sees, by its serial number; without one, the only device."""

    serial: str = ""
    root: str = ANDROID_ROOT

    @property
    def url(self) -> str:
        """How a device file names it."""
        return f"adb://{self.serial}"

    @property
    def check(self) -> str:
        """What a person types to see whether it can be reached."""
        return "adb devices"

    def _adb(self, arguments: list[str], data: bytes = b"") -> bytes:
        chosen = ["-s", self.serial] if self.serial else []
        status, output, complaints = _call("adb", [*chosen, *arguments], data, self.url)
        if status == 0:
            return output
        # adb's own message comes first, with hints in further lines; what a command there complains of comes last.
        complaint = next((line for line in complaints if line.startswith(ADB_MESSAGES)), complaints[-1])
        if complaint.startswith(ADB_MESSAGES):
            if "unauthorized" in complaint:
                raise EdgejouleError(
                    f"host '{self.url}': the phone does not trust this computer; accept it on its screen"
                )
            if any(word in complaint.lower() for word in ADB_LOST):
                raise ConnectionLostError(complaint)
        raise EdgejouleError(f"host '{self.url}': {complaint}")

    def run(self, command: str, data: bytes = b"") -> bytes:
        """Run a shell command there and return its standard output."""
        return self._adb(["shell", "-T", f"export PATH=$PATH:{ANDROID_PATH}; {command}"], data)

    def push(self, content: bytes | Path, target: str) -> None:
        """Write a file there; adb makes the folders on the way."""
        _, whole, part = _in_place(target)
        with TemporaryDirectory() as here:
            source = content if isinstance(content, Path) else Path(here) / "content"
            if not isinstance(content, Path):
                source.write_bytes(content)
            self._adb(["push", str(source), f"{target}.part"])
        self.run(f"mv {part} {whole}")

    def pull(self, source: str) -> bytes:
        """Return the content of a file there."""
        with TemporaryDirectory() as here:
            copy = Path(here) / "content"
            self._adb(["pull", source, str(copy)])
            return copy.read_bytes()
