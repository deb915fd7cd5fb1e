"""A file for each command: parse, one library call, print. main.py loads the one that was typed."""
