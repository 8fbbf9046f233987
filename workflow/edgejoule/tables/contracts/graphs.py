"""Tables of the zoo and of the kernels that its networks are made of."""

from edgejoule.tables import vocabulary as words
from edgejoule.tables.contracts.columns import FAMILY, LICENCE, NETWORK, PRECISION, RUNTIME
from edgejoule.tables.schema import FLAG, REAL, TEXT, WHOLE, Column, Table

KERNELS = Table(
    "graph-kernels",
    "The kernels that each network is made of, as its runtime executes them, in order of execution.",
    (
        NETWORK,
        PRECISION,
        RUNTIME,
        Column("index", WHOLE, "position in the order of execution", minimum=0),
        Column("kind", TEXT, "kernel kind (conv+bn+relu, dwconv+bn+relu, fc, ...), or other:<operator>"),
        Column("kernel", TEXT, "identifier of the unique kernel configuration"),
        Column("name", TEXT, "the node's name in the graph"),
        Column("operator", TEXT, "operator of the node that the kernel is built around"),
        Column("tail", TEXT, "elementwise operators fused behind it, joined by +; empty for none"),
        Column("input_height", WHOLE, "height of the input map, 1 where there is none", minimum=0),
        Column("input_width", WHOLE, "width of the input map, 1 where there is none", minimum=0),
        Column("output_height", WHOLE, "height of the output map", minimum=0),
        Column("output_width", WHOLE, "width of the output map", minimum=0),
        Column("input_channels", WHOLE, "channels in", minimum=0),
        Column("output_channels", WHOLE, "channels out", minimum=0),
        Column("kernel_height", WHOLE, "filter or pooling window, 0 where there is none", minimum=0),
        Column("kernel_width", WHOLE, "filter or pooling window, 0 where there is none", minimum=0),
        Column("stride", WHOLE, "stride, 1 where there is none", minimum=1),
        Column("dilation", WHOLE, "dilation, 1 where there is none", minimum=1),
        Column("groups", WHOLE, "convolution groups, 1 where there is none", minimum=1),
        Column("batch", WHOLE, "batch size", minimum=1),
        Column("inputs", WHOLE, "activation tensors read", minimum=0),
        Column("macs", WHOLE, "multiply-accumulate operations", minimum=0),
        Column("bytes_in", WHOLE, "activation bytes read", minimum=0, unit="byte"),
        Column("bytes_out", WHOLE, "activation bytes written", minimum=0, unit="byte"),
        Column("bytes_weights", WHOLE, "bytes of weights read", minimum=0, unit="byte"),
    ),
    key=("network", "precision", "runtime", "index"),
)

ZOO = Table(
    "zoo",
    "The networks: family, how each is built, its size, its published accuracy and where that figure is from.",
    (
        NETWORK,
        Column("architecture", TEXT, "the network without its precision"),
        FAMILY,
        PRECISION,
        Column("builder", TEXT, "who builds it: timm, torchvision or edgejoule"),
        Column("arguments", TEXT, "the builder's arguments, JSON"),
        Column("input", TEXT, "input shape without the batch, CxHxW"),
        Column("parameters", WHOLE, "parameters", minimum=0),
        Column("top1", REAL, "published ImageNet top-1 in percent; null = never published", nullable=True, unit="%"),
        Column("top1_source", TEXT, "where the accuracy is from", nullable=True),
        LICENCE,
        Column("licence_source", TEXT, "who states the licence, or that there is none", nullable=True),
    ),
    key=("network",),
)

CATALOGUE = Table(
    "catalogue",
    "The unique kernel configurations of the zoo: how often each occurs, and in which families.",
    (
        Column("kernel", TEXT, "identifier of the unique kernel configuration"),
        Column("kind", TEXT, "kernel kind"),
        PRECISION,
        RUNTIME,
        Column("occurrences", WHOLE, "how often it occurs in the zoo", minimum=1),
        Column("networks", WHOLE, "in how many networks", minimum=1),
        Column("families", TEXT, "in which families, joined by a comma"),
        Column("configurations", WHOLE, "kernels of other operators or bytes that bear this name, with it", minimum=1),
        Column("macs", WHOLE, "multiply-accumulate operations", minimum=0),
    ),
    key=("kernel", "runtime"),
)

PLAN = Table(
    "kernel-plan",
    "The kernels to measure on a device: from the zoo, and from a synthetic sample that knows nothing of it.",
    (
        Column("order", WHOLE, "order of measurement; sources and kinds are interleaved", minimum=0),
        Column("source", TEXT, "where the configuration is from", choices=words.KERNEL_SOURCES),
        RUNTIME,
        Column("kernel", TEXT, "identifier of the unique kernel configuration"),
        Column("kind", TEXT, "kernel kind"),
        PRECISION,
        Column("macs", WHOLE, "multiply-accumulate operations", minimum=0),
    ),
    key=("kernel",),
)

