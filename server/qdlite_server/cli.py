"""What does the command `qdlite` do? It serves, and lists and fetches models."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qdlite.errors import InferenceError
from qdlite.version import __version__
from qdlite_server import inference_options
from qdlite_server.settings import LOG_LEVELS, BadSetting, Settings, from_environment

if TYPE_CHECKING:
    from qdlite.database import InferenceSettings


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    try:
        settings, inference = from_environment(), inference_options.from_environment()
    except BadSetting as error:
        return _complain(str(error))
    options = _parser(settings).parse_args(arguments)
    options.parts = inference_options.chosen(options, inference)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except InferenceError as error:  # a declaration of models that cannot be read
        return _complain(str(error))
    except KeyboardInterrupt:
        return 130


def _complain(text: str) -> int:
    print(f"qdlite: {text}", file=sys.stderr)
    return 1


def _parser(settings: Settings) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="qdlite",
        description="An in-memory vector database that answers Qdrant's API.",
        epilog="Every option can also be set by an environment variable: --models-dir by QDLITE_MODELS_DIR, and so on.",
    )
    parser.add_argument("--version", action="version", version=f"qdlite {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_serve(commands.add_parser("serve", help="start the server"), settings)
    models = commands.add_parser("models", help="list the known models, or fetch one")
    _add_model_options(models, settings)
    models.set_defaults(command=_list_models)
    pull = models.add_subparsers(metavar="pull NAME").add_parser("pull", help="fetch a model's files")
    pull.add_argument("name", metavar="NAME")
    pull.set_defaults(command=_pull_model)
    return parser


def _add_serve(parser: argparse.ArgumentParser, settings: Settings) -> None:
    add = parser.add_argument
    add("--host", default=settings.host, help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=settings.port, help="port to listen on; 0 takes a free one (default: %(default)s)")
    add("--no-inference", dest="inference", action="store_false", help="refuse documents, take vectors only")
    add("--log-level", choices=LOG_LEVELS, default=settings.log_level, help="(default: %(default)s)")
    add(
        "--max-request-mb",
        type=int,
        default=settings.max_request_mb,
        metavar="MB",
        help="largest request body (default: %(default)s)",
    )
    add(
        "--snapshots-dir",
        type=Path,
        default=settings.snapshots_dir,
        metavar="DIR",
        help="folder to keep snapshots in (default: a temporary one)",
    )
    _add_model_options(parser, settings, inference_options.SERVING)
    parser.set_defaults(command=_serve, inference=settings.inference)


def _add_model_options(
    parser: argparse.ArgumentParser, settings: Settings, further: tuple[inference_options.Option, ...] = ()
) -> None:
    parser.add_argument(
        "--models-dir",
        dest="models_dirs",
        action="append",
        type=Path,
        metavar="DIR",
        help="folder to look for models in; may be given several times",
    )
    parser.add_argument("--offline", action="store_true", help="never download a model")
    inference_options.add(parser, (*inference_options.LOCAL, *further))
    parser.set_defaults(offline=settings.offline, models_dirs_by_default=settings.models_dirs)


def _inference(options: argparse.Namespace) -> InferenceSettings:
    return inference_options.inference_settings(
        options.parts,
        models_dirs=tuple(options.models_dirs or options.models_dirs_by_default),
        offline=options.offline,
        enabled=getattr(options, "inference", True),
    )


def _serve(options: argparse.Namespace) -> int:
    gc.disable()  # what a start makes stays: looking for garbage in it would take a tenth of the time
    from qdlite_server.serving import PortTaken, serve

    settings = replace(
        Settings(),
        host=options.host,
        port=options.port,
        log_level=options.log_level,
        max_request_mb=options.max_request_mb,
        snapshots_dir=options.snapshots_dir,
    )
    try:
        return serve(settings, _inference(options), inference_options.service(options.parts))
    except PortTaken as error:
        return _complain(str(error))


def _list_models(options: argparse.Namespace) -> int:
    from qdlite.database import Database
    from qdlite_server.listing import table

    with Database(_inference(options)) as database:
        print(table(database.inference.models()))
    return 0


def _pull_model(options: argparse.Namespace) -> int:
    from qdlite.database import Database
    from qdlite.errors import QdliteError
    from qdlite_server.listing import ProgressBar

    with Database(_inference(options)) as database, ProgressBar(sys.stderr) as bar:
        try:
            folder = database.inference.pull(options.name, bar.show)
        except QdliteError as error:
            bar.close()
            return _complain(str(error))
    print(folder)
    return 0
