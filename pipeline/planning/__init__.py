"""What a change would do, before it is made: to the list of tonight, and to what lists brought so far."""
