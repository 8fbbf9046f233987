"""What may stand in the configuration files. The JSON schema for editors is generated from these models."""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from edgejoule.tables.vocabulary import (
    ACCOUNTINGS,
    ORIGINS,
    PASS_RULES,
    POWER_SCOPES,
    PRECISIONS,
    PREDICTORS,
    PROTOCOLS,
)

#: What can measure power; 'external' is a meter whose trace is replayed.
METERS = (
    "none",
    "constant",
    "nvml",
    "rapl",
    "hwmon",
    "tegrastats",
    "command",
    "monsoon",
    "ppk2",
    "joulescope",
    "external",
)

#: What kind of hardware a device is; only devices of one class are ranked in one list.
CLASSES = ("board", "microcontroller", "phone", "computer", "accelerator")

Share = Annotated[float, Field(gt=0, lt=1)]


class Model(BaseModel):
    """Base of every model: unknown keys are errors, values are never changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# -- devices ---------------------------------------------------------------------------------------------------------


class Runtime(Model):
    """The inference runtime and the settings that make it this device and no other."""

    name: Literal["onnxruntime", "openvino", "litert", "tflite", "armnn", "tensorrt", "pytorch", "other"]
    version: str | None = Field(None, description="As the recording states it; a live device fills it in.")
    backend: str = Field("cpu", description="cpu, neon, opencl, cuda, ...: what executes the kernels.")
    threads: PositiveInt | None = Field(None, description="Threads, where they are set.")
    batch: PositiveInt = Field(1, description="Inputs in one run (live: pytorch only); costs are per input.")
    precision: Literal["fp32", "fp16"] | None = Field(
        None, description="What everything is run in (live: pytorch only); unset, as the zoo has it."
    )
    channels_last: bool | None = Field(None, description="Maps in the layout NHWC (live: pytorch only).")


class Meter(Model):
    """What measures power."""

    kind: Literal[METERS] = Field(description="'external' is a meter whose trace is replayed.")
    name: str | None = Field(
        None, description="Make and model of an external meter; which one, where several are connected."
    )
    watts: PositiveFloat | None = Field(None, description="Declared power of the 'constant' meter (W).")
    watts_source: str | None = Field(None, description="Where the declared power is from.")
    volts: PositiveFloat | None = Field(
        None, description="Voltage of the supply: what 'ppk2' multiplies current by, or 'monsoon' sets (V)."
    )
    supplies: bool | None = Field(
        None, description="Whether 'ppk2' supplies the device, instead of standing in its supply."
    )
    command: str | None = Field(None, description="Program of the 'command' meter; it prints 'timestamp,watts' lines.")
    rate_hz: PositiveFloat | None = Field(None, description="Samples a second.")
    accuracy_percent: PositiveFloat | None = Field(None, description="The meter's stated accuracy (% of reading).")
    resolution_w: PositiveFloat | None = Field(None, description="Smallest step of the meter's readings of power (W).")
    root: str = Field("/", description="Root of the sysfs tree of a sysfs meter.")


class Protocol(Model):
    """How a live measurement is done."""

    passes: PositiveInt = Field(3, description="Interleaved passes over all workloads.")
    minimum_s: PositiveFloat = Field(1.0, description="Least time of back-to-back runs per workload and pass (s).")
    maximum_s: PositiveFloat = Field(10.0, description="Most time per workload and pass (s).")
    half_width: Share = Field(0.02, description="Relative half-width of the mean's confidence interval to reach.")
    idle_s: PositiveFloat = Field(1.0, description="Idle baseline before and after each workload (s).")
    quiet_s: NonNegativeFloat = Field(
        0.0, description="Longest wait for other processes to rest before each window (s); disturbed ones are repeated."
    )
    kernels: NonNegativeInt = Field(
        0, description="Kernels to measure besides the networks: the first of the kernel plan."
    )
    kernel_passes: PositiveInt = Field(2, description="Passes in which kernels are measured too.")
    kernel_s: PositiveFloat = Field(
        1.0,
        description="Back-to-back runs of a kernel that runs alone (s); longer if ten of the meter's readings are.",
    )
    meter_s: list[PositiveFloat] = Field(
        [1.0, 5.0, 20.0], description="Loads under which a meter itself is observed first (s); [] for none."
    )
    isolated: bool = Field(False, description="Time kernels by themselves too, with warm caches, for comparison.")
    profiled_passes: NonNegativeInt = Field(2, description="Passes in which the runtime's profiler times nodes.")
    seed: int = 0

    @model_validator(mode="after")
    def _window_has_a_range(self) -> "Protocol":
        if self.minimum_s > self.maximum_s:
            raise ValueError(
                f"'minimum_s' is {self.minimum_s:g}, more than 'maximum_s', {self.maximum_s:g}; a window lasts "
                "from the one to the other"
            )
        return self


class LiveSource(Model):
    """Measure now: on this machine, or on another over ssh or adb."""

    kind: Literal["live"]
    host: str = Field(
        "local", pattern=r"^(local|ssh://\S+|adb://\S*)$", description="local, ssh://alias or adb://serial."
    )
    networks: list[str] | Literal["all"] = Field("all", description="Networks or families of the zoo to measure.")
    precisions: list[Literal[PRECISIONS]] = Field(
        ["fp32"], min_length=1, description="Of these, the networks in these precisions."
    )
    references: bool = Field(True, description="Measure the applications' reference networks too, for the scores.")
    protocol: Protocol = Protocol()


class TraceColumns(Model):
    """Which columns of a table of readings hold what, in which units; what a format knows itself is left out."""

    time: str | None = Field(None, description="Column of time; without one, readings come at the meter's rate.")
    time_unit: Literal["s", "ms", "us", "ns", "min", "datetime"] = "s"
    power: str | None = Field(None, description="Column of power.")
    power_unit: Literal["W", "mW", "uW"] = "W"
    current: str | None = Field(None, description="Column of current; needs a voltage.")
    current_unit: Literal["A", "mA", "uA", "nA"] = "A"
    voltage: PositiveFloat | str | None = Field(None, description="Column of voltage, or the supply's voltage (V).")
    voltage_unit: Literal["V", "mV"] = "V"
    energy: str | None = Field(None, description="Column of a cumulative energy counter.")
    energy_unit: Literal["J", "mJ", "uJ", "Wh"] = "J"
    wrap: PositiveFloat | None = Field(None, description="Value at which the counter starts again, in its unit.")
    with_unit: list[str] = Field([], description="Columns whose values carry their unit, such as '65.3 W'.")
    sampling: Literal["instantaneous", "averaged"] | None = Field(None, description="What a reading of power means.")
    separator: str = Field(",", min_length=1, max_length=1)


class Segments(Model):
    """How events are found in a trace without marks."""

    workload: str = Field(description="What ran.")
    precision: Literal[PRECISIONS] | None = None
    iterations: PositiveInt | None = Field(None, description="Inferences in each event, if they are known.")
    least_s: PositiveFloat = Field(1.0, description="Shortest event, and shortest pause between two (s).")
    threshold_w: PositiveFloat | None = Field(None, description="Power above which something runs (W).")


class Alignment(Model):
    """How the clock of a file of events is laid on the trace's, where they are two hosts' clocks."""

    marks: str | None = Field(None, description="CSV of moments that both clocks saw: meter_ns,host_ns.")
    load: str | None = Field(None, description="Or: CSV of the load on the events' clock: host_ns,load.")
    limit_s: PositiveFloat = Field(10.0, description="Largest offset to look for by load, either way (s).")
    step_s: PositiveFloat = Field(0.01, description="Grid on which load and power are compared (s).")

    @model_validator(mode="after")
    def _one_way(self) -> "Alignment":
        if (self.marks is None) == (self.load is None):
            raise ValueError("give either 'marks' or 'load'")
        return self


class TracesSource(Model):
    """Replay a recording: canonical, or in a named format that an importer reads."""

    kind: Literal["traces"]
    format: str = Field("canonical", description="canonical, mlperf-inference, ...: see 'edgejoule traces --help'.")
    folder: str | None = Field(None, description="Folder of the recording, relative to the project or absolute.")
    manifest: str | None = Field(None, description="Table of pinned addresses and sha256 of the files to fetch.")
    file: str | None = Field(None, description="A single trace file, in a format of such files.")
    columns: TraceColumns | None = Field(None, description="Which columns of the file hold what.")
    events: str | None = Field(None, description="CSV or Parquet with the columns of events.parquet.")
    alignment: Alignment | None = Field(None, description="Where the events are on another host's clock.")
    segments: Segments | None = Field(None, description="Or: find the events in the trace.")


class TableSource(Model):
    """Figures that were derived or published elsewhere."""

    kind: Literal["table"]
    file: str = Field(description="CSV: network, precision, latency_ms, energy_mj, and what else is known of networks.")


class Device(Model):
    """One device: a processor, a runtime with its settings, and a source of measurements."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="The file's name without .yaml.")
    title: str = Field(description="For figures and reports.")
    board: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", description="The physical hardware.")
    device_class: Literal[CLASSES] = Field(alias="class")
    runtime: Runtime
    meter: Meter
    power_scope: Literal[POWER_SCOPES]
    origin: Literal[ORIGINS] = Field(description="Where its power and energy are from.")
    tdp_w: PositiveFloat | None = Field(None, description="Thermal design power (W), for the scores.")
    passes: Literal[PASS_RULES] = Field(
        "pooled",
        description="How the passes of a recording become one value: pooled (every inference of every pass) or "
        "steadied (each pass's fastest inference, without the machine's slow drift, which the workloads around it "
        "tell; for a shared machine without a meter).",
    )
    in_zoo: bool = Field(True, description="Whether its networks are the zoo's; of others there is no predictor.")
    source: Annotated[LiveSource | TracesSource | TableSource, Field(discriminator="kind")]
    note: str = Field("", description="Anything a reader should know; shown in the report.")

    @model_validator(mode="after")
    def _metered_passes_are_pooled(self) -> "Device":
        if self.passes == "steadied" and self.meter.kind not in ("constant", "none"):
            raise ValueError(
                "passes 'steadied' needs the meter 'constant' or 'none': a meter's energy is that of whole windows"
            )
        return self


