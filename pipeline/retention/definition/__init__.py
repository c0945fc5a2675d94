"""Who is a customer when, in which period and in which segment: what every table rests on."""
