"""``edgejoule trace``: look at a trace file, or make it a canonical recording."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

command = typer.Typer(no_args_is_help=True, help="Look at a trace file, or make it a canonical recording.")

File = Annotated[Path, typer.Argument(help="A trace file, or the folder of a canonical recording.")]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        help="monsoon, joulescope, jls, ppk2, otii, ptdaemon, energyrunner, tegrastats, nvml, rapl, perf or generic; "
        "recognised if not given.",
    ),
]
Rate = Annotated[float | None, typer.Option(help="Declared readings a second, where the meter has no rate of its own.")]
Voltage = Annotated[float | None, typer.Option(help="Voltage of the supply (V), for files that hold a current only.")]
Columns = Annotated[
    list[str],
    typer.Option("--column", help="What a column holds, such as time=t, time_unit=ms, power=P; see docs/traces.md."),
]


#: What a meter can have seen.
METERED = ("wall", "rail", "dc")


def _positive(**options: float | None) -> None:
    from edgejoule.errors import EdgejouleError

    for name, value in options.items():
        # Not 'value <= 0': nan is no amount either.
        if value is not None and not 0 < value < float("inf"):
            raise EdgejouleError(f"--{name.replace('_', '-')} {value:g}: should be more than 0")


def _columns(stated: list[str], voltage: float | None):
    from edgejoule.config.load import check
    from edgejoule.config.models import TraceColumns
    from edgejoule.errors import EdgejouleError

    found: dict[str, object] = {} if voltage is None else {"voltage": voltage}
    for item in stated:
        key, equals, value = item.partition("=")
        if not equals:
            raise EdgejouleError(f"--column {item}: should be KEY=NAME, such as power=P")
        found[key] = [*found.get(key, []), value] if key == "with_unit" else value
    # A file gives a number of volts as a number, a command line as text.
    with suppress(TypeError, ValueError):
        found["voltage"] = float(found.get("voltage"))
    return check(TraceColumns, found, "--column")


@command.command()
def inspect(
    file: File,
    format_: Format = "",
    picture: Annotated[Path | None, typer.Option(help="The picture; FILE.png in this folder if not given.")] = None,
    rate_hz: Rate = None,
    voltage: Voltage = None,
    column: Columns = [],  # noqa: B006
) -> None:
    """Say what a trace holds (format, rates, span, gaps, rails, lost readings, events) and draw it with its events.

    Example: edgejoule trace inspect capture.csv
    """
    from edgejoule.traces.inspect import check_picture, describe, draw, summarise, table_of
    from edgejoule.traces.inspect import inspect as look

    _positive(rate_hz=rate_hz, voltage=voltage)
    if picture is not None:
        check_picture(picture)
    inspected = look(file, format_ or None, _columns(column, voltage), rate_hz)
    summaries = summarise(inspected)
    typer.echo(table_of(describe(inspected, summaries)))
    picture = picture or Path(f"{file.resolve().name}.png")
    draw(inspected, summaries, picture, file.resolve().name)
    typer.echo(f"drawn in {picture}")


@command.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A trace file.")],
    output: Annotated[Path, typer.Option(help="Folder of the canonical recording.")],
    device: Annotated[str, typer.Option(help="Name of the device.")],
    board: Annotated[str, typer.Option(help="The physical hardware; the device's name if not given.")] = "",
    scope: Annotated[str, typer.Option(help="What the meter saw: wall, rail or dc.")] = "dc",
    format_: Format = "",
    events: Annotated[Path | None, typer.Option(help="CSV or Parquet of marks: event,start_ns,end_ns,...")] = None,
    align_marks: Annotated[
        Path | None, typer.Option(help="Where --events is on another clock: CSV of moments on both: meter_ns,host_ns.")
    ] = None,
    align_load: Annotated[
        Path | None, typer.Option(help="Or: CSV of the load on the events' clock, to lay on the power: host_ns,load.")
    ] = None,
    workload: Annotated[
        str, typer.Option(help="Or find the events in the trace; this ran in them. Needs --iterations.")
    ] = "",
    iterations: Annotated[int | None, typer.Option(help="Inferences in each event that is found.")] = None,
    least_s: Annotated[float, typer.Option(help="Shortest event that is found (s).")] = 1.0,
    rate_hz: Rate = None,
    voltage: Voltage = None,
    column: Columns = [],  # noqa: B006
) -> None:
    """Make a trace file a canonical recording.

    Example: edgejoule trace import capture.csv --device my-board --workload resnet18 --iterations 200
    --output recording
    """
    from edgejoule.config.load import check
    from edgejoule.config.models import Alignment, Segments
    from edgejoule.errors import EdgejouleError
    from edgejoule.names import did_you_mean
    from edgejoule.traces import event_energy, write_recording
    from edgejoule.traces.convert import check_replaceable, recording_of
    from edgejoule.traces.importers.formats import read_trace_file

    if scope not in METERED:
        raise EdgejouleError(f"--scope {scope}: {did_you_mean(scope, METERED)}")
    _positive(rate_hz=rate_hz, voltage=voltage, iterations=iterations, least_s=least_s)
    if bool(workload) != (iterations is not None):
        raise EdgejouleError("--workload and --iterations, the inferences in each event, go together; give both")
    if workload and events:
        raise EdgejouleError("--events marks the events and --workload finds them; give one of the two")
    alignment = segments = None
    if align_marks or align_load:
        if events is None:
            raise EdgejouleError(
                "--align-marks and --align-load lay the clock of --events on the trace's; give that too"
            )
        files = {"marks": align_marks, "load": align_load}
        alignment = check(
            Alignment, {key: str(file) for key, file in files.items() if file}, "--align-marks, --align-load"
        )
    if workload:
        found = {"workload": workload, "iterations": iterations, "least_s": least_s}
        segments = check(Segments, found, "--workload, --iterations, --least-s")
    readings = read_trace_file(file, format_ or None, _columns(column, voltage), rate_hz)
    meta = {"device": device, "board": board or device, "meter": {"kind": "external"}, "power_scope": scope}
    recording = recording_of(readings, meta, file, events, segments, alignment)
    check_replaceable(recording, output)
    write_recording(recording, output)
    for note in readings.notes:
        typer.echo(note, err=True)
    if not len(recording.events):
        typer.echo(
            "no events: no energies can be computed; mark them with --events, or find them with --workload "
            "and --iterations",
            err=True,
        )
    energies = event_energy(recording)[recording.events["kind"] != "idle"]
    without = energies[energies["reason"] != ""]
    if len(without):
        first = without.iloc[0]
        what = f"{len(without)} of {len(energies)} event(s) have no energy; the first, '{first['event']}'"
        typer.echo(f"{what}: {first['reason']}", err=True)
    typer.echo(f"{len(recording.trace)} readings and {len(recording.events)} events in {output}")
