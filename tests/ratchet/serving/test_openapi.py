"""What a gateway says of itself."""

from ratchet.features.spec import FeatureSpec
from ratchet.serving.openapi import document_page, openapi_document
from ratchet.serving.protocol import ModelInterface

MODEL = {
    "name": "fraud",
    "versions": ["3"],
    "inputs": [{"name": "amount", "datatype": "FP64"}, {"name": "<b>", "datatype": "BYTES"}],
    "outputs": [{"name": "probability", "datatype": "FP64", "shape": [-1]}, {"name": "decision", "datatype": "BYTES", "shape": [-1]}],
}
SPEC = FeatureSpec("anomaly", "", {"amount": "number"}, ("amount",), classes=("normal", "anomaly"))


def test_the_columns_of_a_model_are_in_the_document():
    document = openapi_document([MODEL])
    assert document["components"]["schemas"]["Row_of_fraud"]["required"] == ["amount", "<b>"]
    assert set(document["paths"]) >= {"/predict/fraud", "/v2/models/{name}/infer", "/v2/models/{name}/feedback", "/metrics"}


def test_a_name_cannot_write_into_the_page():
    page = document_page([MODEL], "http://here:1/<i>")
    assert "<b>" not in page
    assert "<i>" not in page
    assert "http://here:1/" in page
    assert "predict/fraud" in page
    assert "Nothing is deployed" in document_page([], "")


def test_the_outputs_of_an_anomaly_model_are_in_the_document():
    metadata = ModelInterface("odd", SPEC, latent=2, columns=("amount",)).metadata(["1"])
    document = openapi_document([metadata, MODEL])
    post = document["paths"]["/predict/odd"]["post"]
    assert post["parameters"][0]["schema"]["items"]["enum"] == ["error", "anomaly", "embedding", "shares"]
    assert post["responses"]["200"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Answer_of_odd"}
    rows = document["components"]["schemas"]["Answer_of_odd"]["properties"]["predictions"]["items"]["properties"]
    assert (rows["error"]["type"], rows["anomaly"]["type"], rows["embedding"]["type"]) == ("number", "boolean", "array")
    assert (rows["shares"]["type"], rows["columns"]["type"]) == ("object", "object")
    fraud = document["components"]["schemas"]["Answer_of_fraud"]["properties"]["predictions"]["items"]["properties"]
    assert set(fraud) == {"probability", "decision"}
