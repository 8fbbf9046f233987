import json

import numpy as np
import onnx
import pandas as pd
import pytest

import edgejoule
from edgejoule.cli.main import main
from edgejoule.errors import EdgejouleError
from edgejoule.predictors import ServedPredictor
from edgejoule.predictors.train import train
from edgejoule.tables import read_table, write_table
from edgejoule.tables.contracts import KERNEL_COSTS, KERNELS, NETWORKS
from edgejoule.tables.vocabulary import METRICS
from synthetic_board import board


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predictors") / "synthetic"
    train(*board(), folder)
    return folder


def test_training_twice_writes_the_same_bytes(trained, tmp_path):
    train(*board(), tmp_path)
    for name in ("predictor.json", "card.md", "kernels.parquet"):
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes()


def test_a_loaded_predictor_explains_a_network(trained):
    networks, kernels = board()
    predictor = edgejoule.load_predictor("synthetic", trained.parent)
    one = kernels[kernels["network"] == "gamma-4"]
    answer = predictor.predict(one)
    measured = networks.set_index("network").loc["gamma-4"]
    assert answer.latency_ms.value == pytest.approx(measured["latency_ms"], rel=1e-6)
    assert answer.latency_ms.lower <= answer.latency_ms.value <= answer.latency_ms.upper
    parts = sum(part["energy_mj"] for part in answer.breakdown.values())
    assert parts == pytest.approx(answer.energy_mj.value)
    assert sum(part["kernels"] for part in answer.breakdown.values()) == len(one)
    dearest = [kernel["energy_mj"] for kernel in answer.dearest]
    assert dearest == sorted(dearest, reverse=True)
    assert (answer.coverage, answer.distance, answer.warnings) == (1.0, 1.0, [])
    json.dumps(answer.to_dict(), allow_nan=False)


def test_many_networks_at_once_are_the_same_as_one_by_one(trained):
    _, kernels = board()
    predictor = edgejoule.load_predictor("synthetic", trained.parent)
    many = predictor.predict_many(kernels)
    energies = many[many["metric"] == "energy_mj"].set_index("network")["predicted"]
    for name in ("alpha-0", "delta-11"):
        assert energies[name] == predictor.predict(kernels[kernels["network"] == name]).energy_mj.value


def test_what_one_by_one_says_the_table_of_many_says_too(trained):
    _, kernels = board()
    predictor = edgejoule.load_predictor("synthetic", trained.parent)
    near, far, half = (
        kernels[kernels["network"] == "delta-11"].assign(network=name, precision=precision)
        for name, precision in (("near", "fp32"), ("far", "fp32"), ("half", "fp16"))
    )
    far = far.assign(macs=far["macs"] * 3)
    many = predictor.predict_many(pd.concat([near, far, half])).set_index(["network", "metric"])
    for name, rows in (("near", near), ("far", far)):
        answer = predictor.predict(rows)
        for metric in METRICS:
            interval = getattr(answer, metric)
            bounds = [np.nan if bound is None else bound for bound in (interval.lower, interval.upper)]
            row = many.loc[(name, metric)]
            assert row[["predicted", "lower", "upper"]].tolist() == pytest.approx(
                [interval.value, *bounds], nan_ok=True
            )
            assert (row["distance"], row["note"]) == (answer.distance, "; ".join(answer.warnings))
    assert many.loc["half", ["predicted", "lower", "upper"]].isna().all(axis=None)
    assert set(many.loc["half", "note"]) == {"device 'synthetic' was never measured in fp16; only in fp32, int8"}


def test_kernels_that_would_be_added_up_stop(trained):
    _, kernels = board()
    predictor = edgejoule.load_predictor("synthetic", trained.parent)
    one = kernels[kernels["network"] == "gamma-4"]
    both = pd.concat([one, one.assign(runtime="armnn")])
    for ask in (predictor.predict, predictor.predict_many):
        for given in (both, one.assign(runtime="armnn")):
            with pytest.raises(
                EdgejouleError, match=r"kernels of armnn are given, and .*takes those of onnxruntime: keep"
            ):
                ask(given)
        with pytest.raises(
            EdgejouleError, match=r"'gamma-4' \(int8\) has several kernels of index 0: two networks of one"
        ):
            ask(pd.concat([one, one]))
    with pytest.raises(
        EdgejouleError, match=r"described for several runtimes \(armnn, onnxruntime\); keep the rows of one"
    ):
        edgejoule.network_features(both)


