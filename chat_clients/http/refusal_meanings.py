"""The meaning of a provider's refusal: by its status, its words for it, and only then by its sentences.

Facts in tables. What is added to them is added to ``tests/unit/chat_clients/refusals.json`` too, whose refusals are
those of real servers. In a pattern ``…`` stands for some words of the same sentence.
"""

from __future__ import annotations

import re

from chat_clients.http.foreign_words import NO_TOOLS, meaning_in
from chat_clients.http.late_pattern import LatePattern
from chat_clients.http.status_errors import ProviderStatusError

BY_STATUS: dict[int, str] = {
    **dict.fromkeys((301, 302, 307, 308, 404, 405, 410), "model.not_found"),
    **dict.fromkeys((400, 415, 422, 424), "model.bad_request"),
    **dict.fromkeys((401, 403), "model.refused_key"),
    **dict.fromkeys((408, 504, 524), "model.timeout"),
    402: "model.no_quota",
    413: "model.too_long",
    **dict.fromkeys((429, 498), "model.rate_limited"),  # Groq's 498: no capacity
}

BY_CODE: dict[str, str] = {
    "arrearage": "model.no_quota",
    "authentication_error": "model.refused_key",
    "billing_hard_limit_reached": "model.no_quota",
    "billing_not_active": "model.no_quota",
    "budget_exceeded": "model.no_quota",
    "content_filter": "model.content_filter",
    "content_policy_violation": "model.content_filter",
    "context_length_exceeded": "model.too_long",
    "context_window_exceeded": "model.too_long",
    "credit_balance_too_low": "model.no_quota",
    "data_inspection_failed": "model.content_filter",
    "deploymentnotfound": "model.not_found",
    "exceed_context_size_error": "model.too_long",
    "exceeded_current_quota_error": "model.no_quota",
    "insufficient_balance": "model.no_quota",
    "insufficient_credits": "model.no_quota",
    "insufficient_quota": "model.no_quota",
    "insufficient_user_quota": "model.no_quota",
    "invalid_api_key": "model.refused_key",
    "invalid_prompt": "model.bad_request",
    "max_output_tokens": "model.cut_short",
    "model_decommissioned": "model.not_found",
    "model_deprecated": "model.not_found",
    "model_not_available": "model.not_found",
    "model_not_found": "model.not_found",
    "model_not_supported": "model.not_found",
    "payment_required": "model.no_quota",
    "rate_limit_error": "model.rate_limited",
    "rate_limit_exceeded": "model.rate_limited",
    "request_too_large": "model.too_long",
    "resource_exhausted": "model.rate_limited",
    "string_above_max_length": "model.too_long",
    "too_many_requests": "model.rate_limited",
    "unsupported_model": "model.not_found",
}

# Members of a request; a sentence that is about one of them is not about the model, nor about the conversation.
FIELDS = frozenset(
    {
        "frequency_penalty", "function_call", "functions", "include", "logit_bias", "logprobs", "max_completion_tokens",
        "max_output_tokens", "max_tokens", "metadata", "modalities", "parallel_tool_calls", "prediction",
        "presence_penalty", "reasoning", "reasoning_effort", "response_format", "seed", "service_tier", "stop", "store",
        "stream_options", "temperature", "tool_choice", "top_k", "top_logprobs", "top_p", "truncation", "user",
        "verbosity", "web_search_options",
    }
)  # fmt: skip

# The last word of a member's address where that holds what people, models and tools have said.
_SPOKEN = frozenset(
    {"arguments", "content", "contents", "input", "input_tokens", "inputs", "instructions", "messages", "output"}
    | {"parts", "prompt", "text"}
)

# What a status or a code says of it is no more than that something is wrong.
_VAGUE = ("model.bad_request", "model.failed", "model.not_found")
_BUSY_STATUSES = (429, 502, 503, 529)

_GAP = r"(?:[^.\n]|\.(?=\S)){0,90}?"  # the dot in a model's name ends no sentence


def _pattern(*phrases: str) -> LatePattern:
    """Return what finds any of the phrases, whatever their case and their blanks."""
    return LatePattern("|".join(phrase.replace("…", _GAP).replace(" ", r"\s+") for phrase in phrases), re.I | re.M)


_SAID = r"\b(?:prompts?|inputs?|requests?|messages?|conversation|history|sequence|context|payload)\b"

