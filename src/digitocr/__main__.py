"""`python -m digitocr` works as the command `digitocr` does."""

if __name__ == "__main__":  # processes that read for it import this module as well
    from digitocr.cli.main import main

    main()
