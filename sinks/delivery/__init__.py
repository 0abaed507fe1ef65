"""From deliveries to the reps: what a brief says, how it is sent, and that it is sent once."""
