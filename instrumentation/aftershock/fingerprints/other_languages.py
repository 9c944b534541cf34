"""What services say in Chinese, Japanese, Korean, Russian, Dutch, Polish, Swedish and Turkish.

The same few phrases as in `languages`: that something failed, was refused, is not there, goes on,
stands still, or changed nothing.
"""

from __future__ import annotations

import re

from aftershock.model import AnswerState

# Cheaper than the patterns: ASCII without any of these holds none of the phrases.
MARKS = (
    "niet", "geen ", "mislukt", "behandeling", "wachtrij", "wacht op", "bezig", "ongewijzigd",
    "geweigerd", "afgewezen", "nie ", "brak ", "oczekuj", "kolejce", "w toku", "odrzuc", "odmow",
    "bez zmian", "misslyckades", "inte ", "inga ", "nekad", "avvisad", "i kö", "olump", "reddedil",
    "bulunamad", "bekle", "devam ediyor", "kuyrukta",
)  # fmt: skip

FAILED = re.compile(
    r"""^\W{0,4}(?:
          (?:错误|錯誤|失败|失敗|エラー|오류|에러|ошибка|сбой|fout|błąd|hata)\s?[:：!]
        | (?![^\n]{0,20}(?:没有|沒有|无|無|未|不会|なし|없))[^\n。，,:：\d{\["]{0,20}?
          (?:失败|失敗(?:しました)?|실패(?:했습니다|하였습니다)?|超时|超時|タイムアウト(?:しました)?
             |시간\s?초과)
          (?=\W{0,3}(?:$|\n|[:：。，,.!！]))(?!\W{0,3}0)
        | не\s(?:удалось|удаётся)\b | (?:nie\sudało\ssię|nie\smożna)\b
        | (?:[\w\-]+\s){1,6}?(?:is\s|är\s)?(?:mislukt|misslyckades|başarısız(?:\soldu)?)\b
        )""",
    re.IGNORECASE | re.VERBOSE,
)
NOTHING = re.compile(
    r"""^\W*(?:
          (?:没有|沒有|未)(?:找到|发现|發現|查询到|查詢到)[^\n]{0,40} | (?:无|無)(?:结果|結果|数据|資料)
        | [^\n。]{0,24}?(?:見つかりません(?:でした)?|該当(?:なし|する[^\n]{0,12}(?:ありません|なし)))
        | [^\n]{0,24}?(?:찾을\s?수\s?없(?:습니다|음)|(?:결과|데이터)(?:가|는|은)?\s?없(?:습니다|음))
        | ничего\sне\sнайдено | (?:[\w\-]+\s){0,2}не\s(?:найден[оаы]?|существует)
        | geen\s(?:\w+\s)?(?:resultaten|gegevens|records|documenten|rijen)
        | (?:\w+\s){0,2}niet\sgevonden | (?:\w+\s){0,2}nie\sznaleziono | brak\s(?:wyników|danych)
        | inga\s(?:\w+\s)?(?:resultat|träffar|poster|data) | (?:\w+\s){0,2}hittades\sinte
        | (?:\w+\s){0,2}bulunamadı
        )\W*$""",
    re.IGNORECASE | re.VERBOSE,
)
UNCHANGED = re.compile(
    r"""(?:没有|沒有|无|無)(?:任何)?(?:更改|变化|變化|变更|變更) | 变更はありません | 変更(?:は)?(?:なし|ありません)
      | 변경\s?(?:사항(?:이|은)?\s?)?없(?:습니다|음) | (?:已存在|既に存在|すでに存在|이미\s?존재)
      | \bбез\sизменений\b | \bуже\sсуществует\b
      | \bongewijzigd\b | \bgeen\swijzigingen\b | \bbestaat\sal\b
      | \bbez\szmian\b | \bjuż\sistnieje\b | \binga\sändringar\b | \bfinns\sredan\b
      | \bdeğişiklik\syok\b | \bzaten\s(?:var|mevcut)\b""",
    re.IGNORECASE | re.VERBOSE,
)
REFUSED = re.compile(
    r"""(?:被拒绝|被拒絕|拒绝访问|拒絕存取|不允许|不允許|无权|無權)
      | (?:拒否され(?:ました|ています)|許可されていません|権限がありません)
      | (?:거부되었습니다|거부됨|허용되지\s?않|권한이\s?없)
      | \b(?:отклон[её]н|отказано|запрещен|запрещён)[оаы]?\b
      | \b(?:is|zijn|werd|werden)\s(?:geweigerd|afgewezen)\b | \bniet\s(?:toegestaan|mogelijk)\b
      | \b(?:odrzucon|odmówion)[oaey]\b | \bniedozwolon[eya]\b
      | \b(?:nekad|avvisad|avslag)(?:es|e|t)?\b | \binte\stillåt(?:et|en|na)\b | \breddedildi\b""",
    re.IGNORECASE | re.VERBOSE,
)
PENDING = re.compile(
    r"""(?:等待中|等待|排队|排隊|处理中|處理中|进行中|進行中|运行中|運行中|执行中|正在\w{2,6})
      | (?:待機中|保留中|処理中|実行中|準備中|生成中|キュー)
      | (?:대기\s?중|처리\s?중|진행\s?중|실행\s?중|준비\s?중|생성\s?중)
      | \b(?:ожидани[ея]|ожидает|в\s(?:очереди|обработке|процессе)|выполняется|обрабатывается)\b
      | \bin\s(?:behandeling|de\swachtrij|voorbereiding)\b | \bwacht\sop\b
      | \bnog\sniet\s(?:klaar|gereed)\b
      | \b(?:oczekuj\w+|w\s(?:toku|kolejce|trakcie)|przetwarzan\w+)\b
      | \b(?:väntar|pågår|behandlas|i\skö)\b
      | \b(?:bekliyor|beklemede|işleniyor|kuyrukta|devam\sediyor|lütfen\sbekley\w+)\b""",
    re.IGNORECASE | re.VERBOSE,
)
STATES = (
    (UNCHANGED, AnswerState.UNCHANGED),
    (REFUSED, AnswerState.REFUSED),
    (PENDING, AnswerState.PENDING),
)


def may_be_one(text: str) -> bool:
    """False for a text that certainly holds none of the phrases."""
    if text.isascii():
        lower = text.lower()
        return any(mark in lower for mark in MARKS)
    return True


def state_in_words(short: str) -> AnswerState | None:
    """The state that a short answer names in one of these languages; None: it names none."""
    if not may_be_one(short):
        return None
    return next((state for pattern, state in STATES if pattern.search(short)), None)


def says_failed(head: str) -> bool:
    """True for an answer that begins with the words for an error in one of these languages."""
    return may_be_one(head) and FAILED.match(head) is not None


def says_nothing(text: str) -> bool:
    """True for a short answer that says that nothing was found."""
    return may_be_one(text) and NOTHING.match(text) is not None
