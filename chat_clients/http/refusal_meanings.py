"""Classifies a provider's refusal by its status, its error codes, and only then by its sentences.

Whatever is added to the tables needs an example in ``tests/unit/chat_clients/refusals.json``, which holds refusals of
real servers. In a pattern ``…`` stands for a few words of the same sentence.
"""

from __future__ import annotations

import re

from chat_clients.http.foreign_refusals import NO_TOOLS, classify_foreign_text
from chat_clients.http.lazy_pattern import LazyPattern
from chat_clients.http.status_errors import ProviderStatusError

CODE_BY_STATUS: dict[int, str] = {
    **dict.fromkeys((301, 302, 307, 308, 404, 405, 410), "model.not_found"),
    **dict.fromkeys((400, 415, 422, 424), "model.bad_request"),
    **dict.fromkeys((401, 403), "model.refused_key"),
    **dict.fromkeys((408, 504, 524), "model.timeout"),
    402: "model.no_quota",
    413: "model.too_long",
    **dict.fromkeys((429, 498), "model.rate_limited"),  # Groq's 498: no capacity
}

CODE_BY_PROVIDER_CODE: dict[str, str] = {
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

# Fields of a request. A sentence about one of them is about neither the model nor the conversation.
REQUEST_FIELDS = frozenset(
    {
        "frequency_penalty", "function_call", "functions", "include", "logit_bias", "logprobs", "max_completion_tokens",
        "max_output_tokens", "max_tokens", "metadata", "modalities", "parallel_tool_calls", "prediction",
        "presence_penalty", "reasoning", "reasoning_effort", "response_format", "seed", "service_tier", "stop", "store",
        "stream_options", "temperature", "tool_choice", "top_k", "top_logprobs", "top_p", "truncation", "user",
        "verbosity", "web_search_options",
    }
)  # fmt: skip

# Last names in the addresses of fields that hold the words of people, models and tools.
_CONVERSATION_FIELDS = frozenset(
    {"arguments", "content", "contents", "input", "input_tokens", "inputs", "instructions", "messages", "output"}
    | {"parts", "prompt", "text"}
)

# Codes that say no more than that something is wrong.
_VAGUE_CODES = ("model.bad_request", "model.failed", "model.not_found")
_BUSY_STATUSES = (429, 502, 503, 529)

_GAP = r"(?:[^.\n]|\.(?=\S)){0,90}?"  # the dot in a model's name ends no sentence


def _any_phrase(*phrases: str) -> LazyPattern:
    """Return a pattern that finds any of the phrases, in upper or lower case, with any white space between words."""
    return LazyPattern("|".join(phrase.replace("…", _GAP).replace(" ", r"\s+") for phrase in phrases), re.I | re.M)


_CONVERSATION_WORDS = r"\b(?:prompts?|inputs?|requests?|messages?|conversation|history|sequence|context|payload)\b"

_TOO_LONG = _any_phrase(
    r"context[ _](?:length|size|window|limit)",
    r"context\s?window\s?exceeded",
    rf"{_CONVERSATION_WORDS}…\btoo (?:long|large|big|many)\b",
    r"\btoo (?:many|long)…\b(?:tokens|prompt|input)\b",
    r"\b(?:maximum|max\.?|longest)[ _](?:allowed[ _])?(?:prompt|input|model|sequence|context|request)"
    r"[ _]?(?:length|len|size|tokens)",
    r"\b(?:maximum|max) (?:number of )?(?:input |prompt )?tokens",
    r"\btoken limit",
    r"\btokens?\b…\b(?:exceed|surpass)",
    r"\bexceed\w*…\b(?:tokens?|max(?:imum)? length|context)\b",
    rf"{_CONVERSATION_WORDS}…\bexceed",
    r"\b(?:over|above|beyond) …\blimit…\btokens",
    r"\blimited to …\btokens",
    r"\btokens? >",
    rf"(?:{_CONVERSATION_WORDS}|\btokens\b)…\b(?:longer|larger|greater|more) than",
    r"\breduce (?:the|your) (?:length|size|prompt|input|messages|number of)",
    r"\brange of input length",
    r"\binput length should be",
    r"\bmust have less than \d+ tokens",
    r"tokens\W{1,3}must be <=",
    r"\bstring too long\b",
    r"\btokens\b…\bmust be (?:less|fewer|lower|smaller|shorter|at most|below|under)\b",
    rf"{_CONVERSATION_WORDS}…\b(?:beyond|outside|over)\b…\b(?:window|limit|maximum)\b",
    rf"{_CONVERSATION_WORDS}…\btokens\b…\blimit is\b",
    r"\bonly …\btokens\b…\b(?:supported|allowed)",
    r"\btokens\b…\bonly …\bfit",
    rf"{_CONVERSATION_WORDS}…\bnot fit\b",
    r"\bn_ctx\b",
)
# Names and ids may be too long, too.
_NAME_TOO_LONG = _any_phrase(
    r"\b(?:names?|ids?|identifiers?|keys?|labels?|urls?)\b[\"'`]? (?:(?:is|are) )?too (?:long|large)",
)

_NO_QUOTA = _any_phrase(
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
_BILLING = _any_phrase(r"\bbilling\b", r"\baccount\b…\b(?:overdue|in arrears|suspended)")
_PER_MINUTE = _any_phrase(r"per[ -]?(?:minute|min|second|sec)\b", r"perminute", r"\brate limit reached for\b")
_RATE_LIMITED = _any_phrase(r"\btoo many requests\b", r"\brate[ _-]?limit", r"\brequest limit reached\b")
_PER_DAY = _any_phrase(r"per[ -]?(?:day|month)", r"\b(?:daily|monthly)\b")

_CONTENT_FILTERED = _any_phrase(
    r"\bflagged\b…\b(?:violat|polic|moderat|unsafe|harmful)",
    r"\bviolat\w+…\b(?:content|usage|safety) polic",
    r"\bcontent (?:management|safety) polic",
    r"\b(?:inappropriate|unsafe|harmful) content\b",
    r"\bcontent exists risk\b",
    r"\b(?:blocked|rejected|stopped) by…\b(?:content filter|safety|guardrail|moderation)",
)
_INVALID_KEY = _any_phrase(
    r"\bapi[ _-]?key…\b(?:not valid|invalid|not found|missing|expired)", r"\binvalid api[ _-]?key\b"
)

# "models/x", "the model `x`", "model ID x", "the model you requested", "deployment x".
_MODEL = (
    r"\b(?:models/\S+|(?:models?|deployment)\b(?: (?:id|name|version|for this resource))?"
    r"(?: you(?:'ve| have)? (?:requested|specified|selected|asked for))?"
    r"[ :]*(?:[\"'`“‘(<]?[^\s\"'`“”‘’]+[\"'`”’)>]?)?)[ ,:]*"
)
_RETIRED = r"(?:removed|retired|deprecated|decommissioned|discontinued|deleted|disabled|shut down|sunset|phased out)"
_IS_GONE = (
    r"(?:(?:(?:do|does|did) not|doesn't|not) exist"
    r"|(?:(?:is|was|could|can) )?(?:not|n't) (?:be )?(?:found|available|supported|served)\b"
    rf"|(?:(?:has|have) been|is|was|will be) (?:now |already )?{_RETIRED}"
    r"|(?:is )?no longer (?:available|supported|served|offered|active|accessible|exists?)"
    r"|(?:is )?(?:unavailable|unsupported|unknown|not a (?:valid|supported|known))"
    r"|(?:has )?reached (?:its )?end)"
)
_NO_MODEL = _any_phrase(
    rf"{_MODEL}{_IS_GONE}",
    r"\b(?:invalid|unknown|no such|unsupported|unrecognized) (?:model|deployment)\b",
    r"\bmodel (?:identifier|id|name) (?:\S+ )?is (?:invalid|not valid)\b",
    r"\bnot a (?:valid|supported|known) model\b",
    r"\bno endpoints found for\b",
    r"\btry pulling it\b",
    r"\bprovider not provided\b",
    r"\b(?:does not|doesn't) work with the (?:specified|given|requested) model\b",
    r"\b(?:(?:do|does) not|don't|doesn't) have access to (?:it|the model|model|this model)\b",
    rf"\bmodel\b…\b(?:end[ -]of[ -](?:its )?life|{_RETIRED})\b",
    r"\b(?:could not|cannot|can't|unable to) (?:find|locate) (?:the )?(?:model|deployment)\b",
    r"\bno model\b…\b(?:found|named|called|exists)",
    rf"^\W*\S+ (?:is|has been|was) {_RETIRED}\b",
)
_TEMPORARY = _any_phrase(
    r"\b(?:temporarily|currently|momentarily|overloaded|at capacity|try again (?:later|in|shortly))\b"
)
_ABOUT_FIELD = _any_phrase(
    r"\b(?:parameters?|arguments?|fields?|property|properties|options?|extra inputs?)\b", r"\bapi[ -]version\b"
)
_FIELD_SENTENCE = re.compile(
    rf"(?<![\w/.-])[\"'`“‘]?(?:{'|'.join(sorted(REQUEST_FIELDS))})[\"'`”’]?\s+(?:\w+\s+){{0,2}}?"
    r"(?:is|are|has|have|does|do|was|must|cannot|should|too)\b",
    re.IGNORECASE,
)
_FIELD_NAME = re.compile(
    rf"(?<![a-z_])(?:{'|'.join(sorted(name for name in REQUEST_FIELDS if '_' in name))})(?![a-z_])"
)
# From a router whose providers have the model, but do not support what the request asks for.
_LACKS_ABILITY = _any_phrase(r"\bno endpoints found that\b", r"\brequested parameters\b")
_INVALID_ADDRESS = re.compile(r"\binvalid ['\"`]([\w.\[\]]+)['\"`]", re.IGNORECASE)

# "tools", "tool use", "function calling"; not "tool_choice", "parallel tool calls", nor "the tool 'add'".
_TOOLS = (
    r"(?<!parallel\s)(?<!following\s)(?<!these\s)(?<!those\s)(?<!some\s)(?<!strict\s)(?<!hosted\s)(?<!custom\s)"
    r"(?>[\"'`“‘]?\b(?:tools?(?: (?:use|usage|calls?|calling|support|parameters?))?"
    r"|function[ -]?call(?:s|ing)|functions|tool[_-](?:use|calls?|calling))\b(?![_-])[\"'`”’]?)"
)
_NO_TOOLS = _any_phrase(
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

_LOADING = _any_phrase(
    r"\bloading (?:the )?model\b",
    r"\bmodel loading\b",
    r"\bmodel\b…\b(?:is|are) (?:currently |still |now |being )*(?:loading|loaded)\b(?! (?:in|on|with)\b)",
    r"\b(?:currently|still) (?:being )?load(?:ing|ed)\b",
    r"\bmodel\b…\b(?:warming up|starting up|not (?:yet )?(?:ready|loaded))\b",
)
_LOAD_FAILED = _any_phrase(r"\b(?:fail|error|unable|cannot|could not|couldn't|can't)\w*…\bload")
_LOADING_STATUSES = frozenset({409, 425, 429, 500, 502, 503, 504})


def classify_refusal(refusal: ProviderStatusError) -> str:
    """Return our error code for a refusal, e.g. ``"model.too_long"``."""
    if refusal.status == 402:
        return "model.no_quota"  # whatever else a proxy says
    if is_loading(refusal):
        return "model.loading"
    code = _classify_code(refusal) or CODE_BY_STATUS.get(refusal.status, "model.failed")
    if code == "model.rate_limited":
        return _classify_limit(refusal.text)
    if code not in (*_VAGUE_CODES, "model.too_long", "model.refused_key"):
        return code
    if code in _VAGUE_CODES and _NO_QUOTA.search(refusal.text):
        return "model.no_quota"
    if code != "model.refused_key" and refusal.status != 413 and is_about_field(refusal):
        return "model.bad_request"
    if code == "model.too_long":
        return code
    if _NO_QUOTA.search(refusal.text) or (refusal.status in (400, 403) and _BILLING.search(refusal.text)):
        return "model.no_quota"
    if code in _VAGUE_CODES and _TOO_LONG.search(refusal.text) and not _NAME_TOO_LONG.search(refusal.text):
        return "model.too_long"
    if code in _VAGUE_CODES and _INVALID_KEY.search(refusal.text):
        return "model.refused_key"  # as Google says it
    if refusal.status in (0, 400) and _RATE_LIMITED.search(refusal.text):
        return "model.rate_limited"  # without a status of its own, as within a stream
    if refusal.status in (400, 403, 422) and _CONTENT_FILTERED.search(refusal.text):
        return "model.content_filter"
    if refusal.status != 401 and _is_model_gone(refusal):
        return "model.not_found"
    # The name of a field is the same in all languages.
    is_foreign = refusal.status not in (401, 404, 500) and not _FIELD_NAME.search(refusal.text)
    return (classify_foreign_text(refusal.text) if is_foreign else None) or code


def is_about_length(refusal: ProviderStatusError) -> bool:
    """Return whether a refusal is about the length of any part of a request."""
    return _TOO_LONG.search(refusal.text) is not None


def is_about_tools(refusal: ProviderStatusError) -> bool:
    """Return whether a refusal says that the model cannot use tools at all."""
    return refusal.status in (0, 400, 404, 405, 422, 500, 501) and _NO_TOOLS.search(refusal.text) is not None


def is_about_field(refusal: ProviderStatusError) -> bool:
    """Return whether a refusal is about a field of the request other than the model and the conversation."""
    addresses = [*refusal.params, *_INVALID_ADDRESS.findall(refusal.text)]
    for words in map(split_address, addresses):
        if REQUEST_FIELDS & set(words):
            return True
        if refusal.status in (0, 400, 422) and words and words[-1] not in _CONVERSATION_FIELDS and words[0] != "model":
            return True
    return _FIELD_SENTENCE.search(refusal.text) is not None or _LACKS_ABILITY.search(refusal.text) is not None


def split_address(address: str) -> list[str]:
    """Return the names in the address of a field, in snake case; of ``"generationConfig.topP"`` two."""
    words = re.split(r"[^\w-]+", address)
    return [re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word).lower() for word in words if word and not word.isdigit()]


def is_loading(refusal: ProviderStatusError) -> bool:
    """Return whether a server says that the model is still being loaded, and will answer soon."""
    is_likely = refusal.status in _LOADING_STATUSES and _LOADING.search(refusal.text) is not None
    return is_likely and _LOAD_FAILED.search(refusal.text) is None


def _classify_code(refusal: ProviderStatusError) -> str | None:
    codes = [CODE_BY_PROVIDER_CODE[name] for name in refusal.codes if name in CODE_BY_PROVIDER_CODE]
    # Some servers report an exhausted quota as a rate limit, too.
    return "model.no_quota" if "model.no_quota" in codes else next(iter(codes), None)


def _classify_limit(text: str) -> str:
    if re.search(r"\brequest too large\b", text, re.IGNORECASE):
        return "model.too_long"  # waiting does not make it smaller
    is_quota = _NO_QUOTA.search(text) is not None
    if is_quota and _PER_DAY.search(text):
        return "model.no_quota"
    if _PER_MINUTE.search(text):
        return "model.rate_limited"
    return "model.no_quota" if is_quota or _BILLING.search(text) else "model.rate_limited"


def _is_model_gone(refusal: ProviderStatusError) -> bool:
    if any(split_address(param)[:1] == ["model"] for param in refusal.params):
        return True
    if refusal.status in _BUSY_STATUSES or _ABOUT_FIELD.search(refusal.text) or _TEMPORARY.search(refusal.text):
        return False
    return _NO_MODEL.search(refusal.text) is not None
