"""A row's keys go in; the shape that they are known by, and what asks and answers, come out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

KnownShape = Literal["chat", "completion", "preference", "sharegpt", "alpaca", "pairs"]

# Where rows keep a conversation; the first two are known by their name alone.
CONVERSATIONS = ("messages", "conversations", "conversation", "dialog", "dialogue", "dialogs",
                 "turns", "contents")  # fmt: skip


class TaskKeys(NamedTuple):
    """The keys of a task as Alpaca's rows have it; the input stands below the instruction."""

    instruction: str
    input: str | None
    output: str


class AnswerKeys(NamedTuple):
    """The keys of the better and the worse answer."""

    chosen: str
    rejected: str


class Pair(NamedTuple):
    """The columns that ask and answer."""

    question: str
    answer: str


def shape_of(keys: Collection[str]) -> KnownShape | None:
    """The shape that the keys speak of; None, too, for a `known_pair` of columns."""
    known = set(keys)
    if {"chosen", "rejected"} <= known and "preferred_output" not in known:
        return "pairs"
    if {"preferred_output", "non_preferred_output"} <= known and "input" not in known:
        return "pairs"  # with the conversation beside them, or a prompt
    if "messages" in known:
        return "chat"
    if "conversations" in known:
        return "sharegpt"
    if "preferred_output" in known:
        return "preference"
    if {"instruction", "output"} <= known:
        return "alpaca"
    if {"prompt", "completion"} <= known:
        return "completion"
    if known_pair(keys) is not None:
        return None
    if task_keys(keys) is not None:
        return "alpaca"
    if answer_keys(keys) is not None:
        return "pairs"
    return "chat" if known.intersection(CONVERSATIONS) else None


# Columns by their names in lower case, before those of `_QUESTIONS` and `_ANSWERS`: their order
# decides where a table has several.
_FIRST_PAIRS = (
    ("question", "answer"),
    ("question", "response"),
    ("query", "response"),
    ("query", "answer"),
    ("prompt", "response"),
    ("input", "output"),
    ("user", "assistant"),
    ("text", "label"),
)


def known_pair(columns: Collection[str]) -> Pair | None:
    """The columns that ask and answer, where no other could be meant."""
    by_name = {name.lower(): name for name in columns}
    for question, answer in _FIRST_PAIRS:
        if question in by_name and answer in by_name:
            return Pair(by_name[question], by_name[answer])
    if _task_keys(columns, {"instruction"}) is not None:
        return None
    asking = [name for name in columns if plain_name(name) in _QUESTIONS]
    answering = [name for name in columns if plain_name(name) in _ANSWERS]
    if len(asking) == len(answering) == 1:
        return Pair(asking[0], answering[0])
    return None


def answer_keys(columns: Collection[str]) -> AnswerKeys | None:
    """The better and the worse answer, where two keys can be nothing else."""
    for chosen, rejected in _ANSWER_PAIRS:
        if {chosen, rejected} <= set(columns):
            return AnswerKeys(chosen, rejected)
    return None


_ANSWER_PAIRS = (
    AnswerKeys("chosen", "rejected"),
    AnswerKeys("chosen_response", "rejected_response"),
    AnswerKeys("response_chosen", "response_rejected"),
    AnswerKeys("chosen_answer", "rejected_answer"),
    AnswerKeys("chosen_messages", "rejected_messages"),
    AnswerKeys("preferred_output", "non_preferred_output"),
    AnswerKeys("preferred", "dispreferred"),
    AnswerKeys("preferred", "rejected"),
    AnswerKeys("accepted", "rejected"),
)


def question_keys(columns: Collection[str]) -> tuple[str, str | None] | None:
    """The key of a question, perhaps with that of what stands below it."""
    if "prompt" in columns:
        return "prompt", None
    instructions = [name for name in columns if plain_name(name) in _INSTRUCTIONS]
    inputs = [name for name in columns if plain_name(name) in _INPUTS]
    if len(instructions) == 1 and len(inputs) <= 1:
        return instructions[0], inputs[0] if inputs else None
    asking = [name for name in columns if plain_name(name) in _QUESTIONS]
    return (asking[0], None) if len(asking) == 1 else None


