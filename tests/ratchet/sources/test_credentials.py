"""No password in a parameter, no secret in what is shown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import ParameterError, SettingsError
from ratchet.sources.credentials import resolved_source, shown, without_secrets

SECRET = "hunter2"


@pytest.mark.parametrize(
    "text", ["data/month.csv", "/data/a b.csv", "file:///data/a.csv", "s3://shop/m/", "sqlite:////data/shop.db", "data/x?sig=1"]
)
def test_a_path_or_url_without_a_secret_is_opened_and_shown_as_it_is(text):
    assert resolved_source(f" {text} ") == (text, text)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://reader:{SECRET}@db/shop",
        f"postgresql://reader:{SECRET}/with?slash@db/shop",
        f"https://me:{SECRET}@example.org/a.csv",
        f"HTTPS://:{SECRET}@example.org/a.csv",
        f"postgresql://db/shop?user=reader&password={SECRET}",
        f"mysql://db/shop?passwd={SECRET}",
        f"mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3D{SECRET}%3BSERVER%3Dy",
        f"snowflake://u@acc/db?private_key_passphrase={SECRET}",
    ],
)
def test_a_literal_password_is_refused_with_the_remedy_and_without_itself(url):
    with pytest.raises(ParameterError, match=r"holds a password.*env:NAME or file:PATH") as raised:
        resolved_source(url)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    "name", ["sig", "X-Amz-Signature", "x-amz-security-token", "token", "access_token", "X-Goog-Signature", "api_key", "AWSAccessKeyId"]
)
def test_a_signed_url_is_opened_and_shown_without_its_signature(name):
    url = f"https://example.org/a.csv?page=1&{name}={SECRET}&se=2024"
    assert resolved_source(url) == (url, f"https://example.org/a.csv?page=1&{name}=***&se=2024")


def test_a_reference_is_opened_by_its_value_and_shown_as_it_is(monkeypatch, tmp_path: Path):
    url = f"postgresql+psycopg://reader:{SECRET}@db/shop"
    monkeypatch.setenv("SHOP", url)
    (tmp_path / "shop").write_text(url + "\n")
    assert resolved_source("env:SHOP") == (url, "env:SHOP")
    assert resolved_source(f"file:{tmp_path}/shop") == (url, f"file:{tmp_path}/shop")


def test_a_reference_to_nothing_or_to_no_url_is_refused_without_its_value(monkeypatch, tmp_path: Path):
    monkeypatch.delenv("SHOP", raising=False)
    with pytest.raises(SettingsError, match="SHOP"):
        resolved_source("env:SHOP")
    (tmp_path / "a.csv").write_text(f"id,x\n1,{SECRET}\n")
    for value in (SECRET, "", f"https://h/{'x' * 9_000}{SECRET}", f"https://h/\n{SECRET}"):
        monkeypatch.setenv("SHOP", value)
        with pytest.raises(ParameterError, match="no URL") as raised:
            resolved_source("env:SHOP")
        assert SECRET not in str(raised.value)
    with pytest.raises(ParameterError, match="no URL") as raised:
        resolved_source(f"file:{tmp_path}/a.csv")
    assert SECRET not in str(raised.value)


passwords = st.text(st.sampled_from("abcXYZ019!$*+-./:;=?[]{}~ %&@#é"), min_size=4, max_size=12)


@given(passwords)
def test_no_password_is_left_in_what_is_shown_or_said(password):
    from sqlalchemy import URL

    url = URL.create("postgresql+psycopg", "reader", password, "db", 5432, "shop").render_as_string(hide_password=False)
    assert shown(url) == "postgresql+psycopg://reader:***@db:5432/shop"
    assert without_secrets(f"cannot log in with {password}!", url) == "cannot log in with ***!"
    with pytest.raises(ParameterError):
        resolved_source(url)


@given(st.text(st.sampled_from("abs3:/?&=@%#.~ ü"), max_size=30))
def test_any_text_is_shown_without_an_error(text):
    shown(text)
    shown("https://" + text)
    without_secrets(text, "postgresql://" + text)
