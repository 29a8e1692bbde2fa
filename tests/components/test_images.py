import pytest
import yaml

from components.images import LOCK, image


def test_every_locked_family_resolves_to_a_tag_or_a_digest():
    for family, reference in yaml.safe_load(LOCK.read_text(encoding="utf-8"))["images"].items():
        assert image(family) == reference
        assert ":" in reference.rpartition("/")[2]


def test_an_unknown_family_is_refused_with_what_there_is():
    with pytest.raises(KeyError, match=r"image family 'tabullar' is not in images.lock.yaml; known: .*tabular"):
        image("tabullar")
