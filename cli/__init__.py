"""The command line: parse, one library call, print."""

import gc

# The libraries' imports make objects that live on: not searching them for garbage is worth 4 % of a cold predict.
gc.set_threshold(100_000)
