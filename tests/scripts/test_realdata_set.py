from dataclasses import replace

from scripts.realdata_set import Reach
from scripts.realdata_sets import DATA_SETS


def test_a_reach_may_be_another_figure():
    reach = Reach("r2", "r2_same_month")
    assert reach.holds({"r2": 0.9, "r2_same_month": 0.1})
    assert not reach.holds({"r2": 0.1, "r2_same_month": 0.2})
    assert not reach.holds({"r2": 0.9})
    assert reach.told == "r2 ≥ r2_same_month"


def test_a_data_set_lies_in_a_folder_of_its_name_unless_it_says_where():
    data = DATA_SETS[0]
    assert data.folder == data.name == "elec2"
    assert replace(data, lies_in="ecg5000").folder == "ecg5000"


def test_no_two_data_sets_have_one_name_or_one_configuration():
    assert len({data.name for data in DATA_SETS}) == len({(data.pipeline, data.folder) for data in DATA_SETS}) == len(DATA_SETS)
