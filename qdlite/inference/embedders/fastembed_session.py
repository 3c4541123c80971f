"""What do the threads of a model do between two calls? Nothing.

Left to itself, onnxruntime keeps a thread of a session spinning for some 40 ms after each call, in case another one
follows. On the few cores of a small machine that is time taken from whoever has the next turn: from the tokeniser, the
search, another model, or the batches of a crowd. Woken threads are as fast: a query takes the same time either way.
"""

from __future__ import annotations

from typing import Any


class RestsBetweenCalls:
    """Goes before a class of fastembed that runs an ONNX model."""

    @classmethod
    def add_extra_session_options(cls, session_options: Any, extra_options: dict[str, Any]) -> None:
        super().add_extra_session_options(session_options, extra_options)  # type: ignore[misc]
        session_options.add_session_config_entry("session.force_spinning_stop", "1")


def at_rest(model_class: Any) -> tuple[type, ...]:
    """The bases to go before a model class: none for those without a session."""
    return (RestsBetweenCalls,) if hasattr(model_class, "add_extra_session_options") else ()
