"""Dagster, imported only here: when the steps run, in which order, and what is shown of them.

One module per concept: ``assets``, ``checks``, ``jobs``, ``schedules``, ``sensors``, ``resources``. What a
step does, and whether its output is right, belongs to ``pipeline.steps``.
"""
