"""Images as base64, data URL and http URL; hostile data and addresses are refused."""

from __future__ import annotations

import base64
import io
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from qdlite.errors import InferenceError, Timeout
from qdlite.inference import ImageSettings, InferenceInput, InferenceService
from qdlite.inference import fetching as fetching_module
from qdlite.inference.embedders.base import Item
from qdlite.inference.fetching import fetch, is_public
from qdlite.inference.images import decode_image, image_bytes, load_image
from qdlite.inference.inputs import Call, DataKind
from qdlite.inference.lane import Lane
from qdlite.types import VectorArray
from tests.inference.stub import Answer, Received, Stub

CALL = Call("update")
OPEN = ImageSettings(allow_private_addresses=True, timeout=5)
StartStub = Callable[[Callable[[Received], Answer]], Stub]


def picture(colour: tuple[int, int, int] = (255, 0, 0), form: str = "PNG", size: tuple[int, int] = (40, 60)) -> bytes:
    image: Any = pytest.importorskip("PIL.Image")
    buffer = io.BytesIO()
    image.new("RGB", size, colour).save(buffer, form)
    return buffer.getvalue()


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_formats(form: str) -> None:
    image = load_image(encoded(picture(form=form)), OPEN, CALL)
    assert image.size == (40, 60)


@pytest.mark.parametrize("header", ["data:image/png;base64,", "DATA:;Base64,", "data:image/png;name=x;base64,"])
def test_data_urls(header: str) -> None:
    content = picture()
    assert image_bytes(header + encoded(content), OPEN, CALL) == content
    assert image_bytes(f" {header}{base64.encodebytes(content).decode()}", OPEN, CALL) == content


def test_base64_in_lines() -> None:
    content = picture(size=(200, 200), form="BMP")
    in_lines = base64.encodebytes(content).decode()
    assert in_lines.count("\n") > 1000
    assert image_bytes(in_lines, ImageSettings(max_bytes=len(content)), CALL) == content


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (5, "must be a string"),
        ({"url": "x"}, "must be a string"),
        ("not base64!", "http\\(s\\) URL, a data URL or base64"),
        ("/etc/passwd", "base64"),
        ("file:///etc/passwd", "base64"),
        ("ftp://example.com/x.png", "base64"),
        ("data:image/png,abc", "must be base64"),
        ("data:image/png;base64", "must be base64"),
        (encoded(b"no picture at all"), "cannot be read"),
        ("", "The image is empty"),
        (" \n", "The image is empty"),
    ],
)
def test_unusable_data(data: Any, message: str) -> None:
    with pytest.raises(InferenceError, match=message):
        load_image(data, OPEN, CALL)


def test_large_base64_is_refused_before_decoding() -> None:
    with pytest.raises(InferenceError, match="larger than the 30 bytes"):
        load_image("A" * 50, ImageSettings(max_bytes=30), CALL)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header announces many pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 100)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8_000, 11_000, 100_000])
def test_decompression_bombs(side: int) -> None:
    pytest.importorskip("PIL")
    with pytest.raises(InferenceError, match=r"pixels|too large"):
        decode_image(png_claiming(side, side), OPEN)


@pytest.mark.parametrize("size", [(1, 201), (1_000_000, 2)])
def test_lines_that_would_become_gigabytes(size: tuple[int, int]) -> None:
    pytest.importorskip("PIL")
    with pytest.raises(InferenceError, match="a side may be 200 times the other at most"):
        decode_image(png_claiming(*size), OPEN)


