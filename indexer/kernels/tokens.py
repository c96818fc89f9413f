"""Code to normalised tokens: what is left of it when its names are forgotten.

In: the bytes of a text in any language, or in none. Out: for each token its class, its name and where it stands. It
refuses to know languages: one rule for all of them, the same on both sides, so that what it misreads it misreads alike.

A token is a word, a number, a string or an operator. The class of a word is that it is one, unless it is a keyword of
some common language, which stays; so do operators. Numbers and strings are classes, whatever they hold. What formatters
move or add is no token: white space, comments, semicolons, a comma before a closing bracket. Attributes and the
names of builtin functions are words like all others: which names are a language's own is not known of a passage, and a
copy that renames calls is still found; that names agree counts when a passage is judged (`lookup/near.py`).

Comments begin with `//`, `/*`, `<!--`, or with `#` at the head of a line or behind white space, but for the directives
of C. Strings end on their line, but for those in three quotes and in backquotes. What does not end is an operator and
no string: so broken code, prose and binary rubbish are tokens too.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.kernels.jit import inlined, kernel, part
from codecite.indexer.kernels.types import Bytes, Ints, Words

WORD = np.uint64(1 << 16)
NUMBER = np.uint64(2 << 16)
STRING = np.uint64(3 << 16)
_KEYWORD = np.uint64(1 << 63)
_FNV_BASIS = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)
_FAR = 1 << 16
"""Bytes within which a comment or string of several lines has to end."""

_KEYWORDS = """
if else elif elsif elseif unless then end begin for foreach while until loop do switch case when match default
break continue return yield goto pass try catch except finally rescue ensure raise throw throws with as in is
not and or def fn func fun function lambda class struct enum union interface trait impl module namespace package
import from export require include use using public private protected internal static const let var val final
mut pub extern inline virtual override abstract sealed async await defer go chan select range new delete sizeof
typeof instanceof assert global nonlocal del extends implements super self this nil null None NULL true false
True False nullptr void int long short char float double bool boolean byte unsigned signed auto register
volatile typedef template typename operator friend constexpr decltype synchronized transient native where dyn
unsafe ref out move type define ifdef ifndef endif undef pragma local
"""


_COMMON = """
typing list isinstance __init__ len ValueError tuple r append name utils dict __name__ kwargs get x __future__ i
annotations value collections e args _ abc items dtype Any shape key getattr join set b k v n TYPE_CHECKING a size
typing_extensions enumerate Callable sys data values max Literal path update numpy object logging hasattr s TypeError
result pop property p dataclasses split zip all t config np cls copy min os Optional core sum types any add device c
Exception index format sorted functools y d logger m NotImplementedError RuntimeError keys re msg startswith Union
staticmethod to extend j warnings pytest item testing classmethod bytes text mode log dataclass AssertionError base
math view strict replace model info array output id abs start functional lower Iterable str Dict List Tuple Set Type
None print open read write close exc exc_type exc_val exc_tb exc_value traceback other __eq__ __repr__ __enter__
__exit__ __call__ __len__ __iter__ __next__ __str__ __hash__ __getattr__ __setattr__ __class__ __dict__ message error
Sequence Mapping Iterator Generator Self BaseException TracebackType repr iter next reversed filter map
u32 dev ret u8 flags EINVAL ENOMEM GFP_KERNEL u16 u64 size_t err addr kfree driver buf offset count memcpy memset mask
status reg ops state irq remove lock compatible parent priv cmd __func__ owner enable mutex res tmp length
console push prototype document window toString System out println String Integer equals Object Array undefined Promise
then params options opts el node event callback module exports require props children Error ctx context fmt
"""
"""Names in 6 % or more of 6,000 Python modules and 3,000 C files (those of single projects left out), and their like
in other languages: that two texts have one of them says little."""


def fnv(word: bytes) -> int:
    """The 64-bit FNV-1a hash (Fowler, Noll, Vo) of a word; its top bit is free."""
    state = int(_FNV_BASIS)
    for byte in word:
        state = (state ^ byte) * int(_FNV_PRIME) & (1 << 64) - 1
    return state >> 1


def _table(words: str) -> Words:
    """The hashes of some words, in an open-addressing table (0 is empty)."""
    table = np.zeros(1024, np.uint64)
    for word in words.split():
        at = fnv(word.encode()) & 1023
        while table[at]:
            at = (at + 1) & 1023
        table[at] = fnv(word.encode())
    return table


KEYWORDS = _table(_KEYWORDS)
COMMON_NAMES = _table(_COMMON)


@inlined
def _is_space(byte: int) -> bool:
    return byte == 32 or (byte >= 9 and byte <= 13)


@inlined
def _is_digit(byte: int) -> bool:
    return byte >= 48 and byte <= 57


@inlined
def _is_word(byte: int) -> bool:
    letter = byte | 32
    return (letter >= 97 and letter <= 122) or (byte >= 48 and byte <= 57) or byte == 95 or byte >= 128 or byte == 36


@part
def is_in(name: np.uint64, table: Words) -> bool:
    """Whether a table of words holds a name."""
    at = np.int64(name) & 1023
    while table[at] != 0:
        if table[at] == name:
            return True
        at = (at + 1) & 1023
    return False


@part
def _name(text: Bytes, begin: int, end: int) -> np.uint64:
    state = _FNV_BASIS
    for i in range(begin, end):
        state = (state ^ np.uint64(text[i])) * _FNV_PRIME
    return state >> np.uint64(1)


@part
def _line_end(text: Bytes, at: int, end: int) -> int:
    while at < end and text[at] != 10:
        at += 1
    return at


@part
def _find(text: Bytes, at: int, end: int, first: int, second: int, third: int) -> int:
    """Where the three bytes (`second`, `third`: 0 for none) next stand, no further than _FAR; -1 if nowhere."""
    size = 1 + (second != 0) + (third != 0)
    last = min(end, at + _FAR) - size
    while at <= last:
        if text[at] == first and (size < 2 or text[at + 1] == second) and (size < 3 or text[at + 2] == third):
            return at
        at += 1
    return -1


@part
def _comment_end(text: Bytes, at: int, end: int) -> int:
    """Where the comment ends that begins at `at`; `at` where none does."""
    byte = text[at]
    if byte == 35:  # '#'
        fresh = at == 0 or _is_space(text[at - 1])
        if not fresh or (at + 1 < end and (text[at + 1] == 91 or (text[at + 1] == 33 and at > 0))):
            return at
        before = at - 1
        while before >= 0 and (text[before] == 32 or text[before] == 9):
            before -= 1
        if before < 0 or text[before] == 10:
            word = at + 1
            while word < end and (text[word] == 32 or text[word] == 9):
                word += 1
            if _is_directive(text, word, end):
                return at
        return _line_end(text, at, end)
    if byte == 47 and at + 1 < end:  # '/'
        if text[at + 1] == 47 and (at == 0 or text[at - 1] != 58):
            return _line_end(text, at, end)
        if text[at + 1] == 42:
            close = _find(text, at + 2, end, 42, 47, 0)
            return close + 2 if close >= 0 else at
    if byte == 60 and at + 3 < end and text[at + 1] == 33 and text[at + 2] == 45 and text[at + 3] == 45:
        close = _find(text, at + 4, end, 45, 45, 62)
        return close + 3 if close >= 0 else at
    return at


@part
def _is_directive(text: Bytes, at: int, end: int) -> bool:
    """Whether a directive of the C preprocessor stands there: include, `#if`, `#include` and their like."""
    stop = at
    while stop < end and _is_word(text[stop]):
        stop += 1
    size = stop - at
    if size < 2 or size > 7 or stop == end:
        return False
    first = text[at]
    second = text[at + 1]
    if first == 105:  # i: if, ifdef, ifndef, include
        return (second == 102 and (size == 2 or size == 5 or size == 6)) or (second == 110 and size == 7)
    if first == 101:  # e: else, elif, endif, error
        return (second == 108 and size == 4) or (second == 110 and size == 5) or (second == 114 and size == 5)
    if first == 100:  # d: define
        return second == 101 and size == 6
    if first == 117:  # u: undef
        return second == 110 and size == 5
    return first == 112 and second == 114 and size == 6  # p: pragma


@part
def _string_end(text: Bytes, at: int, end: int) -> int:
    """Where the string ends whose quote stands at `at`; `at` where none does."""
    quote = text[at]
    if at + 2 < end and text[at + 1] == quote and text[at + 2] == quote and quote != 96:
        close = _find(text, at + 3, end, quote, quote, quote)
        return close + 3 if close >= 0 else at
    i = at + 1
    last = min(end, at + _FAR)
    while i < last:
        byte = text[i]
        if byte == 92:
            i += 2
            continue
        if byte == quote:
            return i + 1
        if byte == 10 and quote != 96:
            return at
        i += 1
    return at


@inlined
def _joins(first: int, second: int) -> bool:
    """Whether two signs are one operator: `==` and its like, `&&`, `->`, `=>`."""
    if second == 61:
        return first in (33, 37, 38, 42, 43, 45, 47, 58, 60, 61, 62, 94, 124, 126)
    if first == second:
        return first in (38, 124, 43, 45, 42, 47, 60, 62, 58)
    return second == 62 and (first == 45 or first == 61)


@kernel
def tokenize(text: Bytes, keywords: Words, classes: Words, names: Words, starts: Ints, ends: Ints) -> int:
    """Write the tokens of a text; return how many there are, never more than it has bytes.

    Token i is `text[starts[i]:ends[i]]`, of class `classes[i]`; `names[i]` is a hash of its bytes. `keywords` is the
    table KEYWORDS.
    """
    count = 0
    at = 0
    end = len(text)
    while at < end:
        byte = text[at]
        if _is_space(byte) or byte == 59:
            at += 1
            continue
        after = _comment_end(text, at, end) if byte == 35 or byte == 47 or byte == 60 else at
        if after > at:
            at = after
            continue
        begin = at
        kind = np.uint64(byte)
        if _is_word(byte) and not _is_digit(byte):
            while at < end and _is_word(text[at]):
                at += 1
            if at - begin <= 2 and at < end and (text[at] == 34 or text[at] == 39):
                after = _string_end(text, at, end)  # r"...", b'...'
                if after > at:
                    at = after
                    kind = STRING
            if kind != STRING:
                kind = WORD
        elif _is_digit(byte):
            while at < end and (_is_word(text[at]) or (text[at] == 46 and at + 1 < end and _is_digit(text[at + 1]))):
                at += 1
            kind = NUMBER
        elif byte == 34 or byte == 39 or byte == 96:
            at = max(_string_end(text, at, end), at + 1)
            if at > begin + 1:
                kind = STRING
        else:
            at += 1
            if at < end and _joins(byte, text[at]):
                kind |= np.uint64(text[at]) << np.uint64(8)
                at += 1
            elif (byte == 41 or byte == 93 or byte == 125) and count and classes[count - 1] == 44:
                count -= 1
        name = _name(text, begin, at)
        if kind == WORD and is_in(name, keywords):
            kind = _KEYWORD | name
        classes[count] = kind
        names[count] = name
        starts[count] = begin
        ends[count] = at
        count += 1
    return count
