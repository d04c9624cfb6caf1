"""What a manifest hides from those who review it: refused with the character, its place and a cure.

And what honest people write in any language, which is not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import FINETUNE, chat_rows, small_project

from ftctl.errors import Diagnostic
from ftctl.manifest import parse_documents
from ftctl.project.link import link
from ftctl.project.load import load_project
from ftctl.project.locate import locate
from ftctl.text.invisible import name_of

TONE = "finetunes/tone.yaml"


def problems_of(folder: Path, files: dict[str, str | bytes]) -> tuple[Diagnostic, ...]:
    """Every problem of a project, without those of its rows."""
    for name, content in {**small_project(), **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        (folder / name).write_bytes(raw)
    project, problems = load_project(folder)
    if project is None:
        return problems
    symbols = link(project)
    return (*problems, *symbols.problems, *locate(symbols, folder / ".ftctl" / "cache").problems)


def told(problem: Diagnostic) -> str:
    return f"{problem.span} {problem.code}: {problem.message}"


# One character in a description, and nothing else wrong.

UNSEEN = {
    "an override to the left": "\u202e",
    "an override to the right": "\u202d",
    "an embedding to the left": "\u202b",
    "an embedding to the right": "\u202a",
    "the end of an embedding": "\u202c",
    "an isolate to the left": "\u2067",
    "an isolate to the right": "\u2066",
    "an isolate of the first strong": "\u2068",
    "the end of an isolate": "\u2069",
    "a mark to the left": "\u200f",
    "a mark to the right": "\u200e",
    "an Arabic mark": "\u061c",
    "a space without width": "\u200b",
    "a joiner": "\u200d",
    "a non-joiner": "\u200c",
    "a word joiner": "\u2060",
    "an invisible plus": "\u2064",
    "a symmetric swapping": "\u206a",
    "a soft hyphen": "\xad",
    "a grapheme joiner": "\u034f",
    "a second byte order mark": "\ufeff",
    "a filler of Hangul": "\u3164",
    "half a filler of Hangul": "\uffa0",
    "a filler of old Hangul": "\u115f",
    "braille without dots": "\u2800",
    "a vowel of Khmer": "\u17b4",
    "a selector of Mongolian": "\u180b",
    "a vowel separator of Mongolian": "\u180e",
    "a variation selector": "\ufe00",
    "an emoji selector after a letter": "\ufe0f",
    "a selector of the supplement": "\U000e0101",
    "a tag": "\U000e0041",
    "a language tag": "\U000e0001",
    "the end of tags": "\U000e007f",
    "an annotation": "\ufff9",
    "what stands for an object": "\ufffc",
    "a musical control": "\U0001d173",
    "a shorthand control": "\U0001bca0",
    "a hieroglyph's control": "\U00013430",
    "an ignorable that is not given out": "\ufff0",
}
CONTROLS = {
    "NUL": "\0",
    "backspace": "\b",
    "an escape": "\x1b",
    "a delete": "\x7f",
    "an 8-bit control sequence": "\x9b",
    "a next line": "\x85",
    "a vertical tab": "\x0b",
    "a form feed": "\x0c",
    "a line separator": "\u2028",
    "a paragraph separator": "\u2029",
    "no character": "\uffff",
}


@pytest.mark.parametrize("name", [*UNSEEN, *CONTROLS])
def test_a_character_that_nobody_sees_is_told_with_its_name_and_place(
    name: str, tmp_path: Path
) -> None:
    character = {**UNSEEN, **CONTROLS}[name]
    text = FINETUNE + f"description: ki{character}nd\n"

    (problem,) = problems_of(tmp_path, {TONE: text})

    code = "control-character" if name in CONTROLS else "invisible-character"
    assert (str(problem.span), problem.code) == (f"{TONE}:6:16", code)
    assert problem.message.startswith(f"{name_of(character)} ")
    assert problem.hint is not None
    assert problem.hint.startswith(
        f"remove it: perl -CSD -pi -e 's/[\\x{{{ord(character):X}}}]//g'"
    )


# The same wherever YAML lets one write, as it is and as an escape.

PLACES = {
    "in a key": "me?tadata: {}\n",
    "before a key": "?description: a\n",
    "after a key": "description?: a\n",
    "before a value": "description: ?a\n",
    "after a value": "description: a?\n",
    "in single quotes": "description: 'a?'\n",
    "in double quotes": 'description: "a?"\n',
    "in a block of text": "description: |\n  one\n  t?wo\n",
    "in a folded text": "description: >-\n  one\n  t?wo\n",
    "in a line's comment": "# a ? b\n",
    "in a comment at a line's end": "seed: 1 # a?b\n",
    "in a comment at the end of the file": "#?",
    "in an anchor": "description: &a?b a\n",
    "in an alias": "description: *a?b\n",
    "in a tag": "description: !a?b a\n",
    "in a list": "integrations: {wandb: {project: a, tags: [a, b?]}}\n",
    "in a key of metadata": "metadata: {own?er: a}\n",
    "in a value of metadata": "metadata: {owner: a?b}\n",
    "in an explicit key": "? own?er\n: a\n",
    "in the indentation": "metadata:\n ? a: b\n",
    "after the document's start": "--- ?\nkind: Dataset\n",
    "after the document's end": "... ?\n",
    "on an empty line": "\n?\n",
    "in a directive": "...\n%YAML 1.2?\n---\nkind: Dataset\n",
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("character", ["\u202e", "\u200b"], ids=["override", "no-width"])
def test_a_character_that_nobody_sees_is_found_wherever_it_stands(
    place: str, character: str, tmp_path: Path
) -> None:
    more = PLACES[place][::-1].replace("?", character, 1)[::-1]  # the last one
    text = FINETUNE + more

    problems = problems_of(tmp_path, {TONE: text})

    lines = text[: text.index(character)].split("\n")
    at = f"{TONE}:{len(lines)}:{len(lines[-1]) + 1}"
    assert [told(one).split(": ")[0] for one in problems] == [f"{at} invisible-character"]
    assert problems[0].message.startswith(name_of(character))


ESCAPES = {
    "four digits": ("\\u202e", "\u202e"),
    "four digits in capitals": ("\\u202E", "\u202e"),
    "eight digits": ("\\U0000202e", "\u202e"),
    "a tag": ("\\U000E0041", "\U000e0041"),
    "two digits": ("\\xad", "\xad"),
    "a next line": ("\\N", "\x85"),
    "a line separator": ("\\L", "\u2028"),
    "a paragraph separator": ("\\P", "\u2029"),
    "a bell": ("\\a", "\a"),
    "an escape": ("\\e", "\x1b"),
    "a NUL": ("\\0", "\0"),
    "a NUL in digits": ("\\x00", "\0"),
    "a joiner": ("\\u200d", "\u200d"),
    "a byte order mark": ("\\ufeff", "\ufeff"),
    "a filler": ("\\u3164", "\u3164"),
}


@pytest.mark.parametrize("name", ESCAPES)
@pytest.mark.parametrize("where", ["value", "key"])
def test_an_escape_brings_in_no_character_that_nobody_sees(
    name: str, where: str, tmp_path: Path
) -> None:
    escape, character = ESCAPES[name]
    line = f'description: "a \\\\ é {escape}b"\n'
    line = line if where == "value" else f'metadata: {{"own\\\\é{escape}er": a}}\n'

    problems = problems_of(tmp_path, {TONE: FINETUNE + line})

    at = f"{TONE}:6:{line.index(escape) + 1}"
    code = "control-character" if ord(character) < 0x20 or character in "\x85\u2028\u2029" else ""
    assert [f"{one.span} {one.code}" for one in problems] == [
        f"{at} {code or 'invisible-character'}"
    ]
    assert problems[0].message.startswith(f"an escape stands for {name_of(character)}, which ")
    assert problems[0].hint == "take the escape out"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ('{"description": "a\\u202eb"}', "1:19"),
        ('{"description": "a\u202eb"}', "1:19"),
        ('{"metadata": {"own\\u200ber": "a"}}', "1:19"),
        ('{\n "description": "a \\ud83d\\ude00 \\udb40\\udc41"\n}', "2:31"),
    ],
    ids=["escaped value", "raw value", "escaped key", "escaped pair"],
)
def test_a_manifest_in_json_hides_nothing(text: str, at: str) -> None:
    _, problems = parse_documents(text.encode(), "a.json", json=True)

    assert [(str(one.span), one.code) for one in problems] == [
        (f"a.json:{at}", "invisible-character")
    ]


def test_a_name_that_reads_backwards_is_told_once_for_each_run(tmp_path: Path) -> None:
    hidden = "".join(chr(0xE0000 + ord(c)) for c in "drop all")
    text = FINETUNE + f"description: good{hidden} and \u202edoog\u202c\n"

    problems = problems_of(tmp_path, {TONE: text})

    tag = "U+E0064 TAG LATIN SMALL LETTER D (and 7 characters like it)"
    turned = "has text shown in another order than it is read in"
    assert [told(one).removeprefix(f"{TONE}:6:") for one in problems] == [
        f"18 invisible-character: {tag} is not seen where this is read",
        f"31 invisible-character: U+202E RIGHT-TO-LEFT OVERRIDE {turned}",
        f"36 invisible-character: U+202C POP DIRECTIONAL FORMATTING {turned}",
    ]
    assert problems[0].hint == "remove them"


@pytest.mark.parametrize(
    ("shown", "hidden", "cure"),
    [
        ("a b.yaml", "\u200b", "remove it: perl -CSD -pi -e 's/[\\x{200B}]//g' 'a b.yaml'"),
        ("a.yaml", "\u200b\u200b", "remove them: perl -CSD -pi -e 's/[\\x{200B}]//g' a.yaml"),
        (
            "a.yaml", "\u200b\u200c\u200d\u2060",
            "remove them: perl -CSD -pi -e 's/[\\x{200B}\\x{200C}\\x{200D}\\x{2060}]//g' a.yaml",
        ),
        ("a.yaml", "\u200b\u200c\u200d\u2060\xad", "remove them"),
        ("main:ftctl.yaml", "\u200b", "remove it"),
    ],
)  # fmt: skip
def test_the_cure_can_be_pasted(shown: str, hidden: str, cure: str) -> None:
    _, (problem,) = parse_documents(f"a: b{hidden}\n".encode(), shown)

    assert problem.hint == cure


def test_a_file_full_of_them_is_told_in_part(tmp_path: Path) -> None:
    assert len(problems_of(tmp_path, {TONE: FINETUNE + "#" + "\u202ea" * 100_000})) == 20


# What is no text of ours at all.

FORMS = {
    "a lone return in a comment": (FINETUNE + "# kind\rbase_model: gpt-5\n", "6:7", "U+000D"),
    "a lone return in a value": (FINETUNE + "description: a\rseed: 5\n", "6:15", "U+000D"),
    "a lone return before a line end": (FINETUNE + "seed: 1\r\r\n", "6:8", "U+000D"),
    "a lone return at the end": (FINETUNE + "seed: 1\r", "6:8", "U+000D"),
    "returns alone": (FINETUNE.replace("\n", "\r"), "1:21", "U+000D"),
    "UTF-16 of this machine": (FINETUNE.encode("utf-16"), "1:1", "UTF-16"),
    "UTF-16 in the other order": (b"\xfe\xff" + FINETUNE.encode("utf-16-be"), "1:1", "UTF-16"),
    "UTF-16 without a mark": (FINETUNE.encode("utf-16-le"), "1:1", "UTF-16"),
    "UTF-16 in the other order, without a mark": (FINETUNE.encode("utf-16-be"), "1:1", "UTF-16"),
    "UTF-32": (FINETUNE.encode("utf-32"), "1:1", "UTF-16"),
    "UTF-16 after a line of UTF-8": (
        FINETUNE.encode() + "a: b".encode("utf-16-le"), "6:2", "U+0000",
    ),
    "an overlong colon": (FINETUNE.encode() + b"seed\xc0\xba 1\n", "6:5", "byte 0xc0"),
    "an overlong slash in three bytes": (FINETUNE.encode() + b"#\xe0\x80\xaf\n", "6:2", "0xe0"),
    "a surrogate": (FINETUNE.encode() + b"#\xed\xa0\x80\n", "6:2", "byte 0xed"),
    "more than Unicode": (FINETUNE.encode() + b"#\xf4\x90\x80\x80\n", "6:2", "byte 0xf4"),
    "Latin-1 after UTF-8": (FINETUNE.encode() + "# é ".encode() + b"\xe9\n", "6:5", "byte 0xe9"),
    "UTF-7": (FINETUNE.replace("tone", "+AHQ-one"), "3:7", "'name' is '+AHQ-one'"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_file_that_others_read_differently_is_refused(name: str, tmp_path: Path) -> None:
    content, at, words = FORMS[name]

    problem, *others = problems_of(tmp_path, {TONE: content})

    assert str(problem.span) == f"{TONE}:{at}"
    assert words in problem.message
    assert {one.code for one in others} <= {problem.code}


STRUCTURES = {
    "a merge key in quotes": ('"<<": {seed: 5}\n', "unknown-key"),
    "a merge key by an escape": ('"\\x3c<": {seed: 5}\n', "unknown-key"),
    "a merge key that is tagged": ("!!merge <<: {seed: 5}\n", "yaml-tag"),
    "a tag for a number": ('seed: !!int "5"\n', "yaml-tag"),
    "a tag for bytes": ("description: !!binary aGk=\n", "yaml-tag"),
    "a tag of Python": ("description: !!python/name:os.system\n", "yaml-tag"),
    "a tag by another handle": ("...\n%TAG !e! tag:e.example,2000:\n---\na: !e!x b\n", "yaml-tag"),
    "another meaning of !!": ("...\n%TAG !! tag:e.example,2000:\n---\na: !!str b\n", "yaml-tag"),
    "a version that is none": ("...\n%YAML 3.0\n---\na: b\n", "yaml-syntax"),
    "a key that stands twice": ("seed: 1\nseed: 5\n", "repeated-key"),
    "a key that stands twice, once in quotes": ('seed: 1\n"seed": 5\n', "repeated-key"),
    "a key that stands twice, once as an escape": ('seed: 1\n"se\\x65d": 5\n', "repeated-key"),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_what_yaml_lets_one_hide_is_refused(name: str, tmp_path: Path) -> None:
    lines, code = STRUCTURES[name]

    problems = problems_of(tmp_path, {TONE: FINETUNE + lines})

    assert code in {one.code for one in problems}
    assert all(one.span.line is not None and one.span.line > 5 for one in problems)


# Letters that pass for others.

KEYS = {
    "a key of ours with a Cyrillic letter": ("s\u0435ed: 5", "seed", "U+0435"),
    "a key of ours in Cyrillic and Armenian": (
        "\u0455\u0435\u0435\u0501: 5", "seed", "U+0455",
    ),
    "a key of ours with a Greek letter": ("kee\u03c1: 5", "keep", "U+03C1"),
    "a key of ours in wide letters": (
        "\uff53\uff45\uff45\uff44: 5", "seed", "U+FF53",
    ),
    "a key of ours in mathematical letters": (
        "\U0001d42c\U0001d41e\U0001d41e\U0001d41d: 5", "seed", "U+1D42C",
    ),
    "a key of ours with a ligature": ("su\ufb03x: a", "suffix", "U+FB03"),
    "a key of ours with a Cherokee letter": ("\u13dekind: 5", "Lkind", "U+13DE"),
    "a key by an escape": ('"s\\u0435ed": 5', "seed", "U+0435"),
    "a key of metadata": ("metadata: {own\u0435r: a}", "owner", "U+0435"),
    "one word of a key of metadata": ("metadata: {cost_\u0441enter: a}", "cost_center", "U+0441"),
    "a key all in Cyrillic": ("extra: {\u0441\u043e\u0440\u0443: a}", "copy", "U+0441"),
    "a key of extra": ("extra: {trainingTyp\u0435: a}", "trainingType", "U+0435"),
    "a key far down in extra": ("extra: {a: [{b: {\u0441ost: 1}}]}", "cost", "U+0441"),
    "a hyperparameter": ("hyperparameters: {n_ep\u043echs: 3}", "n_epochs", "U+043E"),
    "a key with a hyphen that is none": ("metadata: {\u0430\u2010b\u0430r: a}", "a-bar", "U+0430"),
}  # fmt: skip


@pytest.mark.parametrize("name", KEYS)
def test_a_key_with_a_letter_that_passes_for_another_is_refused(name: str, tmp_path: Path) -> None:
    line, plain, number = KEYS[name]

    problems = problems_of(tmp_path, {TONE: FINETUNE + f"{line}\n"})

    first = problems[0]
    assert (first.span.line, first.code, first.hint) == (
        6,
        "look-alike",
        f"write '{plain}' in ASCII",
    )
    assert f"holds {number} " in first.message
    assert {one.code for one in problems} <= {"look-alike", "other-spelling"}


TWINS = {
    "one with a Cyrillic word": ("metadata: {a b: x, \u0430 b: y}", "'a b'"),
    "a letter and its parts": ("metadata: {caf\xe9: x, cafe\u0301: y}", "'caf\xe9'"),
    "a space that does not break": ("metadata: {a b: x, a\xa0b: y}", "'a b'"),
    "a wide space": ("metadata: {a b: x, a\u3000b: y}", "'a b'"),
    "a dash": ("metadata: {2-1: x, 2\u20101: y}", "'2-1'"),
    "a dotless i": ("metadata: {mail: x, ma\u0131l: y}", "'mail'"),
    "an l and a Cyrillic I": ("extra: {2_l: x, 2_\u0406: y}", "'2_l'"),
    "a joiner that Persian needs": (
        "metadata: {\u0645\u06cc\u200c\u062e: x, \u0645\u06cc\u062e: y}",
        "'\u0645\u06cc\u200c\u062e'",
    ),
    "a variant of an ideograph": (
        "metadata: {\u845b\U000e0100: x, \u845b: y}",
        "'\u845b\U000e0100'",
    ),
    "an emoji and its text": ("metadata: {\u2764: x, \u2764\ufe0f: y}", "'\u2764'"),
    "a space of Khmer": (
        "metadata: {\u1780\u200b\u1781: x, \u1780\u1781: y}",
        "'\u1780\u200b\u1781'",
    ),
    "a space before it that does not break": (
        'metadata: {"\xa0owner": x, owner: y}',
        "'\\xa0owner'",
    ),
    "a key of ours and a space": ('suffix: a\n"suffix\xa0": b', "'suffix'"),
    "a merged key": ("extra: {a: &a {x y: 1}, b: {<<: *a, \u0445 \u0443: 2}}", "'\u0445 \u0443'"),
}


@pytest.mark.parametrize("name", TWINS)
def test_two_keys_that_look_the_same_are_refused(name: str, tmp_path: Path) -> None:
    line, other = TWINS[name]

    problems = problems_of(tmp_path, {TONE: FINETUNE + f"{line}\n"})

    assert [one.code for one in problems] == ["look-alike"]
    assert f" looks like {other}" in problems[0].message


VALUES = {
    "base_model": (FINETUNE.replace("mini", "m\u0456ni"), "4:13", "gpt-4.1-mini-2025-04-14"),
    "base_model in wide letters": (
        FINETUNE.replace("gpt", "\uff47\uff50\uff54"), "4:13", "gpt-4.1-mini-2025-04-14",
    ),
    "base_model with a dash": (
        FINETUNE.replace("gpt-", "gpt\u2011"), "4:13", "gpt-4.1-mini-2025-04-14",
    ),
    "base_model with an emoji": (FINETUNE.replace("mini", "\U0001f600"), "4:13", None),
    "name": (FINETUNE.replace("tone", "t\u043ene"), "3:7", "tone"),
    "suffix": (FINETUNE + "suffix: t\u043ene\n", "6:9", "tone"),
    "adopt": (FINETUNE + "adopt: ftj\u043eb-1\n", "6:8", "ftjob-1"),
    "entity": (
        FINETUNE + "integrations: {wandb: {project: a, entity: \u0430cme}}\n", "6:44", "acme",
    ),
    "parent": (
        FINETUNE.replace("gpt-4.1-mini-2025-04-14", "{finetune: t\u043ene}"), "4:24", "tone",
    ),
    "sha256": (
        FINETUNE.replace("jsonl}", "jsonl, sha256: " + "\u0430" * 64 + "}"), "5:49", None,
    ),
    "method": (FINETUNE + "method: dp\u043e\n", "6:9", "dpo"),
    "kind": (FINETUNE.replace("FineTune", "FineTun\u0435"), "2:7", "FineTune"),
    "apiVersion": (FINETUNE.replace("ftctl/", "ft\u0441tl/"), "1:13", "ftctl/v1"),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_a_value_for_machines_is_ascii(name: str, tmp_path: Path) -> None:
    text, at, meant = VALUES[name]

    (problem,) = problems_of(tmp_path, {TONE: text})

    assert str(problem.span) == f"{TONE}:{at}"
    assert "expected " in problem.message
    assert (problem.hint or "").startswith("it holds U+")
    assert meant is None or (problem.hint or "").endswith(f"did you mean '{meant}'?")


SETTINGS = {
    "project": ("project: d\u0435mo\n", "1:10 wrong-value"),
    "base_url": (
        "provider: {type: openai, base_url: https://api.\u043epenai.com/v1}\n", "2:36 wrong-value",
    ),
    "organization": ("provider: {type: openai, organization: org-\u0430}\n", "2:40 wrong-value"),
    "the service's project": (
        "provider: {type: openai, project: proj_\u0430}\n", "2:35 wrong-value",
    ),
    "expect": ("provider: {type: openai, expect: {project: proj_\u0430}}\n", "2:44 wrong-value"),
    "api_key_env": ("provider: {type: openai, api_key_env: \u041ePENAI_KEY}\n", "2:39 wrong-value"),
    "a variable": ("provider: {type: openai, variables: [H\u0410_TOKEN]}\n", "2:38 wrong-value"),
    "an environment": ("environments: {pr\u043ed: {prune: true}}\n", "2:16 look-alike"),
    "an allowed model": ("policy: {base_models: ['gpt-\u0430*']}\n", "2:24 wrong-value"),
    "a model of the catalog": (
        "catalog: {openai: {gpt-\u0430: {usd_per_hour: 1}}}\n", "2:20 bad-key",
    ),
    "a key of the policy": ("policy: {max_\u0441ost_per_job: 1}\n", "2:10 look-alike"),
    "a comment": ("# prune:\u2066 false\u2069\n", "2:9 invisible-character"),
    "a comment that turns around": ("# \u202egnihton\n", "2:3 invisible-character"),
    "an escape": ('sources: {addresses: ["s3://a\\u200b/"]}\n', "2:30 invisible-character"),
    "a lone return": ("# safe\rprune: true\n", "2:7 control-character"),
    "the manifests' folder": ('manifests: "fine\u3164tunes"\n', "2:17 invisible-character"),
}  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_hide_nothing_either(name: str, tmp_path: Path) -> None:
    lines, at = SETTINGS[name]
    text = lines if lines.startswith("project") else f"project: demo\n{lines}"

    problems = problems_of(tmp_path, {"ftctl.yaml": text})

    assert f"ftctl.yaml:{at}" in {f"{one.span} {one.code}" for one in problems}


# Names of files and folders.


@pytest.mark.parametrize(
    "name",
    [
        "finetunes/to\u202elmay.yaml", "finetunes/tone\u200b.yaml", "finetunes/\u3164.yaml",
        "finetunes/to\u2066ne/a.yaml", "finetunes/tone\ufe0f.json", "finetunes/a\U000e0061.yml",
        "finetunes/a\xad.yaml", "finetunes/a\u2028.yaml", "finetunes/a\u200d\U0001f468.yaml",
    ],
    ids=ascii,
)  # fmt: skip
def test_a_manifests_path_hides_nothing(name: str, tmp_path: Path) -> None:
    text = FINETUNE.replace("tone", "other").replace(
        "../", "../../" if name.count("/") > 1 else "../"
    )

    (problem,) = problems_of(tmp_path, {name: text})

    assert problem.code == "unprintable-path"
    hidden = next(c for c in name if not c.isascii() and c != "\U0001f468")
    assert problem.message.endswith(f"holds {name_of(hidden)}")
    assert hidden not in str(problem)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("../data/train\u202e.jsonl", "invisible-character"),
        ("../data/\u3164/train.jsonl", "invisible-character"),
        ("https://ex\u0430mple.com/rows.jsonl", "bad-address"),
        ("https://example\u3002com/rows.jsonl", "bad-address"),
        ("https://\uff45xample.com/rows.jsonl", "bad-address"),
        ("s3://\u0430cme/rows.jsonl", "bad-address"),
        ("hf://d\u0430tasets/acme/rows/a.jsonl", "bad-address"),
    ],
    ids=ascii,
)
def test_a_source_hides_nothing(source: str, code: str, tmp_path: Path) -> None:
    text = FINETUNE.replace("../data/train.jsonl", json.dumps(source, ensure_ascii=False))

    (problem,) = problems_of(tmp_path, {TONE: text})

    assert problem.code == code
    assert "U+" in problem.message + (problem.hint or "")


# Honest people.


@dataclass(frozen=True)
class Honest:
    """Lines of a manifest, or files, of which nothing is to be said."""

    lines: str = ""
    files: tuple[str, ...] = ()


HONEST = {
    "Russian words of letters that look Latin": Honest("metadata: {\u0445\u0430\u043e\u0441: x}\n"),
    "a Serbian word of such letters": Honest(
        "metadata: {\u0458\u0435: x, \u0421\u0421\u0421\u0420: y}\n"
    ),
    "Korean": Honest(
        "description: 한국어 문장을 여섯 감정으로\n# 설명\nmetadata: {담당: 고객지원}\n"
    ),
    "Korean in parts": Honest("description: \u1112\u1161\u11ab\u1100\u116e\u11a8\n"),
    "Japanese": Honest("description: 日本語の文章\u3000です。\n# 葛\U000e0100城\n"),
    "Chinese": Honest("metadata: {负责人: 客服, 用途: 情感}\n"),
    "Arabic": Honest("description: مرحبا بكم في النموذج 4.1\nmetadata: {مالك: دعم}\n"),
    "Hebrew": Honest("# שלום עולם (גרסה 2)\ndescription: מודל gpt-4.1 לרגשות\n"),
    "Persian": Honest("description: می\u200cخواهم این مدل\u200cها را\n"),
    "Hindi": Honest("description: क्\u200dष और क्\u200cष\n"),
    "Bengali": Honest("metadata: {ক: র\u200d্যাব}\n"),
    "Sinhala": Honest("description: ශ්\u200dරී ලංකා\n"),
    "Khmer": Honest("description: ភាសា\u200bខ្មែរ\n"),
    "Thai": Honest("# ภาษา\u200bไทย\n"),
    "Mongolian": Honest("description: ᠮᠣᠩᠭ\u180bᠣᠯ\n"),
    "Russian": Honest("metadata: {владелец: поддержка, модель: новая}\n# комментарий\n"),
    "Greek": Honest("metadata: {ιδιοκτήτης: υποστήριξη}\ndescription: λ = 0.1, σ2\n"),
    "Turkish": Honest("metadata: {satıcı: İstanbul, ağırlık: yarım}\n"),
    "German": Honest("metadata: {größe: klein, straße: lang}\ndescription: „Grüße“ – 5\xa0%\n"),
    "French": Honest("description: 'Qui\u202f? « Moi\xa0»'\nmetadata: {créé: été}\n"),
    "Spanish": Honest("metadata: {nº: uno, año: dos}\n"),
    "Vietnamese": Honest("metadata: {người: tôi}\n"),
    "Polish and Czech": Honest("metadata: {źródło: a, příklad: b}\n"),
    "emoji": Honest(
        "description: 👩🏽\u200d💻 ships ❤️ 1\ufe0f\u20e3 🏳️\u200d🌈\n# 👨\u200d👩\u200d👧\n"
    ),
    "the flag of Scotland": Honest(
        "description: \U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f\n"
    ),
    "emoji as escapes": Honest('description: "\\U0001f468\\u200d\\U0001f469 \\u2764\\ufe0f"\n'),
    "signs": Honest("description: x² ≥ 3 → … № 5 ™ €\nmetadata: {β: a, Δt: b, kΩ: c, μs: d}\n"),
    "line ends and tabs as escapes": Honest('description: "a\\r\\n\\tb\\/ \\_c"\n'),
    "an accent's own keys": Honest("metadata: {resume: a, résumé: b}\n"),
    "keys alike in ASCII": Honest("metadata: {l1: a, ll: b, I1: c, O0: d, OO: e}\n"),
    "keys alike in ASCII beside others": Honest("metadata: {größe: x, l1: a, ll: b, I1: c}\n"),
    "a merge key": Honest("hyperparameters: {<<: {n_epochs: 3}, batch_size: auto}\n"),
    "names of files": Honest(
        "", ("finetunes/größe.yaml", "finetunes/日本.yaml", "finetunes/❤️.yaml")
    ),
    "a name in Persian": Honest("", ("finetunes/مدل\u200cها.yaml",)),
}


@pytest.mark.parametrize("name", HONEST)
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_honest_text_in_any_language_is_let_through(name: str, ends: str, tmp_path: Path) -> None:
    honest = HONEST[name]
    texts = {TONE: FINETUNE + honest.lines}
    for number, file in enumerate(honest.files):
        texts[file] = FINETUNE.replace("tone", f"tone-{number}")
    files = {file: text.replace("\n", ends).encode() for file, text in texts.items()}

    assert [told(one) for one in problems_of(tmp_path, {**files})] == []


@pytest.mark.parametrize("name", ["ftctl.yaml", TONE, "finetunes/tone.json"])
def test_a_byte_order_mark_at_the_start_is_let_through(name: str, tmp_path: Path) -> None:
    text = small_project().get(name) or json.dumps(
        {"apiVersion": "ftctl/v1", "kind": "Dataset", "name": "rows", "description": "é 👍",
         "source": "../data/train.jsonl"}
    )  # fmt: skip

    assert problems_of(tmp_path, {name: b"\xef\xbb\xbf" + text.encode()}) == ()


def test_rows_may_hold_what_they_like(tmp_path: Path) -> None:
    rows = chat_rows(12, "a\u202eb \u200b \U000e0041 \x1b")

    assert problems_of(tmp_path, {"data/train.jsonl": rows}) == ()
