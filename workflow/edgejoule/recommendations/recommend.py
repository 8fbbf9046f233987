"""``edgejoule recommend``: from files and a request to an answer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.graphs import read_zoo
from edgejoule.names import device_file, did_you_mean
from edgejoule.predictors import load_predictor
from edgejoule.recommendations.answer import Answer, answer
from edgejoule.recommendations.catalogue import BEYOND, UNMEASURED, Catalogue, Cost, build_catalogue, waiting_mj
from edgejoule.recommendations.predicted import PREDICTOR, Prediction, predicted_catalogue
from edgejoule.recommendations.refine import Policy, refine
from edgejoule.recommendations.request import Request, exclusion_reasons, make_limits
from edgejoule.recommendations.show import infeasible
from edgejoule.recommendations.solve import Shares
from edgejoule.recommendations.unmeasured import file_prediction, zoo_prediction
from edgejoule.tables import read_table
from edgejoule.tables.contracts import KERNELS, NETWORKS, PREDICTIONS, VALIDATION

ZOO_FILE = Path("config/networks.tsv")
Chosen = TypeVar("Chosen", Catalogue, Prediction)
BYTES_PER_PARAMETER = {"fp32": 4, "fp16": 2, "int8": 1}


def device_networks(results: Path, device: str) -> tuple[pd.DataFrame, Path]:
    """Return a device's rows of table ``networks`` and the file that they are from.

    Raises:
        EdgejouleError: there is no such device under ``results``.
    """
    path = results / "datasets" / device / "networks.parquet"
    if not path.is_file():
        raise EdgejouleError(f"--device '{device}' has no {path}; {_way_out(results, device)}")
    return read_table(path, NETWORKS), path


def _way_out(results: Path, device: str) -> str:
    """Return what helps where a device has no dataset."""
    known = [file.parent.name for file in sorted((results / "datasets").glob("*/networks.parquet"))]
    if file := device_file(device):
        return f"{file} is there: run `snakemake --cores all datasets`"
    if not known:
        return f"{results} holds no datasets: run `snakemake --cores all datasets`, or give the folder with --results"
    return did_you_mean(device, known)


def candidates(results: Path, device: str, accounting: str, rate_hz: float | None = None) -> Catalogue:
    """Return what a device has measured and may be chosen."""
    rows, path = device_networks(results, device)
    catalogue = build_catalogue(rows, accounting, rate_hz, str(path))
    if not len(catalogue):
        raise EdgejouleError(
            f"{path}: nothing to choose from on '{device}': no network is left that has both an energy and an ImageNet "
            f"top-1; see results/recommendations/{device}.md for the reasons"
        )
    return catalogue


def allowed(chosen: Chosen, request: Request, zoo: Path) -> Chosen:
    """Return the networks that the request leaves to choose from.

    Raises:
        EdgejouleError: a pattern matches nothing, or nothing is left.
    """
    catalogue = chosen.catalogue if isinstance(chosen, Prediction) else chosen
    if not len(catalogue):
        raise EdgejouleError(f"no network of '{catalogue.device}' has a predicted energy with an interval")
    stated = read_zoo(zoo)["licence"].dropna() if request.exclude_licences else ()
    reasons = exclusion_reasons(catalogue, request.exclude, request.exclude_licences, known_licences=stated)
    left = chosen.keep(reasons == "", reasons)
    if not (reasons == "").any():
        patterns = [f"--exclude '{pattern}'" for pattern in request.exclude]
        patterns += [f"--exclude-licence '{pattern}'" for pattern in request.exclude_licences]
        count = len(catalogue)
        raise EdgejouleError(
            f"{' and '.join(patterns)} leaves nothing to choose from on '{catalogue.device}': all {count} match"
        )
    return left


def predictions(results: Path, catalogue: Catalogue, energies: str, zoo: Path) -> Prediction:
    """Return a catalogue's networks with energies predicted under a protocol, or the zoo by the trained predictor.

    Args:
        results: the pipeline's results folder.
        catalogue: what the device has measured.
        energies: a protocol, ``predictor`` for all networks of the zoo, or a file of ``edgejoule predictors transfer``.
        zoo: the table of networks.
    """
    if energies.endswith(".parquet"):
        if not Path(energies).is_file():
            raise EdgejouleError(f"--energies {energies}: no such file; `edgejoule predictors transfer` makes one")
        return file_prediction(catalogue, read_table(energies, PREDICTIONS), read_zoo(zoo), energies)
    if energies == "predictor":
        served = load_predictor(catalogue.device, results / "predictors")
        return zoo_prediction(
            catalogue, served, read_table(results / "graphs" / "kernels.parquet", KERNELS), read_zoo(zoo)
        )
    if catalogue.origin == "estimated":
        raise EdgejouleError(
            f"energy on '{catalogue.device}' is {catalogue.label}: it follows from the latency, none was "
            "predicted; leave out --energies and --refine"
        )
    path = results / "validation" / catalogue.device / "networks.parquet"
    rows = read_table(path, VALIDATION)
    ours = (rows["device"] == catalogue.device) & (rows["predictor"] == PREDICTOR) & (rows["metric"] == "energy_mj")
    known = sorted({"measured", "predictor", *rows.loc[ours, "protocol"]})
    if energies not in known:
        raise EdgejouleError(f"--energies is '{energies}'; valid: {', '.join(known)}, or a .parquet file")
    return predicted_catalogue(catalogue, rows, energies, str(path))


def recommend(
    results: Path,
    device: str,
    request: Request,
    energies: str = "measured",
    confidence: float = 0.9,
    zoo: Path = ZOO_FILE,
) -> Answer:
    """Answer a request on a device.

    Args:
        results: the pipeline's results folder.
        device: the device's name.
        request: what is asked.
        energies: ``measured``; the protocol whose predictions to plan with; ``predictor``, for the whole zoo;
            or a file of ``edgejoule predictors transfer``.
        confidence: probability with which each limit is to be met where energies and latencies are predicted.
        zoo: the table of networks, for a limit on size.
    """
    if energies == "measured":
        catalogue = allowed(candidates(results, device, request.counted, request.rate_hz), request, zoo)
    else:
        catalogue = predictions_for(results, device, request, energies, zoo).cautious(confidence)
    sizes = None if request.max_size_bytes is None else network_sizes(catalogue, zoo)
    return answer(request, catalogue, sizes)


def predictions_for(results: Path, device: str, request: Request, energies: str, zoo: Path) -> Prediction:
    """Return what a request may choose from, its energies predicted and counted as it says."""
    waits = request.counted == "duty-cycle"
    if waits and request.rate_hz is None:
        raise EdgejouleError("accounting 'duty-cycle' counts idle time between requests; give --rate, e.g. 2/s")
    known = candidates(results, device, "gross" if waits else request.counted)
    prediction = predictions(results, known, energies, zoo)
    return allowed(prediction.with_waiting(request.rate_hz) if waits else prediction, request, zoo)


@dataclass(frozen=True)
class Step:
    """One measurement on the way to a settled choice; ``predicted_ms`` is None where the latency was known."""

    network: str
    predicted_mj: float
    measured_mj: float
    predicted_ms: float | None
    measured_ms: float


def recommend_refined(
    results: Path,
    device: str,
    request: Request,
    energies: str,
    zoo: Path = ZOO_FILE,
    measure: Callable[[str], Cost] | None = None,
    policy: Policy | None = None,
) -> tuple[Answer, list[Step]]:
    """Answer a request from predictions, measuring only the networks that matter to it.

    A battery or an average power with a rate is a budget per request. A limit on the mean latency, and the rate that is
    to be served, are asked of each network of the mix, which is on the safe side: first of the predicted latency, and
    again of the measured one, once there is one.

    Args:
        results: the pipeline's results folder.
        device: the device's name.
        request: what is asked.
        energies: the protocol whose predictions to start from, ``predictor``, or a file, as ``recommend`` takes them.
        zoo: the table of networks.
        measure: measures a network by its name, energy gross; without one its recording is looked up.
        policy: when to stop.

    Returns:
        The answer among the networks that were measured, and these in order.

    Raises:
        EdgejouleError: the request has no budget per inference, or limits shares.
    """
    if request.per_request_mj is None:
        raise EdgejouleError(
            "--refine settles a mix within a budget per inference: give --budget, or --rate with the power or battery"
        )
    if request.shares != Shares():
        raise EdgejouleError("--refine settles a mix without limits on shares; leave out --min-share and --max-share")
    if measure is not None and request.counted == "above-idle":
        raise EdgejouleError("--live measures gross energy; use --accounting gross, or duty-cycle with --rate")
    prediction = predictions_for(results, device, request, energies, zoo)
    prediction = replace(prediction, catalogue=_hopeful(prediction.catalogue))
    sizes = None if request.max_size_bytes is None else network_sizes(prediction.catalogue, zoo)
    fits = _within_limits(request, prediction.catalogue, sizes)
    if not fits.any():
        raise EdgejouleError(infeasible(answer(request, prediction.catalogue, sizes)))
    kept = prediction.with_one_spread().as_whole().keep(fits, BEYOND)
    planned, sizes = kept.catalogue, None if sizes is None else sizes[fits]
    if measure is None and np.isnan(kept.measured_mj).any():
        raise EdgejouleError(f"networks that '{device}' has not run yet have to be measured: give --live <device file>")
    costs: dict[int, Cost] = {}

    def energy_of(i: int) -> float:
        if measure is None:
            costs[i] = Cost(float(kept.measured_mj[i]), float(planned.latency_ms[i]), float(planned.latency_p90_ms[i]))
        else:
            costs[i] = _counted(measure(str(planned.network[i])), request, planned.idle_w)
        return costs[i].energy_mj

    def allows(i: int) -> bool:
        return bool(_within_limits(request, planned.with_measured(costs), sizes)[i])

    settled = refine(kept, request.per_request_mj, energy_of, policy, allows)
    seen = np.isin(np.arange(len(planned)), list(settled.measured))
    measured = planned.with_measured(costs).keep(seen, UNMEASURED)
    steps = [
        Step(
            str(planned.network[i]),
            float(planned.energy_mj[i]),
            cost.energy_mj,
            float(planned.latency_ms[i]) if planned.latency_predicted[i] else None,
            cost.latency_ms,
        )
        for i, cost in costs.items()
    ]
    return answer(request, measured, None if sizes is None else sizes[seen]), steps


def _hopeful(catalogue: Catalogue) -> Catalogue:
    """Return the catalogue with predicted mean latencies for 90th percentiles that are not known yet.

    Nobody predicts a 90th percentile. A network that could meet a limit on it is measured; what was measured decides.
    """
    p90 = np.where(catalogue.latency_predicted, catalogue.latency_ms, catalogue.latency_p90_ms)
    return replace(catalogue, latency_p90_ms=p90)


def _within_limits(request: Request, catalogue: Catalogue, sizes: np.ndarray | None) -> np.ndarray:
    """Return which networks, each alone, meet all limits that refining does not settle; shape (networks,).

    It settles the budget; a floor under the accuracy is a limit on what is maximised: the answer says whether it is
    reached.
    """
    fits = np.ones(len(catalogue), bool)
    for limit in make_limits(request, catalogue, sizes):
        if limit.name not in ("budget", "accuracy"):
            fits &= limit.allows(limit.values)
    return fits


def _counted(cost: Cost, request: Request, idle_w: float) -> Cost:
    """Return a gross cost as the request counts energy: with what the device draws until the next request, or not."""
    if request.counted != "duty-cycle":
        return cost
    return replace(cost, energy_mj=cost.energy_mj + waiting_mj(idle_w, request.rate_hz, cost.latency_ms))


def network_sizes(catalogue: Catalogue, zoo: Path) -> np.ndarray:
    """Return the bytes of each network's weights: parameters x bytes of its precision; shape (networks,).

    NaN for a network that the zoo lacks.
    """
    parameters = read_zoo(zoo).set_index("network")["parameters"].astype(float)
    width = np.array([BYTES_PER_PARAMETER[precision] for precision in catalogue.precision], dtype=float)
    return parameters.reindex(catalogue.network).to_numpy(float) * width
