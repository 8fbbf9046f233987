"""The check of the described zoo against PyTorch's own counter."""

import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.graphs import read_zoo, select
from edgejoule.graphs.counts import EXPECTED, check_counts, count, demand_agreement
from edgejoule.graphs.describe import describe_zoo
from edgejoule.tables import to_arrow
from edgejoule.tables.contracts import COUNTS

pytest.importorskip("torch", reason="networks need torch")

NAME = "mobilenet-v1-0.25-128"


@pytest.fixture(scope="module")
def described(root):
    zoo = select(read_zoo(root / "config/networks.tsv"), [NAME])
    return zoo, describe_zoo(zoo, ["tflite", "pytorch"]).coverage


def test_every_runtime_and_precision_is_compared(described):
    zoo, coverage = described
    counts = check_counts(zoo, coverage)
    to_arrow(counts, COUNTS)
    assert len(counts) == len(coverage) and counts["agrees"].all() and counts["reason"].isna().all()
    assert set(counts["counted_macs"]) == {count(next(zoo.itertuples()))[0]}
    assert demand_agreement(counts, "x").startswith(
        "2 networks agree with PyTorch's counter on 2 runtimes within 0.5 %"
    )


@pytest.mark.parametrize(("column", "factor"), [("macs", 1.006), ("parameters", 2), ("zoo_parameters", 2)])
def test_a_network_that_is_off_stops(described, column, factor):
    zoo, coverage = described
    wrong = coverage.assign(**{column: (coverage[column] * factor).astype("int64")})
    with pytest.raises(EdgejouleError, match=rf"c.parquet: .*such as '{NAME}.*mend its description"):
        demand_agreement(check_counts(zoo, wrong), "c.parquet")


def test_known_exceptions_are_named_with_their_reason(described, root):
    zoo, coverage = described
    known = check_counts(zoo, coverage.assign(macs=coverage["macs"] * 2))
    known = known.assign(network="edgenext_xx_small", reason=EXPECTED["edgenext_xx_small"])
    assert "known exceptions: edgenext_xx_small" in demand_agreement(known, "x")
    assert set(EXPECTED) <= set(read_zoo(root / "config/networks.tsv")["network"])
