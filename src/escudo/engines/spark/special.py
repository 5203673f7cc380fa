"""Calls whose Spark form depends on a literal (regexes, times) -> that form; for ``macros``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sqlglot import exp

from escudo.spl import literal_text, prelude_call

_BEYOND_JAVA = re.compile(r"\\[KGX]|\(\?(?:\(|R|&|P>|\||\d)|\(\*|\[:\^")
_UNIX_LINES = "(?d)"
"""Java's flag for ``.``, ``^`` and ``$`` to know no line ends but ``\\n``, as PCRE does."""

_DATE_PATTERNS = {
    "Y": "yyyy",
    "m": "MM",
    "d": "dd",
    "H": "HH",
    "I": "hh",
    "M": "mm",
    "S": "ss",
    "p": "a",
    "y": "yy",
    "j": "DDD",
    "a": "EEE",
    "A": "EEEE",
    "b": "MMM",
    "B": "MMMM",
    "g": "SSS",
    "f": "SSSSSS",
}


def translate_pattern(pattern: str) -> str:
    r"""A translated pattern as Java reads it alike.

    >>> translate_pattern("a.b")
    '(?d)a.b'
    """
    return _UNIX_LINES + pattern


def translate_replacement(replacement: str) -> str:
    r"""A replacement with ``\1`` as Java writes it.

    >>> print(translate_replacement(r"\1 costs $5 \\"))
    $1 costs \$5 \\
    """

    def resolve(m: re.Match[str]) -> str:
        if m[0] == "$":
            return r"\$"
        return rf"${m[1]}" if m[1].isdigit() else r"\\"

    return re.sub(r"\\(\d|\\)|\$", resolve, replacement)


def translate_date_pattern(text: str) -> str | None:
    """A format of the common vocabulary as a pattern of Java's; None if Java has no such letter.

    >>> translate_date_pattern("%Y-%m-%dT%H:%M")
    "yyyy-MM-dd'T'HH:mm"
    """
    out: list[str] = []
    for m in re.finditer(r"%(.)|([^%]+)", text):
        letter, plain = m.groups()
        if letter is None:
            out.append(_quoted(plain))
        elif letter in _DATE_PATTERNS:
            out.append(_DATE_PATTERNS[letter])
        else:
            return None
    return "".join(out)


def _quoted(text: str) -> str:
    """Letters and reserved characters stand in quotes, and quotes are doubled."""
    special = re.search(r"[A-Za-z'\[\]{}#]", text) is not None
    return "'" + text.replace("'", "''") + "'" if special else text


def _literal(node: exp.Expression | None) -> str | None:
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def _regex(kernel: str) -> Callable[[exp.Anonymous], exp.Expression]:
    """The Java form of a regex call, or the kernel where Java cannot read the pattern."""

    def rewrite(node: exp.Anonymous) -> exp.Expression:
        value, wanted, *rest = node.expressions
        pattern = _literal(wanted)
        plain = re.sub("^spl_(pcre|regex)_", "", str(node.this).lower())
        texts = [_literal(r) if plain == "replace" else "" for r in rest]
        if pattern is None or _BEYOND_JAVA.search(pattern) or None in texts:
            return prelude_call(kernel, value, wanted, *rest)
        if plain == "replace":
            rest = [literal_text(translate_replacement(str(texts[0])))]
        arguments = [value, literal_text(translate_pattern(pattern)), *rest]
        return prelude_call(f"spl_regex_{plain}", *arguments)

    return rewrite


def _strftime(node: exp.Anonymous) -> exp.Expression:
    seconds, wanted = node.expressions
    text = _literal(wanted)
    pattern = None if text is None else translate_date_pattern(text)
    if pattern is None:
        return prelude_call("spl_strftime_any", seconds, wanted)
    at = prelude_call("spl_timestamp", seconds)
    return prelude_call("date_format", at, literal_text(pattern))


def _strptime(node: exp.Anonymous) -> exp.Expression:
    value, wanted = node.expressions
    text = _literal(wanted)
    if text is not None:
        wanted = literal_text(text.replace("%f", "%6N").replace("%n", "%9N"))
    return prelude_call("spl_strptime_any", value, wanted)


SPECIAL: Mapping[str, Callable[[exp.Anonymous], exp.Expression]] = {
    **{
        f"spl_{kind}_{plain}": _regex(f"spl_pcre_{plain}")
        for kind in ("regex", "pcre")
        for plain in ("match", "replace", "group", "groups")
    },
    "spl_strftime": _strftime,
    "spl_strptime": _strptime,
}
"""Prelude name -> its rewrite; what comes out may be a macro's call again."""
