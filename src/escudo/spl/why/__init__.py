"""Why a search selects a row or not, condition by condition."""
