"""Which API does this server answer, and which qdlite is it?"""

from __future__ import annotations

from typing import Final

from qdlite.version import __version__

TITLE: Final = "qdrant - vector search engine"
API_VERSION: Final = "1.19.0"
"""The release of Qdrant whose API is answered; clients compare it with their own."""
API_COMMIT: Final = "74f3e85b9473c62560006c043e13737ce6b48412"
"""The revision that release was made from."""
SERVER: Final = f"qdlite/{__version__}"
