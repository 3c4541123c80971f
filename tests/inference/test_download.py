"""`pull`: what is asked of the hub, how progress is told, and when nothing may be asked at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from qdlite.errors import InferenceError
from qdlite.inference import InferenceInput, InferenceService, InferenceSettings

MODEL = "baai/bge-small-en-v1.5"
REPOSITORY = "Qdrant/bge-small-en-v1.5-onnx-Q"


class Hub:
    """Stands in for `huggingface_hub.snapshot_download`: copies a tiny model into a hub-shaped cache."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.calls: list[dict[str, Any]] = []
        self.error: Exception | None = None

    def snapshot_download(self, **arguments: Any) -> str:
        self.calls.append(arguments)
        if self.error:
            raise self.error
        repository = Path(arguments["cache_dir"]) / ("models--" + arguments["repo_id"].replace("/", "--"))
        snapshot = repository / "snapshots" / "0123"
        shutil.copytree(self.source, snapshot)
        (snapshot / "model.onnx").rename(snapshot / "model_optimized.onnx")
        with arguments["tqdm_class"](desc="bytes", total=0, unit="B", unit_scale=True, name="x") as bar:
            bar.total = 30
            bar.update(10)
            bar.update(20)
        assert list(arguments["tqdm_class"]([1, 2], desc="Fetching 2 files", total=2)) == [1, 2]
        return str(snapshot)


@pytest.fixture
def hub(tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    import huggingface_hub

    made = Hub(tiny_models / "all-MiniLM-L6-v2")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", made.snapshot_download)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    return made


def service(cache: Path, offline: bool = False) -> InferenceService:
    return InferenceService(InferenceSettings(cache_dir=cache, offline=offline, threads=1))


def test_pull(hub: Hub, tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    made = service(tmp_path / "cache")
    path = made.pull(MODEL, lambda done, total, unit: seen.append((done, total, unit)))
    assert path == tmp_path / "cache" / "models--Qdrant--bge-small-en-v1.5-onnx-Q" / "snapshots" / "0123"
    assert seen == [(10, 30, "B"), (30, 30, "B"), (1, 2, "files"), (2, 2, "files")]
    assert hub.calls[0]["repo_id"] == REPOSITORY
    assert {"model_optimized.onnx", "tokenizer.json", "tokenizer_config.json"} <= set(hub.calls[0]["allow_patterns"])
    assert made.pull(MODEL) == path
    assert len(hub.calls) == 1  # what is on disk is not asked for again
    described = made.describe(MODEL)
    assert described is not None and (described.on_disk, described.state) == (True, "on disk")


def test_first_use_downloads(hub: Hub, tmp_path: Path) -> None:
    made = service(tmp_path)
    for _ in range(2):
        assert made.infer([InferenceInput("dog", "text", MODEL)], "update").usage == {MODEL: 3}
    assert len(hub.calls) == 1


def test_offline_asks_nobody(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InferenceError, match="not on disk"):
        service(tmp_path, offline=True).infer([InferenceInput("dog", "text", MODEL)], "update")
    with pytest.raises(InferenceError, match="offline"):
        service(tmp_path, offline=True).pull(MODEL)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(InferenceError, match="offline"):
        service(tmp_path).pull(MODEL)
    assert hub.calls == []


def test_failed_download(hub: Hub, tmp_path: Path) -> None:
    hub.error = OSError("no route to host")
    with pytest.raises(InferenceError, match=r"could not be downloaded from Qdrant/bge-small.*no route to host"):
        service(tmp_path).infer([InferenceInput("dog", "text", MODEL)], "update")
    assert len(hub.calls) == 1


def test_unknown_model(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(InferenceError, match=r"Unknown model: bge-small-en-v2\. Did you mean"):
        service(tmp_path).pull("bge-small-en-v2")
    assert hub.calls == []


@pytest.mark.parametrize("name", ["bm25", "qdrant/BM25", "hashing/8"])
def test_built_in_models_need_no_files(tmp_path: Path, name: str) -> None:
    with pytest.raises(InferenceError, match="is built in"):
        service(tmp_path).pull(name)


def test_offline_by_environment_names_the_way_out(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(InferenceError, match=f"qdlite models pull (?i:{MODEL})"):
        service(tmp_path).infer([InferenceInput("dog", "text", MODEL)], "update")
    assert hub.calls == []
