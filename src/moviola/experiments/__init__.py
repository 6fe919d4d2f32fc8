"""Run whole experiments that are made of the other rooms."""
