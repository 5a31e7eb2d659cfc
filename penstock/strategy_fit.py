"""Whether a load strategy can work on an interval; asked before anything is extracted, and again by each load."""

from __future__ import annotations

from penstock.artifacts import Interval, TableRef
from penstock.errors import ConfigurationError, GuardError
from penstock.strategy import Historical, LoadStrategy, Partition


def check_fit(strategy: LoadStrategy, interval: Interval, target: TableRef) -> None:
    """Checks that the strategy can work on the interval.

    Raises:
        ConfigurationError: `partition` was given no bounds.
        GuardError: `absent: close` would close keys on a slice.
    """
    if isinstance(strategy, Partition) and interval.is_full:
        raise ConfigurationError(
            "`partition` replaces the rows of an interval, and this load has none",
            guidance="Give the dataset a window with bounds, or load it with `full_refresh`.",
            target=str(target),
        )
    if isinstance(strategy, Historical) and strategy.absent == "close" and not interval.is_full:
        raise GuardError(
            "`absent: close` would end the history of every key outside this slice",
            guidance="Extract everything (window `full`), or set `absent: keep`.",
            target=str(target),
        )
