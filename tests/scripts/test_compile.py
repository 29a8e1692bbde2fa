import shutil

import pytest

pytestmark = pytest.mark.slow


def check(python, house):
    return python(house, "-m", "scripts.compile", "--check")


def test_what_is_compiled_is_found_up_to_date_by_another_process(house, python):
    checked = check(python, house)
    assert checked.returncode == 0, checked.stderr
    assert "4 generated files are up to date" in checked.stdout


def test_every_difference_is_named_and_the_next_compile_mends_it(house, python):
    compiled = house / "compiled/components/row_count.yaml"
    compiled.write_text(compiled.read_text().replace("limit", "limits"))
    (house / "components/data_processing/row_count/README.md").unlink()
    (house / "compiled/pipelines/long_gone.yaml").write_text("pipelineInfo: {}\n")
    pipeline = house / "pipelines/counting/pipeline.py"
    pipeline.write_text(pipeline.read_text() + "    row_count(data=data.output, limit=0.1)\n")

    checked = check(python, house)

    assert checked.returncode != 0
    assert "compiled/components/row_count.yaml: differs" in checked.stdout
    assert "components/data_processing/row_count/README.md: missing" in checked.stdout
    assert "compiled/pipelines/long_gone.yaml: has no source" in checked.stdout
    assert "compiled/pipelines/counting.yaml: differs" in checked.stdout
    assert "compiled/kubeflow/counting.yaml: differs" in checked.stdout
    assert "run: make compile" in checked.stderr
    assert python(house, "-m", "scripts.compile").returncode == 0
    assert not (house / "compiled/pipelines/long_gone.yaml").exists()
    assert check(python, house).returncode == 0


def test_nothing_to_compile_is_a_failure_not_a_success(empty_house, python):
    checked = check(python, empty_house)
    assert checked.returncode != 0
    assert "0 components and 0 pipelines" in checked.stderr


def test_a_component_that_the_catalogue_does_not_list_is_refused(house, python):
    (house / "components/catalogue.yaml").write_text("row_coumt: {}\n")
    checked = check(python, house)
    assert checked.returncode != 0
    assert "row_coumt, row_count: in components/catalogue.yaml or in components/<stage>/<name>/, but not in both" in checked.stderr


def test_a_function_that_is_not_named_like_its_folder_is_refused(house, python):
    shutil.move(house / "pipelines/counting", house / "pipelines/tallying")
    checked = check(python, house)
    assert checked.returncode != 0
    assert "pipelines/tallying/pipeline.py has no function 'tallying'" in checked.stderr
