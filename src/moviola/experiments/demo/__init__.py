"""Show the main job from end to end on a generated world."""