def task_keys(columns: Collection[str]) -> TaskKeys | None:
    """An instruction, perhaps its input, and what comes of it, by any of their names."""
    return _task_keys(columns, _INSTRUCTIONS)


def _task_keys(columns: Collection[str], instructions: Collection[str]) -> TaskKeys | None:
    if {"instruction", "output"} <= set(columns):
        return TaskKeys("instruction", "input", "output")
    asking = [name for name in columns if plain_name(name) in instructions]
    inputs = [name for name in columns if plain_name(name) in _INPUTS]
    answering = [name for name in columns if plain_name(name) in _ANSWERS]
    if len(asking) == len(answering) == 1 and len(inputs) <= 1:
        return TaskKeys(asking[0], inputs[0] if inputs else None, answering[0])
    return None


def likely_pair(columns: Iterable[str]) -> Pair | None:
    """The two columns to begin a template with: a guess for a message, and never for rows."""
    names = [name for name in columns if name and not re.search(r"[{}]", name)]
    texts = [name for name in names if not _numbers(plain_name(name))] or names
    if len(texts) < 2:
        return None
    answering = [name for name in texts if plain_name(name) in _ANSWERS]
    answer = answering[0] if answering else None
    rest = [name for name in texts if name != answer]
    asking = [name for name in rest if plain_name(name) in _QUESTIONS]
    question = asking[0] if asking else rest[0]
    return Pair(question, answer or next(name for name in texts if name != question))


def _numbers(name: str) -> bool:
    return name in _NUMBERS or name.endswith(" id")


_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
_BETWEEN = re.compile(r"[\s_-]+")
_AROUND = " :;*?.,#!\"'`“”‘’«»<>¿¡؟"


