"""A kernel's name tells its configuration, and, of the kinds that are sampled, its work and bytes."""

import pandas as pd
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.identified import identified_kernels, parse_identifier
from edgejoule.graphs.sampler import sample

COUNTS = ["macs", "bytes_in", "bytes_out", "bytes_weights"]


def test_what_the_sampler_drew_is_found_again_from_its_name():
    drawn = pd.DataFrame(sample(400, 3))
    found = identified_kernels(drawn["kernel"])
    columns = [*COUNTS, "kind", "tail", "layout", "precision", "stride", "groups", "inputs", "kernel_width", "kernel"]
    pd.testing.assert_frame_equal(found[columns], drawn[columns], check_dtype=False)


def test_kinds_with_signs_in_their_names():
    row = parse_identifier("other:Einsum_b2_i3x4x5_o6x7x8_k0x0_s1_d1_g1_n2_nchw_fp32")
    assert (row["kind"], row["tail"], row["batch"], row["output_width"]) == ("other:Einsum", "", 2, 8)
    row = parse_identifier("conv+bn+relu_b1_i3x4x5_o6x7x8_k3x3_s1_d1_g1_n2_add+relu_nchwc_int8")
    assert (row["tail"], row["layout"], row["precision"]) == ("add+relu", "nchwc", "int8")


def test_a_name_that_tells_nothing_stops():
    with pytest.raises(EdgejouleError, match="'conv_3x3' does not name a kernel's configuration"):
        identified_kernels(["conv_3x3"])
    with pytest.raises(EdgejouleError, match="what a kernel of kind 'other:Einsum' computes is not in its name"):
        identified_kernels(["other:Einsum_b2_i3x4x5_o6x7x8_k0x0_s1_d1_g1_n2_nchw_fp32"])
