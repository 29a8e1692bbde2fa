"""How good a model is on rows that did not train it, and whether it is better than the one that is live."""

from ratchet.evaluation.compare import compare
from ratchet.evaluation.comparison import Comparison
from ratchet.evaluation.evaluate import evaluate
from ratchet.evaluation.evaluation import Evaluation

__all__ = ["Comparison", "Evaluation", "compare", "evaluate"]
