"""Measure: each live device to a canonical recording; one measurement at a time per host, resumed where it stopped.

Needs the device's YAML file, the zoo, and the device itself. Makes results/measure/<device>/; models and unfinished
parts stand in results/measure/work/, which may be deleted once the recording is made. On request: the folder that
measures local devices on a machine without edgejoule (`snakemake bundle`), in results/measure/bundle/.
"""

from functools import partial

HOSTS = {
    f"host_{re.sub(r'[^A-Za-z0-9]', '_', DEVICES[name].source.host)}": DEVICES[name].source.host
    for name in devices_of("live")
}


def occupies(host, wildcards):
    """Return 1 if measuring this device occupies the host, else 0."""
    return int(DEVICES[wildcards.device].source.host == host)


def measuring_threads(wildcards):
    """Return all cores for a measurement on this machine, so that nothing disturbs it; a remote one is only watched."""
    return workflow.cores if DEVICES[wildcards.device].source.host == "local" else 1


def kernel_plan_of(wildcards):
    """Return the kernel plan of a device that measures kernels, else nothing."""
    asked = DEVICES[wildcards.device].source.protocol.kernels
    return [f"results/graphs/plans/{wildcards.device}.parquet"] if asked else []


# One measurement at a time per host, whatever --cores says.
workflow.global_resources.update(dict.fromkeys(HOSTS, 1))


rule measure:
    """Measure one live device: networks interleaved in shuffled passes, energy from its meter."""
    input:
        device=device_file,
        zoo=RUN.zoo.file,
        references="config/references.tsv",
        kernels=kernel_plan_of,
        code=code("measure", "graphs", "traces"),
    output:
        recording="results/measure/{device}/recording.json",
        events="results/measure/{device}/events.parquet",
        samples="results/measure/{device}/samples.parquet",
        nodes="results/measure/{device}/nodes.parquet",
        problems="results/measure/{device}/problems.parquet",
    log:
        "results/logs/measure/{device}.log",
    benchmark:
        "results/benchmarks/measure/{device}.tsv"
    threads: measuring_threads
    resources:
        **{resource: partial(occupies, host) for resource, host in HOSTS.items()},
    params:
        seed=RUN.zoo.seed,
        weights="--pretrained" if RUN.zoo.pretrained else "--random",
    shell:
        "edgejoule measure record --device-file {input.device:q} --zoo {input.zoo:q} --seed {params.seed} {params.weights}"
        " --references {input.references:q} --kernels={input.kernels:q} --output $(dirname {output.recording:q}) 2> {log:q}"


BUNDLED = [name for name in devices_of("live") if DEVICES[name].source.host == "local"]


rule bundle:
    """Target: the folder that measures this configuration's local devices elsewhere; what it measured stays in it."""
    input:
        devices=[str(DEVICE_FILES[name]) for name in BUNDLED],
        zoo=RUN.zoo.file,
        references="config/references.tsv",
        # All devices of a bundle have one runtime, so one plan is every one's.
        kernels=[f"results/graphs/plans/{name}.parquet" for name in BUNDLED if DEVICES[name].source.protocol.kernels][
            :1
        ],
        code=code("measure", "graphs", "traces"),
    output:
        script="results/measure/bundle/record.py",
        order="results/measure/bundle/devices.json",
    log:
        "results/logs/measure/bundle.log",
    benchmark:
        "results/benchmarks/measure/bundle.tsv"
    params:
        devices=[f"--device-file={DEVICE_FILES[name]}" for name in BUNDLED],
        seed=RUN.zoo.seed,
    shell:
        "edgejoule measure bundle {params.devices:q} --zoo {input.zoo:q} --seed {params.seed}"
        " --references {input.references:q} --kernels={input.kernels:q} --output $(dirname {output.script:q}) 2> {log:q}"
