"""What a person without a bar, as in a log, is told of how far a measurement is."""

import pytest

from edgejoule.cli import progress
from edgejoule.cli.progress import progress_bar


def test_a_log_says_where_each_count_begins_and_ends_and_a_line_every_few_seconds(capsys, monkeypatch):
    told = [
        (0.0, (0, 2, None, "export a")),
        (0.5, (1, 2, None, "export b")),
        (1.0, (1, 6, 25.0, "net a")),
        (10.9, (2, 6, 20.0, "net b")),
        (11.1, (3, 6, 15.0, "net c")),
        (12.0, (4, 6, 10.0, "net d")),
        (13.0, (6, 6, None, "")),
        (14.0, (6, 6, None, "")),
    ]
    with progress_bar("measure") as show:
        for now, state in told:
            monkeypatch.setattr(progress.time, "monotonic", lambda now=now: now)
            show(*state)
    assert capsys.readouterr().err.splitlines() == [
        "measure: 0 of 2 export a",
        "measure: 1 of 6 0:25 left net a",
        "measure: 3 of 6 0:15 left net c",
        "measure: 6 of 6",
    ]


def test_who_stops_it_is_told_that_it_goes_on(capsys):
    with pytest.raises(KeyboardInterrupt), progress_bar("measure") as show:
        show(3, 8, None, "net")
        raise KeyboardInterrupt
    assert capsys.readouterr().err.splitlines()[-1] == (
        "measure: stopped at 3 of 8; the same command goes on from there"
    )