@lru_cache(maxsize=1024)
def plain_name(name: str) -> str:
    """A column's name as people say it: small, in common forms, without what decorates it."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", name))
    text = _BRACKETS.sub("", text)
    return _BETWEEN.sub(" ", text.strip().strip(_AROUND)).strip().casefold()


def _named(*words: str) -> frozenset[str]:
    return frozenset(plain_name(word) for word in words)


_INSTRUCTIONS = _named(
    "instruction", "instructions", "task", "지시", "지시문", "지시사항", "명령", "명령어", "指令",
    "指示", "指示文", "命令", "instrucción", "instrução", "istruzione", "anweisung", "инструкция",
    "hướng dẫn", "talimat",
)  # fmt: skip
_INPUTS = _named(
    "input", "context", "입력", "输入", "輸入", "入力", "entrada", "eingabe", "entrée", "вход",
    "girdi", "đầu vào",
)  # fmt: skip
_QUESTIONS = _INSTRUCTIONS | _named(
    "question", "questions", "q", "input text", "prompt text", "question text", "query", "ask",
    "prompt", "input", "user", "user message", "user input", "user query", "user question",
    "user prompt", "human", "inquiry", "질문", "질의", "질문내용", "질문 내용", "물음", "문의",
    "문의내용", "문의 내용", "사용자", "유저", "입력", "문제", "質問", "質問文", "質問内容",
    "質問事項", "問い", "問", "お問い合わせ", "問い合わせ", "ユーザー", "入力", "问题", "问",
    "质问", "质询", "提问", "问句", "询问", "用户", "输入", "問題", "提問", "詢問", "使用者",
    "輸入", "用戶", "pregunta", "preguntas", "consulta", "usuario", "entrada", "frage", "fragen",
    "anfrage", "eingabe", "pergunta", "perguntas", "questão", "usuário", "domanda", "domande",
    "utente", "quesito", "demande", "utilisateur", "entrée", "вопрос", "вопросы", "запрос",
    "пользователь", "питання", "запитання", "въпрос", "soru", "sorular", "kullanıcı", "câu hỏi",
    "hỏi", "cau hoi", "người dùng", "سؤال", "السؤال", "الأسئلة", "پرسش", "प्रश्न", "सवाल",
    "প্রশ্ন", "கேள்வி", "pertanyaan", "soalan", "tanya", "คำถาม", "pytanie", "pytania", "vraag",
    "vragen", "fråga", "spørgsmål", "spørsmål", "kysymys", "otázka", "otázky", "kérdés",
    "întrebare", "pitanje", "vprašanje", "ερώτηση", "שאלה", "tanong",
)  # fmt: skip
_ANSWERS = _named(
    "answer", "answers", "a", "output text", "completion text", "answer text", "ans", "response",
    "responses", "reply", "completion", "output", "assistant", "assistant message",
    "assistant response", "bot", "gpt", "chatgpt", "chatbot", "ai", "model", "model response",
    "ai response", "bot response", "ideal response", "답변", "대답", "답", "응답", "답변내용",
    "답변 내용", "회신", "정답", "출력", "챗봇", "어시스턴트", "回答", "回答文", "回答内容",
    "答え", "答", "解答", "返答", "応答", "返信", "出力", "アシスタント", "答案", "答复", "答覆",
    "回复", "回覆", "应答", "輸出", "输出", "助手", "响应", "respuesta", "respuestas",
    "asistente", "salida", "antwort", "antworten", "ausgabe", "resposta", "respostas",
    "assistente", "saída", "réponse", "réponses", "reponse", "sortie", "risposta", "risposte",
    "ответ", "ответы", "ассистент", "відповідь", "отговор", "cevap", "cevaplar", "yanıt",
    "câu trả lời", "trả lời", "đáp án", "đáp", "tra loi", "cau tra loi", "جواب", "الجواب",
    "إجابة", "الإجابة", "اجابة", "پاسخ", "उत्तर", "जवाब", "উত্তর", "பதில்", "jawaban", "jawapan",
    "jawab", "คำตอบ", "odpowiedź", "odpowiedzi", "antwoord", "antwoorden", "svar", "vastaus",
    "odpověď", "odpoveď", "válasz", "răspuns", "odgovor", "απάντηση", "תשובה", "sagot",
)  # fmt: skip
# Whose question or answer it is, before the word itself, and what it is like.
_ASKED_BY = (
    "user", "customer", "client", "human", "sample", "example", "고객", "고객의", "사용자", "유저",
    "예상", "예시", "상담", "ユーザー", "顧客", "お客様", "客户", "用户", "用戶",
)  # fmt: skip
_ANSWERED_BY = (
    "bot", "chatbot", "assistant", "agent", "ai", "model", "expected", "ideal", "correct", "gold",
    "sample", "example", "챗봇", "상담", "상담사", "상담원", "모범", "예상", "예시", "기대", "추천",
    "ボット", "模範", "客服", "标准", "標準", "参考",
)  # fmt: skip
_QUESTIONS |= _named(
    *(
        f"{who} {what}"
        for who in _ASKED_BY
        for what in ("question", "query", "질문", "문의", "質問", "问题")
    ),
    *(
        f"{who}{what}"
        for who in _ASKED_BY
        for what in ("질문", "문의", "質問", "问题", "提问", "問題")
    ),
)
_ANSWERS |= _named(
    *(
        f"{who} {what}"
        for who in _ANSWERED_BY
        for what in ("answer", "reply", "답변", "응답", "回答")
    ),
    *(
        f"{who}{what}"
        for who in _ANSWERED_BY
        for what in ("답변", "응답", "답안", "回答", "答案", "回复")
    ),
)
# What numbers, dates and sorts rows: no template begins with it.
_NUMBERS = _named(
    "role", "speaker", "author", "from",
    "id", "no", "nr", "n", "num", "number", "index", "idx", "uuid", "key", "row", "date",
    "created", "created at", "timestamp", "time", "source", "category", "type", "lang",
    "language", "url", "번호", "순번", "날짜", "구분", "분류", "番号", "日付", "編號", "编号",
    "序号", "類別", "类别", "日期", "分類", "número", "numero", "nummer", "datum", "fecha",
    "data", "номер", "дата",
)  # fmt: skip