def test_a_predictor_of_a_runtime_without_rules_takes_kernels_of_another(tmp_path):
    networks, kernels = board()
    train(networks.assign(runtime="other"), kernels, tmp_path / "synthetic")
    predictor = edgejoule.load_predictor("synthetic", tmp_path)
    assert predictor.predict(kernels[kernels["network"] == "gamma-4"]).warnings == []


def test_no_kernels_are_a_sentence(trained):
    _, kernels = board()
    predictor = edgejoule.load_predictor("synthetic", trained.parent)
    with pytest.raises(EdgejouleError, match=r"has no column 'network' \(26 of 26 are missing\); give rows of"):
        predictor.predict_many(pd.DataFrame())
    with pytest.raises(EdgejouleError, match="no kernels given; predict takes"):
        predictor.predict(kernels.iloc[:0])
    assert predictor.predict_many(kernels.iloc[:0]).empty


def test_several_files_are_answered_and_a_bad_one_costs_no_other(trained, tmp_path, capsys):
    first, second = (tmp_path / folder / "net.onnx" for folder in "ab")
    for path, channels in ((first, 32), (second, 64)):
        path.parent.mkdir()
        write_conv(path, [1, 3, 112, 112], channels)
    absent, junk = tmp_path / "absent.onnx", tmp_path / "junk.onnx"
    junk.write_text("junk")
    files = [first, absent, second, junk]
    predictor = edgejoule.load_predictor("synthetic", trained.parent)
    many = predictor.predict_many(files)
    assert many["metric"].tolist() == np.repeat(METRICS, 4).tolist()
    table = many[many["metric"] == "latency_ms"].set_index("network")
    assert table.index.tolist() == [str(first), "absent", str(second), "junk"]
    assert table.loc[str(second), "predicted"] == predictor.predict(second).latency_ms.value
    assert "absent.onnx: no such file" in table.loc["absent", "note"]
    assert "junk.onnx: not an ONNX model" in table.loc["junk", "note"] and np.isnan(table.loc["junk", "predicted"])
    assert predictor.predict_many(second)["network"].unique().tolist() == ["net"]
    with pytest.raises(EdgejouleError, match=r"net\.onnx: given 2 times; give each file once"):
        predictor.predict_many([first, first])

    asked = ["predict", *map(str, files), "--device", "synthetic", "--predictors", str(trained.parent)]
    status, printed = run(asked, capsys)
    assert status == 2
    assert printed.startswith("on synthetic; energy learned from: measured\n")
    assert f"{first}  fp32" in printed and "junk: " in printed and "junk.onnx: not an ONNX model" in printed
    status, printed = run([*asked, "--json"], capsys)
    answers = json.loads(printed)
    assert status == 2 and [answer["network"] for answer in answers] == table.index.tolist()
    assert ["error" in answer for answer in answers] == [False, True, False, True]
    assert answers[2]["latency_ms"]["value"] == table.loc[str(second), "predicted"]
    status, printed = run(["predict", str(first), str(second), *asked[5:], "--json"], capsys)
    assert not status and len(json.loads(printed)) == 2


def test_a_file_without_a_kernel_says_so(trained, tmp_path):
    path = tmp_path / "views.onnx"
    write_graph(path, [onnx.helper.make_node("Identity", ["input"], ["output"])], [1, 3, 8, 8])
    predictor = edgejoule.load_predictor("synthetic", trained.parent)
    predictor.runtime = "tflite"  # ONNX Runtime executes even this.
    with pytest.raises(
        EdgejouleError, match=r"views.onnx: the file has no kernel: nothing in it costs anything on tflite"
    ):
        predictor.predict(path)


def run(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return stop.value.code, capsys.readouterr().out


def write_graph(path, nodes, shape, weights=()):
    image = onnx.helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, shape)
    output = onnx.helper.make_tensor_value_info("output", onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_graph(nodes, "net", [image], [output], list(weights))
    onnx.save(onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)]), path)


def write_conv(path, shape, channels=32):
    weight = onnx.numpy_helper.from_array(np.ones((channels, 3, 3, 3), np.float32), "weight")
    nodes = [onnx.helper.make_node("Conv", ["input", "weight"], ["output"], kernel_shape=[3, 3])]
    write_graph(path, nodes, shape, [weight])


