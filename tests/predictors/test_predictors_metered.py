"""Energy of networks learned from kernels whose energy a meter saw alone, by a law of power that is known."""

import numpy as np
import pytest

import edgejoule
from edgejoule.predictors import DevicePredictor, training_set
from edgejoule.predictors.alone import alone_kernels
from edgejoule.predictors.kernelwise import FromKernels
from edgejoule.predictors.metered import metered, with_half_precision
from edgejoule.predictors.train import train
from edgejoule.validation import validate
from synthetic_kernels import ALONE, measured_alone, profiled, true_ms

IDLE_W = 70.0
#: Power above idle of each kind of kernel, at a high intensity and at none (W).
ABOVE_W = {"conv+bn+relu": (400.0, 120.0), "dwconv+bn+relu": (150.0, 100.0), "fc": (90.0, 80.0)}


def true_w(kernels):
    """Return the power of kernels (W): what is busy with arithmetic draws more than what waits for memory."""
    high, low = (kernels["kind"].map({kind: both[i] for kind, both in ABOVE_W.items()}) for i in (0, 1))
    intensity = kernels["macs"] / (kernels["bytes_in"] + kernels["bytes_out"] + kernels["bytes_weights"])
    return IDLE_W + low + (high - low) * intensity / (intensity + 5)


def gpu(noise=0.01, seed=0):
    """Return networks, kernels and kernels measured alone of a device with a meter and without a profiler."""
    networks, kernels, _ = profiled()
    networks = networks[networks["precision"] == "fp32"].reset_index(drop=True)
    kernels = kernels[kernels["network"].isin(networks["network"])].reset_index(drop=True)
    random = np.random.default_rng(seed)
    energy = (true_w(kernels) * true_ms(kernels)).groupby(kernels["network"]).sum()
    networks["energy_mj"] = networks["network"].map(energy) * np.exp(noise * random.normal(size=len(networks)))
    networks["latency_ms"] *= np.exp(noise * random.normal(size=len(networks)))
    networks["power_w"] = networks["energy_mj"] / networks["latency_ms"]
    networks["energy_above_idle_mj"] = networks["energy_mj"] - IDLE_W * networks["latency_ms"]
    networks["origin"] = "measured"
    alone = measured_alone(kernels)
    known = alone_kernels(alone.assign(origin="measured", energy_mj=1.0), kernels).set_index("kernel")
    watts = true_w(known).reindex(alone["kernel"]).to_numpy()
    alone = alone.assign(energy_mj=watts * alone["latency_ms"], power_w=watts, origin="measured", precision="fp32")
    return networks, kernels, alone


@pytest.fixture(scope="module")
def device():
    return gpu()


def test_energy_of_unseen_families_is_learned_from_kernels(device):
    networks, kernels, alone = device
    tables = {
        name: validate(networks, kernels, ["edgejoule"], ["leave-one-family-out"], alone=given)[0]
        for name, given in (("kernels", alone), ("totals", None))
    }
    errors = {}
    for name, table in tables.items():
        assert len(table) == 4 * len(networks) and table["predicted"].notna().all()
        relative = (table["predicted"] / table["measured"] - 1).abs()
        errors[name] = relative.groupby(table["metric"]).mean()
    assert errors["kernels"]["energy_mj"] < 0.05
    assert errors["kernels"]["power_w"] < 0.05
    assert errors["kernels"]["energy_mj"] < 0.7 * errors["totals"]["energy_mj"]


def test_power_follows_the_kernels_and_is_no_constant(device):
    networks, kernels, alone = device
    _, features, costs = training_set(networks, kernels, alone=alone)
    assert metered(features)
    assert features.rows.counts()["nodes"] == 0 and features.rows.counts()["metered"] > 300
    predictor = DevicePredictor().fit(features, costs)
    assert isinstance(predictor.energy, FromKernels) and predictor.needs_kernels
    assert predictor.energy.scale == pytest.approx(1 / ALONE, rel=0.05), "alone, a kernel's energy is less by as much"
    values = predictor.values(features)
    measured = costs.metrics["power_w"]
    assert np.ptp(measured) > 0.15 * measured.mean()
    np.testing.assert_allclose(values["power_w"], measured, rtol=0.1)
    np.testing.assert_allclose(values["energy_mj"], values["power_w"] * values["latency_ms"])


def test_energies_of_kernels_that_nobody_measured_are_not_learned_from(device):
    networks, kernels, alone = device
    for other in (
        alone.assign(origin="estimated"),
        alone.assign(energy_mj=np.nan),
        alone.assign(quality="flagged"),
        alone[~alone["kernel"].str.startswith("conv")],
    ):
        _, features, costs = training_set(networks, kernels, alone=other)
        assert features.rows is None
        assert not isinstance(DevicePredictor().fit(features, costs).energy, FromKernels)


def test_cold_times_are_learned_where_they_stand_beside_warm_ones(device):
    _, kernels, alone = device
    cold = alone.assign(between_ms=2 * alone["latency_ms"])
    cold.loc[cold.index[:5], "between_ms"] = np.nan
    times = alone_kernels(cold, kernels).set_index("kernel")["duration_ms"]
    expected = cold["between_ms"].fillna(cold["latency_ms"]).set_axis(cold["kernel"])
    np.testing.assert_allclose(times, expected.reindex(times.index))


def test_half_precision_moves_half_the_bytes(device):
    networks, kernels, alone = device
    half = with_half_precision(kernels, networks.assign(precision="fp16"))
    assert len(half) == 2 * len(kernels)
    new = half[half["precision"] == "fp16"].reset_index(drop=True)
    assert (new["bytes_weights"] == kernels["bytes_weights"] // 2).all() and (new["macs"] == kernels["macs"]).all()
    assert with_half_precision(half, networks.assign(precision="fp16")) is half
    rows, features, _ = training_set(networks.assign(precision="fp16"), kernels, alone=alone.assign(precision="fp16"))
    assert set(features.precision) == {"fp16"} and len(rows) == len(networks) and metered(features)
    seen = alone_kernels(alone.assign(precision="fp16"), kernels)
    assert set(seen["precision"]) == {"fp16"}


def test_a_trained_predictor_is_loaded_with_its_kernels(device, tmp_path):
    networks, kernels, alone = device
    train(networks, kernels, tmp_path, alone=alone)
    loaded = edgejoule.load_predictor(tmp_path.name, tmp_path.parent)
    assert loaded.needs_kernels
    card = (tmp_path / "card.md").read_text()
    assert "A meter measured the energy of" in card and "Predicted energy (mJ) is" in card
    name = networks["network"].iloc[0]
    predicted = loaded.predict(kernels[kernels["network"] == name])
    assert predicted.energy_mj.value == pytest.approx(networks["energy_mj"].iloc[0], rel=0.15)
    assert predicted.kernels_from == "latency and energy learned from single kernels, whose energy a meter saw alone"
    drawn = sum(part["energy_mj"] for part in predicted.breakdown.values())
    assert drawn == pytest.approx(predicted.energy_mj.value)
