import pandas as pd
import pytest
import yaml

from edgejoule.errors import EdgejouleError
from edgejoule.validation.splits import splits, superfamilies, superfamily


def test_the_boards_are_split_as_they_were_frozen_before_tuning(root):
    frozen = pd.read_csv(root / "resources/derived/edge_boards_splits.csv", dtype=str)
    again = splits(frozen[["network", "family"]].assign(device="any"), "ten-fold", 0)
    pd.testing.assert_frame_equal(
        again[["network", "family", "fold"]].sort_values("network", ignore_index=True), frozen, check_dtype=False
    )


def test_an_unknown_family_or_protocol_stops():
    with pytest.raises(EdgejouleError, match="family 'capsnet' has no super-family"):
        superfamily("capsnet")
    with pytest.raises(EdgejouleError, match="'transfer-k5' splits no networks"):
        splits(pd.DataFrame({"device": ["d"], "network": ["n"], "family": ["f"]}), "transfer-k5", 0)


def test_every_family_of_the_zoo_has_one_superfamily(root):
    zoo = pd.read_csv(root / "config/networks.tsv", sep="\t")
    assert set(zoo["family"]) <= set(superfamilies())
    path = root / "workflow/edgejoule/validation/superfamilies.yaml"
    listed = [family for families in yaml.safe_load(path.read_text()).values() for family in families]
    assert len(listed) == len(set(listed))