def test_a_network_outside_the_training_range_is_marked(trained):
    _, kernels = board()
    predictor = edgejoule.load_predictor("synthetic", trained.parent)
    huge = kernels[kernels["network"] == "delta-11"].assign(macs=lambda k: k["macs"] * 1000)
    answer = predictor.predict(huge)
    assert answer.distance > 10
    assert answer.warnings == [
        "the network lies more than 100 times outside the range of the training networks: "
        "it has 1,157,386 M MACs, a training network at most 1,157"
    ]
    tiny = kernels[kernels["network"] == "delta-11"].head(1).assign(macs=0)
    assert predictor.predict(tiny).warnings[0].endswith("it has 0 M MACs, a training network at least 13.9")
    for interval in (answer.latency_ms, answer.power_w, answer.energy_mj):
        assert interval.lower is None and interval.upper is None and "see the warnings" in interval.note
    many = predictor.predict_many(pd.concat([huge, kernels[kernels["network"] == "gamma-4"]])).set_index("network")
    assert many.loc["delta-11", ["lower", "upper"]].isna().all(axis=None) and many["predicted"].notna().all()
    assert many.loc["gamma-4", ["lower", "upper"]].notna().all(axis=None)
    one = kernels[kernels["network"] == "delta-11"]
    shifted = one.assign(kind=one["kind"].where(one["operator"] != "Conv", "conv+bn+relu"), groups=1)
    shifted["kernel_height"] = shifted["kernel_width"] = 3
    answer = predictor.predict(shifted)
    assert answer.distance > 1.5
    assert answer.warnings[0].endswith(
        "its convolutions larger than 1x1 have 1,157 M MACs, in a training network at most 17.7"
    )
    strange = kernels[kernels["network"] == "delta-11"].assign(kind="other:Einsum")
    answer = predictor.predict(strange)
    assert answer.coverage == 0
    assert answer.warnings[0].endswith("no training network had: operators of no known kind")
    assert answer.energy_mj.lower is None


def test_the_command_warns_first_and_names_what_is_inferred(trained, monkeypatch, capsys):
    _, kernels = board()
    one = kernels[kernels["network"] == "delta-11"]
    asked = ["predict", "net.onnx", "--device", "synthetic", "--predictors", str(trained.parent)]
    for factor, first in ((1000, "warning: the network lies more than 100 times outside"), (1, "delta-11 (")):
        changed = one.assign(macs=one["macs"] * factor)
        monkeypatch.setattr(ServedPredictor, "_read", lambda *asked, changed=changed: (changed, 1))
        with pytest.raises(SystemExit) as stop:
            main(asked)
        printed = capsys.readouterr().out
        assert not stop.value.code and printed.startswith(first)
        assert ("90 %:" in printed) == (factor == 1) == ("no interval" not in printed)
        assert "kernels: inferred from networks' totals, not measured" in printed and "energy (mJ)" in printed
        assert "100 % of the work (MACs, bytes) in groups of kernels that training networks had" in printed


def test_a_file_with_dynamic_axes_takes_a_shape_and_its_batch_is_stated(trained, tmp_path, capsys):
    path = tmp_path / "net.onnx"
    write_conv(path, ["n", 3, "h", "w"])
    predictor = edgejoule.load_predictor("synthetic", trained.parent)
    with pytest.raises(
        EdgejouleError, match="dynamic axes n, h, w; give its shape, such as --shape input=1x3x224x224 "
    ):
        predictor.predict(path)
    one, four = (predictor.predict(path, shapes={"input": (batch, 3, 112, 112)}) for batch in (1, 4))
    assert (one.batch, four.batch) == (1, 4)
    assert four.latency_ms.value > 1.5 * one.latency_ms.value
    assert not any("batch" in warning for warning in one.warnings)
    assert four.warnings[0].startswith("the batch is 4, and costs are those of all 4")
    assert four.energy_mj.lower is None
    asked = ["predict", str(path), "--device", "synthetic", "--predictors", str(trained.parent)]
    for extra, expected in (([], "(fp32, batch 4)"), (["--json"], '"batch": 4')):
        with pytest.raises(SystemExit) as stop:
            main([*asked, "--shape", "input=4x3x112x112", *extra])
        assert not stop.value.code
        assert expected in capsys.readouterr().out
    with pytest.raises(EdgejouleError, match="a shape is given for 'image', which is no input; inputs: input"):
        predictor.predict(path, shapes={"image": (1, 3, 112, 112)})


