"""What every feature stands on and no feature owns: time, ids, transactions, errors, auth, paging."""
