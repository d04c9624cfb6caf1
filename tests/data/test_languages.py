"""Which language a text is in, and what rows in several say."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from conftest import ROOT
from test_quality import IGNORED, chat, collect

from ftctl.data.quality import check_table
from ftctl.data.quality.fingerprints import fingerprint_of
from ftctl.data.quality.languages import KIN, LANGUAGES, language_of, told_in
from ftctl.domain.quality_settings import LANGUAGES_FROM_BYTES, LANGUAGES_OF_BYTES, QualitySettings

# The first 25 are those of earlier versions: their places are kept in files.
FIRST = "en de fr es it pt nl pl sv tr id vi ru uk ar fa he hi th el ko ja zh cs da"

SENTENCES = {
    "af": "Goeie môre, ek wil graag weet wanneer my pakkie sal aankom.",
    "am": "እባክዎን ትዕዛዜ የት እንዳለ ይንገሩኝ።",
    "az": "Zəhmət olmasa deyin, mənim sifarişim haradadır və nə vaxt gələcək?",
    "be": "Добры дзень, скажыце, калі ласка, дзе мая замова і калі яна прыйдзе.",
    "bg": "Моля, кажете ми къде е поръчката ми и кога ще пристигне.",
    "bn": "দয়া করে বলুন আমার অর্ডার কোথায় আছে।",
    "ca": "Bon dia, voldria saber on és la meva comanda i quan arribarà.",
    "cy": "Bore da, hoffwn wybod ble mae fy archeb a phryd y bydd yn cyrraedd.",
    "da": "Jeg vil gerne vide, hvornår min pakke kommer, tak.",
    "et": "Palun öelge mulle, kus on minu tellimus ja millal see saabub.",
    "eu": "Mesedez, esan iezadazu non dagoen nire eskaera eta noiz iritsiko den.",
    "fi": "Haluaisin tietää, missä tilaukseni on ja milloin se saapuu.",
    "ga": "Ba mhaith liom a fháil amach cá bhfuil m'ordú agus cathain a thiocfaidh sé.",
    "gu": "કૃપા કરીને મને કહો કે મારો ઓર્ડર ક્યાં છે.",
    "hr": "Molim vas recite mi gdje je moja narudžba i kada će stići.",
    "hu": "Kérem, mondja meg, hol van a rendelésem, és mikor érkezik meg.",
    "hy": "Խնդրում եմ ասեք, թե որտեղ է իմ պատվերը։",
    "is": "Vinsamlegast segðu mér hvar pöntunin mín er og hvenær hún kemur.",
    "ka": "გთხოვთ მითხრათ, სად არის ჩემი შეკვეთა.",
    "kk": "Айтыңызшы, менің тапсырысым қайда және қашан келеді?",
    "km": "សូមប្រាប់ខ្ញុំថាការបញ្ជាទិញរបស់ខ្ញុំនៅឯណា។",
    "kn": "ದಯವಿಟ್ಟು ನನ್ನ ಆರ್ಡರ್ ಎಲ್ಲಿದೆ ಎಂದು ಹೇಳಿ.",
    "lo": "ກະລຸນາບອກຂ້ອຍວ່າຄໍາສັ່ງຂອງຂ້ອຍຢູ່ໃສ.",
    "lt": "Prašau pasakyti, kur yra mano užsakymas ir kada jis atvyks.",
    "lv": "Lūdzu, pasakiet, kur ir mans pasūtījums un kad tas pienāks.",
    "mk": "Ве молам кажете ми каде е мојата нарачка и кога ќе пристигне.",
    "ml": "എന്റെ ഓർഡർ എവിടെയാണെന്ന് ദയവായി പറയൂ.",
    "mr": "कृपया मला सांगा की माझी ऑर्डर कुठे आहे आणि ती कधी येईल.",
    "ms": "Sila beritahu saya di mana pesanan saya dan bila ia akan sampai.",
    "my": "ကျေးဇူးပြု၍ ကျွန်ုပ်၏ အော်ဒါ ဘယ်မှာရှိသည်ကို ပြောပြပါ။",
    "ne": "कृपया मेरो अर्डर कहाँ छ र कहिले आइपुग्छ भनेर भन्नुहोस्।",
    "no": "Jeg vil gjerne vite hvor pakken min er og når den kommer.",
    "pa": "ਕਿਰਪਾ ਕਰਕੇ ਮੈਨੂੰ ਦੱਸੋ ਕਿ ਮੇਰਾ ਆਰਡਰ ਕਿੱਥੇ ਹੈ।",
    "ro": "Vă rog să-mi spuneți unde este comanda mea și când va ajunge.",
    "si": "කරුණාකර මගේ ඇණවුම කොහේදැයි මට කියන්න.",
    "sk": "Prosím, povedzte mi, kde je moja objednávka a kedy príde.",
    "sl": "Prosim, povejte mi, kje je moje naročilo in kdaj bo prispelo.",
    "sq": "Ju lutem më tregoni ku është porosia ime dhe kur do të vijë.",
    "sr": "Молим вас реците ми где је моја поруџбина и када ће стићи.",
    "sw": "Tafadhali niambie agizo langu liko wapi na litafika lini.",
    "ta": "தயவுசெய்து எனது ஆர்டர் எங்கே என்று சொல்லுங்கள்.",
    "te": "దయచేసి నా ఆర్డర్ ఎక్కడ ఉందో చెప్పండి.",
    "tl": "Pakisabi po kung nasaan ang aking order at kailan ito darating.",
    "ur": "براہ کرم مجھے بتائیں کہ میرا آرڈر کہاں ہے اور کب پہنچے گا۔",
}


@pytest.mark.parametrize(("code", "text"), SENTENCES.items(), ids=SENTENCES)
def test_a_language_is_told_from_a_sentence(code: str, text: str) -> None:
    assert language_of(text) == code


QUESTIONS = [
    "What is the time in Bern?", "List all red cars", "what is in the box", "Who are you?",
    "In what year was Bob born?", "Where is my order?", "Is it open?", "Who won in 1998?",
    "What is water?", "When do we go on air?", "Is there a man in de car?", "is this on or over",
    "Do you have it in red?", "What is 5 plus 3?", "Was he in Berlin or Bonn?",
]  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_short_english_question_is_never_in_another_language(question: str) -> None:
    assert language_of(question) in ("en", None)
    assert told_in(question, closely=False).number in (0, 1)


@pytest.mark.parametrize("text", ["আমি ভাত খাই", "তুমি কেমন আছো?", "আমার নাম কী?", "ধন্যবাদ আপনাকে অনেক"])
def test_bengali_is_never_hindi(text: str) -> None:
    assert language_of(text) == "bn"


def test_the_places_of_languages_that_were_kept_stay() -> None:
    assert list(LANGUAGES)[:25] == FIRST.split()
    assert len(LANGUAGES) < 256  # a place is kept in a byte


def test_kinship_is_of_both() -> None:
    assert all(code in KIN[other] for code in KIN for other in KIN[code])
    assert KIN["no"] == {"no", "da"}
    assert KIN["en"] == {"en"}


DANISH = "Jeg vil gerne vide, hvornår min pakke kommer, og om jeg kan hente den selv."
NORWEGIAN = "Jeg vil gjerne vite når pakken min kommer, og om jeg kan hente den selv."
MALAY = "Sila beritahu saya di mana pesanan saya dan bila ia akan sampai ke rumah."
INDONESIAN = "Tolong beri tahu saya di mana pesanan saya dan kapan akan sampai di rumah."
SERBIAN = "Molim vas recite mi gde je moja porudžbina i kada će stići u Beograd."
CROATIAN = "Molim vas recite mi gdje je moja narudžba i kada će stići u Zagreb."
LANGUAGES_ALONE = replace(IGNORED, languages="warning")


def said(most: str, one: str, settings: QualitySettings = LANGUAGES_ALONE) -> list[str]:
    rows = [*(chat("x", f"{most} {n}") for n in range(40)), chat("x", one)]
    return [found.message for found in check_table(collect(rows, settings), settings)]


@pytest.mark.parametrize(
    ("most", "one"),
    [(DANISH, NORWEGIAN), (NORWEGIAN, DANISH), (MALAY, INDONESIAN), (CROATIAN, SERBIAN)],
)
def test_a_row_in_a_language_that_is_nearly_the_others_raises_no_doubt(most: str, one: str) -> None:
    assert told_in(most).number != told_in(one).number
    assert said(most, one) == []


def test_a_row_that_strayed_in_is_told() -> None:
    message = "the answer is in Turkish; 98 % of the answers are in Danish"

    assert said(DANISH, "Siparişimin nerede olduğunu bana söyler misiniz, çok uzun zaman oldu") == [
        message
    ]


def test_a_language_that_is_only_likely_raises_no_doubt() -> None:
    likely = next(text for text in ("Is it open?", "Who won in 1998?") if not told_in(text).certain)

    assert told_in(likely).number
    assert said(DANISH, likely) == []


def test_of_a_large_file_a_sample_is_looked_at_closely_whatever_the_order() -> None:
    large = QualitySettings().for_file(4 * LANGUAGES_OF_BYTES)
    rows = [chat("x", f"{DANISH} {n}") for n in range(100)]

    taken = [fingerprint_of(row, "chat", 1, large).row for row in rows]

    assert large.languages_of_one_in == 5
    assert [fingerprint_of(row, "chat", 1, large).row for row in reversed(rows)] == taken[::-1]
    known = collect(rows, large).columns().said_in
    assert 5 < sum(map(bool, known)) < 50


def test_of_a_file_with_few_rows_none_is_looked_at_closely() -> None:
    settings = QualitySettings()

    assert settings.for_file(LANGUAGES_FROM_BYTES) is settings
    assert settings.for_file(LANGUAGES_FROM_BYTES - 1).languages_of_one_in == 0
    assert (
        said(
            DANISH,
            "Siparişimin nerede olduğunu bana söyler misiniz, çok uzun zaman oldu",
            replace(LANGUAGES_ALONE, languages_of_one_in=0),
        )
        == []
    )


def test_in_a_large_file_shares_are_those_of_the_sample() -> None:
    # English is told in every row, Danish in those of the sample: it is still what most are in.
    large = replace(LANGUAGES_ALONE, languages_of_one_in=4)
    english = "this is what you asked for and it will be with you when the week is over"
    rows = [chat("x", f"{DANISH} {n}") for n in range(400)]
    rows += [chat("x", f"{english} {n}") for n in range(8)]

    found = check_table(collect(rows, large), large)

    assert [one.line for one in found] == list(range(401, 409))


def test_the_model_is_loaded_for_a_text_that_needs_it_and_for_no_other() -> None:
    program = """
import sys
from ftctl.data.quality.languages import language_of
assert language_of("this is what you asked for and it will be with you") == "en"
assert language_of("제 주문이 어디에 있는지 알려 주세요.") == "ko"
assert language_of("42") is None
assert "py3langid" not in sys.modules
assert language_of("Dit is een hele mooie dag") == "nl"
assert "py3langid" in sys.modules
"""

    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads as Linux does")
@pytest.mark.parametrize(
    "loads",
    [
        "from ftctl.data.quality.languages import _model; _model()",
        "import ftctl.data.tokens.bpe_pretokens, ftctl.data.scanning.key_counts",
        "import ftctl.emulator.model.network",
    ],
)
def test_numpy_is_loaded_for_one_thread_whoever_loads_it_first(loads: str) -> None:
    """Small arrays: the embedded API trains four times as long where threads wait for others."""
    code = f"{loads}; import os; print(len(os.listdir('/proc/self/task')))"
    environ = {name: value for name, value in os.environ.items() if "THREADS" not in name}

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True,
        check=True,
    )  # fmt: skip

    assert done.stdout == "1\n"
