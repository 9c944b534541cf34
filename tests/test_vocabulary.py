"""No identifier uses a word that the field has a better one for, and the glossary has every word."""

from __future__ import annotations

import ast
import re

from tests.vocabulary import BANNED, PLAIN, ROOT, banned_in, checked_files, parts_of

GLOSSARY = (ROOT / "docs" / "concepts" / "glossary.md").read_text("utf-8")
TERMS = re.findall(r"(?m)^\*\*(.+)\*\*$", GLOSSARY)
VIEWS = ROOT / "collector" / "aftershock_collector" / "views"
PAGES_IN_VIEWS = {"PageCard", "page_cards"}  # a timeline lists the pages that were sent


def test_identifiers_use_the_words_of_the_field() -> None:
    assert [] == [
        f"{path.relative_to(ROOT)}:{problem}"
        for path in checked_files()
        for problem in banned_in(path)
    ]


def test_the_glossary_lists_every_banned_word_with_the_words_to_use() -> None:
    listed = dict(re.findall(r"(?m)^\| ([a-z]+) \| (.+) \|$", GLOSSARY))

    assert {word: ", ".join(instead) for word, instead in BANNED.items()} == listed


def test_the_glossary_explains_every_word_that_replaces_a_banned_one() -> None:
    wanted = {word for instead in BANNED.values() for word in instead} - PLAIN
    singular = {re.sub(r"(?<=[^s])s$", "", re.sub(r"ies$", "y", word)) for word in wanted}

    assert singular - {re.sub(r"(?<=[^s])s$", "", term) for term in TERMS} == set()


def test_terms_of_the_glossary_are_in_order_and_none_is_banned() -> None:
    assert sorted(TERMS) == TERMS
    assert {term for term in TERMS if parts_of(term) & BANNED.keys()} == set()


def test_nothing_that_a_browser_shows_is_called_a_page() -> None:
    defined = {
        node.name
        for path in VIEWS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    } | {path.stem for path in VIEWS.rglob("*.py")}

    assert {name for name in defined if {"page", "pages"} & parts_of(name)} == PAGES_IN_VIEWS
