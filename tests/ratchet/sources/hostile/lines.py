"""JSON lines: broken, ragged, of changing types, nested, or no JSON lines at all."""

import json

from tests.ratchet.sources.hostile.case import Case, file, kept, refused

GOOD = "".join(json.dumps({"id": number, "x": number / 2, "s": f"n{number}"}) + "\n" for number in range(3_000))


def lines(name: str, text: str | bytes, rows: int, **more: object) -> Case:
    """Return a case of JSON lines that must come in."""
    return kept(name, file("data.jsonl", text if isinstance(text, bytes) else text.encode()), rows, **more)  # type: ignore[arg-type]


def bad(name: str, text: str | bytes, says: str, **more: object) -> Case:
    """Return a case of JSON lines that must be refused."""
    return refused(name, file("data.jsonl", text if isinstance(text, bytes) else text.encode()), says, **more)


INTEGER = {"schema_text": "columns: {x: {type: integer, max_missing: 0.9}}"}
CASES = (
    lines("JSON lines", GOOD, 3_000, values={"id": [0, 1], "x": [0.0, 0.5], "s": ["n0", "n1"]}),
    lines("JSON lines of Windows, with a mark", b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode(), 3_000),
    lines("blank lines among JSON lines", '{"x": 1}\n\n{"x": 2}\n\n', 2, values={"x": [1, 2]}),
    lines("JSON lines that lack keys", '{"x": 1}\n{"y": 2}\n{}\n', 3, values={"x": [1, None, None], "y": [None, 2, None]}),
    lines("a key that comes late", GOOD + '{"id": 1, "late": 5}\n', 3_001),
    bad("a line that is no JSON", '{"x": 1}\n{"x": oops}\n{"x": 3}\n', "line 2"),
    bad("a line that is no JSON, far down", GOOD + "{oops}\n", r"line 3,?001"),
    bad("the last line cut", GOOD + '{"id": 1, "x', r"line 3,?001"),
    bad("two objects in a line", '{"x": 1}{"x": 2}\n', "line 1"),
    bad("a list of objects", '[{"x": 1}, {"x": 2}]\n', "line 1|list|array"),
    bad("a list of objects over many lines", '[\n {"x": 1},\n {"x": 2}\n]\n', "line 1|list|array"),
    bad("lists instead of objects", "[1, 2]\n[3, 4]\n", "line 1|object"),
    bad("values instead of objects", "1\n2\n", "line 1|object"),
    bad("a key twice in a line", '{"x": 1, "x": 2}\n', "'x'|twice|line 1"),
    bad("an object in a value", '{"x": {"a": 1}}\n', "'x'"),
    bad("a list in a value", '{"x": 1}\n{"x": [1, 2]}\n', "'x'"),
    bad("JSON nested 100,000 deep", '{"x": ' + "[" * 100_000 + "]" * 100_000 + "}\n", "line 1|'x'|nest"),
    bad("an object nested 100,000 deep", '{"x":' * 100_000 + "1" + "}" * 100_000 + "\n", "line 1|'x'|nest"),
    bad("NaN that JSON does not know", '{"x": 1}\n{"x": NaN}\n', "line 2"),
    bad("JSON with NUL", b'{"x": "a\x00b"}\n', "NUL|line 1"),
    bad("JSON lines in latin-1", '{"x": "Tromsø"}\n'.encode("latin-1"), "UTF-8"),
    bad("JSON lines of no bytes", "", "empty|no line"),
    bad("JSON lines of no objects with keys", "{}\n{}\n", "column|key"),
    bad("JSON with a key without a name", '{"": 1, "x": 2}\n', "empty|no name"),
    bad("half a pair in a text", '{"x": "\\ud800"}\n', "line 1|UTF|surrogate"),
    lines("numbers and texts in one key", '{"x": 1}\n{"x": "b"}\n', 2, values={"x": ["1", "b"]}),
    lines(
        "numbers and texts in one key, set aside", '{"x": 1}\n{"x": "b"}\n', 2, aside=1, says="x b is not of type integer", judge=INTEGER
    ),
    lines("booleans and numbers in one key", '{"x": true}\n{"x": 1}\n', 2, values={"x": ["true", "1"]}),
    lines("integers and fractions in one key", '{"x": 1}\n{"x": 2.5}\n', 2, values={"x": [1.0, 2.5]}),
    lines(
        "JSON integers beyond 64 bits stay texts", '{"x": 1}\n{"x": 9223372036854775808}\n', 2, values={"x": ["1", "9223372036854775808"]}
    ),
    lines(
        "JSON integers at the end of 64 bits",
        '{"x": 9007199254740993}\n{"x": 9223372036854775807}\n',
        2,
        values={"x": [9007199254740993, 9223372036854775807]},
    ),
    lines("codes with leading zeros in JSON", '{"x": "007"}\n{"x": "08"}\n', 2, values={"x": ["007", "08"]}),
    lines("times in JSON", '{"x": "2024-03-31T02:30:00+02:00"}\n', 1, values={"x": ["2024-03-31 00:30:00"]}, options={"time_column": "x"}),
    lines("a key of nothing but null", '{"x": null, "y": 1}\n', 1, values={"x": [None], "y": [1]}),
    lines("escapes in JSON", '{"x": "\\u0054\\n\\"\\\\"}\n', 1, values={"x": ['T\n"\\']}),
    kept("JSON lines that do not say so, with the format given", file("data.txt", GOOD.encode()), 3_000, options={"format": "jsonl"}),
)
