"""Live measurement: runtimes, meters, the recorder.

``plan`` says what is measured, ``recorder`` works it off into ``parts``, ``collect`` makes the canonical recording of
them, ``noise`` judges it and ``freeze`` ships it. What runs on the device (``plan``, ``parts``, ``recorder``,
``protocol``, ``environment``, ``runtimes``, ``meters``) needs NumPy, the runtime and the meter's package, nothing else.
"""
