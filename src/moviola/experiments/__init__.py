"""Run whole experiments made of the rooms."""
