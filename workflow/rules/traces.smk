"""Traces: recordings fetched as pinned, every file checked by its sha256, and made canonical; one job per device.

Needs the device files of source traces, resources/mlperf/*.tsv (what is fetched) or a recording in a folder; of live
devices, what measuring them gave.
Makes results/traces/archives/<device>/<archive>.zip and results/traces/<device>/.
"""

from edgejoule.traces.manifest import archives_of

TRACES = devices_of("traces", "live")
ARCHIVES = {
    name: archives_of(DEVICES[name].source.manifest) for name in devices_of("traces") if DEVICES[name].source.manifest
}


def archive_sha256(wildcards):
    """Return the pinned sha256 of an archive: Snakemake refuses any other bytes."""
    return ARCHIVES[wildcards.device][wildcards.archive]


def address(wildcards):
    """Return where files are fetched from; a function, so that its braces are not taken for wildcards."""
    return RUN.address


def manifest(wildcards):
    """Return the table of the device's pinned files."""
    return DEVICES[wildcards.device].source.manifest


def archives(wildcards):
    """Return the archives that a device's recording is imported from, or what measuring it gave."""
    if DEVICES[wildcards.device].source.kind == "live":
        return [f"results/measure/{wildcards.device}/recording.json"]
    names = ARCHIVES.get(wildcards.device, [])
    return [f"results/traces/archives/{wildcards.device}/{name}.zip" for name in names]


def folder_files(wildcards):
    """Return the manifest of a device's recording, its file of readings and of events, or every file in its folder."""
    source = DEVICES[wildcards.device].source
    if source.kind == "live":
        return f"results/measure/{wildcards.device}/events.parquet"
    if source.folder is None:
        clocks = (source.alignment.marks, source.alignment.load) if source.alignment else ()
        return [path for path in (source.manifest, source.file, source.events, *clocks) if path]
    return sorted(str(path) for path in Path(source.folder).rglob("*") if path.is_file())


rule retrieve:
    """Fetch the pinned files of one device and family, or take them from the mirror, into one reproducible archive.

    It has no code= among its inputs: whatever code fetched them, only the bytes of the pinned sha256 are taken, and a
    change of code is no reason to fetch them again.
    """
    input:
        manifest=manifest,
    output:
        ensure("results/traces/archives/{device}/{archive}.zip", sha256=archive_sha256),
    log:
        "results/logs/traces/retrieve/{device}/{archive}.log",
    benchmark:
        "results/benchmarks/traces/retrieve/{device}/{archive}.tsv"
    wildcard_constraints:
        archive=r"[A-Za-z0-9._-]+",
    retries: 2
    params:
        address=address,
        mirror=RUN.mirror or "",
    shell:
        "edgejoule traces retrieve --manifest {input.manifest:q} --archive {wildcards.archive:q}"
        " --address {params.address:q} --mirror {params.mirror:q} --output {output:q} 2> {log:q}"


rule import_recording:
    """Make one device's recording canonical, whatever format it is in."""
    input:
        archives=archives,
        source=folder_files,
        device=device_file,
        code=code("traces"),
    output:
        recording="results/traces/{device}/recording.json",
        events="results/traces/{device}/events.parquet",
        samples="results/traces/{device}/samples.parquet",
        nodes="results/traces/{device}/nodes.parquet",
        problems="results/traces/{device}/problems.parquet",
    log:
        "results/logs/traces/{device}.log",
    benchmark:
        "results/benchmarks/traces/{device}.tsv"
    wildcard_constraints:
        device="|".join(map(re.escape, sorted(TRACES))) or "none",
    shell:
        "edgejoule traces import --device-file {input.device:q} --output $(dirname {output.recording:q})"
        " {input.archives:q} 2> {log:q}"


rule traces:
    """Target: every recording, canonical."""
    input:
        expand(rules.import_recording.output.recording, device=TRACES),
