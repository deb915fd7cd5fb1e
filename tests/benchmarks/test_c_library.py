"""The comparison of the C library with ONNX Runtime."""


def test_of_each_call_the_least_time_counts_and_the_first_round_does_not(benchmark_module, monkeypatch):
    module = benchmark_module("c_library")
    clock = [0.0]
    costs = {"python": iter([1.0, 5.0, 4.0, 6.0, 4.5] + [9.0] * 99), "c": iter([0.5, 2.0, 3.0, 2.5, 2.2] + [9.0] * 99)}
    monkeypatch.setattr(module, "spent", lambda: clock[0])
    monkeypatch.setattr(module, "SECONDS", 20.0)

    def call(name):
        clock[0] += next(costs[name])

    found = module.least({name: lambda name=name: call(name) for name in costs})
    assert found == {"python": 4.0, "c": 2.0}


def test_processor_time_counts_processes_that_are_started(benchmark_module):
    import subprocess
    import sys

    module = benchmark_module("c_library")
    before = module.spent()
    subprocess.run([sys.executable, "-c", "sum(range(2_000_000))"], check=True)
    assert module.spent() - before > 0.01
