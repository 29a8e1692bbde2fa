"""What a gateway says of itself."""

from ratchet.serving.openapi import document_page, openapi_document

MODEL = {"name": "fraud", "versions": ["3"], "inputs": [{"name": "amount", "datatype": "FP64"}, {"name": "<b>", "datatype": "BYTES"}]}


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
