import os
import random
import shutil

import pytest

from ratchet.errors import PackageError
from ratchet.models.manifest import ADDED_BY_MLFLOW, MANIFEST, SIGNATURE, file_digest, verify_manifest, write_manifest
from ratchet.models.package import ModelPackage

KEY = b"a key"


@pytest.fixture
def copy(package, tmp_path):
    """Return a copy of a real package that a test may damage."""
    shutil.copytree(package, tmp_path / "copy")
    return tmp_path / "copy"


def flip_a_bit(folder, dice):
    file = dice.choice(sorted(folder.iterdir()))
    content = bytearray(file.read_bytes())
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    file.write_bytes(content)


def cut_a_byte(folder, dice):
    file = dice.choice(sorted(folder.iterdir()))
    content = file.read_bytes()
    place = dice.randrange(len(content))
    file.write_bytes(content[:place] + content[place + 1 :])


def cut_the_end(folder, dice):
    file = dice.choice(sorted(folder.iterdir()))
    file.write_bytes(file.read_bytes()[: -dice.randrange(1, file.stat().st_size + 1)])


def add_a_byte(folder, dice):
    file = dice.choice(sorted(folder.iterdir()))
    content = file.read_bytes()
    place = dice.randrange(len(content) + 1)
    file.write_bytes(content[:place] + bytes([dice.randrange(256)]) + content[place:])


def add_a_file(folder, dice):
    (folder / dice.choice([".hidden", "extra.py", "model.pkl", "MANIFEST.sha256.bak", f"model{dice.random()}.cbm"])).write_bytes(b"x")


def add_a_folder(folder, dice):
    (folder / f"code{dice.randrange(99)}").mkdir()


def remove_a_file(folder, dice):
    dice.choice(sorted(folder.iterdir())).unlink()


def put_a_link(folder, dice):
    file = dice.choice(sorted(folder.iterdir()))
    aside = folder.parent / f"aside-{file.name}"
    file.rename(aside)
    os.symlink(aside, file)


def swap_two_files(folder, dice):
    one, other = dice.sample(sorted(folder.iterdir()), 2)
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


DAMAGES = (flip_a_bit, cut_a_byte, cut_the_end, add_a_byte, add_a_file, add_a_folder, remove_a_file, put_a_link, swap_two_files)


@pytest.mark.slow
def test_1000_of_1000_random_damages_are_refused(trained, package, tmp_path):
    """Half of them to a package that is signed, where the signature is damaged too."""
    signed = tmp_path / "signed"
    shutil.copytree(package, signed)
    (signed / MANIFEST).unlink()
    write_manifest(signed, KEY)
    refused, passed = 0, []
    for number in range(1000):
        dice = random.Random(number)
        damage, folder = DAMAGES[number % len(DAMAGES)], tmp_path / "damaged"
        shutil.copytree(signed if number % 2 else package, folder)
        damage(folder, dice)
        try:
            verify_manifest(folder, key=KEY if number % 2 else None)
            passed.append((number, damage.__name__))
        except PackageError:
            refused += 1
        shutil.rmtree(folder)
        for aside in tmp_path.glob("aside-*"):
            aside.unlink()
    print(f"{refused} of 1000 random damages refused")
    assert passed == []


def test_a_damaged_package_is_refused_before_its_model_is_parsed(copy):
    (copy / "model.cbm").write_bytes(b"not a model")
    with pytest.raises(PackageError, match=r"'model.cbm' is damaged \(its SHA-256"):
        ModelPackage.load(copy)


def test_the_one_file_that_mlflow_adds_is_allowed_by_its_name_and_place(copy):
    (copy / ADDED_BY_MLFLOW).write_text("model_name: fraud")
    verify_manifest(copy)
    (copy / f"{ADDED_BY_MLFLOW}.py").write_text("import os")
    with pytest.raises(PackageError, match=r"registered_model_meta.py"):
        verify_manifest(copy)


def test_with_a_key_only_what_was_signed_with_it_is_taken(copy):
    with pytest.raises(PackageError, match="is not signed, and a signing key is set"):
        verify_manifest(copy, key=KEY)
    (copy / MANIFEST).unlink()
    write_manifest(copy, b"another key")
    with pytest.raises(PackageError, match="does not fit the configured key"):
        verify_manifest(copy, key=KEY)
    verify_manifest(copy, key=b"another key")
    verify_manifest(copy)


def test_a_manifest_rewritten_over_a_changed_model_does_not_carry_the_signature(copy):
    (copy / MANIFEST).unlink()
    write_manifest(copy, KEY)
    signature = (copy / SIGNATURE).read_bytes()
    (copy / "model.cbm").write_bytes(b"another model")
    lines = [f"{file_digest(file)}  {file.name}\n" for file in sorted(copy.iterdir()) if file.name not in (MANIFEST, SIGNATURE)]
    (copy / MANIFEST).write_text("".join(lines))
    verify_manifest(copy)
    assert (copy / SIGNATURE).read_bytes() == signature
    with pytest.raises(PackageError, match="does not fit"):
        verify_manifest(copy, key=KEY)


def test_a_folder_that_is_no_package_is_named(tmp_path):
    with pytest.raises(PackageError, match=r"no readable MANIFEST.sha256"):
        verify_manifest(tmp_path)
    with pytest.raises(PackageError, match=r"pass a model package"):
        verify_manifest(tmp_path / "nowhere")
