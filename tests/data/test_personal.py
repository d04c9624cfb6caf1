"""Which numbers in a text are a person's, and which are not."""

from __future__ import annotations

import json

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from ftctl.data.diff.masked import masked_text
from ftctl.data.quality.identifiers import ANY_NAME, DIGITS, LETTERED, NAMED
from ftctl.data.quality.personal import may_hold_personal, personal_in
from ftctl.data.quality.phones import Patience, is_region

EVERYWHERE = ("KR", "DE", "US", "GB", "FR", "ES", "JP")

PHONE, IBAN, MAIL = "a phone number", "an account number (IBAN)", "an e-mail address"
HELD = {
    "Schreiben Sie an jane.doe@acme.com!": (MAIL, "j…@acme.com"),
    "call +49 30 9018 2034 now": (PHONE, "+49…34"),
    "(+82) 10-2345-6789": (PHONE, "+82…89"),
    "+1 415-555-2671": (PHONE, "+14…71"),
    "+1 (415) 555 2671": (PHONE, "+14…71"),
    "+1.415.555.2671": (PHONE, "+14…71"),
    "tel:+493090182034": (PHONE, "+49…34"),
    "010-2345-6789": (PHONE, "01…89"),
    "090-2345-6781": (PHONE, "09…81"),
    "연락처는 01023456789 입니다": (PHONE, "01…89"),
    "전화는010-2345-6789입니다": (PHONE, "01…89"),
    "휴대폰 010 2345 6789번": (PHONE, "01…89"),
    "계좌는DE89370400440532013000입니다": (IBAN, "DE89…3000"),
    "주민번호850101-1234567입니다": ("a Korean resident number", "85…67"),
    "カードは4539578763621486です": ("a card number", "4539…1486"),
    "身份证号11010519491231002X的人": ("a Chinese resident number", "1101…002X"),
    "電話 03-5253-1111": (PHONE, "03…11"),
    "Phone: (713) 345-9945": (PHONE, "71…45"),
    "mobile number is 07551310002": (PHONE, "07…02"),
    "Tel. und Fax 07561 / 31285": (PHONE, "07…85"),
    "el teléfono es 675611884": (PHONE, "67…84"),
    "téléphone 01 44 27 30 51": (PHONE, "01…51"),
    "IBAN DE89370400440532013000": (IBAN, "DE89…3000"),
    "DE89 3704 0044 0532 0130 00 IST DAS KONTO": (IBAN, "DE89…3000"),
    "de89 3704 0044 0532 0130 00 ist das konto": (IBAN, "de89…3000"),
    "DE89-3704-0044-0532-0130-00": (IBAN, "DE89…3000"),
    "CR05015202001026284066": (IBAN, "CR05…4066"),
    "GB29 NWBK 6016 1331 9268 19": (IBAN, "GB29…6819"),
    "4539 5787 6362 1486": ("a card number", "4539…1486"),
    "4539578763621486": ("a card number", "4539…1486"),
    "536-90-4399": ("a US social security number", "53…99"),
    "SSN 536904399": ("a US social security number", "53…99"),
    "390.533.447-05": ("a Brazilian CPF", "39…05"),
    "CPF: 39053344705": ("a Brazilian CPF", "39…05"),
    "201005-3123456": ("a Korean resident number", "20…56"),
    "주민등록번호 850101-1234567": ("a Korean resident number", "85…67"),
    "Steuer-ID 36574261809": ("a German tax number", "36…09"),
    "BSN 111222333": ("a Dutch citizen number", "11…33"),
    "RCCMNL83S18D969H": ("an Italian codice fiscale", "RCCM…969H"),
    "rccmnl83s18d969h": ("an Italian codice fiscale", "rccm…969h"),
    "BOXW310820HNERXN09": ("a Mexican CURP", "BOXW…XN09"),
    "131052-308T": ("a Finnish personal identity code", "13…8T"),
    "010516A903X": ("a Finnish personal identity code", "01…3X"),
    "A123456(3)": ("a Hong Kong identity card number", "A1…63"),
    "AB 12 34 56 C": ("a UK national insurance number", "AB…6C"),
    "national insurance number AB123456C": ("a UK national insurance number", "AB…6C"),
    "DNI 54362315K": ("a Spanish DNI or NIE", "54…5K"),
    "NIE: X-5253868-R": ("a Spanish DNI or NIE", "X5…8R"),
    "PAN: ACUPA7085R": ("an Indian PAN", "AC…5R"),
    "PPS number 6433435F": ("an Irish PPS number", "64…5F"),
    "NRIC S1234567D": ("a Singaporean NRIC", "S1…7D"),
    "身分證字號 A123456789": ("a Taiwanese identity number", "A1…89"),
    "11010519491231002X": ("a Chinese resident number", "1101…002X"),
    "2 95 10 99 126 111 93": ("a French social security number", "2951…1193"),
    "numéro de sécurité sociale : 295109912611193": (
        "a French social security number", "2951…1193"),
    "756.9217.0769.85": ("a Swiss social security number", "75…85"),
    "85.07.30-033.28": ("a Belgian national number", "85…28"),
    "112-233-445 95": ("a Russian SNILS", "11…95"),
    "3-1005-04336-82-1": ("a Thai identity number", "31…21"),
    "PESEL 44051401359": ("a Polish PESEL", "44…59"),
    "Aadhaar 2341 2341 2346": ("an Indian Aadhaar number", "23…46"),
    "NHS number: 943 476 5870": ("a UK NHS number", "94…70"),
    "personnummer 811228-9874": ("a Swedish personnummer", "81…74"),
    "マイナンバー 1234 5678 9018": ("a Japanese individual number", "12…18"),
    "TC Kimlik No: 17291716060": ("a Turkish identity number", "17…60"),
    "TFN 123 456 782": ("an Australian tax file number", "12…82"),
    "social insurance number 123-456-782": ("a Canadian social insurance number", "12…82"),
    "fødselsnummer 15108695088": ("a Norwegian national identity number", "15…88"),
    "CPR 211062-5629": ("a Danish CPR number", "21…29"),
    "CNP 1630615123457": ("a Romanian CNP", "16…57"),
    "rodné číslo 710319/2745": ("a Czech or Slovak birth number", "71…45"),
    "ЕГН 7523169263": ("a Bulgarian EGN", "75…63"),
    "AMKA 01013099997": ("a Greek AMKA", "01…97"),
    "contribuinte 296536075": ("a Portuguese NIF", "29…75"),
    "ID number 7503305044089": ("a South African identity number", "75…89"),
    "תעודת זהות 039337423": ("an Israeli identity number", "03…23"),
    "MyKad 770305-02-1234": ("a Malaysian identity card number", "77…34"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "held"), HELD.items())
