import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import t as student

from edgejoule.errors import EdgejouleError
from edgejoule.predictors import gaussian, training_set
from edgejoule.predictors.device import Costs
from edgejoule.predictors.drawn import drawn_linear
from edgejoule.predictors.linear import NonNegativeLinear
from edgejoule.predictors.transfer import BASIS, Catalogue, Transfer, common_networks
from edgejoule.validation import validate
from edgejoule.validation.transfer import measured_networks
from synthetic_board import board

PROTOCOLS = ["transfer-k5", "transfer-k10"]
SPEEDS = {"one": (1, 1, 1, 1, 1), "two": (3, 2, 1, 2, 1), "three": (0.5, 1, 1, 0.5, 0.7), "new": (1.5, 0.8, 1, 1, 2)}


@pytest.fixture(scope="module")
def boards():
    """Four boards with other coefficients each, the last one new, and the kernels of their networks."""
    tables = {name: board(0.02, seed=i, name=name, speed=speed) for i, (name, speed) in enumerate(SPEEDS.items())}
    return [networks for networks, _ in tables.values()], tables["one"][1]


@pytest.fixture(scope="module")
def result(boards):
    tables, kernels = boards
    return validate(tables[3], kernels, ["edgejoule", "macs-bytes-linear"], PROTOCOLS, priors=tables)


def test_a_new_board_is_predicted_from_few_networks(result):
    table, used = result
    for protocol, many, bound in (("transfer-k5", 5, 0.08), ("transfer-k10", 10, 0.05)):
        rows = table[(table["protocol"] == protocol) & (table["predictor"] == "edgejoule")]
        energy = rows[rows["metric"] == "energy_mj"]
        assert len(energy) == 48 - many
        assert (energy["predicted"] / energy["measured"] - 1).abs().mean() < bound
        assert energy["measured"].between(energy["lower"], energy["upper"]).mean() > 0.7
        assert used[used["protocol"] == protocol]["network"].nunique() == 48 - many
    wide = table[(table["protocol"] == "transfer-k10") & (table["predictor"] == "edgejoule")]
    wide = wide.pivot(index="network", columns="metric", values="predicted")
    assert np.allclose(wide["latency_ms"] * wide["power_w"], wide["energy_mj"])


def test_what_was_not_measured_on_the_new_board_does_not_matter(boards, result):
    tables, kernels = boards
    table, used = result
    left = set(used[used["protocol"] == "transfer-k10"]["network"])
    changed = tables[3].copy()
    out = changed["network"].isin(left)
    costs = ["latency_ms", "energy_mj", "energy_above_idle_mj"]
    changed.loc[out, costs] *= np.random.default_rng(0).uniform(0.1, 10, (out.sum(), 1))
    # The board's own rows among the priors must not be used either.
    priors = [*tables[:3], changed]
    altered, _ = validate(changed, kernels, ["edgejoule"], ["transfer-k10"], priors=priors)
    before = table[(table["protocol"] == "transfer-k10") & (table["predictor"] == "edgejoule")]
    columns = ["metric", "network", "predicted", "lower", "upper"]
    pd.testing.assert_frame_equal(
        before[columns].reset_index(drop=True), altered[columns].reset_index(drop=True), check_exact=True
    )


def test_a_device_without_a_meter_is_judged_in_latency(boards):
    tables, kernels = boards
    estimated = tables[3].assign(origin="estimated", power_scope="model")
    table, _ = validate(estimated, kernels, ["edgejoule"], ["transfer-k10"], priors=tables)
    assert set(table["metric"]) == {"latency_ms"}
    assert (table["predicted"] / table["measured"] - 1).abs().mean() < 0.08


@pytest.mark.parametrize("priors", [[], [0], [3], [0, 3]])
def test_too_few_other_boards_prove_nothing(boards, priors):
    tables, kernels = boards
    table, used = validate(tables[3], kernels, ["edgejoule"], PROTOCOLS, priors=[tables[i] for i in priors])
    assert table.empty
    assert used.empty


def test_too_few_common_networks_prove_nothing(boards):
    tables, kernels = boards
    table, _ = validate(tables[3], kernels, ["edgejoule"], PROTOCOLS, priors=[tables[0].head(20), tables[1]])
    assert table.empty


