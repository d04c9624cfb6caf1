"""ftctl: fine-tuning jobs as code, reviewed, reproducible and paid for exactly once."""

__version__ = "0.1.0"
