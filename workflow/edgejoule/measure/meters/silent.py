"""The meters that read nothing: ``none``, and ``constant``, whose power is declared in the device file."""

from collections.abc import Mapping


def open(settings: Mapping) -> "Silent":
    """Return a meter without rails; a declared power is multiplied with latency later, in the datasets."""
    return Silent()


class Silent:
    """No rails, so no sampler is started."""

    rails = ()
    rate_hz = 0.0

    def read(self) -> list[tuple[str, float, int | None]]:
        """Return no reading."""
        return []

    def close(self) -> None:
        """Hold nothing, free nothing."""
