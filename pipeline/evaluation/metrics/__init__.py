"""The former place of `pipeline.metrics`."""
