"""Patterns of secrets and personal data, from the formats that their issuers publish.

One pass over the text. Order matters where two could begin at the same place. Every repetition is
over a class of characters that what follows it does not begin with, so that time stays linear.
"""

from __future__ import annotations

import re

# What an issuer's tokens begin with. The prefix alone says that a long word is a secret.
PREFIXES = (
    r"sk-|sk_(?:live|test)_|rk_(?:live|test)_|pk_live_|whsec_|"  # OpenAI, Anthropic, Stripe
    r"gh[opusr]_|github_pat_|gl(?:pat|dt|rt|ptt|cbt|agent|oas|soat|ft|imt)-|GR1348941|"  # forges
    r"xox[abeoprs]-|xapp-|xwfp-|"  # Slack
    r"AIza|ya29\.|GOCSPX-|1//0|"  # Google
    r"hf_|gsk_|xai-|r8_|pplx-|nvapi-|tvly-|pcsk_|fw_|csk-|"  # model providers
    r"npm_|pypi-|rubygems_|oy2|cio|dckr_[po]at_|"  # package registries
    r"do[opr]_v1_|dapi|dp\.(?:pt|st|ct|sa)\.|hv[sbr]\.|pul-|fo1_|sbp_|nfp_|"
    r"pscale_(?:tkn|pw|oauth)_|"
    r"NR(?:AK|II|JS)-|sntry[su]_|gl(?:sa|c)_|PMAK-|lin_api_|figd_|ph[cx]_|lsv2_|bkua_|CCIPAT_|"
    r"ATATT3|ATCTT3|ATBB|AKC|EAAC|EAAA|sq0(?:atp|csp)-|shp(?:at|ca|pa|ss)_|rzp_(?:live|test)_|"
    r"key-|SG\.|ops_eyJ|AGE-SECRET-KEY-1|amzn\.mws\.|tfp_|sl\.[Bu]"
)
PREFIX_MARKS = (
    "sk-", "sk_live_", "sk_test_", "rk_live_", "rk_test_", "pk_live_", "whsec_", "gho_", "ghp_",
    "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "glrt-", "glptt-", "glcbt-",
    "glagent-", "gloas-", "glsoat-", "glft-", "glimt-", "GR1348941", "xoxa-", "xoxb-", "xoxe-",
    "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-", "xwfp-", "AIza", "ya29.", "GOCSPX-", "1//0",
    "hf_", "gsk_", "xai-", "r8_", "pplx-", "nvapi-", "tvly-", "pcsk_", "fw_", "csk-", "npm_",
    "pypi-", "rubygems_", "oy2", "cio", "dckr_pat_", "dckr_oat_", "doo_v1_", "dop_v1_", "dor_v1_",
    "dapi", "dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "hvs.", "hvb.", "hvr.", "pul-", "fo1_",
    "sbp_", "nfp_", "pscale_tkn_", "pscale_pw_", "pscale_oauth_", "NRAK-", "NRII-", "NRJS-",
    "sntrys_", "sntryu_", "glsa_", "glc_", "PMAK-", "lin_api_", "figd_", "phc_", "phx_", "lsv2_",
    "bkua_", "CCIPAT_", "ATATT3", "ATCTT3", "ATBB", "AKC", "EAAC", "EAAA", "sq0atp-", "sq0csp-",
    "shpat_", "shpca_", "shppa_", "shpss_", "rzp_live_", "rzp_test_", "key-", "SG.", "ops_eyJ",
    "AGE-SECRET-KEY-1", "amzn.mws.", "tfp_", "sl.B", "sl.u",
)  # fmt: skip
AWS = ("AKIA", "ASIA", "AROA", "AGPA", "AIDA", "ABIA", "ACCA", "ANPA")
SCHEMES = ("earer", "asic", "egotiate", "piKey", "pikey", "BEARER", "BASIC", "APIKEY")
AT_MARKS = ("[at]", "(at)", "{at}", "[ at", "( at", "[AT]", "(AT)")
DIGITS = re.compile(r"\d[\d .\-/()\u2013\u2011A-Z]{6,}[\dA-D]")
LONG = re.compile(r"[A-Za-z0-9/+]{40}")
# Kind, pieces of which one must stand in the text (or the class of text), and the pattern.
PATTERNS: tuple[tuple[str, tuple[str, ...] | re.Pattern[str], str], ...] = (
    (
        "key",
        ("-----BEGIN",),
        (
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,20000}?"
            r"(?:-----END [A-Z0-9 ]{0,40}-----|\Z)"
        ),
    ),
    ("key", ("PuTTY-User",), r"PuTTY-User-Key-File-\d[\s\S]{0,20000}?(?:Private-MAC: ?\w+|\Z)"),
    ("url", ("hooks.slack",), r"https://hooks\.slack\.com/\w{5,12}/[\w/\-]{8,}"),
    ("url", ("/api/webhooks/",), r"https://[\w.]{4,24}/api/webhooks/\d+/[\w\-]{8,}"),
    ("url", ("webhookb2",), r"https://[\w\-.]{1,80}webhook\.office\.com/webhookb2/[\w@\-/]{8,}"),
    ("token", ("eyJ", "ZXlK"), r"\b(?:eyJ|ZXlK)[\w\-]{8,}\.[\w\-]{8,}(?:\.[\w\-]{4,}){0,3}"),
    ("token", PREFIX_MARKS, rf"(?<![A-Za-z0-9])(?:{PREFIXES})[\w\-./+=]{{12,}}"),
    ("token", (".atlasv1.",), r"\b[A-Za-z0-9]{14}\.atlasv1\.[\w\-]{40,}"),
    ("token", ("SK", "AC"), r"\b(?:SK|AC)[0-9a-f]{32}\b"),  # Twilio
    ("token", ("-us",), r"\b[0-9a-f]{32}-us\d{1,2}\b"),  # Mailchimp
    ("token", (":AA",), r"\b\d{8,10}:AA[\w\-]{33}\b"),  # Telegram
    ("token", ("M", "N", "O"), r"\b[MNO][\w\-]{23,27}\.[\w\-]{6}\.[\w\-]{27,40}\b"),  # Discord
    ("token", ("access_token$",), r"\baccess_token\$\w{7,10}\$\w{16}\$\w{32}"),  # Braintree
    ("token", ("Q~",), r"\b[A-Za-z0-9_~.]{3}\dQ~[\w~.\-]{31,34}"),  # Microsoft Entra
    ("token", ("FlyV1 ",), r"\bFlyV1 [\w\-+/=,]{20,}"),
    ("key", AWS, rf"\b(?:{'|'.join(AWS)})[A-Z0-9]{{12,}}\b"),
    ("key", ("A3-",), r"\bA3-[A-Z0-9]{6}-(?:[A-Z0-9]{5,11}-?){3,6}"),  # 1Password
    ("key", LONG, r"\b[5KL][1-9A-HJ-NP-Za-km-z]{50,51}\b"),  # Bitcoin, as wallets import it
    ("aws", LONG, r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"),
    ("token", SCHEMES, r"(?i:\b(?:bearer|basic|apikey|negotiate)[ \t]{1,4}[\w\-.~+/]{8,}={0,2})"),
    (
        "email",
        ("@",),
        r"(?<![\w.+\-])(?!git@)[\w.+\-%']{1,64}@(?:[\w\-]{1,63}\.){1,8}[^\W\d_]{2,24}\b",
    ),
    (
        "email",
        AT_MARKS,
        (
            r"(?i:\b[\w.+\-]{1,64} ?[\[({] ?at ?[\])}] ?[\w\-]{1,63}"
            r"(?: ?(?:[\[({] ?dot ?[\])}]|\.) ?[a-z\-]{2,63}){1,4})"
        ),
    ),
    ("email", (" AT ",), r"\b[\w.+\-]{1,64} AT [\w\-]{1,63}(?: DOT [A-Za-z\-]{2,63}){1,4}"),
    ("email", ("@",), r"\"[^\"\s@]{1,64}\"@(?:[\w\-]{1,63}\.){1,8}[^\W\d_]{2,24}\b"),
    ("iban", DIGITS, r"\b[A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]{4}){2,7}(?:[ \-]?[A-Z0-9]{1,3})?\b"),
    ("card", DIGITS, r"(?<![\w.\-])\d{4}([ .\-/])\d{4}\1\d{4}\1\d{1,7}(?![\w\-])"),
    ("card", DIGITS, r"(?<![\w.\-])\d{4}([ .\-/])\d{6}\1\d{4,5}(?![\w\-])"),
    ("card", DIGITS, r"(?<![\w.\-])\d{13,19}(?![\w\-])"),
    ("ssn", DIGITS, r"(?<![\w.\-])(?!000|666|9)\d{3}([\- .])(?!00)\d{2}\1(?!0000)\d{4}(?![\w\-])"),
    ("id", DIGITS, r"(?<![\w.\-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w\-])"),  # Brazil
    (
        "id",
        DIGITS,
        r"\b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b",
    ),  # UK
    ("id", DIGITS, r"\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b"),  # Italy
    ("id", DIGITS, r"\b[12] \d{2} \d{2} \d{2} \d{3} \d{3}(?: \d{2})?\b"),  # France
    ("phone", ("tel:", "TEL:", "Tel:"), r"(?i:\btel:\+?[\d().\-]{6,20})"),
    (
        "phone",
        DIGITS,
        (
            r"(?<![\w+])(?:\+|00)[1-9]\d{0,2}(?:[ .\-]?\(\d{1,4}\))?"
            r"(?:[ .\-]?\d{1,8}){2,6}(?![\w\-])"
        ),
    ),
    ("phone", DIGITS, r"(?<![\w+])\+[1-9]\d{9,13}(?!\w)"),
    ("phone", DIGITS, r"(?<![\w.\-])(?:1[ .\-])?\(\d{3}\) ?\d{3}[ .\-]\d{4}(?![\w\-])"),
    ("phone", DIGITS, r"(?<![\w.\-])(?:1[.\-])?\d{3}([.\-])\d{3}\1\d{4}(?![\w\-])"),
    ("phone", DIGITS, r"(?<![\w.\-])0\d{2,4} \d{3,4} ?\d{3,4}(?![\w\-])"),
)
