"""The report of a rollout draws what was seen, and what there is nothing of it leaves out."""

from dataclasses import replace
from datetime import UTC, datetime

from ratchet.delivery.advance import Advance
from ratchet.delivery.deployment import Deployment, ModelRef, canonical_json
from ratchet.delivery.judge.gates import Gate, Judgement
from ratchet.delivery.judge.loss import judge_loss
from ratchet.delivery.policy import Policy
from ratchet.delivery.rollout import Look, Rollout
from ratchet.delivery.rollout_report import rollout_page, summary_page

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
STATE = Deployment("fraud", ModelRef("1", "sha256:aa", "/1"), None, ModelRef("2", "sha256:bb", "/2"), "canary", 5, 3, 1, 2)
ROLLOUT = Rollout(STATE, Policy(), NOW, NOW, "r", NOW)


def look(number, *gates):
    facts = {**Judgement("pending", "", gates).evidence(), "seen": {"total": number * 100, "pairs": number * 10, "requests": number}}
    return Look("fraud", 2, number, NOW.isoformat(), "r", "canary", 5, "pending", "more evidence is needed", canonical_json(facts))


def test_every_gate_with_evidence_has_its_wealth_drawn_and_every_look_is_listed(tmp_path):
    loss = judge_loss([0.5] * 50, [0.3] * 50, range(50), margin=0.01, alpha=0.05)
    page = rollout_page(
        Advance("pending", "pending", "because", "2", 3, ROLLOUT), STATE, [look(n, loss, Gate("latency", "wait", "few")) for n in (1, 2)]
    )
    page.write_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count("<svg") == 3, "wealth of the loss, traffic, share of traffic"
    assert "needed at" in text
    assert text.count("more evidence is needed") == 2


def test_without_a_rollout_it_is_the_verdict_and_what_stands(tmp_path):
    page = rollout_page(Advance("hold", "held", "no rollout is under way"), Deployment("fraud"), [])
    page.write_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "no rollout is under way" in text
    assert "<svg" not in text


def test_the_summary_says_the_verdict_and_each_gate_of_the_last_look():
    gates = (Gate("loss", "pass", "surely not worse"), Gate("latency", "abort", "too slow"))
    advance = Advance("abort", "rejected", "latency: too slow", "2", 3, ROLLOUT)
    text = summary_page(advance, STATE, [look(1, Gate("loss", "wait", "too few")), look(2, *gates)]).markdown()
    assert text.startswith("## Rollout of fraud: abort\n\nlatency: too slow")
    assert "| latency | abort | too slow |" in text
    assert "too few" not in text


def test_without_labels_it_says_what_a_pass_leaves_open_and_speaks_of_no_labelled_pairs(tmp_path):
    alarms = replace(ROLLOUT, policy=Policy(loss={"kind": "alarm"}))
    loss = judge_loss([0.0] * 50, [0.0] * 50, range(50), margin=0.01, alpha=0.05)
    looks = [look(n, loss) for n in (1, 2)]
    for page in (rollout_page, summary_page):
        text = page(Advance("pending", "pending", "because", "2", 3, alarms), STATE, looks).markdown()
        assert "| judged by | alarms, for want of labels; what the models find was compared before, on injected anomalies |" in text
        assert "judged by" not in page(Advance("pending", "pending", "because", "2", 3, ROLLOUT), STATE, looks).markdown()
    rollout_page(Advance("pending", "pending", "because", "2", 3, alarms), STATE, looks).write_html(tmp_path / "report.html")
    assert "labelled pairs" not in (tmp_path / "report.html").read_text(encoding="utf-8")
