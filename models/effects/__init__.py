"""What contacts change: groups against their controls, and models of whom a contact helps."""