def test_the_design_measures_different_networks_of_every_precision(boards):
    tables, kernels = boards
    catalogues = []
    for table in tables[:3]:
        rows, features, costs = training_set(table, kernels)
        catalogues.append(Catalogue(rows["device"].iloc[0], rows["board"].iloc[0], features, costs))
    shared = common_networks(catalogues)
    ordered = [catalogue.ordered(shared) for catalogue in catalogues]
    transfer = Transfer(ordered[0].features, ordered[1:], metered=True)
    chosen = transfer.choose(10)
    assert len(set(chosen.tolist())) == 10
    assert set(ordered[0].features.precision[chosen]) == {"fp32", "int8"}
    # No other ten, of many drawn at random, leave less variance.
    left = variance_left(transfer, chosen)
    random = np.random.default_rng(0)
    assert all(left < variance_left(transfer, random.choice(48, 10, replace=False)) for _ in range(200))
    assert left < variance_left(transfer, transfer.choose(9))
    with pytest.raises(EdgejouleError, match="at least two other boards"):
        Transfer(ordered[0].features, ordered[1:2], metered=True)


def variance_left(transfer, chosen):
    metric = "energy_mj"
    family = pd.Series(transfer.priors[0].costs.family)
    theta, inputs = transfer.theta[metric], transfer.inputs[metric]
    _, spread = gaussian.condition(theta, inputs, chosen, np.zeros(len(chosen)))
    return pd.Series(spread**2).groupby(family).mean().mean()


def transfer_to(boards, noise: dict[str, float]) -> tuple[Transfer, Catalogue]:
    """Return the transfer to the last board, and that board, where each board's power has a noise of its own."""
    tables, kernels = boards
    catalogues = []
    for i, table in enumerate(tables):
        rows, features, costs = training_set(table, kernels)
        name = rows["device"].iloc[0]
        factor = np.exp(noise.get(name, 0.01) * np.random.default_rng(i).normal(size=len(rows)))
        metrics = costs.metrics | {m: costs.metrics[m] * factor for m in ("power_w", "energy_mj")}
        catalogues.append(Catalogue(name, rows["board"].iloc[0], features, Costs(costs.family, metrics)))
    shared = common_networks(catalogues)
    ordered = [catalogue.ordered(shared) for catalogue in catalogues]
    return Transfer(ordered[-1].features, ordered[:-1], metered=True), ordered[-1]


def inside(transfer: Transfer, new: Catalogue, many: int, metric: str) -> float:
    """Return the share of the networks that are not measured whose value lies inside the interval."""
    chosen = transfer.choose(many)
    table = transfer.predict(chosen, new.costs.take(chosen))
    table = table[table["metric"] == metric].drop(columns="metric").reset_index(drop=True)
    measured = pd.Series(new.costs.metrics[metric])
    return measured.between(table["lower"], table["upper"]).drop(index=chosen).mean()


def test_intervals_follow_a_board_that_is_noisier_than_all_that_are_known(boards):
    noisy, quiet = (transfer_to(boards, noise) for noise in ({"new": 0.08}, {}))
    assert inside(*noisy, 20, "power_w") > 0.75
    assert inside(*quiet, 20, "power_w") > 0.75
    chosen = noisy[0].choose(20)
    widths = [
        transfer.estimate(chosen, new.costs.take(chosen))[1]["power_w"].mean() for transfer, new in (noisy, quiet)
    ]
    assert widths[0] > 4 * widths[1]


def test_bounds_are_students_and_hold_the_disagreement_of_the_two_models(boards):
    transfer, new = transfer_to(boards, {})
    for many in (5, 20):
        chosen = transfer.choose(many)
        few = new.costs.take(chosen)
        mean, spread = transfer.estimate(chosen, few)
        linear = drawn_linear(transfer.features, transfer.linear["energy_mj"], chosen, few.metrics["energy_mj"])
        # Half way between the two lies what is predicted.
        assert (spread["energy_mj"] > np.abs(np.log(linear / mean["energy_mj"]))).all()
        table = transfer.predict(chosen, few)
        energy = table[table["metric"] == "energy_mj"]
        half = np.log(energy["upper"] / energy["predicted"]).to_numpy()
        assert half == pytest.approx(student.ppf(0.95, many) * spread["energy_mj"])


