"""JSON documents: two equal keys are found wherever they are, and a plain document is never called doubled."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import RequestError
from ratchet.serving.documents import parse

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(['":', '"a" :', "\\", '\\":'])
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=25,
)


@given(PLAIN)
def test_a_document_without_equal_keys_is_parsed_as_it_is(document):
    assert parse(json.dumps(document).encode()) == (document, None)


@given(PLAIN, PLAIN, TEXTS, st.sampled_from(["", " ", "\n\t "]))
def test_equal_keys_are_found_wherever_they_are(around, value, key, blank):
    name = json.dumps(key)
    doubled = f"{{{name}{blank}: {json.dumps(value)}, {name}: 1}}"
    for text in (doubled, f"[{json.dumps(around)}, {doubled}]", f'{{"x": [1, {doubled}], "y": {json.dumps(around)}}}'):
        with pytest.raises(RequestError, match="twice"):
            parse(text.encode())


def test_a_key_whose_blank_hides_behind_a_text_is_found():
    with pytest.raises(RequestError, match="'a' comes twice"):
        parse(b'{"a" : 1, "a":2, "b": "\\":"}')


def test_a_number_that_is_none_is_kept_to_be_named():
    document, doubt = parse(b'{"amount": NaN}')
    assert repr(document["amount"]) == "NaN"
    assert doubt is not None
