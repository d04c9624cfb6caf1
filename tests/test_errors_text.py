"""Problems as people read them."""

from __future__ import annotations

from ftctl.errors import Diagnostic, Span, problems_text


def test_a_cure_of_several_problems_of_a_kind_in_a_file_stands_once() -> None:
    def problem(path: str, line: int, code: str, hint: str | None) -> Diagnostic:
        return Diagnostic(code, "it is so", Span(path, line), hint)

    problems = [
        problem("a.jsonl", 1, "one", "mend it"),
        problem("a.jsonl", 2, "one", "mend it"),
        problem("a.jsonl", 3, "two", "mend it"),
        problem("a.jsonl", 4, "one", "mend that"),
        problem("a.jsonl", 5, "one", None),
        problem("b.jsonl", 1, "one", "mend it"),
    ]

    assert problems_text(problems).splitlines() == [
        "a.jsonl:1: error[one]: it is so",
        "    hint: mend it",
        "a.jsonl:2: error[one]: it is so",
        "a.jsonl:3: error[two]: it is so",
        "    hint: mend it",
        "a.jsonl:4: error[one]: it is so",
        "    hint: mend that",
        "a.jsonl:5: error[one]: it is so",
        "b.jsonl:1: error[one]: it is so",
        "    hint: mend it",
    ]
