"""The same estimates from other tools: seconds, and whether they are the same numbers.

``run`` belongs to the product's environment; ``worker`` and ``survey.R`` run in the peers' own and know
nothing of the product.
"""
