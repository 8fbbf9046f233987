"""Live measurement: runtimes, meters, the recorder."""