def test_an_address_or_number_of_a_person_is_found(text: str, held: tuple[str, str]) -> None:
    assert may_hold_personal(text.encode())
    assert list(personal_in(text, ())) == [held]


NATIONAL = [
    ("KR", "02-312-3456"), ("KR", "031-345-6781"), ("KR", "01023456789"),
    ("DE", "030 90182034"), ("DE", "(030) 9018 2034"), ("DE", "030/9018-2034"),
    ("DE", "0176 32345678"), ("DE", "017632345678"), ("DE", "0049 30 90182034"),
    ("US", "415-555-2671"), ("US", "(415) 555-2671"), ("US", "415.555.2671"),
    ("GB", "020 7183 8750"), ("GB", "07551 310002"), ("FR", "01 44 27 30 51"),
    ("ES", "675 61 18 84"), ("JP", "03-5253-1111"),
]  # fmt: skip


@pytest.mark.parametrize(("region", "number"), NATIONAL)
def test_a_national_number_is_found_in_its_region_and_not_without(region: str, number: str) -> None:
    text = f"Bitte an {number}, danke"

    assert [one.what for one in personal_in(text, (), (region,))] == [PHONE]
    assert list(personal_in(text, ())) == []


@pytest.mark.parametrize(("region", "number"), NATIONAL)
def test_a_national_number_is_found_in_a_tables_cell(region: str, number: str) -> None:
    text = f"name,phone\nKim,{number}\n"

    assert [one.what for one in personal_in(text, (), (region,))] == [PHONE]


