"""The weeks on which stacking is looked at, and what is said of invented figures."""

from datetime import date

from scripts.realdata import DATA_SETS, configured
from scripts.realdata_weeks import ALONE, FIGURES, table, weeks


def test_each_week_is_spaced_as_the_handbook_s_own_and_all_end_before_its_training():
    own = configured(next(data for data in DATA_SETS if data.name == "fraud_stacked"))
    names = ("train_from", "train_until", "holdout_from", "holdout_until")

    def spaces(dates):
        days = [date.fromisoformat(dates[name]) for name in names]
        return [(day - days[0]).days for day in days]

    found = list(weeks())
    assert len(found) == 8
    assert all(spaces(dates) == spaces(own) for dates in found)
    assert max(dates["holdout_until"] for dates in found) <= own["train_from"]


def test_means_and_the_standard_error_of_the_paired_difference_are_told():
    invented = [(0.70, 0.68), (0.72, 0.69), (0.69, 0.70)]
    measured = [{**dict.fromkeys(FIGURES, stacked), **{name + ALONE: alone for name in FIGURES}} for stacked, alone in invented]
    # differences .02, .03, -.01: mean .0133, standard deviation .0208
    assert table(measured)[2] == "| average_precision | 0.6900 | 0.7033 | +0.0133 ± 0.0120 | 2 of 3 |"
    assert len(table(measured)) == 2 + len(FIGURES)
