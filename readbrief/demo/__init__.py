"""The demo: an invented company with its website, its readers, and the places where its reps get their briefs."""
