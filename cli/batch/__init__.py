"""Many pictures: finding what is named, reading it here, in several processes or on a cluster, writing the results."""
