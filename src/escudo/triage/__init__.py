"""What people do with findings: state, owner, disposition, comments, history; kept in the state."""