def test_the_slope_of_the_likelihood_finds_what_its_values_do():
    """The analytic slope against finite differences: both lead to the same hyper-parameters."""
    random = np.random.default_rng(0)
    inputs = gaussian.Inputs(
        random.normal(size=(30, 4)),
        random.dirichlet(np.ones(5), 30),
        random.normal(size=(30, 3)) / 10,
        np.arange(30) % 2 == 0,
    )
    values = np.linalg.cholesky(gaussian.covariance(gaussian.USUAL + 0.5, inputs) + 1e-3 * np.eye(30)) @ random.normal(
        size=30
    )

    def loss(theta):
        k = gaussian.covariance(theta, inputs) + gaussian.noise(theta) * np.eye(30)
        prior = 0.5 * np.sum(((theta - gaussian.USUAL) / gaussian.SPREAD) ** 2)
        return prior + 0.5 * values @ np.linalg.solve(k, values) + 0.5 * np.linalg.slogdet(k)[1]

    found = gaussian.learn([(inputs, values)])
    assert loss(found) < loss(gaussian.USUAL)
    assert approx_fprime(found, loss) == pytest.approx(0, abs=0.02)


@pytest.fixture(scope="module")
def known_models(boards):
    tables, kernels = boards
    sets = [training_set(table, kernels)[1:] for table in tables]
    latencies = [costs.metrics["latency_ms"] for _, costs in sets]
    return (
        sets[3][0],
        latencies[3],
        [NonNegativeLinear(BASIS).fit(f, y) for (f, _), y in zip(sets, latencies, strict=True)][:3],
    )


def test_a_linear_model_that_is_drawn_hard_is_the_mean_of_the_known_at_the_new_board_s_speed(known_models):
    features, latency, models = known_models
    chosen = np.array([0, 5, 30, 40])
    one = drawn_linear(features, models[:1], chosen, 7 * models[0].predict(features)[chosen], 1e6)
    assert one == pytest.approx(7 * models[0].predict(features), rel=1e-4)
    hard, loose = (drawn_linear(features, models, chosen, latency[chosen], strength) for strength in (1e6, 1e-6))
    errors = [np.abs(predicted / latency - 1)[chosen].mean() for predicted in (hard, loose)]
    assert errors[1] < errors[0]


def test_a_precision_of_which_none_was_measured_is_as_elsewhere(known_models):
    features, _, models = known_models
    chosen = np.flatnonzero(features.precision == "fp32")[:6]
    predicted = drawn_linear(features, models[:1], chosen, 3 * models[0].predict(features)[chosen], 0.1)
    assert predicted == pytest.approx(3 * models[0].predict(features), rel=1e-3)


def test_a_board_that_nobody_measured_is_predicted_from_the_others_alone(boards):
    tables, kernels = boards
    names = ["edgejoule", "macs-bytes-linear"]
    table, used = validate(tables[3], kernels, names, ["leave-one-board-out"], priors=tables)
    assert set(used["fold"]) == {"new-board"} and len(used) == 48
    assert set(table["predictor"]) == set(names) and table.groupby("predictor")["network"].nunique().eq(48).all()
    ours = table[(table["predictor"] == "edgejoule") & (table["metric"] == "energy_mj")]
    # How fast the board is as a whole is not known; which networks are dear is.
    assert ours["predicted"].corr(ours["measured"], method="spearman") > 0.98
    assert ours["measured"].between(ours["lower"], ours["upper"]).mean() > 0.8
    scaled = tables[3].assign(**{name: tables[3][name] * 7 for name in ("latency_ms", "energy_mj")})
    altered, _ = validate(scaled, kernels, names, ["leave-one-board-out"], priors=tables[:3])
    assert altered["predicted"].tolist() == table["predicted"].tolist()


def test_names_of_protocols():
    names = ("transfer-k5", "transfer-k20", "leave-one-board-out", "ten-fold")
    assert [measured_networks(name) for name in names] == [5, 20, 0, None]
