"""Building a network of the zoo as a torch module, with random weights."""

import zlib
from typing import TYPE_CHECKING

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.zoo import arguments_of

if TYPE_CHECKING:
    from torch import nn

#: Builders whose convolutions begin as PyTorch's do, which make their inputs smaller.
_FADING = ("edgejoule", "torchvision", "variant")
_HINT = "install the networks with: pip install 'edgejoule[zoo]'"


class RefusedError(EdgejouleError):
    """A network is not to be had in some form, whoever asks: a state of the network, not a mistake."""


def build(row, seed: int = 0, pretrained: bool = False) -> "nn.Module":
    """Build a network, in evaluation mode.

    Cost does not depend on the weights' values, so they are random unless ``pretrained``, which needs a network
    connection. They are drawn so that activations neither fade nor grow from layer to layer: none is a denormal number,
    and what a file computes can be compared.

    Args:
        row: a row of the zoo (named tuple or mapping-like with ``architecture``, ``builder`` and ``arguments``).
        seed: seed of the weights, combined with the architecture's name.
        pretrained: load the published weights instead.

    Raises:
        RefusedError: published weights are asked for, and there are none.
        EdgejouleError: the builder is not installed, does not know the network, or its weights cannot be fetched.
    """
    try:
        import torch
    except ImportError as error:
        raise EdgejouleError(f"zoo: '{row.architecture}' cannot be built without torch; {_HINT}") from error
    where = f"zoo: network '{row.architecture}'"
    arguments = arguments_of(row.arguments, where)
    torch.manual_seed(seed + zlib.crc32(row.architecture.encode()))
    try:
        network = _MAKERS[row.builder](arguments, pretrained).eval()
        if row.builder in _FADING and not pretrained:
            _keep_scale(network)
        return network
    except OSError as error:
        if not pretrained:
            raise
        raise EdgejouleError(
            f"{where}: its published weights cannot be fetched: {error}; check the network connection, or "
            "take random ones"
        ) from error
    except (TypeError, KeyError, ValueError, RuntimeError) as error:
        raise EdgejouleError(f"{where}: {row.builder} cannot build it from {row.arguments}: {error}") from error


def _keep_scale(network: "nn.Module") -> None:
    """Draw the weights of convolutions anew, so that outputs have the scale of inputs (He et al. 2015)."""
    from torch import nn

    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")


def without_data(row) -> "nn.Module":
    """Build a network whose parameters have shapes and no values (torch's meta device); see ``build``."""
    import torch

    try:
        with torch.device("meta"):
            return build(row)
    except EdgejouleError:
        # A few constructors compute with their tensors.
        return build(row).to("meta")


def _edgejoule(arguments: dict, pretrained: bool) -> "nn.Module":
    from edgejoule.graphs.mobile import mobile

    if pretrained:
        raise RefusedError("zoo: the MLPerf networks' published weights are TensorFlow's; take random ones")
    return mobile(**arguments)


def _reference(arguments: dict, pretrained: bool) -> "nn.Module":
    from edgejoule.graphs.references import reference

    if pretrained:
        raise RefusedError("zoo: the reference networks' weights are not to be had here; take random ones")
    return reference(**arguments)


def _variant(arguments: dict, pretrained: bool) -> "nn.Module":
    from edgejoule.graphs.variants import variant

    if pretrained:
        raise RefusedError("zoo: variants were never trained; take random weights")
    return variant(**arguments)


def _timm(arguments: dict, pretrained: bool) -> "nn.Module":
    from edgejoule.graphs.torchvision_import import import_torchvision

    import_torchvision()
    try:
        import timm
    except ImportError as error:
        raise EdgejouleError(f"zoo: timm is missing; {_HINT}") from error
    name, *_ = arguments["name"], None
    options = {key: value for key, value in arguments.items() if key != "name"}
    return timm.create_model(name, pretrained=pretrained, exportable=True, **options)


def _torchvision(arguments: dict, pretrained: bool) -> "nn.Module":
    from edgejoule.graphs.torchvision_import import import_torchvision

    models = import_torchvision().models
    options = {key: value for key, value in arguments.items() if key != "name"}
    if arguments["name"] in ("googlenet", "inception_v3") and not pretrained:
        # Their own initialisation draws from a truncated normal for minutes; the default one is as good for cost.
        options["init_weights"] = False
    return models.get_model(arguments["name"], weights="DEFAULT" if pretrained else None, **options)


_MAKERS = {
    "edgejoule": _edgejoule,
    "reference": _reference,
    "timm": _timm,
    "torchvision": _torchvision,
    "variant": _variant,
}
