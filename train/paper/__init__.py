"""The paper's experiments: a study over seeds, verdicts on its claims, figures and reports."""
