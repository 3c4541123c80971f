"""How does strict mode say no? The texts of Qdrant, and the comparisons that several limits share."""

from __future__ import annotations

import numpy as np

from qdlite.errors import BadRequest
from qdlite.models.collections import StrictModeConfig


def refusal(problem: str, remedy: str) -> BadRequest:
    return BadRequest(f"{problem}. Help: {remedy}")


def shown(number: float) -> str:
    """A number as Qdrant prints it: without an exponent, and without a fraction that is zero."""
    return str(number) if isinstance(number, int) else np.format_float_positional(number, trim="-")


def verify_number(value: float | None, limit: float | None, name: str) -> None:
    """Raises BadRequest if both are given and the value is above the limit."""
    if value is not None and limit is not None and value > limit:
        raise refusal(
            f'Limit exceeded {shown(value)} > {shown(limit)} for "{name}"',
            f'Reduce the "{name}" parameter to or below {shown(limit)}.',
        )


def verify_exact(exact: bool | None, limits: StrictModeConfig) -> None:
    if exact and limits.search_allow_exact is False:
        raise refusal("Exact search disabled!", "Set exact=false.")
