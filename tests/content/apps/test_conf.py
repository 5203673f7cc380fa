from __future__ import annotations

from escudo.content.apps.conf import layer_confs, read_conf


def values(text: str, stanza: str) -> dict[str, str]:
    return {k: s.value for k, s in read_conf("a.conf", text).settings(stanza).items()}


def test_a_value_goes_on_after_a_backslash() -> None:
    text = "[s]\nsearch = index=a \\\n  | stats count \\\n  | where x=1\ncron = 1\n"
    found = values(text, "s")
    assert found["search"].split() == ["index=a", "|", "stats", "count", "|", "where", "x=1"]
    assert found["cron"] == "1"


def test_comments_blank_lines_and_what_is_for_all() -> None:
    text = (
        "\ufeff".lstrip("\ufeff")
        + "# c\na = 1\n\n[default]\nb = 2\n[s]\n  # c\na = 3 # no comment\n"
    )
    assert values(text, "s") == {"a": "3 # no comment", "b": "2"}
    assert values(text, "other") == {"a": "1", "b": "2"}


def test_names_with_brackets_and_values_with_equal_signs() -> None:
    assert values('[m(2)]\ndefinition = a=$x$ b="="\n', "m(2)") == {"definition": 'a=$x$ b="="'}
    assert read_conf("a", "[x [y] z]\na=1\n").names() == ("x [y] z",)


def test_the_last_of_two_settings_counts_and_so_does_local() -> None:
    under = read_conf("d", "[s]\na = 1\na = 2\nb = 1\n[t]\nc = 1\n")
    over = read_conf("l", "[s]\nb = 9\n")
    merged = layer_confs(under, over)
    assert {k: s.value for k, s in merged.settings("s").items()} == {"a": "2", "b": "9"}
    assert merged.names() == ("s", "t")
    assert merged.settings("s")["b"].span.file == "l"


def test_a_line_that_is_neither_is_told_with_its_place() -> None:
    conf = read_conf("a.conf", "[s]\nnonsense\na = 1\\")
    assert [str(d.span) for d in conf.problems] == ["a.conf:2:1"]
    assert conf.settings("s")["a"].value == "1"
