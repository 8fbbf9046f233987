"""How devices are shown: the same in every run, and apart from each other where they ship."""

from pathlib import Path

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
