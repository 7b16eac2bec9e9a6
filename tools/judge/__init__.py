"""`make judge`: tests a bridge with schemathesis and a strict profile of the contract."""
