"""A pipeline on Kubeflow: a version that never changes, one run a submission, a schedule replaced without a gap."""
