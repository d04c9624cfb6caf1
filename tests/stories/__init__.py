"""Stories of pipelines: asserted, and told."""
