"""How often a proof repeats itself: a little in `make test`, a lot in `make soak`."""

import os

SOAK = os.environ.get("LAMBDESK_SOAK", "") not in {"", "0"}


def count(small: int, big: int) -> int:
    """Choose the small number for the suite, the big one for the soak."""
    return big if SOAK else small
