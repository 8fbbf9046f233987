"""How devices are shown: the same in every run, and apart from each other where they ship."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgejoule.figures.devices import look_at
from edgejoule.figures.palette import DEVICE_COLOURS, DEVICES, MARKERS, device_look


def shipped(root: Path) -> list[Path]:
    return sorted((root / "config/devices").glob("**/*.yaml"))


def test_every_device_that_ships_has_a_look_of_its_own(root):
    assert {file.stem for file in shipped(root)} <= set(DEVICES)
    assert len({device_look(name) for name in DEVICES}) == len(DEVICES)


def test_the_devices_of_the_default_run_differ_in_colour(root):
    names = [file.stem for file in (root / "config/devices").glob("*.yaml")]
    assert len({device_look(name)[0] for name in names}) == len(names)


def test_a_look_does_not_depend_on_the_other_devices(root):
    files = [file for file in shipped(root) if file.parent.name == "devices"]
    together = {look.name: (look.colour, look.marker) for look in look_at(files)}
    alone = {file.stem: (look.colour, look.marker) for file in files for look in look_at([file])}
    assert together == alone


@given(st.text(min_size=1, max_size=30))
def test_a_device_of_ones_own_never_looks_like_one_that_ships(name):
    colour, marker = device_look(name)
    assert colour in DEVICE_COLOURS and marker in MARKERS
    assert name in DEVICES or (colour, marker) not in {device_look(known) for known in DEVICES}


#: How colours look to people without one sort of cone, on linear RGB (Machado, Oliveira and Fernandes, IEEE TVCG 15,
#: 1291, 2009, severity 1).
BLIND = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def lab(colour: str, seen_by: list[list[float]]) -> np.ndarray:
    """Return CIE L*a*b* of ``#rrggbb`` as a person with these cones sees it."""
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ np.clip(np.array(seen_by) @ linear, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("blindness", BLIND)
def test_device_colours_differ_for_colour_blind_readers(blindness):
    """A difference of 15 is six times what an eye just notices (2.3)."""
    seen = [lab(colour, BLIND[blindness]) for colour in DEVICE_COLOURS]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 15
