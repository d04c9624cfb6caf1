"""Text that was read in the wrong encoding is known; what people write is not taken for it."""

from __future__ import annotations

import json

import pytest
from conftest import Shell, chat_rows
from tongues import KEPT_IN, rows

from ftctl.data.encodings.mojibake import may_be_misread, misread

CP1252 = {
    byte: bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0x100)
}


def as_western(raw: bytes) -> str:
    return raw.decode("latin-1").translate(CP1252)


def sentences(language: str) -> list[str]:
    return [f"{question} {answer}" for question, answer in rows(language)]


@pytest.mark.parametrize("language", KEPT_IN)
def test_utf8_read_as_cp1252_is_known(language: str) -> None:
    for text in sentences(language):
        once = as_western(text.encode())
        twice = as_western(once.encode())
        assert may_be_misread(once)
        assert may_be_misread(twice)

        assert (found := misread(once)) is not None
        assert found.words == "reads like UTF-8 that was read as cp1252"
        assert (found := misread(twice)) is not None
        assert found.words == "reads like UTF-8 that was read as cp1252, twice"


@pytest.mark.parametrize("taken_for", ["latin-1", "cp949", "cp932", "gbk", "mac_roman", "cp437"])
@pytest.mark.parametrize("language", ["Korean", "Japanese", "Chinese"])
def test_utf8_read_as_another_is_known(language: str, taken_for: str) -> None:
    found = [
        misread(wrong)
        for text in sentences(language)
        if may_be_misread(wrong := text.encode().decode(taken_for, "replace"))
    ]

    assert sum(one is not None for one in found) >= 11


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        ("Korean", "cp949"), ("Japanese", "cp932"), ("Japanese", "euc_jp"), ("Chinese", "gb18030"),
        ("Chinese of Taiwan", "cp950"), ("Russian", "cp1251"), ("Russian", "koi8_r"),
        ("Greek", "cp1253"), ("Hebrew", "cp1255"), ("Arabic", "cp1256"), ("Thai", "cp874"),
    ],
)  # fmt: skip
def test_another_script_read_as_western_is_known(language: str, encoding: str) -> None:
    told = [
        found.was
        for text in sentences(language)
        if may_be_misread(wrong := as_western(text.encode(encoding))) and (found := misread(wrong))
    ]

    assert told.count(encoding) >= 10


@pytest.mark.parametrize(
    "text",
    ["caf\ufffd", "\ufffd\ufffd", "ï¿½ï¿½ is here", "锟斤拷", "占쏙옙 占쏙옙"],
)
def test_lost_characters_are_known(text: str) -> None:
    assert may_be_misread(text)
    assert (found := misread(text)) is not None
    assert found.words == "has replacement characters where others were lost"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Itâ€™s fine â€“ donâ€™t", "reads like UTF-8 that was read as cp1252"),
        ("20Â°C, â‚¬5, Â©2024 ðŸ˜€ âœ…", "reads like UTF-8 that was read as cp1252"),
        ("ItÃ¢â‚¬â„¢s", "reads like UTF-8 that was read as cp1252, twice"),
        ("It\x92s \x93so\x94", "reads like cp1252 that was read as Latin-1"),
    ],
)
def test_signs_among_english_words_are_known(text: str, words: str) -> None:
    assert may_be_misread(text)
    assert (found := misread(text)) is not None
    assert found.words == words


