"""Many pictures: what is named, read in turn, on several processes or on a cluster, and where the results go."""
