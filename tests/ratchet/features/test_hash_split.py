import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.features.hash_split import SALT, lowest_share, split_by_hash
from ratchet.features.split_plan import SplitPlan


@settings(max_examples=40, deadline=None)
@given(
    shares=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=80, unique=True),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 99),
)
def test_the_lowest_of_each_class_are_chosen_and_none_from_elsewhere(shares, share, seed):
    draw = np.random.default_rng(seed)
    among, classes = draw.random(len(shares)) < 0.7, pl.Series(draw.choice(["a", "b"], len(shares)))
    chosen = lowest_share(np.array(shares), among, share, classes)
    assert not (chosen & ~among).any()
    for name in classes.unique():
        pool = among & (classes == name).to_numpy()
        if pool.any():
            assert (chosen & pool).sum() == max(round(share * pool.sum()), 1)
            assert np.array(shares)[chosen & pool].max() <= np.array(shares)[pool & ~chosen].min(initial=1)


def test_the_record_tells_which_rows_were_held_out():
    rows = pl.DataFrame({"id": range(500)})
    found = split_by_hash(rows, SplitPlan(key=("id",)), np.ones(500, bool), None)
    assert (found.record.kind, found.record.columns, found.record.holdout_share, found.record.salt) == ("hash", ("id",), 0.2, SALT)
    assert sorted([*found.train, *found.validation, *found.holdout]) == list(range(500))


def test_rows_without_a_label_are_dealt_like_a_class_of_their_own():
    classes = pl.Series(["no", None] * 200)
    parts = split_by_hash(pl.DataFrame({"id": range(400)}), SplitPlan(key=("id",)), np.ones(400, bool), classes)
    pool = np.concatenate([parts.train, parts.validation])
    for rows in (classes.is_null(), classes.is_not_null()):
        assert rows.gather(parts.validation).sum() == round(0.2 * rows.gather(pool).sum())
