"""A trained predictor on disk: JSON whose hash is checked when it is loaded. Nothing is ever unpickled."""

import hashlib
import json
from pathlib import Path

from edgejoule.errors import EdgejouleError
from edgejoule.tables import write_json

FILE = "predictor.json"
#: Raised whenever a file of an older form could not be read any more.
FORMAT = 3


def digest(content: object) -> str:
    """Return the sha256 of a JSON-able value, independent of the order of keys and of white space."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def save(content: dict, folder: Path | str) -> None:
    """Write ``predictor.json`` with the content and its hash, atomically."""
    write_json(Path(folder) / FILE, {"format": FORMAT, "sha256": digest(content), "predictor": content})


def load(folder: Path | str) -> dict:
    """Return the content of ``predictor.json`` after checking its format and hash.

    Raises:
        EdgejouleError: the file is absent, not JSON, of another format, or not what was written.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise EdgejouleError(f"{path}: no such file; train the device's predictor: edgejoule predictors train")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise EdgejouleError(f"{path}: not readable as JSON ({error}); train the predictor again") from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise EdgejouleError(f"{path}: not a predictor of format {FORMAT}; train the predictor again")
    if value.get("sha256") != digest(value.get("predictor")):
        raise EdgejouleError(f"{path}: content and sha256 disagree: it was changed or damaged; train it again")
    return value["predictor"]
