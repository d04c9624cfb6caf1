"""Conversion, samples and splits: rows of any known shape in, the rows to train on out.

Names load on first use: a project without steps pays for nothing of this.
"""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # type checkers take the name as true; `typing` itself costs 8 ms
if TYPE_CHECKING:
    from ftctl.data.convert.conversion_codes import CODES
    from ftctl.data.convert.convert_files import (
        StepOutcome,
        Written,
        convert_file,
        sample_file,
        split_file,
    )
    from ftctl.data.convert.derived import Materialised, materialise
    from ftctl.data.convert.manner import Manner
    from ftctl.data.convert.recipe import (
        CONTAINERS,
        FORMS,
        PARTS,
        SHAPES,
        Convert,
        Form,
        Part,
        Recipe,
        Sample,
        Split,
        recipe_of,
    )

__all__ = [
    "CODES",
    "CONTAINERS",
    "FORMS",
    "PARTS",
    "SHAPES",
    "Convert",
    "Form",
    "Manner",
    "Materialised",
    "Part",
    "Recipe",
    "Sample",
    "Split",
    "StepOutcome",
    "Written",
    "convert_file",
    "materialise",
    "recipe_of",
    "sample_file",
    "split_file",
]

_HOMES = {
    "CODES": "conversion_codes",
    "Materialised": "derived",
    "materialise": "derived",
    "StepOutcome": "convert_files",
    "Written": "convert_files",
    "convert_file": "convert_files",
    "sample_file": "convert_files",
    "split_file": "convert_files",
    "Manner": "manner",
    "CONTAINERS": "recipe",
    "FORMS": "recipe",
    "PARTS": "recipe",
    "SHAPES": "recipe",
    "Convert": "recipe",
    "Form": "recipe",
    "Part": "recipe",
    "Recipe": "recipe",
    "Sample": "recipe",
    "Split": "recipe",
    "recipe_of": "recipe",
}

__getattr__ = lazily(__name__, _HOMES)
