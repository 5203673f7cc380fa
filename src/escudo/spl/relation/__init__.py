"""What a search has become: typed fields over SQL, with the rules for SPL's values in SQL."""
