"""Layer 5, the only place that imports dagster: when the steps run, in which order, and what is seen of it.

One file a concept: ``assets``, ``checks``, ``jobs``, ``schedules``, ``sensors``, ``resources``. Each is thin:
what a step does, and what is right or wrong with its output, belongs to ``pipeline.steps``.
"""
