"""Twelve questions and answers in each of many languages, and the encodings they are kept in."""

from __future__ import annotations

import json

_NOUNS = {
    "Korean": "역사 과학 음악 미술 지도 사전 소설 잡지 신문 동화 요리 여행",
    "Japanese": "歴史 科学 音楽 美術 地図 辞書 小説 雑誌 新聞 絵本 料理 旅行",
    "Chinese": "历史 科学 音乐 美术 地图 词典 小说 杂志 报纸 童话 烹饪 旅行",
    "Chinese of Taiwan": "歷史 科學 音樂 美術 地圖 字典 小說 雜誌 報紙 童話 烹飪 旅行",
    "French": "études livrées pièces œuvres thèses données règles poèmes métiers récits œufs fêtes",
    "German": "Gemälde Bücher Wörter Körper Straßen Gärten Märchen Hüte Länder Flüsse Möbel Züge",
    "Spanish": "música niños corazón lápiz montaña canción jardín árbol "
    "español máquina página baño",
    "Portuguese": "história ciência música canção atenção pão coração água "
    "português página lição mãe",
    "Russian": "история наука музыка живопись карты словари романы журналы "
    "газеты сказки кухня поездки",
    "Ukrainian": "історія наука музика живопис карти словники романи журнали "
    "газети казки їжа подорожі",
    "Polish": "książki źródła słowniki powieści dziś święta łąka żółw "
    "kuchnię gazetę muzykę podróże",
    "Czech": "dějepis příroda hudební umění slovník příběh časopis knížky "
    "pohádka vaření cestování řeka",
    "Hungarian": "történelem tudomány művészet térkép szótár regény folyóirat újság "
    "főzés könyv hősök tűz",
    "Greek": "ιστορία επιστήμη μουσική τέχνη χάρτες λεξικά βιβλία περιοδικά "
    "νέα παραμύθια φαγητά ταξίδια",
    "Turkish": "tarih müzik şiir sözlük öykü çocuk ışık ağaç gazete yemek gezi güneş",
    "Hebrew": "היסטוריה מדע מוזיקה אמנות מפות מילונים ספרים עיתונים חדשות אגדות בישול טיולים",
    "Arabic": "التاريخ العلوم الموسيقى الفنون الخرائط المعاجم الروايات المجلات "
    "الصحف القصص الطبخ السفر",
    "Thai": "ประวัติศาสตร์ วิทยาศาสตร์ ดนตรี ศิลปะ แผนที่ พจนานุกรม นิยาย นิตยสาร "
    "หนังสือพิมพ์ นิทาน อาหาร เดินทาง",
}  # fmt: skip
_SENTENCES = {
    "Korean": ("{} 책은 어디에 있나요?", "{} 서가는 {}층에 있습니다."),
    "Japanese": ("{}の本はどこですか。", "{}の棚は{}階にあります。"),
    "Chinese": ("{}类的书在哪里？", "{}书架在{}楼。"),
    "Chinese of Taiwan": ("{}類的書在哪裡？", "{}書架在{}樓。"),
    "French": ("Où sont les {} ?", "Les {} sont à l'étage {}, près de l'entrée."),
    "German": ("Wo finde ich {}?", "{} stehen im {}. Stock, hinten über der Tür."),
    "Spanish": ("¿Dónde está {}?", "La sección de {} está en el piso {}, allí al fondo."),
    "Portuguese": ("Onde está {}?", "A seção de {} está no {}º andar, à direita."),
    "Russian": ("Где стоят книги: {}?", "Полка {} находится на {} этаже."),
    "Ukrainian": ("Де стоять книжки: {}?", "Полиця {} є на {} поверсі."),
    "Polish": ("Gdzie są {}?", "Półka {} stoi na {} piętrze, obok wejścia."),
    "Czech": ("Kde je {}?", "Police {} je ve {}. patře, hned u dveří."),
    "Hungarian": ("Hol van: {}?", "A {} polca a(z) {}. emeleten található."),
    "Greek": ("Πού βρίσκεται: {};", "Το ράφι για {} είναι στον {}ο όροφο."),
    "Turkish": ("{} kitapları nerede?", "{} rafı {}. katta, girişin yanında."),
    "Hebrew": ("איפה הספרים של {}?", "המדף של {} נמצא בקומה {}."),
    "Arabic": ("أين كتب {}؟", "رف {} في الطابق {}."),
    "Thai": ("หนังสือ{}อยู่ที่ไหน", "ชั้น{}อยู่ชั้น {}"),
}
KEPT_IN = {
    "Korean": ("cp949", "euc_kr", "johab"),
    "Japanese": ("cp932", "euc_jp"),
    "Chinese": ("gb18030", "gbk"),
    "Chinese of Taiwan": ("cp950", "big5hkscs"),
    "French": ("cp1252", "mac_roman"),
    "German": ("cp1252", "mac_roman", "cp850"),
    "Spanish": ("cp1252", "mac_roman"),
    "Portuguese": ("cp1252", "mac_roman"),
    "Russian": ("cp1251", "koi8_r", "cp866", "iso8859_5"),
    "Ukrainian": ("cp1251", "koi8_u"),
    "Polish": ("cp1250", "iso8859_2", "cp852"),
    "Czech": ("cp1250", "iso8859_2"),
    "Hungarian": ("cp1250", "iso8859_2"),
    "Greek": ("cp1253", "iso8859_7"),
    "Turkish": ("cp1254",),
    "Hebrew": ("cp1255", "iso8859_8"),
    "Arabic": ("cp1256",),
    "Thai": ("cp874",),
}
"""Python's names of the encodings in which people have files of a language."""


def rows(language: str) -> list[tuple[str, str]]:
    """Questions and answers."""
    question, answer = _SENTENCES[language]
    return [
        (question.format(noun), answer.format(noun, number % 4 + 1))
        for number, noun in enumerate(_NOUNS[language].split())
    ]


def as_csv(language: str) -> str:
    """A table of them with a header."""
    lines = [f'"{question}","{answer}"\n' for question, answer in rows(language)]
    return "question,answer\n" + "".join(lines)


def as_jsonl(language: str) -> str:
    """Chat rows, in which most characters are ASCII."""
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in as_chats(language))


def as_chats(language: str) -> list[dict[str, object]]:
    """The rows as they are trained on."""
    return [
        {"messages": [{"role": "user", "content": question},
                      {"role": "assistant", "content": answer}]}
        for question, answer in rows(language)
    ]  # fmt: skip