COVERAGE = Table(
    "coverage",
    "How much of each network is made of kernels of a known kind, and whether its description adds up.",
    (
        NETWORK,
        PRECISION,
        RUNTIME,
        Column("told_by", TEXT, "who said what the kernels are", choices=("runtime", "rules")),
        Column("nodes", WHOLE, "nodes of the graph before fusion", minimum=0),
        Column("views", WHOLE, "nodes that only change a shape and cost nothing on this runtime", minimum=0),
        Column("kernels", WHOLE, "kernels", minimum=0),
        Column("other_kernels", WHOLE, "kernels of kind other:<operator>", minimum=0),
        Column("known_kernels_percent", REAL, "kernels of a known kind"),
        Column("known_macs_percent", REAL, "multiply-accumulates in kernels of a known kind"),
        Column("known_bytes_percent", REAL, "bytes in kernels of a known kind", unit="%"),
        Column("macs", WHOLE, "multiply-accumulates of the kernels", minimum=0),
        Column("parameters", WHOLE, "parameters in the graph", minimum=0),
        Column("zoo_parameters", WHOLE, "parameters that the zoo states", minimum=0),
        Column(
            "rules_disagree", WHOLE, "kernels that only the rules or only the runtime has; null = not compared", True
        ),
    ),
    key=("network", "precision", "runtime"),
)

FUSION_CHECK = Table(
    "fusion-check",
    "Kernels that a runtime tells against kernels of its fusion rules: each network's, kind by kind.",
    (
        NETWORK,
        PRECISION,
        RUNTIME,
        Column("kind", TEXT, "kernel kind"),
        Column("told", WHOLE, "kernels that the runtime tells", minimum=0),
        Column("ruled", WHOLE, "kernels that its rules have", minimum=0),
        Column("agreed", WHOLE, "kernels that both have: same kind, tail, multiply-accumulates and bytes", minimum=0),
    ),
    key=("network", "precision", "runtime", "kind"),
)

FUSION_KINDS = Table(
    "fusion-kinds",
    "Kernels that a runtime tells against kernels of its fusion rules, over the whole zoo, kind by kind.",
    (
        RUNTIME,
        Column("kind", TEXT, "kernel kind"),
        Column("networks", WHOLE, "networks with such kernels on either side", minimum=1),
        Column("told", WHOLE, "kernels that the runtime tells", minimum=0),
        Column("ruled", WHOLE, "kernels that its rules have", minimum=0),
        Column("agreed", WHOLE, "kernels that both have: same kind, tail, multiply-accumulates and bytes", minimum=0),
        Column("only_runtime", WHOLE, "kernels that the rules do not have in this form", minimum=0),
        Column("only_rules", WHOLE, "kernels that the runtime does not have in this form", minimum=0),
    ),
    key=("runtime", "kind"),
)

CONVERSIONS = Table(
    "conversions",
    "Each network with weights as ONNX Runtime runs it, in each precision: how far its output is from the reference.",
    (
        NETWORK,
        FAMILY,
        PRECISION,
        Column("compared_with", TEXT, "whose output is the reference", choices=("pytorch", "fp32")),
        Column("state", TEXT, "whether there is a file and it runs", choices=("runs", "refused")),
        Column(
            "difference_percent",
            REAL,
            "largest difference from the reference over its largest output, on a random input; null = refused",
            nullable=True,
            minimum=0,
            unit="%",
        ),
        Column("file_bytes", WHOLE, "size of the file; null = refused", nullable=True, minimum=0),
        Column("reason", TEXT, "why there is no file that runs; null = there is one", nullable=True),
    ),
    key=("network", "precision"),
)

COUNTS = Table(
    "counts",
    "Multiply-accumulates and parameters of every described network against PyTorch's own counter.",
    (
        NETWORK,
        PRECISION,
        RUNTIME,
        Column("told_by", TEXT, "who said what the kernels are", choices=("runtime", "rules")),
        Column("macs", WHOLE, "multiply-accumulates of the kernels", minimum=0),
        Column("counted_macs", WHOLE, "multiply-accumulates that torch.utils.flop_counter counts", minimum=0),
        Column("macs_off_percent", REAL, "by how much the kernels' are more", unit="%"),
        Column("parameters", WHOLE, "parameters in the graph", minimum=0),
        Column("counted_parameters", WHOLE, "parameters of the PyTorch module", minimum=0),
        Column("zoo_parameters", WHOLE, "parameters that the zoo states", minimum=0),
        Column("agrees", FLAG, "multiply-accumulates within 0.5 %, parameters equal"),
        Column("reason", TEXT, "why it is expected not to; null = it agrees, or nobody knows", nullable=True),
    ),
    key=("network", "precision", "runtime"),
)
