"""The package behind MLServer: the smallest runtime that answers with `ModelPackage.predict`.

MLServer's own MLflow runtime would make a pandas table of each request and load MLflow; this one makes the polars table at once, so
that what is measured is MLServer and not pandas. It runs in MLServer's own environment, with the checkout on its path.
"""

from mlserver import MLModel, types

from ratchet.models.package import ModelPackage
from scripts.bench_model import table_of


class PackageRuntime(MLModel):
    """A custom runtime; ``parameters.uri`` is the package's folder."""

    async def load(self) -> bool:
        """Load the package."""
        self.package = ModelPackage.load(self.settings.parameters.uri)
        return True

    async def predict(self, payload: types.InferenceRequest) -> types.InferenceResponse:
        """Answer a request, or several that MLServer has put together."""
        predictions = self.package.predict(table_of({tensor.name: list(tensor.data) for tensor in payload.inputs}))
        parameters = types.Parameters()  # its batching fails on an output without
        output = types.ResponseOutput(
            name="probability", datatype="FP64", shape=list(predictions.shape), data=predictions.tolist(), parameters=parameters
        )
        return types.InferenceResponse(model_name=self.name, outputs=[output])