NOBODYS = [
    # Numbers with a sign, and what is reckoned with.
    "+1.234567890123", "+49.5 30 901 820", "+49.304563218", "x = +4930901820345",
    "f(+4930901820345)", "+12 345 678 901", "lat +48.8566, lon +2.3522", "-122.4194155, 37.7749295",
    "0.0123456789", "3.14159265358979", "1.234.567,89 €", "$ 010 2345 6789",
    "12 345 678 + 23 456 789",
    "3,0176323456", "phone,3.0164158,-16.101961,-5.069255", "675 611 884 rows",
    "030 12345678 = 5", "01 02 03 04 05 06",
    # Versions, dates, times, places, addresses of machines, hashes.
    "v10.0.19045.3803", "2024-01-15 10:30:45.123", "06.04.2012 12:30", "20240115103045",
    "1996.04.23", "081111 080256 27 INFO", "192.168.100.200", "10.251.214.112:50010",
    "d41d8cd98f00b204e9800998ecf8427e", "1700000000", "1700000000123", "GMT+09:00 2015-07-29",
    # Numbers of things.
    "ISBN 978-3-16-148410-0", "0-306-40615-2", "order 01761234567", "Bestellnummer 030 90182034",
    "주문번호 010-2345-6789", "invoice 2024-000123-45", "Boston, MA  02110-1301, USA",
    # Nobody's.
    "+1 415 555 0123", "(415) 555-0199", "020 7946 0958", "+44 7700 900123", "030 23125 123",
    "+49 176 040690 12", "01 99 00 12 34", "+33 6 39 98 12 34", "+61 491 570 156",
    "+1 800 356 9377", "0800 1234567", "010-1234-5678", "010-0000-0000", "4111 1111 1111 1112",
    "DE89370400440532013001", "000-12-3456", "850101-1234567", "RCCMNL83S18D969X", "911.222.333-05",
    "support@acme.com", "jane@example.com", "moi@exemple.com", "you@your-domain.com",
    "https://user:pass@httpbin.org/get", "postgres://jane@db1.acme.com/shop",
    "numpy-users@python.org", "help-gsl@lists.gnu.org",
]  # fmt: skip
WORDLESS = [
    "536904399", "12345678Z", "44051401359", "2341 2341 2346", "943 476 5870", "811228-9874",
    "S1234567D", "A123456789", "ACUPA7085R", "111222333", "675611884", "02-312-3456",
]  # fmt: skip


@pytest.mark.parametrize("text", WORDLESS)
def test_a_number_that_could_be_any_wants_its_word(text: str) -> None:
    assert list(personal_in(text, ())) == []


@pytest.mark.parametrize("text", NOBODYS)
def test_what_is_nobodys_is_not_found(text: str) -> None:
    assert list(personal_in(text, (), EVERYWHERE)) == []


@pytest.mark.parametrize("said", ["01023456789", "010-2345-6789", "+821023456789"])
def test_a_phone_number_is_let_by_however_it_is_written(said: str) -> None:
    assert list(personal_in("010-2345-6789", (said,), ("KR",))) == []


def test_numbers_are_told_in_the_order_of_the_text() -> None:
    text = "010-2345-6789, DE89370400440532013000 und 4539 5787 6362 1486"

    found = [one.what for one in personal_in(text, ())]

    assert found == [PHONE, IBAN, "a card number"]


def test_a_number_is_told_of_once() -> None:
    text = "CPF: 390.533.447-05 SSN 536-90-4399"

    assert [one.shown for one in personal_in(text, ())] == ["39…05", "53…99"]


@pytest.mark.parametrize("text", HELD)
def test_what_is_found_is_not_shown_to_others(text: str) -> None:
    held = json.dumps(masked_text({"content": text}))

    assert list(personal_in(held, ())) == []


def test_every_form_has_a_case() -> None:
    told = {form.what for form in (*DIGITS, *LETTERED, *NAMED)}

    assert told <= {what for what, _ in HELD.values()}


_BITS = st.sampled_from([*"0123456789", " ", "-", ".", "+", "(", ")", "/", "A", "é", "\n", ","])


@settings(deadline=None)
@given(st.text(_BITS, max_size=60))
def test_no_text_is_too_odd_to_be_looked_through(text: str) -> None:
    found = list(personal_in(text, (), EVERYWHERE))

    assert not found or may_hold_personal(text.encode())


def test_of_a_text_that_is_all_numbers_no_more_are_looked_at_than_a_person_would_read() -> None:
    text = "030 9018 2034, " * 2000

    assert len(list(personal_in(text, (), ("DE",)))) == Patience().looks


def test_each_word_that_names_a_number_has_one_of_the_stems_that_are_searched_for() -> None:
    for text, (what, _) in HELD.items():
        for form in NAMED:
            word = form.word and form.word.search(text.lower())
            if form.what == what and word:
                assert ANY_NAME.search(word[0]), text


def test_the_schema_has_every_region_whose_numbers_are_known() -> None:
    quality = json.loads((ROOT / "schemas/project.json").read_text("utf-8"))["$defs"]["quality"]
    codes = quality["properties"]["regions"]["items"]["enum"]

    assert all(map(is_region, codes))
    assert set(quality["properties"]["regions"]["items"]["x-meant"].values()) <= set(codes)
    assert not is_region("UK")
