"""The benchmarks are run by hand, so nothing else would notice that what they use has moved."""

import importlib.util
from pathlib import Path

import pytest

BENCHMARKS = sorted((Path(__file__).parents[2] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_finds_all_that_it_imports(path, monkeypatch):
    if "nn_meter" in path.stem:
        pytest.skip("runs in nn-Meter's environment, not in ours")
    monkeypatch.syspath_prepend(path.parent)  # as for a script, which may use its neighbours
    spec = importlib.util.spec_from_file_location(f"benchmark_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert callable(module.main)
