"""The comparison of what two machines find."""


def test_values_are_compared_one_by_one(benchmark_module):
    rows = benchmark_module("aarch64").rows(
        {"a.onnx": [0.5, 1.0], "a.png": [1, 2, 3], "b.png": []}, {"a.onnx": [0.5, 1.25], "a.png": [1, 2], "b.png": []}
    )
    assert [list(row.values()) for row in rows] == [
        ["a.onnx", 2, 1, "0.25"],
        ["a.png", 3, 2, "other digits"],
        ["b.png", 0, 0, "0"],
    ]
