"""Loading once, and letting go of what was not used for longest."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from qdlite.errors import Timeout
from qdlite.inference.inputs import Call
from qdlite.inference.lane import Lane
from qdlite.inference.loaded import LoadedModels


class Loader:
    def __init__(self, size: int = 10) -> None:
        self.size = size
        self.loads: list[str] = []

    def of(self, name: str) -> Callable[[], tuple[Lane, int]]:
        def load() -> tuple[Lane, int]:
            self.loads.append(name)
            return Lane(name, None, 1), self.size  # type: ignore[arg-type]

        return load


def touch(models: LoadedModels, loader: Loader, *names: str) -> None:
    for name in names:
        with models.use(name, loader.of(name), Call("search")):
            pass


def test_least_recently_used_goes_first() -> None:
    models, loader = LoadedModels(2, None), Loader()
    touch(models, loader, "a", "b", "a", "c")
    assert ("a" in models, "b" in models, "c" in models) == (True, False, True)
    touch(models, loader, "a", "b")
    assert loader.loads == ["a", "b", "c", "b"]


def test_budget_in_bytes() -> None:
    models, loader = LoadedModels(100, 25), Loader(10)
    touch(models, loader, "a", "b", "c")
    assert ("a" in models, "b" in models, "c" in models) == (False, True, True)


def test_models_in_use_stay() -> None:
    models, loader = LoadedModels(1, None), Loader()
    with models.use("a", loader.of("a"), Call("search")):
        touch(models, loader, "b")
        assert "a" in models
    assert loader.loads == ["a", "b"]


def test_one_load_for_concurrent_users() -> None:
    models, loader = LoadedModels(2, None), Loader()
    barrier = threading.Barrier(8)

    def user() -> None:
        barrier.wait(10)
        touch(models, loader, "a")

    threads = [threading.Thread(target=user) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert loader.loads == ["a"]


def test_timeout_while_another_request_loads() -> None:
    models, loader = LoadedModels(2, None), Loader()
    loading, go_on = threading.Event(), threading.Event()

    def slow() -> tuple[Lane, int]:
        loading.set()
        assert go_on.wait(10)
        return loader.of("a")()

    def first() -> None:
        with models.use("a", slow, Call("search")):
            pass

    thread = threading.Thread(target=first)
    thread.start()
    assert loading.wait(10)
    with pytest.raises(Timeout), models.use("a", slow, Call.start("search", timeout=0.02)):
        pass
    go_on.set()
    thread.join(10)
    assert "a" in models


def test_failed_load_is_tried_again() -> None:
    models, loader = LoadedModels(2, None), Loader()

    def fail() -> tuple[Lane, int]:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"), models.use("a", fail, Call("search")):
        pass
    assert "a" not in models
    touch(models, loader, "a")
    assert "a" in models
    models.clear()
    assert "a" not in models
