"""Predictors of latency, power and energy."""

from edgejoule.predictors.answers import NetworkPrediction, Unpredicted
from edgejoule.predictors.device import KERNEL_MODELS, MODELS, WITH_INTERVALS, Costs, DevicePredictor
from edgejoule.predictors.features import Features, kernel_features, network_features
from edgejoule.predictors.serve import ServedPredictor, load_predictor
from edgejoule.predictors.training import kernels_for, own_kernels, training_set

__all__ = [
    "KERNEL_MODELS",
    "MODELS",
    "WITH_INTERVALS",
    "Costs",
    "DevicePredictor",
    "Features",
    "NetworkPrediction",
    "ServedPredictor",
    "Unpredicted",
    "kernel_features",
    "kernels_for",
    "load_predictor",
    "network_features",
    "own_kernels",
    "training_set",
]
