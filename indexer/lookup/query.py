"""A search as a person writes it, taken apart.

In: text. Out: a SearchQuery. It refuses to know how it is answered.

Words are searched for as names of code: `parseUrl` finds `parse_url`, too. `"..."` is a phrase, whose words stand
one behind the other; `-` before a word or phrase leaves out what holds it; `license:`, `language:`, `repo:` and
`path:` narrow the search. Any other colon is a part of code, which is all signs to a search.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from codecite.indexer.errors import QueryError
from codecite.indexer.text.terms import terms_of

FIELDS = {"license": "license", "language": "language", "repo": "repository", "path": "path"}
MOST = 2000
_PART = re.compile(r'(-?)(?:([a-z]+):)?(?:"([^"]*)"|(\S+))')


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What is searched for: each word, phrase and exclusion as its terms; `fields` narrow it."""

    text: str
    words: tuple[tuple[str, ...], ...]
    phrases: tuple[tuple[str, ...], ...]
    without: tuple[tuple[str, ...], ...]
    fields: tuple[tuple[str, str], ...]


def parse_query(text: str) -> SearchQuery:
    """The parts of a search. Raises QueryError, with the place, for what is none.

    >>> found = parse_query('parseUrl "def main" -test license:MIT')
    >>> found.words, found.phrases, found.without, found.fields
    ((('parseurl', 'parse', 'url'),), (('def', 'main'),), (('test',),), (('license', 'MIT'),))
    """
    if len(text) > MOST:
        raise QueryError(f"the search has {len(text):,} characters; {MOST:,} are the most")
    if text.count('"') % 2:
        at = text.rindex('"') + 1
        raise QueryError(f'at character {at}: a phrase begins with a quote and does not end; write "like this"')
    words: list[tuple[str, ...]] = []
    phrases: list[tuple[str, ...]] = []
    without: list[tuple[str, ...]] = []
    fields: list[tuple[str, str]] = []
    for part in _PART.finditer(text):
        minus, field, quoted, bare = part.groups()
        value = bare if quoted is None else quoted
        if bare is not None and bare[:-1] in FIELDS and bare.endswith(":"):
            field, value = bare[:-1], ""
        if field in FIELDS and not minus:
            if not value.strip():
                raise QueryError(
                    f"at character {part.start() + 1}: {field}: says nothing; write {field}:{_EXAMPLES[field]}"
                )
            fields.append((FIELDS[field], value))
            continue
        if field is not None and quoted is None:
            value = f"{field}:{value}"
        terms = tuple(terms_of(value.encode("utf-8", "replace")).split())
        if not terms:
            continue
        (without if minus else phrases if quoted is not None and len(terms) > 1 else words).append(terms)
    if not words and not phrases:
        raise QueryError(
            "the search has no word to look for: letters, digits and _ make words; write for instance: parse url"
        )
    return SearchQuery(text, tuple(words), tuple(phrases), tuple(without), tuple(fields))


_EXAMPLES = {"license": "MIT", "language": "Python", "repo": "github.com/owner/name", "path": "src/"}
