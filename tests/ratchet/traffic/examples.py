"""Records by hand: what a test does not name is ordinary."""

from typing import Any

from ratchet.traffic.records import Answers, Label, Prediction

NOON = 1_763_726_400.0  # 2025-11-21 12:00 UTC


def prediction(request_id: str = "a", **different: Any) -> Prediction:
    """An answer of the champion that the client got, in a rollout that began at generation 5."""
    ordinary: dict[str, Any] = {
        "time": NOON,
        "deployment": "fraud",
        "version": "1",
        "role": "champion",
        "phase": "shadow",
        "percent": 0,
        "generation": 7,
        "rollout": 5,
        "served": True,
        "unit": "card-1",
        "inputs": {"amount": 3.5, "shop": "x"},
        "prediction": (0.25,),
        "latency_ms": 1.5,
        "error": "",
    }
    return Prediction(request_id, **ordinary | different)


def answers(request_id: str = "a", **different: Any) -> Answers:
    """What the champion answered for two rows of a request."""
    ordinary: dict[str, Any] = {
        **{"count": 2, "unit": "card-1", "inputs": {"amount": [3.5, None], "shop": ["x", "y"]}, "prediction": [0.25, 0.75]},
        **{"time": NOON, "deployment": "fraud", "version": "1", "role": "champion", "phase": "shadow", "percent": 0},
        **{"generation": 7, "rollout": 5, "served": True, "latency_ms": 1.5, "error": ""},
    }
    return Answers(request_id=request_id, **ordinary | different)


def both(request_id: str = "a", **different: Any) -> list[Prediction]:
    """The champion's answer, which the client got, and the challenger's."""
    beside = {"role": "challenger", "version": "2", "served": False, "inputs": None, "prediction": (0.75,)}
    return [prediction(request_id, **different), prediction(request_id, **different | beside)]


def label(request_id: str = "a", value: Any = 1, *, received: float = NOON + 60, time: float = NOON) -> Label:
    """What turned out to be true of a request."""
    return Label(request_id, time, received, "fraud", value)
