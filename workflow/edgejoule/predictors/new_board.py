"""A new board, for people: which networks to measure on it first, and what all others will cost."""

from collections.abc import Collection, Sequence

import pandas as pd

from edgejoule.config.models import Device
from edgejoule.errors import EdgejouleError
from edgejoule.predictors.device import Costs
from edgejoule.predictors.features import network_features, select
from edgejoule.predictors.training import own_kernels
from edgejoule.predictors.transfer import Transfer, common_networks, prior_catalogues
from edgejoule.tables.vocabulary import METRICS, PRECISIONS

#: Measured networks from which on predictions are proven (protocol ``transfer-k5``).
LEAST = 5


def transfer_to(
    board: str,
    runtime: str,
    metered: bool,
    precisions: Collection[str],
    priors: Sequence[pd.DataFrame],
    kernels: pd.DataFrame,
) -> tuple[Transfer, pd.DataFrame]:
    """Return the transfer to a new board, and its n networks (``network, family, precision``) in the same order.

    Args:
        board: the new one; prior devices of it are passed over.
        runtime: what executes the networks there.
        metered: whether power is measured there.
        precisions: of the networks that can be measured there.
        priors: rows of results/datasets/networks.parquet, one table per known device.
        kernels: rows of results/graphs/kernels.parquet.

    Raises:
        EdgejouleError: the priors are not of two other boards with a meter, or have no such network in common.
    """
    known = prior_catalogues(priors, kernels, board)
    boards = sorted({prior.board for prior in known})
    if len(boards) < 2:
        raise EdgejouleError(
            f"--prior gives measured energies of {len(boards)} boards other than '{board}'"
            + (f" ({boards[0]})" if boards else "")
            + "; give networks.parquet of devices on at least two"
        )
    shared = known[0].ordered(common_networks(known))
    names = {"network": shared.features.networks, "family": shared.costs.family, "precision": shared.features.precision}
    about = pd.DataFrame(names)
    about = about[about["precision"].isin(precisions)].reset_index(drop=True)
    if about.empty:
        raise EdgejouleError(
            f"the {len(known)} prior devices have no network in {' or '.join(sorted(precisions))} in common; "
            "give others with --prior"
        )
    described = network_features(own_kernels(about.assign(runtime=runtime), kernels))
    features, _ = select(described, about["network"].tolist(), about["precision"].tolist())
    return Transfer(features, [prior.ordered(about["network"].tolist()) for prior in known], metered), about


def design(device: Device, priors: Sequence[pd.DataFrame], kernels: pd.DataFrame, many: int) -> pd.DataFrame:
    """Return the networks to measure first (``network, family, precision``): together they tell most of all others.

    Args:
        device: the new one; a live one measures networks in ``source.precisions`` only.
        priors: rows of results/datasets/networks.parquet, one table per known device.
        kernels: rows of results/graphs/kernels.parquet.
        many: how many.

    Raises:
        EdgejouleError: as ``transfer_to``; or there are not so many networks.
    """
    precisions = device.source.precisions if device.source.kind == "live" else PRECISIONS
    metered = device.origin == "measured"
    transfer, about = transfer_to(device.board, device.runtime.name, metered, precisions, priors, kernels)
    if not LEAST <= many <= len(about):
        raise EdgejouleError(f"--count is {many}; give {LEAST} to {len(about)}, the networks that all priors measured")
    return about.iloc[transfer.choose(many)].reset_index(drop=True)


def predict_new_board(
    networks: pd.DataFrame, priors: Sequence[pd.DataFrame], kernels: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Return table ``predictions``, and the names of the prior devices that it is from.

    It holds every network that all of these measured, in the precisions that were measured on the new board.

    Args:
        networks: the few rows of results/datasets/networks.parquet of the new device.
        priors: the same of known devices.
        kernels: rows of results/graphs/kernels.parquet.

    Raises:
        EdgejouleError: as ``transfer_to``; rows of several devices, or fewer than ``LEAST`` that can be used.
    """
    devices = sorted(set(networks["device"]))
    if len(devices) != 1:
        raise EdgejouleError(f"--networks holds rows of {len(devices)} devices; give those of the new one alone")
    first = networks.iloc[0]
    metered = first["origin"] == "measured"
    cost = "energy_mj" if metered else "latency_ms"
    usable = networks[networks["quality"].ne("failed") & networks["latency_ms"].notna() & networks[cost].notna()]
    precisions = set(usable["precision"])
    transfer, about = transfer_to(first["board"], first["runtime"], metered, precisions or PRECISIONS, priors, kernels)
    measured = usable.set_index("network").reindex(about["network"])
    chosen = measured[cost].notna().to_numpy().nonzero()[0]
    if len(chosen) < LEAST:
        raise EdgejouleError(
            f"--networks holds {len(chosen)} measured networks of '{devices[0]}' that all priors measured, too; "
            f"at least {LEAST} are needed: `edgejoule predictors design` says which"
        )
    table = transfer.predict(chosen, Costs.of(measured.iloc[chosen])).drop(columns="precision")
    known = measured[list(METRICS)].melt(var_name="metric", value_name="measured", ignore_index=False).reset_index()
    table = table.merge(about, on="network").merge(known, on=["network", "metric"], how="left")
    table = table.assign(device=devices[0], board=first["board"])
    return table.sort_values(["metric", "network"], ignore_index=True), [prior.device for prior in transfer.priors]
