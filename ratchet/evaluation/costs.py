"""What a wrong decision costs: as stated at this step, else as stated at training, which the package carries."""

from typing import TYPE_CHECKING

from ratchet.errors import ParameterError

if TYPE_CHECKING:
    from ratchet.models.package import ModelPackage


def stated_costs(model: "ModelPackage", cost_false_negative: float = 0.0, cost_false_positive: float = 0.0) -> tuple[float, float]:
    """Return the costs of a false negative and of a false positive.

    Args:
        model: Its parameters hold the costs that its threshold was chosen by.
        cost_false_negative: Overrides the model's; 0 for the model's.
        cost_false_positive: Likewise.

    Raises:
        ParameterError: a cost is negative or not finite.
    """
    given = {"cost_false_negative": cost_false_negative, "cost_false_positive": cost_false_positive}
    for name, value in given.items():
        if not 0 <= value < float("inf"):
            raise ParameterError(f"{name} {value:g} must be above 0 and finite, or 0 for the model's own")
    first, second = (value or float(model.parameters.get(name, 0) or 1) for name, value in given.items())
    return first, second
