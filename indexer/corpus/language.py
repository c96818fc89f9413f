"""A file's path and bytes -> its language and its marks, by the rules of GitHub's Linguist.

In: a path with `/` between the folders, relative to its tree or archive, and the content. Out: the name of a language
(`C++`), the FileMarks. This module refuses to know where the file came from, and never fails: a name that is not
UTF-8, or holds a NUL, is judged with that character replaced, and content may be any bytes.

The judge is enry, Linguist's rules compiled from Go and called through cffi. It is loaded by the first call, in the
thread that calls (a process that has a Go runtime should not fork), takes calls of several threads at once and
releases the GIL in each. Linguist looks at the first 50 KiB for the language and at no file's lines beyond 1 MiB for
the marks; so does this module. A NUL in the first 8,000 bytes makes a file binary, which has no language.

**Language.** Linguist asks in this order, and the first that names one language decides: a modeline for vim or Emacs
in the first or last five lines, the whole name (`Makefile`), the `#!` line, the extension, an XML declaration, a
manual page's extension, rules on the content, a classifier. Most files have no modeline and no `#!`, and a name or an
extension of one language: then the content is not needed, and what the name says is asked once for a name and an
extension. The rules on the content of `.h` and `.s`, which 4 of 10 files of a kernel need, cost enry .9 and 1.4 ms a
file: here bytes without which no such rule holds are looked for first. All these short cuts answer as enry-python 0.2
does, that for `.rs` apart (the tests compare them, so that a newer enry with other rules is noticed); where they have
no answer, enry is asked.

Of languages that fit equally well, which happens where a file of one of some twenty rare extensions (`.cls`, `.sls`)
says next to nothing, enry names any; here it is the first by name, so that a second reading gives what the first gave.

One answer is ours: a `.rs` that holds no sign of RenderScript (a directive of C's) or of XML (a `<` before all else) is
Rust. The classifier calls some that hold comments or tables only RenderScript or XML (8 of 3,706 files of crates).

**Marks.** `generated` and `vendored` are Linguist's: by folder, by name, and of generated files by what their first
or last lines say. For names of one dot and a common extension of hand-written code no rule speaks of the name, so a
folder is asked about once, and no rule speaks of the content unless a few words stand in the first six lines.
`minified` is Linguist's rule too, a `.js` or `.css` whose lines have more than 110 bytes on average (Linguist calls
them generated; so they have both marks), or any name with `.min.` in it.

Measured, language and marks together: 50 us for a file of linux-6.1 (15 for `.c`, 35 for `.h`, 1,000 for `.S`), 18 for
a `.py`, 24 for a file of Boost; enry alone takes 280 for the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from codecite.indexer.records import FileMark

_HEAD = 50 * 1024
_LINES = 1024 * 1024
_BINARY = 8000
_SCOPE = 5
"""Lines at either end that may hold a modeline."""
_MINIFIED = 110
_ASKED = 100
"""Times that enry is asked where its answers vary: the rarer of two comes in at least an eighth of them."""

_VIM = re.compile(rb"[eEtTxX][\t\n\v\f\r ]*=\w")
"""What every modeline of vim's that names a language holds: the end of `filetype`, `ft` or `syntax`."""

_MANUAL = re.compile(r"\.(?:[0-9]|n$|n\.|man|mdoc)", re.IGNORECASE)
"""Extensions of manual pages, and more."""


def language_of(path: str, content: bytes) -> str | None:
    """The file's language by Linguist's name (`C++`), None where none fits."""
    import enry

    name, head = _utf8(path.rpartition("/")[2]), content[:_HEAD]
    if 0 in head[:_BINARY]:
        return None
    ends, languages = _ends(head), _by_name(name)
    if not (head.startswith(b"#!") or b"-*-" in ends or (b"=" in ends and _VIM.search(ends))):
        if len(languages) == 1:
            return languages[0]
        if not languages and b"xml version=" not in ends and not _MANUAL.search(name):
            return None
        rule = _RULES.get(languages)
        language = rule(head) if rule else None
        if language:
            return language
    if len(languages) > 1 and len(_rivals(_extension(name))) > 1:
        return _settled(name, head)
    return enry.get_language(name, head) or None


def marks_of(path: str, content: bytes) -> tuple[FileMark, ...]:
    """What kind of file it is beside its language, in the order of FileMark."""
    import enry

    path = _utf8(path)
    folder, _, name = path.rpartition("/")
    extension = _extension(name)
    if _PLAIN.fullmatch(name) and not _NAMES_MATTER.search(path):
        generated, vendored = _by_folder(folder, extension)
        if not generated and _may_be_generated(content):
            generated = enry.is_generated(path, content[:_LINES])
    else:
        generated, vendored = enry.is_generated(path, content[:_LINES]), enry.is_vendor(path)
    minified = ".min." in name.lower() or (extension in (".js", ".css") and _has_long_lines(content[:_LINES]))
    found = ((FileMark.GENERATED, generated), (FileMark.MINIFIED, minified), (FileMark.VENDORED, vendored))
    return tuple(mark for mark, holds in found if holds)


def _utf8(name: str) -> str:
    """The name as enry can take it: C strings of UTF-8."""
    return name.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _extension(name: str) -> str:
    dot = name.rfind(".")
    return name[dot:].lower() if dot >= 0 else ""


def _ends(head: bytes) -> bytes:
    """The lines that Linguist searches for modelines, joined as it joins them; all of a text of few lines."""
    first, last = -1, len(head)
    for _ in range(_SCOPE):
        first = head.find(b"\n", first + 1)
        if first < 0:
            return head
    for _ in range(_SCOPE):
        last = head.rfind(b"\n", 0, last)
        if last <= first:
            return head
    return head[:first] + head[last + 1 :]


