"""What is personal never gets as far as a file; what is left still tells persons apart."""

import math

import pytest

from ratchet.errors import SettingsError
from ratchet.traffic.privacy import Privacy

PRIVACY = Privacy({"card": "hash", "name": "drop"}, b"salt")


def test_columns_are_hashed_or_dropped_and_others_left_alone():
    kept = PRIVACY.apply({"amount": 3.5, "card": 4111, "name": "Ann", "shop": None})
    assert list(kept) == ["amount", "card", "shop"]
    assert (kept["amount"], kept["shop"]) == (3.5, None)
    assert len(kept["card"]) == 16
    assert set(kept["card"]) <= set("0123456789abcdef")


def test_one_value_has_one_hash_and_another_column_or_salt_gives_another():
    hashes = [
        PRIVACY.unit("card", "4111"),
        PRIVACY.unit("card", "4112"),
        Privacy({"iban": "hash"}, b"salt").unit("iban", "4111"),
        Privacy({"card": "hash"}, b"pepper").unit("card", "4111"),
    ]
    assert len(set(hashes)) == 4
    assert PRIVACY.unit("card", "4111") == PRIVACY.apply({"card": 4111})["card"] == hashes[0]


def test_the_unit_is_written_like_its_column():
    assert PRIVACY.unit("shop", 7) == "7"
    assert PRIVACY.unit("", "request-1") == "request-1"
    assert PRIVACY.unit("name", "Ann") == ""
    assert PRIVACY.unit("card", None) == PRIVACY.unit("shop", None) == ""


@pytest.mark.parametrize("value", ["\ud800", "", math.nan, ["a"], {"a": 1}])
def test_any_value_can_be_hashed(value):
    assert PRIVACY.apply({"card": value})["card"] == PRIVACY.unit("card", value)


def test_a_missing_value_stays_missing():
    assert PRIVACY.apply({"card": None, "name": None}) == {"card": None}


def test_an_error_does_not_quote_what_is_personal():
    assert PRIVACY.scrub("'4111' of Ann is not 3.5", {"card": 4111, "name": "Ann", "amount": 3.5}) == "'…' of … is not 3.5"
    assert PRIVACY.scrub("all missing", {"card": None, "name": ""}) == "all missing"


def test_what_cannot_protect_is_refused():
    with pytest.raises(SettingsError, match="without a salt; set RATCHET_PERSONAL_SALT"):
        Privacy({"card": "hash"})
    with pytest.raises(SettingsError, match="'hsah' is no way to treat it; did you mean 'hash'"):
        Privacy({"card": "hsah"}, b"salt")
