"""Own data: labelled pictures in any of the usual forms, read, checked, and divided as MNIST is."""
