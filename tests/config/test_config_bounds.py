"""What is no YAML, or too much of it."""

import time

import pytest


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("models: [1, 2", "1:9", "what opens here is never closed"),
        ("models: {a: b\nstore: c", "2:6", "a ',' or the closing bracket is missing"),
        ("store: 'x\nmodels: 2\n", "1:8", "what opens here is never closed"),
        ("store: a: b", "1:9", "put quotes around a text that holds ': '"),
        ("store:\n\t- x", "2:1", "a line with a tab"),
        ("store: @x", "1:8", "cannot begin with this character without quotes"),
        ("- a\nb: c", "2:1", "check its indentation"),
        ("store: *b", "1:8", "no anchor (&name) of this name"),
        ("a: &x [*x]", "1:8", "stands inside the value that it repeats"),
        ("a: !!python/object:os.system x", "1:4", "tags are not read"),
        ("? [a]\n: b", "1:3", "a key must be a text"),
        ("---\na: 1\n---\nb: 2", "3:1", "a second document"),
        ("a: 1\nb: \x01", "2:1", "this character is not allowed"),
    ],
)
def test_what_cannot_be_parsed_is_named_with_its_place(report, text, place, sentence):
    said = report(text)
    assert f"config.yaml:{place}  " in said
    assert sentence in said


def test_a_syntax_error_shows_its_line_and_a_caret(report):
    assert report("link: a: b").splitlines()[1:3] == ["     1 | link: a: b", "       |        ^"]


def test_a_bomb_of_aliases_is_refused_at_once(report):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    began = time.monotonic()
    assert "the file expands to more than 100,000 values" in report("\n".join(lines))
    assert time.monotonic() - began < 5


def test_deep_nesting_is_refused(report):
    assert "nested deeper than 50 levels" in report("a: " + "[" * 60 + "]" * 60)


def test_nesting_in_keys_is_refused(report):
    assert "a key must be a text" in report("? " * 200 + "a")


def test_a_large_file_is_refused(report):
    assert "the file is larger than 1 MB" in report("# " + "x" * 1_000_001)


def test_a_large_secret_file_is_refused(model, tmp_path):
    (tmp_path / "big").write_text("x" * 70_000)
    assert "is larger than 65,536 bytes" in model("score: ${file:big}")


def test_a_secret_file_in_another_encoding_is_named(model, tmp_path):
    (tmp_path / "latin").write_bytes(b"\xff")
    assert "the file 'latin' is not UTF-8 text" in model("score: ${file:latin}")


def test_a_number_of_many_digits_is_a_text(model):
    assert "must be a whole number" in model(f"sample: {'9' * 5000}")
