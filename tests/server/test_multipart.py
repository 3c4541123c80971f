"""Is the file found in every form that is one, and every other body refused?"""

from __future__ import annotations

import io
import tempfile

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.errors import BadRequest
from qdlite_server import multipart
from qdlite_server.multipart import Upload

FORM = "multipart/form-data; boundary=mark"


def found(content: bytes, content_type: str = FORM, field: str = "snapshot") -> tuple[str | None, bytes]:
    part = Upload(content, content_type).file(field)
    return part.name, b"".join(part.pieces)


def form(content: bytes, name: str = "x", field: str = "snapshot", more: dict[str, str] | None = None) -> httpx.Request:
    """A form as the stock client's library writes it."""
    files = {field: (name, content, "application/octet-stream")}
    request = httpx.Request("POST", "http://host", data=more or {}, files=files)
    request.read()
    return request


@given(
    st.binary(max_size=200), st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=9)
)
def test_what_httpx_sends_is_found(content: bytes, name: str) -> None:
    request = form(content, name, more={"first": "value", "second": ""})
    assert found(request.content, request.headers["content-type"])[1] == content


@given(st.binary(max_size=100))
def test_content_that_looks_like_a_boundary(content: bytes) -> None:
    content = b"--mark\r\n\r\n--mar" + content.replace(b"\r\n--mark", b"") + b"\r\n--mar\r\n--"
    body = b'--mark\r\nContent-Disposition: form-data; name="snapshot"\r\n\r\n' + content + b"\r\n--mark--\r\n"
    assert found(body) == (None, content)


@pytest.mark.parametrize("pieces", [1, 7, 2**20])
def test_a_file_is_read_in_pieces(pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "_PIECE", pieces)
    request = form(bytes(range(256)) * 10)
    with tempfile.TemporaryFile() as file:
        file.write(request.content)
        part = Upload(file, request.headers["content-type"]).file("snapshot")
        read = list(part.pieces)
    assert b"".join(read) == bytes(range(256)) * 10
    assert max(map(len, read)) <= pieces


@pytest.mark.parametrize(
    "body",
    [
        b'--mark\r\nContent-Disposition: form-data; name="snapshot"; filename="a.b"\r\n\r\nhello\r\n--mark--',
        b"before\r\n--mark\r\nContent-Disposition: form-data; name=snapshot; filename=a.b\r\n\r\nhello\r\n--mark--\r\n",
        b'--mark  \r\ncontent-disposition:form-data;name="snapshot";filename="a.b"\r\nX: y\r\n\r\nhello\r\n--mark--end',
        b"--mark\r\n\r\nno headers\r\n--mark\r\n"
        b'Content-Disposition: form-data; name="snapshot"; filename="a.b"\r\n\r\nhello\r\n--mark--',
    ],
)
def test_forms_as_others_write_them(body: bytes) -> None:
    assert found(body) == ("a.b", b"hello")
    assert found(body, 'Multipart/Form-Data; charset=utf-8; boundary="mark"') == ("a.b", b"hello")


def test_the_first_field_of_the_name_counts() -> None:
    part = b'Content-Disposition: form-data; name="snapshot"\r\n\r\n'
    assert found(b"--mark\r\n" + part + b"one\r\n--mark\r\n" + part + b"two\r\n--mark--") == (None, b"one")


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"", FORM, "incomplete"),
        (b"hello", FORM, "incomplete"),
        (b"--mark", FORM, "incomplete"),
        (b"--mark--", FORM, "no field `snapshot`"),
        (b"--mark\r\nContent-Disposition: form-data", FORM, "incomplete"),
        (b'--mark\r\nContent-Disposition: form-data; name="snapshot"\r\n\r\nhello', FORM, "incomplete"),
        (b'--mark\r\nContent-Disposition: form-data; name="other"\r\n\r\nhello\r\n--mark--', FORM, "no field"),
        (b"--mark\r\n" + b"x" * 20_000 + b"\r\n\r\nhello\r\n--mark--", FORM, "incomplete"),
        (b"--mark--", "application/json", "content type"),
        (b"--mark--", "", "content type"),
        (b"--mark--", "multipart/form-data", "content type"),
        (b"--mark--", f"multipart/form-data; boundary={'x' * 71}", "content type"),
    ],
)
def test_other_bodies_are_refused(body: bytes, content_type: str, text: str) -> None:
    with pytest.raises(BadRequest, match=text):
        found(body, content_type)


@given(st.binary(max_size=60), st.integers(0, 300))
def test_every_truncation_is_noticed(content: bytes, length: int) -> None:
    request = form(content)
    whole = request.content
    with pytest.raises(BadRequest):
        found(whole[: min(length, len(whole) - 6)], request.headers["content-type"])


@given(st.binary(max_size=300))
def test_no_body_breaks_the_reader(content: bytes) -> None:
    for body in (content, b"--mark\r\n" + content, b"--mark\r\n" + content + b"\r\n--mark--"):
        with io.BytesIO() as taken:
            try:
                taken.write(found(body)[1])
            except BadRequest:
                continue