def test_a_folder_without_predictors_names_the_remedy(tmp_path):
    with pytest.raises(EdgejouleError, match="absent: no such folder; run 'snakemake --cores all predictors'"):
        edgejoule.load_predictor("synthetic", tmp_path / "absent")
    with pytest.raises(EdgejouleError, match="no predictor of device 'synthetic'; run 'snakemake"):
        edgejoule.load_predictor("synthetic", tmp_path)


def test_a_device_that_is_not_trained_names_the_remedy(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config" / "devices").mkdir(parents=True)
    (tmp_path / "config" / "devices" / "mine.yaml").touch()
    with pytest.raises(
        EdgejouleError, match=r"mine\.yaml is there, but not trained yet: run 'snakemake --cores all pred"
    ):
        edgejoule.load_predictor("mine", trained.parent)
    for name in ("", "x" * 300):
        with pytest.raises(EdgejouleError, match=f"no predictor of device '{name}'; valid: synthetic"):
            edgejoule.load_predictor(name, trained.parent)


def test_a_precision_that_was_never_measured_stops(trained):
    _, kernels = board()
    predictor = edgejoule.load_predictor("synthetic", trained.parent)
    with pytest.raises(EdgejouleError, match="never measured in fp16; only in fp32, int8"):
        predictor.predict(kernels[kernels["network"] == "delta-11"].assign(precision="fp16"))


def test_a_changed_predictor_is_refused(trained, tmp_path):
    path = tmp_path / "synthetic" / "predictor.json"
    path.parent.mkdir()
    text = (trained / "predictor.json").read_text()
    path.write_text(text.replace('"networks": 48', '"networks": 47'))
    with pytest.raises(EdgejouleError, match="sha256 disagree"):
        edgejoule.load_predictor("synthetic", tmp_path)
    path.write_text(text[: len(text) // 2])
    with pytest.raises(EdgejouleError, match="not readable as JSON"):
        edgejoule.load_predictor("synthetic", tmp_path)
    path.write_text("[]")
    with pytest.raises(EdgejouleError, match="not a predictor of format"):
        edgejoule.load_predictor("synthetic", tmp_path)
    with pytest.raises(EdgejouleError, match="did you mean 'synthetic'"):
        edgejoule.load_predictor("syntetic", tmp_path)


def test_recovered_kernel_energies_are_called_inferred_and_bracketed(trained):
    _, kernels = board()
    table = read_table(trained / "kernels.parquet", KERNEL_COSTS)
    assert set(table["origin"]) == {"inferred"}
    assert len(table) == kernels["kernel"].nunique()
    assert (table["lower_mj"] <= table["energy_mj"]).all()
    assert (table["energy_mj"] <= table["upper_mj"]).all()
    assert np.isfinite(table[["energy_mj", "lower_mj", "upper_mj"]]).all(axis=None)


def test_a_modelled_energy_is_not_shared_out_among_kernels(tmp_path):
    train(*board(origin="estimated"), tmp_path)
    assert read_table(tmp_path / "kernels.parquet", KERNEL_COSTS).empty
    assert "modelled (a declared constant power x latency), not measured" in (tmp_path / "card.md").read_text()


def test_a_device_without_a_latency_stops(tmp_path):
    networks, kernels = board()
    with pytest.raises(EdgejouleError, match="none of the device's 48 networks has a latency"):
        train(networks.assign(quality="failed", latency_ms=np.nan), kernels, tmp_path)


def test_the_command_trains_and_complains_in_one_sentence(tmp_path, capsys):
    networks, kernels = board()
    write_table(networks, tmp_path / "networks.parquet", NETWORKS)
    write_table(kernels, tmp_path / "kernels.parquet", KERNELS)
    files = ["--networks", str(tmp_path / "networks.parquet"), "--kernels", str(tmp_path / "kernels.parquet")]
    with pytest.raises(SystemExit) as stop:
        main(["predictors", "train", *files, "--output", str(tmp_path / "out")])
    assert not stop.value.code
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "card.md",
        "kernels.parquet",
        "predictor.json",
    ]
    files[1] = str(tmp_path / "absent.parquet")
    with pytest.raises(SystemExit) as stop:
        main(["predictors", "train", *files, "--output", str(tmp_path / "out")])
    assert stop.value.code == 2
    assert "absent.parquet: no such file" in capsys.readouterr().err
