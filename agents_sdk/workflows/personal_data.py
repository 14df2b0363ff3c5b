"""Finds and masks personal data such as addresses and numbers by patterns, in plain and in encoded text."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import unicodedata
from collections.abc import Collection
from urllib.parse import unquote

PATTERNS = {
    "EMAIL_ADDRESS": r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "URL": r"https?://[^\s<>\"']+",
    "IBAN_CODE": r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b",
    "CREDIT_CARD": r"\b\d(?:[ -]?\d){12,18}\b",
    "US_ITIN": r"\b9\d{2}[ -]?(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])[ -]?\d{4}\b",
    "US_SSN": r"\b\d{3}([ -]?)\d{2}\1\d{4}\b",
    "KR_RRN": r"\b\d{6}-[1-8]\d{6}\b",
    "IP_ADDRESS": r"\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:[0-9a-fA-F]{1,4}:){2,7}:?[0-9a-fA-F]{1,4}\b",
    "CVV": r"(?i)\b(?:cvv|cvc)\W{0,3}\d{3,4}\b",
    "BIC_SWIFT": r"(?i:\b(?:swift|bic)(?:[ -]?code)?)\W{1,3}[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\b",
    "CRYPTO": r"\b(?:bc1[a-z0-9]{25,60}|[13][a-km-zA-HJ-NP-Z1-9]{25,34})\b",
    "UK_NINO": r"\b[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b",
    "UK_NHS": r"\b\d{3}[ -]?\d{3}[ -]?\d{4}\b",
    "ES_NIF": r"\b\d{7,8}-?[A-Z]\b",
    "ES_NIE": r"\b[XYZ]\d{7}-?[A-Z]\b",
    "IT_FISCAL_CODE": r"\b[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]\b",
    "FI_PERSONAL_IDENTITY_CODE": r"\b\d{6}[+A-]\d{3}[0-9A-FHJ-NPR-Y]\b",
    "SG_NRIC_FIN": r"\b[STFGM]\d{7}[A-Z]\b",
    "IN_PAN": r"\b[A-Z]{5}\d{4}[A-Z]\b",
    "IN_AADHAAR": r"\b[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}\b",
    "PL_PESEL": r"\b\d{11}\b",
    "US_PASSPORT": r"\b(?:[A-Z]\d{8}|\d{9})\b",
    "US_BANK_NUMBER": r"\b\d{8,17}\b",
    "PHONE_NUMBER": r"(?<![\w.])(?:\+|00)?\(?\d(?:[ ./()-]{0,2}\d){6,14}(?![\w])",
}
"""Patterns of personal data, in the order in which they are masked: the most specific first."""

_INVISIBLE_CHARS = re.compile("[\u200b\u200c\u200d\u2060\ufeff]")
# Hexadecimal digits are Base64 too, so they come first.
_ENCODED = re.compile(r"(?P<hex>\b(?:[0-9a-fA-F]{2}){12,}\b)|(?P<base64>[A-Za-z0-9+/]{16,}={0,2})")
_WORD = re.compile(r"\S+")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")


def mask(text: str, kinds: Collection[str], *, has_encoded: bool = False) -> tuple[dict[str, list[str]], str]:
    """Return the personal data in a text by its kind, and the text with each of them replaced by its kind.

    A text without personal data is returned unchanged. Any other is normalised, since invisible characters and
    full-width digits may hide data.

    Args:
        text: The text to search.
        kinds: The kinds of data to search for, as keys of `PATTERNS`.
        has_encoded: Whether hexadecimal, Base64 and percent-encoded text is searched, too.
    """
    found: dict[str, list[str]] = {}
    masked = _INVISIBLE_CHARS.sub("", unicodedata.normalize("NFKC", text))
    if has_encoded:
        masked = _WORD.sub(lambda match: _mask_encoded(match[0], kinds, found), masked)
    for kind, pattern in PATTERNS.items():
        if kind in kinds:
            masked = re.sub(pattern, lambda match, kind=kind: _mask(match[0], kind, found), masked)  # type: ignore[misc]
    return found, masked if found else text


def _mask(text: str, kind: str, found: dict[str, list[str]]) -> str:
    if not _is_valid(kind, text):
        return text
    found.setdefault(kind, []).append(text)
    return f"<{kind}>"


def _mask_encoded(word: str, kinds: Collection[str], found: dict[str, list[str]]) -> str:
    if _PERCENT.search(word):
        return _mask_if_decoded(word, unquote(word, errors="replace"), kinds, found)
    return _ENCODED.sub(lambda match: _mask_if_decoded(match[0], _decode(match), kinds, found), word)


def _mask_if_decoded(encoded: str, decoded: str, kinds: Collection[str], found: dict[str, list[str]]) -> str:
    inner, _ = mask(decoded, kinds)
    for kind in inner:
        found.setdefault(kind, []).append(encoded)
    return f"<{next(iter(inner))}_ENCODED>" if inner else encoded


def _decode(match: re.Match[str]) -> str:
    """Return the text that is encoded in hexadecimal or Base64; "" if it is not a text."""
    try:
        if match["hex"]:
            return bytes.fromhex(match["hex"]).decode()
        bare = match["base64"].rstrip("=")
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True).decode()
    except (ValueError, binascii.Error):
        return ""


def _is_valid(kind: str, text: str) -> bool:
    digits = [int(char) for char in text if char.isdigit()]
    if kind == "CREDIT_CARD":
        return sum(d if at % 2 == 0 else d * 2 - 9 * (d > 4) for at, d in enumerate(reversed(digits))) % 10 == 0
    if kind == "UK_NHS":
        return sum(d * (10 - at) for at, d in enumerate(digits)) % 11 == 0
    if kind == "PL_PESEL":
        return sum(d * w for d, w in zip(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), strict=True)) % 10 == 0
    if kind == "IP_ADDRESS":
        try:
            ipaddress.ip_address(text)
        except ValueError:
            return False
    return True