_TOO_LONG = _pattern(
    r"context[ _](?:length|size|window|limit)",
    r"context\s?window\s?exceeded",
    rf"{_SAID}…\btoo (?:long|large|big|many)\b",
    r"\btoo (?:many|long)…\b(?:tokens|prompt|input)\b",
    r"\b(?:maximum|max\.?|longest)[ _](?:allowed[ _])?(?:prompt|input|model|sequence|context|request)"
    r"[ _]?(?:length|len|size|tokens)",
    r"\b(?:maximum|max) (?:number of )?(?:input |prompt )?tokens",
    r"\btoken limit",
    r"\btokens?\b…\b(?:exceed|surpass)",
    r"\bexceed\w*…\b(?:tokens?|max(?:imum)? length|context)\b",
    rf"{_SAID}…\bexceed",
    r"\b(?:over|above|beyond) …\blimit…\btokens",
    r"\blimited to …\btokens",
    r"\btokens? >",
    rf"(?:{_SAID}|\btokens\b)…\b(?:longer|larger|greater|more) than",
    r"\breduce (?:the|your) (?:length|size|prompt|input|messages|number of)",
    r"\brange of input length",
    r"\binput length should be",
    r"\bmust have less than \d+ tokens",
    r"tokens\W{1,3}must be <=",
    r"\bstring too long\b",
    r"\btokens\b…\bmust be (?:less|fewer|lower|smaller|shorter|at most|below|under)\b",
    rf"{_SAID}…\b(?:beyond|outside|over)\b…\b(?:window|limit|maximum)\b",
    rf"{_SAID}…\btokens\b…\blimit is\b",
    r"\bonly …\btokens\b…\b(?:supported|allowed)",
    r"\btokens\b…\bonly …\bfit",
    rf"{_SAID}…\bnot fit\b",
    r"\bn_ctx\b",
)
# Names and ids have a longest length too.
_NAME_TOO_LONG = _pattern(
    r"\b(?:names?|ids?|identifiers?|keys?|labels?|urls?)\b[\"'`]? (?:(?:is|are) )?too (?:long|large)",
)

_NO_QUOTA = _pattern(
    r"credit balance",
    r"\binsufficient (?:account |user )?(?:balance|credits?|funds|quota)",
    r"\b(?:not enough|no more|out of|more) (?:balance|credits?|funds|quota)\b",
    r"\b(?:balance|credits?|funds|quota) (?:is|are) (?:insufficient|not enough|too low|exhausted|depleted|used up)",
    r"\b(?:over|exceeded) (?:(?:the|its|your|their) )?budget\b",
    r"\bbudget\b…\b(?:exceeded|used up)",
    r"\bkey limit exceeded",
    r"\bexceededbudget\b",
    r"\bfree (?:tier|quota|allocated quota|trial|credits?)\b…\b(?:exhausted|used up|over|ended|expired)\b",
    r"payment required",
    r"\bexceeded…\bquota",
    r"\bquota\b…\b(?:exceeded|exhausted|used up|reached)",
    r"\b(?:monthly|daily|usage|spending) (?:quota |usage |spending )?limit\b…\b(?:reached|exceeded)",
    r"\breached…\b(?:quota|(?:monthly|daily|usage|spending) (?:quota |usage |spending )?limit)\b",
)
_BILLING = _pattern(r"\bbilling\b", r"\baccount\b…\b(?:overdue|in arrears|suspended)")
_BRIEFLY = _pattern(r"per[ -]?(?:minute|min|second|sec)\b", r"perminute", r"\brate limit reached for\b")
_TOO_OFTEN = _pattern(r"\btoo many requests\b", r"\brate[ _-]?limit", r"\brequest limit reached\b")
_FOR_TODAY = _pattern(r"per[ -]?(?:day|month)", r"\b(?:daily|monthly)\b")

_FILTERED = _pattern(
    r"\bflagged\b…\b(?:violat|polic|moderat|unsafe|harmful)",
    r"\bviolat\w+…\b(?:content|usage|safety) polic",
    r"\bcontent (?:management|safety) polic",
    r"\b(?:inappropriate|unsafe|harmful) content\b",
    r"\bcontent exists risk\b",
    r"\b(?:blocked|rejected|stopped) by…\b(?:content filter|safety|guardrail|moderation)",
)
_NO_KEY = _pattern(r"\bapi[ _-]?key…\b(?:not valid|invalid|not found|missing|expired)", r"\binvalid api[ _-]?key\b")

