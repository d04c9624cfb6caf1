"""An answer goes in; whether it refuses, and whether it says anything at all, comes out."""

from __future__ import annotations

import re
from functools import cache

_HELP = (
    r"(?:help|assist|comply|provide|fulfil|do that|answer|support|create|generate|write|discuss|"
    r"share|engage|continue|participate|give|offer|produce|complete|respond|process|advise)"
)
_CANNOT = r"(?:can['’]?t|cannot|can not|won['’]?t|will not|(?:['’]?m| am) (?:not able|unable) to)"
_SORRY = (
    r"(?:(?:i['’]?m|i am)(?: (?:really|very|so|truly))? sorry|sorry|i apologi[sz]e|"
    r"my apologies|unfortunately)"
)
_AI = r"as an? (?:ai|artificial intelligence|large language model|language model)\b"
_ENGLISH = (
    rf"(?:{_SORRY}[,.;:]?\s+(?:but\s+)?)?(?:{_AI}[^.]{{0,60}}?,?\s+)?i\s*{_CANNOT}\s+"
    rf"(?:be able to\s+)?(?:\w+ )?{_HELP}\b(?! (?:you )?(?:wondering|feeling|noticing|but)\b)"
    rf"|{_AI}[^.]{{0,80}}?\bi\s*(?:{_CANNOT}|do(?: not|n['’]?t) have)\b"
    rf"|{_SORRY}[,.;:]?\s+(?:but\s+)?(?:that|this)(?: request)? (?:is|goes) "
    r"(?:not something|against)\b"
)
_GERMAN = (
    r"(?:es tut mir (?:wirklich )?leid|tut mir leid|entschuldigung|leider)[,.]?\s+(?:aber\s+)?"
    r"(?:ich|kann ich|dabei|das|diese|hierbei)\b[^.]{0,60}?\b(?:kann|darf|ich)\b[^.]{0,60}?"
    r"nicht\s+(?:\w+\s+)?"
    r"(?:helfen|weiterhelfen|beantworten|unterstützen|bereitstellen|erstellen|dienen)"
)
_DUTCH = (
    r"(?:het spijt me|sorry|helaas)[,.]?\s+(?:maar\s+)?(?:ik kan|kan ik)[^.]{0,60}?niet\s+"
    r"(?:\w+\s+)?(?:helpen|beantwoorden|assisteren)"
)
_FRENCH = (
    r"(?:je suis (?:vraiment )?désolée?|désolée?|je regrette)[,.]?\s+(?:mais\s+)?je ne "
    r"(?:peux|suis pas en mesure|puis)[^.]{0,40}?(?:aider|répondre|fournir|assister|créer)"
)
_SPANISH = (
    r"(?:lo siento|lo lamento|disculpa)(?: mucho)?[,.]?\s+(?:pero\s+)?no (?:puedo|me es posible)"
    r"[^.]{0,30}?(?:ayudar|responder|proporcionar|asistir|crear)"
)
_PORTUGUESE = (
    r"(?:desculpe|sinto muito|lamento|me desculpe)[,.]?\s+(?:mas\s+)?(?:eu )?não posso"
    r"[^.]{0,30}?(?:ajudar|responder|fornecer|criar)"
)
_ITALIAN = (
    r"(?:mi dispiace|spiacente)[,.]?\s+(?:ma\s+)?non posso[^.]{0,30}?"
    r"(?:aiutar|rispondere|fornire|assister)"
)
_RUSSIAN = (
    r"(?:извините|простите|к сожалению|мне жаль)[,.]?\s+(?:но\s+)?я не могу[^.]{0,40}?"
    r"(?:помочь|ответить|предоставить|выполнить)"
)
_POLISH = (
    r"(?:przepraszam|przykro mi|niestety)[,.]?\s+(?:ale\s+)?nie mogę[^.]{0,40}?"
    r"(?:pomóc|odpowiedzieć|udzielić)"
)
_KOREAN = (
    r"(?:죄송|미안)[^.]{0,60}?(?:도와드릴 수 없|도울 수 없|답변(?:해 ?드릴|할) 수 없|"
    r"제공(?:해 ?드릴|할) 수 없)"
)
_JAPANESE = (
    r"(?:申し訳(?:ありません|ございません)|すみません)[^。]{0,40}?"
    r"(?:(?:お手伝い|お答え)(?:すること)?(?:は|が)?できません|提供できません)"
)
_CHINESE = (
    r"(?:很?抱歉|对不起|對不起)[,，]?\s*(?:但是?)?我(?:无法|不能|無法)"
    r"[^。]{0,20}?(?:帮助|协助|提供|回答|幫助|協助|满足)"
)
# Each must stand where the answer starts: a refusal that is quoted further in refuses nothing.
_PATTERNS = (
    _ENGLISH, _GERMAN, _DUTCH, _FRENCH, _SPANISH, _PORTUGUESE, _ITALIAN, _RUSSIAN, _POLISH,
    _KOREAN, _JAPANESE, _CHINESE,
)  # fmt: skip

# What stands for an answer that was never written.
_UNWRITTEN = frozenset(
    (
        "todo", "tbd", "fixme", "placeholder", "to do", "to be done", "to be determined",
        "lorem ipsum", "xxx", "…", "..", "...", "....", "??", "???",
        "<answer>", "[answer]", "{answer}", "<completion>", "{completion}", "<response>",
        "[response]", "{response}", "[insert answer here]", "your answer here",
    )
)  # fmt: skip
# These may also be labels: whether they are is told by the rest of the file.
_MISSING = frozenset(("n/a", "na", "none", "null", "nil", "nan", "undefined", "-", "--", "—", "?"))
_LONGEST = 24


@cache
def _refusals() -> re.Pattern[str]:
    return re.compile("|".join(_PATTERNS), re.IGNORECASE)


def refuses(answer: str) -> bool:
    """Whether the answer starts by refusing to help, in one of a dozen languages."""
    return _refusals().match(answer.lstrip()[:240]) is not None


def unwritten(answer: str) -> bool:
    """Whether a placeholder stands where the answer should."""
    return len(answer) <= _LONGEST and answer.strip().lower() in _UNWRITTEN


def missing(answer: str) -> bool:
    """Whether the answer is a word for 'none', which may be a label as well."""
    return len(answer) <= _LONGEST and answer.strip().lower() in _MISSING
