"""How does the `image` of a request become pixels, without harm from hostile data?"""

from __future__ import annotations

import base64
import binascii
import io
import threading
import warnings
from importlib import import_module
from typing import Any

from qdlite.errors import InferenceError
from qdlite.inference.fetching import fetch
from qdlite.inference.inputs import Call
from qdlite.inference.settings import ImageSettings
from qdlite.types import Json

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""The decoders that may see untrusted data."""

_opening = threading.Lock()
"""For one thread at a time: what warnings are shown is a matter of the whole process, and has to be put back."""
_LONGEST = 200
"""Models enlarge the shorter side of an image to hundreds of pixels, and the other with it: a line of a million pixels
would become gigabytes."""
_SIGNATURES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp"}


def is_url(data: Json) -> bool:
    return isinstance(data, str) and data[:8].lower().startswith(("http://", "https://"))


def image_bytes(data: Json, settings: ImageSettings, call: Call) -> bytes:
    """The file behind a URL (fetched), a `data:` URL or a base64 string. Raises InferenceError."""
    if not isinstance(data, str):
        raise InferenceError("An image must be a string: an http(s) URL, a data URL or base64")
    if is_url(data):
        return fetch(data, settings, call)
    encoded = "".join(data.split())  # many programs break lines of base64
    if not encoded:
        raise InferenceError("The image is empty")
    return _decoded(_data_of_url(encoded) if encoded[:5].lower() == "data:" else encoded, settings.max_bytes)


def load_image(data: Json, settings: ImageSettings, call: Call) -> Any:
    """The decoded image (`PIL.Image.Image`, RGB-convertible, first frame). Raises InferenceError."""
    return decode_image(image_bytes(data, settings, call), settings)


def data_url(content: bytes) -> str:
    """The image as data URL, its type seen from the first bytes. Raises InferenceError for other formats."""
    for start, kind in _SIGNATURES.items():
        if content.startswith(start) and (kind != "webp" or content[8:12] == b"WEBP"):
            return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    raise InferenceError("Providers take PNG, JPEG, WebP and GIF images only")


def decode_image(content: bytes, settings: ImageSettings) -> Any:
    """Decodes PNG, JPEG, WebP, GIF, BMP or TIFF; its pixels are counted before they are decoded."""
    pillow = _pillow()
    try:
        with _opening, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns from a limit of its own on; ours is checked below
            image = pillow.open(io.BytesIO(content), formats=FORMATS)
        _check_pixels(image.width, image.height, settings)
        image.load()
        return image
    except InferenceError:
        raise
    except pillow.DecompressionBombError as error:
        raise InferenceError(f"The image is too large: {error}") from error
    except Exception as error:  # decoders raise many types on malformed files
        raise InferenceError(f"The image cannot be read; it must be one of {', '.join(FORMATS)}") from error


def _check_pixels(width: int, height: int, settings: ImageSettings) -> None:
    if width * height > settings.max_pixels:
        raise InferenceError(f"The image has {width} x {height} pixels, more than the {settings.max_pixels} allowed")
    if max(width, height) > _LONGEST * min(width, height):
        raise InferenceError(
            f"The image has {width} x {height} pixels; a side may be {_LONGEST} times the other at most"
        )


def _data_of_url(url: str) -> str:
    header, comma, data = url.partition(",")
    if not comma or not header.lower().endswith(";base64"):
        raise InferenceError("An image as data URL must be base64: data:image/png;base64,...")
    return data


def _decoded(encoded: str, max_bytes: int) -> bytes:
    if len(encoded) > max_bytes // 3 * 4 + 4:
        raise InferenceError(f"The image is larger than the {max_bytes} bytes allowed")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InferenceError("An image must be an http(s) URL, a data URL or base64, not the name of a file") from error


def _pillow() -> Any:
    try:
        return import_module("PIL.Image")
    except ImportError as error:
        raise InferenceError('Images need Pillow: pip install "qdlite[inference]"') from error
