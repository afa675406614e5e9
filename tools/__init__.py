"""Tools of this repository; no part of the product, and not in its wheel."""
