"""Search, event -> which conditions hold; ``detect.why`` and the command line ask."""
