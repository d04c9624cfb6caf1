"""A grader, a row and a sample of a model in; a score, and how it came about, out.

| module | stage or noun |
|---|---|
| grader_schema | a grader's JSON -> nothing, or a 400 that names the field |
| templates | `{{item.x}}` and `{{sample.y}}` -> text |
| expression | `calculate_output` -> a number |
| grader_errors | why a score could not be had, in the API's flags |
| text_similarity | two texts -> how alike they are, by each metric |
| meteor, porter_stemmer | the metric that needs an alignment, and the word stems that it needs |
| python_grader, sandbox | a grader's Python source -> its score, in a process of its own |
| model_grader | a model's words -> a score or a label |
| model_client | a grader's models -> the function that asks them |
| scoring | a grader, an item and a sample -> the score, and how it came about |
"""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.emulator.graders.grader_errors import GraderError
    from ftctl.emulator.graders.model_client import find_ask
    from ftctl.emulator.graders.model_grader import Ask
    from ftctl.emulator.graders.scoring import (
        GraderTools,
        PythonGradersOff,
        check_allowed,
        grade,
        make_grade,
    )

__all__ = [
    "Ask",
    "GraderError",
    "GraderTools",
    "PythonGradersOff",
    "check_allowed",
    "find_ask",
    "grade",
    "make_grade",
]

_HOMES = {
    "Ask": "model_grader",
    "GraderError": "grader_errors",
    "GraderTools": "scoring",
    "PythonGradersOff": "scoring",
    "check_allowed": "scoring",
    "find_ask": "model_client",
    "grade": "scoring",
    "make_grade": "scoring",
}

__getattr__ = lazily(__name__, _HOMES)
