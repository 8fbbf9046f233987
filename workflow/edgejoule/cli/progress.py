"""Progress on stderr: a bar when a person is watching, a line every ten seconds when a log is written."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

#: Time between two lines in a log (s).
LOG_S = 10.0

#: To be called with: done, in all, seconds left (None = unknown), name of what comes next.
Show = Callable[[int, int, float | None, str], None]


@contextmanager
def progress_bar(title: str) -> Iterator[Show]:
    """Give a function that shows how far something is that goes on where it was stopped; say so if it is."""
    far = ""

    def told(done: int, total: int, left_s: float | None, name: str) -> None:
        nonlocal far
        far = f" at {done} of {total}"
        show(done, total, left_s, name)

    with _bar(title) if sys.stderr.isatty() else nullcontext(_log(title)) as show:
        try:
            yield told
        except KeyboardInterrupt:
            print(f"{title}: stopped{far}; the same command goes on from there", file=sys.stderr, flush=True)
            raise


@contextmanager
def _bar(title: str) -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, TextColumn("{task.description}"), console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None, left="")

        def show(done: int, total: int, left_s: float | None, name: str) -> None:
            bar.update(task, completed=done, total=total, description=name, left=time_left(left_s))

        yield show


def _log(title: str) -> Show:
    """Write a line at the beginning and the end of whatever is counted, and now and then between them."""
    last, before = float("-inf"), (0, 0)

    def show(done: int, total: int, left_s: float | None, name: str) -> None:
        nonlocal last, before
        begins, ends = total != before[1] or done < before[0], done == total != before[0]
        before = (done, total)
        if begins or ends or time.monotonic() - last >= LOG_S:
            last = time.monotonic()
            words = (f"{title}: {done} of {total}", time_left(left_s), name)
            print(" ".join(filter(None, words)), file=sys.stderr, flush=True)

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
