"""What is left out together: the splits of every protocol, a written and seeded output."""

import hashlib
from functools import cache
from importlib.resources import files

import pandas as pd
import yaml

from edgejoule.errors import EdgejouleError

FOLDS = 10


def splits(networks: pd.DataFrame, protocol: str, seed: int) -> pd.DataFrame:
    """Return the table SPLITS of one device and protocol: the networks that each fold leaves out of training.

    Args:
        networks: a device's networks with ``device``, ``family`` and ``network``.
        protocol: ``leave-one-family-out``, ``leave-one-superfamily-out`` or ``ten-fold``.
        seed: seed of the random folds.
    """
    if protocol == "leave-one-family-out":
        fold = networks["family"]
    elif protocol == "leave-one-superfamily-out":
        fold = networks["family"].map(superfamily)
    elif protocol == "ten-fold":
        order = networks["network"].map(lambda name: hashlib.sha256(f"{seed} {name}".encode()).hexdigest()).rank()
        fold = (order.astype(int) % FOLDS).map("{:02d}".format)
    else:
        raise EdgejouleError(f"protocol '{protocol}' splits no networks of one device")
    table = networks[["device", "family", "network"]].assign(protocol=protocol, fold=fold)
    return table.sort_values(["fold", "network"], ignore_index=True)


@cache
def superfamilies() -> dict[str, str]:
    """Return the super-family of every family, from ``superfamilies.yaml``."""
    schools = yaml.safe_load(files("edgejoule.validation").joinpath("superfamilies.yaml").read_text(encoding="utf-8"))
    return {family: school for school, families in schools.items() for family in families}


def superfamily(family: str) -> str:
    """Return the design school of a family.

    Raises:
        EdgejouleError: the family stands in none.
    """
    if family not in superfamilies():
        raise EdgejouleError(f"family '{family}' has no super-family; add it to validation/superfamilies.yaml")
    return superfamilies()[family]
