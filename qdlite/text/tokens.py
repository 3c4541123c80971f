"""What is a token's number, and which token separates texts?"""

from __future__ import annotations

import mmh3

TEXT_BOUNDARY = "\x00"
"""A token that an index may put between the texts of an array, so that no phrase spans two. Never in a query."""


def token_id(token: str) -> int:
    """The index of a token in a BM25 vector, from 0 to 2^31 inclusive.

    The absolute value of the signed 32-bit MurmurHash3 (x86, seed 0) of the token's UTF-8 bytes.
    """
    return abs(mmh3.hash(token))
