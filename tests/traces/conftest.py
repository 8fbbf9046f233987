"""Property tests draw the same examples every time."""

from hypothesis import settings

settings.register_profile("same every time", derandomize=True)
settings.load_profile("same every time")
