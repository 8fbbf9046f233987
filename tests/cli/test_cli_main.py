import subprocess
import sys

import pytest
from typer.testing import CliRunner

import edgejoule
from edgejoule.cli.main import COMMANDS, build_app, main
from edgejoule.names import did_you_mean
from edgejoule.tables.contracts import ALL

STAGES = [
    "graphs",
    "measure",
    "traces",
    "datasets",
    "predictors",
    "validation",
    "scores",
    "recommendations",
    "figures",
    "report",
]


def test_help_lists_the_stages_in_the_order_of_the_data():
    named = [name for name, _, panel in COMMANDS if panel == "Stages"]
    assert named == [stage for stage in STAGES if stage in named]
    result = CliRunner().invoke(build_app(), ["--help"])
    places = [result.output.index(f"│ {name} ") for name in named]
    assert places == sorted(places)


def _commands(typer_or_function):
    return getattr(typer_or_function, "registered_commands", None)


@pytest.mark.parametrize("name", [name for name, _, _ in COMMANDS])
def test_every_command_has_help_with_an_example(name):
    import importlib

    module = next(module for command, module, _ in COMMANDS if command == name)
    command = importlib.import_module(module).command
    registered = _commands(command)
    functions = [info.callback for info in registered] if registered is not None else [command]
    assert functions
    for function in functions:
        assert "Example" in (function.__doc__ or ""), f"edgejoule {name}: {function.__name__} shows no example"


def test_bad_input_is_one_sentence_and_status_two(capsys, tmp_path):
    with pytest.raises(SystemExit) as stopped:
        main(["datasets", "check", "--networks", str(tmp_path / "none.parquet"), "--output", str(tmp_path / "x")])
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("edgejoule: ")
    assert error.count("\n") == 1
    assert "none.parquet" in error


@pytest.mark.parametrize("command", [["graph"], ["trace", "inspect"]])
def test_a_name_that_no_file_can_have_is_one_sentence(capsys, command):
    with pytest.raises(SystemExit) as stopped:
        main([*command, "x" * 300])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith(f"edgejoule: {'x' * 60}...: no file has so long a name")


def test_the_package_shows_what_it_offers_and_loads_nothing_for_it():
    code = "import sys, edgejoule; print(dir(edgejoule)); assert not {'pandas', 'numpy', 'onnx'} & set(sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    for name in edgejoule.__all__:
        assert f"'{name}'" in shown and getattr(edgejoule, name)


def test_consolidate_takes_tables_not_folders(capsys, tmp_path):
    with pytest.raises(SystemExit) as stopped:
        main(["datasets", "consolidate", str(tmp_path / "board-a"), "--output", str(tmp_path)])
    assert stopped.value.code == 2
    assert f"such as {tmp_path / 'board-a/networks.parquet'}" in capsys.readouterr().err


def test_what_is_written_is_said(capsys, tmp_path, root):
    rows = "device,network,precision,latency_ms,energy_mj\nx,resnet18,fp32,10,20\nx,resnet34,fp32,20,40\n"
    (tmp_path / "rows.csv").write_text(rows)
    text = (root / "config/devices/rpi4-tflite-v2.7.1-ruy.yaml").read_text()
    (tmp_path / "x.yaml").write_text(text.replace("name: rpi4-tflite-v2.7.1-ruy", "name: x", 1))
    zoo, out, table = (
        str(path) for path in (root / "config/networks.tsv", tmp_path / "x", tmp_path / "x/networks.parquet")
    )
    device = ["--device-file", str(tmp_path / "x.yaml"), "--source", str(tmp_path / "rows.csv")]
    references = ["--references", str(root / "config/references.tsv")]
    for arguments, said in (
        (
            ["device", *device, "--zoo", zoo, *references, "--output", out],
            f"{out}: 2 networks, 0 references, 0 passes, ",
        ),
        (["consolidate", table, "--output", str(tmp_path)], f"{tmp_path}: the tables of 1 device(s)"),
        (["export", "--networks", table, "--output", f"{out}.csv"], f"{out}.csv: 2 networks of 1 device(s)"),
    ):
        with pytest.raises(SystemExit):
            main(["datasets", *arguments])
        assert said in capsys.readouterr().err


def test_an_unknown_option_is_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["schema", "--nonsense"])
    assert stopped.value.code != 0


def test_schema_prints_every_table(capsys):
    with pytest.raises(SystemExit):
        main(["schema"])
    printed = capsys.readouterr().out
    for table in ALL:
        assert f"## {table.name}" in printed


def test_names_that_begin_alike_are_offered_and_a_dozen_listed():
    names = ["rpi4-armnn", "rpi4-tflite", "xavier"]
    assert did_you_mean("rpi4", names) == "did you mean 'rpi4-armnn' or 'rpi4-tflite'?"
    assert did_you_mean("xaviar", names) == "did you mean 'xavier'?"
    many = [f"name-{i:02d}" for i in range(13)]
    assert did_you_mean("qqq", many[:12]).endswith("name-11")
    assert did_you_mean("qqq", many).endswith("name-11, ...")
