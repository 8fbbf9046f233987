"""Whole families left out inside a training part: for weights of members and for intervals."""

from collections.abc import Iterator

import numpy as np

#: Many families are left out in this many groups, so that the cost of training does not grow with their square.
MOST = 6
#: As many where a fit takes long.
FEW = 2


def family_folds(family: np.ndarray, most: int = MOST) -> Iterator[np.ndarray]:
    """Give masks, each shape (n,), that leave every family out once; nothing where there is only one family.

    Families are dealt to at most ``most`` folds in order of size, the largest first: folds are about equally large.
    """
    names, sizes = np.unique(family, return_counts=True)
    if len(names) < 2:
        return
    folds: list[list] = [[] for _ in range(min(most, len(names)))]
    loads = [0] * len(folds)
    for i in np.lexsort((names, -sizes)):
        least = loads.index(min(loads))
        folds[least].append(names[i])
        loads[least] += int(sizes[i])
    for fold in folds:
        yield np.isin(family, fold)


def error_left_out(predicted: np.ndarray, target: np.ndarray, family: np.ndarray) -> float:
    """Return the mean relative error, at most 1 per network, averaged within families and then over these.

    A bound of 1 keeps a model that fails altogether on one network from being judged by that network alone.

    Args:
        predicted: shape (n,); networks that are NaN do not count, and where all are, neither is there an error (NaN).
        target: > 0, shape (n,).
        family: shape (n,).
    """
    errors = np.minimum(np.abs(predicted / target - 1), 1)
    known = np.isfinite(errors)
    names, member = np.unique(family[known], return_inverse=True)
    if not len(names):
        return float("nan")
    return float(np.mean(np.bincount(member, errors[known]) / np.bincount(member)))
