"""Batch scoring: whole tables through a model package, Parquet in and out, a piece at a time."""

from ratchet.scoring.encoding import Encoding, encode_rows
from ratchet.scoring.predictions import Predictions, predict_rows

__all__ = ["Encoding", "Predictions", "encode_rows", "predict_rows"]
