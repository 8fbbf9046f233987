"""What is left out together: the splits of every protocol, a written and seeded output."""

import hashlib

import pandas as pd

from edgejoule.errors import EdgejouleError

FOLDS = 10


def splits(networks: pd.DataFrame, protocol: str, seed: int) -> pd.DataFrame:
    """Return the table SPLITS of one device and protocol: the networks that each fold leaves out of training.

    Args:
        networks: a device's networks with ``device``, ``family`` and ``network``.
        protocol: ``leave-one-family-out`` or ``ten-fold``.
        seed: seed of the random folds.
    """
    if protocol == "leave-one-family-out":
        fold = networks["family"]
    elif protocol == "ten-fold":
        order = networks["network"].map(lambda name: hashlib.sha256(f"{seed} {name}".encode()).hexdigest()).rank()
        fold = (order.astype(int) % FOLDS).map("{:02d}".format)
    else:
        raise EdgejouleError(f"protocol '{protocol}' splits no networks of one device")
    table = networks[["device", "family", "network"]].assign(protocol=protocol, fold=fold)
    return table.sort_values(["fold", "network"], ignore_index=True)
