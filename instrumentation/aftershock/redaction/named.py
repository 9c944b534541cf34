"""Values whose name says that they are secret or personal: `password=…`, `--token …`, a cookie.

Each pattern has two groups: what stays, and what goes.
"""

from __future__ import annotations

import re

AUTHORITY = r"[^\s/@:\"'<>?#]"  # of a URL: one character of a user's name
# Any value is secret.
STRONG = (
    r"(?:pass(?:word|wd|code|phrase)|passwort|pwd|secret(?:[_\-]?key)?|"
    r"(?:api|access|account|private|signing|encryption|shared[_\-]?access|client|master|auth|"
    r"storage|service|sas|ssh|webhook|subscription|x-api)[_\-]?(?:key|secret)|apikey|"
    r"(?:access|auth|refresh|session|bearer|id|api|secret|csrf|xsrf|security|private|personal|"
    r"device|registration|deploy|bot|push|vault|oauth)[_\-]?token|"
    r"private[_\-]?key[_\-]?id|authorization|credentials?|connection[_\-]?string|"
    r"client[_\-]?assertion|"
    r"(?:j|php|asp\.net_)?sess(?:ion)?[_\-]?id|seed[_\-]?phrase|mnemonic|x-amz-(?:signature|"
    r"credential|security-token)|otp[_\-]?secret)"
)
# A value is secret where it looks like one: a token, not a count or a word.
WEAK = r"(?:token|key|auth|signature|sig|code|sid|pass|pin|otp|cvv|cvc|nonce|hmac|jwt|creds?)"
COOKIE = re.compile(r"(?i)(\b(?:set-)?cookie\\{0,3}[\"']?\s{0,4}[:=]\s{0,4})([^\r\n]{1,8192})")
ASSIGN = r"\\{0,3}[\"']?\s{0,4}(?::=|=>|[:=])\s{0,4}"
VALUE = (
    r"(\\{1,3}\"[^\"]*\"|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
    r"|(?:(?:bearer|basic|token|digest)\s{1,4})?[^\s\"',;&}\])<>]+)"
)
ASSIGNED = re.compile(rf"(?i)({STRONG}{ASSIGN}){VALUE}")
ASSIGNED_WEAK = re.compile(rf"(?i)((?:\b|(?<=[_\-.])){WEAK}{ASSIGN}){VALUE}")
PHRASE = re.compile(
    rf"(?i)(\b(?:pass[ _\-]?phrase|seed[ _\-]?phrase|mnemonic|recovery[ _\-]?phrase)"
    rf"(?:{ASSIGN}|\s{{1,4}}is\s{{1,4}}))([^\r\n\"';]{{1,400}})"
)
QUERY = re.compile(
    r"(?i)([?&](?:sig|signature|token|key|code|auth|jwt|sid|session|secret|pass|pwd)=)"
    r"([^&\s\"'<>#]{8,2048})"
)
HEADER = re.compile(
    r"(?i)(\bauthorization\W{1,4}(?:digest|aws4-hmac-sha256|oauth|signature|hawk)\s)"
    r"([^\r\n]{1,4096})"
)
# `define('DB_PASSWORD', '…')`, `<add key="Password" value="…"/>`: name and value side by side.
PAIR = re.compile(
    rf"(?i)(\(\s{{0,4}}[\"'][\w\-.]{{0,40}}?{STRONG}[\"']\s{{0,4}},\s{{0,4}}"
    rf"|\b(?:key|name)=[\"'][\w\-.:]{{0,40}}?{STRONG}[\"']\s{{1,4}}value=)(\"[^\"]*\"|'[^']*')"
)
DIGITS = re.compile(
    r"(?i)(\b(?:otp|one[ \-]time (?:code|password)|(?:verification|security|login|2fa|mfa|sms) code"
    r"|cvv2?|cvc|pin)\b(?: code)?[\"']?\s{0,4}(?:is|[:=])\s{0,4}[\"']?)(\d{3,8})\b"
)
SPOKEN = re.compile(
    r"(?i)(\b(?:password|passwd|passcode|passphrase|pwd|pin|secret|api key|access key|token)"
    r"(?: (?:for|to|of) [\w\-.]{1,40})?(?:\s{1,4}(?:is|was|are|=)|['\u2019]s\s)"
    r"\s{0,4}(?:now |set to |still )?:?\s{0,4})"
    r"([\"']?[^\s\"',;]+)"
)
OPTION = re.compile(
    rf"(?i)((?<!\S)--?[\w\-]{{0,40}}?(?:{STRONG}|token|pass)\s{{1,4}})(?!-)([\"']?[^\s\"']+)"
)
COMMAND = re.compile(
    r"(\b(?:(?:docker|podman) login|sshpass)\b[^\n]{0,80}? -p ?|\bmysql\w{0,10}\b[^\n]{0,80}? -p)"
    r"(?![ -])([^\s\"']+)"
)
USER_OPTION = re.compile(
    r"((?<!\S)(?:-u|--user|--proxy-user)[ =]?[\"']?[^\s:\"']{1,64}:)([^\s\"']+)"
)
ELEMENT = re.compile(
    rf"(?i)(<(?:\w{{1,20}}:)?[\w\-]{{0,40}}?{STRONG}(?:\s[^<>]{{0,200}})?>)([^<]{{1,4096}})"
)
PERSONAL = re.compile(
    r"(?i)(\b(?:ssn|social security|sin|tin|tax[ _\-]?id|steuer[ _\-]?id|passport|nif|nie|dni|cpf|"
    r"aadhaar|pan|driver'?s? ?licen[cs]e|licen[cs]e plate|date of birth|birth[ _\-]?date|dob|born|"
    r"phone|telephone|tel|mobile|cell|fax|whatsapp|mrn|medicare|nhs|iban|"
    r"account[ _\-]?(?:number|no)|"
    r"card[ _\-]?(?:number|no)|credit card)(?:[ _\-]?(?:number|num|no|nr|id))?\\{0,3}[\"']?\.?"
    r"\s{0,4}(?:is|on|[:=#])?\s{0,4}[\"']?)"
    r"([A-Z]{0,3}[ \-]?[(+]?\d(?:[\d \-./()]{3,30}\d[A-Z]?|\d[A-Z]?))(?![\w])"
)
URL_CREDENTIALS = re.compile(
    rf"(\b[a-zA-Z][\w+.\-]{{1,20}}://)({AUTHORITY}{{0,256}}):(?!\d{{1,5}}[/?#])"
    r"([^\s\"'<>]{1,512})@"
)
URL_USER = re.compile(rf"(\b[a-zA-Z][\w+.\-]{{1,20}}://)({AUTHORITY}{{20,256}})@")
SECRET_NAME = re.compile(
    rf"(?i)(?:^|[._\-]|(?<=[a-z])(?=[A-Z])){STRONG}$|(?:^|[._\-])(?:set-)?cookie$"
)

# Pieces of which one must stand in the small letters of a text for a pattern to find anything.
STRONG_MARKS = (
    "pass",
    "pwd",
    "secret",
    "key",
    "token",
    "authorization",
    "credential",
    "connection_string",
    "connection-string",
    "connection string",
    "connectionstring",
    "assertion",
    "sess",
    "phrase",
    "mnemonic",
    "x-amz",
)
WEAK_MARKS = (
    "token",
    "key",
    "auth",
    "sig",
    "code",
    "sid",
    "pass",
    "pin",
    "otp",
    "cvv",
    "cvc",
    "nonce",
    "hmac",
    "jwt",
    "cred",
)
PERSONAL_MARKS = (
    "ssn",
    "social",
    "sin",
    "tin",
    "tax",
    "steuer",
    "passport",
    "nif",
    "nie",
    "dni",
    "cpf",
    "aadhaar",
    "pan",
    "licen",
    "birth",
    "dob",
    "born",
    "phone",
    "tel",
    "mobile",
    "cell",
    "fax",
    "whatsapp",
    "mrn",
    "medicare",
    "nhs",
    "iban",
    "account",
    "card",
)
