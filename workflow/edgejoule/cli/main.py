"""The command line: one command per stage in the order in which data flows, and the verbs for people."""

import errno
import importlib
import json
import sys

import typer

from edgejoule import __version__
from edgejoule.errors import EdgejouleError

#: Command, module of its Typer application or function, panel of the help page. In the order in which data flows.
COMMANDS = (
    ("graphs", "edgejoule.cli.graphs", "Stages"),
    ("measure", "edgejoule.cli.measure", "Stages"),
    ("traces", "edgejoule.cli.traces", "Stages"),
    ("datasets", "edgejoule.cli.datasets", "Stages"),
    ("predictors", "edgejoule.cli.predictors", "Stages"),
    ("validation", "edgejoule.cli.validation", "Stages"),
    ("scores", "edgejoule.cli.scores", "Stages"),
    ("recommendations", "edgejoule.cli.recommendations", "Stages"),
    ("figures", "edgejoule.cli.figures", "Stages"),
    ("report", "edgejoule.cli.report", "Stages"),
    ("predict", "edgejoule.cli.predict", "For people"),
    ("graph", "edgejoule.cli.graph", "For people"),
    ("trace", "edgejoule.cli.trace", "For people"),
    ("freeze", "edgejoule.cli.freeze", "For people"),
    ("score", "edgejoule.cli.score", "For people"),
    ("recommend", "edgejoule.cli.recommend", "For people"),
    ("schema", "edgejoule.cli.schema", "For people"),
)


def _version(show: bool) -> None:
    if show:
        typer.echo(__version__)
        raise typer.Exit


def build_app() -> typer.Typer:
    """Assemble the commands. Modules of commands import nothing heavy before they run."""
    app = typer.Typer(
        name="edgejoule",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        help="What deep learning costs on edge devices: datasets, predictors, scores and recommendations from "
        "measurements. The stages stand in the order in which data flows.",
    )

    @app.callback()
    def _options(
        version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
    ) -> None: ...

    for name, module, panel in COMMANDS:
        command = importlib.import_module(module).command
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(command)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; bad input ends in one sentence on stderr and status 2.

    Whoever asks for JSON gets the sentence as JSON on stdout, too.
    """
    try:
        build_app()(arguments)
    except EdgejouleError as error:
        if "--json" in (sys.argv if arguments is None else arguments):
            typer.echo(json.dumps(error.details | {"error": str(error)}, indent=2))
        _stop(str(error))
    except BrokenPipeError:
        sys.exit(141)
    except OSError as error:
        # Any command may be given a name that no file system takes; to look whether it is there fails already.
        if error.errno != errno.ENAMETOOLONG:
            raise
        _stop(f"{str(error.filename)[:60]}...: no file has so long a name; check what is given as a file")


def _stop(sentence: str) -> None:
    typer.secho(f"edgejoule: {sentence}", err=True, fg=typer.colors.RED)
    sys.exit(2)
