"""From raw survey waves to a published data package: validated, weighted, estimated, reproducible."""