@lru_cache(maxsize=1 << 16)
def _by_name(name: str) -> tuple[str, ...]:
    """The languages that the name leaves, which is one if the name or else the extension decides."""
    import enry

    by_name = tuple(enry.get_languages_by_filename(name)) if name else ()
    if len(by_name) == 1 or "." not in name:
        return by_name
    return _by_extensions(name[name.index(".") :].lower()) or by_name


@lru_cache(maxsize=1 << 12)
def _by_extensions(extensions: str) -> tuple[str, ...]:
    """The languages of the longest known extension among `.a.b.c`, `.b.c`, `.c`.

    Of this call enry's Python has the form that gives one language only, so its library is asked directly.
    """
    from enry.definitions import ffi, go_str_slice_to_py, lib

    return tuple(go_str_slice_to_py(lib, lib.GetLanguagesByExtension(extensions.encode(), b"", 0, ffi.NULL)))


@lru_cache(maxsize=1 << 10)
def _rivals(extension: str) -> frozenset[str]:
    """The languages that the classifier draws lots between where a file with this extension says nothing."""
    import enry

    return frozenset(enry.get_language(f"x{extension}", b"") for _ in range(_ASKED))


def _settled(name: str, head: bytes) -> str | None:
    """The language of a file that may fit several equally well: the first of them by name."""
    import enry

    found: list[str] = enry.get_languages(name, head)
    if len(found) > 1 and found[0] in _rivals(_extension(name)):
        found = sorted({enry.get_language(name, head) for _ in range(_ASKED)})
    return found[0] if found else None


# A sign stands at the head of a line, white space before it; `*+` and `++` keep the search linear.
_SIGNS_OF_OTHERS = re.compile(
    rb"\n[\t\f\r ]*+(?=[@#tcunp])(?:@|#import|#[\t\n\f\r ]*+include <[a-z_]++>"
    rb"|template|try|constexpr|catch|class|using|namespace|private:|public:|protected:)"
)
_WORDS_OF_CPP = (b"std::", b"__has_cpp_attribute", b"__cplusplus >")
_OBJECTIVE_C = re.compile(rb"\n[\t\f\r ]*+(?:@|#import)")
_CPP = re.compile(rb"\n[\t ]*+(?:class|(?:using[\t ]++)?namespace)[\t\n\f\r ]++\w")
_AT_AND_T = re.compile(rb"mov[lq]?+[\t\n\f\r ]++[%$]")
_INTEL = re.compile(rb"mov[\t\n\f\r ]++[!-$&-~]{2,},")


def _header(head: bytes) -> str | None:
    """C without a sign of the others, C++ with a sure sign of it and none of Objective-C, else no answer."""
    text = b"\n" + head
    if not _SIGNS_OF_OTHERS.search(text) and not any(word in text for word in _WORDS_OF_CPP):
        return "C"
    return "C++" if _CPP.search(text) and not _OBJECTIVE_C.search(text) else None


def _assembly(head: bytes) -> str | None:
    """By the first move: `mov %` is AT&T's, `mov xx,` Intel's syntax; without one no answer."""
    text = head.lower()
    if _AT_AND_T.search(text):
        return "Unix Assembly"
    return "Assembly" if _INTEL.search(text) else None


def _rust(head: bytes) -> str | None:
    """Rust without a directive of C's, which RenderScript begins with, and a tag, which XML does; else no answer."""
    return None if _DIRECTIVE.search(b"\n" + head) or head.lstrip().startswith((b"<", b"\xef\xbb\xbf<")) else "Rust"


_DIRECTIVE = re.compile(rb"\n[\t ]*+#[\t ]*+(?:pragma|include|define|if|endif)\b|__attribute__")

_RULES: dict[tuple[str, ...], Callable[[bytes], str | None]] = {
    ("C", "C++", "Objective-C"): _header,
    ("Assembly", "Motorola 68K Assembly", "Unix Assembly"): _assembly,
    ("RenderScript", "Rust", "XML"): _rust,
}

_PLAIN = re.compile(
    r"[A-Za-z0-9_-]+\.(?:c|cc|cpp|dts|dtsi|h|hpp|java|lua|md|php|py|pyi|pyx|rb|rs|rst|s|S|sh|ts|tsx|txt)"
)
"""Names of which no rule for generated or vendored files speaks, the exceptions below apart."""
_NAMES_MATTER = re.compile(
    r"(?:tiny_mce|codemirror)/|(?:cpplint|fabfile)\.pyi?x?$|dotnet-install\.sh$|ppport\.h$", re.IGNORECASE
)
_SIX_LINES = 6
_SIGNS = (b"enerated", b"GENERATED", b"GIMP")


@lru_cache(maxsize=1 << 14)
def _by_folder(folder: str, extension: str) -> tuple[bool, bool]:
    """Whether the folder makes a file of this extension generated, and vendored."""
    import enry

    path = f"{folder}/x{extension}" if folder else f"x{extension}"
    return enry.is_generated(path, b""), enry.is_vendor(path)


def _may_be_generated(content: bytes) -> bool:
    """Whether the first lines hold what a rule for the content of a plain name asks for."""
    end = -1
    for _ in range(_SIX_LINES):
        end = content.find(b"\n", end + 1)
        if end < 0:
            end = len(content)
            break
    lines = content[:end]
    return any(sign in lines for sign in _SIGNS) or lines.startswith((b'{"version":', b"/** Begin line maps. **/{"))


def _has_long_lines(content: bytes) -> bool:
    """Whether a line has more than 110 bytes on average, its end not counted."""
    ends = content.count(b"\n")
    lines = ends + (not content.endswith(b"\n"))
    return bool(content) and (len(content) - ends) // lines > _MINIFIED
