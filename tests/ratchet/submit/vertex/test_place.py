"""A mistake in the section ``vertex`` is named before any call."""

import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import ParameterError
from ratchet.submit.vertex.place import VertexPlace, check_labels

PLACE: dict[str, Any] = {"project": "my-project", "location": "europe-west4", "pipeline_root": "gs://my-bucket/pipelines"}


def test_the_least_that_is_needed_goes_to_the_locations_own_endpoint():
    place = VertexPlace.read(PLACE)
    assert place.endpoint == "https://europe-west4-aiplatform.googleapis.com"
    assert place.parent == "projects/my-project/locations/europe-west4"
    assert (place.timeout, place.poll, place.is_loopback) == (86_400, 30, False)


@pytest.mark.parametrize("name", ["project", "location", "pipeline_root"])
def test_what_is_missing_is_named_with_an_example(name):
    with pytest.raises(ParameterError, match=rf"vertex\.{name} is missing; give a .*e\.g\."):
        VertexPlace.read({key: value for key, value in PLACE.items() if key != name})


def test_an_unknown_key_is_refused_with_the_nearest_known():
    with pytest.raises(ParameterError, match=r"vertex\.service_acount is not a setting; did you mean 'service_account'\?"):
        VertexPlace.read(PLACE | {"service_acount": "a@b.c"})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("project", "My Project", "a project's id or number"),
        ("project", True, "a text"),
        ("location", "europe", None),
        ("location", "Europe West", "a region, e.g. europe-west4"),
        ("pipeline_root", "/tmp/pipelines", "gs://my-bucket/pipelines"),
        ("pipeline_root", "gs://", "gs://my-bucket/pipelines"),
        ("service_account", "pipelines", "an e-mail address"),
        ("network", "private", "projects/NUMBER/global/networks/NAME"),
        ("network", "projects/my-project/global/networks/private", "the project's number, not its id"),
        ("kms_key", "key", "projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY"),
        ("kms_key", "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k", "a key in the job's own location, europe-west4"),
        ("failure_policy", "soft", "slow (go on with what can) or fast"),
        ("enable_caching", "no", "true or false"),
        ("enable_caching", 0, "true or false"),
        ("timeout", "a while", "write a whole number and a unit"),
        ("timeout", 0, "above 0 seconds"),
        ("timeout", float("nan"), "above 0 seconds"),
        ("poll", -1, "above 0 seconds"),
        ("poll", True, "a number of seconds"),
        ("labels", ["team"], "a mapping of name to text"),
        ("operation", ["a"], "a text"),
        ("service_account", 7, "a text (put it in quotes)"),
        ("api_endpoint", "http://vertex.example.org", "it must be https://"),
        ("api_endpoint", "http://127.0.0.1.example.org", "it must be https://"),
    ],
)
def test_a_value_that_is_not_of_its_form_is_named_with_the_form(name, value, said):
    if said is None:
        assert VertexPlace.read(PLACE | {name: value})
        return
    with pytest.raises(ParameterError, match=rf"vertex\.{name} is .*{re.escape(said)}"):
        VertexPlace.read(PLACE | {name: value})


def test_what_yaml_reads_as_a_number_is_taken_where_a_number_is_meant():
    place = VertexPlace.read(PLACE | {"project": 12345, "operation": 4711, "timeout": "2h", "poll": 5})
    assert (place.project, place.operation, place.timeout, place.poll) == ("12345", "4711", 7200, 5)


def test_a_key_without_a_value_is_the_default():
    assert VertexPlace.read(PLACE | {"network": None, "labels": None, "timeout": None}) == VertexPlace.read(PLACE)


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ("private.example.org", "https://private.example.org"),
        ("https://private.example.org/", "https://private.example.org"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
    ],
)
def test_another_endpoint_is_reached_over_tls_unless_it_is_on_this_machine(given, endpoint):
    assert VertexPlace.read(PLACE | {"api_endpoint": given}).endpoint == endpoint


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"Team": "risk"}, "'Team' is no key that Google takes"),
        ({"1st": "risk"}, "must begin with a lower-case letter"),
        ({"": "risk"}, "'' is no key"),
        ({"a.b": "risk"}, "'a.b' is no key"),
        ({"a" * 64: "risk"}, "63 at most"),
        ({"ß" * 63 + "x": "risk"}, "63 at most"),
        ({"語" * 60: "risk"}, "is no key"),  # 180 bytes
        ({"team": "Risk"}, "'team' is 'Risk'; its value must hold only lower-case letters"),
        ({"team": "r" * 64}, "63 at most"),
        ({"commit": 4711}, "put both in quotes"),
        ({"version": 1.10}, "put both in quotes"),
        ({"on": True}, "put both in quotes"),
        ({"vertex-ai-pipelines-run-billing-id": "1"}, "Vertex AI's own"),
        ({f"label-{number}": "x" for number in range(65)}, "there are 65; Google takes 64 at most"),
    ],
)
def test_labels_that_google_would_refuse_are_refused_here(labels, said):
    with pytest.raises(ParameterError, match=re.escape(said)):
        VertexPlace.read(PLACE | {"labels": labels})


ALLOWED = string.ascii_lowercase + string.digits + "_-"


@given(
    st.dictionaries(
        st.builds(str.__add__, st.sampled_from(string.ascii_lowercase), st.text(ALLOWED, max_size=62)),
        st.text(ALLOWED, max_size=63),
        max_size=64,
    )
)
def test_every_set_of_labels_within_the_rules_is_taken(labels):
    check_labels(labels)


@given(st.text(ALLOWED, max_size=20), st.characters(exclude_characters=ALLOWED, codec="ascii"), st.text(ALLOWED, max_size=20))
def test_no_other_ascii_character_gets_into_a_label(before, character, after):
    with pytest.raises(ParameterError):
        check_labels({"team": before + character + after})
    with pytest.raises(ParameterError):
        check_labels({"t" + before + character + after: "risk"})
