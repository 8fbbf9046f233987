"""Reading configuration files, with errors that name the file, the key and the nearest valid name."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from edgejoule.config.models import Device, Run
from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean

M = TypeVar("M", bound=BaseModel)


class UniqueKeyLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Safe YAML in which a key that stands twice is an error, not a silent overwrite."""

    def construct_mapping(self, node, deep=False):  # noqa: D102
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key '{key}' stands twice", key_node.start_mark)
            if key is not None:
                seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path | str) -> dict:
    """Read a YAML file whose top level is a mapping."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        there = [file.name for file in path.parent.glob("*.yaml")]
        raise EdgejouleError(f"{path}: no such file; {did_you_mean(path.name, there)}") from error
    except OSError as error:
        raise EdgejouleError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise EdgejouleError(f"{path}: not text in UTF-8: {error.reason} at byte {error.start}") from error
    try:
        value = UniqueKeyLoader(text).get_single_data()
    except yaml.YAMLError as error:
        raise EdgejouleError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(value, dict):
        raise EdgejouleError(f"{path}: should hold 'key: value' lines, but holds {type(value).__name__}")
    return value


def check(model: type[M], value: Mapping, where: str) -> M:
    """Return ``value`` as ``model``, or stop with the first wrong key, what is wrong and the nearest valid name."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise EdgejouleError(f"{where}: {_sentence(error, model)}") from None


def _sentence(error: ValidationError, model: type[BaseModel]) -> str:
    # A misspelt key makes two errors, unknown and missing: the first of them helps.
    first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    path = [part for part in first["loc"] if isinstance(part, (int, str))]
    key = ".".join(map(str, path))
    value = first.get("input")
    match first["type"]:
        case "extra_forbidden":
            return f"unknown key '{key}'; {did_you_mean(str(path[-1]), _keys_at(model, path[:-1]))}"
        case "missing":
            return f"key '{key}' is missing"
        case "literal_error" | "union_tag_invalid":
            expected = first["ctx"].get("expected") or first["ctx"].get("expected_tags")
            valid = [word.strip(" '") for word in str(expected).replace(" or ", ",").split(",")]
            shown = first["ctx"].get("tag", value)
            return f"key '{key}' is '{shown}'; {did_you_mean(str(shown), valid)}"
        case _:
            message = first["msg"][0].lower() + first["msg"][1:]
            return f"key '{key}' is {value!r}, but {message.replace('input should', 'it should')}"


def _keys_at(model: type[BaseModel], path: list) -> list[str]:
    """Return the valid keys of the (nested) model that ``path`` leads to."""
    models = [model]
    for part in path:
        nested = []
        for current in models:
            for name, info in current.model_fields.items():
                if part in (name, info.alias):
                    nested += list(_models_in(info.annotation))
            # A step into a discriminated union names the tag, not a key.
            if not nested and any(part in get_args(f.annotation) for f in current.model_fields.values()):
                nested.append(current)
        models = nested or models
    return [info.alias or name for current in models for name, info in current.model_fields.items()]


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def load_device(path: Path | str) -> Device:
    """Read and check one device file; its name must be the file's."""
    device = check(Device, read_yaml(path), str(path))
    if device.name != Path(path).stem:
        raise EdgejouleError(f"{path}: key 'name' is '{device.name}', but the file is called '{Path(path).stem}'")
    meter = device.meter
    if meter.kind == "constant" and meter.watts is None:
        raise EdgejouleError(f"{path}: key 'meter.watts' is missing; a 'constant' meter declares its power in watts")
    if meter.kind == "constant" and device.origin != "estimated":
        raise EdgejouleError(f"{path}: key 'origin' is '{device.origin}', but a declared power makes it 'estimated'")
    return device


def device_files(folders: list[str], root: Path | str = ".") -> dict[str, Path]:
    """Return the device files of all folders by device name; the first folder that has a name wins."""
    files: dict[str, Path] = {}
    for folder in folders:
        path = Path(root) / folder
        if not path.is_dir():
            raise EdgejouleError(f"{path}: no such folder; 'device_folders' lists the folders of device files")
        for file in sorted(path.glob("*.yaml")):
            files.setdefault(file.stem, file)
    return files


def load_run(
    value: Mapping, where: str = "config/config.yaml", root: Path | str = "."
) -> tuple[Run, dict[str, Device]]:
    """Check the run's configuration and every device that it names.

    Args:
        value: the merged configuration, as Snakemake or ``read_yaml`` gives it.
        where: the file to name in messages.
        root: the folder that paths in it are relative to.

    Returns:
        The run and its devices by name, in order of name.
    """
    run = check(Run, value, where)
    files = device_files(run.device_folders, root)
    names = sorted(files) if run.devices == "all" else run.devices
    if not names:
        raise EdgejouleError(f"{where}: key 'devices' names no device; name some, or say 'all'")
    for name in [*names, *run.validation.prior_devices]:
        if name not in files:
            raise EdgejouleError(f"{where}: unknown device '{name}'; {did_you_mean(name, files)}")
    return run, {name: load_device(files[name]) for name in names}


def check_files(run: Run, devices: Mapping[str, Device], where: str, root: Path | str = ".") -> None:
    """Stop unless every file and folder that the configuration names is there.

    Snakemake takes an older result for a source file where the input of the rule that makes it is missing; so what is
    missing has to be said before it looks.

    Raises:
        EdgejouleError: names the file or folder, the key, and the file that holds the key.
    """
    named = [(where, "zoo.file", run.zoo.file), (where, "scores.file", run.scores.file), (where, "mirror", run.mirror)]
    named += [(where, f"recommendations.{key}", getattr(run.recommendations, key)) for key in ("tasks", "accuracies")]
    for name, device in devices.items():
        keys = ("file", "folder", "manifest", "events")
        named += [(f"device '{name}'", f"source.{key}", getattr(device.source, key, None)) for key in keys]
        clocks = getattr(device.source, "alignment", None)
        named += [
            (f"device '{name}'", f"source.alignment.{key}", getattr(clocks, key, None)) for key in ("marks", "load")
        ]
    for holder, key, path in named:
        if path is not None and not (Path(root) / path).exists():
            raise EdgejouleError(f"{holder}: key '{key}' names '{path}', which is not there")
