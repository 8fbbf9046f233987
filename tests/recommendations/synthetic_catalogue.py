"""A random device with known energies, and predictions of them that err by family."""

import numpy as np
import pandas as pd

from edgejoule.recommendations.catalogue import Catalogue
from edgejoule.recommendations.predicted import Prediction


def catalogue(size: int = 40, seed: int = 0) -> Catalogue:
    """Return networks whose accuracy rises with the logarithm of their energy, with scatter."""
    random = np.random.default_rng(seed)
    energy = np.exp(random.uniform(2, 7, size))
    top1 = np.clip(40 + 8 * (np.log(energy) - 2) + random.normal(0, 3, size), 1, 99)
    return Catalogue(
        device="synthetic",
        accounting="gross",
        origin="measured",
        power_scope="wall",
        idle_w=1.0,
        watts=float("nan"),
        network=np.array([f"n{i:03d}" for i in range(size)], dtype=object),
        family=np.array([f"family-{i % 4}" for i in range(size)], dtype=object),
        precision=np.array(["fp32" if i % 3 else "int8" for i in range(size)], dtype=object),
        energy_mj=energy,
        latency_ms=energy / 4,
        slowness=np.ones(size),
        latency_p90_ms=energy / 3.5,
        top1=top1,
        licence=np.array(["apache-2.0" if i % 5 else "unstated" for i in range(size)], dtype=object),
        predicted=np.zeros(size, bool),
        latency_bound_ms=np.full(size, np.nan),
        excluded=pd.DataFrame({"network": [], "reason": []}, dtype=object),
    )


def prediction(known: Catalogue, seed: int = 0, common: float = 0.15, own: float = 0.05) -> Prediction:
    """Return predictions whose log errors are normal, partly common to a family."""
    random = np.random.default_rng(seed + 1)
    families = {name: random.normal(0, common) for name in sorted(set(known.family))}
    error = np.array([families[name] for name in known.family]) + random.normal(0, own, len(known))
    spread = np.full(len(known), float(np.hypot(common, own)))
    guess = known.with_energy(known.energy_mj * np.exp(-error), np.ones(len(known), bool))
    none = np.zeros(len(known))
    return Prediction(guess, known.energy_mj, spread, latency_spread=none, waiting_mj=none)
