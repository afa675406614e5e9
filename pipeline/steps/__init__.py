"""Every step of the pipeline as one function, files in and files out, without a scheduler.

Each step is a module of its name: what that module imports is what makes the step stale, which
``staleness`` works out. ``waves`` and ``products`` list them in order; ``wave_step`` and
``product_step`` are what they share; ``quality`` judges what they made.
How to harmonise, weight or estimate belongs to the packages below; when to run and retry to the layer above.
"""
