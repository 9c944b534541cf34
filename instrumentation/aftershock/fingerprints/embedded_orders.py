"""Embedded orders: does a text that a tool returned seem to give orders to the model? A heuristic.

It knows phrases, in English, and no meaning: an author who knows them avoids them, and an honest
text may hold them. So it only marks; what follows is the policy's to say.
"""

from __future__ import annotations

from aftershock.fingerprints.screening import Screened

READ_CHARS_MAX = 20_000  # of one result, as fingerprints read it: a longer one at both ends

_EARLIER = r"(?:previous|prior|above|earlier|preceding|former|existing|original|other)"
_ORDERS = r"(?:instruction|direction|order|prompt|command|rule|guideline|request|task|message)s?"
_MODEL = (
    r"(?:ai|a\.i\.|llm|gpt|chatgpt|claude|gemini|copilot|assistant|chatbot|"
    r"(?:ai |large )?language model|(?:ai )?agent)"
)
_DOES = (
    r"(?:do|perform|execute|complete|carry out|follow|obey|send|call|run|make|use|invoke|forward|"
    r"transfer|delete|post|visit|read|share|create|update|reserve|book)"
)
_PHRASES = (
    # What was ordered before no longer counts; the noun may be misspelt where it is the reader's.
    (
        r"\b(?:ignore|disregard|forget|override|bypass|skip)\b[\s,]+(?:\w+[\s,]+){0,4}?"
        rf"{_EARLIER}[\s,]+(?:\w+[\s,]+){{0,2}}?{_ORDERS}\b"
    ),
    rf"\b(?:ignore|disregard|forget)\s+(?:all\s+)?(?:of\s+)?your\s+{_EARLIER}\s+\w+",
    (
        r"\b(?:ignore|disregard|forget)\b[\s,]+(?:all|everything)\b[\s,]+(?:\w+[\s,]+){0,4}?"
        rf"(?:before|above|so far|{_ORDERS})\b"
    ),
    rf"\b(?:new|updated|real|actual|important|following)\s+{_ORDERS}\s*:",
    r"\bstrictly adhere to\b",
    # The model is spoken to, as what it is.
    (
        r"\b(?:dear|hello|hi|hey|attention|(?:note|message|instructions?) (?:to|for)|"
        r"important (?:for|message (?:to|for|from)))\W+(?:the |an? |any |all |you,? |me,? )?"
        rf"{_MODEL}\b"
    ),
    rf"\b(?:if you are|you are(?: now)?|as)\s+an?\s+{_MODEL}\b",
    (
        rf"\b{_MODEL}s?,?\s+(?:you )?(?:must|should|shall|needs? to|has to|have to)\s+"
        rf"(?:\w+\s+)?{_DOES}\b"
    ),
    # A task to be done before the user's, or apart from it.
    (
        r"\bbefore (?:you )?(?:can )?"
        r"(?:solv|do|continu|complet|answer|proceed|finish|start|respond)\w*"
        rf"(?:\W+\w+){{0,6}}?\W+{_DOES}\b[^.]{{0,40}}\bfirst\b"
    ),
    (
        rf"\byou (?:must|have to|need to|should|will)\b(?:\W+\w+){{0,3}}?\W+{_DOES}\b"
        r"[^.\n]{0,60}\b(?:first|before|instead|immediately|without)\b"
    ),
    (
        r"\bafter (?:you )?(?:do|did|have done|finish\w*|complet\w*) (?:that|this|it),?\s+(?:you )?"
        r"(?:can|may|should)\b[^.\n]{0,60}\b(?:task|continue|proceed|request)"
    ),
    # What is to be kept from the user.
    (
        r"\b(?:do not|don't|never|without)\s+"
        r"(?:tell|inform|mention|notify|alert|ask|telling|informing|mentioning|notifying|asking)"
        r"\b[^.\n]{0,30}\b(?:(?:the |your )?(?:user|human|operator)|me first)\b"
    ),
    r"\bwithout asking (?:me|for (?:permission|confirmation|approval))\b",
    # The forms in which programs speak to models.
    r"<\s*/?\s*(?:system|instructions?|information|important|admin|assistant|user|prompt)\s*>",
    r"<\|(?:im_start|im_end|system|user|assistant|endoftext)\|>|\[/?(?:inst|system)\]|<<sys>>",
    r"#{2,}\s*\(\s*(?:system|assistant|admin)",
    r"#{2,}\s*(?:system|new|admin)[\s_]+(?:message|instruction|prompt|order)",
    r"(?:^|\n)\s*(?:system|developer)\s*(?:message|prompt|note)?\s*:",
)
_ORDERING = [Screened(one) for one in _PHRASES]


def seems_to_give_orders(text: str) -> bool:
    """True for a text with a phrase that orders to models are given with."""
    if len(text) > READ_CHARS_MAX:
        half = READ_CHARS_MAX // 2
        text = f"{text[:half]}\n{text[-half:]}"
    text = text.lower()
    return any(one.search(text) for one in _ORDERING)