def test_decoders_beyond_the_usual_formats_are_not_used() -> None:
    with pytest.raises(InferenceError, match="cannot be read"):
        decode_image(picture(form="ICO"), OPEN)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
        "2001:0:7f00:1::", "64:ff9b:1::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "2130706433", "0x7f000001", "127.1", "0", "10.0.0.1"],
)  # fmt: skip
def test_private_hosts_are_refused(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(name: str, *args: Any, **kwargs: Any) -> list[Any]:
        numeric = name if ":" in name else socket.inet_ntoa(socket.inet_aton("127.1" if name == "localhost" else name))
        return [(0, 0, 0, "", (numeric, 80))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(InferenceError, match="not a public address"):
        fetch(f"http://{host}/x.png", ImageSettings(), CALL)


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(0, 0, 0, "", ("8.8.8.8", 80)), (0, 0, 0, "", ("10.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answers)
    with pytest.raises(InferenceError, match="not a public address"):
        fetch("http://pictures.example/x.png", ImageSettings(), CALL)


def test_connects_to_the_checked_address_only(stub: StartStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that resolves differently the second time (DNS rebinding) gains nothing."""
    server = stub(lambda request: Answer(body=b"pixels"))
    looked_up: list[str] = []

    def resolve(name: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        looked_up.append(name)
        assert len(looked_up) == 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    original = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda name, *rest, **more: (resolve if "example" in name else original)(name, *rest, **more),
    )
    monkeypatch.setattr(fetching_module, "is_public", lambda address: address == "127.0.0.1")
    assert fetch(f"http://pictures.example:{server.port}/x", ImageSettings(), CALL) == b"pixels"
    assert looked_up == ["pictures.example"]
    assert server.received[0].headers["host"] == f"pictures.example:{server.port}"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://user:secret@example.com/", "user name"),
        ("http:///x.png", "name a host"),
        ("http://example.com:99999/", "malformed"),
        ("http://[::1/", "malformed"),
    ],
)
def test_malformed_urls(url: str, message: str) -> None:
    with pytest.raises(InferenceError, match=message):
        fetch(url, OPEN, CALL)


def test_fetch(stub: StartStub) -> None:
    content = picture()
    server = stub(lambda request: Answer(body=content))
    assert image_bytes(f"{server.url}/päth/a b.png?size=1&x=%20", OPEN, CALL) == content
    assert server.received[0].path == "/p%C3%A4th/a%20b.png?size=1&x=%20"
    assert "authorization" not in server.received[0].headers
    with pytest.raises(InferenceError, match="turned off"):
        fetch(server.url, ImageSettings(fetch=False), CALL)


def test_redirects_are_followed_and_checked_again(stub: StartStub, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: Received) -> Answer:
        places = {"/a": "/b", "/b": f"http://127.0.0.1:{server.port}/c", "/evil": f"http://127.0.0.2:{server.port}/c"}
        places["/loop"] = "/loop"
        places["/file"] = "file:///etc/passwd"
        places["/malformed"] = "http://["
        if request.path in places:
            return Answer(302, headers={"Location": places[request.path]})
        return Answer(body=b"here")

    server = stub(answer)
    monkeypatch.setattr(fetching_module, "is_public", lambda address: address == "127.0.0.1")
    strict = ImageSettings(timeout=5)
    assert fetch(f"{server.url}/a", strict, CALL) == b"here"
    with pytest.raises(InferenceError, match="not a public address"):
        fetch(f"{server.url}/evil", strict, CALL)
    with pytest.raises(InferenceError, match="too many redirects"):
        fetch(f"{server.url}/loop", strict, CALL)
    with pytest.raises(InferenceError, match="must start with http"):
        fetch(f"{server.url}/file", strict, CALL)
    with pytest.raises(InferenceError, match="/malformed redirects to a malformed URL"):
        fetch(f"{server.url}/malformed", strict, CALL)


def test_size_limit_without_announced_length(stub: StartStub) -> None:
    def endless(write: Callable[[bytes], object]) -> None:
        for _ in range(1000):
            write(b"x" * 10_000)

    server = stub(lambda request: Answer(chunks=endless))
    with pytest.raises(InferenceError, match="larger than the 20000 bytes"):
        fetch(server.url, ImageSettings(allow_private_addresses=True, max_bytes=20_000), CALL)


def test_a_dripping_server_is_cut_off(stub: StartStub) -> None:
    stop = threading.Event()

    def drip(write: Callable[[bytes], object]) -> None:
        while not stop.wait(0.02):
            write(b"x")

    server = stub(lambda request: Answer(chunks=drip))
    with pytest.raises(InferenceError, match=r"within 0\.3 s"):
        fetch(server.url, ImageSettings(allow_private_addresses=True, timeout=0.3), CALL)
    with pytest.raises(Timeout):
        fetch(server.url, OPEN, Call.start("search", timeout=0.2))
    stop.set()


@pytest.mark.parametrize("status", [204, 403, 404, 500])
def test_other_statuses(stub: StartStub, status: int) -> None:
    server = stub(lambda request: Answer(status))
    with pytest.raises(InferenceError, match=f"status {status}"):
        fetch(f"{server.url}/x?signature=secret", OPEN, CALL)


def test_the_query_is_not_repeated_in_errors(stub: StartStub) -> None:
    server = stub(lambda request: Answer(404))
    with pytest.raises(InferenceError) as refused:
        fetch(f"{server.url}/x?signature=secret", OPEN, CALL)
    assert "secret" not in str(refused.value)


def test_unreachable_server(stub: StartStub) -> None:
    server = stub(lambda request: Answer())
    server.close()
    with pytest.raises(InferenceError, match="could not be fetched"):
        fetch(server.url, OPEN, CALL)


def test_clip_finds_images_by_words(service: InferenceService) -> None:
    colours = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
    texts = [InferenceInput(f"a {word} square", "text", "qdrant/clip-vit-b-32-text") for word in colours]
    images = [
        InferenceInput(encoded(picture(colour)), "image", "Qdrant/clip-ViT-B-32-vision") for colour in colours.values()
    ]
    result = service.infer([*texts, *images], "update")
    vectors = np.stack(result.embeddings)
    assert vectors.shape == (6, 512) and vectors.dtype == np.float32
    assert np.argmax(vectors[:3] @ vectors[3:].T, axis=1).tolist() == [0, 1, 2]
    assert result.usage == {"qdrant/clip-vit-b-32-text": 15, "Qdrant/clip-ViT-B-32-vision": 0}


def test_image_vectors_do_not_depend_on_the_batch(service: InferenceService) -> None:
    pictures = [picture((n * 20, 100, 255 - n * 20), size=(30 + n, 50)) for n in range(5)]
    inputs = [InferenceInput(encoded(content), "image", "Qdrant/clip-ViT-B-32-vision") for content in pictures]
    together = service.infer(inputs, "update").embeddings
    for one, vector in zip(inputs, together, strict=True):
        np.testing.assert_array_equal(service.infer([one], "search").embeddings[0], vector)


def test_many_images_are_not_in_memory_at_once(service: InferenceService, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [encoded(picture((n * 20, 0, 0))) for n in range(7)]
    inputs = [InferenceInput(content, "image", "Qdrant/clip-ViT-B-32-vision") for content in pictures]
    portions: list[int] = []
    run = Lane.run

    def counted(lane: Lane, items: Sequence[Item], kind: DataKind, call: Call) -> tuple[list[VectorArray], int]:
        portions.append(len(items))
        return run(lane, items, kind, call)

    monkeypatch.setattr(Lane, "run", counted)
    few = InferenceService(replace(service.settings, images=ImageSettings(max_pixels=3 * 40 * 60)))
    vectors = few.infer(inputs, "update").embeddings
    assert portions == [3, 3, 1]
    np.testing.assert_array_equal(np.stack(vectors), np.stack(service.infer(inputs, "update").embeddings))
    few.close()
