"""Speed and statistical behaviour, measured: ratios within one run, medians of interleaved repeats."""