HONEST = (
    "Voilà l'été : « créée », œuvre, naïve, où ? Ça coûte 5 €… L’hôtel « Élysée »",
    "Þórður Ágústsson ætlaði að fá sér kæfu og mjólk. Æðarfuglinn sást við Ísafjörð.",
    "Người Việt Nam ăn phở ở Hà Nội; trường đại học, đường Nguyễn Trãi, ướt đẫm.",
    "Größe, Öl, ÄÖÜ, Straße, „Gänsefüßchen“, GRÖẞE, SCHÖN™, 20 µm ± 0,5 °C, ½ l, 3 × 4",
    "Señor Núñez, Łukasz Żółw, Dvořák, Ångström, Øystein, José, François, Müller & Söhne",
    "ˈnæʃənəl ðə ˈkwɪk bɹaʊn fɒks, /ʃtʁaːsə/, [ˈœːvʁə]",
    "Ελληνικά: Πού είναι ο Όμηρος; Ψωμί και ελιές.",
    'print(f"{x!r}→{y}")  # ≠ ≤ ≥ ∑ ∀x∈ℝ: ¬p ∧ q; a²+b²=c²; ½·g·t²',
    "👩‍👩‍👧‍👦 🇩🇪 👍🏽 ❤️ ☕ ✅ ⚠️",
    "ÄÖÜß ÅÄÖ ÆØÅ",
    "Fix mojibake: 'Ã¼' means ü",
    "CAFÉ™ ZOÉ® São Paulo ÃO Ñandú ÀÉÎÕÜ ÇA",
    "用python写code, 在GPU上run；「東京」と大阪、ｶﾅ、한국어 쓰기ㅋㅋㅋ 똠방각하 펲시",
    "the character U+FFFD is written '\ufffd' here",
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ",
    "┌──┬──┐\n│a │b │\n├──┼──┤\n└──┴──┘ ▓▒░ √2 ≈ 1,41",
    "ДОБРО ПОЖАЛОВАТЬ. Рыба… Сок, РФ, «Ёлка» — Съезд; Њњ Ђђ Џџ Љљ",
    "กรุงเทพมหานคร เธอและเธอ เนื้อ เธ เน",
    "e\u0301te\u0301, n\u0303, a\u030a",
    "‚einfach‘ „zweifach“ ‹innen› «außen» ’n Haus; d’Été, l’Œuvre",
)


@pytest.mark.parametrize("text", HONEST)
def test_what_people_write_is_let_by(text: str) -> None:
    assert not (may_be_misread(text) and misread(text))


@pytest.mark.parametrize("language", KEPT_IN)
def test_no_language_is_taken_for_a_wrong_reading(language: str) -> None:
    for text in [*sentences(language), " ".join(sentences(language)).upper()]:
        assert not (may_be_misread(text) and misread(text)), text


def checked(shell: Shell, *answers: str, system: str | None = None) -> str:
    lines = chat_rows(12).splitlines()
    for number, answer in enumerate(answers):
        row = json.loads(lines[number])
        row["messages"][1]["content"] = answer
        lines[number] = json.dumps(row)
    if system is not None:
        message = {"role": "system", "content": system}
        lines = [
            json.dumps({"messages": [message, *json.loads(line)["messages"]]}) for line in lines
        ]
    (shell.folder / "rows.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return shell("dataset", "check", "rows.jsonl", "--no-one-answer").out


def test_a_row_is_told_with_what_was_done_to_it(shell: Shell) -> None:
    shown = checked(shell, "déjà vu à l'été".encode().decode("cp1252", "replace"))

    assert shown.startswith(
        "rows.jsonl:1: warning[mojibake]: messages[1].content reads like UTF-8 that was read as"
        " cp1252\n"
        "    hint: make the file once more of the one that it came from, which is UTF-8: nothing"
        " need convert it\n"
    )


def test_a_whole_file_is_told_of_once(shell: Shell) -> None:
    answers = [as_western(answer.encode("cp949")) for _, answer in rows("Korean")]

    shown = checked(shell, *answers)

    assert shown.count("mojibake") == 1
    assert (
        "rows.jsonl:1: warning[mojibake]: 12 rows hold text that reads like cp949 that was read as"
        " cp1252, such as lines 1, 2, 3, 4, 5\n"
        "    hint: make the file once more of the one that it came from, with --encoding"
        " cp949 or 'encoding: cp949'\n"
    ) in shown


def test_a_system_message_is_told_of_once(shell: Shell) -> None:
    shown = checked(shell, system="RÃ©pondez Ã  l'Ã©lÃ¨ve.")

    assert shown.count("mojibake") == 1


def test_the_check_has_a_switch(shell: Shell) -> None:
    checked(shell, "cafÃ© crÃ¨me")

    assert "mojibake" not in shell("dataset", "check", "rows.jsonl", "--no-mojibake").out
