"""The name of an extra in; its packages, and what to type where they are missing, out."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

# As pyproject.toml has them. ftctl's own name is in no index yet, so a cure names the packages.
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "fast": ("gigatoken>=0.10,<0.11",),
    "https": ("fsspec", "aiohttp"),
    "s3": ("fsspec", "s3fs"),
    "gs": ("fsspec", "gcsfs"),
    "az": ("fsspec", "adlfs"),
    "azure": ("azure-identity>=1.19",),
    "aws": ("aws-bedrock-token-generator>=1.1", "botocore>=1.34"),
    "hf": ("fsspec", "huggingface_hub"),
    "xlsx": ("openpyxl",),
    "parquet": ("pyarrow",),
}


def install_command(extra: str) -> str:
    """What brings the packages of an extra, to be pasted into a shell."""
    return shlex.join(("pip", "install", *PACKAGES[extra]))
