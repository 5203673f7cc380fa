"""What SQL cannot say: pure functions on Arrow tables whose columns are SPL fields."""
