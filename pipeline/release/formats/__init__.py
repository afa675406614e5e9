"""The formats of a package besides CSV and Parquet: one module for each, with a function ``files``.

``files(contents)`` returns bytes by path in the package. A module holds only what its format needs: titles,
labels and people come from ``contents`` and ``labels``, cells from the published tables.
"""