# "models/x", "the model `x`", "model ID x", "the model you requested", "deployment x", before what became of it.
_MODEL = (
    r"\b(?:models/\S+|(?:models?|deployment)\b(?: (?:id|name|version|for this resource))?"
    r"(?: you(?:'ve| have)? (?:requested|specified|selected|asked for))?"
    r"[ :]*(?:[\"'`“‘(<]?[^\s\"'`“”‘’]+[\"'`”’)>]?)?)[ ,:]*"
)
_ENDED = r"(?:removed|retired|deprecated|decommissioned|discontinued|deleted|disabled|shut down|sunset|phased out)"
_IS_GONE = (
    r"(?:(?:(?:do|does|did) not|doesn't|not) exist"
    r"|(?:(?:is|was|could|can) )?(?:not|n't) (?:be )?(?:found|available|supported|served)\b"
    rf"|(?:(?:has|have) been|is|was|will be) (?:now |already )?{_ENDED}"
    r"|(?:is )?no longer (?:available|supported|served|offered|active|accessible|exists?)"
    r"|(?:is )?(?:unavailable|unsupported|unknown|not a (?:valid|supported|known))"
    r"|(?:has )?reached (?:its )?end)"
)
_NO_MODEL = _pattern(
    rf"{_MODEL}{_IS_GONE}",
    r"\b(?:invalid|unknown|no such|unsupported|unrecognized) (?:model|deployment)\b",
    r"\bmodel (?:identifier|id|name) (?:\S+ )?is (?:invalid|not valid)\b",
    r"\bnot a (?:valid|supported|known) model\b",
    r"\bno endpoints found for\b",
    r"\btry pulling it\b",
    r"\bprovider not provided\b",
    r"\b(?:does not|doesn't) work with the (?:specified|given|requested) model\b",
    r"\b(?:(?:do|does) not|don't|doesn't) have access to (?:it|the model|model|this model)\b",
    rf"\bmodel\b…\b(?:end[ -]of[ -](?:its )?life|{_ENDED})\b",
    r"\b(?:could not|cannot|can't|unable to) (?:find|locate) (?:the )?(?:model|deployment)\b",
    r"\bno model\b…\b(?:found|named|called|exists)",
    rf"^\W*\S+ (?:is|has been|was) {_ENDED}\b",
)
_FOR_NOW = _pattern(r"\b(?:temporarily|currently|momentarily|overloaded|at capacity|try again (?:later|in|shortly))\b")
_ABOUT_FIELD = _pattern(
    r"\b(?:parameters?|arguments?|fields?|property|properties|options?|extra inputs?)\b", r"\bapi[ -]version\b"
)
_FIELD_IS = re.compile(
    rf"(?<![\w/.-])[\"'`“‘]?(?:{'|'.join(sorted(FIELDS))})[\"'`”’]?\s+(?:\w+\s+){{0,2}}?"
    r"(?:is|are|has|have|does|do|was|must|cannot|should|too)\b",
    re.IGNORECASE,
)
_NAMES_FIELD = re.compile(rf"(?<![a-z_])(?:{'|'.join(sorted(name for name in FIELDS if '_' in name))})(?![a-z_])")
# As a router says it whose providers have the model, and do not take what is asked of it.
_LACKS_ABILITY = _pattern(r"\bno endpoints found that\b", r"\brequested parameters\b")
_INVALID_ADDRESS = re.compile(r"\binvalid ['\"`]([\w.\[\]]+)['\"`]", re.IGNORECASE)

# "tools", "tool use", "function calling"; not "tool_choice", "parallel tool calls", nor "the tool 'add'".
_TOOLS = (
    r"(?<!parallel\s)(?<!following\s)(?<!these\s)(?<!those\s)(?<!some\s)(?<!strict\s)(?<!hosted\s)(?<!custom\s)"
    r"(?>[\"'`“‘]?\b(?:tools?(?: (?:use|usage|calls?|calling|support|parameters?))?"
    r"|function[ -]?call(?:s|ing)|functions|tool[_-](?:use|calls?|calling))\b(?![_-])[\"'`”’]?)"
)
_NO_TOOLS = _pattern(
    r"(?:\b(?:do|does|did|is|are)(?: not|n't)|\bcannot|\bcan't|\bunable to) (?:currently |yet |able to )?"
    rf"(?:support|allow|accept|use|handle) (?:(?:the|any|native|external) )?{_TOOLS}(?! without\b)",
    rf"{_TOOLS} (?:(?:is|are|was) )?(?:currently )?"
    r"(?:not (?:yet )?(?:supported|available|enabled|allowed|implemented)|unsupported|disabled)",
    rf"\b(?:unsupported|unknown|unexpected|unrecognized) (?:parameter|argument|field)s?\W+{_TOOLS}",
    rf"\bno endpoints found that support {_TOOLS}",
    r"--enable-auto-tool-choice\b",
    r"\btools param requires --jinja\b",
    *NO_TOOLS,
)

_LOADING = _pattern(
    r"\bloading (?:the )?model\b",
    r"\bmodel loading\b",
    r"\bmodel\b…\b(?:is|are) (?:currently |still |now |being )*(?:loading|loaded)\b(?! (?:in|on|with)\b)",
    r"\b(?:currently|still) (?:being )?load(?:ing|ed)\b",
    r"\bmodel\b…\b(?:warming up|starting up|not (?:yet )?(?:ready|loaded))\b",
)
_LOAD_FAILED = _pattern(r"\b(?:fail|error|unable|cannot|could not|couldn't|can't)\w*…\bload")
_LOADING_STATUSES = frozenset({409, 425, 429, 500, 502, 503, 504})


