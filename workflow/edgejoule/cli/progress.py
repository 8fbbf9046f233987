"""Progress on stderr: a bar when a person is watching, a line now and then when a log is written."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Time between two lines in a log (s).
LOG_S = 30.0


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int, float | None, str], None]]:
    """Give a function to be called with: done, in all, seconds left (None = unknown), name of what comes next."""
    if not sys.stderr.isatty():
        yield _log(title)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, TextColumn("{task.description}"), console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None, left="")

        def show(done: int, total: int, left_s: float | None, name: str) -> None:
            bar.update(task, completed=done, total=total, description=name, left=time_left(left_s))

        yield show


def _log(title: str) -> Callable[[int, int, float | None, str], None]:
    last = float("-inf")

    def show(done: int, total: int, left_s: float | None, name: str) -> None:
        nonlocal last
        if time.monotonic() - last >= LOG_S:
            last = time.monotonic()
            print(f"{title}: {done} of {total} {time_left(left_s)} {name}", file=sys.stderr, flush=True)

    return show


def time_left(seconds: float | None) -> str:
    """Return a duration for people.

    >>> time_left(None), time_left(75.2), time_left(3725)
    ('', '1:15 left', '1:02:05 left')
    """
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} left" if hours else f"{minutes}:{rest:02} left"
