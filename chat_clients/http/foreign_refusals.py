"""Refusals in other languages than English, recognised by the phrases that servers and gateways use.

Searched only if neither the status nor the code says what a refusal means. In a phrase ``…`` stands for a few words of
the same sentence.
"""

from __future__ import annotations

import re

from chat_clients.http.lazy_pattern import LazyPattern

_GAP = r"[^.。\n]{0,60}?"

_PHRASES: dict[str, tuple[str, ...]] = {
    "model.too_long": (
        # Chinese, Japanese, Korean
        r"(?:输入|上下文|提示词?|prompt|消息|内容|文本|tokens?|长度|字符)…(?:过长|超长|太长|超出|超过|超限)",
        r"(?:超出|超过)…(?:上下文|最大长度|长度限制|tokens?)",
        r"(?:入力|プロンプト|コンテキスト|トークン|メッセージ|リクエスト)…(?:長すぎ|長過ぎ|超え|超過)",
        r"(?:입력|프롬프트|컨텍스트|토큰|메시지|요청)…(?:너무 (?:길|깁)|초과)",
        # German, French, Spanish, Portuguese, Italian, Russian
        r"\b(?:eingabe|anfrage|nachricht|prompt|kontext|text|verlauf)\b…\bzu (?:lang|groß)\b",
        r"\b(?:überschreitet|übersteigt)\b…\b(?:kontext|token|länge)",
        r"\b(?:requête|entrée|message|prompt|contexte|invite)\b…(?:\btrop long|\bdépasse)",
        r"\b(?:demasiado|muito|troppo) (?:larg|long|lung)[oa]\b",
        r"\b(?:excede|supera)\b…\b(?:tokens?|contexto|contesto|longitud|comprimento|lunghezza)",
        r"слишком (?:длинн|велик|больш)",
        r"превы(?:ша|ше)\w*…(?:токен|контекст|длин)",
    ),
    "model.no_quota": (
        r"欠费|余额不足|余额…不足|额度…(?:用尽|用完|不足|耗尽)|请充值",
        r"残高…不足|クレジット…(?:不足|ありません)|잔액…부족|크레딧…부족",
        r"\b(?:guthaben|kontingent)\b…\b(?:aufgebraucht|erschöpft|überschritten|nicht aus)",
        r"\b(?:solde|crédits?|quota)\b…(?:\binsuffisant|\bépuisé|\bdépassé)",
        r"\b(?:saldo|créditos?|crediti|credito)\b…\b(?:insuficiente|insufficient[ei]|agotad|esgotad|esaurit)",
        r"недостаточно средств|баланс…(?:исчерпан|недостаточ)",
    ),
    "model.content_filter": (r"敏感|违规|不安全|内容审核|有害内容|不適切な(?:内容|コンテンツ)|유해한 (?:내용|콘텐츠)",),
    "model.rate_limited": (
        r"并发数?(?:过高|超)|请求(?:过于频繁|过多|太频繁)|频率(?:过高|超)|限流|レート制限|요청이 너무 많",
    ),
    "model.not_found": (
        r"模型…(?:不存在|未找到|已下线)|(?:不存在|未找到|找不到)…模型",
        r"モデル…(?:存在しません|見つかりません)|모델…(?:존재하지 않|찾을 수 없)",
        r"\bmodell\b…\b(?:nicht gefunden|existiert nicht|gibt es nicht)",
        r"\bmodèle\b…(?:\bintrouvable|\bn.existe pas)",
        r"\bmodel[lo]*\b…\b(?:no existe|não existe|non esiste|no encontrado|não encontrado|non trovato)",
        r"модель…не (?:найден|существу)",
    ),
}

_PATTERNS = {
    code: LazyPattern("|".join(phrase.replace("…", _GAP) for phrase in phrases), re.IGNORECASE)
    for code, phrases in _PHRASES.items()
}

NO_TOOLS = (
    r"不支持…(?:工具|函数调用|function[ _-]?call|tools?\b)",
    r"ツール…(?:対応してい|サポート(?:されて|して)い)(?:ません|ない)",
    r"도구…지원하지 않",
    r"\bunterstützt keine (?:tools|werkzeuge|funktionsaufrufe)\b",
    r"\bne (?:prend pas en charge|supporte pas|gère pas)…\b(?:outils|tools|appels)",
    r"\b(?:no (?:admite|soporta)|não suporta|non supporta)…\b(?:herramientas|ferramentas|strumenti|tools)\b",
    r"не поддержива\w+…(?:инструмент|вызов|tools)",
)
"""Patterns of sentences in other languages which say that a model takes no tools."""

NO_PICTURES = (
    r"不支持…(?:图片|图像|视觉|多模态)|(?:图片|图像|視覚|画像)…(?:不支持|対応していません|サポートされていません)"
    r"|이미지…지원하지 않|\bunterstützt keine (?:bilder|bildeingaben)|\bne (?:prend|supporte)[^.]{0,30}\bimages"
    r"|\b(?:no (?:admite|soporta)|não suporta|non supporta)[^.]{0,30}\bim[aá]gen|не поддержива\w+[^.]{0,30}изображени"
)
"""Pattern of sentences in other languages which say that a model takes no pictures."""


def classify_foreign_text(text: str) -> str | None:
    """Return our error code for a text in another language, e.g. ``"model.too_long"``; None if no phrase matches."""
    return next((code for code, pattern in _PATTERNS.items() if pattern.search(text)), None)
