"""Many pictures: found by name, read here, in several processes or on a cluster, and written out."""
