"""What a file is in that is not UTF-8, and what is said of one that is not what it is called."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from conftest import FINETUNE, ROOT, Shell, small_project
from jsonschema import Draft202012Validator
from tongues import KEPT_IN, as_chats, as_csv, as_jsonl

from ftctl.data.encodings.diagnosis import doubts_of, is_utf8, not_utf8
from ftctl.data.encodings.marks import encoding_shown
from ftctl.data.encodings.names import UnknownEncoding, keeps_ascii, text_encoding
from ftctl.data.encodings.readings import readings
from ftctl.data.encodings.transcoded import EncodingFault, transcoded
from ftctl.errors import Finding
from ftctl.manifest.schema import load_schema

KEPT = [(language, encoding) for language, kept in KEPT_IN.items() for encoding in kept]
# Some bytes of these say as good words in another: both are told, the right one first.
TWO_FIT = {("Spanish", "mac_roman"), ("Czech", "iso8859_2")}


def told(finding: Finding | None) -> str:
    return "" if finding is None else str(finding.in_file("rows.jsonl"))


@pytest.mark.parametrize(("language", "encoding"), KEPT)
@pytest.mark.parametrize("written", [as_csv, as_jsonl])
def test_twelve_rows_tell_what_they_are_in(
    language: str, encoding: str, written: Callable[[str], str]
) -> None:
    text = written(language)
    raw = text.encode(encoding)

    found = readings(raw)

    assert raw.decode(found[0].encoding) == text
    assert len(found) == 1 or (language, encoding) in TWO_FIT


def test_a_piece_of_the_first_line_is_shown_where_people_look() -> None:
    raw = as_jsonl("Korean").encode("cp949")

    assert told(not_utf8(io.BytesIO(raw), samples=True)) == (
        "rows.jsonl:1:44: error[not-utf-8]: the file is not UTF-8: 12 lines read as cp949 (Korean),"
        " such as '역사 책은 어디에 있나요?'\n"
        "    hint: write 'encoding: cp949' into its Dataset, or rows in UTF-8:"
        " ftctl dataset convert rows.jsonl rows-new.jsonl --encoding cp949"
    )


def test_no_text_is_shown_where_it_may_be_published() -> None:
    raw = as_jsonl("Korean").encode("cp949")

    shown = told(not_utf8(io.BytesIO(raw), samples=False))

    assert "read as cp949 (Korean)\n" in shown
    assert "역사" not in shown


def test_where_several_fit_each_is_shown_and_none_is_picked() -> None:
    raw = as_csv("Czech").encode("iso8859_2")

    assert told(not_utf8(io.BytesIO(raw), samples=True)) == (
        "rows.jsonl:2:10: error[not-utf-8]: the file is not UTF-8: 12 lines may be iso8859_2"
        " (Central European): 'Kde je knížky?' or cp1250 (Central European): 'Kde je kníľky?'\n"
        "    hint: name the one that reads right in its Dataset ('encoding: …'), or here:"
        " ftctl dataset convert rows.jsonl rows-new.jsonl --encoding NAME"
    )


def test_what_is_no_text_in_any_encoding_is_said_to_be_that() -> None:
    raw = bytes(byte | 0x80 for byte in Random(1).randbytes(600))

    shown = told(not_utf8(io.BytesIO(raw), samples=True))

    assert "1 line read like text in no encoding known here" in shown


def test_a_few_lines_at_the_end_of_a_large_file_tell_it() -> None:
    raw = b'{"a": "b"}\n' * 50_000 + as_jsonl("Japanese").encode("cp932")

    found = not_utf8(io.BytesIO(raw), samples=True)

    assert found is not None
    assert found.line == 50_001
    assert found.message == (
        "the file is not UTF-8: 12 lines read as cp932 (Japanese), such as '歴史の本はどこですか。'"
    )


def test_lines_in_two_encodings_are_told_by_their_numbers() -> None:
    mine, other = as_jsonl("French").encode(), as_jsonl("Korean").encode("cp949")

    assert told(not_utf8(io.BytesIO(mine + other), samples=False)) == (
        "rows.jsonl:13:44: error[not-utf-8]: lines 13 to 24 are not UTF-8, as 12 others are:"
        " read as cp949 (Korean)\n"
        "    hint: files in two encodings were joined: make each UTF-8 before you join them,"
        " with ftctl dataset convert and its --encoding"
    )


def test_scattered_lines_are_listed() -> None:
    mine = as_jsonl("French").encode().splitlines(keepends=True)
    other = as_jsonl("Korean").encode("cp949").splitlines(keepends=True)
    mine[2], mine[7] = other[2], other[7]

    found = not_utf8(io.BytesIO(b"".join(mine)), samples=False)

    assert found is not None
    assert found.message.startswith("lines 3 and 8 are not UTF-8, as 10 others are")


def test_a_character_that_was_cut_is_no_other_encoding() -> None:
    lines = as_jsonl("Korean").encode().splitlines(keepends=True)
    place = lines[4].rindex("서가".encode())
    lines[4] = lines[4][:place] + lines[4][place + 1 :]

    found = not_utf8(io.BytesIO(b"".join(lines)), samples=True)

    assert found is not None
    assert found.message == (
        "line 5 is not UTF-8, as 11 others are: a character is cut in two there"
    )


def test_utf8_is_not_doubted() -> None:
    for language in KEPT_IN:
        assert not_utf8(io.BytesIO(as_jsonl(language).encode()), samples=True) is None


# An encoding that somebody has named.


@pytest.mark.parametrize(("language", "encoding"), KEPT)
def test_the_encoding_that_it_is_in_is_believed(language: str, encoding: str) -> None:
    raw = as_jsonl(language).encode(encoding)

    assert doubts_of(io.BytesIO(raw), encoding, "--encoding", samples=True) is None


@pytest.mark.parametrize(
    ("raw", "encoding", "message"),
    [
        (as_jsonl("Korean").encode("cp949"), "cp1252",
         ("read as cp1252 the text is no words: '¿ª»ç Ã¥Àº ¾îµð¿¡ ÀÖ³ª¿ä?', and as cp949"
          " '역사 책은 어디에 있나요?'")),
        (as_jsonl("Korean").encode("cp949"), "cp932",
         ("byte 0xe7 stands where cp932 has none of the kind; it may be cp949 (Korean):"
          " '역사 책은 어디에 있나요?'")),
        (as_jsonl("French").encode("cp1252"), "cp949",
         ("byte 0xf9 stands where cp949 has none of the kind; it may be cp1252 (Western European):"
          " 'Où sont les études ?'")),
        (as_jsonl("Russian").encode("koi8_r"), "cp1252",
         ("read as cp1252 the text is no words: 'çÄÅ ÓÔÏÑÔ ËÎÉÇÉ: ÉÓÔÏÒÉÑ?', and as koi8_r"
          " 'Где стоят книги: история?'")),
        (as_jsonl("French").encode(), "cp949", "the file is UTF-8, though --encoding says cp949"),
        (as_jsonl("Korean").encode(), "iso8859-1",
         "the file is UTF-8, though --encoding says iso8859-1"),
        (as_jsonl("Korean").encode("cp949") + b'{"a": "\xb0', "cp949",
         "the file breaks off within a character of cp949"),
        (as_jsonl("Korean").encode("utf-16")[:-1], "utf-16",
         "the file breaks off within a character of utf-16"),
    ],
)  # fmt: skip
def test_an_encoding_that_it_is_not_in_is_refused(raw: bytes, encoding: str, message: str) -> None:
    found = doubts_of(io.BytesIO(raw), encoding, "--encoding", samples=True)

    assert found is not None
    assert (found.code, found.message) == ("wrong-encoding", message)


@pytest.mark.parametrize(
    ("language", "encoding", "said"),
    [
        ("Korean", "cp949", "gb18030"), ("Korean", "cp949", "euc_jp"),
        ("Japanese", "cp932", "gb18030"), ("Chinese", "gb18030", "big5"),
        ("German", "cp1252", "gb18030"),
    ],
)  # fmt: skip
def test_characters_of_another_script_are_not_taken_for_words(
    language: str, encoding: str, said: str
) -> None:
    raw = as_csv(language).encode(encoding)

    found = doubts_of(io.BytesIO(raw), said, "--encoding", samples=False)

    assert found is not None
    assert found.message.startswith(f"read as {said} the text is no words; it is as {encoding}")


def test_half_width_japanese_is_told() -> None:
    raw = "question,answer\nｶｻﾊﾄﾞｺﾃﾞｽｶ,ｲﾘｸﾞﾁﾉﾖｺﾆｱﾘﾏｽ\n".encode("cp932")

    assert "cp932 (Japanese)" in told(not_utf8(io.BytesIO(raw), samples=True))


@pytest.mark.parametrize("encoding", ["cp949", "cp1252", "utf-16"])
def test_ascii_is_in_every_encoding_that_keeps_it(encoding: str) -> None:
    raw = b'{"a": "b"}\n' if keeps_ascii(encoding) else '{"a": "b"}\n'.encode(encoding)

    assert doubts_of(io.BytesIO(raw), encoding, "--encoding", samples=True) is None


def test_two_bytes_that_may_be_utf8_by_chance_are_believed() -> None:
    raw = '{"a": "짤"}\n'.encode("cp949")  # valid UTF-8: 'Â©'

    assert doubts_of(io.BytesIO(raw), "cp949", "--encoding", samples=True) is None


SMALL_TALK = {
    "cp949": ["뷁", "ㅋㅋㅋ ㅠㅠ", "ㅇㅇ", "넹 ㅎㅎ", "응\nㅋㅋ\nㅇㅇ"],
    "gb18030": ["你好", "简体字", "①②", "𠮷野"],
    "gbk": ["你好"],
    "gb2312": ["你好"],
    "cp437": ["┌─┐"],
}


@pytest.mark.parametrize(
    ("encoding", "text"), [(name, text) for name, texts in SMALL_TALK.items() for text in texts]
)
@pytest.mark.parametrize("number", [1, 20])
def test_a_few_characters_that_decode_as_was_said_are_no_error(
    encoding: str, text: str, number: int
) -> None:
    raw = "".join(f"{text}{count}\n" for count in range(number)).encode(encoding)

    found = doubts_of(io.BytesIO(raw), encoding, "--encoding", samples=True)

    assert found is None or found.severity == "warning"


@pytest.mark.parametrize("text", ["你好", "ㅋㅋㅋ ㅠㅠ", "ㅇㅇ"])
def test_what_reads_as_words_in_what_was_said_is_not_doubted(text: str) -> None:
    encoding = "gb18030" if text == "你好" else "cp949"
    raw = "".join(f"{text}{count}\n" for count in range(20)).encode(encoding)

    assert doubts_of(io.BytesIO(raw), encoding, "--encoding", samples=True) is None


def test_a_doubt_shows_both_readings() -> None:
    raw = "".join(f"简体字{count}\n" for count in range(20)).encode("gb18030")

    found = doubts_of(io.BytesIO(raw), "gb18030", "--encoding", samples=True)

    assert found is not None
    assert str(found.in_file("rows.csv")) == (
        "rows.csv:1: warning[wrong-encoding]: the text may rather be mac_cyrillic (Cyrillic) than"
        " gb18030: 'Љтће„÷0', and not '简体字0'\n"
        "    hint: look at what is made of it; if it is wrong: write --encoding mac_cyrillic"
    )


def test_a_frame_that_dos_drew_is_no_error() -> None:
    raw = "┌────┬────┐\n│a   │b   │\n├────┼────┤\n╔════╦════╗\n║e   ║f   ║\n░▒▓█▄▀\n".encode(
        "cp437"
    )

    found = doubts_of(io.BytesIO(raw), "cp437", "--encoding", samples=True)

    assert found is None or found.severity == "warning"


@pytest.mark.parametrize(
    ("language", "encoding", "said", "severity"),
    [
        ("Ukrainian", "cp1251", "iso8859_10", "warning"),  # letters alone, as in no language
        ("German", "cp850", "iso8859_15", "error"),  # control characters
        ("German", "cp1252", "koi8_r", "error"),  # other letters within words
    ],
)
def test_how_sure_it_is_decides_what_is_said(
    language: str, encoding: str, said: str, severity: str
) -> None:
    raw = as_csv(language).encode(encoding)

    found = doubts_of(io.BytesIO(raw), said, "--encoding", samples=False)

    assert found is not None
    assert found.severity == severity


# In UTF-8 the last line is a letter of another alphabet, twice.
@pytest.mark.parametrize(
    ("language", "encoding", "chance"),
    [("Chinese", "gb18030", "没"), ("Korean", "cp949", "짤"), ("Japanese", "euc_jp", "長")],
)
def test_a_line_that_is_utf8_by_chance_makes_no_second_encoding(
    language: str, encoding: str, chance: str
) -> None:
    raw = as_csv(language).encode(encoding) + f"{chance},{chance}\n".encode(encoding)
    assert raw.splitlines()[-1].decode().isprintable()  # it is UTF-8

    assert doubts_of(io.BytesIO(raw), encoding, "--encoding", samples=True) is None
    assert f"the file is not UTF-8: 12 lines read as {encoding}" in told(
        not_utf8(io.BytesIO(raw), samples=False)
    )


def test_lines_that_read_as_utf8_are_warned_of_where_all_of_it_decodes() -> None:
    raw = as_jsonl("French").encode() + as_jsonl("French").encode("cp1252")

    found = doubts_of(io.BytesIO(raw), "cp1252", "--encoding", samples=True)

    assert found is not None
    assert str(found.in_file("rows.jsonl")) == (
        "rows.jsonl:1: warning[wrong-encoding]: lines 1 to 12 read rather like UTF-8 than like"
        " cp1252\n"
        "    hint: if files in two encodings were joined, make each UTF-8 before you join them"
    )


@pytest.mark.parametrize("text", ["question,answer\na,b\n", as_csv("Korean")])
def test_a_mark_of_utf8_is_believed(text: str) -> None:
    raw = text.encode("utf-8-sig")

    found = doubts_of(io.BytesIO(raw), "cp949", "--encoding", samples=True)

    assert found is not None
    assert found.message == "the file is UTF-8, though --encoding says cp949"


# Names.


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("CP949", "cp949"), ("ms949", "cp949"), ("windows-949", "cp949"),
        ("Shift_JIS", "shift_jis"),
        ("windows-31j", "cp932"), ("Windows-1252", "cp1252"), ("latin1", "iso8859-1"),
        ("UTF8", "utf-8"), ("EUC-KR", "euc_kr"), ("big5", "big5"), ("gbk", "gbk"),
    ],
)  # fmt: skip
def test_an_encoding_has_one_name(name: str, known: str) -> None:
    assert text_encoding(name) == known


@pytest.mark.parametrize(
    "name",
    [
        "base64", "rot13", "rot-13", "zlib", "zip", "bz2", "hex", "quopri", "uu", "idna",
        "punycode", "unicode_escape", "raw-unicode-escape", "undefined", "charmap",
    ],
)  # fmt: skip
def test_a_codec_that_is_no_encoding_of_text_is_refused(name: str) -> None:
    with pytest.raises(UnknownEncoding, match="is no encoding of text"):
        text_encoding(name)


@pytest.mark.parametrize("name", ["cp94", "", "ä", "a\0b", "../cp949", "x" * 500])
def test_a_name_that_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(UnknownEncoding, match="is no encoding known here"):
        text_encoding(name)


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-32", "utf-16-le", "utf-16-be", "iso2022_jp", "utf-32-be"]
)
def test_what_shows_itself_is_named(encoding: str) -> None:
    assert encoding_shown(as_jsonl("Japanese").encode(encoding)) == encoding
    assert not is_utf8(io.BytesIO(as_jsonl("Japanese").encode(encoding)))


# A stream of UTF-8.


@pytest.mark.parametrize(("language", "encoding"), [*KEPT, ("Korean", "utf-16")])
def test_what_is_read_is_the_same_text(language: str, encoding: str) -> None:
    text = as_jsonl(language) * 300  # characters lie across what is read at once

    with transcoded(io.BytesIO(text.encode(encoding)), encoding) as stream:
        assert stream.read().decode() == text


def test_a_byte_that_does_not_fit_is_told_by_its_line() -> None:
    raw = as_jsonl("Korean").encode("cp949") * 3000 + b'{"a": "\xff"}\n'

    with (
        transcoded(io.BytesIO(raw), "cp949") as stream,
        pytest.raises(EncodingFault) as fault,
    ):
        stream.read()

    assert fault.value.finding.line == 36_001


# On the command line and in manifests.


FORMS: dict[str, Callable[[str], str]] = {
    "rows.jsonl": as_jsonl,
    "rows.csv": as_csv,
    "rows.tsv": lambda language: as_csv(language).replace('","', '"\t"').replace("n,a", "n\ta"),
    "rows.json": lambda language: json.dumps(as_chats(language), ensure_ascii=False, indent=1),
}


def made(path: Path) -> list[object]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("name", FORMS)
def test_convert_reads_every_form_in_the_encoding_that_is_named(shell: Shell, name: str) -> None:
    (shell.folder / name).write_bytes(FORMS[name]("Japanese").encode("cp932"))

    shell.ok("dataset", "convert", name, "out.jsonl", "--encoding", "shift_jis")

    assert made(shell.folder / "out.jsonl") == as_chats("Japanese")


@pytest.mark.parametrize("name", FORMS)
def test_the_cure_of_every_form_works_as_it_is_pasted(shell: Shell, name: str) -> None:
    (shell.folder / name).write_bytes(FORMS[name]("Korean").encode("cp949"))
    told = shell("dataset", "convert", name, "out.jsonl")
    cure = told.err.partition("rows in UTF-8: ftctl ")[2].splitlines()[0].split()

    shell.ok(*cure)

    assert made(shell.folder / cure[3]) == as_chats("Korean")


COMMANDS = (
    ("check", "rows.jsonl"),
    ("stats", "rows.jsonl"),
    ("sample", "rows.jsonl", "few.jsonl", "--rows", "3"),
    ("split", "rows.jsonl", "--validation", "3"),
    ("diff", "rows.jsonl", "rows.jsonl"),
    ("convert", "rows.jsonl", "out.jsonl"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=[command[0] for command in COMMANDS])
def test_every_command_says_what_the_file_is_in_and_takes_it(
    shell: Shell, command: tuple[str, ...]
) -> None:
    (shell.folder / "rows.jsonl").write_bytes(as_jsonl("Korean").encode("cp949"))

    refused = shell("dataset", *command)
    taken = shell("dataset", *command, "--encoding", "cp949")

    assert refused.status == 1
    assert "12 lines read as cp949 (Korean), such as '역사 책은" in refused.out + refused.err
    assert taken.status == 0, taken


def test_a_diff_of_a_file_and_what_was_made_of_it_is_none(shell: Shell) -> None:
    (shell.folder / "old.jsonl").write_bytes(as_jsonl("Korean").encode("cp949"))
    (shell.folder / "new.jsonl").write_bytes(as_jsonl("Korean").encode())

    shown = shell.ok("dataset", "diff", "old.jsonl", "new.jsonl", "--encoding", "cp949").out

    assert "Rows: 12 unchanged." in shown


def test_one_damaged_row_keeps_no_statistics_from_the_others(shell: Shell) -> None:
    raw = as_jsonl("French").encode() + b'{"messages": "caf\xe9"}\n'
    (shell.folder / "rows.jsonl").write_bytes(raw)

    assert "12 rows" in shell.ok("dataset", "stats", "rows.jsonl").out


def test_the_statistics_are_of_the_file_itself(shell: Shell) -> None:
    raw = as_jsonl("Korean").encode("cp949")
    (shell.folder / "rows.jsonl").write_bytes(raw)

    shown = shell.ok("dataset", "stats", "rows.jsonl", "--encoding", "cp949").out

    assert f"12 rows, {len(raw):,} bytes" in shown


DATASET = """\
---
apiVersion: ftctl/v1
kind: Dataset
name: library
source: ../data/{name}
encoding: {encoding}
"""


def project(
    shell: Shell, raw: bytes, encoding: str, name: str = "rows.jsonl", more: str = ""
) -> None:
    finetune = FINETUNE.replace("{source: ../data/train.jsonl}", "library")
    dataset = DATASET.format(name=name, encoding=encoding)
    files = small_project(finetune + dataset + more)
    for path, text in files.items():
        (shell.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (shell.folder / path).write_text(text, "utf-8")
    (shell.folder / "data" / name).write_bytes(raw)


def test_rows_of_a_dataset_are_planned_as_what_was_read(shell: Shell) -> None:
    raw = as_jsonl("Korean").encode("cp949")
    project(shell, raw, "ms949")

    plan = shell.ok("plan", "--format", "json").json

    assert Draft202012Validator(load_schema("plan")).is_valid(plan)
    [file] = [step for step in plan["changes"][0]["steps"] if step["step"] == "upload"]
    assert file["path"] == "data/rows.jsonl"
    assert file["sha256"] == hashlib.sha256(as_jsonl("Korean").encode()).hexdigest()
    assert file["origin"]["rows"] == 12
    assert file["origin"]["sha256"] == hashlib.sha256(raw).hexdigest()
    assert file["origin"]["steps"] == [{"step": "read", "encoding": "cp949"}]


def test_a_wrong_encoding_of_a_dataset_is_told_at_its_row_without_its_text(shell: Shell) -> None:
    project(shell, as_jsonl("Korean").encode("cp949"), "windows-1252")

    assert shell("validate").out == (
        "data/rows.jsonl:1: error[wrong-encoding]: read as cp1252 the text is no words;"
        " it is as cp949 (Korean)\n"
        "    hint: write 'encoding: cp949'\n"
    )


DOUBTED = "question,answer\n" + "".join(f"简体字{n},简体字{n}\n" for n in range(20))
DOUBT = "the text may rather be mac_cyrillic (Cyrillic) than gb18030"


def test_a_doubt_stops_no_conversion(shell: Shell) -> None:
    (shell.folder / "rows.csv").write_bytes(DOUBTED.encode("gb18030"))

    shown = shell.ok("dataset", "convert", "rows.csv", "out.jsonl", "--encoding", "gb18030")

    assert f"warning[wrong-encoding]: {DOUBT}: 'Љтће„÷0,Љтће„÷0', and not '简" in shown.err
    assert "简体字19" in (shell.folder / "out.jsonl").read_text("utf-8")


def test_a_doubt_stops_no_dataset_and_shows_none_of_its_text(shell: Shell) -> None:
    project(shell, DOUBTED.encode("gb18030"), "gb18030", "rows.csv", "convert: {}\n")

    shown = [shell.ok("validate").out for _ in range(2)]  # the second time from the cache

    assert shown[0] == shown[1]
    assert f"data/rows.csv:2: warning[wrong-encoding]: {DOUBT}\n" in shown[0]


@pytest.mark.parametrize("command", ["check", "stats"])
def test_rows_in_doubt_are_looked_at_all_the_same(shell: Shell, command: str) -> None:
    row = '{"messages": [{"role": "user", "content": "简体字%d"},'
    row += ' {"role": "assistant", "content": "a"}]}\n'
    text = "".join(row % number for number in range(20))
    (shell.folder / "rows.jsonl").write_bytes(text.encode("gb18030"))

    shown = shell.ok("dataset", command, "rows.jsonl", "--encoding", "gb18030").out

    assert "20 rows" in shown
    assert (f"warning[wrong-encoding]: {DOUBT}" in shown) == (command == "check")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_table_in_utf16_without_its_mark_is_told_to_be_that(shell: Shell, encoding: str) -> None:
    text = "질문,답변\n" + "".join(f"우산은 어디에 있나요,문 옆에 있어요 {n}\n" for n in range(12))
    (shell.folder / "rows.csv").write_bytes(text.encode(encoding))

    shown = shell("dataset", "convert", "rows.csv", "out.jsonl").err

    assert f"ftctl dataset convert rows.csv rows.jsonl --encoding {encoding}" in shown
    shell.ok("dataset", "convert", "rows.csv", "out.jsonl", "--encoding", encoding)


def test_a_codec_that_is_no_texts_is_told_at_its_place(shell: Shell) -> None:
    project(shell, as_jsonl("Korean").encode("cp949"), "base64")

    shown = shell("validate")

    assert "finetunes/tone.yaml:11:11: error[wrong-value]: 'encoding' is 'base64', which is no" in (
        shown.out + shown.err
    )


def test_utf8_said_to_be_utf8_is_uploaded_as_it_is(shell: Shell) -> None:
    project(shell, as_jsonl("Korean").encode(), "utf-8")

    plan = shell.ok("plan").out

    assert "data/rows.jsonl" in plan
    assert not [*shell.folder.rglob("derived")]


def test_nothing_proposes_an_encoding_by_guess() -> None:
    places = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("ftctl/**/*.py")]

    assert not [path for path in places if "iconv -f WINDOWS" in path.read_text("utf-8")]


def test_a_list_on_one_long_line_is_read_to_its_end(shell: Shell) -> None:
    first = {"messages": [{"role": "user", "content": "a, b " * 100_000},
                          {"role": "assistant", "content": "c"}]}  # fmt: skip
    text = json.dumps([*[first] * 5, *as_chats("Japanese") * 900], ensure_ascii=False)
    (shell.folder / "rows.json").write_bytes(text.encode("cp932"))

    shown = shell("dataset", "convert", "rows.json", "out.jsonl").err

    assert "the file is not UTF-8: 1 line read as cp932 (Japanese), such as '歴史の本は" in shown


def test_a_table_that_is_checked_is_told_with_what_it_is_in(shell: Shell) -> None:
    (shell.folder / "faq.csv").write_bytes(as_csv("Korean").encode("cp949"))

    shown = shell("dataset", "check", "faq.csv").out

    assert "error[table-not-lines]" in shown
    assert "ftctl dataset convert faq.csv faq.jsonl --encoding cp949" in shown


def test_rows_in_another_encoding_are_checked_like_others(shell: Shell) -> None:
    raw = as_jsonl("Korean").replace('{"messages"', '{messages"', 1).encode("cp949")
    (shell.folder / "rows.jsonl").write_bytes(raw)
    (shell.folder / "utf8.jsonl").write_bytes(raw.decode("cp949").encode())

    shown = shell("dataset", "check", "rows.jsonl", "--encoding", "cp949").out

    assert shown == shell("dataset", "check", "utf8.jsonl").out.replace("utf8", "rows")


def test_a_checked_file_has_the_hash_that_it_has(shell: Shell) -> None:
    raw = as_jsonl("Korean").encode("cp949")
    (shell.folder / "rows.jsonl").write_bytes(raw)

    options = ("--encoding", "cp949", "--format", "json")
    [file] = shell.ok("dataset", "check", "rows.jsonl", *options).json["files"]

    assert (file["sha256"], file["bytes"]) == (hashlib.sha256(raw).hexdigest(), len(raw))


@pytest.mark.parametrize("head", [b"PK\x03\x04", b"PAR1"])
def test_what_knows_its_own_encoding_is_given_none(shell: Shell, head: bytes) -> None:
    name = "rows.xlsx" if head.startswith(b"PK") else "rows.parquet"
    (shell.folder / name).write_bytes(head + bytes(100))

    shown = shell("dataset", "convert", name, "out.jsonl", "--encoding", "cp949").err

    assert "error[wrong-encoding]: " in shown
    assert "knows the encoding of its text: --encoding cp949 is for others" in shown


def test_a_piece_of_a_line_steers_no_terminal() -> None:
    raw = 'question,answer\n"\x1b[31m우산은\u202e 어디::에 있나요\x07?","네"\n'.encode(
        "cp949", "ignore"
    )

    shown = told(not_utf8(io.BytesIO(raw), samples=True))

    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert len(shown.splitlines()) == 2


@pytest.mark.parametrize(
    "raw",
    [
        bytes(byte | 0x80 for byte in Random(3).randbytes(200_000)) * 10,
        b"\xe9" * 2_000_000,
        b"a" * 2_000_000 + b"\xe9",
        "歴史の棚は二階にあります".encode("cp932") * 80_000,
    ],
    ids=["noise", "one letter", "one word", "no spaces"],
)
def test_of_a_line_without_end_a_part_is_judged(raw: bytes) -> None:
    # Without the bounds each of these takes minutes.
    assert not_utf8(io.BytesIO(raw), samples=True) is not None


@pytest.mark.parametrize("form", ["json", "github"])
def test_what_is_made_to_be_passed_on_shows_no_piece_of_a_row(shell: Shell, form: str) -> None:
    (shell.folder / "rows.jsonl").write_bytes(as_jsonl("Korean").encode("cp949"))

    shown = shell("dataset", "check", "rows.jsonl", "--format", form)
    text = shell("dataset", "check", "rows.jsonl")

    assert "read as cp949 (Korean)" in shown.out
    assert "such as" not in shown.out
    assert "역사" not in shown.out + shown.err
    assert "such as '" in text.out + text.err