# -- the run ---------------------------------------------------------------------------------------------------------


class Zoo(Model):
    """Which networks, in which precisions."""

    file: str = Field("config/networks.tsv", description="The zoo.")
    seed: int = Field(0, description="Seed of the random weights.")
    pretrained: bool = Field(False, description="Measure with published weights, which are fetched, not random ones.")
    variants: PositiveInt = Field(1, description="Variants of each of nine families that are generated.")
    more_variants: PositiveInt = Field(50, description="The same in `snakemake more_variants`.")


class Plan(Model):
    """Which kernels are measured alone, on devices where kernels are."""

    budget: PositiveFloat = Field(10.5, description="Minutes that one pass over the kernels of one device may take.")
    synthetic: float = Field(0.25, ge=0, le=1, description="Share of them from the synthetic sample, not from the zoo.")
    seed: int = Field(0, description="Seed of the synthetic sample.")


class Validation(Model):
    """How predictors are judged."""

    protocols: list[Literal[PROTOCOLS]] = ["leave-one-family-out", "ten-fold"]
    predictors: list[Literal[PREDICTORS]] = list(PREDICTORS)
    prior_devices: list[str] = Field([], description="Devices whose coefficients may serve as prior for others.")
    seed: int = 0


class Recommendations(Model):
    """Which recommendation tables are made."""

    budgets: PositiveInt = Field(100, description="Budgets per device, evenly spaced in log energy.")
    budgets_mj: list[PositiveFloat] | None = Field(None, description="Or these budgets (mJ per inference).")
    accounting: Literal[ACCOUNTINGS] = "gross"
    rate_hz: PositiveFloat | None = Field(None, description="Requests a second, for accounting 'duty-cycle'.")
    tasks: str = Field(
        "resources/published/mlperf_tiny_tasks.csv",
        description="CSV of tasks beside ImageNet: network, task, metric, target, source.",
    )
    accuracies: str = Field(
        "resources/published/mlperf_tiny_accuracy.csv",
        description="CSV of what devices reach in these tasks: device, network, accuracy, source.",
    )
    exclude: list[str] = Field([], description="Networks not to recommend: names, or patterns such as '*-quantized'.")
    exclude_licences: list[str] = Field([], description="Licences of weights not to recommend, e.g. cc-by-nc-4.0.")
    confidence: Share = Field(0.9, description="Probability of meeting a budget where energies are predicted.")

    @model_validator(mode="after")
    def _duty_cycle_has_a_rate(self) -> "Recommendations":
        if self.accounting == "duty-cycle" and self.rate_hz is None:
            raise ValueError("accounting 'duty-cycle' needs 'rate_hz', the requests a second")
        return self


class Scores(Model):
    """How devices are scored."""

    file: str = Field("config/applications.yaml", description="Applications, references, weights: how it is scored.")
    bootstrap: PositiveInt = Field(1000, description="Resamples behind each interval.")
    seed: int = 0


class Run(Model):
    """config.yaml: what to run."""

    device_folders: list[str] = Field(["config/devices"], description="Folders of device files; the first one wins.")
    devices: list[str] | Literal["all"] = Field("all", description="Names of devices to run, or all that have a file.")
    mirror: str | None = Field(None, description="Local folder laid out like the upstream repositories; no fetching.")
    address: str = Field(
        "https://raw.githubusercontent.com/{repository}/{commit}/{path}",
        description="Where a pinned file is fetched from.",
    )
    zoo: Zoo = Zoo()
    plan: Plan = Plan()
    validation: Validation = Validation()
    recommendations: Recommendations = Recommendations()
    scores: Scores = Scores()
