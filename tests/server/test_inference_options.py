"""Do the options of inference reach its settings, from the command line and from the environment?"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from qdlite_server import inference_options
from qdlite_server.cli import main
from qdlite_server.inference_options import LOCAL, SERVING, add, chosen, from_environment, inference_settings, service
from qdlite_server.settings import BadSetting
from tests.server.test_cli import ROOT, run, serving

GIVEN: dict[str, tuple[str, str, Any]] = {
    "cache-dir": ("/c", "cache_dir", Path("/c")),
    "allow-model": ("bm25", "allowed_models", ("bm25",)),
    "threads": ("3", "threads", 3),
    "max-loaded-models": ("2", "max_loaded_models", 2),
    "max-model-memory": ("5", "max_model_bytes", 5 * 2**20),
    "max-waiting": ("7", "max_waiting", 7),
    "max-text-length": ("99", "max_text_length", 99),
    "embedding-cache": ("1", "embedding_cache_bytes", 2**20),
    "inference-url": ("http://h/i", "inference_url", "http://h/i"),
    "inference-token": ("t", "inference_token", "t"),
    "inference-timeout": ("1.5", "inference_timeout", 1.5),
    "provider-url": ("openai=http://h/v1", "providers.base_urls", {"openai": "http://h/v1"}),
    "provider-timeout": ("9", "providers.timeout", 9.0),
    "no-image-urls": ("", "images.fetch", False),
    "allow-private-image-urls": ("", "images.allow_private_addresses", True),
    "max-image-mb": ("2", "images.max_bytes", 2 * 2**20),
    "max-image-pixels": ("100", "images.max_pixels", 100),
    "image-timeout": ("4", "images.timeout", 4.0),
    "infer-path": ("/x", "service.path", "/x"),
    "service-token": ("s", "service.token", "s"),
}


def read(arguments: list[str], environment: dict[str, str]) -> Any:
    """What the settings and the service become."""
    parser = argparse.ArgumentParser()
    add(parser, (*LOCAL, *SERVING))
    parts = chosen(parser.parse_args(arguments), from_environment(environment))
    return inference_settings(parts), service(parts)


def value(settings: Any, target: str) -> Any:
    inference, own = settings
    part, _, field = target.rpartition(".")
    holder = own if part == "service" else getattr(inference, part) if part else inference
    return getattr(holder, field)


def test_all_options_are_tried_here() -> None:
    assert GIVEN.keys() | {"models-file"} == {option.name for option in (*LOCAL, *SERVING)}


@pytest.mark.parametrize("name", GIVEN)
def test_option_and_variable(name: str) -> None:
    text, target, expected = GIVEN[name]
    assert value(read([], {}), target) != expected
    assert value(read([f"--{name}", *([text] if text else [])], {}), target) == expected
    variable = f"QDLITE_{name.upper().replace('-', '_')}"
    assert value(read([], {variable: text or "yes"}), target) == expected


def test_lists_and_precedence() -> None:
    environment = {"QDLITE_ALLOW_MODEL": "bm25, openai/*", "QDLITE_THREADS": "1"}
    assert read([], environment)[0].allowed_models == ("bm25", "openai/*")
    inference, _ = read(["--allow-model", "a", "--allow-model", "b", "--threads", "2"], environment)
    assert (inference.allowed_models, inference.threads) == (("a", "b"), 2)
    assert read([], {"QDLITE_NO_IMAGE_URLS": "no"})[0].images.fetch


def test_models_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        content = f'{{"models": [{{"name": "me/{name}", "dimensions": 8}}]}}'
        (tmp_path / f"{name}.json").write_text(content, encoding="utf-8")
    files = [str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    inference, _ = read([], {"QDLITE_MODELS_FILE": os.pathsep.join(files)})
    assert [model.name for model in inference.models] == ["me/a", "me/b"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("threads", "0"),
        ("threads", "many"),
        ("max-image-mb", "-1"),
        ("inference-timeout", "nan"),
        ("inference-timeout", "0"),
        ("inference-url", "ftp://h"),
        ("provider-url", "http://h"),
        ("provider-url", "acme=http://h"),
        ("infer-path", "infer"),
    ],
)
def test_bad_values_are_named(name: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read([f"--{name}={text}"], {})
    assert f"argument --{name}: {text!r} must be " in capsys.readouterr().err
    variable = f"QDLITE_{name.upper().replace('-', '_')}"
    with pytest.raises(BadSetting, match=f"^{variable} is .*, it must be "):
        from_environment({variable: text})


def test_a_file_of_models_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--models-file", str(tmp_path / "none.json")]) == 1
    assert capsys.readouterr().err.startswith("qdlite: ")


def test_the_guide_names_every_option() -> None:
    guide = (ROOT / "docs" / "inference.md").read_text(encoding="utf-8")
    for option in (*inference_options.LOCAL, *inference_options.SERVING):
        shown = (
            f"| `--{option.name}{' ' if option.metavar else ''}{option.metavar}`{' *' if option.separator else ''} |"
        )
        assert shown in guide


def test_a_real_server() -> None:
    options = ("--port", "0", "--offline", "--infer-path", "/embed", "--allow-model", "bm25")
    with serving(*options, QDLITE_SERVICE_TOKEN="s") as (_, url):
        one = {"data": "a dog", "data_type": "text", "model": "bm25", "options": None}
        body = {"inputs": [one], "inference": "update", "token": "s"}
        assert len(httpx.post(f"{url}/embed", json=body).json()["embeddings"][0]["indices"]) == 1
        assert httpx.post(f"{url}/embed", json={**body, "token": None}).status_code == 401
        other = {**body, "inputs": [{**one, "model": "hashing/8"}]}
        assert "not among the models" in httpx.post(f"{url}/embed", json=other).json()["error"]
    assert run("serve", QDLITE_INFERENCE_URL="nowhere").stderr.startswith("qdlite: QDLITE_INFERENCE_URL is 'nowhere'")