def meaning_of(refusal: ProviderStatusError) -> str:
    """Return the code by which we name what a refusal means, e.g. ``"model.too_long"``."""
    if refusal.status == 402:
        return "model.no_quota"  # whatever else a proxy says
    if is_loading(refusal):
        return "model.loading"
    meaning = _by_code(refusal) or BY_STATUS.get(refusal.status, "model.failed")
    if meaning == "model.rate_limited":
        return _meaning_of_limit(refusal.text)
    if meaning not in (*_VAGUE, "model.too_long", "model.refused_key"):
        return meaning
    if meaning in _VAGUE and _NO_QUOTA.search(refusal.text):
        return "model.no_quota"
    if meaning != "model.refused_key" and refusal.status != 413 and is_about_field(refusal):
        return "model.bad_request"
    if meaning == "model.too_long":
        return meaning
    if _NO_QUOTA.search(refusal.text) or (refusal.status in (400, 403) and _BILLING.search(refusal.text)):
        return "model.no_quota"
    if meaning in _VAGUE and _TOO_LONG.search(refusal.text) and not _NAME_TOO_LONG.search(refusal.text):
        return "model.too_long"
    if meaning in _VAGUE and _NO_KEY.search(refusal.text):
        return "model.refused_key"  # as Google says it
    if refusal.status in (0, 400) and _TOO_OFTEN.search(refusal.text):
        return "model.rate_limited"  # without a status of its own, as within a stream
    if refusal.status in (400, 403, 422) and _FILTERED.search(refusal.text):
        return "model.content_filter"
    if refusal.status != 401 and _is_model_gone(refusal):
        return "model.not_found"
    # A name of a member is written alike in all languages.
    is_foreign = refusal.status not in (401, 404, 500) and not _NAMES_FIELD.search(refusal.text)
    return (meaning_in(refusal.text) if is_foreign else None) or meaning


def is_about_length(refusal: ProviderStatusError) -> bool:
    """Return whether a refusal says how much may be asked for, in whatever part of a request."""
    return _TOO_LONG.search(refusal.text) is not None


def is_about_tools(refusal: ProviderStatusError) -> bool:
    """Return whether a refusal says that the model can use no tools at all."""
    return refusal.status in (0, 400, 404, 405, 422, 500, 501) and _NO_TOOLS.search(refusal.text) is not None


def is_about_field(refusal: ProviderStatusError) -> bool:
    """Return whether a refusal is about a member of the request that is neither the model nor what was said."""
    addresses = [*refusal.params, *_INVALID_ADDRESS.findall(refusal.text)]
    for words in map(words_of_address, addresses):
        if FIELDS & set(words):
            return True
        if refusal.status in (0, 400, 422) and words and words[-1] not in _SPOKEN and words[0] != "model":
            return True
    return _FIELD_IS.search(refusal.text) is not None or _LACKS_ABILITY.search(refusal.text) is not None


def words_of_address(address: str) -> list[str]:
    """Return the names in a member's address, e.g. of ``"generationConfig.topP"``, in Python's spelling."""
    words = re.split(r"[^\w-]+", address)
    return [re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word).lower() for word in words if word and not word.isdigit()]


def is_loading(refusal: ProviderStatusError) -> bool:
    """Return whether a server says that the model is on its way from the disk, and will answer then."""
    is_likely = refusal.status in _LOADING_STATUSES and _LOADING.search(refusal.text) is not None
    return is_likely and _LOAD_FAILED.search(refusal.text) is None


def _by_code(refusal: ProviderStatusError) -> str | None:
    found = [BY_CODE[code] for code in refusal.codes if code in BY_CODE]
    # A used-up account is called a limit of the rate too.
    return "model.no_quota" if "model.no_quota" in found else next(iter(found), None)


def _meaning_of_limit(text: str) -> str:
    if re.search(r"\brequest too large\b", text, re.IGNORECASE):
        return "model.too_long"  # waiting does not make it smaller
    is_quota = _NO_QUOTA.search(text) is not None
    if is_quota and _FOR_TODAY.search(text):
        return "model.no_quota"
    if _BRIEFLY.search(text):
        return "model.rate_limited"
    return "model.no_quota" if is_quota or _BILLING.search(text) else "model.rate_limited"


def _is_model_gone(refusal: ProviderStatusError) -> bool:
    if any(words_of_address(param)[:1] == ["model"] for param in refusal.params):
        return True
    if refusal.status in _BUSY_STATUSES or _ABOUT_FIELD.search(refusal.text) or _FOR_NOW.search(refusal.text):
        return False
    return _NO_MODEL.search(refusal.text) is not None
